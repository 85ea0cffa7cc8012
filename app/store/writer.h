/* app/store/writer.h - the queue in front of the store's thread, shared by
 * both kinds of store
 *
 * A put copies what it is given into one job; the thread takes all that waits,
 * commits it as one, and sleeps until STORE_COMMIT_MS later. What waits holds
 * one job for each row, the newest: while the disk refuses, the queue grows with
 * the rows that change, not with time. */
#ifndef APP_STORE_WRITER_H
#define APP_STORE_WRITER_H

#include "app/store/pages.h"
#include "app/store/store.h"
#include "base/list.h"
#include "base/map.h"

#include <stdatomic.h>
#include <uv.h>

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
#define STORE_NUMBERS 12

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

/* A question that waits; texts in the bytes behind the struct. */
struct store_question {
    struct list node;
    uint64_t after; /* jobs queued before it: they are committed first */
    bool lost;      /* some before it found no room */
    struct store_ask ask;
};

#define STORE_WHY 256

/* What a kind of store does with jobs; all of it on the writer's thread. */
struct store_backend {
    /* Applies and commits the jobs of a list, in order. false: nothing of it is
     * there, it will be tried again; why tells. */
    bool (*commit)(void *backend, struct list *jobs,
                   char why[static STORE_WHY]);
    /* Fills r. NULL: it has no history. */
    void (*answer)(void *backend, const struct store_ask *q,
                   struct store_rows *r);
    void *backend;
    bool whole; /* each commit writes all there is: no more often than needed */
};

struct store_writer {
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t work, done; /* jobs wait; a commit is over */
    struct list jobs; /* oldest first */
    struct map rows;  /* the same jobs, by what they write */
    struct map taken; /* room of those that are being committed */
    struct store_pages pages; /* of all jobs */
    uint32_t n_jobs, max_jobs;
    uint32_t n_history; /* of the jobs: alarms and positions */
    struct list asks; /* struct store_question, oldest first */
    uint32_t n_asks;
    struct store_retention keep; /* of history; rows 0 and utc_ms NULL in all:
                                    nothing goes */
    bool keeps;                  /* keep was set */
    bool kept_anew;              /* and not looked at since */
    uint64_t n_queued; /* jobs since the start */
    uint64_t history; /* rows of history queued so far: each has a name */
    bool busy, ending, flush, no_asks;
    atomic_bool failing; /* the last commit was refused */
    struct store_backend b;
    uint64_t writes, commits, errors, dropped;
    uint64_t told_dropped; /* of them, to a question for STORE_NO_LIST */
};

/* The key of a dialog as text, in buf, and back; 0: it is none. */
#define STORE_KEY_TEXT 24
struct slice store_key_text(char buf[static STORE_KEY_TEXT], uint64_t key);
uint64_t store_key_of(const char *text);

/* Of either kind of store, for the functions of store.h in face.c. */
struct store_writer *store_writer_of(struct store *s);

/* max_jobs 0: STORE_QUEUE_MAX. 0 or GB_ENOMEM. */
int store_writer_start(struct store_writer *w, const struct store_backend *b,
                       uint32_t max_jobs);
void store_writer_stop(struct store_writer *w);
void store_writer_flush(struct store_writer *w);
void store_writer_counters(struct store_writer *w, struct store_counters *out);

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
void store_writer_retain(struct store_writer *w,
                         const struct store_retention *r);
/* On the store's thread: false: nothing is to go. *anew: it was set since. */
bool store_writer_keeps(struct store_writer *w, struct store_retention *out,
                        bool *anew);
int store_writer_ask(struct store_writer *w, const struct store_ask *q);
void store_writer_end_asks(struct store_writer *w);
void store_writer_remove(struct store_writer *w, enum store_op op,
                         struct slice a, struct slice b);
void store_writer_remove_dialog(struct store_writer *w, uint64_t key);
#endif
