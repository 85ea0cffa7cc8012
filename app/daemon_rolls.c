/* Recordings of this server: between the table of recorders, the files on the
 * media loops' side, the index and the store. */
#include "app/daemon_int.h"

#include "app/net/cuts.h"
#include "app/net/strays.h"

#include <stdlib.h>

#define REMOVE_MAX 8      /* files that go in one turn of the timer */
#define NEED_SEGMENTS 2   /* that go for each recording that found no room */
#define ADOPTED_TOLD 1000 /* recordings that are found again, between two lines of log */

/* A segment with its file, named for a task of the disk. */
struct filed {
    struct list node; /* daemon.repairs or strays.found until it is begun */
    uint64_t due_ms;  /* a stray: then it is looked through */
    struct daemon *daemon;
    char device[ARCHIVE_NAME_MAX + 1], channel[ARCHIVE_NAME_MAX + 1];
    struct archive_segment segment;
};

static struct slice device_of(const struct filed *f)
{
    return slice_str(f->device);
}

static struct slice channel_of(const struct filed *f)
{
    return slice_str(f->channel);
}

static struct filed *filed_new(struct daemon *d, struct slice device,
                               struct slice channel,
                               const struct archive_segment *s)
{
    struct filed *f = calloc(1, sizeof(*f));

    if (!f || !slice_copy(f->device, sizeof(f->device), device) ||
        !slice_copy(f->channel, sizeof(f->channel), channel)) {
        free(f);
        return NULL;
    }
    f->daemon = d;
    f->segment = *s;
    list_init(&f->node);
    return f;
}

static struct archive_limits limits_of(const struct config *c)
{
    return (struct archive_limits){
        .days = (uint32_t)config_number(c, CONFIG_RECORD_DAYS),
        .channel_bytes = (uint64_t)config_number(c, CONFIG_RECORD_CHANNEL)
                         << 30,
        .bytes = (uint64_t)config_number(c, CONFIG_RECORD_MAX) << 30,
    };
}

void daemon_set_record_limits(struct daemon *d, const struct config *c)
{
    const struct archive_limits limits = limits_of(c);

    archive_limit(d->archive, &limits);
    if (d->volumes)
        volumes_keep(d->volumes,
                     (uint64_t)config_number(c, CONFIG_RECORD_KEEP) << 20);
}

int daemon_make_recorders(struct daemon *d)
{
    const struct archive_limits limits = limits_of(d->config);
    int err = recorders_new(&d->recorders, &gb_alloc_heap, d->platform);

    list_init(&d->repairs);
    list_init(&d->strays.found);
    return err ? err : archive_new(&d->archive, &gb_alloc_heap, &limits);
}

/* ---- the store -------------------------------------------------------------------- */

void daemon_restore_recorder(void *ctx, struct slice device,
                             struct slice channel,
                             const struct recorders_settings *s)
{
    struct daemon *d = ctx;
    int err = recorders_set(d->recorders, device, channel, s, daemon_now(d));

    if (err)
        log_f(LOG_ERROR, "msg=\"a channel is not recorded as it was set\" "
                         "device=%.*s channel=%.*s why=\"%s\"",
              SLICE_ARG(device), SLICE_ARG(channel), gb_strerror(err));
}

/* One that is open was cut off by the end of the process before. */
void daemon_restore_record(void *ctx, struct slice device,
                           struct slice channel,
                           const struct archive_segment *s)
{
    struct daemon *d = ctx;
    struct filed *f = NULL;
    int err = archive_put(d->archive, device, channel, s);

    if (!err && (s->flags & ARCHIVE_OPEN)) {
        f = filed_new(d, device, channel, s);
        err = f ? 0 : GB_ENOMEM;
    }
    if (f)
        list_push_back(&d->repairs, &f->node);
    if (err)
        log_f(LOG_ERROR, "msg=\"a recording is not in the index\" "
                         "device=%.*s channel=%.*s why=\"%s\"",
              SLICE_ARG(device), SLICE_ARG(channel), gb_strerror(err));
}

