/* sip/stack: what one large message took is given back. */
#include "test/support.h"

#include "sip/stack.h"

#include <stdlib.h>

#define LARGE (3u << 20)

static size_t live, most;

/* Zeroed, as of every allocator; each block begins with its size. */
static void *get(void *ctx, size_t n)
{
    size_t *p = calloc(1, n + 16);

    (void)ctx;
    assert_non_null(p);
    *p = n;
    live += n;
    most = live > most ? live : most;
    return (char *)p + 16;
}

static void put(void *ctx, void *block)
{
    (void)ctx;
    if (!block)
        return;
    block = (char *)block - 16;
    live -= *(size_t *)block;
    free(block);
}

static const struct gb_alloc counted = { get, put, NULL };

static void ask(struct sip_stack *s, struct slice body, uint64_t now_ms)
{
    struct sip_request r = {
        .method = SIP_METHOD_MESSAGE, .uri = SLICE("sip:a@192.0.2.1"),
        .from = SLICE("sip:b@192.0.2.2"), .to = SLICE("sip:a@192.0.2.1"),
        .expires = -1, .content_type = SLICE("text/plain"), .body = body,
        .peer = { .transport = SIP_TCP, .connection = 7 },
    };
    struct sip_out out;
    uint64_t id;

    gb_addr_parse_ip(&r.peer.remote, SLICE("192.0.2.1"));
    gb_addr_parse_ip(&r.peer.local, SLICE("192.0.2.2"));
    assert_int_equal(sip_stack_request(s, &r, now_ms, &id), 0);
    while (sip_stack_output(s, &out))
        assert_true(out.bytes.n > body.n);
}

static unsigned fail_all(struct sip_stack *s, uint64_t now_ms)
{
    struct sip_event ev;
    unsigned n = 0;

    sip_stack_tick(s, now_ms);
    for (; sip_stack_event(s, &ev); n++)
        assert_int_equal(ev.kind, SIP_EV_FAILED);
    return n;
}

static void send_message(struct sip_stack *s, struct slice body,
                         uint64_t now_ms)
{
    ask(s, body, now_ms);
    assert_int_equal(fail_all(s, now_ms + 40000), 1); /* nobody answers */
}

static void a_large_message_leaves_nothing(void **state)
{
    struct sip_stack_config cfg = { .alloc = &counted };
    char *body = malloc(LARGE);
    struct sip_stack *s;

    (void)state;
    memset(body, 'x', LARGE);
    assert_int_equal(sip_stack_new(&s, &cfg), 0);
    send_message(s, SLICE("small"), 1000);
    send_message(s, slice_of(body, LARGE), 100000);
    assert_true(most > LARGE);
    assert_true(live < 1u << 20);
    send_message(s, SLICE("small"), 200000);
    sip_stack_free(s);
    assert_int_equal(live, 0);
    free(body);
}

/* A hundred thousand requests that nobody answers, a thousand at a time. */
static void note_16_5_what_is_never_answered_is_forgotten(void **state)
{
    enum { BATCH = 1000, BATCHES = 100 };
    struct sip_stack_config cfg = { .alloc = &counted };
    size_t steady = 0;
    struct sip_stack *s;

    (void)state;
    assert_int_equal(sip_stack_new(&s, &cfg), 0);
    for (unsigned b = 1; b <= BATCHES; b++) {
        for (unsigned i = 0; i < BATCH; i++)
            ask(s, SLICE("small"), b * 100000);
        assert_int_equal(fail_all(s, b * 100000 + 40000), BATCH);
        if (b == 2)
            steady = live;
        assert_true(b < 2 || live == steady);
    }
    sip_stack_free(s);
    assert_int_equal(live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_16_5_what_is_never_answered_is_forgotten),
        cmocka_unit_test(a_large_message_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
