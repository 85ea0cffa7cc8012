/* Speaking to devices: over a WebSocket, or a recording that is sent as a body.
 *
 * One talk goes to one device or to several (each is a voice of the platform,
 * app/platform/voice.h). Samples are made 8 kHz here, once for all, and go to the
 * media loops of those that listen. The talk ends with its connection, and when
 * the last of its voices has. */
#include "app/http/api.h"

#include "app/media/g711.h"
#include "app/media/resample.h"
#include "app/media/wav.h"
#include "app/platform/voice.h"

#define TALK_SAY_SAMPLES 4096 /* of one mail to a media loop */

enum coding { CODING_PCM, CODING_ALAW, CODING_ULAW };

struct leg {
    uint64_t voice;
    unsigned loop;
    bool decided; /* it speaks, or has failed */
    bool speaks, over;
    struct buf failed; /* of a recording: the voice as it was told last */
};

struct talk {
    struct list node;
    uint64_t client;  /* of its WebSocket; 0: a recording */
    uint64_t request; /* waits for its legs; 0: none does */
    unsigned n;
    struct leg leg[HTTP_TALK_LEGS];
    enum coding coding;
    struct resample rs;
    bool has_half;    /* of a sample; it came in two messages */
    uint8_t half;
    int16_t *pcm;     /* the recording, 8 kHz */
    size_t n_pcm;
};

/* ---- objects ------------------------------------------------------------------ */

static const char *state_name(enum platform_voice_state s)
{
    switch (s) {
    case PLATFORM_VOICE_STARTING:
        return "starting";
    case PLATFORM_VOICE_SPEAKS:
        return "speaking";
    case PLATFORM_VOICE_OVER:
        return "over";
    case PLATFORM_VOICE_FAILED:
        break;
    }
    return "failed";
}

static void voice_write(struct jw *j, const struct platform_voice *v)
{
    jw_object(j);
    jw_put_id(j, "id", v->id);
    jw_put_str(j, "device", v->device);
    jw_put_str(j, "channel", v->channel);
    jw_put_str(j, "target", v->target);
    jw_put_cstr(j, "mode", platform_voice_mode_name(v->mode));
    jw_put_cstr(j, "state", state_name(v->state));
    jw_put_cstr(j, "step", platform_voice_step_name(v->step));
    jw_key(j, "steps_ms");
    jw_object(j);
    for (unsigned i = 0; i < PLATFORM_VOICE_STEPS; i++)
        if (v->step_ms[i])
            jw_put_u64(j, platform_voice_step_name(
                              (enum platform_voice_step)i), v->step_ms[i]);
    jw_end(j);
    jw_put_str(j, "who", v->who);
    jw_put_cstr(j, "transport", http_transport_name(v->transport));
    jw_put_cstr(j, "codec", v->ulaw ? "PCMU" : "PCMA");
    jw_put_bool(j, "ps", v->ps);
    jw_put_u64(j, "port", v->port);
    jw_put_u64(j, "ssrc", v->ssrc);
    http_put_addr(j, "remote", &v->remote);
    jw_put_u64(j, "sip_status", v->sip_status);
    http_put_words(j, "evidence", v->evidence);
    http_put_words(j, "hint", v->hint);
    jw_put_time(j, "started_at", v->started_utc_ms);
    jw_put_u64(j, "packets", v->said.packets);
    jw_put_u64(j, "bytes", v->said.bytes);
    jw_put_u64(j, "spoken_ms", v->said.spoken_ms);
    jw_put_u64(j, "silent_ms", v->said.silent_ms);
    jw_put_u64(j, "dropped_ms", v->said.dropped_ms);
    jw_put_u64(j, "received", v->received);
    jw_put_cstr(j, "audio", ps_codec_name(v->audio));
    jw_end(j);
}

static void talk_write(struct http_app *a, struct jw *j, const struct talk *t)
{
    struct platform_voice v;

    jw_object(j);
    jw_key(j, "items");
    jw_array(j);
    for (unsigned i = 0; i < t->n; i++)
        if (platform_voice_view(a->cfg.platform, t->leg[i].voice, &v))
            voice_write(j, &v);
        else if (buf_view(&t->leg[i].failed).n)
            jw_raw(j, buf_view(&t->leg[i].failed));
    jw_end(j);
    jw_end(j);
}

