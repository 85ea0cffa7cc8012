#include "app/platform/downloads.h"

#include "app/platform/core.h"
#include "app/platform/download_parts.h"
#include "base/writer.h"

#define EVIDENCE_MAX 320
#define SPEED 4
#define SPEED_MAX SDP_MAX_SPEED
#define SHORT_MS 5000 /* a session that ended so far from its end has not sent
                         all; less may be the last group of pictures */
#define NEAR_MS 1000  /* one that the device ended without a word has, this
                         near to it */

/* What it is doing; what others see of it is its state. */
enum phase {
    WAITING,   /* for the timer, or to be woken */
    ASKING,    /* what the device has */
    FETCHING,  /* by a session */
    DETACHING, /* the session is gone, the file is not at rest yet */
    FILING,    /* the file is being published, or removed */
    OVER,
};

/* To be told, in this order. */
enum { TELL_SAVE = 1, TELL_FILE_END = 2, TELL_CHANGED = 4, TELL_GONE = 8 };

struct download {
    struct list node, dirty;
    struct timerq_node timer;
    unsigned tell;
    uint64_t id;
    char device[PLATFORM_ID_MAX], channel[PLATFORM_ID_MAX];
    enum platform_file format;
    enum platform_transport transport;
    uint32_t speed;
    struct parts parts;
    enum phase phase;
    enum platform_download_state state;
    bool listed;         /* the parts are known */
    bool doomed;         /* cancelled */
    bool has_file;
    uint64_t records, session;
    unsigned loop;       /* of the session */
    uint64_t from_s;     /* what the session was asked for */
    int64_t began_at_ms; /* where the file stood before the session */
    bool anew;           /* nothing of its part is there yet */
    bool complete;       /* the session ended as it should */
    bool ended;          /* the device ended it, and did not say so */
    bool full;           /* refused: the device takes no more */
    bool no_room;        /* on the disk */
    unsigned tries, sessions;
    struct platform_download_mark mark;
    int64_t created_utc_ms, ended_utc_ms;
    char evidence[EVIDENCE_MAX];
};

static void turn(struct platform *p, struct download *j);

const char *platform_download_state_name(enum platform_download_state s)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_DOWNLOAD_STATE_MAP(X)
#undef X
    };

    return names[s];
}

enum platform_download_state platform_download_state_by_name(struct slice name)
{
    unsigned i = 0;

    while (i < PLATFORM_DOWNLOAD_STATES &&
           !slice_eq(name, slice_str(platform_download_state_name(i))))
        i++;
    return (enum platform_download_state)i;
}

const char *platform_file_name(enum platform_file f)
{
    return f == PLATFORM_FILE_PS ? "ps" : "mp4";
}

/* ---- the list ----------------------------------------------------------------- */

void downloads_init(struct downloads *t)
{
    list_init(&t->all);
    list_init(&t->dirty);
}

static void forget(struct platform *p, struct download *j)
{
    timerq_stop(&p->timers, &j->timer);
    list_remove(&j->node);
    list_remove(&j->dirty);
    p->downloads.n--;
    parts_fini(&j->parts, p->alloc);
    gb_put(p->alloc, j);
}

void downloads_fini(struct platform *p)
{
    while (!list_is_empty(&p->downloads.all))
        forget(p, container_of(p->downloads.all.next, struct download, node));
}

static struct download *find(const struct platform *p, uint64_t id)
{
    for (struct list *n = p->downloads.all.next; n != &p->downloads.all;
         n = n->next) {
        struct download *j = container_of(n, struct download, node);

        if (j->id == id)
            return j;
    }
    return NULL;
}

static void tell(struct platform *p, struct download *j, unsigned what)
{
    j->tell |= what;
    if (list_is_empty(&j->dirty))
        list_push_back(&p->downloads.dirty, &j->dirty);
}

static void file_end(struct platform *p, struct download *j)
{
    j->phase = FILING;
    timerq_stop(&p->timers, &j->timer);
    tell(p, j, TELL_FILE_END | TELL_CHANGED);
}

