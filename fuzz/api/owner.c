/* What main is to the application: it keeps what is set, answers questions of the
 * store, the media loops and the disks later or never, takes over viewers. */
#include "fuzz/api/site.h"

#include "app/http/token.h"
#include "app/net/cuts.h"
#include "app/net/volumes.h"
#include "app/trace/ring.h"
#include "app/trace/rtplog.h"

#include <string.h>

struct site site;
static const uint8_t key[32] = { 9, 9, 9 };

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 33;
}

uint64_t dice(void)
{
    return next(&site.dice);
}

/* ---- questions that wait ----------------------------------------------------------- */

static struct question_to_main {
    enum { FREE, HISTORY, HLS, JPEG, SETTINGS, CUT } kind;
    uint64_t request, session;
    enum http_hls_what what;
    struct http_ask ask;
    char device[HTTP_ID_MAX + 1];
    bool bounded, mine; /* HISTORY: of some devices alone; SAYS_DEVICE is one */
    struct cuts *cuts;
} questions[MAX_QUESTIONS];

static struct question_to_main *question(unsigned kind, uint64_t request)
{
    for (size_t i = 0; i < MAX_QUESTIONS && !site.refuses; i++)
        if (questions[i].kind == FREE) {
            questions[i] = (struct question_to_main){ .request = request };
            questions[i].kind = kind;
            return &questions[i];
        }
    return NULL;
}

static int on_ask(void *ctx, const struct http_ask *q)
{
    struct question_to_main *n = question(HISTORY, q->request);

    (void)ctx;
    require(q->request != 0);
    if (!n)
        return GB_ELIMIT;
    json_check(q->devices.n ? q->devices : SLICE("[]"));
    n->ask = *q;
    n->bounded = q->devices.n != 0;
    n->mine = slice_find_slice(q->devices, SLICE(SAYS_DEVICE)) < q->devices.n;
    slice_copy(n->device, sizeof(n->device), q->device);
    return 0;
}

static bool on_hls(void *ctx, const struct http_hls_ask *q)
{
    struct question_to_main *n = question(HLS, q->request);

    (void)ctx;
    read_all(q->query);
    if (n)
        n->what = q->what;
    return n != NULL;
}

static bool on_jpeg(void *ctx, uint64_t request, uint64_t session,
                    unsigned loop)
{
    struct question_to_main *n = question(JPEG, request);

    (void)ctx;
    (void)loop;
    if (n)
        n->session = session;
    return n != NULL;
}

static int on_cut(void *ctx, struct cuts *q)
{
    struct question_to_main *n = question(CUT, q->request);

    (void)ctx;
    if (!n)
        return GB_ENOMEM;
    n->cuts = q;
    return 0;
}

/* ---- the configuration ---------------------------------------------------------------- */

static char *http_items[] = { (char[]){ "0.0.0.0:28181" } };
static const struct http_setting settings[] = {
    { .key = "http.listen", .type = "address", .def = "", .help = "where",
      .from = "default", .list = true, .item = http_items, .n = 1 },
    { .key = "media.keep_open", .type = "seconds", .def = "10", .help = "how long",
      .from = "kept", .max = 600, .reloads = true, .changes = true,
      .item = http_items, .n = 1 },
    { .key = "server.password", .type = "text", .def = "", .help = "of devices",
      .from = "file", .secret = true, .changes = true },
};

static bool on_setting(void *ctx, size_t i, struct http_setting *out)
{
    (void)ctx;
    if (i >= COUNT_OF(settings))
        return false;
    *out = settings[i];
    return true;
}

static int on_set(void *ctx, uint64_t request, struct http_setting_value *v,
                  size_t n)
{
    (void)ctx;
    require(n && n <= HTTP_SETTINGS_MAX);
    for (size_t i = 0; i < n; i++) {
        read_all(v[i].key);
        read_all(v[i].text);
        if (v[i].text.n > 8) {
            slice_copy(v[i].why, sizeof(v[i].why), SLICE("this is no number"));
            return GB_ESYNTAX;
        }
    }
    return question(SETTINGS, request) ? 0 : GB_ESTATE;
}

