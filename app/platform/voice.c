/* Voices: their life. What they say to devices is in voice_sip.c. */
#include "app/platform/voice_int.h"

#include "app/platform/dialogs.h"
#include "app/platform/way.h"
#include "base/writer.h"

#define CLOSED_MS 10000 /* for the media edge to confirm a CLOSE */

const char *platform_voice_mode_name(enum platform_voice_mode m)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_VOICE_MODE_MAP(X)
#undef X
    };

    return names[m];
}

enum platform_voice_mode platform_voice_mode_by_name(struct slice name)
{
    unsigned i = 0;

    while (i < PLATFORM_VOICE_MODES &&
           !slice_eq(name, slice_str(platform_voice_mode_name(i))))
        i++;
    return (enum platform_voice_mode)i;
}

const char *platform_voice_step_name(enum platform_voice_step s)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_VOICE_STEP_MAP(X)
#undef X
    };

    return names[s];
}

/* ---- views ---- */

static void view(const struct voice_call *v, struct platform_voice *out)
{
    *out = v->told;
    out->id = v->handle.id;
    out->device = slice_of(v->device_text, v->device_len);
    out->channel = slice_of(v->channel, v->channel_len);
    out->target = slice_of(v->target, v->target_len);
    out->who = slice_of(v->who, v->who_len);
    out->evidence = slice_of(v->evidence, v->evidence_len);
    out->hint = slice_str(v->hint ? v->hint : "");
}

static struct voice_call *call_of(struct handle *h)
{
    return container_of(h, struct voice_call, handle);
}

static struct voice_call *find(const struct platform *p, uint64_t id)
{
    struct handle *h = idmap_find(&p->handles, id);

    return h && h->kind == HANDLE_VOICE ? call_of(h) : NULL;
}

bool platform_voice_view(const struct platform *p, uint64_t id,
                         struct platform_voice *out)
{
    const struct voice_call *v = find(p, id);

    if (!v)
        return false;
    view(v, out);
    return true;
}

bool platform_voice_at(const struct platform *p, size_t i,
                       struct platform_voice *out)
{
    for (struct list *n = p->voices.next; n != &p->voices; n = n->next)
        if (i-- == 0) {
            view(container_of(n, struct voice_call, in_all), out);
            return true;
        }
    return false;
}

static bool is_over(const struct voice_call *v)
{
    return v->phase >= VOICE_CLOSING;
}

struct voice_call *voice_of(const struct platform *p, const struct device *d)
{
    for (struct list *n = p->voices.next; n != &p->voices; n = n->next) {
        struct voice_call *v = container_of(n, struct voice_call, in_all);

        if (v->device == d && !is_over(v))
            return v;
    }
    return NULL;
}

bool platform_voice_of(const struct platform *p, struct slice device,
                       struct platform_voice *out)
{
    const struct device *d = device_find(p, device);
    const struct voice_call *v = d ? voice_of(p, d) : NULL;

    if (!v)
        return false;
    view(v, out);
    return true;
}

/* ---- marking ---- */

void voice_news(struct platform *p, struct voice_call *v, unsigned news)
{
    v->news |= news;
    if (list_is_empty(&v->dirty))
        list_push_back(&p->dirty_voices, &v->dirty);
}

void voice_step(struct platform *p, struct voice_call *v,
                enum platform_voice_step step)
{
    uint64_t ms = p->now.mono_ms - v->started.mono_ms;

    v->told.step = step;
    v->told.step_ms[step] = ms ? (uint32_t)ms : 1;
    voice_news(p, v, VOICE_NEWS_CHANGED);
}

static void arm(struct platform *p, struct voice_call *v)
{
    uint64_t at = v->deadline_ms < v->max_ms ? v->deadline_ms : v->max_ms;

    timerq_set(&p->timers, &v->timer, at < v->closed_ms ? at : v->closed_ms);
}

void voice_wait(struct platform *p, struct voice_call *v, uint64_t ms)
{
    v->deadline_ms = ms == GB_NEVER ? GB_NEVER : p->now.mono_ms + ms;
    arm(p, v);
}

/* ---- the end ---- */

static void give_port(struct platform *p, struct voice_call *v)
{
    if (v->port_lent)
        port_pool_give(&p->ports, v->told.port, p->now.mono_ms);
    v->port_lent = false;
}