/* The oldest that is over makes room; its file goes with it. */
static bool make_room(struct platform *p)
{
    struct list *n = p->downloads.all.prev;

    if (p->downloads.n < PLATFORM_DOWNLOADS_MAX)
        return true;
    for (; n != &p->downloads.all; n = n->prev) {
        struct download *j = container_of(n, struct download, node);

        if (j->phase == OVER && !j->doomed) {
            j->doomed = true;
            file_end(p, j);
            break;
        }
    }
    return p->downloads.n < 2 * PLATFORM_DOWNLOADS_MAX;
}

bool downloads_news(struct platform *p, struct platform_action *out)
{
    while (!list_is_empty(&p->downloads.dirty)) {
        struct download *j = container_of(p->downloads.dirty.next,
                                          struct download, dirty);
        unsigned bit = j->tell & (~j->tell + 1);

        j->tell &= ~bit;
        if (!j->tell)
            list_remove(&j->dirty);
        out->download = j->id;
        out->session = j->session;
        out->loop = j->loop;
        switch (bit) {
        case TELL_SAVE:
            out->kind = PLATFORM_DO_SAVE;
            out->flags = j->anew ? PLATFORM_FILE_ANEW : 0;
            return true;
        case TELL_FILE_END:
            out->kind = PLATFORM_DO_FILE_END;
            out->flags = j->doomed ? PLATFORM_FILE_REMOVE : 0;
            return true;
        case TELL_CHANGED:
            if (j->doomed)
                break;
            out->kind = PLATFORM_DOWNLOAD_CHANGED;
            return true;
        case TELL_GONE:
            out->kind = PLATFORM_DOWNLOAD_GONE;
            forget(p, j);
            return true;
        }
    }
    return false;
}

/* ---- states --------------------------------------------------------------------- */

