#include "test/sim_int.h"

#include <stdio.h>

/* ---- actions ---- */

static void keep_session(struct sim *s, uint64_t id)
{
    struct platform_session v;

    assert_true(platform_session_view(s->p, id, &v));
    snprintf(s->last_evidence, sizeof(s->last_evidence), "%.*s",
             SLICE_ARG(v.evidence));
    snprintf(s->last_hint, sizeof(s->last_hint), "%.*s", SLICE_ARG(v.hint));
    s->last = v;
    s->last.device = s->last.channel = s->last.call_id = slice_of("", 0);
    s->last.evidence = slice_str(s->last_evidence);
    s->last.hint = slice_str(s->last_hint);
}

static void keep_text(struct sim *s, struct writer *w, struct slice *out)
{
    size_t at = w->len;

    writer_slice_put(w, *out);
    *out = slice_of(s->opened_text + at, w->len - at);
}

static void keep_dialog(struct sim *s, const struct sip_dialog_state *d)
{
    struct writer w = writer_of(s->opened_text, sizeof(s->opened_text));

    s->opened = *d;
    keep_text(s, &w, &s->opened.call_id);
    keep_text(s, &w, &s->opened.local_uri);
    keep_text(s, &w, &s->opened.remote_uri);
    keep_text(s, &w, &s->opened.local_tag);
    keep_text(s, &w, &s->opened.remote_tag);
    keep_text(s, &w, &s->opened.target);
    assert_int_equal(w.err, 0);
}

/* What is told and asks for nothing: the last of each kind. */
static void keep_news(struct sim *s, const struct platform_action *a)
{
    switch (a->kind) {
    case PLATFORM_CHANNEL_CHANGED:
        s->details += a->text.n > 0;
        if (a->text.n)
            snprintf(s->last_detail, sizeof(s->last_detail), "%.*s",
                     SLICE_ARG(a->text));
        break;
    case PLATFORM_PTZ_MOVED:
        snprintf(s->last_ptz, sizeof(s->last_ptz), "%.*s %.*s %.*s",
                 SLICE_ARG(a->device), SLICE_ARG(a->channel),
                 SLICE_ARG(a->text));
        break;
    case PLATFORM_VIDEO_OFFERED:
        snprintf(s->last_offer, sizeof(s->last_offer), "%.*s %.*s %.*s",
                 SLICE_ARG(a->device), SLICE_ARG(a->channel),
                 SLICE_ARG(a->text));
        break;
    case PLATFORM_SNAPSHOT_DONE:
        snprintf(s->last_snapshot, sizeof(s->last_snapshot), "%.*s %.*s",
                 SLICE_ARG(a->device), SLICE_ARG(a->text));
        break;
    case PLATFORM_POSITION:
        snprintf(s->last_position, sizeof(s->last_position),
                 "%.*s %.*s %.4f %.4f %.*s %.*s", SLICE_ARG(a->position->device),
                 SLICE_ARG(a->position->channel), a->position->longitude,
                 a->position->latitude, SLICE_ARG(a->position->speed),
                 SLICE_ARG(a->position->time));
        break;
    case PLATFORM_ALARM:
        s->last_alarm_id = a->alarm->id;
        snprintf(s->last_alarm, sizeof(s->last_alarm),
                 "%.*s %.*s %.*s %.*s%s%.*s", SLICE_ARG(a->alarm->device),
                 SLICE_ARG(a->alarm->channel), SLICE_ARG(a->alarm->method),
                 SLICE_ARG(a->alarm->type), a->alarm->event.n ? " " : "",
                 SLICE_ARG(a->alarm->event));
        break;
    case PLATFORM_LOG:
        assert_true(a->text.n > 0);
        for (size_t i = 0; i < a->text.n; i++)
            assert_true((unsigned char)a->text.p[i] >= 0x20);
        if (s->log_len + a->text.n + 2 < sizeof(s->log)) {
            memcpy(s->log + s->log_len, a->text.p, a->text.n);
            s->log_len += a->text.n;
            s->log[s->log_len++] = '\n';
            s->log[s->log_len] = '\0';
        }
        break;
    default:
        break;
    }
}

