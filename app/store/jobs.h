/* app/store/jobs.h - what the store is to write: a job for each row, made on the
 * main thread, applied on the writer's */
#ifndef APP_STORE_JOBS_H
#define APP_STORE_JOBS_H

#include "app/store/store.h"
#include "base/list.h"
#include "base/map.h"

struct store_page;
struct store_writer;

enum store_op {
    STORE_PUT_DEVICE,
    STORE_REMOVE_DEVICE,
    STORE_PUT_CHANNEL,
    STORE_REMOVE_CHANNEL,
    STORE_PUT_DIALOG,
    STORE_REMOVE_DIALOG,
    STORE_PUT_SETTINGS,
    STORE_PUT_GROUP,
    STORE_REMOVE_GROUP,
    STORE_PUT_DETAIL,
    STORE_ADD_ALARM,
    STORE_ACKNOWLEDGE,
    STORE_ADD_POSITION,
    STORE_PUT_COMMAND,
    STORE_PUT_HOOK,
    STORE_REMOVE_HOOK,
    STORE_PUT_PUSH,
    STORE_REMOVE_PUSH,
    STORE_PUT_UPGRADE,
    STORE_PUT_DOWNLOAD,
    STORE_REMOVE_DOWNLOAD,
    STORE_PUT_RECORDER,
    STORE_REMOVE_RECORDER,
    STORE_PUT_RECORD,
    STORE_REMOVE_RECORD,
    STORE_PUT_ACCOUNT,
    STORE_REMOVE_ACCOUNT,
    STORE_PUT_RULE,
    STORE_REMOVE_RULE,
    STORE_ADD_AUDIT,
};

#define STORE_TEXTS 12

struct store_place {
    double lon, lat;
};

/* One block: the struct, the offsets of its texts, what it points to, and the
 * texts, each with a NUL behind it. */
struct store_job {
    struct list node;
    struct map_node by_row; /* key: what it writes, behind the texts */
    struct store_page *page;
    int64_t *number;
    struct sip_peer *peer;     /* NULL: it has none */
    struct store_place *place; /* NULL: nowhere */
    uint8_t op;                /* enum store_op */
    uint8_t n_texts;
    bool on;
    uint32_t text_at[]; /* from the struct; one more: where they end */
};

/* The i-th text, by what it is; the empty one when there are not so many. */
static inline struct slice store_text(const struct store_job *j, size_t i)
{
    return i < j->n_texts
               ? slice_of((const char *)j + j->text_at[i],
                          j->text_at[i + 1] - j->text_at[i] - 1)
               : slice_of("", 0);
}

enum { /* texts of the jobs */
    STORE_ID, STORE_DEVICE = STORE_ID, STORE_NAME, STORE_MANUFACTURER,
    STORE_MODEL, STORE_FIRMWARE, STORE_AGENT, STORE_EDITION, STORE_CHARSET,
    STORE_HISTORY, STORE_PROFILE,
    /* of a channel */
    STORE_OWNER = STORE_FIRMWARE, STORE_CIVIL, STORE_ADDRESS, STORE_PARENT,
    STORE_STATUS, STORE_PTZ, STORE_CHANNEL, STORE_BUSINESS,
    /* of settings; of a group its name and the password */
    STORE_SECRET = 1, STORE_GROUP, STORE_GIVEN_NAME, STORE_POLICY,
    STORE_GROUP_POLICY = 2,
    /* of a dialog */
    STORE_KEY = 0, STORE_CALL_ID, STORE_LOCAL_URI, STORE_REMOTE_URI,
    STORE_LOCAL_TAG, STORE_REMOTE_TAG, STORE_TARGET,
};

/* The key of a dialog as text, in buf, and back; 0: it is none. */
#define STORE_KEY_TEXT 24
struct slice store_key_text(char buf[static STORE_KEY_TEXT], uint64_t key);
uint64_t store_key_of(const char *text);

void store_writer_device(struct store_writer *w,
                         const struct platform_device *d);
void store_writer_channel(struct store_writer *w,
                          const struct platform_channel *c);
void store_writer_dialog(struct store_writer *w, uint64_t key,
                         const struct sip_dialog_state *d,
                         const struct sip_peer *peer);
/* number[]: date, edition, digest, ignore_require, media, arm */
void store_writer_settings(struct store_writer *w, struct slice id,
                           const struct platform_settings *set);
void store_writer_group(struct store_writer *w, struct slice name,
                        struct slice sealed,
                        const struct platform_policy *subscribe);
/* text[]: name, url, sealed secret; number[]: kinds, off */
void store_writer_hook(struct store_writer *w, const struct store_hook *h);
/* text[]: name, role, secret, scope; number[]: made */
#define STORE_ACCOUNT_TEXTS 4
void store_writer_account(struct store_writer *w,
                          const struct store_account *v);
void store_writer_rule(struct store_writer *w, const struct store_rule *v);
void store_writer_push(struct store_writer *w, const struct store_push *p);
/* text[]: device, channel, mode, plan in hex; number[]: stream, alarm, before,
 * by hand */
#define STORE_RECORDER_TEXTS 4
#define STORE_RECORDER_NUMBERS 4
void store_writer_recorder(struct store_writer *w, struct slice device,
                           struct slice channel,
                           const struct recorders_settings *set);
/* And back, from mode and plan. */
void store_recorder_of(struct recorders_settings *out, struct slice mode,
                       struct slice plan,
                       const int64_t number[STORE_RECORDER_NUMBERS]);
/* text[]: device, channel; number[]: begin, length, bytes, flags. Its removal:
 * the first of them. */
void store_writer_record(struct store_writer *w, enum store_op op,
                         struct slice device, struct slice channel,
                         const struct archive_segment *s);
/* text[]: session, device, target, file, version, runs, state, evidence;
 * number[]: asked, fetched, ended, bytes, fetches */
void store_writer_upgrade(struct store_writer *w,
                          const struct platform_upgrade *u);
/* text[]: key of its id, device, channel, state, evidence, parts; number[]:
 * format, transport and speed in one, start, stop, sessions, created, ended,
 * then the mark: bytes, at, end, key, chain */
#define STORE_DOWNLOAD_TEXTS 6
#define STORE_DOWNLOAD_NUMBERS 11
void store_writer_download(struct store_writer *w,
                           const struct platform_download *d);
/* And back. */
void store_download_of(struct platform_download *out,
                       const struct slice text[STORE_DOWNLOAD_TEXTS],
                       const int64_t number[STORE_DOWNLOAD_NUMBERS]);
void store_writer_detail(struct store_writer *w, struct slice device,
                         struct slice channel, struct slice detail);
/* number[]: id, received */
void store_writer_alarm(struct store_writer *w, const struct platform_alarm *a);
void store_writer_acknowledge(struct store_writer *w, uint64_t id,
                              struct slice who, int64_t utc_ms);
void store_writer_position(struct store_writer *w,
                           const struct platform_position *p);
/* number[]: id, asked, sent, arrived, answered, tries, sip_status, flags, sn,
 * messages, have, sum */
void store_writer_command(struct store_writer *w,
                          const struct platform_command *c);
/* text[]: who, role, peer, method, path; number[]: status, at */
#define STORE_AUDIT_TEXTS 5
void store_writer_audit(struct store_writer *w, const struct store_audit *a);
void store_writer_remove(struct store_writer *w, enum store_op op,
                         struct slice a, struct slice b);
void store_writer_remove_dialog(struct store_writer *w, uint64_t key);
#endif
