/* app/platform/channel_sets: what a channel's streams had when they last played
 * (field-note 8.8). */
#include "app/platform/core.h"
#include "test/session_rig.h"

#include <stdio.h>
#include <stdlib.h>

static struct counted {
    struct gb_alloc alloc;
    unsigned live;
} mem;

static void *counted_get(void *ctx, size_t n)
{
    ((struct counted *)ctx)->live++;
    return calloc(1, n);
}

static void counted_put(void *ctx, void *p)
{
    ((struct counted *)ctx)->live -= p != NULL;
    free(p);
}

static struct kept_sets *sets_of(struct slice sps)
{
    struct media_config c = { .codec = PS_CODEC_H264, .n_param = 1, .n_sps = 1,
                              .param = { sps } };
    struct kept_sets *k;

    mem.alloc = (struct gb_alloc){ counted_get, counted_put, &mem };
    k = kept_sets_new(&mem.alloc, &c);
    assert_non_null(k);
    return k;
}

static struct kept_sets *some_sets(void)
{
    return sets_of(SLICE("\x67\x42"));
}

static struct sim_stream *wish(struct sim_device *d, const char *of,
                               unsigned stream)
{
    const struct platform_live req = { .device = slice_str(d->id),
                                       .channel = slice_str(of),
                                       .stream = stream,
                                       .transport = PLATFORM_UDP };
    struct platform_session v;

    assert_int_equal(platform_live_start(s.p, &req, s.now, &v), 0);
    sim_run(&s, 1500);
    assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
    return sim_stream_of(&s, v.id);
}

static void stop(struct sim_stream *st)
{
    platform_session_stop(s.p, st->session, s.now);
    sim_run(&s, 1000);
}

/* What its next session is given. */
static struct kept_sets *given(struct sim_device *d, const char *of,
                               unsigned stream)
{
    struct kept_sets *k;
    struct sim_stream *st;

    d->sets = NULL;
    st = wish(d, of, stream);
    k = st->sets;
    stop(st);
    return k;
}

static void played_with(struct sim_device *d, const char *of, unsigned stream,
                        struct kept_sets *k)
{
    d->sets = k;
    stop(wish(d, of, stream));
}

static void each_stream_has_its_own(void **state)
{
    struct sim_device *d = ready();
    struct kept_sets *main = some_sets(), *sub = some_sets(), *third;

    (void)state;
    assert_null(given(d, channel, 0));
    played_with(d, channel, 0, main);
    assert_null(given(d, channel, 1));
    played_with(d, channel, 1, sub);
    assert_ptr_equal(given(d, channel, 0), main);
    assert_ptr_equal(given(d, channel, 1), sub);
    assert_null(given(d, d->channel[1], 0));
    third = some_sets();
    played_with(d, channel, 2, third); /* no such stream */
    assert_null(given(d, channel, 2));
    kept_sets_unref(main);
    kept_sets_unref(sub);
    kept_sets_unref(third);
    assert_int_equal(mem.live, 2);
    third = some_sets(); /* the newest are those of the last session */
    played_with(d, channel, 0, third);
    assert_ptr_equal(given(d, channel, 0), third);
    kept_sets_unref(third);
    assert_int_equal(mem.live, 2);
    ends_clean();
    assert_int_equal(mem.live, 0);
}

/* The stream's are others now, though they are too many to be kept. */
static void too_large_ones_end_the_older(void **state)
{
    static const char sps[KEPT_SETS_BYTES + 1] = { 0x67, 0x42 };
    struct sim_device *d = ready();
    struct kept_sets *first = some_sets(), *sub = some_sets(),
                     *large = sets_of(slice_of(sps, sizeof(sps)));

    (void)state;
    played_with(d, channel, 0, first);
    played_with(d, channel, 1, sub);
    played_with(d, channel, 0, large);
    assert_null(given(d, channel, 0));
    assert_ptr_equal(given(d, channel, 1), sub);
    kept_sets_unref(first);
    kept_sets_unref(sub);
    kept_sets_unref(large);
    ends_clean();
    assert_int_equal(mem.live, 0);
}

static void not_of_a_recording(void **state)
{
    struct sim_device *d = ready();
    struct kept_sets *k = some_sets(), *first = some_sets();
    struct platform_session v;

    (void)state;
    d->sets = k;
    assert_int_equal(sim_playback(&s, d, channel, PLATFORM_PLAYBACK,
                                  PLATFORM_UDP, &v), 0);
    sim_run(&s, 2000);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    assert_null(given(d, channel, 0));
    played_with(d, channel, 0, first);
    assert_int_equal(sim_playback(&s, d, channel, PLATFORM_PLAYBACK,
                                  PLATFORM_UDP, &v), 0);
    sim_run(&s, 1000);
    assert_null(sim_stream_of(&s, v.id)->sets);
    platform_session_stop(s.p, v.id, s.now);
    kept_sets_unref(k);
    kept_sets_unref(first);
    ends_clean();
    assert_int_equal(mem.live, 0);
}

static void they_go_with_the_channel(void **state)
{
    struct sim_device *d = ready();

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct kept_sets *k = some_sets();

        played_with(d, d->channel[i], 0, k);
        kept_sets_unref(k);
    }
    assert_int_equal(mem.live, 3);
    d->n_channels = 2; /* the catalog lists two of them */
    platform_device_refresh(s.p, slice_str(d->id), s.now);
    sim_run(&s, 20000);
    assert_int_equal(sim_view(&s, d).n_channels, 2);
    assert_int_equal(mem.live, 2);
    platform_device_remove(s.p, slice_str(d->id), s.now);
    assert_int_equal(mem.live, 0);
    sim_free(&s);
}

/* The one that has not played for longest goes. */
static void no_more_than_the_limit(void **state)
{
    struct sim_device *sd = ready();
    struct device *d = device_find(s.p, slice_str(sd->id));
    struct session *of = calloc(1, sizeof(*of));
    struct kept_sets *k = some_sets();

    (void)state;
    assert_non_null(of);
    of->device = d;
    of->kind = PLATFORM_LIVE;
    of->device_len = (uint8_t)strlen(sd->id);
    memcpy(of->device_text, sd->id, of->device_len);
    for (unsigned i = 0; i < CHANNEL_SETS_MAX + 10; i++) {
        struct platform_channel c = { 0 };

        of->channel_len = (uint8_t)snprintf(of->channel, sizeof(of->channel),
                                            "340200000013%08u", 1000 + i);
        c.id = session_channel(of);
        assert_non_null(channel_upsert(s.p, d, &c, true));
        channel_sets_note(s.p, of, k);
        assert_true(channel_sets_of(s.p, of) == k);
        memcpy(of->channel + 12, "00001000", 8); /* plays all the time */
        channel_sets_note(s.p, of, k);
    }
    assert_int_equal(s.p->sets.by_key.n, CHANNEL_SETS_MAX);
    assert_true(channel_sets_of(s.p, of) == k);
    memcpy(of->channel + 12, "00001001", 8);
    assert_null(channel_sets_of(s.p, of));
    memcpy(of->channel + 12, "00000999", 8); /* in no catalog */
    channel_sets_note(s.p, of, k);
    assert_null(channel_sets_of(s.p, of));
    kept_sets_unref(k);
    free(of);
    sim_free(&s);
    assert_int_equal(mem.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stream_has_its_own),
        cmocka_unit_test(too_large_ones_end_the_older),
        cmocka_unit_test(not_of_a_recording),
        cmocka_unit_test(they_go_with_the_channel),
        cmocka_unit_test(no_more_than_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
