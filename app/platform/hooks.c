#include "app/platform/hooks.h"

#include "base/map.h"

#include <assert.h>
#include <nettle/hmac.h>

/* One body, shared by the queues that hold it. */
struct event {
    uint64_t number;
    enum hooks_kind kind;
    unsigned refs;
    size_t n;
    char body[];
};

enum {
    LINE_FAILING = 1, LINE_BACK = 2, LINE_DROPPED = 4, LINE_GIVEN_UP = 8,
    LINE_LOST = 16,
};

struct hook {
    bool used, off, fixed, marked;
    char name[HOOKS_NAME_MAX + 1], url[HOOKS_URL_MAX + 1],
        secret[HOOKS_SECRET_MAX + 1];
    struct hooks_url to; /* slices of url */
    unsigned kinds;
    struct event **ring; /* HOOKS_QUEUE_MAX; NULL: none yet */
    unsigned first, n;
    size_t bytes;        /* of what is in the ring */
    struct event *flying; /* being called, or to be tried again */
    unsigned flying_tries;
    uint64_t call;       /* 0: none under way */
    uint64_t at_ms;      /* not before */
    uint32_t failures;
    unsigned lines;      /* LINE_ to be told */
    bool said_dropped, said_failing; /* until it is well again */
    uint64_t delivered, tries, refused, given_up, dropped;
    unsigned status;
    char why[HOOKS_WHY_MAX];
    int64_t called_utc_ms, delivered_utc_ms;
    char head[HOOKS_HEAD_MAX];
};

struct hooks {
    struct hooks_config cfg;
    uint64_t key[2], random;
    uint64_t next_event, next_call;
    struct hook hook[HOOKS_MAX];
};

const char *hooks_kind_name(enum hooks_kind k)
{
    static const char *const names[HOOKS_KINDS] = {
#define X(id, name) name,
        HOOKS_KIND_MAP(X)
#undef X
    };

    return names[k];
}

enum hooks_kind hooks_kind_by_name(struct slice name)
{
    unsigned k = 0;

    while (k < HOOKS_KINDS &&
           !slice_eq(name, slice_str(hooks_kind_name((enum hooks_kind)k))))
        k++;
    return (enum hooks_kind)k;
}

const char *hooks_state_name(enum hooks_state s)
{
    static const char *const names[] = { "idle", "calling", "waiting", "off" };

    return names[s];
}

void hooks_sign(struct writer *w, struct slice secret, int64_t utc_s,
                struct slice body)
{
    uint8_t mac[SHA256_DIGEST_SIZE];
    struct hmac_sha256_ctx ctx;
    char time[24];
    struct writer t = writer_of(time, sizeof(time));

    writer_i64(&t, utc_s);
    hmac_sha256_set_key(&ctx, secret.n, (const uint8_t *)secret.p);
    writer_f(w, "t=%.*s,v1=", (int)t.len, time);
    writer_char(&t, '.');
    hmac_sha256_update(&ctx, t.len, (const uint8_t *)time);
    hmac_sha256_update(&ctx, body.n, (const uint8_t *)body.p);
    hmac_sha256_digest(&ctx, sizeof(mac), mac);
    writer_hex(w, mac, sizeof(mac));
}

/* ---- URLs ---------------------------------------------------------------- */

static bool is_visible(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f)
            return false;
    return true;
}

static bool is_host_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '-' &&
            c != '.' && c != '_')
            return false;
    }
    return s.n > 0 && s.n <= 253;
}

/* "host", "host:80", "[::1]:80" */
static int parse_authority(struct hooks_url *u)
{
    struct slice s = u->authority, port = { NULL, 0 };
    struct gb_addr addr;
    uint32_t number = u->secure ? 443 : 80;
    size_t end;

    if (s.n && s.p[0] == '[') {
        end = slice_find(s, ']');
        if (end == s.n || gb_addr_parse_ip(&addr, slice_head(s, end + 1)))
            return GB_ESYNTAX;
        u->host = slice_of(s.p + 1, end - 1);
        s = slice_from(s, end + 1);
    } else {
        end = slice_find(s, ':');
        u->host = slice_head(s, end);
        s = slice_from(s, end);
        if (!is_host_name(u->host))
            return GB_ESYNTAX;
    }
    if (s.n) {
        port = slice_from(s, 1);
        if (s.p[0] != ':' || !slice_u32(port, 65535, &number) || number == 0)
            return GB_ESYNTAX;
    }
    u->port = (uint16_t)number;
    return 0;
}

