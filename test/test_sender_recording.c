/* app/device/sender as the player of a recording: its length, pace, pauses and
 * seeks, in virtual time. */
#include "app/device/sender.h"

#include "rtp/packet.h"
#include "test/support.h"

#include <stdlib.h>

#define FPS 25
#define BASE90K 90000u /* stamp of the first picture */

static struct slice file;
static struct clip clip;
static struct sound sound;

static struct sender *s;
static uint64_t now_ms;
static uint32_t first_ts; /* of the packets of the last run */
static unsigned packets;

static void open_it(uint64_t length_ms, uint32_t scale_milli)
{
    const struct sender_options o = {
        .alloc = &gb_alloc_heap, .clip = &clip, .sound = &sound,
        .ssrc = 1000000001, .pt = 96, .length_ms = length_ms,
        .scale_milli = scale_milli,
    };

    now_ms = 5000;
    assert_int_equal(sender_new(&s, &o, now_ms), 0);
}

/* The pictures that were begun in so much time. */
static uint64_t run(uint64_t ms)
{
    struct sender_counters a, b;
    uint64_t end = now_ms + ms;

    packets = 0;
    sender_counters(s, &a);
    for (; now_ms < end; now_ms++) {
        struct sender_packet p;

        while (sender_next(s, &p, now_ms)) {
            uint8_t whole[2048];
            struct rtp_packet rtp;

            memcpy(whole, p.head, p.head_len);
            memcpy(whole + p.head_len, p.payload, p.n);
            assert_int_equal(rtp_packet_parse(&rtp, whole, p.head_len + p.n),
                             0);
            if (packets++ == 0)
                first_ts = rtp.ts;
        }
        assert_true(sender_deadline(s) > now_ms);
    }
    sender_counters(s, &b);
    return b.frames - a.frames;
}

static void has_an_end(void **state)
{
    (void)state;
    open_it(4000, 0);
    assert_int_equal(run(2000), 2 * FPS);
    assert_int_equal(first_ts, BASE90K);
    assert_false(sender_is_over(s));
    assert_int_equal(run(10000), 2 * FPS);
    assert_true(sender_is_over(s));
    assert_true(sender_deadline(s) == GB_NEVER);
    /* back again */
    sender_pace(s, 1000, 0, now_ms);
    assert_false(sender_is_over(s));
    assert_int_equal(run(10000), 4 * FPS);
    assert_int_equal(first_ts, BASE90K);
    assert_true(sender_is_over(s));
    sender_free(s);
}

static void live_has_none(void **state)
{
    (void)state;
    open_it(0, 0);
    assert_int_equal(run(60000), 60 * FPS);
    assert_false(sender_is_over(s));
    sender_free(s);
}

static void paces(void **state)
{
    static const struct {
        uint32_t milli;
        uint64_t frames; /* of two seconds */
    } cases[] = { { 4000, 200 }, { 250, 13 }, { 1000, 50 }, { 8000, 400 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        open_it(600000, cases[i].milli); /* from the start */
        assert_int_equal(run(2000), cases[i].frames);
        sender_free(s);
        open_it(600000, 0); /* and in the middle */
        run(1000);
        sender_pace(s, (int32_t)cases[i].milli, -1, now_ms);
        assert_in_range(run(2000), cases[i].frames - 1, cases[i].frames + 1);
        sender_free(s);
    }
}

static void pauses(void **state)
{
    uint64_t n;

    (void)state;
    open_it(600000, 0);
    n = run(1030);
    sender_pause(s, now_ms);
    n += run(100); /* what is left of a picture */
    assert_int_equal(run(3600000), 0);
    assert_int_equal(packets, 0);
    assert_false(sender_is_over(s));
    sender_pace(s, 0, -1, now_ms);
    n += run(970);
    assert_int_equal(n, 2 * FPS);
    sender_free(s);
}

static void seeks(void **state)
{
    static const uint32_t to_ms[] = { 300500, 0, 10000, 599999, 40 };

    (void)state;
    open_it(600000, 0);
    for (size_t i = 0; i < COUNT(to_ms); i++) {
        uint64_t n = to_ms[i] * FPS / 1000;

        run(730);
        sender_pace(s, 1000, to_ms[i], now_ms);
        while (!clip.frame[n % clip.n_frames].key)
            n--;
        run(1); /* at once */
        assert_true(packets > 0);
        assert_int_equal(first_ts, BASE90K + n * 90000 / FPS);
    }
    sender_free(s);
}

/* Key frames alone, each when its time comes, down to the first; then it is over,
 * and goes on ahead from there. */
static void backwards(void **state)
{
    (void)state;
    open_it(600000, 0);
    run(1000);
    sender_pace(s, 0, 100000, now_ms);
    run(1500);
    sender_pace(s, -2000, -1, now_ms);
    assert_int_equal(run(4000), 8); /* a second apart, twice as fast */
    assert_false(sender_is_over(s));
    assert_int_equal(run(400), 1);
    assert_int_equal(first_ts, BASE90K + 93 * 90000u);
    assert_int_equal(run(99), 0);
    sender_pace(s, -32000, -1, now_ms);
    run(10000);
    assert_true(sender_is_over(s));
    sender_pace(s, 1000, -1, now_ms);
    assert_int_equal(run(1000), FPS);
    assert_int_equal(first_ts, BASE90K);
    sender_free(s);
}

static int load(void **state)
{
    (void)state;
    file = read_file("test/data/clip/clock.h264");
    return clip_init(&clip, &gb_alloc_heap, file, FPS) ||
           sound_init(&sound, PS_CODEC_G711A, SLICE(""));
}

static int unload(void **state)
{
    (void)state;
    clip_fini(&clip);
    free((void *)(uintptr_t)file.p);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_an_end), cmocka_unit_test(live_has_none),
        cmocka_unit_test(paces),      cmocka_unit_test(pauses),
        cmocka_unit_test(seeks),      cmocka_unit_test(backwards),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
