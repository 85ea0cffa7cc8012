/* app/media/hub_raw: the program stream as it came, from a key frame's pack on,
 * however its bytes are cut into packets. */
#include "app/media/hub.h"
#include "ps/mux.h"
#include "test/ps_script.h"

#include <stdlib.h>

#define FRAME90K 3600

struct edge {
    struct hub_viewer v;
    uint8_t got[1 << 20];
    size_t n, budget;
};

struct world {
    struct failing_alloc mem;
    struct hub *hub;
    struct ps_demux *demux;
    struct edge edge[2];
    uint64_t now_ms, off;
    bool gap;
    unsigned first_keys;
};

static struct world w;

static void pump(struct edge *e)
{
    struct media_iov v[5];
    size_t n;

    while (e->budget && (n = hub_viewer_next(&e->v, v, COUNT(v), false))) {
        size_t sum = 0;

        for (size_t i = 0; i < n && e->budget; i++) {
            size_t k = v[i].len < e->budget ? v[i].len : e->budget;

            assert_true(e->n + k <= sizeof(e->got));
            memcpy(e->got + e->n, v[i].base, k);
            e->n += k;
            sum += k;
            e->budget -= k;
        }
        hub_viewer_consumed(&e->v, sum);
    }
}

static void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    pump(container_of(v, struct edge, v));
}

static void on_key(void *ctx)
{
    ((struct world *)ctx)->first_keys++;
}

static void on_unit(void *ctx, const struct ps_au *au)
{
    (void)ctx;
    hub_au(w.hub, au, w.now_ms);
}

static int open_world_of(const struct hub_options *opt, unsigned long fail_at)
{
    struct hub_hooks hooks = { .on_wake = on_wake, .on_first_key = on_key,
                               .ctx = &w };
    struct ps_hooks demux = { .on_au = on_unit };

    memset(&w, 0, sizeof(w));
    failing_alloc_init(&w.mem, fail_at);
    w.now_ms = 1000;
    assert_int_equal(ps_demux_new(&w.demux, &gb_alloc_heap, &demux, NULL), 0);
    return hub_new(&w.hub, &w.mem.alloc, &hooks, opt);
}

static int open_world(unsigned long fail_at)
{
    return open_world_of(NULL, fail_at);
}

static int view(unsigned i)
{
    struct hub_viewer_options opt = { .format = HUB_PS };
    struct edge *e = &w.edge[i];
    int err = hub_viewer_add(w.hub, &e->v, &opt, w.now_ms);

    e->budget = SIZE_MAX;
    if (!err)
        pump(e);
    return err;
}

static void close_world(void)
{
    hub_end(w.hub);
    for (size_t i = 0; i < COUNT(w.edge); i++) {
        if (w.edge[i].v.hub)
            pump(&w.edge[i]);
        hub_viewer_remove(&w.edge[i].v);
    }
    hub_free(w.hub);
    ps_demux_free(w.demux);
    assert_int_equal(w.mem.live, 0);
}

/* As the receiver does it. */
static void feed(struct slice s, bool packet)
{
    struct ps_feed f = { .packet = packet };
    struct hub_program p = { (const uint8_t *)s.p, s.n, w.off, w.gap, { 0 } };
    bool tap = hub_wants_program(w.hub);

    if (w.gap)
        ps_demux_gap(w.demux);
    ps_demux_place(w.demux, &p.place);
    if (tap)
        hub_program(w.hub, &p, w.now_ms);
    w.gap = false;
    w.off += s.n;
    ps_demux_feed(w.demux, (const uint8_t *)s.p, s.n, &f);
    ps_demux_place(w.demux, &p.place);
    if (tap)
        hub_program_done(w.hub, &p.place);
    w.now_ms += 5;
}

static void feed_steps(struct slice s, size_t step, bool packets)
{
    while (s.n) {
        struct slice part = slice_head(s, step && step < s.n ? step : s.n);

        feed(part, packets);
        s = slice_from(s, part.n);
    }
}

/* Packs of keys and pictures, sound between them; out_bytes holds them. */
static struct slice stream(enum ps_codec video, unsigned gops, size_t *key)
{
    struct ps_mux m;
    uint64_t pts = 90000;
    char pcma[320];

    memset(pcma, 0xd5, sizeof(pcma));
    assert_int_equal(ps_mux_init(&m, video, PS_CODEC_G711A, 4000000), 0);
    begin();
    for (unsigned i = 0; i < gops * 4; i++, pts += FRAME90K) {
        if (i == 4 && key)
            *key = out.len; /* of the second group */
        ps_mux_video(&m, &out, i % 4 ? p_es() : key_es(), pts, i % 4 == 0);
        ps_mux_audio(&m, &out, slice_of(pcma, sizeof(pcma)), pts);
    }
    return done();
}

/* The viewer came in the middle of the first group: it gets all bytes from the
 * second key frame's pack on, none more, none fewer. */
