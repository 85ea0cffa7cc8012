/* Packets of one session: what is told, once each, and that every slab comes
 * back. The stream is the clip of the simulated camera. */
#include "test/receiver_world.h"

#include "ps/pes.h"

static void picture_and_sound(void **state)
{
    static const enum receiver_event order[] = {
        RECEIVER_PACKET, RECEIVER_PROGRAM, RECEIVER_CODEC,
    };
    struct receiver_counters n;
    struct hub_stats st;
    struct rtcp_block report;
    enum ps_codec video, audio;

    (void)state;
    open_world(false, true);
    assert_false(receiver_report(w.rx, &report));
    stream(true, 3, 0);
    assert_int_equal(w.n_order, COUNT(order));
    assert_memory_equal(w.order, order, sizeof(order));
    receiver_codecs(w.rx, &video, &audio);
    assert_int_equal(video, PS_CODEC_H264);
    assert_int_equal(audio, PS_CODEC_G711A);
    assert_int_equal(receiver_kind(w.rx), RTP_KIND_PS);
    receiver_counters(w.rx, &n);
    assert_true(n.packets > 100 && n.bytes > 40000);
    assert_int_equal(n.lost + n.foreign + n.invalid + n.unknown_bytes +
                     n.corrupt, 0);
    assert_true(receiver_report(w.rx, &report));
    assert_int_equal(report.ssrc, SSRC);
    receiver_end(w.rx, w.now_ms);
    hub_stats(w.hub, w.now_ms, &st);
    assert_int_equal(st.video, PS_CODEC_H264);
    assert_int_equal(st.width, 640);
    assert_int_equal(st.frames, 75);
    assert_true(st.sounds >= 74);
    close_world();
}

static void nothing_said(void *ctx, enum receiver_event ev)
{
    (void)ctx;
    (void)ev;
}

/* Field-note 17.4: what is wrong in one session is wrong in none of the others,
 * and even the one that is all wrong goes on. */
static void note_17_4_one_bad_session_is_alone(void **state)
{
    const struct hub_hooks hooks = { .on_wake = on_wake };
    const struct receiver_options o = { .has_ssrc = true, .ssrc = SSRC,
                                        .on_event = nothing_said };
    struct receiver_counters good, bad;
    struct hub_stats st;
    struct hub *hub;

    (void)state;
    open_world(false, true);
    assert_int_equal(hub_new(&hub, &gb_alloc_heap, &hooks, NULL), 0);
    assert_int_equal(receiver_new(&twin, hub, &o), 0);
    stream(true, 6, 0);
    receiver_tick(twin, w.now_ms);
    receiver_end(w.rx, w.now_ms);
    receiver_end(twin, w.now_ms);
    receiver_counters(w.rx, &good);
    receiver_counters(twin, &bad);
    assert_true(bad.packets > 200 && bad.corrupt > 0);
    assert_int_equal(good.corrupt + good.lost + good.invalid +
                     good.unknown_bytes, 0);
    hub_stats(w.hub, w.now_ms, &st);
    assert_int_equal(st.frames, 150);
    receiver_free(twin);
    hub_free(hub);
    twin = NULL;
    close_world();
}

static void losses_are_counted(void **state)
{
    struct receiver_counters n;

    (void)state;
    open_world(false, true);
    stream(false, 3, 8);
    receiver_end(w.rx, w.now_ms);
    receiver_counters(w.rx, &n);
    assert_true(n.lost > 5);
    assert_true(n.corrupt > 0);
    assert_int_equal(w.said[RECEIVER_CODEC], 1);
    close_world();
}