static void on_action(struct sim *s, const struct platform_action *a)
{
    s->actions[a->kind]++;
    switch (a->kind) {
    case PLATFORM_DO_OPEN:
    case PLATFORM_DO_ANSWER:
    case PLATFORM_DO_PACE:
    case PLATFORM_DO_SPEAK:
    case PLATFORM_DO_CLOSE:
        sim_on_order(s, a);
        break;
    case PLATFORM_DO_DISCONNECT:
        assert_true(a->connection != 0);
        s->disconnected = a->connection;
        sip_stack_closed(s->server, a->connection, s->now.mono_ms);
        platform_closed(s->p, a->connection, s->now);
        break;
    case PLATFORM_DEVICE_CHANGED:
        s->device_flags |= a->flags;
        break;
    case PLATFORM_CATALOG_DONE:
        s->partial += (a->flags & PLATFORM_CATALOG_PARTIAL) != 0;
        break;
    case PLATFORM_SESSION_CHANGED:
    case PLATFORM_SESSION_GONE:
        keep_session(s, a->session);
        if (a->kind == PLATFORM_SESSION_GONE)
            sim_files_leave(s, a->session);
        break;
    case PLATFORM_DO_SAVE:
    case PLATFORM_DO_FILE_END:
        sim_on_file_order(s, a);
        break;
    case PLATFORM_DIALOG_OPENED:
        keep_dialog(s, &a->dialog);
        s->opened_key = a->dialog_key;
        s->opened_cseq = a->dialog.local_cseq;
        s->opened_from = a->peer.remote;
        slice_copy(s->opened_target, sizeof(s->opened_target),
                   a->dialog.target);
        assert_true(a->dialog_key != 0);
        break;
    case PLATFORM_DIALOG_CLOSED:
        s->closed_key = a->dialog_key;
        assert_true(a->dialog_key != 0);
        break;
    default:
        keep_news(s, a);
        break;
    }
}

/* One round of everybody's turn; true when something happened. */
static bool turn(struct sim *s)
{
    struct sip_event ev;
    struct sip_out out;
    struct platform_action a;
    bool any = false;

    while (sip_stack_event(s->server, &ev)) {
        platform_sip(s->p, &ev, s->now);
        any = true;
    }
    while (platform_action(s->p, &a)) {
        on_action(s, &a);
        any = true;
    }
    while (sip_stack_output(s->server, &out)) {
        s->byes_sent += slice_has_prefix(out.bytes, SLICE("BYE "));
        sim_wire_put(s, false, &out);
        any = true;
    }
    while (sip_stack_event(s->field, &ev)) {
        sim_on_field_event(s, &ev);
        any = true;
    }
    while (sip_stack_output(s->field, &out)) {
        sim_wire_put(s, true, &out);
        any = true;
    }
    return any;
}

static void soonest(uint64_t *at, uint64_t t)
{
    if (t < *at)
        *at = t;
}

static void tick(struct sim *s)
{
    sip_stack_tick(s->server, s->now.mono_ms);
    sip_stack_tick(s->field, s->now.mono_ms);
    if (platform_deadline(s->p) <= s->now.mono_ms)
        platform_tick(s->p, s->now);
    for (unsigned i = 0; i < s->n_devices; i++) {
        struct sim_device *d = &s->device[i];

        if (d->next_keepalive_ms <= s->now.mono_ms) {
            d->next_keepalive_ms = s->now.mono_ms + d->keepalive_ms;
            sim_keepalive(d, NULL);
        }
    }
    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
        if (s->stream[i].session && sim_stream_at(&s->stream[i]) <= s->now.mono_ms)
            sim_media_step(s, &s->stream[i]);
}

void sim_run(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now.mono_ms + ms;

    for (unsigned rounds = 0;; rounds++) {
        uint64_t at = GB_NEVER;

        while (turn(s))
            ;
        if (sim_wire_get(s))
            continue;
        soonest(&at, sip_stack_deadline(s->server));
        soonest(&at, sip_stack_deadline(s->field));
        soonest(&at, platform_deadline(s->p));
        soonest(&at, sim_wire_at(s));
        for (unsigned i = 0; i < s->n_devices; i++)
            soonest(&at, s->device[i].next_keepalive_ms);
        for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
            if (s->stream[i].session)
                soonest(&at, sim_stream_at(&s->stream[i]));
        if (at > end)
            break;
        if (at > s->now.mono_ms) {
            s->now.utc_ms += (int64_t)(at - s->now.mono_ms);
            s->now.mono_ms = at;
            rounds = 0;
        } else if (rounds > 100000) {
            fail_msg("time stands still at %llu",
                     (unsigned long long)s->now.mono_ms);
        }
        tick(s);
    }
    s->now.utc_ms += (int64_t)(end - s->now.mono_ms);
    s->now.mono_ms = end;
}