static void equals_the_device(void **state)
{
    size_t key = 0;
    struct slice all;

    (void)state;
    all = stream(PS_CODEC_H264, 4, &key);
    for (size_t step = 0; step < 300; step += step < 40 ? 1 : 13) {
        for (int packets = 0; packets < 2; packets++) {
            assert_int_equal(open_world(0), 0);
            feed(slice_head(all, 500), true);
            assert_int_equal(view(0), 0);
            feed_steps(slice_from(all, 500), step, packets);
            assert_int_equal(w.first_keys, 1);
            hub_end(w.hub);
            pump(&w.edge[0]);
            if (w.edge[0].n != all.n - key ||
                memcmp(w.edge[0].got, all.p + key, all.n - key) != 0)
                fail_msg("steps of %zu: %zu bytes of %zu", step, w.edge[0].n,
                         all.n - key);
            assert_int_equal(w.edge[0].v.state, HUB_VIEWER_ENDED);
            close_world();
        }
    }
}

/* What is held until a picture is known to be a key frame is more than the room
 * for it at first. */
static void much_before_a_key(void **state)
{
    static char es[150000];
    struct slice all, key = key_es();
    struct ps_mux m;
    size_t two = 0;

    (void)state;
    memset(es, 0x5a, sizeof(es));
    memcpy(es, "\0\0\0\1\6", 5); /* SEI */
    memcpy(es + sizeof(es) - key.n - 1, key.p, key.n);
    assert_int_equal(ps_mux_init(&m, PS_CODEC_H264, PS_CODEC_UNKNOWN, 4000000),
                     0);
    begin();
    for (unsigned i = 0; i < 3; i++) {
        two = i < 2 ? out.len : two; /* where the second begins */
        ps_mux_video(&m, &out, i ? slice_of(es, sizeof(es)) : key,
                     90000 + i * FRAME90K, true);
        es[sizeof(es) - 1] = (char)i;
    }
    all = done();
    for (size_t step = 1400; step < 200000; step *= 5) {
        assert_int_equal(open_world(0), 0);
        feed(slice_head(all, two / 2), true);
        assert_int_equal(view(0), 0);
        feed_steps(slice_from(all, two / 2), step, true);
        hub_end(w.hub);
        pump(&w.edge[0]);
        if (!slice_eq(slice_of((char *)w.edge[0].got, w.edge[0].n),
                      slice_from(all, two)))
            fail_msg("steps of %zu: %zu bytes of %zu", step, w.edge[0].n,
                     all.n - two);
        close_world();
    }
}

/* A recording: the viewer comes late and gets all from the first key frame's
 * pack on; once another viewer has begun, nothing is kept for him. */
static void beginning_is_held(void **state)
{
    static const struct hub_options play = { .history = true,
                                             .history_ms = 60000 };
    static const struct hub_viewer_options flv = { .format = HUB_FLV,
                                                   .no_audio = true };
    struct slice all;
    size_t key = 0;

    (void)state;
    all = stream(PS_CODEC_H264, 8, &key);
    for (size_t from = 0; from < 40; from += 13) {
        assert_int_equal(open_world_of(&play, 0), 0);
        feed_steps(slice_from(all, from), 70, true);
        assert_int_equal(view(0), 0);
        hub_end(w.hub);
        pump(&w.edge[0]);
        assert_int_equal(w.edge[0].n, all.n - (from ? key : 0));
        assert_memory_equal(w.edge[0].got, all.p + (from ? key : 0),
                            w.edge[0].n);
        close_world();
    }
    assert_int_equal(open_world_of(&play, 0), 0);
    feed_steps(all, 70, true);
    assert_int_equal(hub_viewer_add(w.hub, &w.edge[1].v, &flv, w.now_ms), 0);
    assert_false(hub_wants_program(w.hub));
    close_world();
}

/* One packet a pack, with the marker: nothing waits for the next. The second
 * viewer begins with what is cached. */
static void shared(void **state)
{
    size_t key = 0;
    struct slice all;

    (void)state;
    all = stream(PS_CODEC_H264, 3, &key);
    assert_int_equal(open_world(0), 0);
    assert_int_equal(view(0), 0);
    feed_steps(all, 200, true);
    assert_true(w.edge[0].n > all.n - 600); /* at most a picture is held */
    assert_int_equal(view(1), 0);
    assert_true(w.edge[1].n > 0 && w.edge[1].n < w.edge[0].n);
    assert_memory_equal(w.edge[1].got,
                        w.edge[0].got + w.edge[0].n - w.edge[1].n,
                        w.edge[1].n);
    assert_memory_equal(w.edge[1].got, "\0\0\1\xba", 4);
    close_world();
}

/* got is a head of all, then a tail of it that begins with a pack. */
static bool is_head_and_tail(const uint8_t *got, size_t n, struct slice all,
                             size_t hole, size_t hole_end)
{
    size_t head = 0, tail = 0;

    while (head < n && head < hole && got[head] == (uint8_t)all.p[head])
        head++;
    while (tail < n && tail < all.n - hole_end &&
           got[n - 1 - tail] == (uint8_t)all.p[all.n - 1 - tail])
        tail++;
    for (size_t at = n - tail; at <= head && at + 4 <= n; at++)
        if (memcmp(got + at, "\0\0\1\xba", 4) == 0)
            return true;
    return false;
}