/* ---- what is kept ------------------------------------------------------------------------ */

static void on_account(void *ctx, enum account_kind kind, struct slice name)
{
    (void)ctx;
    state_store(PART_ACCOUNTS, name,
                kind == ACCOUNT_TOKEN ? SLICE("token") : SLICE("user"));
}

static void on_hook(void *ctx, struct slice name)
{
    (void)ctx;
    state_store(PART_HOOKS, name, slice_of(NULL, 0));
}

static void on_rule(void *ctx, struct slice name)
{
    (void)ctx;
    state_store(PART_RULES, name, slice_of(NULL, 0));
}

static void on_push(void *ctx, struct slice device, struct slice channel)
{
    (void)ctx;
    state_store(PART_PUSHES, device, channel);
}

static void on_recorder(void *ctx, struct slice device, struct slice channel)
{
    (void)ctx;
    state_store(PART_RECORDERS, device, channel);
}

/* What main does with an action, beside showing it to the application. */
static void keep_device(const struct platform_action *a)
{
    struct slice none = { 0 };

    if (a->flags & PLATFORM_CHANGED_SETTINGS ||
        !state_is_stored(PART_DEVICES, a->device, none))
        state_store(PART_DEVICES, a->device, none);
}

/* What of a device that is gone was kept of its channels. */
static void remove_device(struct slice device)
{
    static char channels[MAX_KEPT][HTTP_ID_MAX + 1];
    struct slice any = { 0 };
    struct recorders_walk walk = { 0 };
    struct recorder_view r;
    struct push_view v;
    struct pushes_walk at = { 0 };
    size_t n = 0;

    while (pushes_next(site.pushes, device, any, &at, &v) && n < MAX_KEPT)
        slice_copy(channels[n++], sizeof(channels[0]), v.channel);
    pushes_remove_device(site.pushes, device, run.now);
    for (size_t i = 0; i < n; i++)
        state_store(PART_PUSHES, device, slice_str(channels[i]));
    n = 0;
    while (recorders_next(site.recorders, &walk, &r) && n < MAX_KEPT)
        if (slice_eq(r.device, device))
            slice_copy(channels[n++], sizeof(channels[0]), r.channel);
    recorders_remove_device(site.recorders, device, run.now);
    for (size_t i = 0; i < n; i++)
        state_store(PART_RECORDERS, device, slice_str(channels[i]));
    state_store(PART_DEVICES, device, any);
}

static void told(const struct platform_action *a)
{
    struct platform_session s;

    switch (a->kind) {
    case PLATFORM_DEVICE_CHANGED:
        keep_device(a);
        break;
    case PLATFORM_DEVICE_REMOVED:
        remove_device(a->device);
        break;
    case PLATFORM_GROUP_CHANGED:
    case PLATFORM_GROUP_REMOVED:
        state_store(PART_GROUPS, a->text, slice_of(NULL, 0));
        break;
    case PLATFORM_SESSION_CHANGED:
        if (a->session != pick(&run.sessions, 0))
            know(&run.sessions, a->session);
        if (platform_session_view(run.p, a->session, &s)) {
            pushes_on_session(site.pushes, &s);
            recorders_on_session(site.recorders, &s);
        }
        break;
    default:
        break;
    }
    http_on_action(site.app, a);
}

static uint64_t deadline(void)
{
    return http_app_deadline(site.app);
}

static void tick(void)
{
    http_app_tick(site.app);
}

static const struct guest guest = { told, deadline, tick };

/* ---- what the application asks of main and of its server ------------------------------- */

static struct gb_time on_now(void *ctx)
{
    (void)ctx;
    return run.now;
}

static void on_random(void *ctx, void *p, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)p)[i] = (uint8_t)next(&site.random);
}

static void on_touched(void *ctx)
{
    (void)ctx;
}