void daemon_record_changed(void *ctx, struct slice device,
                           struct slice channel)
{
    struct daemon *d = ctx;
    struct recorders_settings s;

    recorders_get(d->recorders, device, channel, &s);
    if (s.mode == RECORDERS_MODE_OFF && !s.hand)
        store_remove_recorder(d->store, device, channel);
    else
        store_put_recorder(d->store, device, channel, &s);
}

static void index_put(struct daemon *d, struct slice device,
                      struct slice channel, const struct archive_segment *s)
{
    int err = archive_put(d->archive, device, channel, s);

    if (err)
        log_f(LOG_ERROR, "msg=\"a recording is not in the index\" "
                         "device=%.*s channel=%.*s why=\"%s\"",
              SLICE_ARG(device), SLICE_ARG(channel), gb_strerror(err));
    else
        store_put_record(d->store, device, channel, s);
}

/* ---- tasks of the disk ------------------------------------------------------------- */

static void fault_of_file(const struct filed *f, const char *what)
{
    log_f(LOG_ERROR, "msg=\"a recording could not be %s\" device=%s "
                     "channel=%s begin_ms=%lld", what, f->device, f->channel,
          (long long)f->segment.begin_utc_ms);
}

static void adopted(void *ctx, const struct rolls_done *t);

static void removed(void *ctx, const struct rolls_done *t)
{
    struct filed *f = ctx;

    if (t->err)
        fault_of_file(f, "removed: it comes back at the next start");
    else
        store_remove_record(f->daemon->store, device_of(f), channel_of(f),
                            f->segment.begin_utc_ms);
    free(f);
}

static void repaired(void *ctx, const struct rolls_done *t)
{
    struct filed *f = ctx;
    struct daemon *d = f->daemon;
    struct archive_segment s = f->segment;

    s.flags &= ~(uint32_t)ARCHIVE_OPEN;
    s.bytes = t->bytes;
    s.length_ms = (uint32_t)(t->duration_ms < UINT32_MAX ? t->duration_ms : 0);
    if (t->err) {
        fault_of_file(f, "repaired");
    } else if (t->bytes) {
        index_put(d, device_of(f), channel_of(f), &s);
        log_f(LOG_INFO, "msg=\"recording repaired\" device=%s channel=%s "
                        "begin_ms=%lld length_ms=%u bytes=%llu", f->device,
              f->channel, (long long)s.begin_utc_ms, (unsigned)s.length_ms,
              (unsigned long long)s.bytes);
    } else {
        archive_remove(d->archive, device_of(f), channel_of(f),
                       s.begin_utc_ms);
        store_remove_record(d->store, device_of(f), channel_of(f),
                            s.begin_utc_ms);
    }
    free(f);
}

/* Takes f. false: no memory. */
static bool begin_task(struct daemon *d, enum rolls_task task, struct filed *f)
{
    static const struct {
        void (*done)(void *ctx, const struct rolls_done *t);
        const char *what;
    } of[] = {
        [ROLLS_REMOVE] = { removed, "removed" },
        [ROLLS_REPAIR] = { repaired, "repaired" },
        [ROLLS_ADOPT] = { adopted, "looked through" },
    };
    unsigned volume = (f->segment.flags & ARCHIVE_VOLUMES) / ARCHIVE_VOLUME_1;

    if (!rolls_task(d->rolls, task, volume, device_of(f), channel_of(f),
                    f->segment.begin_utc_ms, of[task].done, f))
        return true;
    fault_of_file(f, of[task].what);
    free(f);
    return false;
}

static void remove_file(struct daemon *d, struct slice device,
                        struct slice channel, const struct archive_segment *s)
{
    struct filed *f = filed_new(d, device, channel, s);

    if (f)
        begin_task(d, ROLLS_REMOVE, f);
}

bool daemon_record_remove(void *ctx, struct slice device, struct slice channel,
                          int64_t begin_utc_ms)
{
    struct daemon *d = ctx;
    struct archive_segment s;

    if (!archive_find(d->archive, device, channel, begin_utc_ms, &s) ||
        (s.flags & ARCHIVE_OPEN))
        return false;
    archive_remove(d->archive, device, channel, begin_utc_ms);
    remove_file(d, device, channel, &s);
    return true;
}