/* For the answer to a recording: the voice is gone by then. */
static void keep_failed(struct http_app *a, struct leg *l,
                        const struct platform_voice *v)
{
    struct jw j = jw_to(&l->failed);

    buf_init(&l->failed, a->cfg.alloc, 8192);
    voice_write(&j, v);
    if (!jw_is_complete(&j))
        buf_fini(&l->failed);
}

static unsigned status_of(int err)
{
    switch (err) {
    case GB_ENOENT:
        return 404;
    case GB_EEXIST:
    case GB_ESTATE:
    case GB_EUNSUPPORTED:
        return 409;
    case GB_ERANGE:
        return 413;
    default:
        return 503;
    }
}

/* What a failed voice says, or one that could not be begun. */
static void problem_of(struct http_problem *p, int err,
                       const struct platform_voice *v, char *text, size_t cap)
{
    struct writer w = writer_of(text, cap);

    *p = (struct http_problem){
        .status = err ? status_of(err) : 502,
        .code = err == GB_ENOENT   ? "device-unknown"
                : err == GB_EEXIST ? "somebody-speaks"
                : err == GB_ESTATE ? "device-offline"
                : err == GB_EUNSUPPORTED ? "no-voice-output" : "voice-failed",
        .detail = "the device cannot be spoken to",
        .step = slice_str(platform_voice_step_name(v->step)),
        .evidence = v->evidence,
        .hint = v->hint,
    };
    if (err != GB_EEXIST)
        return;
    writer_f(&w, "%.*s speaks to this device", SLICE_ARG(v->who));
    p->detail = "somebody else speaks to this device";
    p->evidence = writer_slice(&w);
}

/* ---- life ----------------------------------------------------------------------- */

static void talk_free(struct http_app *a, struct talk *t)
{
    list_remove(&t->node);
    a->n_talks--;
    for (unsigned i = 0; i < t->n; i++)
        buf_fini(&t->leg[i].failed);
    gb_put(a->cfg.alloc, t->pcm);
    gb_put(a->cfg.alloc, t);
}

static void stop_legs(struct http_app *a, struct talk *t, const char *why)
{
    for (unsigned i = 0; i < t->n; i++)
        if (!t->leg[i].over)
            platform_voice_stop(a->cfg.platform, t->leg[i].voice, why,
                                a->cfg.now(a->cfg.ctx));
    a->cfg.touched(a->cfg.ctx);
}

static struct talk *talk_of(struct http_app *a, uint64_t client)
{
    for (struct list *n = a->talks.next; n != &a->talks; n = n->next) {
        struct talk *t = container_of(n, struct talk, node);

        if (client && t->client == client)
            return t;
    }
    return NULL;
}

/* Its speaker has gone. */
void http_talk_closed(struct http_app *a, uint64_t client)
{
    struct talk *t = talk_of(a, client);

    if (!t)
        return;
    stop_legs(a, t, "the speaker has gone");
    talk_free(a, t);
}

void http_talk_gone(struct http_app *a, uint64_t request)
{
    for (struct list *n = a->talks.next; n != &a->talks; n = n->next) {
        struct talk *t = container_of(n, struct talk, node);

        if (t->request == request)
            t->request = 0; /* it is said all the same */
    }
}

void http_talk_free(struct http_app *a)
{
    while (!list_is_empty(&a->talks))
        talk_free(a, container_of(a->talks.next, struct talk, node));
}

/* ---- what is said --------------------------------------------------------------- */

static void say(struct http_app *a, const struct leg *l, const int16_t *pcm,
                size_t n)
{
    while (n && a->cfg.say) {
        size_t k = n < TALK_SAY_SAMPLES ? n : TALK_SAY_SAMPLES;

        a->cfg.say(a->cfg.ctx, l->voice, l->loop, pcm, k);
        pcm += k;
        n -= k;
    }
}

/* Samples as they came: to 8 kHz, then to all who listen. */
static void say_samples(struct http_app *a, struct talk *t, const int16_t *in,
                        size_t n)
{
    int16_t out[TALK_SAY_SAMPLES + 1];

    n = resample_feed(&t->rs, in, n, out);
    for (unsigned i = 0; i < t->n; i++)
        if (t->leg[i].speaks && !t->leg[i].over)
            say(a, &t->leg[i], out, n);
}

static int16_t sample_of(const struct talk *t, const uint8_t *p)
{
    switch (t->coding) {
    case CODING_ALAW:
        return g711_alaw_table[*p];
    case CODING_ULAW:
        return g711_ulaw_table[*p];
    case CODING_PCM:
        break;
    }
    return (int16_t)(uint16_t)(p[0] | p[1] << 8);
}

