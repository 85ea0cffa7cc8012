/* Devices as they are set here: added, changed, let in, forgotten; what they are
 * asked to report. */
#include "tools/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

static const struct ctl_column subscriptions[] = {
    { "device", "DEVICE", "设备" },      { "kind", "KIND", "内容" },
    { "state", "STATE", "状态" },        { "expires_at", "TILL", "有效至" },
    { "notifies", "REPORTS", "通知数" }, { "sip_status", "STATUS", "应答" },
};
static const struct ctl_column pending[] = {
    { "id", "ID", "编号" },           { "address", "ADDRESS", "地址" },
    { "transport", "OVER", "传输" },  { "tries", "TRIES", "次数" },
    { "last_at", "LAST", "最近" },    { "reason", "REASON", "原因" },
    { "user_agent", "USER-AGENT", "软件" },
};
static const struct ctl_column groups[] = {
    { "name", "GROUP", "分组" },
    { "devices", "DEVICES", "设备数" },
    { "has_password", "PASSWORD", "独立密码" },
};

/* Takes body, or NULL; says nothing of what went well, but with --json. */
static int change(const char *method, const char *path, json_t *body)
{
    char *text = body ? ctl_json_text(body) : NULL;
    json_t *j;

    ctl.body = text;
    j = ctl_call(method, path);
    if (ctl.json && j)
        ctl_dump(j);
    json_decref(j);
    if (text)
        memset(text, 0, strlen(text)); /* it may hold a password */
    free(text);
    return EX_OK;
}

static int password(const char *device)
{
    json_t *body = json_object();
    char path[1024];

    json_object_set_new(body, "password", ctl_read_password());
    return change("PATCH", ctl_device_path(path, device, ""), body);
}

/* add | set | password | remove, ID, NAME=VALUE ... */
static int device(char **arg, int n)
{
    char path[1024];
    json_t *body;

    if (n == 2 && !strcmp(arg[0], "remove"))
        return change("DELETE", ctl_device_path(path, arg[1], ""), NULL);
    if (n == 2 && !strcmp(arg[0], "password"))
        return password(arg[1]);
    if (strcmp(arg[0], "add") && (strcmp(arg[0], "set") || n < 3))
        return ctl_usage();
    body = ctl_pairs(arg + 2, n - 2);
    if (arg[0][0] == 's')
        return change("PATCH", ctl_device_path(path, arg[1], ""), body);
    json_object_set_new(body, "id", json_string(arg[1]));
    return change("POST", "/api/v1/devices", body);
}

static int list_subscriptions(char **arg, int n)
{
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    writer_str(&w, "/api/v1/subscriptions");
    if (n)
        ctl_parameter(&w, "q", arg[0]);
    return CTL_SHOW(ctl_finished(&w), subscriptions);
}

/* on | off | default | SECONDS */
static json_t *period(const char *word)
{
    uint32_t s;

    if (!strcmp(word, "on") || !strcmp(word, "off"))
        return json_boolean(word[1] == 'n');
    if (!strcmp(word, "default"))
        return json_null();
    if (!slice_u32(slice_str(word), UINT32_MAX, &s))
        ctl_die(EX_USAGE, "%s: not on, off, default or seconds", word);
    return json_integer(s);
}

static int subscribe(char **arg, int n)
{
    json_t *kinds = json_object(), *body = json_object();
    char path[1024];

    (void)n;
    json_object_set_new(kinds, arg[1], period(arg[2]));
    json_object_set_new(body, "subscribe", kinds);
    return change("PATCH", ctl_device_path(path, arg[0], ""), body);
}

static int refresh(char **arg, int n)
{
    char path[1024];

    (void)n;
    return ctl_show_command(
        ctl_call("POST", ctl_device_path(path, arg[0], "/refresh")));
}

static int let_in(char **arg, int n)
{
    char path[1024];

    (void)n;
    if (!strcmp(arg[0], "accept"))
        return change("POST",
                      ctl_path(path, "/api/v1/pending/", arg[1], "/accept"),
                      NULL);
    if (!strcmp(arg[0], "remove"))
        return change("DELETE", ctl_path(path, "/api/v1/pending/", arg[1], ""),
                      NULL);
    return ctl_usage();
}

const struct ctl_command ctl_device_commands[] = {
    { "device", CTL_RUN(2, INT_MAX, device) },
    { "subscriptions", CTL_RUN(0, 1, list_subscriptions) },
    { "subscribe", CTL_RUN(3, 3, subscribe) },
    { "refresh", CTL_RUN(1, 1, refresh) },
    { "pending", CTL_LIST("/api/v1/pending", pending) },
    { "pending", CTL_RUN(2, 2, let_in) },
    { "groups", CTL_LIST("/api/v1/groups", groups) },
    { 0 },
};