size_t daemon_recorded(void *ctx, struct slice device, struct slice channel,
                       int64_t from_utc_ms, int64_t to_utc_ms,
                       struct http_span *out, size_t cap)
{
    struct daemon *d = ctx;
    struct archive_walk w;
    struct archive_segment s;
    size_t n = 0;

    archive_walk(d->archive, device, channel, from_utc_ms, to_utc_ms, &w);
    while (archive_next(&w, &s)) {
        int64_t from = s.begin_utc_ms, to = from + s.length_ms;

        from = from > from_utc_ms ? from : from_utc_ms;
        to = to < to_utc_ms ? to : to_utc_ms;
        if (n && from - out[n - 1].to_utc_ms < RECORDER_JOIN_MS)
            out[n - 1].to_utc_ms = to > out[n - 1].to_utc_ms
                                       ? to
                                       : out[n - 1].to_utc_ms;
        else if (n < cap)
            out[n++] = (struct http_span){ from, to };
    }
    return n;
}

/* ---- played and exported ---------------------------------------------------------------- */

static void on_cut(void *ctx, struct cuts *q)
{
    struct daemon *d = ctx;

    if (d->closing)
        cuts_free(q);
    else
        http_app_cut_told(d->app, q);
}

int daemon_cut(void *ctx, struct cuts *q)
{
    struct daemon *d = ctx;

    q->on_done = on_cut;
    q->ctx = d;
    return cuts_run(d->volumes, &d->loop, q);
}

/* ---- files that no row names ------------------------------------------------------------ */

static bool is_known(struct daemon *d, struct slice device,
                     struct slice channel, int64_t begin_utc_ms)
{
    struct archive_segment s;

    return archive_find(d->archive, device, channel, begin_utc_ms, &s);
}

static void on_stray(void *ctx, const struct stray *s)
{
    struct daemon *d = ctx;
    const struct archive_segment at = {
        .begin_utc_ms = s->begin_utc_ms,
        .flags = s->volume * ARCHIVE_VOLUME_1,
    };
    struct filed *f;

    if (is_known(d, s->device, s->channel, s->begin_utc_ms))
        return;
    f = filed_new(d, s->device, s->channel, &at);
    if (!f)
        return; /* the next start finds it */
    f->due_ms = uv_now(&d->loop) +
                (s->settled ? 0 : STRAYS_SETTLED_S * UINT64_C(1000));
    list_push_back(&d->strays.found, &f->node);
}

/* The next one that is due; one whose row has come meanwhile is none. */
static struct filed *due_stray(struct daemon *d)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &d->strays.found) {
        struct filed *f = container_of(n, struct filed, node);

        if (f->due_ms > uv_now(&d->loop))
            continue;
        list_remove(n);
        if (!is_known(d, device_of(f), channel_of(f),
                      f->segment.begin_utc_ms))
            return f;
        free(f);
    }
    return NULL;
}

static void say_strays(const struct daemon *d, const char *what)
{
    log_f(LOG_WARN, "msg=\"recordings that the store did not know are found "
                    "again%s\" n=%llu bytes=%llu", what,
          (unsigned long long)d->strays.n, (unsigned long long)d->strays.bytes);
}

static void look_for_strays(struct daemon *d)
{
    struct daemon_strays *x = &d->strays;
    struct filed *f;

    if (!x->walk || x->adopting || d->draining || strays_is_walking(x->walk))
        return;
    f = due_stray(d);
    if (f)
        x->adopting = begin_task(d, ROLLS_ADOPT, f);
    else if (list_is_empty(&x->found) && !strays_walk(x->walk)) {
        strays_free(x->walk);
        x->walk = NULL;
        if (x->n)
            say_strays(d, "");
    }
}

