/* app/media/hub_viewer: sound that waits for the next picture. */
#include "test/hub_world.h"

#define FLV_WAITS                                                              \
    (struct hub_viewer_options){ .format = HUB_FLV, .sound_waits = true }

/* A stream with sound, and a viewer that has read all of it. */
static struct edge *begin(struct world *w, struct hub_viewer_options opt)
{
    struct edge *e = &w->edge[0];

    assert_int_equal(world_open(w, NULL, 0), 0);
    picture(w, true);
    sound(w);
    picture(w, false);
    view(w, 0, opt);
    assert_int_equal(e->v.state, HUB_VIEWER_LIVE);
    e->wakes = 0;
    return e;
}

static const char *tail(const struct edge *e, size_t n)
{
    const char *story = story_flv(e);

    return story + strlen(story) - n;
}

/* One wake for a sound and the picture behind it; in their order. */
static void with_the_picture(void **state)
{
    struct world w;
    struct edge *e = begin(&w, FLV_WAITS);
    size_t n;

    (void)state;
    for (unsigned i = 1; i <= 20; i++) {
        n = e->n;
        sound(&w);
        sound(&w);
        assert_int_equal(e->n, n);
        picture(&w, false);
        assert_int_equal(e->wakes, i);
        assert_string_equal(tail(e, 3), "ssp");
    }
    assert_int_equal(e->v.jumps + e->v.dropped, 0);
    world_close(&w);
}

/* The owner hears until when; then it goes out without a picture. */
static void by_the_clock(void **state)
{
    struct world w;
    struct edge *e = begin(&w, FLV_WAITS);
    uint64_t from_ms = w.now_ms;
    unsigned told = w.sooner;

    (void)state;
    sound(&w);
    assert_int_equal(w.sooner, told + 1);
    assert_int_equal(hub_deadline(w.hub), from_ms + HUB_SOUND_WAIT_MS);
    hub_tick(w.hub, from_ms + HUB_SOUND_WAIT_MS - 1);
    assert_int_equal(e->wakes, 0);
    hub_tick(w.hub, from_ms + HUB_SOUND_WAIT_MS);
    assert_int_equal(e->wakes, 1);
    assert_string_equal(tail(e, 1), "s");
    assert_true(hub_deadline(w.hub) > from_ms + HUB_SOUND_WAIT_MS);

    /* or with a later sound, when nobody ticks */
    w.now_ms = from_ms = from_ms + 1000;
    for (; w.now_ms < from_ms + HUB_SOUND_WAIT_MS; w.now_ms += 10) {
        sound(&w);
        assert_int_equal(e->wakes, 1);
    }
    sound(&w);
    assert_int_equal(e->wakes, 2);
    assert_string_equal(tail(e, 6), "ssssss");
    world_close(&w);
}

/* Only who asked for it waits, and only where pictures come. */
static void who_waits(void **state)
{
    static const struct {
        const char *name;
        struct hub_viewer_options opt;
        unsigned wakes;
    } cases[] = {
        { "asked", { .format = HUB_FLV, .sound_waits = true }, 0 },
        { "fmp4", { .format = HUB_FMP4, .sound_waits = true }, 0 },
        { "did not ask", { .format = HUB_FLV }, 1 },
        { "no sound", { .format = HUB_FLV, .sound_waits = true,
                        .no_audio = true }, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world w;
        struct edge *e = begin(&w, cases[i].opt);

        sound(&w);
        if (e->wakes != cases[i].wakes)
            fail_msg("%s: %u wakes", cases[i].name, e->wakes);
        picture(&w, false);
        if (e->wakes != cases[i].wakes + 1)
            fail_msg("%s: %u wakes in the end", cases[i].name, e->wakes);
        world_close(&w);
    }
}

/* Both kinds of viewers of one ring get the same bytes. */
static void side_by_side(void **state)
{
    struct world w;
    struct edge *e = begin(&w, FLV_WAITS), *other = &w.edge[1];
    uint64_t seed = 11;

    (void)state;
    view(&w, 1, FLV);
    for (unsigned i = 0; i < 500; i++) {
        switch (test_random(&seed) % 4) {
        case 0:
            picture(&w, i % 50 == 0);
            break;
        case 1:
            w.now_ms += test_random(&seed) % 50;
            hub_tick(w.hub, w.now_ms);
            break;
        case 2:
            pump(e); /* its socket, of itself */
            break;
        case 3:
            sound(&w);
        }
    }
    picture(&w, true);
    assert_int_equal(e->v.jumps + other->v.jumps, 0);
    assert_int_equal(e->n, other->n);
    assert_memory_equal(e->got, other->got, e->n);
    world_close(&w);
}

/* Who asks while sound waits gets it, and one that then takes nothing counts as
 * slow. */
static void asked_for(void **state)
{
    struct world w;
    struct edge *e = begin(&w, FLV_WAITS);

    (void)state;
    sound(&w);
    e->budget = 5;
    pump(e);
    e->budget = 0;
    assert_int_equal(e->wakes, 0);
    for (int i = 0; i < 11; i++)
        gop(&w, 25);
    assert_int_equal(e->v.state, HUB_VIEWER_CUT);
    world_close(&w);
}

/* What waits is not lost at the end, nor when its viewer goes. */
static void ends(void **state)
{
    struct world w;
    struct edge *e = begin(&w, FLV_WAITS);

    (void)state;
    sound(&w);
    hub_end(w.hub);
    assert_int_equal(e->v.state, HUB_VIEWER_ENDED);
    assert_string_equal(tail(e, 1), "s");
    world_close(&w);

    e = begin(&w, FLV_WAITS);
    sound(&w);
    leave(e);
    hub_tick(w.hub, w.now_ms + 1000);
    picture(&w, false);
    assert_int_equal(e->wakes, 0);
    world_close(&w);
}

/* The ring is full of what another one has not read. */
static void full_ring(void **state)
{
    struct hub_options opt = { .slow_ms = 3600000, .slow_bytes = 1u << 30,
                               .stall_ms = 3600000 };
    struct world w;
    struct edge *e = &w.edge[0];
    size_t before;

    (void)state;
    assert_int_equal(world_open(&w, &opt, 0), 0);
    picture(&w, true);
    sound(&w);
    view(&w, 0, FLV_WAITS);
    w.edge[1].budget = 100;
    view(&w, 1, FLV);
    for (unsigned i = 0; i < 2 * HUB_RING_CHUNKS; i++) {
        picture(&w, false);
        sound(&w);
        sound(&w);
    }
    assert_true(w.edge[1].v.jumps > 0);
    assert_int_equal(e->v.jumps, 0);
    before = e->n;
    sound(&w);
    picture(&w, true);
    assert_int_equal(e->got[before], 8); /* its sound, then the key frame */
    assert_int_equal(e->got[e->n - 4 - bytes_be32_at(e->got + e->n - 4)], 9);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_the_picture), cmocka_unit_test(by_the_clock),
        cmocka_unit_test(who_waits),        cmocka_unit_test(side_by_side),
        cmocka_unit_test(asked_for),        cmocka_unit_test(ends),
        cmocka_unit_test(full_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
