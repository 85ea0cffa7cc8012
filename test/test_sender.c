/* What a simulated camera sends, with every fault of it, on the way of a
 * session: TCP framing, source lock, reorder queue, demuxer, hub. Pictures come
 * out as they are in the clip, and as many as the fault lets through. */
#include "test/camera_world.h"

#define SECONDS 8

/* ---- every fault -------------------------------------------------------------- */

enum { TCP_ONLY = 1, UNREADABLE = 2, AAC = 4, DAMAGED = 8 };

/* Of those that let less through than is sent, in percent; others let through
 * everything, but for a block of audio before the first picture. */
static const struct expected {
    const char *name;
    unsigned pictures, sounds; /* at least */
    unsigned flags;
} expected[] = {
    { "late-key", 92, 91, 0 },       /* from the next key frame on */
    { "sets-late", 62, 61, 0 },      /* likewise */
    { "audio-first", 100, 74, 0 },   /* waits for the picture */
    { "no-psm", 100, 93, 0 },        /* audio is known by some of it */
    { "not-announced", 100, 93, 0 },
    { "g711-as-aac", 100, 90, 0 },
    { "seq-restart", 92, 91, 0 },    /* over UDP: 15 packets each time */
    { "ssrc-change", 62, 61, 0 },    /* three seconds are the old one's */
    { "cut-frames", 90, 95, TCP_ONLY | DAMAGED },
    { "length-short", 100, 99, 0 },
    { "dollar", 100, 99, TCP_ONLY },
    { "ehome", 100, 99, TCP_ONLY },
    { "bare-ps", 100, 99, TCP_ONLY },
    { "big-packets", 100, 99, TCP_ONLY },
    { "aac-as-g711", 100, 99, AAC },
    { "aac-headers", 100, 99, AAC },
    { "no-key", 0, 0, UNREADABLE },
    { "vendor-frames", 0, 0, UNREADABLE },
    { "encrypted", 0, 0, UNREADABLE },
};

static const struct expected *expectation(const char *name)
{
    static const struct expected everything = { "", 100, 99, 0 };

    for (size_t i = 0; i < COUNT(expected); i++)
        if (!strcmp(expected[i].name, name))
            return &expected[i];
    return &everything;
}

/* By how much the pictures are ahead of the sound at the end; 0: not both. */
static int64_t video_ahead90k(void)
{
    return w.good && w.sounds
               ? w.last90k[MEDIA_VIDEO] - w.last90k[MEDIA_AUDIO] : 0;
}

static void one_fault(const char *name, unsigned codec, bool tcp)
{
    const struct expected *x = expectation(name);
    bool aac = x->flags & AAC || (codec && !strstr(name, "g711"));
    struct sender_options o = { .clip = &clip[codec][0],
                                .other = &clip[codec][1],
                                .sound = &sound[aac], .tcp = tcp };
    struct sender_counters sent;
    struct faults f = { 0 };

    if (x->flags & TCP_ONLY && !tcp)
        return;
    assert_true(fault_set(&f, slice_str(name)));
    o.faults = f.sender;
    open_world(tcp);
    play(&o, SECONDS, &sent);
    if ((w.bad && !(x->flags & DAMAGED)) || w.back || w.is_broken || sent.frames < 150 ||
        w.good * 100 < x->pictures * sent.frames ||
        w.sounds * 100 < x->sounds * sent.sounds ||
        (x->flags & UNREADABLE && w.good) ||
        (w.odd && strcmp(name, "b-frames")) ||
        llabs(video_ahead90k()) > 45000)
        fail_msg("%s, %s over %s: %u of %u pictures, %u of %u sounds, %u bad, "
                 "%u times back, %.1f s of video ahead%s",
                 name, codec ? "H.265" : "H.264", tcp ? "TCP" : "UDP", w.good,
                 (unsigned)sent.frames, w.sounds, (unsigned)sent.sounds, w.bad,
                 w.back, (double)video_ahead90k() / 90000,
                 w.is_broken ? ", no framing" : "");
    close_world();
}

static void every_fault_is_read(void **state)
{
    const struct fault *f;

    (void)state;
    for (size_t i = 0; (f = fault_at(i)) != NULL; i++) {
        char name[40];

        if (f->off < offsetof(struct faults, sender) ||
            f->off >= offsetof(struct faults, link))
            continue;
        fault_name(f, name, sizeof(name));
        for (unsigned k = 0; k < 4; k++)
            one_fault(name, k & 1, k & 2);
    }
}

/* The names above are those of faults. */
static void expectations_have_faults(void **state)
{
    struct faults f;

    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++)
        if (!fault_set(&f, slice_str(expected[i].name)))
            fail_msg("%s", expected[i].name);
}

/* Without memory there is no sender, and nothing is lost. */
/* A clip that takes turns with another one does so at key frames, also behind one
 * that was asked for. */
static void another_size_begins_with_a_key(void **state)
{
    struct sender_options o = { .clip = &clip[0][0], .other = &clip[0][1],
                                .faults.sps_change = true };
    struct sender_counters sent;

    (void)state;
    open_world(false);
    begin(&o);
    for (unsigned i = 0; i < 6; i++) {
        w.now_ms += 200; /* within a GOP */
        go_on(&o, 3);
        sender_key(w.tx);
    }
    finish(&sent);
    assert_int_equal(w.torn, 0);
    assert_true(w.good > 400);
    close_world();
}

static void memory(void **state)
{
    struct sender_options o = { .clip = &clip[0][0], .sound = &sound[0] };
    unsigned long n = 1;
    int err;

    (void)state;
    for (unsigned faults = 0; faults < 2; faults++) {
        o.faults.aud = faults;
        for (n = 1;; n++) {
            struct failing_alloc mem;
            struct sender *tx;

            failing_alloc_init(&mem, n);
            o.alloc = &mem.alloc;
            err = sender_new(&tx, &o, 0);
            if (!err)
                sender_free(tx);
            assert_int_equal(mem.live, 0);
            if (!err)
                break;
            assert_int_equal(err, GB_ENOMEM);
        }
        assert_true(n > 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_read),
        cmocka_unit_test(expectations_have_faults),
        cmocka_unit_test(another_size_begins_with_a_key),
        cmocka_unit_test(memory),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