int hooks_url_parse(struct hooks_url *out, struct slice text)
{
    struct hooks_url u = { 0 };
    struct slice rest = text;

    if (slice_has_iprefix(rest, SLICE("https://")))
        u.secure = true;
    else if (!slice_has_iprefix(rest, SLICE("http://")))
        return GB_ESYNTAX;
    rest = slice_from(rest, u.secure ? 8 : 7);
    if (!is_visible(rest) || slice_find(rest, '#') < rest.n ||
        text.n > HOOKS_URL_MAX)
        return GB_ESYNTAX;
    u.authority = slice_head(rest, slice_find(rest, '/'));
    u.authority = slice_head(u.authority, slice_find(u.authority, '?'));
    u.path = slice_from(rest, u.authority.n);
    if (slice_find(u.authority, '@') < u.authority.n || parse_authority(&u))
        return GB_ESYNTAX;
    *out = u;
    return 0;
}

/* ---- queues -------------------------------------------------------------- */

static void event_drop(struct hooks *h, struct event *e)
{
    if (e && --e->refs == 0)
        gb_put(h->cfg.alloc, e);
}

static struct event *take(struct hook *k)
{
    struct event *e = k->ring[k->first];

    k->first = (k->first + 1) % HOOKS_QUEUE_MAX;
    k->n--;
    k->bytes -= e->n;
    return e;
}

static void lost(struct hook *k)
{
    k->dropped++;
    if (!k->said_dropped)
        k->lines |= LINE_DROPPED;
    k->said_dropped = true;
}

static void put(struct hooks *h, struct hook *k, struct event *e)
{
    if (!k->ring)
        k->ring = gb_get(h->cfg.alloc, HOOKS_QUEUE_MAX * sizeof(*k->ring));
    if (!k->ring) {
        lost(k);
        return;
    }
    while (k->n == HOOKS_QUEUE_MAX ||
           (k->n && k->bytes + e->n > HOOKS_QUEUE_BYTES)) {
        event_drop(h, take(k));
        lost(k);
    }
    k->ring[(k->first + k->n++) % HOOKS_QUEUE_MAX] = e;
    k->bytes += e->n;
    e->refs++;
}

static struct event *event_new(struct hooks *h, enum hooks_kind kind,
                               struct slice body)
{
    struct event *e = body.n <= HOOKS_EVENT_MAX
                          ? gb_get(h->cfg.alloc, sizeof(*e) + body.n)
                          : NULL;

    h->next_event++;
    if (!e)
        return NULL;
    e->number = h->next_event - 1;
    e->kind = kind;
    e->refs = 1;
    e->n = body.n;
    if (body.n)
        memcpy(e->body, body.p, body.n);
    return e;
}

static bool is_wanted(const struct hook *k, enum hooks_kind kind)
{
    return k->used && !k->off && (!k->kinds || k->kinds >> kind & 1);
}

bool hooks_wants(const struct hooks *h, enum hooks_kind kind)
{
    for (unsigned i = 0; i < HOOKS_MAX; i++)
        if (is_wanted(&h->hook[i], kind))
            return true;
    return false;
}

void hooks_next_id(const struct hooks *h, struct writer *w)
{
    writer_f(w, "%llx-%llu", (unsigned long long)h->cfg.boot,
             (unsigned long long)h->next_event);
}

void hooks_event(struct hooks *h, enum hooks_kind kind, struct slice body)
{
    struct event *e;

    if (!hooks_wants(h, kind)) {
        h->next_event++;
        return;
    }
    e = event_new(h, kind, body);
    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        if (!is_wanted(&h->hook[i], kind))
            continue;
        if (e)
            put(h, &h->hook[i], e);
        else
            lost(&h->hook[i]);
    }
    event_drop(h, e);
}

/* ---- the table ----------------------------------------------------------- */

static struct hook *find(const struct hooks *h, struct slice name)
{
    for (unsigned i = 0; i < HOOKS_MAX; i++)
        if (h->hook[i].used && slice_eq(slice_str(h->hook[i].name), name))
            return (struct hook *)(uintptr_t)&h->hook[i];
    return NULL;
}

int hooks_event_to(struct hooks *h, struct slice name, enum hooks_kind kind,
                   struct slice body)
{
    struct hook *k = find(h, name);
    struct event *e;