/* ---- making ---- */

static bool make_server(struct sim *s)
{
    struct sip_stack_config sc = { .alloc = s->opt.alloc,
                                   .user_agent = "test",
                                   .obey_retry_after = true };
    struct platform_config pc = s->opt.config;

    for (size_t i = 0; i < sizeof(sc.seed); i++) {
        sc.seed[i] = (uint8_t)test_random(&s->rnd);
        pc.seed[i] = (uint8_t)test_random(&s->rnd);
    }
    if (sip_stack_new(&s->server, &sc))
        return false;
    pc.alloc = s->opt.alloc;
    pc.sip = s->server;
    if (!pc.id)
        pc.id = SIM_ID;
    if (!pc.realm)
        pc.realm = SIM_REALM;
    if (!pc.password)
        pc.password = SIM_PASSWORD;
    if (!pc.timezone_min)
        pc.timezone_min = 480;
    if (platform_new(&s->p, &pc, s->now)) {
        sip_stack_free(s->server);
        s->server = NULL;
        return false;
    }
    return true;
}

bool sim_init(struct sim *s, const struct sim_options *opt)
{
    struct sip_stack_config fc = { .alloc = &gb_alloc_heap,
                                   .user_agent = "IP Camera" };

    memset(s, 0, sizeof(*s));
    if (opt)
        s->opt = *opt;
    else
        s->opt.config.auto_enrol = true;
    if (!s->opt.alloc)
        s->opt.alloc = &gb_alloc_heap;
    s->rnd = s->opt.seed ? s->opt.seed : 1;
    s->now = (struct gb_time){ 1000000, SIM_UTC };
    assert_int_equal(gb_addr_parse(&s->server_addr,
                                   slice_str("192.168.1.1:5060"), 0),
                     0);
    fc.seed[0] = 9;
    assert_int_equal(sip_stack_new(&s->field, &fc), 0);
    if (make_server(s))
        return true;
    sip_stack_free(s->field);
    s->field = NULL;
    return false;
}

void sim_free(struct sim *s)
{
    platform_free(s->p);
    sip_stack_free(s->server);
    sip_stack_free(s->field);
    sim_wire_free(s);
    s->p = NULL;
    s->server = s->field = NULL;
}

void sim_restart(struct sim *s)
{
    platform_free(s->p);
    sip_stack_free(s->server);
    memset(s->stream, 0, sizeof(s->stream));
    s->open_streams = 0;
    assert_true(make_server(s));
}

struct sim_device *sim_add(struct sim *s, const char *id, const char *ip,
                           uint8_t transport)
{
    struct sim_device *d = &s->device[s->n_devices++];

    assert_true(s->n_devices <= SIM_MAX_DEVICES);
    d->sim = s;
    snprintf(d->id, sizeof(d->id), "%s", id);
    assert_int_equal(gb_addr_parse(&d->addr, slice_str(ip), 5060), 0);
    d->transport = transport;
    d->connection = transport == SIP_UDP ? 0 : s->n_devices;
    d->password = SIM_PASSWORD;
    d->expires_s = 3600;
    d->next_keepalive_ms = GB_NEVER;
    d->to_server = (struct sip_peer){ .transport = transport,
                                      .connection = d->connection,
                                      .local = d->addr,
                                      .remote = s->server_addr };
    return d;
}

struct sim_device *sim_registered(struct sim *s, const char *id,
                                  uint8_t transport)
{
    struct sim_device *d;

    assert_true(sim_init(s, NULL));
    d = sim_add(s, id, "192.168.1.10:5060", transport);
    sim_register(d);
    sim_run(s, 10000);
    assert_true(sim_view(s, d).online);
    return d;
}

struct sim_device *sim_add_nth(struct sim *s, unsigned i, unsigned channels)
{
    struct sim_device *d;
    char id[21], ip[32];

    snprintf(id, sizeof(id), "3402000000118%07u", i + 1);
    snprintf(ip, sizeof(ip), "%s.%u:5060", i & 1 ? "203.0.113" : "10.0.0",
             10 + i);
    d = sim_add(s, id, ip, i % 3 == 2 ? SIP_TCP : SIP_UDP);
    sim_channels(d, channels);
    return d;
}