void http_app_talk_data(struct http_app *a, uint64_t client, const uint8_t *p,
                        size_t n)
{
    struct talk *t = talk_of(a, client);
    size_t step = t && t->coding == CODING_PCM ? 2 : 1, k = 0;
    int16_t in[TALK_SAY_SAMPLES];

    if (!t)
        return;
    if (t->has_half && n) { /* its other half */
        const uint8_t both[2] = { t->half, p[0] };

        in[k++] = sample_of(t, both);
        t->has_half = false;
        p++;
        n--;
    }
    for (; n >= step; p += step, n -= step) {
        in[k++] = sample_of(t, p);
        if (k == TALK_SAY_SAMPLES) {
            say_samples(a, t, in, k);
            k = 0;
        }
    }
    if (k)
        say_samples(a, t, in, k);
    t->has_half = n > 0;
    t->half = n ? *p : 0;
}

/* ---- what has become of it ------------------------------------------------------- */

static bool all_are(const struct talk *t, bool over)
{
    for (unsigned i = 0; i < t->n; i++)
        if (!(over ? t->leg[i].over : t->leg[i].decided))
            return false;
    return true;
}

static bool any_speaks(const struct talk *t)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->leg[i].speaks)
            return true;
    return false;
}

/* Who waits for the beginning is told, once all legs have begun or failed. */
static void answer_waiting(struct http_app *a, struct talk *t)
{
    struct platform_voice v;
    struct http_response r;
    struct jw j;
    uint64_t request = t->request;

    if (!request || !all_are(t, false))
        return;
    t->request = 0;
    http_response_init(&r, a->cfg.alloc);
    if (t->n == 1 && !any_speaks(t) &&
        platform_voice_view(a->cfg.platform, t->leg[0].voice, &v)) {
        struct http_problem p;

        problem_of(&p, 0, &v, NULL, 0);
        http_answer_problem(&r, &p);
    } else {
        r.kind = HTTP_REPLY_BODY;
        r.status = any_speaks(t) ? 201 : 502;
        r.type = "application/json";
        j = jw_to(&r.body);
        talk_write(a, &j, t);
    }
    http_app_answer(a, request, &r);
}

/* The page shows it: one text message a change. */
static void tell_page(struct http_app *a, const struct talk *t,
                      const struct platform_voice *v)
{
    struct buf b;
    struct jw j = jw_to(&b);

    if (!t->client || !a->edge.talk_text)
        return;
    buf_init(&b, a->cfg.alloc, 8192);
    voice_write(&j, v);
    if (jw_is_complete(&j))
        a->edge.talk_text(a->edge.ctx, t->client, buf_view(&b));
    buf_fini(&b);
}

static void leg_changed(struct http_app *a, struct talk *t, struct leg *l,
                        const struct platform_voice *v, bool gone)
{
    bool began = v->state == PLATFORM_VOICE_SPEAKS && !l->speaks;
    bool ended = v->state >= PLATFORM_VOICE_OVER && !l->over;

    l->loop = v->loop;
    l->speaks |= began;
    l->over |= ended || gone;
    l->decided |= began || ended || gone;
    if (began && t->pcm)
        say(a, l, t->pcm, t->n_pcm);
    if (ended && t->request && v->state == PLATFORM_VOICE_FAILED)
        keep_failed(a, l, v);
    if (!gone)
        tell_page(a, t, v);
}

/* The last leg is over: so is the talk. */
static void talk_ended(struct http_app *a, struct talk *t)
{
    uint64_t client = t->client;
    bool well = any_speaks(t);

    talk_free(a, t);
    if (client && a->edge.talk_end)
        a->edge.talk_end(a->edge.ctx, client, well);
}

/* false: the talk is gone, its page broke off when it was told. */
static bool legs_changed(struct http_app *a, struct talk *t,
                         const struct platform_voice *v, bool gone)
{
    uint64_t client = t->client;

    for (unsigned i = 0; i < t->n; i++) {
        if (t->leg[i].voice != v->id || t->leg[i].over)
            continue;
        leg_changed(a, t, &t->leg[i], v, gone);
        if (client && talk_of(a, client) != t)
            return false;
    }
    return true;
}