    if (!k)
        return GB_ENOENT;
    e = event_new(h, kind, body);
    if (!e)
        return GB_ENOMEM;
    put(h, k, e);
    event_drop(h, e);
    return 0;
}

int hooks_new(struct hooks **out, const struct hooks_config *cfg)
{
    struct hooks *h = gb_get(cfg->alloc, sizeof(*h));

    if (!h)
        return GB_ENOMEM;
    h->cfg = *cfg;
    memcpy(h->key, cfg->seed, sizeof(h->key));
    h->next_event = h->next_call = 1;
    *out = h;
    return 0;
}

static void empty(struct hooks *h, struct hook *k)
{
    while (k->n)
        event_drop(h, take(k));
    event_drop(h, k->flying);
    gb_put(h->cfg.alloc, k->ring);
    memset(k, 0, sizeof(*k));
}

void hooks_free(struct hooks *h)
{
    if (!h)
        return;
    for (unsigned i = 0; i < HOOKS_MAX; i++)
        empty(h, &h->hook[i]);
    gb_put(h->cfg.alloc, h);
}

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '-' &&
            c != '_' && c != '.')
            return false;
    }
    return s.n > 0 && s.n <= HOOKS_NAME_MAX;
}

int hooks_set(struct hooks *h, const struct hook_settings *s,
              struct gb_time now)
{
    struct hook *k = find(h, s->name);
    struct hooks_url to;

    if (!is_name(s->name) || hooks_url_parse(&to, s->url) ||
        s->secret.n > HOOKS_SECRET_MAX || !is_visible(s->secret) ||
        (!k && !s->secret.n) || s->kinds >> HOOKS_KINDS)
        return GB_ESYNTAX;
    if (to.secure && !h->cfg.tls)
        return GB_EUNSUPPORTED;
    for (unsigned i = 0; !k && i < HOOKS_MAX; i++)
        if (!h->hook[i].used)
            k = &h->hook[i];
    if (!k)
        return GB_ELIMIT;
    k->used = k->marked = true;
    k->off = s->off;
    k->fixed = s->fixed;
    k->kinds = s->kinds;
    slice_copy(k->name, sizeof(k->name), s->name);
    if (!slice_eq(slice_str(k->url), s->url)) {
        slice_copy(k->url, sizeof(k->url), s->url);
        hooks_url_parse(&k->to, slice_str(k->url));
        k->failures = 0; /* it may be better there */
        k->at_ms = now.mono_ms;
    }
    if (s->secret.n)
        slice_copy(k->secret, sizeof(k->secret), s->secret);
    return 0;
}

int hooks_remove(struct hooks *h, struct slice name)
{
    struct hook *k = find(h, name);

    if (!k)
        return GB_ENOENT;
    empty(h, k);
    return 0;
}

void hooks_mark(struct hooks *h)
{
    for (unsigned i = 0; i < HOOKS_MAX; i++)
        h->hook[i].marked = !h->hook[i].fixed;
}

void hooks_sweep(struct hooks *h)
{
    for (unsigned i = 0; i < HOOKS_MAX; i++)
        if (h->hook[i].used && !h->hook[i].marked)
            empty(h, &h->hook[i]);
}

/* ---- calls --------------------------------------------------------------- */

static bool is_waiting(const struct hook *k)
{
    return k->used && !k->off && !k->call && (k->flying || k->n);
}

static void write_head(const struct hooks *h, struct hook *k,
                       struct gb_time now, struct writer *w)
{
    const struct event *e = k->flying;
    struct slice body = { e->body, e->n };

    writer_str(w, "POST ");
    if (!k->to.path.n || k->to.path.p[0] != '/')
        writer_char(w, '/');
    writer_slice_put(w, k->to.path);
    writer_f(w, " HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: %s\r\n"
                "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                "X-GB28181-Event: %s\r\nX-GB28181-Delivery: %llx-%llu\r\n"
                "X-GB28181-Try: %u\r\nX-GB28181-Dropped: %llu\r\n"
                "X-GB28181-Signature: ",
             SLICE_ARG(k->to.authority), h->cfg.agent, e->n,
             hooks_kind_name(e->kind), (unsigned long long)h->cfg.boot,
             (unsigned long long)e->number, k->flying_tries,
             (unsigned long long)k->dropped);
    hooks_sign(w, slice_str(k->secret), now.utc_ms / 1000, body);
    writer_str(w, "\r\n\r\n");
}