static void give_ssrc(struct platform *p, struct voice_call *v)
{
    if (v->lent_ssrc)
        ssrc_pool_give(&p->ssrcs, v->lent_ssrc, p->now.mono_ms);
    v->lent_ssrc = 0;
}

static void call_free(struct platform *p, struct voice_call *v)
{
    sip_stack_end(p->sip, v->dialog.id, p->now.mono_ms);
    give_port(p, v);
    give_ssrc(p, v);
    timerq_stop(&p->timers, &v->timer);
    list_remove(&v->in_all);
    list_remove(&v->dirty);
    idmap_remove(&p->handles, v->handle.id);
    p->n_voices--;
    gb_put(p->alloc, v);
}

static void gone(struct platform *p, struct voice_call *v)
{
    v->open = v->closing = false;
    v->phase = VOICE_GONE;
    v->closed_ms = GB_NEVER;
    arm(p, v);
    give_port(p, v);
    give_ssrc(p, v);
    voice_news(p, v, VOICE_NEWS_GONE);
}

static void close_port(struct platform *p, struct voice_call *v)
{
    if (!v->closing)
        voice_news(p, v, VOICE_NEWS_CLOSE);
    v->closing = true;
}

/* BYE, or what ends the INVITE that is open; no answer counts any more. */
static void leave(struct platform *p, struct voice_call *v)
{
    if (v->dialog.id)
        voice_news(p, v, VOICE_NEWS_DIALOG);
    dialog_end(p, v->device, &v->dialog, 0);
    v->invite = v->message = 0;
}

/* It leaves, and then the media loop does. */
static void close_call(struct platform *p, struct voice_call *v)
{
    struct rare *r = v->device ? device_rare_own(p, v->device) : NULL;

    if (r)
        r->voice_over_ms = p->now.mono_ms ? p->now.mono_ms : 1;
    leave(p, v);
    v->phase = VOICE_CLOSING;
    v->deadline_ms = v->max_ms = GB_NEVER;
    v->news &= ~(unsigned)(VOICE_NEWS_WAIT | VOICE_NEWS_ANSWER |
                           VOICE_NEWS_SPEAK);
    voice_news(p, v, VOICE_NEWS_CHANGED);
    if (v->open && !v->ordered) { /* nobody has heard of it */
        v->news &= ~(unsigned)VOICE_NEWS_OPEN;
        v->open = false;
    }
    if (!v->open) {
        gone(p, v);
        return;
    }
    v->closed_ms = p->now.mono_ms + CLOSED_MS;
    arm(p, v);
    close_port(p, v);
}

static void explain(struct voice_call *v, const char *fmt, va_list ap)
{
    struct writer w = writer_of(v->evidence, sizeof(v->evidence));

    writer_vf(&w, fmt, ap);
    v->evidence_len = (uint16_t)(w.err ? 0 : w.len);
}

static void tell(struct platform *p, const struct voice_call *v,
                 enum platform_level level, const char *what)
{
    platform_log(p, level,
                 "msg=\"voice %s\" voice=%llu device=%.*s channel=%.*s mode=%s "
                 "step=%s why=\"%.*s\" spoken_ms=%llu",
                 what, (unsigned long long)v->handle.id, (int)v->device_len,
                 v->device_text, (int)v->channel_len, v->channel,
                 platform_voice_mode_name(v->told.mode),
                 platform_voice_step_name(v->told.step), (int)v->evidence_len,
                 v->evidence, (unsigned long long)v->told.said.spoken_ms);
}

void voice_fail(struct platform *p, struct voice_call *v,
                enum platform_voice_step step, const char *hint,
                const char *fmt, ...)
{
    va_list ap;

    if (is_over(v))
        return;
    va_start(ap, fmt);
    explain(v, fmt, ap);
    va_end(ap);
    v->hint = hint;
    v->told.step = step;
    v->told.state = PLATFORM_VOICE_FAILED;
    tell(p, v, PLATFORM_WARN, "failed");
    close_call(p, v);
}