void http_voice_changed(struct http_app *a, const struct platform_action *act)
{
    bool gone = act->kind == PLATFORM_VOICE_GONE;
    struct platform_voice v;
    struct list *n, *tmp;

    if (!platform_voice_view(a->cfg.platform, act->session, &v))
        return;
    LIST_EACH(n, tmp, &a->talks) {
        struct talk *t = container_of(n, struct talk, node);

        if (!legs_changed(a, t, &v, gone))
            continue;
        answer_waiting(a, t);
        if (all_are(t, true))
            talk_ended(a, t);
    }
}

void http_voice_event_write(struct jw *j, const struct platform_voice *v,
                            bool gone)
{
    if (!gone) {
        voice_write(j, v);
        return;
    }
    jw_object(j);
    jw_put_id(j, "id", v->id);
    jw_put_str(j, "device", v->device);
    jw_put_bool(j, "removed", true);
    jw_end(j);
}

/* ---- requests --------------------------------------------------------------------- */

/* What the query asks for. */
struct wish {
    struct platform_voice_wish w;
    enum coding coding;
    uint32_t rate_hz;
    char who[PLATFORM_VOICE_WHO_MAX];
    char to[HTTP_TALK_LEGS * (2 * HTTP_ID_MAX + 2)];
    struct slice targets; /* "DEVICE/CHANNEL,..." */
};

static bool bad(struct http_call *c, const char *why)
{
    http_answer_fail(c, 400, "bad-parameter", why);
    return false;
}

/* An optional number; false: answered. */
static bool number(struct http_call *c, const char *name, uint32_t max,
                   uint32_t *v, const char *why)
{
    char text[16];
    struct slice s;
    int err = http_query_get(c->head->query, slice_str(name), text,
                             sizeof(text), &s);

    return err == GB_ENOENT || (!err && slice_u32(s, max, v)) || bad(c, why);
}

static bool read_coding(struct http_call *c, struct wish *o)
{
    static const struct slice names[] = { SLICE_INIT("pcm"), SLICE_INIT("pcma"),
                                          SLICE_INIT("pcmu") };
    char text[16];
    struct slice s;
    int err = http_query_get(c->head->query, SLICE("coding"), text,
                             sizeof(text), &s);

    for (unsigned i = 0; !err && i < 3; i++)
        if (slice_ieq(s, names[i])) {
            o->coding = (enum coding)i;
            return true;
        }
    return err == GB_ENOENT || bad(c, "coding is pcm, pcma or pcmu");
}

static bool read_mode(struct http_call *c, struct wish *o)
{
    char text[16];
    struct slice s;
    int err = http_query_get(c->head->query, SLICE("mode"), text, sizeof(text),
                             &s);

    if (!err)
        o->w.mode = platform_voice_mode_by_name(s);
    if ((err && err != GB_ENOENT) || o->w.mode == PLATFORM_VOICE_MODES)
        return bad(c, "mode is auto, broadcast or talk");
    err = http_query_get(c->head->query, SLICE("transport"), text,
                         sizeof(text), &s);
    return err == GB_ENOENT ||
           (!err && http_transport_parse(s, &o->w.transport)) ||
           bad(c, "transport is auto, udp, tcp-passive or tcp-active");
}

static void put_who(struct http_call *c, struct wish *o)
{
    char addr[GB_ADDR_TEXT_MAX];
    struct writer w = writer_of(o->who, sizeof(o->who));
    struct gb_addr from = c->client;

    from.port = 0;
    writer_f(&w, "%s at %s", c->role >= HTTP_ROLE_ADMIN ? "admin" : "operator",
             gb_addr_text(&from, addr));
    o->w.who = writer_slice(&w);
}

static size_t count(struct slice targets)
{
    struct slice one;
    size_t n = 0;

    while (targets.n) {
        slice_cut(&targets, ',', &one);
        n++;
    }
    return n;
}

/* The device and channel of the path, or ?to=. */
static bool read_targets(struct http_call *c, struct wish *o)
{
    struct writer w = writer_of(o->to, sizeof(o->to));
    int err;

    if (c->params.n == 2) {
        writer_f(&w, "%.*s/%.*s", SLICE_ARG(c->params.value[0]),
                 SLICE_ARG(c->params.value[1]));
        o->targets = writer_slice(&w);
        return !w.err || bad(c, "the ids are too long");
    }
    err = http_query_get(c->head->query, SLICE("to"), o->to, sizeof(o->to),
                         &o->targets);
    if (err == GB_ELIMIT || (!err && count(o->targets) > HTTP_TALK_LEGS))
        return bad(c, "to names at most 64 places");
    return (!err && o->targets.n) ||
           bad(c, "to is DEVICE/CHANNEL, several with commas between");
}

