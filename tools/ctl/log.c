/* gbctl log: the daemon's own log */
#include "tools/ctl/ctl.h"

#include <stdlib.h>

#define LOG_COUNT "200" /* lines, unless --limit= */

static void line(void *ctx, const json_t *j)
{
    (void)ctx;
    printf("%s %-5s %s\n", ctl_shown_of(j, "time"), ctl_shown_of(j, "level"),
           ctl_shown_of(j, "text"));
}

static const char *log_path(char text[static 2048], const char *path,
                            const char *q, bool bounds)
{
    struct writer w = writer_of(text, 2048);

    writer_str(&w, path);
    ctl_parameter(&w, "level", ctl.level);
    ctl_parameter(&w, "q", q);
    if (bounds)
        ctl_parameter(&w, "limit", ctl.limit ? ctl.limit : LOG_COUNT);
    return ctl_finished(&w);
}

static int show_log(char **arg, int n)
{
    const char *q = n ? arg[0] : NULL;
    char path[2048];
    json_t *j, *item;
    size_t i;

    j = ctl_call("GET", log_path(path, "/api/v1/log", q, true));
    if (ctl.json && !ctl.follow)
        ctl_dump(j);
    else if (!ctl.json)
        json_array_foreach(json_object_get(j, "items"), i, item)
            line(NULL, item);
    json_decref(j);
    fflush(stdout);
    if (!ctl.follow)
        return EX_OK;
    ctl_follow(log_path(path, "/api/v1/log/events", q, false), line,
               NULL);
}

const struct ctl_command ctl_log_commands[] = {
    { "log", CTL_RUN(0, 1, show_log) },
    { 0 },
};
