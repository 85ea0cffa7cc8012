/* test/ingest_world.h - one ingest on real sockets of loopback, where 127.0.0.1 is
 * the device; time is handed to ingest_tick */
#ifndef TEST_INGEST_WORLD_H
#define TEST_INGEST_WORLD_H

#include "app/net/ingest.h"
#include "test/support.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define SSRC 100000001u
#define DEVICE "127.0.0.1"
#define STRANGER "127.0.0.9"

static uv_loop_t loop;
static struct ingest_pool pool;
static struct hub *hub;
static struct ingest *in;
static uint16_t port;
static unsigned said[PLATFORM_MEDIA_CLOSED + 1];
static char said_text[160]; /* the newest */

static inline void on_event(void *ctx, enum platform_media_kind kind, int err,
                            const char *text)
{
    (void)ctx;
    (void)err;
    snprintf(said_text, sizeof(said_text), "%s", text ? text : "");
    said[kind]++;
}

static inline void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    (void)v;
}

static inline struct gb_addr address(const char *ip, uint16_t at)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse_ip(&a, slice_str(ip)), 0);
    a.port = at;
    return a;
}

/* Of a device that was told SSRC. apart: the kernel joins no datagrams. */
static inline void open_ingest(enum platform_transport transport,
                               bool any_source, bool apart)
{
    const struct hub_hooks hooks = { .on_wake = on_wake };
    struct ingest_options o = { .loop = &loop, .pool = &pool,
                                .transport = transport,
                                .peer = address(DEVICE, 5060),
                                .any_source = any_source, .has_ssrc = true,
                                .ssrc = SSRC, .on_event = on_event };
    const char *what;
    int err = -1;

    memset(said, 0, sizeof(said));
    assert_int_equal(uv_loop_init(&loop), 0);
    ingest_pool_init(&pool);
    pool.apart = apart;
    assert_int_equal(hub_new(&hub, &gb_alloc_heap, &hooks, NULL), 0);
    o.hub = hub;
    for (unsigned i = 0; err && i < 200; i++) {
        port = test_port(i);
        o.port = port;
        err = ingest_new(&in, &o, &what);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(err, 0);
}

static inline void close_ingest(void)
{
    ingest_free(in);
    uv_run(&loop, UV_RUN_DEFAULT);
    hub_free(hub);
    ingest_pool_fini(&pool);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* Whatever has arrived is seen; the clock is late_ms ahead of the loop's. */
static inline void turn(uint64_t late_ms)
{
    for (unsigned i = 0; i < 5; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    ingest_tick(in, uv_now(&loop) + late_ms);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_true(pool.udp_off <= SLAB_BYTES);
}
#endif