static bool read_wish(struct http_call *c, struct wish *o)
{
    uint32_t bare = 0;

    *o = (struct wish){ .rate_hz = RESAMPLE_OUT_HZ };
    put_who(c, o);
    if (!read_targets(c, o) || !read_coding(c, o) || !read_mode(c, o) ||
        !number(c, "rate", RESAMPLE_MAX_HZ, &o->rate_hz,
                "rate is 8000 to 48000") ||
        !number(c, "packet_ms", VOICE_MAX_MS, &o->w.packet_ms,
                "packet_ms is 20 to 100") ||
        !number(c, "max_s", PLATFORM_VOICE_MAX_S, &o->w.max_s,
                "max_s is 1 to 600") ||
        !number(c, "bare", 1, &bare, "bare is 0 or 1"))
        return false;
    o->w.bare = bare;
    if (o->coding != CODING_PCM && o->rate_hz != RESAMPLE_OUT_HZ)
        return bad(c, "G.711 has a rate of 8000");
    if (o->rate_hz < RESAMPLE_MIN_HZ)
        return bad(c, "rate is 8000 to 48000");
    return (!o->w.packet_ms || o->w.packet_ms >= VOICE_MIN_MS) ||
           bad(c, "packet_ms is 20 to 100");
}

static struct talk *talk_new(struct http_app *a, const struct wish *o)
{
    struct talk *t = a->n_talks < HTTP_TALKS_MAX
                         ? gb_get(a->cfg.alloc, sizeof(*t)) : NULL;

    if (!t)
        return NULL;
    t->coding = o->coding;
    if (resample_init(&t->rs, o->rate_hz)) {
        gb_put(a->cfg.alloc, t);
        return NULL;
    }
    list_push_back(&a->talks, &t->node);
    a->n_talks++;
    return t;
}

/* A leg that could not be begun. */
static void keep_refused(struct http_app *a, struct leg *l,
                         const struct wish *o, int err,
                         const struct platform_voice *v)
{
    char text[PLATFORM_VOICE_WHO_MAX + 40];
    struct platform_voice told = { .device = o->w.device,
                                   .channel = o->w.channel,
                                   .state = PLATFORM_VOICE_FAILED };
    struct http_problem p;

    problem_of(&p, err, v, text, sizeof(text));
    told.evidence = p.evidence;
    told.hint = p.hint;
    keep_failed(a, l, &told);
}

/* One device; the first error is kept, as long as nobody could be begun. */
static bool start_leg(struct http_call *c, struct talk *t, struct wish *o,
                      int *err, struct platform_voice *why)
{
    struct leg *l = &t->leg[t->n++];
    struct platform_voice v;
    int e = platform_voice_start(c->app->cfg.platform, &o->w, c->now, &v);

    if (!e) {
        *l = (struct leg){ .voice = v.id, .loop = v.loop };
        return true;
    }
    *l = (struct leg){ .decided = true, .over = true };
    if (!c->head->websocket)
        keep_refused(c->app, l, o, e, &v);
    if (!*err) {
        *err = e;
        *why = v;
    }
    return false;
}

/* Begins at each of the targets. 0: at one at least; else why not at the first. */
static int start_legs(struct http_call *c, struct talk *t, struct wish *o,
                      struct platform_voice *why)
{
    struct slice rest = o->targets, one, device;
    bool begun = false;
    int err = 0;

    while (rest.n) {
        slice_cut(&rest, ',', &one);
        one = slice_trim(one);
        slice_cut(&one, '/', &device);
        if (!one.n)
            one = device;
        o->w.device = device;
        o->w.channel = one;
        begun |= start_leg(c, t, o, &err, why);
    }
    c->app->cfg.touched(c->app->cfg.ctx);
    return begun ? 0 : err ? err : GB_ELIMIT;
}

/* A page reads no status of a refused upgrade: it is told inside. */
static void refuse(struct http_call *c, int err, const struct platform_voice *v)
{
    struct http_problem p;
    char text[PLATFORM_VOICE_WHO_MAX + 40];

    problem_of(&p, err, v, text, sizeof(text));
    http_answer_problem(c->out, &p);
    if (c->head->websocket)
        c->out->kind = HTTP_REPLY_WS_TEXT;
}

static struct talk *begin(struct http_call *c, struct wish *o)
{
    struct platform_voice why = { 0 };
    struct talk *t = talk_new(c->app, o);
    int err = t ? start_legs(c, t, o, &why) : GB_ELIMIT;

