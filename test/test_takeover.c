/* A stream that goes on under another SSRC, address or clock, and who watches
 * it meanwhile: over FLV and fragmented MP4 times rise, no picture comes twice,
 * and the players need not begin anew. A simulated camera, in virtual time. */
#include "test/camera_world.h"

#define STAMPS 4096
#define FRAME_MS 40

/* Reads all there is, and takes the times out of it. */
struct watcher {
    struct hub_viewer v;
    uint8_t *got;
    size_t n, cap, at;
    double ms[2][STAMPS]; /* by track: video, sound; of FLV milliseconds */
    unsigned n_ms[2];
    double scale[2];      /* of fMP4: ticks a millisecond */
};

static struct watcher flv, fmp4;

static uint32_t be(const uint8_t *p, unsigned n)
{
    uint32_t v = 0;

    while (n--)
        v = v << 8 | *p++;
    return v;
}

static void stamp(struct watcher *r, unsigned track, double ms)
{
    assert_true(r->n_ms[track] < STAMPS);
    r->ms[track][r->n_ms[track]++] = ms;
}

static void read_flv(struct watcher *r)
{
    if (r->at == 0 && r->n >= 13)
        r->at = 13;
    while (r->at && r->n - r->at >= 11) {
        const uint8_t *p = r->got + r->at;
        size_t n = be(p + 1, 3);
        bool config = n > 1 && (p[0] == 9 ? p[12] != 1 : p[0] != 8);

        if (r->n - r->at < n + 15)
            return;
        if ((p[0] == 8 || p[0] == 9) && !config)
            stamp(r, p[0] == 8, (double)(be(p + 4, 3) | (uint32_t)p[7] << 24));
        r->at += n + 15;
    }
}

/* The first box of this type among those in p, NULL: none. */
static const uint8_t *box(const uint8_t *p, size_t n, const char *type)
{
    for (size_t at = 0; at + 8 <= n; at += be(p + at, 4)) {
        if (!memcmp(p + at + 4, type, 4))
            return p + at;
        if (be(p + at, 4) < 8)
            break;
    }
    return NULL;
}

static const uint8_t *inside(const uint8_t *p, const char *type)
{
    return p ? box(p + 8, be(p, 4) - 8, type) : NULL;
}

static void read_moov(struct watcher *r, const uint8_t *moov)
{
    size_t n = be(moov, 4);

    for (size_t at = 8; at + 8 <= n; at += be(moov + at, 4)) {
        const uint8_t *trak = moov + at, *tkhd, *mdhd;

        if (memcmp(trak + 4, "trak", 4))
            continue;
        tkhd = inside(trak, "tkhd");
        mdhd = inside(inside(trak, "mdia"), "mdhd");
        assert_true(tkhd && mdhd);
        assert_in_range(be(tkhd + 20, 4), 1, 2);
        r->scale[be(tkhd + 20, 4) - 1] = be(mdhd + 20, 4) / 1000.0;
    }
}

static void read_moof(struct watcher *r, const uint8_t *moof)
{
    size_t n = be(moof, 4);

    for (size_t at = 8; at + 8 <= n; at += be(moof + at, 4)) {
        const uint8_t *traf = moof + at, *tfhd, *tfdt;
        unsigned track;

        if (memcmp(traf + 4, "traf", 4))
            continue;
        tfhd = inside(traf, "tfhd");
        tfdt = inside(traf, "tfdt");
        assert_true(tfhd && tfdt && tfdt[8] == 1);
        track = be(tfhd + 12, 4) - 1;
        assert_true(track < 2 && r->scale[track] > 0);
        stamp(r, track, (be(tfdt + 12, 4) * 4294967296.0 + be(tfdt + 16, 4)) /
                            r->scale[track]);
    }
}

static void read_fmp4(struct watcher *r)
{
    while (r->n - r->at >= 8) {
        const uint8_t *p = r->got + r->at;
        size_t n = be(p, 4);

        assert_true(n >= 8);
        if (r->n - r->at < n)
            return;
        if (!memcmp(p + 4, "moov", 4))
            read_moov(r, p);
        else if (!memcmp(p + 4, "moof", 4))
            read_moof(r, p);
        r->at += n;
    }
}

static void pump(struct watcher *r)
{
    struct media_iov v[16];
    size_t n;

    while ((n = hub_viewer_next(&r->v, v, COUNT(v), false)) > 0) {
        size_t sum = 0;

        for (size_t i = 0; i < n; i++) {
            if (r->n + v[i].len > r->cap) {
                r->cap = 2 * (r->n + v[i].len);
                r->got = realloc(r->got, r->cap);
                assert_non_null(r->got);
            }
            memcpy(r->got + r->n, v[i].base, v[i].len);
            r->n += v[i].len;
            sum += v[i].len;
        }
        hub_viewer_consumed(&r->v, sum);
    }
    (r == &flv ? read_flv : read_fmp4)(r);
}

static void watch(struct sender_options *o, unsigned seconds)
{
    while (seconds--) {
        go_on(o, 1);
        pump(&flv);
        pump(&fmp4);
    }
}

static void silence(unsigned ms)
{
    for (uint64_t end = w.now_ms + ms; w.now_ms < end; w.now_ms += 50) {
        receiver_tick(w.rx, w.now_ms);
        hub_tick(w.hub, w.now_ms);
    }
}

static void open_watched(struct sender_options *o)
{
    const struct hub_viewer_options as_flv = { .format = HUB_FLV };
    const struct hub_viewer_options as_fmp4 = { .format = HUB_FMP4 };

    memset(&flv, 0, sizeof(flv));
    memset(&fmp4, 0, sizeof(fmp4));
    open_world(o->tcp);
    begin(o);
    assert_int_equal(hub_viewer_add(w.hub, &flv.v, &as_flv, w.now_ms), 0);
    assert_int_equal(hub_viewer_add(w.hub, &fmp4.v, &as_fmp4, w.now_ms), 0);
}

