/* app/net/child.h - another program, run once: bytes go into its input, what it
 * writes comes out, and it ends in time
 *
 * No shell is between. It gets no descriptor of ours and only the environment that
 * is named here. One that takes too long is killed. */
#ifndef APP_NET_CHILD_H
#define APP_NET_CHILD_H

#include "base/err.h"
#include "base/slice.h"

#include <uv.h>

#define CHILD_WHY_MAX 200 /* of what it says on its standard error, with a NUL */

/* How it ended. */
struct child_end {
    int err;         /* GB_EIO: why; what child_stop was given */
    const char *why; /* "" when it went well; one line of visible characters */
};

struct child_config {
    uv_loop_t *loop;
    char *const *args; /* the program's path first; as the next, until it runs */
    const char *more;  /* "NAME=value" into its environment, or NULL */
    struct slice in;   /* borrowed until on_done */
    uint32_t time_ms;
    /* What it writes; false: too much, it is killed. NULL: thrown away. */
    bool (*on_out)(void *ctx, const char *p, size_t n);
    /* Once, never inside child_start: c is gone then. */
    void (*on_done)(void *ctx, const struct child_end *e);
    void *ctx;
};

struct child;
/* GB_ENOMEM; that it cannot be run is told by on_done. */
int child_start(struct child **out, const struct child_config *cfg);
/* Kills it; on_done follows, not inside. */
void child_stop(struct child *c, int err, const char *why);
#endif