void sim_settle(struct sim *s)
{
    for (unsigned i = 0; i < s->n_devices; i++)
        sim_register(&s->device[i]);
    sim_run(s, 30000);
}

#define WITHOUT_MEMORY_MAX 3000 /* allocations of a life: it comes to an end */

void sim_without_memory(struct sim *s, void (*live)(void))
{
    bool done = false;

    for (unsigned long n = 1; !done; n++) {
        struct failing_alloc f;
        const struct sim_options o = { .config = { .auto_enrol = true },
                                       .alloc = &f.alloc };

        failing_alloc_init(&f, n);
        if (sim_init(s, &o)) {
            live();
            done = f.calls < n;
            sim_free(s);
        }
        if (f.live)
            fail_msg("allocation %lu: %lu left", n, f.live);
        assert_true(n < WITHOUT_MEMORY_MAX);
    }
}

/* ---- looking ---- */

int sim_play(struct sim *s, struct sim_device *d, const char *channel,
             enum platform_transport t, struct platform_session *out)
{
    const struct platform_live req = {
        .device = d ? slice_str(d->id) : slice_of(NULL, 0),
        .channel = slice_str(channel),
        .transport = t,
    };

    return platform_live_start(s->p, &req, s->now, out);
}

bool sim_deviates(const struct sim *s, const char *id, const char *text)
{
    const char *got;
    size_t pos = 0;

    while (platform_profile_deviation(s->p, slice_str(id), &pos, &got))
        if (!strcmp(got, text))
            return true;
    return false;
}

struct platform_session sim_watch(struct sim *s, struct sim_device *d,
                                  const char *channel,
                                  enum platform_transport t)
{
    struct platform_session v;

    assert_int_equal(sim_play(s, d, channel, t, &v), 0);
    platform_session_hold(s->p, v.id, s->now);
    return v;
}

int sim_playback(struct sim *s, struct sim_device *d, const char *channel,
                 enum platform_session_kind kind, enum platform_transport t,
                 struct platform_session *out)
{
    const struct platform_recording req = {
        .device = slice_str(d->id),
        .channel = slice_str(channel),
        .kind = kind,
        .transport = t,
        .start_s = SIM_UTC / 1000,
        .stop_s = SIM_UTC / 1000 + 600,
    };

    return platform_playback_start(s->p, &req, s->now, out);
}

struct platform_session sim_session(struct sim *s, uint64_t id)
{
    struct platform_session v;

    if (!platform_session_view(s->p, id, &v))
        fail_msg("session is gone: %s", s->last_evidence);
    return v;
}

struct platform_device sim_view(struct sim *s, const struct sim_device *d)
{
    struct platform_device v;

    if (!platform_device_view(s->p, slice_str(d->id), &v))
        fail_msg("device %s is not known", d->id);
    return v;
}

struct platform_channel sim_channel_view(struct sim *s,
                                         const struct sim_device *d, unsigned i)
{
    struct platform_channel c;

    assert_true(platform_channel_view(s->p, slice_str(d->id),
                                      slice_str(d->channel[i]), &c));
    return c;
}

struct platform_saved_device sim_saved(struct sim *s,
                                       const struct sim_device *d)
{
    struct platform_device v = sim_view(s, d);

    return (struct platform_saved_device){
        .id = slice_str(d->id),
        .name = SLICE("Recorder"),
        .edition = SLICE("3.0"),
        .charset = SLICE("GB2312"),
        .peer = v.peer,
        .registered_utc_ms = v.registered_utc_ms,
        .expires_utc_ms = v.expires_utc_ms,
        .keepalive_utc_ms = v.keepalive_utc_ms,
    };
}

struct platform_counters sim_counters(struct sim *s)
{
    struct platform_counters c;

    platform_counters(s->p, &c);
    return c;
}

void sim_expect_clean(struct sim *s)
{
    struct platform_counters c = sim_counters(s);

    assert_int_equal(c.sessions, 0);
    assert_int_equal(c.voices, 0);
    assert_int_equal(c.ports_lent, 0);
    assert_int_equal(c.ssrcs_lent, 0);
    assert_int_equal(s->open_streams, 0);
}