static int on_media(void *ctx, struct http_handover *h)
{
    (void)ctx;
    require(h->session);
    for (size_t i = 0; i < MAX_HELD && !site.refuses; i++)
        if (!site.held[i]) {
            site.held[i] = h->session;
            return 0;
        }
    return GB_ELIMIT;
}

static bool on_picture(void *ctx, const char *name, struct slice bytes)
{
    (void)ctx;
    read_all(bytes);
    require(strlen(name) <= HTTP_FILE_NAME_MAX && !strchr(name, '/'));
    return !site.refuses;
}

static void on_remove(void *ctx, const char *name)
{
    (void)ctx;
    require(*name && !strchr(name, '/') && !strstr(name, ".."));
}

static bool on_record_remove(void *ctx, struct slice device,
                             struct slice channel, int64_t begin_utc_ms)
{
    (void)ctx;
    return archive_remove(site.archive, device, channel, begin_utc_ms);
}

static size_t on_recorded(void *ctx, struct slice device, struct slice channel,
                          int64_t from_utc_ms, int64_t to_utc_ms,
                          struct http_span *out, size_t cap)
{
    (void)ctx;
    (void)device;
    (void)channel;
    if (!cap || site.refuses)
        return 0;
    out[0] = (struct http_span){ from_utc_ms, from_utc_ms +
                                                  (to_utc_ms - from_utc_ms) / 2 };
    return 1;
}

static void on_audit(void *ctx, const struct http_audit *e)
{
    (void)ctx;
    secrets_check(e->who);
    secrets_check(e->path);
    require(e->role.n && e->method.n && e->peer.n);
}

static void on_log(void *ctx, enum platform_level level, const char *line)
{
    (void)ctx;
    (void)level;
    secrets_check(slice_str(line));
}

static size_t on_addresses(void *ctx, struct gb_addr *out, size_t cap)
{
    (void)ctx;
    require(cap >= 1);
    out[0] = run.device.local;
    return 1;
}

static bool on_event_wanted(void *ctx, enum hooks_kind kind)
{
    (void)ctx;
    (void)kind;
    return true;
}

static void on_event(void *ctx, const struct http_event *e)
{
    (void)ctx;
    json_check(e->data);
    json_check(e->body);
    secrets_check(e->data);
}

static void on_acknowledge(void *ctx, uint64_t alarm, struct slice who,
                           int64_t utc_ms)
{
    (void)ctx;
    (void)utc_ms;
    require(alarm);
    secrets_check(who);
}

static void on_say(void *ctx, uint64_t voice, unsigned loop, const int16_t *pcm,
                   size_t n)
{
    (void)ctx;
    (void)loop;
    require(voice);
    memory_read(pcm, n * sizeof(*pcm));
}

static void on_dismissed(void *ctx, uint64_t who)
{
    (void)ctx;
    require(who);
}

static void on_plain(void *ctx)
{
    (void)ctx;
}

/* ---- the server ----------------------------------------------------------------------- */

struct waiting *waiting_of(uint64_t request)
{
    for (size_t i = 0; i < MAX_WAITING; i++)
        if (site.waiting[i].request == request)
            return &site.waiting[i];
    return NULL;
}

static void on_answer(void *ctx, uint64_t request, struct http_response *r)
{
    struct waiting *w = waiting_of(request);

    (void)ctx;
    require(request && w); /* it waits, and has had none */
    w->request = 0;
    answer_check(&w->q, r);
    http_response_fini(r);
}

static void on_talk_text(void *ctx, uint64_t client, struct slice s)
{
    (void)ctx;
    require(client);
    json_check(s);
}

static void on_talk_end(void *ctx, uint64_t client, bool well)
{
    (void)ctx;
    (void)well;
    require(client);
}

/* Nobody is made to wait for a hash that is meant to be slow. */
static int on_hash(void *ctx, struct http_password_job *job)
{
    (void)ctx;
    if (site.refuses)
        return GB_ELIMIT;
    job->rounds = 1;
    if (!job->checks || http_password_rounds(slice_str(job->hash)) == 1)
        http_password_job_run(job);
    site.job = job;
    return 0;
}

/* ---- answers to questions ------------------------------------------------------------- */