static void begin(struct hooks *h, struct hook *k, struct gb_time now,
                  struct hooks_call *out)
{
    struct writer w = writer_of(k->head, sizeof(k->head));

    if (!k->flying) {
        k->flying = take(k);
        k->flying_tries = 0;
    }
    k->flying_tries++;
    k->tries++;
    k->call = h->next_call++;
    k->called_utc_ms = now.utc_ms;
    write_head(h, k, now, &w);
    assert(!w.err);
    *out = (struct hooks_call){
        .id = k->call,
        .slot = (unsigned)(k - h->hook),
        .host = k->to.host,
        .port = k->to.port,
        .secure = k->to.secure,
        .head = writer_slice(&w),
        .body = { k->flying->body, k->flying->n },
    };
}

bool hooks_call(struct hooks *h, struct gb_time now, struct hooks_call *out)
{
    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        struct hook *k = &h->hook[i];

        if (!is_waiting(k) || k->at_ms > now.mono_ms)
            continue;
        begin(h, k, now, out);
        return true;
    }
    return false;
}

uint64_t hooks_deadline(const struct hooks *h)
{
    uint64_t at = GB_NEVER;

    for (unsigned i = 0; i < HOOKS_MAX; i++)
        if (is_waiting(&h->hook[i]) && h->hook[i].at_ms < at)
            at = h->hook[i].at_ms;
    return at;
}

bool hooks_is_moving(const struct hooks *h)
{
    for (unsigned i = 0; i < HOOKS_MAX; i++)
        if (h->hook[i].failures == 0 &&
            (h->hook[i].call || is_waiting(&h->hook[i])))
            return true;
    return false;
}

void hooks_end(struct hooks *h)
{
    for (unsigned i = 0; i < HOOKS_MAX; i++)
        if (h->hook[i].n || h->hook[i].flying)
            h->hook[i].lines |= LINE_LOST;
}

static void done_with(struct hooks *h, struct hook *k)
{
    event_drop(h, k->flying);
    k->flying = NULL;
}

static void delivered(struct hooks *h, struct hook *k, struct gb_time now)
{
    done_with(h, k);
    k->delivered++;
    k->delivered_utc_ms = now.utc_ms;
    k->failures = 0;
    k->why[0] = '\0';
    k->at_ms = now.mono_ms;
    if (k->said_failing)
        k->lines |= LINE_BACK;
    k->said_failing = k->said_dropped = false;
}

/* Doubling, with a jitter of a fifth: many hooks of one receiver that comes
 * back do not all call at once. */
static uint64_t back_off_ms(struct hooks *h, const struct hook *k,
                            uint32_t retry_after_s)
{
    uint64_t ms = HOOKS_BACK_OFF_MAX_MS, asked = retry_after_s * 1000ull;
    char n[16];
    struct writer w = writer_of(n, sizeof(n));

    if (k->failures < 10 &&
        (uint64_t)HOOKS_BACK_OFF_MS << (k->failures - 1) < ms)
        ms = (uint64_t)HOOKS_BACK_OFF_MS << (k->failures - 1);
    writer_u64(&w, h->random++);
    ms = ms * 4 / 5 + map_hash(h->key, writer_slice(&w)) % (ms / 5 + 1);
    if (asked > HOOKS_BACK_OFF_MAX_MS)
        asked = HOOKS_BACK_OFF_MAX_MS;
    return asked > ms ? asked : ms;
}

/* Worth another try: nobody answered, or it says that it cannot just now. */
static bool is_passing(unsigned status)
{
    return status == 0 || status == 408 || status == 425 || status == 429 ||
           status >= 500;
}

static void failed(struct hooks *h, struct hook *k,
                   const struct hooks_result *r, struct gb_time now)
{
    struct writer w = writer_of(k->why, sizeof(k->why) - 1);

    if (r->status)
        writer_f(&w, "status %u", r->status);
    else
        writer_slice_put(&w, slice_head(slice_str(r->why ? r->why : "no answer"),
                                        sizeof(k->why) - 1));
    k->why[w.len] = '\0';
    if (k->failures < UINT32_MAX)
        k->failures++;
    if (!k->said_failing)
        k->lines |= LINE_FAILING;
    k->said_failing = true;
    k->at_ms = now.mono_ms + back_off_ms(h, k, r->retry_after_s);
    if (!is_passing(r->status)) { /* the same event would fare the same */
        k->refused++;
        k->at_ms = now.mono_ms;
        done_with(h, k);
    } else if (k->flying_tries >= HOOKS_TRIES_MAX) {
        k->given_up++;
        if (k->given_up == 1)
            k->lines |= LINE_GIVEN_UP;
        done_with(h, k);
    }
}

