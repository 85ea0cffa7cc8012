/* The chain of checks: what is known of the device, then the session that runs
 * or the last one that ended. */
#include "app/platform/doctor.h"

#include "app/platform/core.h"

#include "base/writer.h"

#define TRY(x) (1u << DOCTOR_TRY_##x)
#define CLOCK_OFF_S 60 /* a clock that far off ours is told */

/* ---- what sessions leave ---- */

/* How a live session was seen last; one a channel and stream. */
struct trial {
    struct list node; /* in p->trials, newest first */
    struct platform_session seen;
    char device[PLATFORM_ID_MAX], channel[PLATFORM_ID_MAX];
    char evidence[SESSION_EVIDENCE];
};

static struct trial *trial_find(const struct platform *p, struct slice device,
                                struct slice channel, unsigned stream)
{
    const struct list *n;

    for (n = p->trials.next; n != &p->trials; n = n->next) {
        struct trial *t = container_of((struct list *)(uintptr_t)n,
                                       struct trial, node);

        if (t->seen.stream == stream && slice_eq(t->seen.channel, channel) &&
            slice_eq(t->seen.device, device))
            return t;
    }
    return NULL;
}

static void trial_free(struct platform *p, struct trial *t)
{
    list_remove(&t->node);
    p->n_trials--;
    gb_put(p->alloc, t);
}

/* A block for another one: new, or that of the oldest. */
static struct trial *trial_make(struct platform *p)
{
    struct trial *t = p->n_trials < DOCTOR_TRIALS_MAX
                          ? gb_get(p->alloc, sizeof(*t))
                          : NULL;

    if (t) {
        p->n_trials++;
        list_init(&t->node);
    } else if (!list_is_empty(&p->trials)) {
        t = container_of(p->trials.prev, struct trial, node);
    }
    return t;
}

static struct slice keep(char *to, size_t cap, struct slice s)
{
    s = slice_head(s, cap);
    memcpy(to, s.p, s.n);
    return slice_of(to, s.n);
}

void doctor_note(struct platform *p, const struct session *s)
{
    struct platform_session seen;
    struct trial *t;

    if (s->kind != PLATFORM_LIVE ||
        !platform_session_view(p, s->handle.id, &seen))
        return;
    t = trial_find(p, seen.device, seen.channel, seen.stream);
    if (!t)
        t = trial_make(p);
    if (!t)
        return; /* no memory: the log has it */
    list_remove(&t->node);
    list_push_front(&p->trials, &t->node);
    t->seen = seen;
    t->seen.device = keep(t->device, sizeof(t->device), seen.device);
    t->seen.channel = keep(t->channel, sizeof(t->channel), seen.channel);
    t->seen.evidence = keep(t->evidence, sizeof(t->evidence), seen.evidence);
    t->seen.call_id = slice_of(NULL, 0);
}

void doctor_forget(struct platform *p, struct slice device)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &p->trials) {
        struct trial *t = container_of(n, struct trial, node);

        if (!device.n || slice_eq(t->seen.device, device))
            trial_free(p, t);
    }
}

/* ---- findings ---- */

struct examination {
    const struct platform *p;
    const struct doctor_question *q;
    const struct device *d;             /* NULL: it never registered */
    const struct platform_session *s;   /* NULL: nobody asked for a picture */
    struct doctor_report *out;
    struct writer w;                    /* over out->text */
};