/* Bytes are missing: what follows begins with a pack again. */
static void after_a_gap(void **state)
{
    size_t key = 0;
    struct slice all;

    (void)state;
    all = stream(PS_CODEC_H264, 6, &key);
    for (size_t hole = key + 20; hole < key + 700; hole += 7) {
        assert_int_equal(open_world(0), 0);
        assert_int_equal(view(0), 0);
        feed_steps(slice_head(all, hole), 100, true);
        w.gap = true;
        feed_steps(slice_from(all, hole + 50), 100, true);
        hub_end(w.hub);
        pump(&w.edge[0]);
        if (!is_head_and_tail(w.edge[0].got, w.edge[0].n, all, hole,
                              hole + 50) ||
            w.edge[0].n + 1000 < all.n)
            fail_msg("hole at %zu: %zu bytes", hole, w.edge[0].n);
        close_world();
    }
}

/* A codec that nobody reads: the pack with the map is where one may begin, and
 * the stream plays. */
static void unread_codec(void **state)
{
    size_t key = 0;
    struct slice all;

    (void)state;
    all = stream(PS_CODEC_H264, 40, &key);
    for (size_t i = 0; i + 12 < all.n; i++) /* stream type 1B, of the map */
        if (memcmp(all.p + i, "\x1b\xe0\0\0", 4) == 0)
            out_bytes[i] = (char)0x80; /* SVAC */
    for (size_t i = 0; i + 5 < all.n; i++) /* no start code gives it away */
        if (memcmp(all.p + i, "\0\0\0\1", 4) == 0 && (uint8_t)all.p[i + 4] < 0x80)
            out_bytes[i + 3] = 7;
    assert_int_equal(open_world(0), 0);
    assert_int_equal(view(0), 0);
    feed_steps(slice_from(all, 30), 90, true);
    assert_int_equal(w.first_keys, 1);
    hub_end(w.hub);
    pump(&w.edge[0]);
    assert_int_equal(w.edge[0].n, all.n - key);
    assert_memory_equal(w.edge[0].got, all.p + key, all.n - key);
    close_world();
}

/* One that reads nothing goes on at a key frame; nothing is kept for it. */
static void slow(void **state)
{
    struct slice all;
    uint8_t *end;
    size_t had;

    (void)state;
    all = stream(PS_CODEC_H264, 30, NULL);
    assert_int_equal(open_world(0), 0);
    assert_int_equal(view(0), 0);
    w.edge[0].budget = 100;
    feed_steps(slice_head(all, all.n - 3000), 40, true);
    assert_true(w.edge[0].v.jumps > 0);
    assert_true(w.mem.live < 120); /* chunks of two seconds at most */
    had = w.edge[0].n;
    w.edge[0].budget = SIZE_MAX;
    pump(&w.edge[0]);
    feed_steps(slice_from(all, all.n - 3000), 40, true);
    hub_end(w.hub);
    pump(&w.edge[0]);
    assert_true(w.edge[0].n > had + 2000);
    end = w.edge[0].got + w.edge[0].n - 2000;
    assert_memory_equal(end, all.p + all.n - 2000, 2000);
    close_world();
}

static void no_memory(void **state)
{
    struct slice all;

    (void)state;
    all = stream(PS_CODEC_H264, 4, NULL);
    for (unsigned long at = 1; at < 60; at++) {
        if (open_world_of(&(struct hub_options){ .history = at & 1 }, at)) {
            ps_demux_free(w.demux);
            continue;
        }
        view(0);
        feed_steps(all, 150, true);
        /* what came is packs */
        if (w.edge[0].n)
            assert_memory_equal(w.edge[0].got, "\0\0\1\xba", 4);
        close_world();
    }
}

static void no_program(void **state)
{
    static const uint8_t nal[] = { 0, 0, 0, 1, 0x41, 0x9a };
    struct ps_piece piece = { nal, sizeof(nal), NULL };
    struct ps_au au = { .codec = PS_CODEC_H264, .piece = &piece,
                        .n_pieces = 1, .bytes = sizeof(nal) };

    (void)state;
    assert_int_equal(open_world(0), 0);
    assert_true(hub_has_program(w.hub)); /* nothing speaks against it */
    hub_au(w.hub, &au, w.now_ms);
    assert_false(hub_has_program(w.hub));
    feed_steps(stream(PS_CODEC_H264, 1, NULL), 0, true);
    assert_true(hub_has_program(w.hub));
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_device),
        cmocka_unit_test(much_before_a_key), cmocka_unit_test(shared),
        cmocka_unit_test(beginning_is_held),
        cmocka_unit_test(after_a_gap),       cmocka_unit_test(unread_codec),
        cmocka_unit_test(slow),              cmocka_unit_test(no_memory),
        cmocka_unit_test(no_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
