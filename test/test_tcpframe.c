/* Frames out of a TCP stream: every cut, every framing, every truncation. */
#include "test/support.h"

#include "base/writer.h"
#include "rtp/packet.h"
#include "rtp/tcpframe.h"
#include "test/rtpvec.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_FRAMES 4096
#define BUF_CAP (80u << 10)

/* What came out: each frame as kind, gap, length and a checksum. */
struct seen {
    size_t n;
    struct {
        enum rtp_frame_kind kind;
        bool gap;
        size_t len;
        uint32_t sum;
        uint16_t seq;
    } frame[MAX_FRAMES];
    size_t bytes;
    uint32_t sum; /* of all bytes: PS chunks may be cut anywhere */
    int err;
};

static uint32_t checksum(uint32_t h, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 16777619u;
    return h;
}

static void note(struct seen *s, const struct rtp_frame *f)
{
    assert_true(s->n < MAX_FRAMES);
    s->frame[s->n].kind = f->kind;
    s->frame[s->n].gap = f->gap;
    s->frame[s->n].len = f->n;
    s->frame[s->n].sum = checksum(2166136261u, f->p, f->n);
    s->frame[s->n].seq =
        f->n >= 4 ? (uint16_t)(f->p[2] * 256u + f->p[3]) : 0;
    s->n++;
    s->bytes += f->n;
    s->sum = checksum(s->sum, f->p, f->n);
}

/* The receive loop of the header comment: reads of `step` bytes into a buffer
 * of cap bytes whose end is a guard page away from nothing of ours. */
static void run(struct rtp_tcpframe *f, struct slice stream, size_t step,
                size_t cap, bool end, struct seen *out)
{
    uint8_t *buf = malloc(cap);
    struct rtp_frame frame;
    size_t len = 0, off = 0;

    *out = (struct seen){ .err = GB_EAGAIN };
    while (off < stream.n && out->err == GB_EAGAIN) {
        size_t n = stream.n - off < step ? stream.n - off : step, done;

        done = rtp_tcpframe_done(f);
        assert_true(done <= len);
        if (len + n > cap || off % 3 == 0) {
            memmove(buf, buf + done, len - done);
            len -= done;
            rtp_tcpframe_shift(f, done);
        }
        n = n < cap - len ? n : cap - len;
        assert_true(n > 0); /* else it would be stuck */
        memcpy(buf + len, stream.p + off, n);
        len += n;
        off += n;
        while ((out->err = rtp_tcpframe_next(f, buf, len, cap, &frame)) == 0) {
            assert_true(frame.p >= buf && frame.p + frame.n <= buf + len);
            note(out, &frame);
        }
        assert_true(cap < RTP_TCPFRAME_CAP || rtp_tcpframe_need(f) <= cap);
    }
    while (end && out->err == GB_EAGAIN &&
           (out->err = rtp_tcpframe_end(f, buf, len, &frame)) == 0) {
        note(out, &frame);
        out->err = GB_EAGAIN;
    }
    free(buf);
}

static void run_new(const struct rtp_tcpframe_options *opt,
                    struct slice stream, size_t step, bool end,
                    struct seen *out)
{
    struct rtp_tcpframe f;

    rtp_tcpframe_init(&f, opt);
    run(&f, stream, step, BUF_CAP, end, out);
}

/* count vector packets of consecutive numbers, each behind `pre`. */
static struct slice session(struct writer *w, enum rtp_framing mode,
                            unsigned from, unsigned count, uint32_t ssrc)
{
    for (unsigned i = from; i < from + count; i++) {
        uint8_t pkt[sizeof(vec_key)];
        size_t n = vec_packets[i % 3].n;

        memcpy(pkt, vec_packets[i % 3].p, n);
        pkt[2] = (uint8_t)(i >> 8);
        pkt[3] = (uint8_t)i;
        for (unsigned k = 0; k < 4; k++)
            pkt[8 + k] = (uint8_t)(ssrc >> (24 - 8 * k));
        if (mode == RTP_FRAMING_DOLLAR) {
            writer_char(w, '$');
            writer_char(w, 0);
        }
        if (mode != RTP_FRAMING_BARE)
            writer_be16(w, (uint16_t)n);
        writer_bytes(w, pkt, n);
    }
    assert_int_equal(w->err, 0);
    return writer_slice(w);
}

