/* A stream that loses, repeats and reorders packets: what is whole comes out
 * whole, it goes on with the next key frame, and memory stays where it is. */
#include "test/camera_world.h"

#define SECONDS 120

static uint32_t loss; /* in hundredths of a percent */
static uint64_t dice;

static bool lose(void)
{
    return test_random(&dice) % 10000 < loss;
}

/* Every GOP of which nothing was lost is there with all of its pictures; with
 * freezing nothing that is damaged comes out. */
static void one_stream(uint32_t percent100, unsigned codec, bool freeze,
                       bool tcp)
{
    struct sender_options o = { .clip = &clip[codec][0], .sound = &sound[0],
                                .tcp = tcp, .seed = 7 };
    struct hub_options hub = { .freeze_on_loss = freeze };
    struct sender_counters sent;
    struct receiver_counters n;
    unsigned whole = 0, missing = 0;
    size_t settled;

    o.faults.duplicate = tcp ? 0 : 100;
    o.faults.reorder = tcp ? 0 : 200;
    loss = percent100;
    dice = 88172645463325252u + percent100;
    open_world_with(tcp, &hub);
    w.loses = lose;
    begin(&o);
    go_on(&o, SECONDS / 3);
    settled = heap.peak;
    heap.peak = 0;
    go_on(&o, SECONDS * 2 / 3);
    for (unsigned i = 1; i < SECONDS - 1; i++) {
        if (w.hurt[i])
            continue;
        whole++;
        missing += w.came[i] != GOP;
    }
    receiver_counters(w.rx, &n);
    finish(&sent);
    if (missing || whole < 1 || n.lost == 0 || (freeze && w.bad) || w.back ||
        heap.peak > 3 * settled) /* a GOP whose next key frame is lost grows */
        fail_msg("%.1f %% %s%s%s: %u of %u whole GOPs are not, %u lost, %u "
                 "damaged, %u times back, memory %zu, then %zu",
                 percent100 / 100.0, codec ? "H.265" : "H.264",
                 freeze ? " freezing" : "", tcp ? " TCP" : "", missing, whole,
                 (unsigned)n.lost, w.bad, w.back, settled, heap.peak);
    close_world();
}

static void goes_on_with_the_next_key_frame(void **state)
{
    static const uint32_t percent100[] = { 10, 100, 500 };

    (void)state;
    for (unsigned i = 0; i < COUNT(percent100); i++)
        for (unsigned k = 0; k < 4; k++)
            one_stream(percent100[i], k & 1, k & 2, false);
    for (unsigned k = 0; k < 2; k++) /* of a camera that loses them itself */
        one_stream(100, k, true, true);
}

/* Repeated and reordered only: nothing is missing. */
static void nothing_is_lost_by_order(void **state)
{
    (void)state;
    for (unsigned codec = 0; codec < 2; codec++) {
        struct sender_options o = { .clip = &clip[codec][0],
                                    .sound = &sound[0], .seed = 3 };
        struct sender_counters sent;

        o.faults.duplicate = 1000;
        o.faults.reorder = 2000;
        open_world(false);
        play(&o, 20, &sent);
        if (w.good != sent.frames || w.bad || w.discontinuities)
            fail_msg("%u of %u, %u bad, %u gaps", w.good,
                     (unsigned)sent.frames, w.bad, w.discontinuities);
        close_world();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_with_the_next_key_frame),
        cmocka_unit_test(nothing_is_lost_by_order),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