/* Said once, however many packets are so; those in the clear say nothing. */
static void encryption_is_told(void **state)
{
    static const uint8_t pack[] = {
        0, 0, 1, 0xba, 0x44, 0, 0x16, 0x8c, 4, 1, 0, 0x5f, 0x6b, 0xf8,
        0, 0, 1, 0xe0, 0, 14, 0x84, 0x80, 5, 0x21, 0, 5, 0xbf, 0x21,
        0, 0, 0, 1, 0x41, 0x9a,
    };

    (void)state;
    for (unsigned scrambling = 0; scrambling < 4; scrambling++) {
        open_world(false, true);
        for (unsigned k = 0; k < 3; k++) {
            uint8_t bytes[MAX_PACKET], program[sizeof(pack)];

            memcpy(program, pack, sizeof(pack));
            program[20] = (uint8_t)(program[20] | scrambling << 4);
            assert_true(give(bytes, rtp(bytes, 96, SSRC, program,
                                        sizeof(program))));
            w.ts += 3600;
            w.now_ms += 40;
            receiver_tick(w.rx, w.now_ms);
        }
        assert_int_equal(w.said[RECEIVER_PROGRAM], 1);
        assert_int_equal(w.said[RECEIVER_ENCRYPTED], scrambling != 0);
        close_world();
    }
}

/* Sound that is whole does not hide that no picture is; sound alone, of which
 * packets are missing, is no picture. */
static void sound_beside_damaged_pictures(void)
{
    static const uint8_t pack[] = {
        0, 0, 1, 0xba, 0x44, 0, 0x16, 0x8c, 4, 1, 0, 0x5f, 0x6b, 0xf8,
        0, 0, 1, 0xc0, 0, 12, 0x80, 0x80, 5, 0x21, 0, 5, 0xbf, 0x21,
        0xd5, 0xd5, 0xd5, 0xd5,
        0, 0, 1, 0xe0, 0, 15, 0x84, 0x80, 5, 0x21, 0, 5, 0xbf, 0x21,
        0, 0, 0, 1, 0x65, 0x88,
    };
    enum { ID_AT = 35 };

    for (unsigned video = 0; video < 2; video++) {
        open_world(false, true);
        while (w.now_ms < 1000 + 2 * RECEIVER_BLIND_MS) {
            uint8_t bytes[MAX_PACKET], program[sizeof(pack)];

            memcpy(program, pack, sizeof(pack));
            program[ID_AT] = video ? 0xe0 : 0xc0;
            give(bytes, rtp(bytes, 96, SSRC, program, sizeof(program)));
            w.seq++;
            w.ts += 3600;
            w.now_ms += 40;
            receiver_tick(w.rx, w.now_ms);
        }
        assert_int_equal(w.said[RECEIVER_DAMAGED], video);
        close_world();
    }
}

/* Pictures that nobody can show, for seconds: key frames without parameter
 * sets, or such that each has lost its end. */
static void why_there_is_no_picture(void **state)
{
    static const uint8_t frame[] = {
        0, 0, 1, 0xba, 0x44, 0, 0x16, 0x8c, 4, 1, 0, 0x5f, 0x6b, 0xf8,
        0, 0, 1, 0xbc, 0, 14, 0xe1, 0xff, 0, 0, 0, 4, 0x1b, 0xe0, 0, 0,
        0, 0, 0, 0,
        0, 0, 1, 0xe0, 0, 14, 0x84, 0x80, 5, 0x21, 0, 5, 0xbf, 0x21,
        0, 0, 0, 1, 0x65, 0x88,
    };
    enum { LENGTH_AT = 39 };
    struct receiver_counters n;

    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        const uint64_t start_ms = 1000;

        open_world(false, true);
        while (w.now_ms < start_ms + 2 * RECEIVER_BLIND_MS) {
            uint8_t bytes[MAX_PACKET], program[sizeof(frame)];

            memcpy(program, frame, sizeof(frame));
            program[LENGTH_AT] = (uint8_t)(program[LENGTH_AT] + more);
            give(bytes, rtp(bytes, 96, SSRC, program, sizeof(program)));
            if (more) /* each is followed by a loss */
                w.seq++;
            w.ts += 3600;
            w.now_ms += 40;
            receiver_tick(w.rx, w.now_ms);
            if (w.now_ms < start_ms + RECEIVER_BLIND_MS)
                assert_int_equal(w.said[RECEIVER_NO_SETS] +
                                 w.said[RECEIVER_DAMAGED], 0);
        }
        assert_int_equal(w.said[RECEIVER_NO_SETS], more == 0);
        assert_int_equal(w.said[RECEIVER_DAMAGED], more == 1);
        receiver_counters(w.rx, &n);
        /* each is counted once; the last wait for what was lost */
        assert_true(n.corrupt <= (more ? n.packets : 0));
        assert_true(n.corrupt >= (more ? n.packets / 2 : 0));
        close_world();
    }
    sound_beside_damaged_pictures();
    open_world(false, true);
    stream(false, 5, 0);
    assert_int_equal(w.said[RECEIVER_NO_SETS] + w.said[RECEIVER_DAMAGED], 0);
    close_world();
}

