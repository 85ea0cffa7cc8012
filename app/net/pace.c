#include "app/net/pace.h"

#include <time.h>

uint32_t pace_rest_ns(const struct pace *p, uint64_t now_ns)
{
    uint64_t since_ns = now_ns - p->turn_ns;

    return since_ns < PACE_NS ? (uint32_t)(PACE_NS - since_ns) : 0;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct pace *p = prepare->data;
    uint64_t now_ns;
    uint32_t rest_ns;

    if (!p->on_turn(p->ctx))
        return;
    now_ns = uv_hrtime();
    rest_ns = pace_rest_ns(p, now_ns);
    if (rest_ns) {
        struct timespec t = { .tv_nsec = (long)rest_ns };

        nanosleep(&t, NULL); /* shorter after a signal: no harm */
    }
    p->turn_ns = now_ns + rest_ns;
}

void pace_start(struct pace *p, uv_loop_t *loop, bool (*on_turn)(void *ctx),
                void *ctx)
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
