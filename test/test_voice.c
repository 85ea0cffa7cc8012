/* app/media/voice: the pace of packets, silence, a recording to its end. */
#include "app/media/g711.h"
#include "app/media/voice.h"
#include "rtp/packet.h"
#include "test/support.h"

#include <string.h>

static struct voice *v;
static uint64_t now_ms;

static void begin(struct voice_options o)
{
    o.alloc = o.alloc ? o.alloc : &gb_alloc_heap;
    o.ssrc = o.ssrc ? o.ssrc : 200001234;
    o.pt = o.ulaw ? 0 : o.ps ? 96 : 8;
    now_ms = 1000;
    assert_int_equal(voice_new(&v, &o, now_ms), 0);
}

static void say(int16_t level, unsigned ms)
{
    int16_t pcm[8000];

    for (size_t i = 0; i < COUNT(pcm); i++)
        pcm[i] = level;
    for (; ms > 1000; ms -= 1000)
        voice_feed(v, pcm, 8000);
    voice_feed(v, pcm, ms * 8);
}

static struct rtp_packet parse(struct slice s)
{
    struct rtp_packet p;

    assert_int_equal(rtp_packet_parse(&p, (const uint8_t *)s.p, s.n), 0);
    return p;
}

/* One packet of 40 ms each 40 ms, its time stamp 320 on, its sequence 1 on. */
static void leaves_at_its_pace(void **state)
{
    struct rtp_packet last = { 0 };
    struct slice s;

    (void)state;
    begin((struct voice_options){ 0 });
    say(1000, 200);
    for (int i = 0; i < 5; i++) {
        struct rtp_packet p;

        assert_int_equal(voice_deadline(v), 1000 + 40 * i);
        assert_false(voice_next(v, &s, voice_deadline(v) - 1));
        assert_true(voice_next(v, &s, voice_deadline(v)));
        p = parse(s);
        assert_int_equal(p.payload_len, 320);
        assert_int_equal(p.pt, 8);
        assert_int_equal(p.ssrc, 200001234);
        assert_int_equal(p.marker, i == 0);
        assert_int_equal(p.payload[0], g711_alaw_encode(1000));
        if (i) {
            assert_int_equal((uint16_t)(p.seq - last.seq), 1);
            assert_int_equal(p.ts - last.ts, 320);
        }
        last = p;
        assert_false(voice_next(v, &s, 1000 + 40 * (uint64_t)i));
    }
    voice_free(v);
}

/* Of 20 to 100 ms, by default longer over TCP. */
static void packets_have_a_length(void **state)
{
    static const struct {
        uint32_t ms;
        bool framed;
        size_t want;
    } cases[] = { { 0, false, 320 }, { 0, true, 800 }, { 20, false, 160 },
                  { 60, true, 480 }, { 1, false, 160 }, { 5000, false, 800 } };
    struct slice s;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin((struct voice_options){ .packet_ms = cases[i].ms,
                                      .framed = cases[i].framed });
        assert_true(voice_next(v, &s, now_ms));
        if (cases[i].framed) {
            assert_int_equal((uint8_t)s.p[0] << 8 | (uint8_t)s.p[1], s.n - 2);
            s = slice_from(s, 2);
        }
        assert_int_equal(parse(s).payload_len, cases[i].want);
        voice_free(v);
    }
}

static void silence_goes_on(void **state)
{
    struct voice_counters c;
    struct slice s;
    int markers = 0, speech = 0;

    (void)state;
    begin((struct voice_options){ .ulaw = true });
    for (int i = 0; i < 100; i++) {
        if (i == 20 || i == 60)
            say(-3000, 200);
        assert_true(voice_next(v, &s, now_ms + 40 * (uint64_t)i));
        markers += parse(s).marker;
        speech += parse(s).payload[0] == g711_ulaw_encode(-3000);
    }
    voice_counters(v, &c);
    assert_int_equal(markers, 2); /* each time it begins to speak */
    assert_int_equal(speech, 10);
    assert_int_equal(c.spoken_ms, 400);
    assert_int_equal(c.silent_ms, 3600);
    assert_int_equal(c.dropped_ms, 0);
    voice_free(v);
}

/* A page that sends faster than time goes, or all at once after a pause. */
static void too_much_is_dropped(void **state)
{
    struct voice_counters c;
    struct slice s;
    uint64_t said = 0;

    (void)state;
    begin((struct voice_options){ 0 });
    say(1, 1000);
    say(2, 5000);
    voice_counters(v, &c);
    assert_int_equal(c.dropped_ms, 6000 - VOICE_KEEP_MS);
    for (uint64_t i = 0; i < 10; i++) {
        assert_true(voice_next(v, &s, now_ms + 40 * i));
        said += parse(s).payload[0] == g711_alaw_encode(16);
    }
    assert_int_equal(said, 0);
    voice_counters(v, &c);
    assert_int_equal(c.spoken_ms, VOICE_KEEP_MS);
    voice_free(v);
}