static void adopted(void *ctx, const struct rolls_done *t)
{
    struct filed *f = ctx;
    struct daemon *d = f->daemon;
    struct archive_segment s = f->segment;

    d->strays.adopting = false;
    if (t->err) {
        fault_of_file(f, "looked through");
    } else if (t->bytes) {
        s.bytes = t->bytes;
        s.length_ms = (uint32_t)(t->duration_ms < UINT32_MAX ? t->duration_ms
                                                             : 0);
        s.flags |= t->sound ? ARCHIVE_SOUND : 0;
        index_put(d, device_of(f), channel_of(f), &s);
        d->strays.bytes += s.bytes;
        if (++d->strays.n % ADOPTED_TOLD == 0)
            say_strays(d, ", and more are looked through");
    }
    free(f);
    look_for_strays(d);
}

/* ---- what has to go ----------------------------------------------------------------------- */

static void look_at_disks(struct daemon *d)
{
    enum volume_state state;
    unsigned i;

    if (volumes_turn(d->volumes, &d->loop, uv_now(&d->loop)) &&
        !rolls_is_idle(d->rolls) && d->record_need == 0)
        d->record_need = 1;
    while (volumes_news(d->volumes, &i, &state))
        log_f(state == VOLUME_GOOD ? LOG_INFO : LOG_ERROR,
              "msg=\"a disk of recordings is %s\" dir=\"%s\"",
              volume_state_name(state), volumes_dir(d->volumes, i));
}

/* The oldest go: by age and size, and for recordings that found no room. */
static void retain(struct daemon *d)
{
    struct archive_old old;

    for (unsigned i = 0; i < REMOVE_MAX; i++) {
        bool need = d->record_need > 0;

        if (!archive_take_old(d->archive, daemon_now(d), need, &old)) {
            d->record_need = 0;
            return;
        }
        d->record_need -= need;
        remove_file(d, slice_str(old.device), slice_str(old.channel),
                    &old.segment);
    }
}

/* ---- rolls -------------------------------------------------------------------------- */

static void closed(struct daemon *d, const struct rolls_report *r,
                   struct slice device, struct slice channel,
                   const struct archive_segment *s)
{
    struct filed *f;

    if (!r->err && s->bytes) {
        index_put(d, device, channel, s);
        return;
    }
    f = filed_new(d, device, channel, s); /* how far it is whole? */
    if (f)
        begin_task(d, ROLLS_REPAIR, f);
}

static void to_index(struct daemon *d, const struct rolls_report *r,
                     struct slice device, struct slice channel)
{
    int64_t length_ms = r->end_utc_ms - r->begin_utc_ms;
    struct archive_segment s = {
        .begin_utc_ms = r->begin_utc_ms,
        .length_ms = (uint32_t)(length_ms > 0 ? length_ms : 0),
        .bytes = r->bytes,
        .flags = r->volume * ARCHIVE_VOLUME_1 |
                 (r->sound ? ARCHIVE_SOUND : 0) |
                 (r->event == ROLLS_CLOSED ? 0 : ARCHIVE_OPEN),
    };

    if (r->event == ROLLS_CLOSED)
        closed(d, r, device, channel, &s);
    else if (r->event == ROLLS_BEGUN)
        index_put(d, device, channel, &s);
    else if (r->event == ROLLS_GROWN)
        archive_put(d->archive, device, channel, &s);
}

static void on_roll(void *ctx, const struct rolls_report *r)
{
    static const enum recorders_event event_of[] = {
        [ROLLS_BEGUN] = RECORDERS_TOLD_BEGUN,
        [ROLLS_GROWN] = RECORDERS_TOLD_GROWN,
        [ROLLS_CLOSED] = RECORDERS_TOLD_GROWN,
        [ROLLS_OVER] = RECORDERS_TOLD_OVER,
        [ROLLS_FAILED] = RECORDERS_TOLD_FAILED,
    };
    const struct recorders_told t = {
        .roll = r->roll, .event = event_of[r->event],
        .begin_utc_ms = r->begin_utc_ms, .bytes = r->bytes, .lost = r->lost,
        .full = r->event == ROLLS_FAILED && r->err == GB_ELIMIT,
        .why = r->err ? r->text : NULL,
    };
    struct daemon *d = ctx;
    struct slice device, channel;

    if (!recorders_told(d->recorders, &t, daemon_now(d), &device, &channel))
        return;
    if (t.full)
        d->record_need += NEED_SEGMENTS;
    to_index(d, r, device, channel);
    if (!d->closing)
        sip_edge_touch(d->edge);
}