static void plain(void **state)
{
    static char text[8192];
    struct writer w = writer_of(text, sizeof(text));
    struct slice all = session(&w, RTP_FRAMING_LENGTH, 0, 15, VEC_SSRC);
    static struct seen s;
    struct rtp_tcpframe f;

    (void)state;
    rtp_tcpframe_init(&f, NULL);
    run(&f, all, all.n, BUF_CAP, false, &s);
    assert_int_equal(f.mode, RTP_FRAMING_LENGTH);
    assert_int_equal(s.err, GB_EAGAIN);
    assert_int_equal(s.n, 15);
    for (unsigned i = 0; i < 15; i++) {
        assert_int_equal(s.frame[i].kind, RTP_FRAME_RTP);
        assert_int_equal(s.frame[i].seq, i);
        assert_int_equal(s.frame[i].len, vec_packets[i % 3].n);
        assert_false(s.frame[i].gap);
    }
    assert_true(f.frames == 15 && f.resyncs == 0 && f.skipped_bytes == 0);
}

/* Every way of cutting each framing in two, and byte by byte, gives the same
 * frames; every prefix gives a prefix of them. */
static void every_cut(void **state)
{
    static const enum rtp_framing modes[] = { RTP_FRAMING_LENGTH,
                                              RTP_FRAMING_DOLLAR,
                                              RTP_FRAMING_BARE };
    static char text[8192];
    static struct seen want, got;

    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        struct writer w = writer_of(text, sizeof(text));
        struct slice all = session(&w, modes[m], 0, 6, VEC_SSRC);

        run_new(NULL, all, all.n, true, &want);
        assert_int_equal(want.n, 6);
        for (size_t step = 1; step < all.n; step++) {
            run_new(NULL, all, step, true, &got);
            if (memcmp(&want, &got, sizeof(want)) != 0)
                fail_msg("mode %d step %zu: %zu frames", modes[m], step,
                         got.n);
        }
        for (size_t n = 0; n < all.n; n++) {
            run_new(NULL, guarded(slice_head(all, n)), all.n, false, &got);
            assert_int_equal(got.err, GB_EAGAIN);
            assert_true(got.n <= 6 && got.bytes <= n);
            assert_memory_equal(got.frame, want.frame,
                                got.n * sizeof(got.frame[0]));
        }
    }
}

/* A first packet that lost its last k bytes: nothing behind it is lost but
 * what it swallowed to the byte. */
static void truncated(void **state)
{
    static const size_t steps[] = { 1, 17, SIZE_MAX };
    static char text[8192];
    static struct seen s;

    (void)state;
    for (unsigned known = 0; known < 2; known++) {
        struct rtp_tcpframe_options opt = { .has_ssrc = known != 0,
                                            .ssrc = VEC_SSRC };

        for (size_t k = 1; k <= 140; k++) {
            unsigned first = k == 58 ? 2 : k == 110 ? 3 : 1;
            struct writer w = writer_of(text, sizeof(text));
            struct slice all;

            session(&w, RTP_FRAMING_LENGTH, 0, 15, VEC_SSRC);
            memmove(text + 143 - k, text + 143, w.len - 143);
            all = slice_head(writer_slice(&w), w.len - k);
            for (size_t i = 0; i < COUNT(steps); i++) {
                size_t step = steps[i] < all.n ? steps[i] : all.n, at;

                run_new(&opt, all, step, true, &s);
                at = s.n - (15 - first);
                if (s.n < 15 - first || s.n > 15 - first + 1)
                    fail_msg("known %u k %zu step %zu: %zu frames", known, k,
                             step, s.n);
                for (unsigned j = first; j < 15; j++, at++)
                    if (s.frame[at].seq != j ||
                        s.frame[at].len != vec_packets[j % 3].n ||
                        s.frame[at].gap != (j == 1 && first == 1))
                        fail_msg("known %u k %zu step %zu: packet %u", known,
                                 k, step, j);
            }
        }
    }
}

