/* Events on their way to programs of others, and whoever else is told them. */
#include "app/daemon_int.h"

#include "app/http/metrics.h"
#include "app/net/exec.h"

#include <errno.h>
#include <unistd.h>

/* The program of a row can be run now; later it may be another one. */
static int check_program(const char *row, char why[static WHY_MAX])
{
    char path[EXEC_ROW_MAX + 1];
    struct slice command, program;
    unsigned kinds;

    if (!exec_row_parse(slice_str(row), &kinds, &command))
        return daemon_fail(why, GB_ESYNTAX, "exec.run", row);
    slice_cut(&command, ' ', &program);
    slice_copy(path, sizeof(path), program);
    if (access(path, X_OK) == 0)
        return 0;
    snprintf(why, WHY_MAX, "exec.run: %.300s: %s", path, strerror(errno));
    return GB_EIO;
}

int daemon_start_exec(struct daemon *d, char why[static WHY_MAX])
{
    const struct execs_config xc = { .loop = &d->loop, .log = daemon_log,
                                     .ctx = d };
    const char *row[EXEC_PROGRAMS_MAX];
    size_t n = 0;
    int err = 0;

    while (n < EXEC_PROGRAMS_MAX &&
           (row[n] = config_item(d->config, CONFIG_EXEC_RUN, n)) != NULL) {
        err = check_program(row[n++], why);
        if (err)
            return err;
    }
    if (n == 0)
        return 0;
    err = execs_new(&d->execs, &xc);
    if (!err)
        err = execs_set(d->execs, row, n);
    return err ? daemon_fail(why, err, "exec.run", gb_strerror(err)) : 0;
}

bool daemon_event_wanted(void *ctx, enum hooks_kind kind)
{
    const struct daemon *d = ctx;

    return daemon_mqtt_wants(d, kind) ||
           (d->execs && execs_want(d->execs, kind));
}

void daemon_event(void *ctx, const struct http_event *e)
{
    struct daemon *d = ctx;

    if (d->execs && execs_want(d->execs, e->kind))
        execs_event(d->execs, e->kind, e->body);
    if (daemon_mqtt_wants(d, e->kind))
        daemon_mqtt_event(d, e);
}

void daemon_exec_metrics(const struct daemon *d, struct buf *out)
{
    struct execs_counters n = { 0 };

    if (d->execs)
        execs_count(d->execs, &n);
    http_metric_one(out, "gb28181_exec_runs_total",
                    "programs of exec.run that were run", n.runs);
    http_metric_one(out, "gb28181_exec_failed_total",
                    "of them, those that failed", n.failed);
    http_metric_one(out, "gb28181_exec_dropped_total",
                    "events that found no room to wait for a program",
                    n.dropped);
    http_metric_one(out, "gb28181_exec_running",
                    "programs of exec.run that run", n.running);
}