/* Evidence that does not fit is cut: the finding stands. */
static void find(struct examination *x, enum doctor_link link,
                 enum doctor_state state, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void find(struct examination *x, enum doctor_link link,
                 enum doctor_state state, const char *fmt, ...)
{
    struct doctor_finding *f = &x->out->link[link];
    size_t from = x->w.len;
    va_list ap;

    f->state = state;
    va_start(ap, fmt);
    writer_vf(&x->w, fmt, ap);
    va_end(ap);
    x->w.err = 0;
    f->evidence = slice_of(x->out->text + from, x->w.len - from);
}

static void advise(struct examination *x, enum doctor_link link,
                   const char *hint, unsigned remedies)
{
    struct doctor_finding *f = &x->out->link[link];

    f->hint = slice_str(hint);
    f->remedies = remedies;
}

static unsigned long long seconds_since(const struct platform *p,
                                        int64_t utc_ms)
{
    return p->now.utc_ms > utc_ms
               ? (unsigned long long)(p->now.utc_ms - utc_ms) / 1000
               : 0;
}

static const struct pending *knocked(const struct platform *p, struct slice id)
{
    const struct map_node *n = map_find(&p->pending_ids, id);

    return n ? container_of((struct map_node *)(uintptr_t)n, struct pending,
                            by_id)
             : NULL;
}

static const char sip_hint[] =
    "compare server id, domain, address, port and password in the camera with "
    "/api/v1/setup-hints";

static void examine_stranger(struct examination *x)
{
    const struct pending *k = knocked(x->p, x->q->device);

    if (k)
        find(x, DOCTOR_REGISTERED, DOCTOR_RED,
             "it tried %u times, the last %llu s ago, and was refused: %.*s",
             k->tries, seconds_since(x->p, k->last_utc_ms),
             (int)k->reason_len, k->reason);
    else
        find(x, DOCTOR_REGISTERED, DOCTOR_RED,
             "no REGISTER of this id has come");
    advise(x, DOCTOR_REGISTERED, sip_hint, 0);
}

static void examine_registration(struct examination *x)
{
    const struct device *d = x->d;
    const struct pending *k = knocked(x->p, device_id(d));
    char from[GB_ADDR_TEXT_MAX];

    if (d->bound) {
        gb_addr_text(&d->peer.remote, from);
        find(x, DOCTOR_REGISTERED, DOCTOR_GREEN,
             "%llu s ago, from %s over %s%s%.*s",
             seconds_since(x->p, d->registered_utc_ms), from,
             d->peer.transport == SIP_UDP ? "UDP" : "TCP",
             k ? "; refused since then: " : "", k ? (int)k->reason_len : 0,
             k ? k->reason : "");
        return;
    }
    if (k)
        find(x, DOCTOR_REGISTERED, DOCTOR_RED,
             "%s; it tried again %llu s ago and was refused: %.*s",
             d->reason ? d->reason : "not registered",
             seconds_since(x->p, k->last_utc_ms), (int)k->reason_len,
             k->reason);
    else
        find(x, DOCTOR_REGISTERED, DOCTOR_RED, "%s",
             d->reason ? d->reason : "it has not registered yet");
    advise(x, DOCTOR_REGISTERED, sip_hint, 0);
}

static void examine_life(struct examination *x)
{
    const struct device *d = x->d;

    if (d->online && d->keepalive_utc_ms)
        find(x, DOCTOR_ALIVE, DOCTOR_GREEN, "the last Keepalive came %llu s ago",
             seconds_since(x->p, d->keepalive_utc_ms));
    else if (d->online)
        find(x, DOCTOR_ALIVE, DOCTOR_UNKNOWN, "no Keepalive has come yet");
    else if (d->bound) {
        find(x, DOCTOR_ALIVE, DOCTOR_RED, "offline: %s",
             d->reason ? d->reason : "no sign of life");
        advise(x, DOCTOR_ALIVE,
               "is it powered and connected? Set its keepalive interval to "
               "60 s; behind a NAT, let it register over TCP", 0);
    }
}

/* What it was noted for is past when it has told the right time since. */
static void examine_clock(struct examination *x)
{
    uint64_t off_s = clock_off_s(x->d);

    if (clock_is_known(x->d) && off_s < CLOCK_OFF_S) {
        find(x, DOCTOR_CLOCK, DOCTOR_GREEN, "nothing it said is a minute off");
        return;
    }
    if (device_has_noted(x->d, DEVIATION_CLOCK_OFF)) {
        find(x, DOCTOR_CLOCK, DOCTOR_RED,
             "it tells another time than ours in its REGISTERs, though it was "
             "told the time");
    } else if (off_s) {
        find(x, DOCTOR_CLOCK, DOCTOR_RED, "it is %llu s off ours",
             (unsigned long long)off_s);
    } else {
        find(x, DOCTOR_CLOCK, DOCTOR_UNKNOWN, "it has not told its time yet");
        return;
    }
    advise(x, DOCTOR_CLOCK,
           clock_text_ms(x->p, x->d)
               ? "set its time zone, and let it take the time from the platform "
                 "or by NTP; what it has recorded is asked for by its own clock "
                 "meanwhile (sip.correct_clocks)"
               : "set its time zone, and let it take the time from the platform "
                 "or by NTP; recordings are found at the wrong time else", 0);
    x->out->link[DOCTOR_CLOCK].harmless = true;
}

static void examine_catalog(struct examination *x)
{
    const struct device *d = x->d;
    const struct channel *c = channel_find(d, x->q->channel);
    static const char *const how[] = {
        [PLATFORM_CATALOG_NONE] = "it has not answered yet",
        [PLATFORM_CATALOG_RUNNING] = "it is coming",
        [PLATFORM_CATALOG_COMPLETE] = "it is complete",
        [PLATFORM_CATALOG_IS_PARTIAL] = "parts of it are missing",
    };

    if (c && c->on && !c->fault) {
        find(x, DOCTOR_LISTED, DOCTOR_GREEN, "one of %u channels; %s", d->n_channels,
             how[d->asked.catalog]);
        return;
    }
    if (c)
        find(x, DOCTOR_LISTED, DOCTOR_RED,
             c->fault ? "its Keepalive names the channel as faulty"
                      : "its catalog says that the channel is off");
    else if (d->asked.catalog == PLATFORM_CATALOG_COMPLETE ||
             d->asked.catalog == PLATFORM_CATALOG_IS_PARTIAL)
        find(x, DOCTOR_LISTED, DOCTOR_RED,
             "not among its %u channels; the catalog: %s", d->n_channels,
             how[d->asked.catalog]);
    else
        find(x, DOCTOR_LISTED, DOCTOR_UNKNOWN, "the catalog: %s",
             how[d->asked.catalog]);
    advise(x, DOCTOR_LISTED,
           "look whether the camera behind the recorder is connected, and "
           "which channels the device passes on to the platform", TRY(CATALOG));
    x->out->link[DOCTOR_LISTED].harmless = true;
}

/* ---- the session ---- */

/* For what is only late so far: the session itself has not judged yet. */
static const char *waiting_hint(enum doctor_link link)
{
    if (link < DOCTOR_ANSWERED)
        return "see the log of the platform";
    if (link == DOCTOR_ANSWERED)
        return "is the channel's own picture there? Look for the device's "
               "limit of streams";
    if (link < DOCTOR_PROGRAM)
        return "a firewall or NAT may keep media away: check media.address "
               "and network.advertise, or use another transport";
    return session_media_hint(link == DOCTOR_PROGRAM ? PLATFORM_STEP_PROGRAM
                              : link == DOCTOR_CODEC ? PLATFORM_STEP_CODEC
                                                     : PLATFORM_STEP_KEY);
}

/* What may help when this link is the broken one. */
static void advise_step(struct examination *x, enum doctor_link link)
{
    static const unsigned remedies[DOCTOR_LINKS] = {
        [DOCTOR_INVITED] = TRY(AGAIN),
        [DOCTOR_ANSWERED] = TRY(AGAIN) | TRY(SUB) | TRY(REBOOT),
        [DOCTOR_CONNECTED] = TRY(UDP) | TRY(PASSIVE) | TRY(ACTIVE),
        [DOCTOR_ARRIVING] = TRY(PASSIVE) | TRY(UDP) | TRY(SUB),
        [DOCTOR_SSRC] = TRY(AGAIN),
        [DOCTOR_PROGRAM] = TRY(SUB),
        [DOCTOR_CODEC] = TRY(SUB),
        [DOCTOR_KEY] = TRY(AGAIN) | TRY(SUB),
        [DOCTOR_STEADY] = TRY(AGAIN) | TRY(PASSIVE),
    };
    struct doctor_finding *f = &x->out->link[link];

    f->hint = x->s->hint.n ? x->s->hint : slice_str(waiting_hint(link));
    f->remedies = remedies[link];
}

static enum doctor_link link_of(const struct platform_session *s,
                                enum platform_step step)
{
    switch (step) {
    case PLATFORM_STEP_DEVICE:
        return DOCTOR_ALIVE;
    case PLATFORM_STEP_SOCKET:
    case PLATFORM_STEP_INVITE:
        return DOCTOR_INVITED;
    case PLATFORM_STEP_ANSWER:
        return DOCTOR_ANSWERED;
    case PLATFORM_STEP_CONNECT:
        return DOCTOR_CONNECTED;
    case PLATFORM_STEP_PACKET: /* they come, but of somebody else */
        return s->foreign ? DOCTOR_SSRC : DOCTOR_ARRIVING;
    case PLATFORM_STEP_PROGRAM:
        return DOCTOR_PROGRAM;
    case PLATFORM_STEP_CODEC:
        return DOCTOR_CODEC;
    case PLATFORM_STEP_KEY:
    case PLATFORM_STEP_PLAYING:
        return DOCTOR_KEY;
    case PLATFORM_STEP_ENDED:
    case PLATFORM_STEP_COUNT:
        break;
    }
    return DOCTOR_STEADY;
}

static bool has_reached(const struct platform_session *s,
                        enum platform_step step)
{
    for (unsigned i = step; i <= PLATFORM_STEP_PLAYING; i++)
        if (s->step_ms[i])
            return true;
    return false;
}

static uint32_t newest_ms(const struct platform_session *s)
{
    uint32_t ms = 0;

    for (unsigned i = 0; i < PLATFORM_STEP_COUNT; i++)
        if (s->step_ms[i] > ms)
            ms = s->step_ms[i];
    return ms;
}

/* The links that a session has reached. */
static void walk(struct examination *x)
{
    static const struct {
        enum doctor_link link;
        enum platform_step step;
    } way[] = {
        { DOCTOR_INVITED, PLATFORM_STEP_INVITE },
        { DOCTOR_ANSWERED, PLATFORM_STEP_ANSWER },
        { DOCTOR_CONNECTED, PLATFORM_STEP_CONNECT },
        { DOCTOR_ARRIVING, PLATFORM_STEP_PACKET },
        { DOCTOR_SSRC, PLATFORM_STEP_PACKET },
        { DOCTOR_PROGRAM, PLATFORM_STEP_PROGRAM },
        { DOCTOR_CODEC, PLATFORM_STEP_CODEC },
        { DOCTOR_KEY, PLATFORM_STEP_KEY },
    };

    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
        if (has_reached(x->s, way[i].step)) {
            x->out->link[way[i].link].state = DOCTOR_GREEN;
            x->out->link[way[i].link].ms = x->s->step_ms[way[i].step];
        }
}

static void describe_answer(struct examination *x)
{
    const struct platform_session *s = x->s;

    if (x->out->link[DOCTOR_ANSWERED].state == DOCTOR_GREEN)
        find(x, DOCTOR_ANSWERED, DOCTOR_GREEN,
             "%u after %u ms; media over %s to our port %u, SSRC %010u",
             s->sip_status, s->step_ms[PLATFORM_STEP_ANSWER],
             transport_text(s->transport), s->port, s->ssrc);
    if (s->transport == PLATFORM_UDP &&
        x->out->link[DOCTOR_ANSWERED].state == DOCTOR_GREEN)
        find(x, DOCTOR_CONNECTED, DOCTOR_GREEN, "none is needed over UDP");
    else if (x->out->link[DOCTOR_CONNECTED].state == DOCTOR_GREEN)
        find(x, DOCTOR_CONNECTED, DOCTOR_GREEN, "%s",
             s->transport == PLATFORM_TCP_ACTIVE ? "we connected to it"
                                                 : "it connected to us");
}

static void describe_media(struct examination *x)
{
    const struct platform_session *s = x->s;
    char from[GB_ADDR_TEXT_MAX];

    gb_addr_text(&s->from, from);
    if (x->out->link[DOCTOR_ARRIVING].state == DOCTOR_GREEN)
        find(x, DOCTOR_ARRIVING, DOCTOR_GREEN, "%llu from %s, %llu lost",
             (unsigned long long)s->packets, from,
             (unsigned long long)s->lost);
    if (x->out->link[DOCTOR_SSRC].state == DOCTOR_GREEN && s->ssrc_odd) {
        find(x, DOCTOR_SSRC, DOCTOR_RED,
             "they have another one than %010u, and are taken all the same",
             s->ssrc);
        advise(x, DOCTOR_SSRC,
               "firmware that does not heed y=: harmless with a port of its "
               "own", 0);
        x->out->link[DOCTOR_SSRC].harmless = true;
    }
    if (x->out->link[DOCTOR_CODEC].state == DOCTOR_GREEN)
        find(x, DOCTOR_CODEC, DOCTOR_GREEN, "%s, sound %s",
             ps_codec_name(s->video), ps_sound_name(s->video, s->audio));
    if (x->out->link[DOCTOR_KEY].state == DOCTOR_GREEN)
        find(x, DOCTOR_KEY, DOCTOR_GREEN, "%u x %u, %u ms after the request",
             s->width, s->height, s->step_ms[PLATFORM_STEP_KEY]);
}

/* What the viewer can show is known from what it said, or not at all. */
static void examine_viewer(struct examination *x)
{
    enum ps_codec v = x->s->video;

    if (!has_reached(x->s, PLATFORM_STEP_CODEC) || v == PS_CODEC_UNKNOWN)
        return;
    if (v != PS_CODEC_H264 && v != PS_CODEC_H265)
        find(x, DOCTOR_VIEWER, DOCTOR_RED, "no player shows %s",
             ps_codec_name(v));
    else if (x->q->can && !(x->q->can >> v & 1))
        find(x, DOCTOR_VIEWER, DOCTOR_RED, "this one does not show %s",
             ps_codec_name(v));
    else {
        find(x, DOCTOR_VIEWER, x->q->can || v == PS_CODEC_H264
                                   ? DOCTOR_GREEN
                                   : DOCTOR_UNKNOWN,
             x->q->can ? "%s is among what it shows"
                       : "%s: it has not said what it shows",
             ps_codec_name(v));
        return;
    }
    advise(x, DOCTOR_VIEWER,
           "set the video of the camera, or of its sub stream, to H.264, or "
           "use a browser that has this codec", TRY(SUB));
}

/* It has asked, and nothing more has come for a while. */
static void examine_wait(struct examination *x)
{
    const struct platform_session *s = x->s;
    uint64_t ms = s->started_utc_ms < x->p->now.utc_ms
                      ? (uint64_t)(x->p->now.utc_ms - s->started_utc_ms)
                      : 0;
    uint32_t last = newest_ms(s);
    enum platform_step next = s->step < PLATFORM_STEP_PLAYING ? s->step + 1
                                                              : s->step;
    enum doctor_link link;

    if (next == PLATFORM_STEP_CONNECT && s->transport == PLATFORM_UDP)
        next = PLATFORM_STEP_PACKET;
    link = link_of(s, next);
    find(x, link, ms > last + DOCTOR_LATE_MS ? DOCTOR_RED : DOCTOR_UNKNOWN,
         "nothing for %.1f s%s%.*s", ms > last ? (double)(ms - last) / 1000 : 0.0,
         s->evidence.n ? "; " : "", SLICE_ARG(s->evidence));
    advise_step(x, link);
}

/* Behind it nothing can be judged, but for what the viewer can show. */
static void broken_at(struct examination *x, enum doctor_link link)
{
    for (unsigned i = link + 1u; i < DOCTOR_LINKS; i++)
        if (i != DOCTOR_VIEWER)
            x->out->link[i] = (struct doctor_finding){ 0 };
    find(x, link, DOCTOR_RED, "%.*s", SLICE_ARG(x->s->evidence));
    advise_step(x, link);
}

static void examine_session(struct examination *x)
{
    const struct platform_session *s = x->s;

    walk(x);
    describe_answer(x);
    describe_media(x);
    examine_viewer(x);
    switch (s->state) {
    case PLATFORM_STARTING:
        examine_wait(x);
        break;
    case PLATFORM_PLAYING:
        find(x, DOCTOR_STEADY, DOCTOR_GREEN, "it plays");
        break;
    case PLATFORM_STOPPING:
        find(x, DOCTOR_STEADY, has_reached(s, PLATFORM_STEP_PLAYING)
                                   ? DOCTOR_GREEN
                                   : DOCTOR_UNKNOWN,
             "until it was stopped by us, %llu packets",
             (unsigned long long)s->packets);
        break;
    case PLATFORM_FAILED:
        broken_at(x, link_of(s, s->step));
        break;
    }
    if (x->out->link[DOCTOR_SSRC].state == DOCTOR_RED && s->foreign)
        x->out->link[DOCTOR_ARRIVING].state = DOCTOR_GREEN;
}

/* ---- the report ---- */

static void name_first(struct doctor_report *out)
{
    for (int i = 0; i < DOCTOR_LINKS && out->first < 0; i++)
        if (out->link[i].state == DOCTOR_RED)
            out->first = i;
}

void platform_doctor(const struct platform *p, const struct doctor_question *q,
                     struct doctor_report *out)
{
    struct examination x = { .p = p, .q = q, .out = out };
    struct platform_session live;
    const struct trial *t = trial_find(p, q->device, q->channel, q->stream);

    memset(out, 0, sizeof(*out));
    out->first = -1;
    x.w = writer_of(out->text, sizeof(out->text));
    x.d = device_find(p, q->device);
    out->running = platform_live_find(p, q->device, q->channel, q->stream,
                                      &live);
    x.s = out->running ? &live : t ? &t->seen : NULL;
    if (!x.d) {
        examine_stranger(&x);
    } else {
        examine_registration(&x);
        examine_life(&x);
        examine_clock(&x);
        examine_catalog(&x);
    }
    if (x.s) {
        out->tried_utc_ms = x.s->started_utc_ms;
        out->transport = x.s->transport;
        examine_session(&x);
    } else {
        find(&x, DOCTOR_INVITED, DOCTOR_UNKNOWN,
             "nobody has asked for this picture yet");
        out->link[DOCTOR_INVITED].remedies = x.d && x.d->online ? TRY(AGAIN)
                                                                : 0;
    }
    name_first(out);
}
