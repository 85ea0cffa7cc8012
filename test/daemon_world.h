/* test/daemon_world.h - a data directory and a configuration for the daemon as a
 * whole, on loopback */
#ifndef TEST_DAEMON_WORLD_H
#define TEST_DAEMON_WORLD_H

#include "app/daemon.h"

#include "app/net/log.h"
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct config config;
static struct secrets secrets;

static inline void path_of(char out[static 200], const char *name)
{
    snprintf(out, 200, "%s/%s", dir, name);
}

static inline bool is_there(const char *name)
{
    char path[200];
    struct stat st;

    path_of(path, name);
    return stat(path, &st) == 0;
}

static inline void make_file(const char *name)
{
    char path[200];
    FILE *f;

    path_of(path, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("x", f);
    fclose(f);
}

static inline void make_folder(const char *name)
{
    char path[200];

    path_of(path, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static inline void set(const char *assignment)
{
    struct config_error e;

    if (config_set(&config, assignment, CONFIG_FLAG, &e))
        fail_msg("%s", e.text);
}

static inline void listen_at(const char *key, uint16_t port)
{
    char text[100];

    snprintf(text, sizeof(text), "%s=127.0.0.1:%u", key, port);
    set(text);
}

/* An empty data directory, and ports of its own. */
static inline int setup(void **state)
{
    char why[WHY_MAX];

    (void)state;
    log_set_level(LOG_ERROR);
    slice_copy(dir, sizeof(dir), SLICE("/tmp/gb28181d-daemon-XXXXXX"));
    assert_non_null(mkdtemp(dir));
    assert_int_equal(config_init(&config), 0);
    listen_at("sip.listen", test_port(0));
    listen_at("http.listen", test_port(1));
    set("rtsp.listen=");
    set("media.threads=1");
    set("media.mode=dedicated");
    set("media.ports=7000-7999"); /* beside test_port */
    assert_int_equal(secrets_open(&secrets, dir, why), 0);
    return 0;
}

static inline int teardown(void **state)
{
    char command[100];

    (void)state;
    secrets_close(&secrets);
    config_fini(&config);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

/* As main does it; ctx is the daemon. */
static inline void take_over(void *ctx, struct config *c)
{
    daemon_reload(ctx, c);
    config_take_reloaded(&config, c);
}
#endif