static void explain_why(struct voice_call *v, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void explain_why(struct voice_call *v, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    explain(v, fmt, ap);
    va_end(ap);
}

void voice_end(struct platform *p, struct voice_call *v, const char *why)
{
    if (is_over(v))
        return;
    explain_why(v, "%s", why);
    v->told.state = PLATFORM_VOICE_OVER;
    v->told.step = PLATFORM_VOICE_STEP_ENDED;
    tell(p, v, PLATFORM_INFO, "ended");
    close_call(p, v);
}

void platform_voice_stop(struct platform *p, uint64_t id, const char *why,
                         struct gb_time now)
{
    struct voice_call *v = find(p, id);

    clock_at(p, now);
    if (v)
        voice_end(p, v, why);
}

void voices_of_device_end(struct platform *p, struct device *d,
                          const char *why, bool removed)
{
    for (struct list *n = p->voices.next; n != &p->voices; n = n->next) {
        struct voice_call *v = container_of(n, struct voice_call, in_all);

        if (v->device != d)
            continue;
        if (v->phase == VOICE_SPEAKING && !is_over(v))
            voice_end(p, v, "the device went offline");
        else
            voice_fail(p, v, PLATFORM_VOICE_STEP_DEVICE,
                       "try again when the device is back",
                       "the device went offline: %s", why);
        if (removed)
            v->device = NULL;
    }
}

void voices_of_device_move(struct platform *p, struct device *d)
{
    const struct sip_peer way = way_of(d);
    struct voice_call *v = voice_of(p, d);

    if (!v || !v->dialog.id)
        return;
    sip_stack_move(p->sip, v->dialog.id, &way);
    voice_news(p, v, VOICE_NEWS_DIALOG);
}

void voices_end(struct platform *p, const char *why)
{
    for (struct list *n = p->voices.next; n != &p->voices; n = n->next)
        voice_end(p, container_of(n, struct voice_call, in_all), why);
}

void voices_fini(struct platform *p)
{
    p->gone_voice = NULL;
    while (!list_is_empty(&p->voices))
        call_free(p, container_of(p->voices.next, struct voice_call, in_all));
}

/* ---- the beginning ---- */

static int refused(struct platform *p, struct platform_voice *out,
                   const struct platform_voice_wish *w, int err,
                   const char *why, const char *hint)
{
    (void)p;
    *out = (struct platform_voice){
        .device = w->device, .channel = w->channel,
        .state = PLATFORM_VOICE_FAILED, .evidence = slice_str(why),
        .hint = slice_str(hint),
    };
    return err;
}

static uint8_t keep(char *to, size_t cap, struct slice s)
{
    s = slice_head(s, cap);
    if (s.n)
        memcpy(to, s.p, s.n);
    return (uint8_t)s.n;
}

static struct voice_call *make(struct platform *p, struct device *d,
                               const struct platform_voice_wish *w)
{
    struct voice_call *v = gb_get(p->alloc, sizeof(*v));

    if (!v)
        return NULL;
    v->handle.kind = HANDLE_VOICE;
    if (idmap_add(&p->handles, &v->handle, &v->handle.id)) {
        gb_put(p->alloc, v);
        return NULL;
    }
    p->n_voices++;
    list_push_back(&p->voices, &v->in_all);
    list_init(&v->dirty);
    timerq_node_init(&v->timer, TIMER_VOICE);
    v->device = d;
    v->device_len = keep(v->device_text, sizeof(v->device_text), device_id(d));
    v->channel_len = keep(v->channel, sizeof(v->channel), w->channel);
    v->who_len = keep(v->who, sizeof(v->who), w->who);
    v->wish = *w;
    v->wish.device = v->wish.channel = v->wish.who = slice_of(NULL, 0);
    v->started = p->now;
    v->told.started_utc_ms = p->now.utc_ms;
    v->deadline_ms = v->closed_ms = GB_NEVER;
    v->max_ms = p->now.mono_ms +
                1000ull * (w->max_s ? w->max_s : PLATFORM_VOICE_MAX_S);
    v->is_auto = w->mode == PLATFORM_VOICE_AUTO;
    v->told.mode = v->is_auto ? (enum platform_voice_mode)
                                    device_rare(d)->voice_mode
                              : w->mode;
    if (v->told.mode == PLATFORM_VOICE_AUTO)
        v->told.mode = PLATFORM_VOICE_BROADCAST;
    voice_step(p, v, PLATFORM_VOICE_STEP_DEVICE);
    return v;
}

/* As voice.h says of the modes. */
static void begin(struct platform *p, struct voice_call *v)
{
    v->tried[v->told.mode] = true;
    if (v->told.mode == PLATFORM_VOICE_BROADCAST) {
        voice_ask(p, v);
        return;
    }
    v->target_len = keep(v->target, sizeof(v->target),
                         slice_of(v->channel, v->channel_len));
    v->told.transport = v->by_udp ? PLATFORM_UDP
                        : v->wish.transport == PLATFORM_AUTO
                            ? device_transport(v->device)
                            : v->wish.transport;
    if (voice_open(p, v))
        voice_wait(p, v, PLATFORM_VOICE_ASK_MS);
}

/* Its dialog and its port end; it begins anew behind them. */
static void turn(struct platform *p, struct voice_call *v)
{
    leave(p, v);
    v->response = false;
    if (!v->open) {
        begin(p, v);
        return;
    }
    v->phase = VOICE_TURNING;
    close_port(p, v);
    voice_wait(p, v, CLOSED_MS);
}

void voice_retry_udp(struct platform *p, struct voice_call *v)
{
    v->by_udp = true;
    turn(p, v);
}

bool voice_other_mode(struct platform *p, struct voice_call *v)
{
    enum platform_voice_mode other =
        v->told.mode == PLATFORM_VOICE_TALK ? PLATFORM_VOICE_BROADCAST
                                            : PLATFORM_VOICE_TALK;

    if (!v->is_auto || v->tried[other])
        return false;
    platform_log(p, PLATFORM_INFO,
                 "msg=\"voice tried otherwise\" voice=%llu device=%.*s mode=%s",
                 (unsigned long long)v->handle.id, (int)v->device_len,
                 v->device_text, platform_voice_mode_name(other));
    v->told.mode = other;
    turn(p, v);
    return true;
}

static void turned(struct platform *p, struct voice_call *v)
{
    v->open = v->closing = false;
    give_port(p, v);
    give_ssrc(p, v);
    v->told.ssrc = 0;
    memset(v->told.step_ms, 0, sizeof(v->told.step_ms));
    voice_step(p, v, PLATFORM_VOICE_STEP_DEVICE);
    begin(p, v);
}

int platform_voice_start(struct platform *p,
                         const struct platform_voice_wish *w,
                         struct gb_time now, struct platform_voice *out)
{
    struct device *d = device_find(p, w->device);
    struct voice_call *v;

    clock_at(p, now);
    if (!d)
        return refused(p, out, w, GB_ENOENT,
                       "no device with this id has ever registered",
                       "see the pending list for ids that knocked");
    if (!manscdp_devid_is_usable(w->channel) || w->channel.n >= PLATFORM_ID_MAX)
        return refused(p, out, w, GB_ENOENT,
                       "this is no id that a channel can have",
                       "use a channel id of the device's list");
    v = voice_of(p, d);
    if (v) {
        view(v, out);
        return GB_EEXIST;
    }
    if (p->draining || !d->online)
        return refused(p, out, w, GB_ESTATE,
                       p->draining ? "this server is stopping"
                                   : "the device is offline",
                       "try again when it is back");
    if (w->mode != PLATFORM_VOICE_TALK && voice_is_for_input(d, w->channel))
        return refused(p, out, w, GB_EUNSUPPORTED,
                       "it is a microphone (136) or an alarm input (134), and "
                       "plays nothing",
                       "speak to the device, to a camera or to a voice output "
                       "(137)");
    if (w->whole_ms > VOICE_FILE_MS)
        return refused(p, out, w, GB_ERANGE, "the recording is too long",
                       "at most ten minutes are taken");
    if (p->n_voices >= PLATFORM_VOICES_MAX)
        return refused(p, out, w, GB_ELIMIT,
                       "too many devices are spoken to",
                       "end other talks first");
    v = make(p, d, w);
    if (!v)
        return refused(p, out, w, GB_ENOMEM, "no memory", "free memory");
    begin(p, v);
    view(v, out);
    return 0;
}

/* ---- the media loop ---- */

bool voice_open(struct platform *p, struct voice_call *v)
{
    int err = port_pool_take(&p->ports, p->now.mono_ms, &v->told.port);

    v->port_lent = !err;
    if (!err && !v->told.ssrc) {
        err = ssrc_pool_take(&p->ssrcs, false, p->now.mono_ms, &v->lent_ssrc);
        v->told.ssrc = v->lent_ssrc;
    }
    if (err) {
        voice_fail(p, v, PLATFORM_VOICE_STEP_SOCKET,
                   "widen media.ports or stop other sessions",
                   "no media port or SSRC is free");
        return false;
    }
    v->told.loop = (unsigned)(v->handle.id % p->cfg.media_loops);
    v->open = true;
    v->ordered = false;
    v->phase = VOICE_OPENING;
    voice_news(p, v, VOICE_NEWS_OPEN | VOICE_NEWS_WAIT);
    return true;
}

static void speak(struct platform *p, struct voice_call *v)
{
    struct rare *r = device_rare_own(p, v->device);

    if (v->phase == VOICE_SPEAKING)
        return;
    v->phase = VOICE_SPEAKING;
    v->told.state = PLATFORM_VOICE_SPEAKS;
    voice_wait(p, v, GB_NEVER);
    voice_step(p, v, PLATFORM_VOICE_STEP_SPEAKING);
    voice_news(p, v, VOICE_NEWS_SPEAK);
    if (r && (r->voice_mode != v->told.mode ||
              r->voice_target != v->target_kind)) {
        r->voice_mode = (uint8_t)v->told.mode;
        r->voice_target = v->target_kind;
        device_changed(p, v->device, PLATFORM_CHANGED_PROFILE);
    }
    tell(p, v, PLATFORM_INFO, "goes out");
}

void voice_go(struct platform *p, struct voice_call *v)
{
    bool connected = v->told.step_ms[PLATFORM_VOICE_STEP_CONNECT] != 0;

    if (v->phase != VOICE_ANSWERED)
        return;
    if (!v->acked) {
        v->acked = true;
        voice_news(p, v, VOICE_NEWS_ANSWER);
    }
    if (v->told.transport == PLATFORM_UDP || connected)
        speak(p, v);
    else
        voice_wait(p, v, PLATFORM_VOICE_CONNECT_MS);
}

static void on_refused_port(struct platform *p, struct voice_call *v,
                            const struct platform_media_event *ev)
{
    uint16_t bad = v->told.port;

    v->open = false;
    give_port(p, v);
    if (is_over(v)) {
        gone(p, v);
        return;
    }
    if (++v->refusals >= PORTS_TRIES)
        voice_fail(p, v, PLATFORM_VOICE_STEP_SOCKET,
                   "another program uses the ports of media.ports",
                   "media port %u could not be opened: %s", bad,
                   ev->text ? ev->text : gb_strerror(ev->err));
    else
        voice_open(p, v);
}

static void on_connected(struct platform *p, struct voice_call *v,
                         const struct platform_media_event *ev)
{
    if (v->told.transport == PLATFORM_UDP)
        return;
    v->told.remote = ev->from;
    v->told.step_ms[PLATFORM_VOICE_STEP_CONNECT] =
        (uint32_t)(p->now.mono_ms - v->started.mono_ms) + 1;
    voice_go(p, v); /* its connect shows that the 200 has arrived */
}

void voice_on_media(struct platform *p, struct handle *h,
                    const struct platform_media_event *ev)
{
    struct voice_call *v = call_of(h);

    if (ev->kind == PLATFORM_MEDIA_REFUSED) {
        on_refused_port(p, v, ev);
        return;
    }
    if (ev->kind == PLATFORM_MEDIA_CLOSED) {
        if (v->phase == VOICE_CLOSING)
            gone(p, v);
        else if (v->phase == VOICE_TURNING)
            turned(p, v);
        return;
    }
    if (is_over(v) || v->phase == VOICE_TURNING)
        return;
    v->told.said = ev->said;
    v->told.received = ev->packets;
    if (ev->audio != PS_CODEC_UNKNOWN)
        v->told.audio = ev->audio;
    if (ev->kind == PLATFORM_MEDIA_OPENED && v->phase == VOICE_OPENING)
        voice_opened(p, v);
    else if (ev->kind == PLATFORM_MEDIA_CONNECTED)
        on_connected(p, v, ev);
    else if (ev->kind == PLATFORM_MEDIA_SAID)
        voice_end(p, v, "all has been said");
    else if (ev->kind == PLATFORM_MEDIA_ENDED &&
             v->phase == VOICE_SPEAKING)
        voice_end(p, v, "the media connection is gone");
    else if (ev->kind == PLATFORM_MEDIA_ENDED)
        voice_fail(p, v, PLATFORM_VOICE_STEP_CONNECT,
                   "look at the device's own log; over UDP there is no "
                   "connection",
                   "the media connection failed: %s",
                   ev->text ? ev->text : gb_strerror(ev->err));
    else
        voice_news(p, v, VOICE_NEWS_CHANGED);
}

/* ---- time ---- */

void voice_on_timer(struct platform *p, struct timerq_node *n)
{
    struct voice_call *v = container_of(n, struct voice_call, timer);
    uint64_t now = p->now.mono_ms;

    if (v->phase == VOICE_CLOSING && now >= v->closed_ms) {
        gone(p, v); /* the media loop has forgotten it */
    } else if (now >= v->max_ms) {
        voice_end(p, v, "the longest time for a talk is over");
    } else if (now >= v->deadline_ms) {
        v->deadline_ms = GB_NEVER;
        voice_silent(p, v);
    }
    if (v->phase != VOICE_GONE)
        arm(p, v);
}

/* ---- telling ---- */

static void tell_speak(const struct voice_call *v, struct platform_action *out)
{
    bool tcp = v->told.transport != PLATFORM_UDP;

    out->kind = PLATFORM_DO_SPEAK;
    out->speak.voice = (struct voice_options){
        .ulaw = v->told.ulaw, .ps = v->told.ps, .pt = v->pt,
        .framed = tcp && !v->wish.bare, .ssrc = v->told.ssrc,
        .packet_ms = v->wish.packet_ms ? v->wish.packet_ms
                     : tcp             ? VOICE_TCP_PACKET_MS
                                       : VOICE_PACKET_MS,
        .whole_ms = v->wish.whole_ms,
    };
}

/* false: it was nothing that the owner wants to know. */
static bool tell_order(struct platform *p, struct voice_call *v, unsigned bit,
                       struct platform_action *out)
{
    switch (bit) {
    case VOICE_NEWS_OPEN:
        out->kind = PLATFORM_DO_OPEN;
        out->history_ms = -1;
        out->ssrc_any = true; /* of what the device may send */
        out->local = v->device->peer.local;
        out->remote = v->device->peer.remote;
        v->ordered = true;
        break;
    case VOICE_NEWS_WAIT:
        out->kind = PLATFORM_DO_SPEAK;
        out->speak.waits = true;
        break;
    case VOICE_NEWS_ANSWER:
        out->kind = PLATFORM_DO_ANSWER;
        out->ssrc_any = true;
        out->remote = v->told.remote;
        out->audio_hint = v->told.ps     ? PS_CODEC_UNKNOWN
                          : v->told.ulaw ? PS_CODEC_G711U : PS_CODEC_G711A;
        break;
    case VOICE_NEWS_SPEAK:
        tell_speak(v, out);
        break;
    case VOICE_NEWS_CLOSE:
        out->kind = PLATFORM_DO_CLOSE;
        break;
    case VOICE_NEWS_CHANGED:
        out->kind = PLATFORM_VOICE_CHANGED;
        break;
    case VOICE_NEWS_DIALOG:
        return dialog_tell(p, v->device, &v->dialog, out);
    default:
        out->kind = PLATFORM_VOICE_GONE;
        p->gone_voice = v;
        break;
    }
    return true;
}

static bool tell_one(struct platform *p, struct voice_call *v,
                     struct platform_action *out)
{
    unsigned bit = v->news & (~v->news + 1);

    v->news &= ~bit;
    if (!v->news)
        list_remove(&v->dirty);
    out->session = v->handle.id;
    out->loop = v->told.loop;
    out->transport = v->told.transport;
    out->port = v->told.port;
    out->ssrc = v->told.ssrc;
    out->device = slice_of(v->device_text, v->device_len);
    out->channel = slice_of(v->channel, v->channel_len);
    return tell_order(p, v, bit, out);
}

bool voices_news(struct platform *p, struct platform_action *out)
{
    while (!list_is_empty(&p->dirty_voices))
        if (tell_one(p, container_of(p->dirty_voices.next, struct voice_call,
                                     dirty), out))
            return true;
    return false;
}

void voices_take_back(struct platform *p)
{
    if (p->gone_voice)
        call_free(p, p->gone_voice);
    p->gone_voice = NULL;
}