/* The same in the middle of a stream, in '$' framing too, without flush. */
static void truncated_later(void **state)
{
    static const enum rtp_framing modes[] = { RTP_FRAMING_LENGTH,
                                              RTP_FRAMING_DOLLAR };
    static char text[16384];
    static struct seen s;

    (void)state;
    for (size_t m = 0; m < COUNT(modes); m++) {
        size_t pre = modes[m] == RTP_FRAMING_LENGTH ? 2 : 4;
        size_t two = 56 + pre, three = two + 50 + pre;

        for (size_t k = 1; k <= 129; k++) {
            struct writer w = writer_of(text, sizeof(text));
            size_t end;
            struct slice all;
            unsigned got = 0;

            if (k == two || k == three)
                continue; /* swallowed to the byte */
            session(&w, modes[m], 0, 7, VEC_SSRC);
            end = w.len; /* behind packet 6, a key frame */
            session(&w, modes[m], 7, 40, VEC_SSRC);
            memmove(text + end - k, text + end, w.len - end);
            all = slice_head(writer_slice(&w), w.len - k);
            run_new(NULL, all, 100, false, &s);
            for (size_t i = 0; i < s.n; i++)
                got += s.frame[i].seq >= 7 && s.frame[i].seq < 47;
            if (got != 40)
                fail_msg("mode %d k %zu: %u of 40", modes[m], k, got);
        }
    }
}

static void rtcp_and_nulls(void **state)
{
    static const uint8_t sr[28] = { 0x80, 0xc8, 0, 6, 0x0b, 0xeb, 0xd2, 0xe1 };
    static const uint8_t rr[8] = { 0x80, 0xc9, 0, 1, 1, 2, 3, 4 };
    static char text[4096];
    struct writer w = writer_of(text, sizeof(text));
    static struct seen s, all;

    (void)state;
    writer_be16(&w, 0);
    session(&w, RTP_FRAMING_LENGTH, 0, 2, VEC_SSRC);
    writer_be16(&w, 0);
    writer_be16(&w, sizeof(sr));
    writer_bytes(&w, sr, sizeof(sr));
    writer_be16(&w, sizeof(rr));
    writer_bytes(&w, rr, sizeof(rr));
    session(&w, RTP_FRAMING_LENGTH, 2, 2, VEC_SSRC);
    run_new(NULL, writer_slice(&w), w.len, false, &all);
    assert_int_equal(all.n, 6);
    assert_int_equal(all.frame[2].kind, RTP_FRAME_RTCP);
    assert_int_equal(all.frame[3].kind, RTP_FRAME_RTCP);
    assert_int_equal(all.frame[3].len, 8);
    for (size_t i = 0; i < all.n; i++)
        assert_false(all.frame[i].gap);
    run_new(NULL, writer_slice(&w), 1, false, &s);
    assert_memory_equal(&s, &all, sizeof(s));
}

/* Two streams on one connection: both come out, none is taken for damage. */
static void two_ssrcs(void **state)
{
    static char text[32768];
    struct writer w = writer_of(text, sizeof(text));
    struct rtp_tcpframe_options opt = { .has_ssrc = true, .ssrc = VEC_SSRC };
    static struct seen s;

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        session(&w, RTP_FRAMING_LENGTH, i, 1, VEC_SSRC);
        session(&w, RTP_FRAMING_LENGTH, i, 1 + i % 3, 777);
    }
    session(&w, RTP_FRAMING_LENGTH, 30, 1, VEC_SSRC);
    run_new(&opt, writer_slice(&w), 1000, false, &s);
    assert_int_equal(s.n, 30 + 60 + 1);
    for (size_t i = 0; i < s.n; i++)
        assert_false(s.frame[i].gap);
}

/* The device does not care for y=: all its frames come, the first ones as
 * soon as a second one proves them. */
