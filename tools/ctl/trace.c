/* SIP messages as a ladder, as they come, or as a capture. */
#include "tools/ctl/ctl.h"

#include "app/trace/ladder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static unsigned terminal_width(void)
{
    const char *env = getenv("COLUMNS");
    struct winsize ws;
    uint32_t n;

    if (slice_u32(slice_str(env), 10000, &n))
        return n;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col)
        return ws.ws_col;
    return 80;
}

/* Milliseconds of "2026-01-02T03:04:05.678Z", as the API writes it. */
static int64_t time_of(const char *s)
{
    uint32_t v[7] = { 0 };
    static const unsigned at[] = { 0, 5, 8, 11, 14, 17, 20 };
    uint32_t mp, yoe;
    int64_t y, days;

    if (strlen(s) != 24)
        return 0;
    for (int i = 0; i < 7; i++)
        if (!slice_u32(slice_of(s + at[i], i == 0 ? 4 : i == 6 ? 3 : 2), 9999,
                       &v[i]))
            return 0;
    mp = v[1] > 2 ? v[1] - 3 : v[1] + 9;
    y = (int64_t)v[0] - (v[1] <= 2);
    yoe = (uint32_t)(y % 400);
    days = y / 400 * 146097 + yoe * 365 + yoe / 4 - yoe / 100 +
           (153 * mp + 2) / 5 + v[2] - 1 - 719468;
    return ((days * 24 + v[3]) * 60 + v[4]) * 60000 + v[5] * 1000 + v[6];
}

static struct slice slice_field(const json_t *j, const char *key)
{
    return slice_str(ctl_text(j, key));
}

static uint32_t number_field(const json_t *j, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(j, key));
}

static void whole_message(const json_t *j)
{
    const char *s = ctl_text(j, "text");

    printf("---- %s %s %s %s %s", ctl_shown_of(j, "time"),
           ctl_shown_of(j, "direction"), ctl_shown_of(j, "transport"),
           ctl_shown_of(j, "peer"), ctl_shown_of(j, "device"));
    if (number_field(j, "count") > 1)
        printf(" x%u, last %s", number_field(j, "count"),
               ctl_shown_of(j, "last_at"));
    putchar('\n');
    for (; *s; s++) {
        size_t n = ctl_control_at(s);

        if (!n || *s == '\n' || *s == '\t')
            putchar(*s);
        s += n == 2;
    }
    putchar('\n');
}

static void message(void *ctx, const json_t *j)
{
    struct ladder *l = ctx;
    const struct ladder_item item = {
        .utc_ms = time_of(ctl_text(j, "time")),
        .out = slice_eq(slice_field(j, "direction"), SLICE("out")),
        .device = slice_field(j, "device"),
        .method = slice_field(j, "method"),
        .status = number_field(j, "status"),
        .reason = slice_field(j, "reason"),
        .cmd = slice_field(j, "cmd"),
        .cseq = number_field(j, "cseq"),
        .count = number_field(j, "count"),
    };
    char text[LADDER_ROW_MAX];
    struct writer w = writer_of(text, sizeof(text));

    if (ctl.text) {
        whole_message(j);
        return;
    }
    ladder_row(l, &w, &item);
    fwrite(text, 1, w.len, stdout);
}

#define TRACE_LIMIT "500" /* messages, unless --limit= */

static const char *trace_path(char text[2048], const char *path, bool bounds)
{
    struct writer w = writer_of(text, 2048);

    writer_str(&w, path);
    ctl_parameter(&w, "device", ctl.device);
    ctl_parameter(&w, "callid", ctl.call_id);
    if (bounds) {
        ctl_parameter(&w, "since", ctl.since);
        ctl_parameter(&w, "limit", ctl.limit ? ctl.limit : TRACE_LIMIT);
    }
    return ctl_finished(&w);
}

static int save_capture(void)
{
    char path[2048];
    struct ctl_answer a = ctl_request("GET", trace_path(path, "/api/v1/trace.pcap",
                                                true), "*/*");
    struct slice body = ctl_body(&a);
    bool out = slice_eq(slice_str(ctl.pcap), SLICE("-"));
    FILE *f;

    if (a.status != 200)
        ctl_problem(a.status, body);
    f = out ? stdout : fopen(ctl.pcap, "wb");
    if (!f || fwrite(body.p, 1, body.n, f) != body.n || fflush(f) ||
        (!out && fclose(f)))
        ctl_die(EX_CANTCREAT, "%s: %s", ctl.pcap, strerror(errno));
    free((char *)(uintptr_t)body.p);
    return EX_OK;
}

static int follow(struct ladder *l)
{
    char path[2048];

    ctl_follow(trace_path(path, "/api/v1/trace/events", false), message, l);
}

static int trace(char **arg, int n)
{
    const struct ladder_config cfg = { terminal_width(),
                                       isatty(STDOUT_FILENO), ctl.chinese };
    char path[2048];
    struct ladder l;
    json_t *j, *items, *item;
    size_t i;

    (void)arg, (void)n;
    if (ctl.pcap)
        return save_capture();
    ladder_init(&l, &cfg);
    j = ctl_call("GET", trace_path(path, "/api/v1/trace", true));
    items = json_object_get(j, "items");
    if (ctl.json && !ctl.follow) {
        ctl_dump(j);
    } else if (!ctl.json) {
        json_array_foreach(items, i, item)
            ladder_party(&l, slice_field(item, "device"));
        json_array_foreach(items, i, item) {
            if (i == 0)
                printf("%s\n", ctl_shown_of(item, "time"));
            message(&l, item);
        }
    }
    json_decref(j);
    fflush(stdout);
    return ctl.follow ? follow(&l) : EX_OK;
}

const struct ctl_command ctl_trace_commands[] = {
    { "trace", CTL_RUN(0, 0, trace) },
    { 0 },
};
