#include "test/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grow(void *p, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return p;
    *cap = *cap ? *cap * 2 : 64;
    p = realloc(p, *cap * size);
    assert_non_null(p);
    return p;
}

/* An exact copy: a byte too far is seen by the sanitizer. */
static struct slice keep(struct slice s)
{
    char *p = malloc(s.n ? s.n : 1);

    assert_non_null(p);
    memcpy(p, s.p, s.n);
    return slice_of(p, s.n);
}

static void let_go(struct slice s)
{
    free((void *)(uintptr_t)s.p);
}

void pair_init(struct pair *p, const struct pair_wire *wire,
               const struct sip_stack_config *cfg, bool one)
{
    memset(p, 0, sizeof(*p));
    if (wire)
        p->wire = *wire;
    p->seed = p->wire.seed ? p->wire.seed : 1;
    p->now_ms = 1000;
    for (int side = 0; side < (one ? 1 : 2); side++) {
        struct sip_stack_config c = { 0 };

        if (cfg)
            c = *cfg;
        failing_alloc_init(&p->mem[side], 0);
        c.alloc = &p->mem[side].alloc;
        memset(c.seed, 7 + side, sizeof(c.seed));
        assert_int_equal(sip_stack_new(&p->stack[side], &c), 0);
    }
}

void pair_fini(struct pair *p)
{
    for (int side = 0; side < 2; side++) {
        if (!p->stack[side])
            continue;
        sip_stack_free(p->stack[side]);
        assert_int_equal(p->mem[side].live, 0);
    }
    for (size_t i = 0; i < p->n_packets; i++)
        let_go(p->packet[i].bytes);
    for (size_t i = 0; i < p->n_sent; i++)
        let_go(p->sent[i].bytes);
    free(p->packet);
    free(p->sent);
    free(p->seen);
}

static struct gb_addr address(int side)
{
    return (struct gb_addr){ .family = GB_IPV4,
                             .ip = { 192, 0, 2, (uint8_t)(1 + side) },
                             .port = 5060 };
}

struct sip_peer pair_peer(const struct pair *p, int side)
{
    return (struct sip_peer){
        .transport = p->wire.tcp ? SIP_TCP : SIP_UDP,
        .connection = p->wire.tcp ? 77 : 0,
        .local = address(side),
        .remote = address(!side),
    };
}

static uint64_t chance(struct pair *p, uint64_t below)
{
    return test_random(&p->seed) % below;
}

static void put_packet(struct pair *p, int to, const struct sip_peer *from,
                       struct slice bytes, uint64_t at_ms)
{
    p->packet = grow(p->packet, p->n_packets, &p->cap_packets,
                     sizeof(*p->packet));
    p->packet[p->n_packets++] = (struct pair_packet){
        at_ms, p->order++, to, *from, keep(bytes)
    };
}

static uint64_t arrival(struct pair *p)
{
    uint64_t jitter_ms = p->wire.jitter_ms && !p->wire.tcp
                             ? chance(p, p->wire.jitter_ms + 1)
                             : 0;

    return p->now_ms + p->wire.delay_ms + jitter_ms;
}

static void send_one(struct pair *p, int side, const struct sip_out *out)
{
    struct sip_peer from = pair_peer(p, !side);
    unsigned copies = 1;
    enum pair_fate fate;

    fate = p->fate ? p->fate(p->ctx, side, out->bytes) : PAIR_PASS;
    if (!p->quiet) {
        p->sent = grow(p->sent, p->n_sent, &p->cap_sent, sizeof(*p->sent));
        p->sent[p->n_sent++] = (struct pair_sent){ p->now_ms, side, out->peer,
                                                   keep(out->bytes) };
    }
    if (!p->stack[!side] || fate == PAIR_LOSE)
        return;
    if (fate == PAIR_REPEAT)
        copies = 2;
    if (!p->wire.tcp) {
        if (p->wire.loss && chance(p, 100) < p->wire.loss)
            return;
        if (p->wire.repeat && chance(p, 100) < p->wire.repeat)
            copies++;
    }
    while (copies--)
        put_packet(p, !side, &from, out->bytes, arrival(p));
}

static void see(struct pair *p, int side, const struct sip_event *ev)
{
    struct pair_seen *s;

    if (p->quiet)
        return;
    p->seen = grow(p->seen, p->n_seen, &p->cap_seen, sizeof(*p->seen));
    s = &p->seen[p->n_seen++];
    memset(s, 0, sizeof(*s));
    s->at_ms = p->now_ms;
    s->side = side;
    s->ev = *ev;
    s->ev.msg = NULL;
    if (ev->msg) {
        s->method = ev->msg->method;
        slice_copy(s->body, sizeof(s->body), ev->msg->body);
    }
}

void pair_pump(struct pair *p)
{
    for (int side = 0; side < 2; side++) {
        struct sip_event ev;
        struct sip_out out;

        if (!p->stack[side])
            continue;
        while (sip_stack_event(p->stack[side], &ev)) {
            see(p, side, &ev);
            if (p->on_event)
                p->on_event(p, side, &ev);
        }
        while (sip_stack_output(p->stack[side], &out))
            send_one(p, side, &out);
    }
}

int pair_inject_from(struct pair *p, int to, const struct sip_peer *from,
                     struct slice bytes)
{
    struct slice copy = keep(bytes);
    int err;