static void explain(struct download *j, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void explain(struct download *j, const char *fmt, ...)
{
    struct writer w = writer_of(j->evidence, sizeof(j->evidence) - 1);
    va_list ap;

    va_start(ap, fmt);
    writer_vf(&w, fmt, ap);
    va_end(ap);
    j->evidence[w.len] = '\0';
}

static void set_state(struct platform *p, struct download *j,
                      enum platform_download_state s)
{
    j->state = s;
    tell(p, j, TELL_CHANGED);
}

static void pause_for(struct platform *p, struct download *j, uint64_t ms)
{
    j->phase = WAITING;
    set_state(p, j, PLATFORM_DOWNLOAD_QUEUED);
    timerq_set(&p->timers, &j->timer, p->now.mono_ms + ms);
}

static void end(struct platform *p, struct download *j,
                enum platform_download_state s)
{
    j->phase = OVER;
    j->ended_utc_ms = p->now.utc_ms;
    timerq_stop(&p->timers, &j->timer);
    set_state(p, j, s);
    platform_log(p, PLATFORM_INFO,
                 "msg=\"download is over\" download=%llu device=%s channel=%s "
                 "state=%s bytes=%llu sessions=%u evidence=\"%s\"",
                 (unsigned long long)j->id, j->device, j->channel,
                 platform_download_state_name(s),
                 (unsigned long long)j->mark.bytes, j->sessions, j->evidence);
}

/* Nothing is left to be fetched. */
static void wind_up(struct platform *p, struct download *j)
{
    if (j->mark.bytes == 0) {
        if (!j->evidence[0])
            explain(j, "the device has sent nothing");
        j->state = PLATFORM_DOWNLOAD_FAILED;
    }
    file_end(p, j);
}

void platform_download_filed(struct platform *p, uint64_t id, uint64_t bytes,
                             int err, const char *text, struct gb_time now)
{
    struct download *j = find(p, id);

    clock_at(p, now);
    if (!j || j->phase != FILING)
        return;
    if (j->doomed) {
        tell(p, j, TELL_GONE);
        return;
    }
    if (err)
        explain(j, "the file could not be finished: %s",
                text ? text : gb_strerror(err));
    if (!err)
        j->mark.bytes = bytes;
    j->has_file = !err && bytes;
    if (!j->has_file)
        end(p, j, PLATFORM_DOWNLOAD_FAILED);
    else
        end(p, j, parts_lost(&j->parts) ? PLATFORM_DOWNLOAD_PARTIAL
                                        : PLATFORM_DOWNLOAD_DONE);
}

/* ---- what the device has ------------------------------------------------------------ */

static int add_records(struct platform *p, struct download *j)
{
    struct platform_record r;
    int err = 0;

    for (size_t i = 0; !err && platform_record_at(p, j->records, i, &r); i++)
        if (r.end_utc_ms > 0)
            err = parts_add(&j->parts, p->alloc,
                            r.start_utc_ms > 0
                                ? (uint64_t)r.start_utc_ms / 1000
                                : 0,
                            ((uint64_t)r.end_utc_ms + 999) / 1000);
    return err;
}

static void fail(struct platform *p, struct download *j)
{
    j->state = PLATFORM_DOWNLOAD_FAILED;
    file_end(p, j);
}

static void listed(struct platform *p, struct download *j,
                   const struct platform_records *r)
{
    int err = add_records(p, j);

    j->listed = true;
    if (!err && j->parts.n == 0 && r->complete) {
        explain(j, "the device has recorded nothing in this time");
        fail(p, j);
        return;
    }
    if (!err && j->parts.n == 0) /* it does not tell: it is asked for all */
        err = parts_add(&j->parts, p->alloc, j->parts.start_s,
                        j->parts.stop_s);
    if (err) {
        explain(j, err == GB_ELIMIT ? "the device has more than %d files in "
                                      "this time: ask for less"
                                    : "no memory", PLATFORM_DOWNLOAD_PARTS);
        fail(p, j);
        return;
    }
    j->phase = WAITING;
    timerq_set(&p->timers, &j->timer, p->now.mono_ms);
    tell(p, j, TELL_CHANGED);
}

void downloads_on_records(struct platform *p, uint64_t records)
{
    struct platform_records r;
    struct list *n, *tmp;

    if (p->downloads.n == 0 || !platform_records_view(p, records, &r) ||
        !r.is_final)
        return;
    LIST_EACH(n, tmp, &p->downloads.all) {
        struct download *j = container_of(n, struct download, node);
        const struct device *d = device_find(p, slice_str(j->device));

        if (j->phase != ASKING || j->records != records)
            continue;
        if (r.n || !d || d->online)
            listed(p, j, &r);
        else
            pause_for(p, j, DOWNLOAD_FULL_MS); /* went away meanwhile */
    }
}

static void ask(struct platform *p, struct download *j)
{
    const struct platform_records_ask q = {
        .device = slice_str(j->device), .channel = slice_str(j->channel),
        .start_s = j->parts.start_s, .stop_s = j->parts.stop_s,
    };
    struct platform_records r;
    int err = platform_records_start(p, &q, p->now, &j->records);

    if (err) {
        explain(j, "the device could not be asked what it has: %s",
                err == GB_ESTATE ? "it is offline" : gb_strerror(err));
        pause_for(p, j, DOWNLOAD_FULL_MS);
        return;
    }
    j->phase = ASKING;
    j->evidence[0] = '\0';
    set_state(p, j, PLATFORM_DOWNLOAD_LISTING);
    if (platform_records_view(p, j->records, &r) && r.is_final)
        listed(p, j, &r);
}

/* ---- sessions ------------------------------------------------------------------------ */

/* Recordings of this device that are open here; downloads alone, or all. */
static unsigned n_open(const struct device *d, bool downloads)
{
    const struct list *n = d->sessions.next;
    unsigned k = 0;

    for (; n != &d->sessions; n = n->next) {
        const struct session *s =
            container_of((struct list *)(uintptr_t)n, struct session, in_device);

        k += downloads ? s->kind == PLATFORM_DOWNLOAD
                       : s->kind != PLATFORM_LIVE;
    }
    return k;
}

/* The files of all of them have come to the limit. */
static bool is_used_up(const struct platform *p)
{
    const struct list *n = p->downloads.all.next;
    uint64_t bytes = 0;

    for (; n != &p->downloads.all; n = n->next)
        bytes += container_of((struct list *)(uintptr_t)n, struct download,
                              node)->mark.bytes;
    return p->cfg.download_bytes && bytes >= p->cfg.download_bytes;
}

/* Why it has to wait; NULL: it has not. */
static const char *must_wait(const struct platform *p, const struct device *d)
{
    if (p->draining)
        return "this server is stopping";
    if (is_used_up(p))
        return "the room for downloads is used up: delete some";
    if (!d)
        return "the device is gone";
    if (!d->online)
        return "the device is offline";
    if (d->asked.history_max && n_open(d, false) >= d->asked.history_max)
        return "the device sends no more recordings at one time: another one "
               "has to end";
    if (n_open(d, true) >= PLATFORM_DOWNLOADS_DEVICE)
        return "other downloads of this device run";
    return NULL;
}

static void fetch(struct platform *p, struct download *j)
{
    const struct device *d = device_find(p, slice_str(j->device));
    struct part *part = parts_open(&j->parts);
    const char *why = must_wait(p, d);
    struct platform_recording r = {
        .device = slice_str(j->device), .channel = slice_str(j->channel),
        .kind = PLATFORM_DOWNLOAD, .transport = j->transport,
        .stop_s = part->to_s, .speed = j->speed,
    };
    struct platform_session s;

    if (why) {
        explain(j, "%s", why);
        pause_for(p, j, DOWNLOAD_FULL_MS);
        return;
    }
    r.start_s = part->from_s;
    if (part->at_ms > (int64_t)(part->from_s + DOWNLOAD_OVERLAP_S) * 1000)
        r.start_s = (uint64_t)part->at_ms / 1000 - DOWNLOAD_OVERLAP_S;
    if (platform_playback_start(p, &r, p->now, &s)) {
        explain(j, "%.*s", SLICE_ARG(s.evidence));
        pause_for(p, j, DOWNLOAD_FULL_MS);
        return;
    }
    platform_session_hold(p, s.id, p->now);
    j->session = s.id;
    j->loop = s.loop;
    j->from_s = r.start_s;
    j->began_at_ms = part->at_ms;
    j->anew = part->at_ms == (int64_t)part->from_s * 1000;
    j->complete = j->ended = j->full = j->no_room = false;
    j->sessions++;
    j->phase = FETCHING;
    j->evidence[0] = '\0';
    tell(p, j, TELL_SAVE);
    set_state(p, j, PLATFORM_DOWNLOAD_RUNNING);
}

static void turn(struct platform *p, struct download *j)
{
    if (!j->listed)
        ask(p, j);
    else if (parts_open(&j->parts))
        fetch(p, j);
    else
        wind_up(p, j);
}

/* What it waited for may be there. */
static void wake(struct platform *p, const struct device *d)
{
    for (struct list *n = p->downloads.all.prev; n != &p->downloads.all;
         n = n->prev) {
        struct download *j = container_of(n, struct download, node);

        if (j->phase == WAITING && slice_eq(slice_str(j->device), device_id(d)) &&
            j->tries == 0)
            timerq_set(&p->timers, &j->timer, p->now.mono_ms + 1);
    }
}

void downloads_on_device(struct platform *p, const struct device *d)
{
    if (p->downloads.n)
        wake(p, d);
}

/* Sessions that ran beside the one that was refused are what it can take. */
static void learn_limit(struct device *d)
{
    unsigned n = n_open(d, false);

    d->asked.history_max = (uint8_t)(n < UINT8_MAX ? n : UINT8_MAX);
}

void downloads_on_session(struct platform *p, const struct session *s)
{
    struct list *n = p->downloads.all.next;
    bool busy = s->state == PLATFORM_FAILED &&
                (s->sip_status == 486 || s->sip_status == 600);

    if (s->kind != PLATFORM_LIVE && busy && s->device)
        learn_limit(s->device);
    for (; n != &p->downloads.all; n = n->next) {
        struct download *j = container_of(n, struct download, node);

        if (j->phase != FETCHING || j->session != s->handle.id)
            continue;
        j->complete = s->playback.told.complete;
        j->full = busy;
        j->ended = s->state == PLATFORM_FAILED && s->step == PLATFORM_STEP_ENDED;
        if (s->state == PLATFORM_FAILED)
            explain(j, "%.*s", (int)s->evidence_len, s->evidence);
        j->phase = DETACHING; /* the owner hears of the end with this turn */
        timerq_set(&p->timers, &j->timer, p->now.mono_ms + DOWNLOAD_DETACH_MS);
        break;
    }
    if (s->kind != PLATFORM_LIVE && s->device && p->downloads.n)
        wake(p, s->device);
}

static uint64_t back_off(unsigned tries)
{
    uint64_t ms = DOWNLOAD_PAUSE_MS;

    while (tries-- > 1 && ms < DOWNLOAD_PAUSE_MAX_MS)
        ms *= 2;
    return ms < DOWNLOAD_PAUSE_MAX_MS ? ms : DOWNLOAD_PAUSE_MAX_MS;
}

/* The session has left the file: what has it brought? */
static void look_back(struct platform *p, struct download *j)
{
    struct part *part = parts_open(&j->parts);
    int64_t end_ms = (int64_t)part->to_s * 1000;
    bool progress = part->at_ms > j->began_at_ms;

    j->session = 0;
    if (j->full || j->no_room) {
        pause_for(p, j, DOWNLOAD_FULL_MS);
        return;
    }
    if (progress)
        j->tries = 0;
    if (part->at_ms >= end_ms - (j->complete ? SHORT_MS : NEAR_MS) &&
        (j->complete || j->ended)) {
        parts_close(&j->parts, PART_DONE);
    } else if (j->complete && !progress) {
        parts_close(&j->parts, PART_EMPTY); /* nothing more comes of it */
    } else if (++j->tries >= PLATFORM_DOWNLOAD_TRIES) {
        parts_close(&j->parts, PART_LOST);
        j->tries = 0;
    } else {
        pause_for(p, j, j->complete ? 0 : back_off(j->tries));
        return;
    }
    pause_for(p, j, 0);
}

static void over(struct platform *p, struct download *j)
{
    if (j->doomed)
        file_end(p, j);
    else
        look_back(p, j);
}

/* What was written is not there any more. That is no progress. */
static void begin_anew(struct download *j)
{
    struct parts *x = &j->parts;

    for (size_t i = 0; i < x->n; i++) {
        x->e[i].state = PART_OPEN;
        x->e[i].at_ms = (int64_t)x->e[i].from_s * 1000;
    }
    x->at = x->n_holes = 0;
    j->mark = (struct platform_download_mark){ 0 };
    j->began_at_ms = x->e[0].at_ms;
}

void platform_download_saved(struct platform *p,
                             const struct platform_download_saved *s,
                             struct gb_time now)
{
    struct download *j = find(p, s->id);
    struct part *part;
    bool had_bytes;

    clock_at(p, now);
    if (!j || j->session != s->session ||
        (j->phase != FETCHING && j->phase != DETACHING))
        return;
    part = parts_open(&j->parts);
    had_bytes = j->mark.bytes > 0;
    j->mark = s->mark;
    if (s->mark.at_utc_ms > part->at_ms)
        part->at_ms = s->mark.at_utc_ms;
    if (s->gap_to_utc_ms > s->gap_from_utc_ms)
        parts_hole(&j->parts, p->alloc, s->gap_from_utc_ms, s->gap_to_utc_ms);
    if (s->err) {
        explain(j, "the file cannot be written: %s",
                s->text ? s->text : gb_strerror(s->err));
        j->no_room = s->err == GB_ELIMIT;
        platform_session_stop(p, j->session, now);
    }
    if (s->err == GB_ENOENT && had_bytes)
        begin_anew(j);
    else if (!s->over && j->phase == FETCHING && is_used_up(p)) {
        explain(j, "the room for downloads is used up: delete some");
        j->no_room = true;
        platform_session_stop(p, j->session, now);
    }
    tell(p, j, TELL_CHANGED);
    if (s->over && j->phase == DETACHING)
        over(p, j);
    else if (s->over) /* the hub has ended before the session has */
        platform_session_stop(p, j->session, now);
}

void download_on_timer(struct platform *p, struct timerq_node *timer)
{
    struct download *j = container_of(timer, struct download, timer);

    if (j->phase == DETACHING)
        over(p, j);
    else if (j->phase == WAITING)
        turn(p, j);
}

/* ---- the API --------------------------------------------------------------------------- */

static uint64_t next_id(struct platform *p)
{
    uint64_t id = p->now.utc_ms > 0 ? (uint64_t)p->now.utc_ms : 1;

    if (id <= p->downloads.last_id)
        id = p->downloads.last_id + 1;
    p->downloads.last_id = id;
    return id;
}

static struct download *download_new(struct platform *p, struct slice device,
                                     struct slice channel, uint64_t start_s,
                                     uint64_t stop_s)
{
    struct download *j = gb_get(p->alloc, sizeof(*j));

    if (!j)
        return NULL;
    list_init(&j->dirty);
    timerq_node_init(&j->timer, TIMER_DOWNLOAD);
    slice_copy(j->device, sizeof(j->device), device);
    slice_copy(j->channel, sizeof(j->channel), channel);
    parts_init(&j->parts, start_s, stop_s);
    list_push_front(&p->downloads.all, &j->node);
    p->downloads.n++;
    return j;
}

int platform_download_start(struct platform *p,
                            const struct platform_download_order *o,
                            struct gb_time now, uint64_t *id)
{
    struct slice device = o->device;
    const struct device *d;
    struct download *j;

    clock_at(p, now);
    if (device.n == 0 && !platform_channel_owner(p, o->channel, &device))
        return GB_ENOENT;
    d = device_find(p, device);
    if (!d)
        return GB_ENOENT;
    if (!manscdp_devid_is_usable(o->channel) || o->channel.n >= PLATFORM_ID_MAX ||
        o->speed > SPEED_MAX || o->format > PLATFORM_FILE_PS)
        return GB_ESYNTAX;
    if (o->start_s == 0 || o->stop_s <= o->start_s ||
        o->stop_s - o->start_s > PLATFORM_PLAYBACK_MAX_S)
        return GB_ERANGE;
    if (!make_room(p))
        return GB_ELIMIT;
    j = download_new(p, device_id(d), o->channel, o->start_s, o->stop_s);
    if (!j)
        return GB_ENOMEM;
    *id = j->id = next_id(p);
    j->format = o->format;
    j->transport = o->transport;
    j->speed = o->speed ? o->speed : SPEED;
    j->created_utc_ms = now.utc_ms;
    pause_for(p, j, 0);
    return 0;
}

int platform_download_cancel(struct platform *p, uint64_t id,
                             struct gb_time now)
{
    struct download *j = find(p, id);

    clock_at(p, now);
    if (!j || j->doomed)
        return GB_ENOENT;
    j->doomed = true;
    tell(p, j, TELL_CHANGED);
    if (j->phase == FETCHING)
        platform_session_stop(p, j->session, now);
    else if (j->phase != DETACHING)
        file_end(p, j);
    return 0;
}

/* ---- views -------------------------------------------------------------------------------- */

static void view(const struct platform *p, const struct download *j,
                 struct platform_download *out)
{
    const struct session *s = j->session ? session_find(p, j->session) : NULL;

    *out = (struct platform_download){
        .id = j->id,
        .device = slice_str(j->device),
        .channel = slice_str(j->channel),
        .format = j->format,
        .transport = j->transport,
        .speed = j->speed,
        .start_s = j->parts.start_s,
        .stop_s = j->parts.stop_s,
        .state = j->state,
        .is_final = j->phase == OVER,
        .has_file = j->has_file,
        .ends = j->doomed,
        .session = j->session,
        .n_parts = j->parts.n,
        .n_parts_done = parts_done(&j->parts),
        .covered_ms = parts_covered_ms(&j->parts),
        .total_ms = j->parts.n ? parts_length_ms(&j->parts)
                               : (int64_t)(j->parts.stop_s -
                                           j->parts.start_s) * 1000,
        .tries = j->tries,
        .sessions = j->sessions,
        .mark = j->mark,
        .created_utc_ms = j->created_utc_ms,
        .ended_utc_ms = j->ended_utc_ms,
        .evidence = slice_str(j->evidence),
    };
    if (s) {
        out->received_bytes = s->bytes;
        out->filesize_bytes = s->playback.told.filesize_bytes;
    }
}

bool platform_download_view(const struct platform *p, uint64_t id,
                            struct platform_download *out)
{
    const struct download *j = find(p, id);

    if (!j || j->doomed)
        return false;
    view(p, j, out);
    return true;
}

bool platform_download_file(const struct platform *p, uint64_t id,
                            struct platform_download *out)
{
    const struct download *j = find(p, id);

    if (j)
        view(p, j, out);
    return j != NULL;
}

bool platform_download_at(const struct platform *p, size_t i,
                          struct platform_download *out)
{
    for (struct list *n = p->downloads.all.next; n != &p->downloads.all;
         n = n->next) {
        const struct download *j = container_of(n, struct download, node);

        if (j->doomed || i-- > 0)
            continue;
        view(p, j, out);
        return true;
    }
    return false;
}

bool platform_download_gap_at(const struct platform *p, uint64_t id, size_t i,
                              struct platform_download_gap *out)
{
    const struct download *j = find(p, id);

    return j && i < PLATFORM_DOWNLOAD_GAPS && parts_gap(&j->parts, i, out);
}

bool platform_download_save(const struct platform *p, uint64_t id, char *buf,
                            size_t cap, struct platform_download *out)
{
    struct writer w = writer_of(buf, cap);
    const struct download *j = find(p, id);

    if (!j || j->doomed)
        return false;
    view(p, j, out);
    parts_write(&w, &j->parts);
    if (!w.err && j->listed)
        out->parts = writer_slice(&w);
    return true;
}

int platform_restore_download(struct platform *p,
                              const struct platform_download *d,
                              struct gb_time now)
{
    struct download *j;

    clock_at(p, now);
    if (d->state >= PLATFORM_DOWNLOAD_STATES || d->stop_s <= d->start_s ||
        d->id == 0 || find(p, d->id) || d->device.n >= PLATFORM_ID_MAX ||
        d->channel.n >= PLATFORM_ID_MAX)
        return GB_ESYNTAX;
    j = download_new(p, d->device, d->channel, d->start_s, d->stop_s);
    if (!j)
        return GB_ENOMEM;
    j->id = d->id;
    if (d->id > p->downloads.last_id)
        p->downloads.last_id = d->id;
    j->format = d->format;
    j->transport = d->transport;
    j->speed = d->speed;
    j->mark = d->mark;
    j->sessions = d->sessions;
    j->created_utc_ms = d->created_utc_ms;
    j->ended_utc_ms = d->ended_utc_ms;
    slice_copy(j->evidence, sizeof(j->evidence),
               slice_head(d->evidence, sizeof(j->evidence) - 1));
    if (!parts_read(&j->parts, p->alloc, d->parts)) {
        forget(p, j);
        return GB_ENOMEM;
    }
    j->listed = j->parts.n > 0;
    j->state = d->state;
    j->phase = OVER;
    j->has_file = d->state == PLATFORM_DOWNLOAD_DONE ||
                  d->state == PLATFORM_DOWNLOAD_PARTIAL;
    if (d->state <= PLATFORM_DOWNLOAD_RUNNING) {
        pause_for(p, j, platform_random_in(p, 1000, 5000));
        list_remove(&j->dirty); /* the store knows it already */
        j->tell = 0;
    }
    return 0;
}