static void other_ssrc(void **state)
{
    static const uint32_t ssrcs[] = { 0, 1, 0xffffffffu };
    static char text[8192];
    static struct seen s;

    (void)state;
    for (size_t i = 0; i < COUNT(ssrcs); i++) {
        struct writer w = writer_of(text, sizeof(text));
        struct rtp_tcpframe_options opt = { .has_ssrc = true,
                                            .ssrc = VEC_SSRC };
        struct rtp_tcpframe f;

        session(&w, RTP_FRAMING_LENGTH, 0, 20, ssrcs[i]);
        rtp_tcpframe_init(&f, &opt);
        run(&f, writer_slice(&w), 50, BUF_CAP, false, &s);
        assert_int_equal(s.n, 20);
        for (unsigned k = 0; k < 20; k++) {
            assert_int_equal(s.frame[k].seq, k);
            assert_false(s.frame[k].gap);
        }
        assert_int_equal(f.ssrc, ssrcs[i]);
    }
}

/* Frames of 60 KB through a buffer of one frame. */
static void large_frames(void **state)
{
    enum { COUNT_ = 4, LEN = 65535 };
    char *text = malloc(COUNT_ * (LEN + 2));
    struct writer w = writer_of(text, COUNT_ * (LEN + 2));
    uint8_t *pkt = calloc(1, LEN);
    struct rtp_tcpframe f;
    static struct seen s;

    (void)state;
    for (unsigned i = 0; i < COUNT_; i++) {
        rtp_header_put(pkt, 96, false, (uint16_t)i, 0, 5);
        memset(pkt + 12, (int)i + 1, LEN - 12);
        writer_be16(&w, LEN);
        writer_bytes(&w, pkt, LEN);
    }
    assert_int_equal(w.err, 0);
    rtp_tcpframe_init(&f, NULL);
    f.mode = RTP_FRAMING_LENGTH; /* a single first one could not be proven */
    run(&f, writer_slice(&w), 9000, RTP_TCPFRAME_CAP, false, &s);
    assert_int_equal(s.n, COUNT_);
    run_new(NULL, writer_slice(&w), 9000, false, &s);
    assert_int_equal(s.n, COUNT_);
    free(pkt);
    free(text);
}

/* RTP without lengths that could be a frame of 32 KB: what was searched for the
 * second header is not searched again for each byte that comes. */
static void second_header(void **state)
{
    static uint8_t buf[4096];
    const size_t old = 300, late = 900;
    struct rtp_tcpframe f;
    struct rtp_frame out;

    (void)state;
    memset(buf, 0x11, sizeof(buf));
    rtp_header_put(buf, 96, false, 0x8001, 0, 5);
    rtp_tcpframe_init(&f, NULL);
    assert_int_equal(rtp_tcpframe_next(&f, buf, 600, sizeof(buf), &out),
                     GB_EAGAIN);
    rtp_header_put(buf + old, 96, false, 0x8002, 0, 5); /* nobody sees it */
    assert_int_equal(rtp_tcpframe_next(&f, buf, 601, sizeof(buf), &out),
                     GB_EAGAIN);
    assert_int_equal(f.mode, RTP_FRAMING_UNKNOWN);
    memset(buf + old, 0x11, RTP_HEADER_BYTES);
    rtp_header_put(buf + late, 96, false, 0x8002, 0, 5);
    for (size_t n = 602; n < late + RTP_HEADER_BYTES; n++)
        assert_int_equal(rtp_tcpframe_next(&f, buf, n, sizeof(buf), &out),
                         GB_EAGAIN);
    assert_int_equal(rtp_tcpframe_next(&f, buf, late + RTP_HEADER_BYTES,
                                       sizeof(buf), &out), 0);
    assert_int_equal(f.mode, RTP_FRAMING_BARE);
    assert_int_equal(out.n, late);
}

static void ehome(void **state)
{
    static char text[8192];
    static struct seen s, once;
    unsigned stray;

    (void)state;
    for (stray = 0; stray < 2; stray++) {
        struct writer w = writer_of(text, sizeof(text));
        struct rtp_tcpframe f;

        writer_bytes(&w, "\1\0\1", 3);
        while (w.len < 256)
            writer_char(&w, 'x');
        for (unsigned i = 0; i < 9; i++) {
            const uint8_t *p = vec_packets[i % 3].p;
            uint16_t n = vec_packets[i % 3].n;

            writer_bytes(&w, "$\0", 2);
            writer_be16(&w, (uint16_t)(n + stray));
            writer_bytes(&w, p, 12);
            if (stray)
                writer_char(&w, 0x0d);
            writer_bytes(&w, p + 12, n - 12u);
        }
        rtp_tcpframe_init(&f, NULL);
        run(&f, writer_slice(&w), w.len, BUF_CAP, false, &once);
        assert_int_equal(f.mode, RTP_FRAMING_EHOME);
        assert_int_equal(once.n, 9);
        for (unsigned i = 0; i < 9; i++) {
            assert_int_equal(once.frame[i].len, vec_packets[i % 3].n);
            assert_int_equal(once.frame[i].sum,
                             checksum(2166136261u, vec_packets[i % 3].p,
                                      vec_packets[i % 3].n));
        }
        run_new(NULL, writer_slice(&w), 1, false, &s);
        assert_memory_equal(&s, &once, sizeof(s));
    }
}