static void tell_history(struct question_to_main *q)
{
    static const struct platform_alarm alarm = {
        .device = SLICE_INIT(SAYS_DEVICE), .channel = SLICE_INIT(SAYS_CHANNEL "0"),
        .priority = SLICE_INIT("1"), .method = SLICE_INIT("5"),
        .time = SLICE_INIT("2023-11-14T22:13:20"),
        .description = SLICE_INIT("\"a\",\r\n=b"), .type = SLICE_INIT("2"),
        .received_utc_ms = UTC, .id = 1,
    };
    static const struct platform_position position = {
        .device = SLICE_INIT(SAYS_DEVICE), .time = SLICE_INIT("x"),
    };
    static const struct http_audit entry = {
        .id = 3, .who = SLICE_INIT("ada"), .role = SLICE_INIT("admin"),
        .peer = SLICE_INIT("::1"), .method = SLICE_INIT("POST"),
        .path = SLICE_INIT("/\x01"), .status = 200, .at_utc_ms = UTC,
    };
    struct platform_command command = { .id = 7, .device = SLICE(SAYS_DEVICE) };
    struct http_told t = { .request = q->request, .total = 1, .last = 1 };

    t.n = q->ask.limit != 0 || q->ask.list == HTTP_HISTORY_COMMAND;
    if (site.refuses)
        t.err = GB_EIO;
    if (t.err || (q->bounded && !q->mine) ||
        (*q->device && !slice_eq(slice_str(q->device), SLICE(SAYS_DEVICE))))
        t.n = 0;
    t.more = t.n && dice() & 1;
    t.alarms = &alarm;
    t.positions = &position;
    t.commands = &command;
    t.audits = &entry;
    t.detail = t.n ? SLICE("Info/PTZType\t1\nA\t\xc3\xa9\n") : slice_of(NULL, 0);
    http_app_told(site.app, &t);
}

/* Parts of each file, or none, as if it had been looked at. */
static void find_parts(struct cuts *q)
{
    size_t head = 0;

    q->err = site.refuses ? GB_ENOMEM : 0;
    if (q->one && dice() % 8 == 0) {
        q->err = GB_EUNSUPPORTED;
        q->changed_utc_ms = q->from_utc_ms;
    }
    for (size_t i = 0; i < q->n && !q->err; i++) {
        struct mp4cut *c = &q->file[i].cut;
        size_t n = site.plain ? 2 : dice() % 4;

        if (n == 0)
            continue; /* it went meanwhile */
        c->part = gb_get(&gb_alloc_heap, n * sizeof(*c->part));
        require(c->part);
        c->n = c->cap = n;
        c->head_bytes = 800;
        c->audio_hz = dice() & 1 ? 8000 : 0;
        for (size_t k = 0; k < n; k++)
            c->part[k] = (struct mp4cut_part){
                .off = 800 + k * 5000, .n = 5000,
                .at90k = (int64_t)k * 180000, .length90k = 180000,
            };
        head = dice() & 1 ? i : head;
        q->file[i].head = q->file[head].cut.n ? head : i;
    }
    if (!q->err)
        cuts_place(q);
}

static void tell(struct question_to_main *q)
{
    static const struct slice list = SLICE_INIT("#EXTM3U\n");
    struct http_hls_told h = { .request = q->request, .what = q->what,
                               .playlist = list };
    struct http_jpeg_told j = { .request = q->request, .session = q->session,
                                .picture = SLICE("\xff\xd8\xff\xd9") };

    if (q->kind == HISTORY)
        tell_history(q);
    if (q->kind == HLS) {
        h.err = site.refuses || q->what != HTTP_HLS_PLAYLIST ? GB_ENOENT : 0;
        http_app_hls_told(site.app, &h);
    }
    if (q->kind == JPEG) {
        j.err = site.refuses ? GB_ELIMIT : 0;
        j.why = "too many";
        http_app_jpeg_told(site.app, &j);
    }
    if (q->kind == SETTINGS)
        http_app_set_told(site.app, q->request, site.refuses ? GB_EIO : 0);
    if (q->kind == CUT) {
        find_parts(q->cuts);
        http_app_cut_told(site.app, q->cuts);
    }
}