/* A stalled loop does not send what it owes in a burst. */
static void a_late_clock_skips(void **state)
{
    struct slice s;
    uint32_t ts;
    int n = 0;

    (void)state;
    begin((struct voice_options){ 0 });
    say(500, 300);
    assert_true(voice_next(v, &s, 1000));
    ts = parse(s).ts;
    while (voice_next(v, &s, 6000))
        n++;
    assert_int_equal(n, 1);
    assert_int_equal(parse(s).ts - ts, 5000 * 8);
    assert_int_equal(voice_deadline(v), 6040);
    voice_free(v);
}

/* All of it, then a little silence, then no more. */
static void a_recording_ends(void **state)
{
    struct voice_counters c;
    struct slice s;
    int n = 0;

    (void)state;
    begin((struct voice_options){ .whole_ms = 5010 });
    say(700, 5010);
    while (voice_deadline(v) != GB_NEVER) {
        assert_true(voice_next(v, &s, voice_deadline(v)));
        assert_true(++n < 1000);
    }
    voice_counters(v, &c);
    assert_true(voice_is_over(v));
    assert_int_equal(c.dropped_ms, 0);
    assert_int_equal(c.spoken_ms, 5040); /* the last packet is part silence */
    assert_int_equal(c.silent_ms, VOICE_TAIL_MS);
    assert_false(voice_next(v, &s, now_ms + 100000));
    voice_free(v);
    assert_int_equal(voice_new(&v,
                               &(struct voice_options){
                                   .alloc = &gb_alloc_heap,
                                   .whole_ms = VOICE_FILE_MS + 1 },
                               0), GB_ERANGE);
}

/* PS packs: PSM says G.711, time stamps are of 90 kHz. */
static void packs_are_program_stream(void **state)
{
    struct slice s;
    uint64_t ts[3];

    (void)state;
    begin((struct voice_options){ .ps = true, .framed = true });
    say(2000, 300);
    for (int i = 0; i < 3; i++) {
        struct rtp_packet p;
        struct slice pack;

        assert_true(voice_next(v, &s, voice_deadline(v)));
        p = parse(slice_from(s, 2));
        assert_int_equal(p.pt, 96);
        ts[i] = p.ts;
        pack = slice_of((const char *)p.payload, p.payload_len);
        assert_true(slice_has_prefix(pack, slice_of("\0\0\1\xba", 4)));
        assert_int_equal(slice_find_slice(pack, slice_of("\0\0\1\xbc", 4)) <
                             pack.n, i == 0);
        assert_true(slice_find_slice(pack, slice_of("\0\0\1\xc0", 4)) <
                    pack.n);
    }
    assert_int_equal(ts[2] - ts[1], 9000);
    voice_free(v);
}

static void memory_may_be_short(void **state)
{
    struct failing_alloc f;

    (void)state;
    failing_alloc_init(&f, 1);
    assert_int_equal(voice_new(&v, &(struct voice_options){ .alloc = &f.alloc },
                               0), GB_ENOMEM);
    failing_alloc_init(&f, 0);
    begin((struct voice_options){ .alloc = &f.alloc });
    voice_free(v);
    assert_int_equal(f.live, 0);
}

/* Whatever is fed and whenever it is asked: no packet before its time, and what
 * went in comes out or is counted. */
static void random_lives(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 60; seed++) {
        uint64_t r = seed, fed = 0;
        struct voice_counters c;
        struct slice s;

        begin((struct voice_options){ .packet_ms = 20 + (uint32_t)seed % 81,
                                      .ps = seed % 2, .ulaw = seed % 3 == 0,
                                      .framed = seed % 5 == 0 });
        for (int i = 0; i < 500; i++) {
            unsigned ms = (unsigned)(test_random(&r) % 120);

            say((int16_t)test_random(&r), ms);
            fed += ms;
            now_ms += test_random(&r) % 100;
            while (voice_next(v, &s, now_ms))
                assert_true(s.n <= VOICE_PACKET_BYTES);
            assert_true(voice_deadline(v) > now_ms);
        }
        voice_counters(v, &c);
        assert_true(c.spoken_ms + c.dropped_ms <= fed);
        assert_true(c.spoken_ms + c.dropped_ms + VOICE_QUEUE_MS + 500 >= fed);
        voice_free(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_at_its_pace),
        cmocka_unit_test(packets_have_a_length),
        cmocka_unit_test(silence_goes_on),
        cmocka_unit_test(too_much_is_dropped),
        cmocka_unit_test(a_late_clock_skips),
        cmocka_unit_test(a_recording_ends),
        cmocka_unit_test(packs_are_program_stream),
        cmocka_unit_test(memory_may_be_short),
        cmocka_unit_test(random_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
