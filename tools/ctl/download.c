/* Downloads: what a device has recorded, into files of the server. */
#include "tools/ctl/ctl.h"

#include <stdlib.h>
#include <unistd.h>

#define BAR 30 /* characters */
#define SAID_MAX 256

static const struct ctl_column downloads[] = {
    { "id", "ID", "编号" },           { "device", "DEVICE", "设备" },
    { "channel", "CHANNEL", "通道" }, { "start", "START", "开始" },
    { "end", "END", "结束" },         { "state", "STATE", "状态" },
    { "percent", "PERCENT", "进度" }, { "bytes", "BYTES", "字节" },
    { "evidence", "EVIDENCE", "依据" },
};

static bool is_over(const json_t *j)
{
    return json_is_string(json_object_get(j, "ended_at"));
}

/* "[######----]  42.0 %  running  12 MB" over the line before, on a terminal. */
static void show_progress(const json_t *j)
{
    double percent = json_number_value(json_object_get(j, "percent"));
    int full = percent >= 100 ? BAR : percent > 0 ? (int)(percent * BAR / 100)
                                                  : 0;

    fputs("\r[", stderr);
    for (int i = 0; i < BAR; i++)
        fputc(i < full ? '#' : '-', stderr);
    fprintf(stderr, "] %5.1f %%  %s  %lld MB\033[K", percent,
            ctl_shown_of(j, "state"),
            (long long)(json_integer_value(json_object_get(j, "bytes")) /
                        1000000));
    if (is_over(j))
        fputc('\n', stderr);
    fflush(stderr);
}

/* What keeps it waiting, once: it may wait for long. */
static void show_trouble(const json_t *j, char said[static SAID_MAX], bool bar)
{
    const char *why = ctl_told(j, "evidence");
    struct slice begin = slice_head(slice_str(why), SAID_MAX - 1);

    if (ctl.json || is_over(j) || slice_eq(begin, slice_str(said)))
        return;
    slice_copy(said, SAID_MAX, begin);
    if (*why)
        fprintf(stderr, "%s%s: %s\n", bar ? "\r\033[K" : "",
                ctl_shown_of(j, "state"), ctl_shown(why));
}

static json_t *follow(json_t *j)
{
    bool bar = isatty(STDERR_FILENO) && !ctl.json;
    char path[1024], id[64], said[SAID_MAX] = "";

    slice_copy(id, sizeof(id), slice_str(ctl_text(j, "id")));
    ctl_path(path, "/api/v1/downloads/", id, "");
    while (!is_over(j)) {
        show_trouble(j, said, bar);
        if (bar)
            show_progress(j);
        usleep(250000);
        json_decref(j);
        j = ctl_call("GET", path);
    }
    if (bar)
        show_progress(j);
    return j;
}

/* Waits for its end; EX_OK when all of it came. */
static int finish(json_t *j)
{
    int code;

    j = follow(j);
    code = slice_eq(slice_str(ctl_text(j, "state")), SLICE("done"))
               ? EX_OK
               : EX_UNAVAILABLE;
    if (ctl.json) {
        ctl_dump(j);
    } else {
        printf("%s%s%s\n", ctl_shown_of(j, "state"),
               *ctl_text(j, "evidence") ? ": " : "",
               ctl_shown_of(j, "evidence"));
        if (*ctl_text(j, "file"))
            printf("%s\n", ctl_shown_of(j, "file"));
    }
    json_decref(j);
    return code;
}

/* DEVICE CHANNEL START END [FORMAT] */
static int start(char **arg, int n)
{
    char text[1024], *body;
    json_t *j = json_object();

    json_object_set_new(j, "start", json_string(arg[2]));
    json_object_set_new(j, "end", json_string(arg[3]));
    if (n > 4)
        json_object_set_new(j, "format", json_string(arg[4]));
    ctl.body = body = ctl_json_text(j);
    j = ctl_call("POST",
                 ctl_channel_path(text, arg[0], arg[1], "/download"));
    ctl.body = NULL;
    free(body);
    return finish(j);
}

static int download(char **arg, int n)
{
    char text[1024];

    if (n == 0)
        return CTL_SHOW("/api/v1/downloads", downloads);
    if (n == 2 && slice_eq(slice_str(arg[0]), SLICE("wait")))
        return finish(ctl_call("GET", ctl_path(text, "/api/v1/downloads/",
                                               arg[1], "")));
    if (n == 2 && slice_eq(slice_str(arg[0]), SLICE("remove"))) {
        json_decref(ctl_call("DELETE", ctl_path(text, "/api/v1/downloads/",
                                                arg[1], "")));
        return EX_OK;
    }
    return n == 4 || n == 5 ? start(arg, n) : ctl_usage();
}

const struct ctl_command ctl_download_commands[] = {
    { "download", CTL_RUN(0, 5, download) },
    { 0 },
};
