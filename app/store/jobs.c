/* Rows as jobs: what is to be written, copied, with the name of its row. */
#include "app/store/jobs.h"

#include "app/store/writer.h"

#include <stdio.h>

/* The rows of a device and of its channels, and a removal that takes both. */
static char row_kind(enum store_op op)
{
    switch (op) {
    case STORE_PUT_DEVICE:
        return 'd';
    case STORE_REMOVE_DEVICE:
        return 'D'; /* is not made up for by a put that follows */
    case STORE_PUT_CHANNEL:
        return 'c';
    case STORE_REMOVE_CHANNEL:
        return 'C'; /* nor is that of one: its detail goes with it */
    case STORE_PUT_SETTINGS:
        return 's';
    case STORE_PUT_GROUP:
    case STORE_REMOVE_GROUP:
        return 'G';
    case STORE_PUT_DETAIL:
        return 'e';
    case STORE_ADD_ALARM:
    case STORE_ADD_POSITION:
    case STORE_ADD_AUDIT:
        return 'h';
    case STORE_ACKNOWLEDGE:
        return 'A';
    case STORE_PUT_COMMAND:
        return 'k';
    case STORE_PUT_HOOK:
    case STORE_REMOVE_HOOK:
        return 'w';
    case STORE_PUT_ACCOUNT:
    case STORE_REMOVE_ACCOUNT:
        return 'a';
    case STORE_PUT_RULE:
    case STORE_REMOVE_RULE:
        return 'i';
    case STORE_PUT_PUSH:
    case STORE_REMOVE_PUSH:
        return 'q';
    case STORE_PUT_UPGRADE:
        return 'u';
    case STORE_PUT_DOWNLOAD:
    case STORE_REMOVE_DOWNLOAD:
        return 'l';
    case STORE_PUT_RECORDER:
    case STORE_REMOVE_RECORDER:
        return 'r';
    case STORE_PUT_RECORD:
    case STORE_REMOVE_RECORD:
        return 'R';
    case STORE_PUT_DIALOG:
    case STORE_REMOVE_DIALOG:
        break;
    }
    return 'g';
}

static char *put_text(char *at, struct slice s)
{
    slice_copy(at, s.n + 1, s);
    return at + s.n + 1;
}

/* What a job has beside its texts. */
struct room {
    unsigned numbers;
    bool peer, place;
};

static size_t room_bytes(struct room r, size_t n_texts)
{
    return ((offsetof(struct store_job, text_at) +
             (n_texts + 1) * sizeof(uint32_t) + 7) & ~(size_t)7) +
           r.numbers * sizeof(int64_t) + r.peer * sizeof(struct sip_peer) +
           r.place * sizeof(struct store_place);
}

/* Its numbers, all zero, then peer and place; gives where texts can begin. */
static char *lay_out(struct store_job *j, struct room r, size_t n_texts)
{
    char *at = (char *)j + room_bytes((struct room){ 0 }, n_texts);

    j->number = (int64_t *)(void *)at;
    memset(at, 0, r.numbers * sizeof(int64_t));
    at += r.numbers * sizeof(int64_t);
    if (r.peer) {
        j->peer = (struct sip_peer *)(void *)at;
        at += sizeof(*j->peer);
    }
    if (r.place) {
        j->place = (struct store_place *)(void *)at;
        at += sizeof(*j->place);
    }
    return at;
}

/* A job with copies of the texts behind it, NUL-terminated, and the name of its
 * row: a and b. On the main thread. NULL: no memory, the write is lost and
 * counted. */
static struct store_job *job_new(struct store_writer *w, enum store_op op,
                                 struct room r, const struct slice *text,
                                 size_t n, struct slice a, struct slice b)
{
    struct store_page *page;
    struct store_job *j;
    size_t bytes = room_bytes(r, n) + a.n + b.n + 3;
    struct slice key;
    char *at;

    for (size_t i = 0; i < n; i++)
        bytes += text[i].n + 1;
    j = bytes < UINT32_MAX
            ? store_pages_get(&w->pages, bytes, w->failing, &page)
            : NULL;
    if (!j) {
        store_writer_lost(w);
        return NULL;
    }
    *j = (struct store_job){ .page = page, .op = (uint8_t)op,
                             .n_texts = (uint8_t)n };
    list_init(&j->node);
    at = lay_out(j, r, n);
    key = slice_of(at, a.n + b.n + 3);
    *at = row_kind(op);
    at = put_text(put_text(at + 1, a), b);
    map_name(w->seed, &j->by_row, key);
    for (size_t i = 0; i < n; i++) {
        j->text_at[i] = (uint32_t)(at - (char *)j);
        at = put_text(at, text[i]);
    }
    j->text_at[n] = (uint32_t)(at - (char *)j);
    return j;
}