/* A picture in so many slices. */
static void give_slices(unsigned n, bool marker)
{
    static const char sets[] =
        "\0\0\0\1\x67\x42\0\x1e\x96\x54\x0a\x0f\xc8\0\0\0\1\x68\xce\x38\x80";
    uint8_t program[400], bytes[MAX_PACKET];
    struct writer out = writer_of(program, sizeof(program));
    uint64_t pts = w.now_ms * 90;
    size_t size;

    ps_pack_encode(&out, pts, 6106);
    ps_pes_encode(&out, 0xe0, sizeof(sets) - 1 + (size_t)n * 8, false, &pts);
    writer_bytes(&out, sets, sizeof(sets) - 1);
    for (unsigned i = 0; i < n; i++)
        writer_bytes(&out, i ? "\0\0\0\1\x65\x46\1\2"
                           : "\0\0\0\1\x65\x88\1\2", 8);
    assert_int_equal(out.err, 0);
    w.ts = (uint32_t)pts;
    size = rtp(bytes, 96, SSRC, program, out.len);
    if (!marker)
        bytes[1] &= 0x7f;
    give(bytes, size);
}

/* A camera sends a picture a second, in as many slices as it likes: none waits
 * for the next one, and one with a marker for nothing else. */
static void slow_pictures_are_out_soon(void **state)
{
    static const unsigned slices[] = { 3, 3, 1, 2, 2, 1, 4, 4, 3 };
    struct hub_stats st;

    (void)state;
    for (int marker = 0; marker < 2; marker++) {
        open_world(false, true);
        for (unsigned k = 0; k < COUNT(slices); k++) {
            const uint64_t sent_ms = w.now_ms;
            bool waits = k && !marker && slices[k] < slices[k - 1];

            give_slices(slices[k], marker);
            for (st.frames = 0; st.frames <= k; w.now_ms += 10) {
                assert_true(w.now_ms < sent_ms + 1000);
                receiver_tick(w.rx, w.now_ms);
                hub_stats(w.hub, w.now_ms, &st);
            }
            assert_int_equal(w.now_ms - 10 - sent_ms,
                             waits ? RECEIVER_LATE_MS : RECEIVER_FLUSH_MS);
            w.now_ms = sent_ms + 1000;
        }
        close_world();
    }
}

/* What the raw viewer got, and what the packets held. */
static struct {
    struct hub_viewer v;
    uint8_t got[1 << 20], sent[1 << 20];
    size_t n_got, n_sent;
} raw;

static void raw_pump(void)
{
    struct media_iov iov;

    while (hub_viewer_next(&raw.v, &iov, 1, false)) {
        assert_true(raw.n_got + iov.len <= sizeof(raw.got));
        memcpy(raw.got + raw.n_got, iov.base, iov.len);
        raw.n_got += iov.len;
        hub_viewer_consumed(&raw.v, iov.len);
    }
}

/* Pairs of packets in the wrong order, some twice: the program stream comes out
 * as the device wrote it, from the first key frame on. */