/* A payload byte that happens to be 0D is no stray byte. */
static void no_stray(void **state)
{
    static char text[8192];
    struct writer w = writer_of(text, sizeof(text));
    static struct seen s;
    uint8_t pkt[60] = { 0 };

    (void)state;
    writer_bytes(&w, "\1\0\1", 3);
    while (w.len < 256)
        writer_char(&w, 0);
    for (unsigned i = 0; i < 3; i++) {
        rtp_header_put(pkt, 96, false, (uint16_t)i, 0, 5);
        pkt[12] = i ? 0x0d : 0;
        writer_bytes(&w, "$\0", 2);
        writer_be16(&w, sizeof(pkt));
        writer_bytes(&w, pkt, sizeof(pkt));
    }
    run_new(NULL, writer_slice(&w), w.len, false, &s);
    assert_int_equal(s.n, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(s.frame[i].len, sizeof(pkt));
}

static void bare_ps(void **state)
{
    static struct seen s;
    uint32_t sum;

    (void)state;
    sum = checksum(0, vec_key + 12, sizeof(vec_key) - 12);
    for (size_t step = 1; step < 140; step += 23) {
        struct rtp_tcpframe f;

        rtp_tcpframe_init(&f, NULL);
        run(&f,
            slice_of((const char *)vec_key + 12, sizeof(vec_key) - 12), step,
            BUF_CAP, true, &s);
        assert_int_equal(f.mode, RTP_FRAMING_PS);
        assert_int_equal(s.bytes, sizeof(vec_key) - 12);
        assert_int_equal(s.sum, sum);
        assert_int_equal(s.frame[0].kind, RTP_FRAME_PS);
    }
}

static void detection(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        enum rtp_framing mode;
        int err;
    } cases[] = {
        { "tls", S("\x16\x03\x01\x02\x00\x01\x00\x01\xfc"), 0, GB_ESYNTAX },
        { "http", S("GET / HTTP/1.1\r\n\r\n"), 0, GB_ESYNTAX },
        { "rtsp", S("OPTIONS * RTSP/1.0\r\n"), 0, GB_ESYNTAX },
        { "length", S("\x00\x20\x80\x60\x00"), RTP_FRAMING_LENGTH,
          GB_EAGAIN },
        { "length, padding and CSRC", S("\x00\x20\xb1\xe0\x00"),
          RTP_FRAMING_LENGTH, GB_EAGAIN },
        { "rtcp first", S("\x00\x08\x80\xc9\x00"), RTP_FRAMING_LENGTH,
          GB_EAGAIN },
        { "too short a length", S("\x00\x0b\x80\x60\x00"), 0, GB_ESYNTAX },
        { "version 1", S("\x00\x20\x40\x60\x00"), 0, GB_ESYNTAX },
        { "dollar", S("$\x00\x00\x20\x80\x60"), RTP_FRAMING_DOLLAR,
          GB_EAGAIN },
        { "ps", S("\x00\x00\x01\xba\x44"), RTP_FRAMING_PS, 0 },
        { "null, then length", S("\0\0\x00\x20\x80\x60\x00"),
          RTP_FRAMING_LENGTH, GB_EAGAIN },
        { "bare", S("\x80\x08\x00\x01\x00\x00\x00\x00"), RTP_FRAMING_BARE,
          GB_EAGAIN },
        { "bare, odd type", S("\x80\x30\x00\x01\x00\x00\x00\x00"), 0,
          GB_ESYNTAX },
        { "four bytes", S("\x00\x20\x80\x60"), 0, GB_EAGAIN },
        { "nothing", S(""), 0, GB_EAGAIN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t buf[64];
        struct rtp_tcpframe f;
        struct rtp_frame out;
        int err;

        rtp_tcpframe_init(&f, NULL);
        memcpy(buf, cases[i].in.p, cases[i].in.n);
        err = rtp_tcpframe_next(&f, buf, cases[i].in.n, sizeof(buf), &out);
        if (err != cases[i].err || f.mode != cases[i].mode)
            fail_msg("%s: mode %d, %s", cases[i].name, f.mode,
                     gb_strerror(err));
    }
}

/* A first RTP packet of 256 bytes begins like EHome and even holds '$' where
 * EHome would. */
static void length_256(void **state)
{
    static char text[2048];
    uint8_t pkt[256] = { 0 };
    static struct seen s;

    (void)state;
    for (unsigned trap = 0; trap < 3; trap++) {
        struct writer w = writer_of(text, sizeof(text));
        struct rtp_tcpframe f;

        for (unsigned i = 0; i < 3; i++) {
            rtp_header_put(pkt, 96, false, (uint16_t)i, 0, 5);
            pkt[254] = trap ? '$' : 'x';
            writer_be16(&w, sizeof(pkt));
            writer_bytes(&w, pkt, sizeof(pkt));
        }
        if (trap == 2)
            text[256 + 4] = (char)0x80; /* and a version behind it */
        rtp_tcpframe_init(&f, NULL);
        run(&f, writer_slice(&w), 7, BUF_CAP, false, &s);
        assert_int_equal(f.mode, RTP_FRAMING_LENGTH);
        assert_int_equal(s.n, 3);
    }
}

/* Megabytes of anything: it ends, within the limits, and the buffer never
 * has to grow. */
static void garbage(void **state)
{
    enum { SIZE = 1 << 20 };
    static const size_t steps[] = { 64, 1460, 65536 };
    char *text = malloc(SIZE);
    uint64_t seed = 0x28181;
    static struct seen s;

    (void)state;
    for (unsigned round = 0; round < 24; round++) {
        struct rtp_tcpframe_options opt = { .has_ssrc = round & 1,
                                            .ssrc = VEC_SSRC };
        struct rtp_tcpframe f;

        for (size_t i = 0; i < SIZE; i += 8) {
            uint64_t r = test_random(&seed);

            memcpy(text + i, &r, 8);
            if (round & 2 && (r & 0x700) == 0) /* false traces of the SSRC */
                memcpy(text + i, vec_key + 8, 4);
            if (round & 4 && (r & 0x300) == 0)
                memset(text + i, 0, 8);
        }
        memcpy(text, "\x00\x8d", 2);
        memcpy(text + 2, vec_key, sizeof(vec_key));
        rtp_tcpframe_init(&f, &opt);
        run(&f, slice_of(text, SIZE), steps[round % COUNT(steps)],
            RTP_TCPFRAME_CAP, true, &s);
        if (s.err != GB_ELIMIT && s.n < 2)
            fail_msg("round %u: err %d, %zu frames", round, s.err, s.n);
    }
    free(text);
}

static void too_many_nulls(void **state)
{
    static char text[4 * RTP_TCPFRAME_MAX_NULLS];
    static struct seen s;

    (void)state;
    run_new(NULL, slice_of(text, sizeof(text)), 100, false, &s);
    assert_int_equal(s.err, GB_ESYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),          cmocka_unit_test(every_cut),
        cmocka_unit_test(truncated),      cmocka_unit_test(truncated_later),
        cmocka_unit_test(rtcp_and_nulls), cmocka_unit_test(two_ssrcs),
        cmocka_unit_test(other_ssrc),     cmocka_unit_test(large_frames),
        cmocka_unit_test(ehome),          cmocka_unit_test(no_stray),
        cmocka_unit_test(bare_ps),        cmocka_unit_test(detection),
        cmocka_unit_test(length_256),     cmocka_unit_test(garbage),
        cmocka_unit_test(too_many_nulls), cmocka_unit_test(second_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