/* Times rise, with no hole beyond max_ms, and end where the clock on the wall
 * says: lost_ms of it were silent or came to nothing. */
static void check(const char *what, const struct watcher *r, double max_ms,
                  double lost_ms)
{
    double want = (double)(w.now_ms - 1000) - lost_ms;

    assert_int_equal(r->v.state, HUB_VIEWER_LIVE);
    assert_int_equal(r->v.jumps, 0);
    for (unsigned t = 0; t < 2; t++) {
        double took = r->ms[t][r->n_ms[t] - 1] - r->ms[t][0];

        for (unsigned i = 1; i < r->n_ms[t]; i++)
            if (r->ms[t][i] <= r->ms[t][i - 1] ||
                r->ms[t][i] - r->ms[t][i - 1] > max_ms)
                fail_msg("%s, %s, track %u: %.3f behind %.3f", what,
                         r == &flv ? "FLV" : "fMP4", t, r->ms[t][i],
                         r->ms[t][i - 1]);
        if (took < want - 1500 || took > want + 1500)
            fail_msg("%s, %s, track %u: %.0f ms of %.0f", what,
                     r == &flv ? "FLV" : "fMP4", t, took, want);
    }
}

static void close_watched(const char *what, double max_ms, double lost_ms)
{
    struct sender_counters sent;

    finish(&sent);
    pump(&flv);
    pump(&fmp4);
    check(what, &flv, max_ms, lost_ms);
    check(what, &fmp4, max_ms, lost_ms);
    assert_int_equal(w.bad, 0);
    assert_int_equal(w.back, 0);
    hub_viewer_remove(&flv.v);
    hub_viewer_remove(&fmp4.v);
    free(flv.got);
    free(fmp4.got);
    close_world();
}

/* Another sender from now on: a device that has begun anew. */
static void begins_anew(struct sender_options *o, uint32_t ssrc)
{
    sender_free(w.tx);
    o->ssrc = ssrc;
    assert_int_equal(sender_new(&w.tx, o, w.now_ms), 0);
}

/* ---- clocks -------------------------------------------------------------------- */

static void clocks(const char *what, const struct sender_faults *f)
{
    for (unsigned k = 0; k < 4; k++) {
        struct sender_options o = { .clip = &clip[k & 1][0],
                                    .sound = &sound[0], .tcp = k & 2,
                                    .faults = *f };

        open_watched(&o);
        watch(&o, 14);
        close_watched(what, 400, 0);
    }
}

static void a_clock_that_jumps_by_a_day(void **state)
{
    const struct sender_faults f = { .clock_jump = true };

    (void)state;
    clocks("a day ahead and back", &f);
}

static void time_stamps_that_wrap(void **state)
{
    const struct sender_faults f33 = { .pts_wrap = true };
    const struct sender_faults f32 = { .pts32 = true };

    (void)state;
    clocks("33 bits", &f33);
    clocks("32 bits", &f32);
}

static void time_stamps_that_begin_again(void **state)
{
    const struct sender_faults f = { .pts_restart = true };

    (void)state;
    clocks("from nought", &f);
}

/* ---- senders ------------------------------------------------------------------- */

/* The encoder begins anew: the same socket, another SSRC, another time. */
static void another_ssrc_in_mid_stream(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        struct sender_options o = { .clip = &clip[k & 1][0],
                                    .sound = &sound[0], .tcp = k & 2 };

        open_watched(&o);
        watch(&o, 4);
        for (uint32_t i = 1; i <= 3; i++) {
            begins_anew(&o, SSRC + 100 * i);
            watch(&o, 4);
        }
        assert_int_equal(receiver_source(w.rx)->ssrc, o.ssrc);
        assert_int_equal(receiver_source(w.rx)->relocks, 3);
        /* its first packets were held: the key frame is whole */
        close_watched("another SSRC", 200, 0);
    }
}

/* It registers from another address, and its media come from there. */
static void another_address_and_ssrc(void **state)
{
    struct sender_options o = { .clip = &clip[0][0], .sound = &sound[0] };
    struct gb_addr there;

    (void)state;
    open_watched(&o);
    watch(&o, 4);
    silence(1000); /* it starts */
    gb_addr_parse(&there, SLICE("192.0.2.8"), 15060);
    receiver_allow(w.rx, &there);
    w.from = there;
    begins_anew(&o, SSRC + 100);
    watch(&o, 8);
    assert_int_equal(receiver_source(w.rx)->ssrc, o.ssrc);
    close_watched("another address", 4000, 3000);
}

/* A NAT gives the same stream another port. */
static void another_port_of_the_same_stream(void **state)
{
    struct sender_options o = { .clip = &clip[0][0], .sound = &sound[0] };

    (void)state;
    open_watched(&o);
    for (unsigned i = 0; i < 4; i++) {
        watch(&o, 3);
        w.from.port++;
    }
    assert_int_equal(receiver_source(w.rx)->moves, 3);
    assert_int_equal(receiver_source(w.rx)->foreign, 0);
    close_watched("another port", 200, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_jumps_by_a_day),
        cmocka_unit_test(time_stamps_that_wrap),
        cmocka_unit_test(time_stamps_that_begin_again),
        cmocka_unit_test(another_ssrc_in_mid_stream),
        cmocka_unit_test(another_address_and_ssrc),
        cmocka_unit_test(another_port_of_the_same_stream),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