    if (!err)
        return t;
    if (!t)
        why.evidence = SLICE("too many talks are under way");
    else
        talk_free(c->app, t);
    refuse(c, err, &why);
    return NULL;
}

static void open_websocket(struct http_call *c)
{
    struct wish o;
    struct talk *t;

    if (c->role < HTTP_ROLE_OPERATOR) {
        http_answer_fail(c, 403, NULL, "this needs a higher role");
        return;
    }
    if (!read_wish(c, &o))
        return;
    t = begin(c, &o);
    if (!t)
        return;
    t->client = c->req->client;
    c->out->kind = HTTP_REPLY_TALK;
    c->out->status = 101;
}

void http_get_talk(struct http_call *c)
{
    struct platform_voice v;

    if (c->head->websocket) {
        open_websocket(c);
    } else if (platform_voice_of(c->app->cfg.platform, c->params.value[0],
                                 &v)) {
        struct jw j = http_answer_json(c, 200);

        voice_write(&j, &v);
    } else {
        http_answer_fail(c, 404, "nobody-speaks",
                         "nobody speaks to this device");
    }
}

void http_get_talks(struct http_call *c)
{
    struct platform_voice v;
    size_t n = 0;
    struct jw j;

    if (c->head->websocket) {
        open_websocket(c);
        return;
    }
    j = http_list_begin(c);
    for (; platform_voice_at(c->app->cfg.platform, n, &v); n++)
        voice_write(&j, &v);
    http_list_end(&j, (struct slice){ 0 }, n);
}

void http_delete_talk(struct http_call *c)
{
    struct platform_voice v;

    if (!platform_voice_of(c->app->cfg.platform, c->params.value[0], &v)) {
        http_answer_fail(c, 404, "nobody-speaks",
                         "nobody speaks to this device");
        return;
    }
    platform_voice_stop(c->app->cfg.platform, v.id, "it was stopped", c->now);
    c->app->cfg.touched(c->app->cfg.ctx);
    http_answer_empty(c, 204);
}

/* ---- recordings ------------------------------------------------------------------- */

/* The sound of the body as 8 kHz; false: answered. */
static bool read_recording(struct http_call *c, struct wish *o, int16_t **pcm,
                           size_t *n)
{
    const char *why = "";
    struct resample rs;
    struct wav w;
    size_t room;

    if (wav_parse(&w, c->req->body, &why)) {
        http_answer_fail(c, 415, "no-wav", why);
        return false;
    }
    if (resample_init(&rs, w.rate_hz))
        return bad(c, "its rate is not 8000 to 48000 Hz");
    if (wav_frames(&w) * 1000 / w.rate_hz > VOICE_FILE_MS) {
        http_answer_fail(c, 413, NULL, "the recording is too long");
        return false;
    }
    room = resample_bound(&rs, wav_frames(&w) + w.rate_hz / 100) + 1;
    *pcm = gb_get(c->app->cfg.alloc, room * sizeof(**pcm));
    if (!*pcm) {
        http_answer_fail(c, 503, NULL, "there is no memory for it");
        return false;
    }
    *n = 0;
    for (size_t i = 0; i < wav_frames(&w) + w.rate_hz / 100; i++) {
        int16_t s = i < wav_frames(&w) ? wav_sample(&w, i) : 0;

        *n += resample_feed(&rs, &s, 1, *pcm + *n); /* the low-pass runs out */
    }
    o->w.whole_ms = (uint32_t)(*n * 1000 / RESAMPLE_OUT_HZ) + 1;
    return true;
}

void http_post_talk(struct http_call *c)
{
    char text[8];
    struct slice wait;
    struct wish o;
    struct talk *t;
    int16_t *pcm = NULL;
    size_t n = 0;

    if (!read_wish(c, &o) || !read_recording(c, &o, &pcm, &n))
        return;
    t = begin(c, &o);
    if (!t) {
        gb_put(c->app->cfg.alloc, pcm);
        return;
    }
    t->pcm = pcm;
    t->n_pcm = n;
    if (!http_query_get(c->head->query, SLICE("wait"), text, sizeof(text),
                        &wait) && slice_eq(wait, SLICE("0"))) {
        struct jw j = http_answer_json(c, 202);

        talk_write(c->app, &j, t);
        return;
    }
    t->request = c->req->id;
    c->out->kind = HTTP_REPLY_LATER;
}
