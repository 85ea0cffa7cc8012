/* app/net/exec.h - programs of others that are run for events: the event as JSON in
 * their input, nothing of what they write is used
 *
 * Each is named by the configuration with its arguments; there is no shell. Few run
 * at one time, a bounded number of events waits, those that find no room are
 * counted. */
#ifndef APP_NET_EXEC_H
#define APP_NET_EXEC_H

#include "app/platform/exec_row.h"

#include <uv.h>

#define EXEC_RUNS_MAX 4        /* programs at one time */
#define EXEC_WAITING_MAX 256   /* events that wait for one of them */
#define EXEC_WAITING_BYTES (4u << 20) /* of their JSON */
#define EXEC_TIME_MS 30000     /* of one program; then it is killed */

struct execs;
struct execs_config {
    uv_loop_t *loop;
    uint32_t time_ms; /* 0: EXEC_TIME_MS */
    void (*log)(void *ctx, enum platform_level level, const char *line);
    void *ctx;
};
int execs_new(struct execs **out, const struct execs_config *cfg);

/* The rows from now on; what waits stays. n at most EXEC_PROGRAMS_MAX. GB_ESYNTAX:
 * it has none then. */
int execs_set(struct execs *x, const char *const *row, size_t n);

bool execs_want(const struct execs *x, enum hooks_kind k);
/* Every program that wants this kind is run with it; copies. */
void execs_event(struct execs *x, enum hooks_kind k, struct slice json);

struct execs_counters {
    uint64_t runs, failed, dropped;
    unsigned running, waiting;
};
void execs_count(const struct execs *x, struct execs_counters *out);

/* Kills what runs, forgets what waits; x is freed when the loop has closed all. NULL
 * is fine. */
void execs_close(struct execs *x);
#endif