static void program_stream_as_it_came(void **state)
{
    struct slice file = read_file("test/data/clip/clock.h264");
    struct hub_viewer_options opt = { .format = HUB_PS };
    struct clip clip;
    struct sender_options o = { .alloc = &gb_alloc_heap, .clip = &clip,
                                .ssrc = SSRC, .pt = 96 };
    struct sender *tx;
    uint8_t bytes[2][MAX_PACKET];
    size_t len[2] = { 0, 0 };

    (void)state;
    open_world(false, true);
    memset(&raw, 0, sizeof(raw));
    assert_int_equal(hub_viewer_add(w.hub, &raw.v, &opt, w.now_ms), 0);
    assert_int_equal(clip_init(&clip, &gb_alloc_heap, file, 25), 0);
    assert_int_equal(sender_new(&tx, &o, w.now_ms), 0);
    for (unsigned i = 0; w.now_ms < 4000; w.now_ms += 5) {
        struct sender_packet pkt;

        while (sender_next(tx, &pkt, w.now_ms)) {
            unsigned k = i++ & 1;

            assert_true(raw.n_sent + pkt.n <= sizeof(raw.sent));
            memcpy(raw.sent + raw.n_sent, pkt.payload, pkt.n);
            raw.n_sent += pkt.n;
            memcpy(bytes[k], pkt.head, pkt.head_len);
            memcpy(bytes[k] + pkt.head_len, pkt.payload, pkt.n);
            len[k] = pkt.head_len + pkt.n;
            if (i == 1)
                give(bytes[0], len[0]); /* it says where the order begins */
            if (k == 0)
                continue;
            give(bytes[1], len[1]);
            give(bytes[0], len[0]);
            if (i % 10 == 0)
                give(bytes[1], len[1]);
        }
        receiver_tick(w.rx, w.now_ms);
        raw_pump();
    }
    give(bytes[0], len[0]); /* one may be left over */
    receiver_end(w.rx, w.now_ms);
    hub_end(w.hub);
    raw_pump();
    assert_true(raw.n_got > 30000);
    assert_int_equal(raw.n_got, raw.n_sent);
    assert_memory_equal(raw.got, raw.sent, raw.n_sent);
    hub_viewer_remove(&raw.v);
    sender_free(tx);
    clip_fini(&clip);
    free((void *)(uintptr_t)file.p);
    close_world();
}