void hooks_result(struct hooks *h, uint64_t call, const struct hooks_result *r,
                  struct gb_time now)
{
    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        struct hook *k = &h->hook[i];

        if (!call || k->call != call)
            continue;
        k->call = 0;
        k->status = r->status;
        if (r->status >= 200 && r->status < 300)
            delivered(h, k, now);
        else
            failed(h, k, r, now);
        return;
    }
}

/* ---- telling ------------------------------------------------------------- */

static void view(const struct hook *k, struct gb_time now,
                 struct hook_view *out)
{
    *out = (struct hook_view){
        .name = slice_str(k->name),
        .url = slice_str(k->url),
        .secret = slice_str(k->secret),
        .kinds = k->kinds,
        .off = k->off,
        .fixed = k->fixed,
        .state = k->off         ? HOOKS_OFF
                 : k->call      ? HOOKS_CALLING
                 : !is_waiting(k) ? HOOKS_IDLE
                                : HOOKS_WAITING,
        .queued = k->n + (k->flying != NULL),
        .failures = k->failures,
        .delivered = k->delivered,
        .tries = k->tries,
        .refused = k->refused,
        .given_up = k->given_up,
        .dropped = k->dropped,
        .status = k->status,
        .why = k->why,
        .called_utc_ms = k->called_utc_ms,
        .delivered_utc_ms = k->delivered_utc_ms,
    };
    if (out->state == HOOKS_WAITING)
        out->next_utc_ms = now.utc_ms + (k->at_ms > now.mono_ms
                                             ? (int64_t)(k->at_ms - now.mono_ms)
                                             : 0);
}

bool hooks_next(const struct hooks *h, struct slice after, struct gb_time now,
                struct hook_view *out)
{
    const struct hook *best = NULL;

    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        const struct hook *k = &h->hook[i];

        if (k->used && (!after.n || slice_cmp(slice_str(k->name), after) > 0) &&
            (!best ||
             slice_cmp(slice_str(k->name), slice_str(best->name)) < 0))
            best = k;
    }
    if (best)
        view(best, now, out);
    return best != NULL;
}

bool hooks_view(const struct hooks *h, struct slice name, struct gb_time now,
                struct hook_view *out)
{
    const struct hook *k = find(h, name);

    if (k)
        view(k, now, out);
    return k != NULL;
}

/* The lowest bit of what is to be told. */
static void write_line(const struct hook *k, unsigned line, struct writer *w)
{
    switch (line) {
    case LINE_FAILING:
        writer_f(w, "msg=\"webhook fails, it is tried again\" hook=%s "
                    "host=%.*s why=\"%s\"", k->name,
                 SLICE_ARG(slice_head(k->to.host, 64)), k->why);
        break;
    case LINE_BACK:
        writer_f(w, "msg=\"webhook answers again\" hook=%s queued=%u "
                    "dropped=%llu", k->name, k->n,
                 (unsigned long long)k->dropped);
        break;
    case LINE_DROPPED:
        writer_f(w, "msg=\"webhook is too slow: its oldest events are "
                    "dropped\" hook=%s queued=%u", k->name, k->n);
        break;
    case LINE_LOST:
        writer_f(w, "msg=\"webhook: events that were not delivered are lost "
                    "with this stop\" hook=%s lost=%u", k->name,
                 k->n + (k->flying != NULL));
        break;
    case LINE_GIVEN_UP:
        writer_f(w, "msg=\"webhook: an event is given up\" hook=%s tries=%u "
                    "why=\"%s\"", k->name, HOOKS_TRIES_MAX, k->why);
        break;
    }
}

bool hooks_line(struct hooks *h, enum platform_level *level,
                char line[static HOOKS_LINE_MAX])
{
    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        struct hook *k = &h->hook[i];
        struct writer w = writer_of(line, HOOKS_LINE_MAX - 1);
        unsigned bit = k->lines & (~k->lines + 1);

        if (!k->used || !bit)
            continue;
        k->lines &= ~bit;
        write_line(k, bit, &w);
        line[w.len] = '\0';
        *level = bit == LINE_BACK ? PLATFORM_INFO : PLATFORM_WARN;
        return true;
    }
    return false;
}