static bool answer_questions(void)
{
    struct http_password_job *job = site.job;
    bool some = job != NULL;

    site.job = NULL;
    if (job)
        http_app_password_done(site.app, job);
    for (size_t i = 0; i < MAX_QUESTIONS; i++) {
        struct question_to_main q = questions[i];

        if (q.kind == FREE)
            continue;
        questions[i].kind = FREE;
        tell(&q);
        some = true;
    }
    if (http_app_commits(site.app) != site.committed) {
        site.committed = http_app_commits(site.app);
        http_app_committed(site.app, site.committed,
                           site.refuses ? GB_EIO : 0);
        some = true;
    }
    return some;
}

static void read_stream(size_t i)
{
    struct buf b;
    bool more = site.stream[i].open;

    if (more && !http_app_who_is_there(site.app, site.stream[i].who)) {
        site.stream[i].open = false;
        http_app_event_leave(site.app);
        return;
    }
    buf_init(&b, &memory_alloc, 1u << 20);
    while (more) {
        b.len = 0;
        more = site.stream[i].log.on
                   ? http_app_log_next(site.app, &site.stream[i].log,
                                       &site.stream[i].seq, &b)
               : site.stream[i].trace.on
                   ? http_app_trace_next(site.app, &site.stream[i].trace,
                                         &site.stream[i].seq, &b)
                   : http_app_event_next(site.app, site.stream[i].who,
                                         &site.stream[i].seq, &b);
        secrets_check(buf_view(&b));
    }
    buf_fini(&b);
}

/* What the platform has sent meanwhile is kept as evidence. */
static void trace_sent(void)
{
    for (; site.traced < run.n_asked; site.traced++) {
        const struct asked *a = &run.asked[site.traced % MAX_ASKED];

        if (run.n_asked - site.traced > MAX_ASKED)
            continue;
        trace_put(site.trace, TRACE_OUT, &run.device, slice_of(a->p, a->n),
                  run.now);
        http_on_trace(site.app);
    }
}

void site_turn(void)
{
    unsigned n = 0;

    do {
        require(n++ < MAX_TURNS);
        pump();
    } while (answer_questions());
    trace_sent();
    for (size_t i = 0; i < MAX_STREAMS_OPEN; i++)
        read_stream(i);
    for (size_t i = 0; i < MAX_WAITING; i++)
        require(!site.waiting[i].request ||
                run.now.mono_ms - site.waiting[i].since_ms <= LATER_MS);
}

/* ---- from the beginning to the end ------------------------------------------------------ */

static void make_accounts(void)
{
    static char secret[TOKEN_SECRET_MAX + 1], hash[HTTP_PASSWORD_HASH_MAX];
    static const uint8_t salt[16] = { 1 };

    http_password_hash(hash, SLICE(SECRET "pass"), salt, 1);
    for (size_t i = 0; i < persons_count(); i++) {
        const struct person *p = &persons[i];
        struct account v = { .kind = p->login ? ACCOUNT_USER : ACCOUNT_TOKEN,
                             .role = p->role, .scope = slice_str(p->scope),
                             .made_utc_ms = UTC };

        if (!p->name)
            continue;
        v.name = slice_str(p->name);
        if (p->token)
            token_secret_write(secret, slice_str(p->token), v.name, NULL, key);
        v.secret = p->login ? slice_str(hash) : slice_str(secret);
        require(accounts_set(site.accounts, &v) == 0);
    }
}

/* Recordings, a firmware file, a picture. */
static void make_files(void)
{
    const struct archive_segment s = { UTC - 600000, 60000, ARCHIVE_SOUND, 1000 };
    const struct archive_segment t = { UTC - 300000, 60000, ARCHIVE_OPEN, 1000 };
    struct slice device = SLICE(SAYS_DEVICE), channel = SLICE(SAYS_CHANNEL "0");

    require(archive_put(site.archive, device, channel, &s) == 0);
    require(archive_put(site.archive, device, channel, &t) == 0);
    http_app_firmware(site.app, UPLOADED, 1000, UTC);
    http_app_picture(site.app, PICTURE, 1000, http_picture_utc_ms(PICTURE));
}

