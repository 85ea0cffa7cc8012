/* Live. */
#include "tools/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#define ASKS 4 /* of ten seconds each: other transports are tried meanwhile */

/* Whether the server goes on trying after it has answered. */
static bool is_trying(const struct ctl_answer *a, struct slice body)
{
    json_t *j = a->status == 504 ? json_loadb(body.p, body.n, 0, NULL) : NULL;
    bool is = j && strcmp(ctl_text(j, "code"), "live-timeout") == 0;

    json_decref(j);
    return is;
}

/* Until the picture is there, or it is known why there is none. */
static json_t *begin(const char *path)
{
    struct ctl_answer a = ctl_request("POST", path, "application/json");
    struct slice body = ctl_body(&a);

    for (int i = 1; i < ASKS && is_trying(&a, body); i++) {
        free((char *)(uintptr_t)body.p);
        a = ctl_request("POST", path, "application/json");
        body = ctl_body(&a);
    }
    return ctl_answer_json(a.status, body);
}

static int play(char **arg, int n)
{
    static const char *const urls[] = { "flv", "ws_flv", "fmp4", "ws_fmp4",
                                        "hls", "ts", "ps", "mse", "rtsp",
                                        "frame" };
    char text[1024];
    json_t *j = begin(ctl_channel_path(text, arg[0], arg[1], "/live"));

    (void)n;
    if (ctl.json) {
        ctl_dump(j);
    } else {
        printf("session %s %s %s %lldx%lld\n", ctl_shown_of(j, "session"),
               ctl_shown_of(j, "state"), ctl_shown_of(j, "video"),
               (long long)json_integer_value(json_object_get(j, "width")),
               (long long)json_integer_value(json_object_get(j, "height")));
        for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
            if (*ctl_text(j, urls[i]))
                printf("%-8s %s\n", urls[i], ctl_shown_of(j, urls[i]));
    }
    json_decref(j);
    return EX_OK;
}

static int stop(char **arg, int n)
{
    char text[1024];

    (void)n;
    json_decref(
        ctl_call("DELETE", ctl_channel_path(text, arg[0], arg[1], "/live")));
    return EX_OK;
}

const struct ctl_command ctl_live_commands[] = {
    { "play", CTL_RUN(2, 2, play) },
    { "stop", CTL_RUN(2, 2, stop) },
    { 0 },
};