/* What is no program stream is named, once, and counted. */
static void payloads_of_another_kind(void **state)
{
    static const uint8_t adts[] = { 0xff, 0xf1, 0x60, 0x40, 1, 0x1f, 0xfc, 0 };
    static const uint8_t aac[] = { 0, 0x10, 0, 0x20, 0x21, 0x10, 5, 0 };
    static const uint8_t ts[376] = { 0x47, [188] = 0x47 };
    static const uint8_t noise[700] = { 0x91, 0x33, 0xe7, 0x12, 0x5c };
    static const struct {
        const char *name;
        uint8_t pt;
        const uint8_t *p;
        size_t n;
        enum rtp_kind kind;
    } cases[] = {
        { "AAC without PS", 102, aac, sizeof(aac), RTP_KIND_AAC },
        { "ADTS, declared as PS", 96, adts, sizeof(adts), RTP_KIND_ADTS },
        { "MPEG-TS", 33, ts, sizeof(ts), RTP_KIND_TS },
        { "noise", 96, noise, sizeof(noise), RTP_KIND_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct receiver_counters n;

        open_world(false, false);
        for (unsigned k = 0; k < 80; k++) {
            uint8_t bytes[MAX_PACKET];
            size_t len = rtp(bytes, cases[i].pt, SSRC, cases[i].p, cases[i].n);

            w.ts += 3600;
            w.now_ms += 40;
            assert_true(give(bytes, len));
            receiver_tick(w.rx, w.now_ms);
        }
        receiver_counters(w.rx, &n);
        if (w.said[RECEIVER_UNKNOWN] != 1 || w.said[RECEIVER_PROGRAM] ||
            receiver_kind(w.rx) != cases[i].kind || n.unknown_bytes == 0)
            fail_msg("%s: said %u, looks like %s, %llu bytes", cases[i].name,
                     w.said[RECEIVER_UNKNOWN],
                     rtp_kind_name(receiver_kind(w.rx)),
                     (unsigned long long)n.unknown_bytes);
        close_world();
    }
}

/* A stranger's packets are counted, the first one's too; many of them in a row
 * from the allowed address do not take the stream while it runs. */
static void strangers(void **state)
{
    static const uint8_t pack[16] = { 0, 0, 1, 0xba, 0x44 };
    struct receiver_counters n;
    uint8_t bytes[MAX_PACKET];

    (void)state;
    open_world(false, false);
    receiver_answer(w.rx, true, SSRC, PS_CODEC_UNKNOWN, PS_CODEC_UNKNOWN);
    receiver_allow(w.rx, &w.from);
    w.from.ip[3]++;
    assert_false(give(bytes, rtp(bytes, 96, SSRC, pack, sizeof(pack))));
    w.from.ip[3]--;
    assert_true(give(bytes, rtp(bytes, 96, SSRC, pack, sizeof(pack))));
    for (uint16_t i = 0; i < 9; i++) {
        w.seq = (uint16_t)(500 + i);
        assert_false(give(bytes, rtp(bytes, 96, 7, pack, sizeof(pack))));
        if (i % 4)
            continue;
        w.seq = (uint16_t)(100 + i);
        assert_true(give(bytes, rtp(bytes, 96, SSRC, pack, sizeof(pack))));
    }
    receiver_counters(w.rx, &n);
    assert_int_equal(n.packets, 4);
    assert_int_equal(n.foreign, 10);
    assert_int_equal(w.said[RECEIVER_PACKET], 1);
    close_world();
}

/* One picture, or one sound, of 40 ms in a packet of its own. */
static void give_pes(uint8_t id, struct slice es)
{
    uint8_t ps[512], bytes[MAX_PACKET];
    struct writer wr = writer_of(ps, sizeof(ps));

    writer_bytes(&wr, "\0\0\1\xba\x44\0\x04\0\x04\1\0\x5f\x6b\xf8\0\0\1", 17);
    writer_char(&wr, (char)id);
    writer_be16(&wr, (uint16_t)(es.n + 8));
    writer_bytes(&wr, "\x84\x80\x05\x21", 4);
    writer_be16(&wr, (uint16_t)(w.ts >> 14 | 1));
    writer_be16(&wr, (uint16_t)(w.ts << 1 | 1));
    writer_bytes(&wr, es.p, es.n);
    assert_int_equal(wr.err, 0);
    assert_true(give(bytes, rtp(bytes, 96, SSRC, ps, wr.len)));
}

#define KEY "\0\0\0\1\x67\x42\xc0\x0a\xd9\x04\x7b\x01\x10\0\0\x03\0\x10\0\0\x03" \
            "\x03\x20\xf1\x22\x64\x80\0\0\0\1\x68\xcb\x83\xcb\x20\0\0\0\1\x65" \
            "\x88\x84\x0b\xf2\x62\x80\0\xab\xcc\x9c\x9c\x9d\x75\xd7\x5d\x75\xd7\x5e"
#define OTHER "\0\0\0\1\x41\x9a\x38\x15\xe3\x60"

/* A camera of two lenses and two microphones in one program: one of each is shown,
 * the other once that one is silent, from a key frame on. */
static void two_pictures_in_one_program(void **state)
{
    static const char silence[320];
    struct hub_stats st;
    enum ps_codec video, audio;

    (void)state;
    open_world(false, true);
    receiver_answer(w.rx, true, SSRC, PS_CODEC_H264, PS_CODEC_G711A);
    for (unsigned i = 0; i < 300; i++, w.ts += 3600, w.now_ms += 40) {
        bool key = i % 50 == 0;

        if (i < 100) { /* 4 s, then the second alone */
            give_pes(0xe0, key ? (struct slice)S(KEY) : (struct slice)S(OTHER));
            give_pes(0xc0, slice_of(silence, sizeof(silence)));
        }
        give_pes(0xe1, key ? (struct slice)S(KEY) : (struct slice)S(OTHER));
        give_pes(0xc1, slice_of(silence, sizeof(silence)));
        receiver_tick(w.rx, w.now_ms);
        hub_stats(w.hub, w.now_ms, &st);
        if (i > 100 && i < 224) {
            assert_in_range(st.frames, 99, 100);
            assert_in_range(st.sounds, 99, 100);
        }
    }
    assert_in_range(st.frames, 148, 150); /* from the key frame at 250 on */
    assert_in_range(st.sounds, 174, 177);
    assert_int_equal(st.dropped, 0);
    receiver_codecs(w.rx, &video, &audio);
    assert_int_equal(video, PS_CODEC_H264);
    assert_int_equal(audio, PS_CODEC_G711A);
    close_world();
}

/* No proper prefix of the header is a packet. */
static void every_prefix(void **state)
{
    static const uint8_t pack[16] = { 0, 0, 1, 0xba, 0x44 };
    struct receiver_counters n;
    uint8_t bytes[MAX_PACKET];
    size_t len;

    (void)state;
    open_world(false, true);
    len = rtp(bytes, 96, SSRC, pack, sizeof(pack));
    assert_true(len > RTP_PACK_HEAD);
    for (size_t cut = 0; cut < 12; cut++)
        assert_false(give(bytes, cut));
    receiver_counters(w.rx, &n);
    assert_int_equal(n.invalid, 12);
    assert_int_equal(n.packets, 0);
    assert_int_equal(w.n_order, 0);
    assert_int_equal(receiver_last_ms(w.rx), 0);
    close_world();
}

/* A device that writes its program stream to the connection without RTP. */
static void bare_program_stream(void **state)
{
    struct slice ps = read_file("test/data/ps/reference.ps");
    struct slab *s;

    (void)state;
    open_world(true, true);
    s = slab_get(&w.pool);
    memcpy(s->bytes, ps.p, ps.n);
    receiver_bare(w.rx, s->bytes, ps.n, s, w.now_ms);
    slab_unref(s);
    assert_int_equal(w.said[RECEIVER_PACKET], 1);
    assert_int_equal(w.said[RECEIVER_PROGRAM], 1);
    receiver_gap(w.rx);
    receiver_tick(w.rx, w.now_ms + RECEIVER_FLUSH_MS);
    receiver_end(w.rx, w.now_ms + 1000);
    close_world();
    free((void *)(uintptr_t)ps.p);
}

/* Freed in the middle of everything: with holes open and kinds undecided. */
static void freed_at_any_time(void **state)
{
    static const uint8_t noise[100] = { 0x91 };

    (void)state;
    for (unsigned k = 0; k < 30; k++) {
        uint8_t bytes[MAX_PACKET];

        open_world(false, true);
        for (unsigned i = 0; i < k; i++) {
            size_t len = rtp(bytes, (uint8_t)(96 + i % 6), SSRC, noise,
                             sizeof(noise));

            if (i % 7 == 3)
                w.seq++; /* a hole */
            give(bytes, len);
        }
        close_world();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picture_and_sound),
        cmocka_unit_test(note_17_4_one_bad_session_is_alone),
        cmocka_unit_test(losses_are_counted),
        cmocka_unit_test(encryption_is_told),
        cmocka_unit_test(why_there_is_no_picture),
        cmocka_unit_test(slow_pictures_are_out_soon),
        cmocka_unit_test(program_stream_as_it_came),
        cmocka_unit_test(payloads_of_another_kind),
        cmocka_unit_test(strangers),
        cmocka_unit_test(two_pictures_in_one_program),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(bare_program_stream),
        cmocka_unit_test(freed_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