/* A SIP message with a secret, and lines: only what is masked comes out. */
static void make_logs(struct http_app_config *c)
{
    static const char message[] =
        "REGISTER sip:" SAYS_SERVER "@" SAYS_REALM " SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK1\r\n"
        "From: <sip:" SAYS_DEVICE "@" SAYS_REALM ">;tag=1\r\n"
        "To: <sip:" SAYS_DEVICE "@" SAYS_REALM ">\r\nCall-ID: 1\r\n"
        "CSeq: 2 REGISTER\r\nAuthorization: Digest username=\"" SAYS_DEVICE
        "\", realm=\"x\", nonce=\"n\", uri=\"sip:x\", response=\""
        SECRET "r\"\r\nContent-Length: 0\r\n\r\n";
    const struct trace_config tc = { .alloc = &memory_alloc, .id = SAYS_SERVER };

    require(!trace_new(&site.trace, &tc) && !logring_new(&site.log));
    for (unsigned i = 0; i < 2; i++)
        trace_put(site.trace, i ? TRACE_OUT : TRACE_IN, &run.device,
                  slice_of(message, sizeof(message) - 1), run.now);
    logring_put(site.log, LOG_INFO, UTC, SLICE("msg=\"a line\" x=\xff"));
    logring_put(site.log, LOG_ERROR, UTC, SLICE("msg=\"another\""));
    c->trace = site.trace;
    c->log_ring = site.log;
}

/* Of one session, for ever: they are only read. */
static struct rtplogs *make_headers(void)
{
    static struct rtplogs *all;
    static const uint8_t packet[40] = { 0x80, 96, 0, 1 };
    const struct rtplogs_of of = {
        .device = SLICE(SAYS_DEVICE), .channel = SLICE(SAYS_CHANNEL "0"),
        .call_id = SLICE("1"), .local = run.device.local,
        .remote = run.device.remote,
    };
    struct rtplog *log;

    if (all)
        return all;
    all = rtplogs_new();
    log = all ? rtplogs_open(all, 1) : NULL;
    require(log);
    rtplogs_note(all, 1, &of);
    for (unsigned i = 0; i < 3; i++)
        rtplog_put(log, packet, sizeof(packet), i & 1, UTC + i * 1000);
    return all;
}

static struct http_app_config config(unsigned how)
{
    static const struct http_net proxies[] = {
        { { GB_IPV4, { 10, 0, 0, 0 }, 0 }, 8 },
    };
    static struct volumes *volumes; /* one for ever: nothing is written there */
    struct http_app_config c = {
        .alloc = &memory_alloc, .platform = run.p, .sip = run.sip,
        .now = on_now, .random = on_random, .touched = on_touched,
        .on_media = on_media, .hls = on_hls, .jpeg = on_jpeg, .say = on_say,
        .ask = on_ask, .acknowledge = on_acknowledge, .audit = on_audit,
        .hooks = site.hooks, .hooks_due = on_plain, .hook_changed = on_hook,
        .event_wanted = on_event_wanted, .event = on_event,
        .rules = site.rules, .rule_changed = on_rule,
        .pushes = site.pushes, .push_changed = on_push,
        .picture_store = on_picture, .picture_remove = on_remove,
        .pictures_max = 1u << 20, .picture_dir = "/pictures",
        .firmware_max = 1u << 20, .http_port = 28181, .tiles_dir = "/tiles",
        .tiles_zoom = 3, .download_dir = "/downloads", .recorded = on_recorded,
        .recorders = site.recorders, .archive = site.archive,
        .record_changed = on_recorder, .record_remove = on_record_remove,
        .cut = on_cut, .setting = on_setting, .set = on_set,
        .file_remove = on_remove, .commits = how & 1, .addresses = on_addresses,
        .log = on_log, .accounts = site.accounts, .account_changed = on_account,
        .dismissed = on_dismissed, .rtsp_realm = "gb28181d", .auth = true,
        .wvp_login = how & 2, .admin_token = SECRET "install",
        .public_url = how & 4 ? "https://nvr.example/" : NULL,
        .trusted_proxies = proxies, .n_trusted_proxies = 1, .version = "0.1.0",
        .server_id = SAYS_SERVER, .realm = SAYS_REALM,
        .device_password = SECRET "device", .sip_port = 5060, .rtsp_port = 554,
        .formats = (1u << HTTP_FORMAT_COUNT) - 1,
    };