    if (p->n_injected++ % 2) /* both ways lead to the same */
        sip_stack_ahead(p->stack[to], copy);
    err = sip_stack_input(p->stack[to], from, copy, p->now_ms);
    pair_pump(p);
    let_go(copy);
    return err;
}

int pair_inject(struct pair *p, int to, struct slice bytes)
{
    struct sip_peer from = pair_peer(p, to);

    return pair_inject_from(p, to, &from, bytes);
}

/* The packet that arrives first; packets sent first go first on a tie. */
static size_t next_packet(const struct pair *p)
{
    size_t best = p->n_packets;

    for (size_t i = 0; i < p->n_packets; i++)
        if (best == p->n_packets || p->packet[i].at_ms < p->packet[best].at_ms ||
            (p->packet[i].at_ms == p->packet[best].at_ms &&
             p->packet[i].order < p->packet[best].order))
            best = i;
    return best;
}

static void deliver(struct pair *p, size_t i)
{
    struct pair_packet k = p->packet[i];

    p->packet[i] = p->packet[--p->n_packets];
    pair_inject_from(p, k.to, &k.from, k.bytes);
    let_go(k.bytes);
}

static uint64_t next_time(const struct pair *p)
{
    uint64_t at_ms = GB_NEVER;
    size_t i = next_packet(p);

    if (i < p->n_packets)
        at_ms = p->packet[i].at_ms;
    for (int side = 0; side < 2; side++)
        if (p->stack[side] && sip_stack_deadline(p->stack[side]) < at_ms)
            at_ms = sip_stack_deadline(p->stack[side]);
    return at_ms;
}

static void step(struct pair *p)
{
    uint64_t at_ms = next_time(p);
    size_t i;

    if (at_ms > p->now_ms)
        p->now_ms = at_ms;
    for (int side = 0; side < 2; side++)
        if (p->stack[side] && sip_stack_deadline(p->stack[side]) <= p->now_ms)
            sip_stack_tick(p->stack[side], p->now_ms);
    pair_pump(p);
    i = next_packet(p);
    if (i < p->n_packets && p->packet[i].at_ms <= p->now_ms)
        deliver(p, i);
}

void pair_run(struct pair *p, uint64_t at_ms)
{
    pair_pump(p);
    while (next_time(p) <= at_ms)
        step(p);
    p->now_ms = at_ms;
}

void pair_settle(struct pair *p, uint64_t limit_ms)
{
    uint64_t end_ms = p->now_ms + limit_ms;

    pair_pump(p);
    while (next_time(p) != GB_NEVER) {
        if (next_time(p) > end_ms)
            fail_msg("not settled after %llu ms",
                     (unsigned long long)limit_ms);
        step(p);
    }
}

const struct pair_sent *pair_find(const struct pair *p, int side,
                                  const char *start, size_t n)
{
    for (size_t i = 0; i < p->n_sent; i++)
        if (p->sent[i].from == side &&
            slice_has_prefix(p->sent[i].bytes, slice_str(start)) && n-- == 0)
            return &p->sent[i];
    return NULL;
}

size_t pair_count(const struct pair *p, int side, const char *start)
{
    size_t n = 0;

    while (pair_find(p, side, start, n))
        n++;
    return n;
}

const struct pair_seen *pair_event(const struct pair *p, int side,
                                   enum sip_event_kind kind, unsigned status,
                                   size_t n)
{
    for (size_t i = 0; i < p->n_seen; i++)
        if (p->seen[i].side == side && p->seen[i].ev.kind == kind &&
            (!status || p->seen[i].ev.status == status) && n-- == 0)
            return &p->seen[i];
    return NULL;
}

size_t pair_events(const struct pair *p, int side, enum sip_event_kind kind,
                   unsigned status)
{
    size_t n = 0;

    while (pair_event(p, side, kind, status, n))
        n++;
    return n;
}

struct slice pair_header(struct slice bytes, const char *name)
{
    struct slice rest = bytes;

    while (rest.n) {
        size_t n = slice_find(rest, '\r'), len = strlen(name);
        struct slice line = slice_head(rest, n);

        if (!line.n)
            break;
        rest = slice_from(rest, n + 2);
        if (slice_has_prefix(line, slice_of(name, len)) && line.n > len &&
            line.p[len] == ':')
            return slice_trim(slice_from(line, len + 1));
    }
    return slice_of(NULL, 0);
}

void pair_expect(const struct pair *p, int side, enum sip_event_kind kind,
                 unsigned status, size_t n)
{
    size_t got = pair_events(p, side, kind, status);

    if (got != n)
        fail_msg("side %d: event %d status %u: %zu times, want %zu", side,
                 (int)kind, status, got, n);
}

const struct pair_sent *pair_last(const struct pair *p)
{
    return p->n_sent ? &p->sent[p->n_sent - 1] : NULL;
}

unsigned pair_status(const struct pair_sent *m)
{
    return m && m->bytes.n > 12 ? (unsigned)atoi(m->bytes.p + 8) : 0;
}

void pair_expect_start(const struct pair_sent *m, const char *want)
{
    assert_non_null(m);
    if (!slice_has_prefix(m->bytes, slice_str(want)))
        fail_msg("\"%.*s\", want \"%s\"", (int)slice_find(m->bytes, '\r'),
                 m->bytes.p, want);
}

struct sip_counters pair_counters(const struct pair *p, int side)
{
    struct sip_counters c;

    sip_stack_counters(p->stack[side], &c);
    return c;
}
