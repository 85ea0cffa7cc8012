/* Cameras that turn, settings, guard, recordings. */
#include "tools/ctl/ctl.h"

#include <string.h>

/* A request with a body (NULL: none), which is freed, and its command. */
static int ask_channel(const char *method, const char *device,
                       const char *channel, const char *end, char *body)
{
    char path[1024];
    int code;

    ctl.body = body;
    code = ctl_show_command(ctl_call(method, ctl_channel_path(path, device, channel, end)));
    free(body);
    return code;
}

/* ID CHANNEL ACTION [NAME=NUMBER ...] */
static int ptz(char **arg, int n)
{
    json_t *j = json_object();

    json_object_set_new(j, "action", json_string(arg[2]));
    for (int i = 3; i < n; i++) {
        struct slice value = slice_str(arg[i]), name;
        char key[64];
        uint32_t v;
        bool minus;

        if (!slice_cut(&value, '=', &name) || !value.n ||
            !slice_copy(key, sizeof(key), name))
            ctl_die(EX_USAGE, "%s: not NAME=NUMBER", arg[i]);
        minus = value.p[0] == '-';
        if (slice_u32(slice_from(value, minus), INT32_MAX, &v))
            json_object_set_new(j, key, json_integer(minus ? -(json_int_t)v
                                                           : v));
        else
            json_object_set_new(j, key, json_string(value.p));
    }
    return ask_channel("POST", arg[0], arg[1], "/ptz", ctl_json_text(j));
}

/* ID CHANNEL N [call | set [NAME] | delete] */
static int preset(char **arg, int n)
{
    const char *device = arg[0], *channel = arg[1];
    struct slice what = slice_str(n > 3 ? arg[3] : "call");
    char end[64];
    json_t *name;
    int len = snprintf(end, sizeof(end), "/presets/%.40s", arg[2]);

    if (n > 4 && !slice_eq(what, SLICE("set")))
        ctl_die(EX_USAGE, "%s: a name goes with set alone", arg[4]);
    if (slice_eq(what, SLICE("call"))) {
        snprintf(end + len, sizeof(end) - (size_t)len, "/call");
        return ask_channel("POST", device, channel, end, NULL);
    }
    if (slice_eq(what, SLICE("delete")))
        return ask_channel("DELETE", device, channel, end, NULL);
    if (!slice_eq(what, SLICE("set")))
        ctl_die(EX_USAGE, "%s: not call, set or delete", what.p);
    name = json_object();
    if (n > 4)
        json_object_set_new(name, "name", json_string(arg[4]));
    return ask_channel("PUT", device, channel, end, ctl_json_text(name));
}

static int presets(char **arg, int n)
{
    (void)n;
    return ask_channel("GET", arg[0], arg[1], "/presets", NULL);
}

/* ID [CHANNEL] TYPE[/TYPE ...] */
static int config(char **arg, int n)
{
    char text[600];
    struct writer w = writer_of(text, sizeof(text));

    writer_str(&w, "/config");
    ctl_parameter(&w, "type", arg[n - 1]);
    return ask_channel("GET", arg[0], n == 3 ? arg[1] : arg[0], ctl_finished(&w), NULL);
}

static bool is_assignment(const char *arg)
{
    return slice_find(slice_str(arg), '=') < slice_str(arg).n;
}

/* ID [CHANNEL] TYPE.NAME=VALUE ... */
static int configure(char **arg, int n)
{
    int first = is_assignment(arg[1]) ? 1 : 2;

    if (n == first)
        ctl_die(EX_USAGE, "no TYPE.NAME=VALUE");
    return ask_channel("PATCH", arg[0], arg[first - 1], "/config",
                       ctl_object(arg + first, n - first));
}

static const struct ctl_column guards[] = {
    { "target", "TARGET", "对象" }, { "duty", "STATE", "状态" },
    { "from", "FROM", "来源" },     { "time", "TIME", "时间" },
};

/* ID [CHANNEL] [set | reset] */
static int guard(char **arg, int n)
{
    struct slice last = slice_str(n > 1 ? arg[n - 1] : "");
    bool is_set = slice_eq(last, SLICE("set"));
    char path[1024];

    if (!is_set && !slice_eq(last, SLICE("reset"))) {
        if (n > 1)
            ctl_die(EX_USAGE, "%s: not set or reset", last.p);
        return CTL_SHOW(ctl_device_path(path, arg[0], "/guard"), guards);
    }
    return ask_channel("POST", arg[0], n > 2 ? arg[1] : arg[0], "/guard",
                       ctl_json_text(json_pack("{s:s}", "GuardCmd",
                                              is_set ? "SetGuard"
                                                     : "ResetGuard")));
}

static int reset_alarm(char **arg, int n)
{
    return ask_channel("POST", arg[0], arg[n - 1], "/alarm-reset", NULL);
}

/* 2026-01-02T03:04:05, as devices take it */
static bool is_time(const char *s)
{
    static const char form[] = "0000-00-00T00:00:00";
    size_t i = 0;

    for (; form[i] && s[i]; i++)
        if (form[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
            return false;
    return !form[i] && !s[i];
}

/* ID CHANNEL FROM TO */
static int records(char **arg, int n)
{
    char start[64], end[64];
    char *order[] = { (char[]){ "RecordInfo" }, start, end,
                      (char[]){ "Type=all" }, (char[]){ "Secrecy=0" } };

    (void)n;
    for (int i = 2; i < 4; i++)
        if (!is_time(arg[i]))
            ctl_die(EX_USAGE, "%s: not a time such as 2026-01-02T03:04:05",
                    arg[i]);
    if (strcmp(arg[2], arg[3]) >= 0)
        ctl_die(EX_USAGE, "%s: not behind %s", arg[3], arg[2]);
    ctl.channel = arg[1];
    snprintf(start, sizeof(start), "StartTime=%.40s", arg[2]);
    snprintf(end, sizeof(end), "EndTime=%.40s", arg[3]);
    return ctl_send(arg[0], order, 5);
}

const struct ctl_command ctl_camera_commands[] = {
    { "ptz", CTL_RUN(3, INT_MAX, ptz) },
    { "presets", CTL_RUN(2, 2, presets) },
    { "preset", CTL_RUN(3, 5, preset) },
    { "config", CTL_RUN(2, 3, config) },
    { "configure", CTL_RUN(2, INT_MAX, configure) },
    { "guard", CTL_RUN(1, 3, guard) },
    { "alarm-reset", CTL_RUN(1, 2, reset_alarm) },
    { "records", CTL_RUN(4, 4, records) },
    { 0 },
};
