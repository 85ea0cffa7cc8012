/* app/net/media_hls: how long the segments of a stream are there. Its own loop is
 * played here: questions and answers are calls. */
#include "app/net/media_hls.h"
#include "test/hub_world.h"

#include <stdlib.h>

static struct world w;
static struct media_hls *hls;
static struct media_hls_ask *told;

bool media_net_post_main(struct media_net *n, struct mail *m)
{
    (void)n;
    assert_null(told);
    told = container_of(m, struct media_hls_ask, mail);
    return true;
}

/* What media_hls.c asks of a loop, which nobody calls here. */
bool media_net_post(struct media_net *n, unsigned loop, struct mail *m)
{
    (void)n;
    (void)loop;
    (void)m;
    return false;
}

struct media_loop *media_net_loop(struct media_net *n, unsigned loop)
{
    (void)n;
    (void)loop;
    return NULL;
}

void media_loop_hls(struct media_loop *l, struct media_hls_ask *a)
{
    (void)l;
    (void)a;
}

static void ask(uint64_t now_ms)
{
    struct media_hls_ask *a = calloc(1, sizeof(*a));

    assert_non_null(a);
    a->what = MEDIA_HLS_PLAYLIST;
    a->utc_ms = 1714521600000;
    media_hls_answer(&hls, w.hub, a, now_ms);
}

/* The answer: a playlist, which says that it is the last one, or does not. */
static void expect_playlist(bool ended)
{
    assert_non_null(told);
    assert_int_equal(told->err, 0);
    assert_int_equal(slice_find_slice(slice_of(told->text, told->n_text),
                                      SLICE("#EXT-X-ENDLIST")) <
                         told->n_text, ended);
    media_hls_ask_free(told);
    told = NULL;
}

/* Who asks for a playlist keeps it; once it has ended, nobody does: all that is to
 * be fetched is in the one that says so. */
static void an_end_is_no_life(void **state)
{
    uint64_t last;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    ask(w.now_ms);
    for (int i = 0; i < 3; i++)
        gop(&w, 25);
    media_hls_tick(&hls, w.hub, w.now_ms);
    expect_playlist(false);
    last = w.now_ms + MEDIA_HLS_IDLE_MS - 1;
    ask(last);
    expect_playlist(false);
    media_hls_tick(&hls, w.hub, last + MEDIA_HLS_IDLE_MS - 1);
    assert_non_null(hls); /* the second question has kept it */
    hub_end(w.hub);
    for (unsigned i = 2; i < MEDIA_HLS_IDLE_MS / 1000; i += 2) {
        ask(last + i * 1000u);
        expect_playlist(true);
    }
    media_hls_tick(&hls, w.hub, last + MEDIA_HLS_IDLE_MS - 1);
    assert_non_null(hls);
    media_hls_tick(&hls, w.hub, last + MEDIA_HLS_IDLE_MS);
    assert_null(hls);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_end_is_no_life) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