struct slice store_key_text(char buf[static STORE_KEY_TEXT], uint64_t key)
{
    snprintf(buf, STORE_KEY_TEXT, "%llu", (unsigned long long)key);
    return slice_str(buf);
}

uint64_t store_key_of(const char *text)
{
    uint64_t key = 0;

    slice_u64(slice_str(text), UINT64_MAX, &key);
    return key;
}

void store_writer_device(struct store_writer *w,
                         const struct platform_device *d)
{
    const struct slice text[] = {
        d->id, d->name, d->manufacturer, d->model, d->firmware, d->user_agent,
        d->edition, d->charset, d->history, d->profile,
    };
    struct store_job *j = job_new(w, STORE_PUT_DEVICE,
                                  (struct room){ 3, true, false },
                                  text, 10, d->id,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    *j->peer = d->peer;
    j->number[0] = d->registered_utc_ms;
    j->number[1] = d->expires_utc_ms;
    j->number[2] = d->keepalive_utc_ms;
    store_writer_queue(w, j);
}

void store_writer_channel(struct store_writer *w,
                          const struct platform_channel *c)
{
    const struct slice text[STORE_TEXTS] = {
        c->device, c->name, c->manufacturer, c->model, c->owner,
        c->civil_code, c->address, c->parent, c->status, c->ptz_type, c->id,
        c->business_group,
    };
    struct store_job *j = job_new(w, STORE_PUT_CHANNEL,
                                  (struct room){ 1, false, c->has_position },
                                  text, STORE_TEXTS,
                                  c->device, c->id);

    if (!j)
        return;
    j->on = c->on;
    if (j->place)
        *j->place = (struct store_place){ c->longitude, c->latitude };
    j->number[0] = c->delivered_utc_ms;
    store_writer_queue(w, j);
}

void store_writer_dialog(struct store_writer *w, uint64_t key,
                         const struct sip_dialog_state *d,
                         const struct sip_peer *peer)
{
    char name[STORE_KEY_TEXT];
    struct slice text[] = {
        store_key_text(name, key), d->call_id, d->local_uri, d->remote_uri,
        d->local_tag, d->remote_tag, d->target,
    };
    struct store_job *j;

    j = job_new(w, STORE_PUT_DIALOG,
                (struct room){ 1, true, false }, text, 7, text[0],
                (struct slice){ NULL, 0 });
    if (!j)
        return;
    *j->peer = *peer;
    j->number[0] = d->local_cseq;
    store_writer_queue(w, j);
}

void store_writer_settings(struct store_writer *w, struct slice id,
                           const struct platform_settings *set)
{
    char policy[PLATFORM_POLICY_TEXT_MAX];
    struct writer y = writer_of(policy, sizeof(policy));
    struct slice text[] = { id, set->password, set->group, set->name,
                            { NULL, 0 } };
    struct store_job *j;

    platform_policy_write(&y, &set->subscribe);
    text[STORE_POLICY] = writer_slice(&y);
    j = job_new(w, STORE_PUT_SETTINGS,
                (struct room){ .numbers = 6 }, text, 5, id,
                (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = set->date;
    j->number[1] = set->edition;
    j->number[2] = set->digest;
    j->number[3] = set->ignore_require;
    j->number[4] = set->media;
    j->number[5] = set->arm;
    store_writer_queue(w, j);
}

void store_writer_group(struct store_writer *w, struct slice name,
                        struct slice sealed,
                        const struct platform_policy *subscribe)
{
    char policy[PLATFORM_POLICY_TEXT_MAX];
    struct writer y = writer_of(policy, sizeof(policy));
    struct slice text[] = { name, sealed, { NULL, 0 } };
    struct store_job *j;

    platform_policy_write(&y, subscribe);
    text[STORE_GROUP_POLICY] = writer_slice(&y);
    j = job_new(w, STORE_PUT_GROUP,
                (struct room){ 0 }, text, 3, name, (struct slice){ NULL, 0 });

    if (j)
        store_writer_queue(w, j);
}

void store_writer_hook(struct store_writer *w, const struct store_hook *h)
{
    const struct slice text[] = { h->name, h->url, h->sealed };
    struct store_job *j = job_new(w, STORE_PUT_HOOK,
                                  (struct room){ .numbers = 2 },
                                  text, 3, h->name,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = h->kinds;
    j->number[1] = h->off;
    store_writer_queue(w, j);
}

void store_writer_account(struct store_writer *w,
                          const struct store_account *v)
{
    const struct slice text[] = { v->name, v->role, v->secret, v->scope };
    struct store_job *j = job_new(w, STORE_PUT_ACCOUNT,
                                  (struct room){ .numbers = 1 }, text,
                                  STORE_ACCOUNT_TEXTS, v->name,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = v->made_utc_ms;
    store_writer_queue(w, j);
}

void store_writer_rule(struct store_writer *w, const struct store_rule *v)
{
    const struct slice text[] = { v->name, v->lines };
    struct store_job *j = job_new(w, STORE_PUT_RULE,
                                  (struct room){ .numbers = 0 }, text, 2,
                                  v->name, (struct slice){ NULL, 0 });

    if (j)
        store_writer_queue(w, j);
}

void store_writer_push(struct store_writer *w, const struct store_push *p)
{
    const struct slice text[] = { p->name, p->urls, p->sealed };
    struct store_job *j = job_new(w, STORE_PUT_PUSH,
                                  (struct room){ .numbers = 1 },
                                  text, 3, p->name,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = p->stream;
    store_writer_queue(w, j);
}

void store_writer_recorder(struct store_writer *w, struct slice device,
                           struct slice channel,
                           const struct recorders_settings *set)
{
    char hex[2 * RECORDERS_PLAN_BYTES + 1];
    struct writer plan = writer_of(hex, sizeof(hex));
    const struct slice text[STORE_RECORDER_TEXTS] = {
        device, channel, slice_str(recorders_mode_name(set->mode)),
        slice_of(hex, sizeof(hex) - 1)
    };
    struct store_job *j;

    for (size_t i = 0; i < RECORDERS_PLAN_BYTES; i++)
        writer_f(&plan, "%02x", set->plan[i]);
    j = job_new(w, STORE_PUT_RECORDER,
                (struct room){ .numbers = STORE_RECORDER_NUMBERS }, text,
                STORE_RECORDER_TEXTS, device, channel);
    if (!j)
        return;
    j->number[0] = set->stream;
    j->number[1] = set->alarm_s;
    j->number[2] = set->before;
    j->number[3] = set->hand;
    store_writer_queue(w, j);
}

void store_recorder_of(struct recorders_settings *out, struct slice mode,
                       struct slice plan,
                       const int64_t number[STORE_RECORDER_NUMBERS])
{
    enum recorders_mode m = recorders_mode_by_name(mode);

    *out = (struct recorders_settings){
        .mode = m < RECORDERS_MODES ? m : RECORDERS_MODE_OFF,
        .stream = number[0] == 1, .alarm_s = (uint32_t)number[1],
        .before = number[2] != 0, .hand = number[3] != 0,
    };
    for (size_t i = 0; i < plan.n && i < sizeof(out->plan) * 2; i++) {
        unsigned c = (unsigned char)plan.p[i];
        unsigned v = c >= 'a' ? c - 'a' + 10 : c - '0';

        out->plan[i / 2] |= (uint8_t)((v & 15) << (i % 2 ? 0 : 4));
    }
}

void store_writer_record(struct store_writer *w, enum store_op op,
                         struct slice device, struct slice channel,
                         const struct archive_segment *s)
{
    const struct slice text[] = { device, channel };
    char name[ARCHIVE_NAME_MAX + 32];
    struct writer row = writer_of(name, sizeof(name));
    struct store_job *j;

    writer_slice_put(&row, channel);
    writer_f(&row, "/%lld", (long long)s->begin_utc_ms);
    j = job_new(w, op, (struct room){ .numbers = 4 }, text, 2, device,
                writer_slice(&row));
    if (!j)
        return;
    j->number[0] = s->begin_utc_ms;
    j->number[1] = s->length_ms;
    j->number[2] = (int64_t)s->bytes;
    j->number[3] = s->flags;
    store_writer_queue(w, j);
}

void store_writer_upgrade(struct store_writer *w,
                          const struct platform_upgrade *u)
{
    const struct slice text[] = {
        u->session, u->device, u->target, u->file, u->version, u->runs,
        slice_str(platform_upgrade_state_name(u->state)), u->evidence,
    };
    struct store_job *j = job_new(w, STORE_PUT_UPGRADE,
                                  (struct room){ .numbers = 5 },
                                  text, 8, u->session,
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = u->asked_utc_ms;
    j->number[1] = u->fetched_utc_ms;
    j->number[2] = u->ended_utc_ms;
    j->number[3] = (int64_t)u->fetched_bytes;
    j->number[4] = u->fetches;
    store_writer_queue(w, j);
}

void store_writer_download(struct store_writer *w,
                           const struct platform_download *d)
{
    char key[STORE_KEY_TEXT];
    struct slice id = store_key_text(key, d->id);
    const struct slice text[STORE_DOWNLOAD_TEXTS] = {
        id, d->device, d->channel,
        slice_str(platform_download_state_name(d->state)), d->evidence,
        d->parts,
    };
    const int64_t number[STORE_DOWNLOAD_NUMBERS] = {
        (int64_t)d->format | (int64_t)d->transport << 8 |
            (int64_t)d->speed << 16,
        (int64_t)d->start_s, (int64_t)d->stop_s, d->sessions,
        d->created_utc_ms, d->ended_utc_ms, (int64_t)d->mark.bytes,
        d->mark.at_utc_ms, d->mark.end90k, (int64_t)d->mark.key,
        (int64_t)d->mark.chain,
    };
    struct store_job *j =
        job_new(w, STORE_PUT_DOWNLOAD,
                (struct room){ .numbers = STORE_DOWNLOAD_NUMBERS }, text,
                STORE_DOWNLOAD_TEXTS, id, (struct slice){ NULL, 0 });

    if (!j)
        return;
    memcpy(j->number, number, sizeof(number));
    store_writer_queue(w, j);
}

void store_download_of(struct platform_download *out,
                       const struct slice text[STORE_DOWNLOAD_TEXTS],
                       const int64_t number[STORE_DOWNLOAD_NUMBERS])
{
    char key[STORE_KEY_TEXT];

    slice_copy(key, sizeof(key), slice_head(text[0], sizeof(key) - 1));
    *out = (struct platform_download){
        .id = store_key_of(key),
        .device = text[1],
        .channel = text[2],
        .state = platform_download_state_by_name(text[3]),
        .evidence = text[4],
        .parts = text[5],
        .format = number[0] & 1 ? PLATFORM_FILE_PS : PLATFORM_FILE_MP4,
        .transport = (enum platform_transport)(number[0] >> 8 & 3),
        .speed = (uint32_t)(number[0] >> 16 & 0xffff),
        .start_s = (uint64_t)number[1],
        .stop_s = (uint64_t)number[2],
        .sessions = (unsigned)number[3],
        .created_utc_ms = number[4],
        .ended_utc_ms = number[5],
        .mark = { .bytes = (uint64_t)number[6], .at_utc_ms = number[7],
                  .end90k = number[8], .key = (uint64_t)number[9],
                  .chain = (uint64_t)number[10] },
    };
}

void store_writer_detail(struct store_writer *w, struct slice device,
                         struct slice channel, struct slice detail)
{
    const struct slice text[] = { device, channel, detail };
    struct store_job *j =
        job_new(w, STORE_PUT_DETAIL,
                (struct room){ 0 }, text, 3, device, channel);

    if (j)
        store_writer_queue(w, j);
}

/* A row that is added and never replaced. */
static struct store_job *history_new(struct store_writer *w, enum store_op op,
                                     bool place, const struct slice *text,
                                     size_t n)
{
    char name[STORE_KEY_TEXT];

    return job_new(w, op, (struct room){ 2, false, place }, text, n,
                   store_key_text(name, ++w->history),
                   (struct slice){ NULL, 0 });
}

void store_writer_alarm(struct store_writer *w, const struct platform_alarm *a)
{
    const struct slice text[] = { a->device, a->channel, a->priority,
                                  a->method, a->type,    a->time,
                                  a->description, a->event };
    struct store_job *j = history_new(w, STORE_ADD_ALARM, a->has_position,
                                      text, 8);

    if (!j)
        return;
    if (j->place)
        *j->place = (struct store_place){ a->longitude, a->latitude };
    j->number[0] = (int64_t)a->id;
    j->number[1] = a->received_utc_ms;
    store_writer_queue(w, j);
}

/* Twice before a commit: the later one, as of all rows. */
void store_writer_acknowledge(struct store_writer *w, uint64_t id,
                              struct slice who, int64_t utc_ms)
{
    char name[STORE_KEY_TEXT];
    struct store_job *j = job_new(w, STORE_ACKNOWLEDGE,
                                  (struct room){ 2, false, false },
                                  &who, 1, store_key_text(name, id),
                                  (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = utc_ms;
    j->number[1] = (int64_t)id;
    store_writer_queue(w, j);
}

void store_writer_position(struct store_writer *w,
                           const struct platform_position *p)
{
    const struct slice text[] = { p->device,    p->channel,   p->time,
                                  p->speed, p->direction, p->altitude };
    struct store_job *j = history_new(w, STORE_ADD_POSITION, true, text, 6);

    if (!j)
        return;
    *j->place = (struct store_place){ p->longitude, p->latitude };
    j->number[1] = p->received_utc_ms;
    store_writer_queue(w, j);
}

void store_writer_audit(struct store_writer *w, const struct store_audit *a)
{
    const struct slice text[] = { a->who, a->role, a->peer, a->method,
                                  a->path };
    struct store_job *j = history_new(w, STORE_ADD_AUDIT, false, text,
                                      STORE_AUDIT_TEXTS);

    if (!j)
        return;
    j->number[0] = a->status;
    j->number[1] = a->at_utc_ms;
    store_writer_queue(w, j);
}

void store_writer_command(struct store_writer *w,
                          const struct platform_command *c)
{
    char name[STORE_KEY_TEXT];
    const struct slice text[] = {
        c->device, c->target, c->cmd, c->sub,
        slice_str(platform_command_state_name(c->state)), c->evidence,
        c->answer,
    };
    struct store_job *j =
        job_new(w, STORE_PUT_COMMAND,
                (struct room){ .numbers = 12 },
                text, 7, store_key_text(name, c->id),
                (struct slice){ NULL, 0 });

    if (!j)
        return;
    j->number[0] = (int64_t)c->id;
    j->number[1] = c->asked_utc_ms;
    j->number[2] = c->sent_utc_ms;
    j->number[3] = c->arrived_utc_ms;
    j->number[4] = c->answered_utc_ms;
    j->number[5] = c->tries;
    j->number[6] = c->sip_status;
    j->number[7] = (c->late ? STORE_LATE : 0) |
                   (c->partial ? STORE_PARTIAL : 0) |
                   (c->cut ? STORE_CUT : 0);
    j->number[8] = c->sn;
    j->number[9] = c->messages;
    j->number[10] = c->have;
    j->number[11] = c->sum;
    store_writer_queue(w, j);
}

void store_writer_remove(struct store_writer *w, enum store_op op,
                         struct slice a, struct slice b)
{
    const struct slice text[] = { a, b };
    struct store_job *j = job_new(w, op, (struct room){ 0 }, text, 2, a, b);

    if (j)
        store_writer_queue(w, j);
}

void store_writer_remove_dialog(struct store_writer *w, uint64_t key)
{
    char name[STORE_KEY_TEXT];

    store_writer_remove(w, STORE_REMOVE_DIALOG, store_key_text(name, key),
                        (struct slice){ NULL, 0 });
}