static void carry_out(struct daemon *d)
{
    static const enum rolls_sync sync_of[] = { ROLLS_SYNC_NEVER,
                                               ROLLS_SYNC_SEGMENT,
                                               ROLLS_SYNC_ALWAYS };
    const char *sync = config_text(d->config, CONFIG_RECORD_FSYNC);
    struct recorders_order o;

    while (recorders_order(d->recorders, &o)) {
        const struct rolls_order r = {
            .roll = o.roll, .session = o.session, .loop = o.loop,
            .device = o.device, .channel = o.channel, .cached = o.cached,
            .segment_ms = (uint32_t)config_number(d->config,
                                                  CONFIG_RECORD_SEGMENT) *
                          1000,
            .sync = sync_of[*sync == 'n' ? 0 : *sync == 's' ? 1 : 2],
        };

        if (o.begin)
            rolls_start(d->rolls, &r);
        else
            rolls_stop(d->rolls, o.roll);
    }
}

static void say(struct daemon *d, const struct recorder_view *v)
{
    bool bad = v->state == RECORDERS_WAITING && v->failures;

    if (bad || v->state == RECORDERS_RECORDING || v->state == RECORDERS_OFF)
        log_f(bad ? LOG_WARN : LOG_INFO,
              "msg=recording state=%s device=%.*s channel=%.*s why=\"%s\" "
              "failures=%u lost=%llu", recorders_state_name(v->state),
              SLICE_ARG(v->device), SLICE_ARG(v->channel), v->why,
              (unsigned)v->failures, (unsigned long long)v->lost);
    http_app_recorder(d->app, v);
}

static void on_timer(uv_timer_t *t)
{
    struct daemon *d = t->data;
    struct recorder_view v;

    if (!d->draining)
        recorders_tick(d->recorders, daemon_now(d));
    carry_out(d);
    while (recorders_news(d->recorders, &v))
        say(d, &v);
    look_at_disks(d);
    look_for_strays(d);
    retain(d);
    sip_edge_touch(d->edge);
}

/* ---- life ---------------------------------------------------------------------------- */

int daemon_start_rolls(struct daemon *d, char why[static WHY_MAX])
{
    const struct rolls_config o = { .main = &d->loop, .media = d->media,
                                    .volumes = d->volumes,
                                    .on_roll = on_roll, .ctx = d };
    const struct strays_config x = { .main = &d->loop, .volumes = d->volumes,
                                     .on_found = on_stray, .ctx = d };
    struct list *n;
    int err = GB_SQLITE ? rolls_new(&d->rolls, &o) : 0;

    if (!err && d->rolls)
        err = strays_new(&d->strays.walk, &x);
    if (err)
        return daemon_fail(why, err, "recordings", gb_strerror(err));
    if (!d->rolls)
        return 0;
    while ((n = list_pop_front(&d->repairs)))
        begin_task(d, ROLLS_REPAIR, container_of(n, struct filed, node));
    uv_timer_init(&d->loop, &d->record_timer);
    d->record_timer.data = d;
    uv_timer_start(&d->record_timer, on_timer, RECORDERS_TICK_MS,
                   RECORDERS_TICK_MS);
    return 0;
}

void daemon_close_rolls(struct daemon *d)
{
    if (!d->rolls)
        return;
    volumes_close(d->volumes);
    uv_close((uv_handle_t *)&d->record_timer, NULL);
}

void daemon_free_rolls(struct daemon *d)
{
    struct list *n;

    while (d->repairs.next && ((n = list_pop_front(&d->repairs)) ||
                               (n = list_pop_front(&d->strays.found))))
        free(container_of(n, struct filed, node));
    strays_free(d->strays.walk);
    rolls_free(d->rolls);
    volumes_free(d->volumes);
    recorders_free(d->recorders);
    archive_free(d->archive);
}
