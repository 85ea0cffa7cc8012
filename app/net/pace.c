#include "app/net/pace.h"

#include <time.h>

uint32_t pace_turn_ns(size_t n_streams, bool watched)
{
    uint32_t ns = n_streams < PACE_STREAMS ? 0
                  : n_streams < PACE_MAX_NS / PACE_EACH_NS
                      ? (uint32_t)n_streams * PACE_EACH_NS
                      : PACE_MAX_NS;

    return watched ? ns : ns * PACE_UNWATCHED;
}

uint32_t pace_rest_ns(const struct pace *p, uint64_t now_ns, uint32_t turn_ns)
{
    uint64_t since_ns = now_ns - p->turn_ns;

    return since_ns < turn_ns ? turn_ns - (uint32_t)since_ns : 0;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct pace *p = prepare->data;
    uint32_t turn_ns = p->on_turn(p->ctx), rest_ns;
    uint64_t now_ns;

    if (!turn_ns)
        return;
    now_ns = uv_hrtime();
    rest_ns = pace_rest_ns(p, now_ns, turn_ns);
    if (rest_ns) {
        struct timespec t = { .tv_nsec = (long)rest_ns };

        nanosleep(&t, NULL); /* shorter after a signal: no harm */
    }
    p->turn_ns = now_ns + rest_ns;
}

void pace_start(struct pace *p, uv_loop_t *loop,
                uint32_t (*on_turn)(void *ctx), void *ctx)
{
    p->on_turn = on_turn;
    p->ctx = ctx;
    p->turn_ns = 0;
    uv_prepare_init(loop, &p->prepare);
    p->prepare.data = p;
    uv_prepare_start(&p->prepare, on_prepare);
    uv_unref((uv_handle_t *)&p->prepare);
}

void pace_close(struct pace *p)
{
    uv_close((uv_handle_t *)&p->prepare, NULL);
}