    if (!volumes)
        require(volumes_new(&volumes, SLICE("/recordings")) == 0);
    c.volumes = volumes;
    c.headers = make_headers();
    memcpy(c.key, key, sizeof(key));
    return c;
}

bool site_begin(unsigned how)
{
    static const struct http_edge edge = {
        .answer = on_answer, .event = on_plain, .wake = on_plain,
        .talk_text = on_talk_text, .talk_end = on_talk_end, .hash = on_hash,
    };
    const struct hooks_config hc = { .alloc = &memory_alloc, .boot = 1,
                                     .agent = "gb28181d/0.1", .tls = true };
    const struct archive_limits none = { 0 };
    struct http_app_config c;

    memset(&site, 0, sizeof(site));
    memset(questions, 0, sizeof(questions));
    site.dice = how;
    require(!accounts_new(&site.accounts, &memory_alloc) &&
            !hooks_new(&site.hooks, &hc) &&
            !rules_new(&site.rules, &memory_alloc, run.p) &&
            !pushes_new(&site.pushes, &memory_alloc, run.p, true) &&
            !recorders_new(&site.recorders, &memory_alloc, run.p) &&
            !archive_new(&site.archive, &memory_alloc, &none));
    make_accounts();
    state_store_all();
    c = config(how);
    make_logs(&c);
    require(http_app_new(&site.app, &c) == 0);
    http_app_set_edge(site.app, &edge);
    make_files();
    run.guest = &guest;
    return true;
}

/* Somebody goes: from a request that waits, with a connection, from a stream; a
 * viewer has seen enough. */
void site_gone(unsigned arg, const uint8_t *v)
{
    struct waiting *w = &site.waiting[v[0] % MAX_WAITING];
    size_t i = v[0] % MAX_STREAMS_OPEN, k = v[0] % MAX_HELD;

    if (arg % 4 == 0 && w->request) {
        uint64_t request = w->request;

        w->request = 0;
        http_app_gone(site.app, request);
    } else if (arg % 4 == 1) {
        http_app_closed(site.app, 1 + v[0] % MAX_CLIENTS);
    } else if (arg % 4 == 2 && site.stream[i].open) {
        site.stream[i].open = false;
        http_app_event_leave(site.app);
    } else if (site.held[k]) {
        platform_session_release(run.p, site.held[k], run.now);
        site.held[k] = 0;
    }
    site_turn();
}

void site_end(void)
{
    uint8_t v[8] = { 0 };

    memory.fail_in = 0;
    site.refuses = false;
    for (unsigned i = 0; i < MAX_HELD; i++) {
        v[0] = (uint8_t)i;
        site_gone(3, v);
        if (i < MAX_STREAMS_OPEN)
            site_gone(2, v);
    }
    for (unsigned i = 0; i <= MAX_CLIENTS; i++)
        http_app_closed(site.app, i);
    site_turn();
    pass(120000); /* longer than anything is waited for */
    site_turn();
    for (size_t i = 0; i < MAX_WAITING; i++)
        require(!site.waiting[i].request);
    state_compare();
    drain();
    run.guest = NULL;
    http_app_free(site.app);
    pushes_free(site.pushes);
    recorders_free(site.recorders);
    rules_free(site.rules);
    hooks_free(site.hooks);
    archive_free(site.archive);
    accounts_free(site.accounts);
    trace_free(site.trace);
    logring_free(site.log);
}
