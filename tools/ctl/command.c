/* Commands to devices, and what has become of them. */
#include "tools/ctl/ctl.h"

#include <stdlib.h>
#include <unistd.h>

#define COMMAND_WAIT_S 90 /* a silent device: two tries and their times */

static const struct ctl_column commands[] = {
    { "id", "ID", "编号" },         { "asked_at", "TIME", "时间" },
    { "device", "DEVICE", "设备" }, { "cmd", "COMMAND", "命令" },
    { "sub", "", "" },              { "state", "STATE", "状态" },
    { "evidence", "EVIDENCE", "依据" },
};

/* The object that a dotted name is in, made when it is not there; *last: what
 * is behind the last dot. */
static json_t *object_of(json_t *at, struct slice name, char last[static 64])
{
    struct slice head;

    while (slice_cut(&name, '.', &head)) {
        json_t *below;

        if (!slice_copy(last, 64, head) || !head.n)
            return NULL;
        below = json_object_get(at, last);
        if (!below) {
            below = json_object();
            json_object_set_new(at, last, below);
        }
        if (!json_is_object(below))
            return NULL;
        at = below;
    }
    return head.n && slice_copy(last, 64, head) ? at : NULL;
}

/* NAME=VALUE, a text, or NAME:=JSON. */
static void put_argument(json_t *to, const char *arg)
{
    struct slice value = slice_str(arg), name;
    bool is_json;
    char last[64];
    json_t *at, *v;

    if (!slice_cut(&value, '=', &name))
        ctl_die(EX_USAGE, "%s: not NAME=VALUE", arg);
    is_json = name.n && name.p[name.n - 1] == ':';
    name.n -= is_json;
    at = object_of(to, name, last);
    v = is_json ? json_loadb(value.p, value.n, JSON_DECODE_ANY, NULL)
                : json_stringn(value.p, value.n);
    if (!at || !v)
        ctl_die(EX_USAGE, "%s: not %s", arg,
            !at       ? "NAME=VALUE"
            : is_json ? "JSON"
                      : "UTF-8");
    json_object_set_new(at, last, v);
}

char *ctl_json_text(json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT);

    json_decref(j);
    if (!text)
        ctl_die(EX_DATAERR, "the command is no UTF-8");
    return text;
}

/* {"cmd":…,"params":{NAME:VALUE,…},"extra":…} */
static char *order_of(char **arg, int n)
{
    json_t *all = json_object(), *j = json_object(), *extra;

    json_object_set_new(j, "cmd", json_string(arg[0]));
    for (int i = 1; i < n; i++)
        put_argument(all, arg[i]);
    extra = json_object_get(all, "extra");
    if (extra)
        json_object_set(j, "extra", extra);
    json_object_del(all, "extra");
    json_object_set_new(j, "params", all);
    if (ctl.channel)
        json_object_set_new(j, "channel", json_string(ctl.channel));
    if (ctl.edition)
        json_object_set_new(j, "edition", json_string(ctl.edition));
    return ctl_json_text(j);
}

json_t *ctl_pairs(char **arg, int n)
{
    json_t *j = json_object();

    for (int i = 0; i < n; i++)
        put_argument(j, arg[i]);
    return j;
}

char *ctl_object(char **arg, int n)
{
    return ctl_json_text(ctl_pairs(arg, n));
}

static json_t *wait_command(json_t *j)
{
    char path[128];

    for (int i = 0; i < 4 * COMMAND_WAIT_S &&
                    !json_is_true(json_object_get(j, "final")); i++) {
        usleep(i < 20 ? 50000 : 250000);
        snprintf(path, sizeof(path), "/api/v1/commands/%s", ctl_text(j, "id"));
        json_decref(j);
        j = ctl_call("GET", path);
    }
    return j;
}

/* Waits for what becomes of it; 0 when the device did it, as far as it says. */
int ctl_show_command(json_t *j)
{
    bool good;

    j = wait_command(j);
    good = slice_eq(slice_str(ctl_text(j, "state")), SLICE("answered")) ||
           slice_eq(slice_str(ctl_text(j, "state")), SLICE("arrived"));
    if (ctl.json) {
        ctl_dump(j);
    } else {
        printf("%s%s%s\n", ctl_shown_of(j, "state"),
               *ctl_text(j, "evidence") ? ": " : "", ctl_shown_of(j, "evidence"));
        if (json_array_size(json_object_get(j, "answer")))
            ctl_dump(json_object_get(j, "answer"));
    }
    json_decref(j);
    return good ? EX_OK : EX_UNAVAILABLE;
}

int ctl_send(const char *device, char **arg, int n)
{
    char path[1024], *body = order_of(arg, n);
    int code;

    ctl.body = body;
    code = ctl_show_command(ctl_call("POST", ctl_device_path(path, device, "/commands")));
    free(body);
    return code;
}

static int list_commands(char **arg, int n)
{
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    writer_str(&w, "/api/v1/commands");
    ctl_parameter(&w, "device", n > 0 ? arg[0] : NULL);
    ctl_parameter(&w, "cmd", n > 1 ? arg[1] : NULL);
    return CTL_SHOW(ctl_finished(&w), commands);
}

static int send_any(char **arg, int n)
{
    return ctl_send(arg[0], arg + 1, n - 1);
}

const struct ctl_command ctl_command_commands[] = {
    { "send", CTL_RUN(2, INT_MAX, send_any) },
    { "commands", CTL_RUN(0, 2, list_commands) },
    { 0 },
};
