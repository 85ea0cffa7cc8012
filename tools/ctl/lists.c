/* Lists: devices, channels, sessions, ..., and the catalog as a tree. */
#include "tools/ctl/ctl.h"

#define TREE_DEPTH 32

static const struct ctl_column devices[] = {
    { "id", "DEVICE", "设备" },
    { "name", "NAME", "名称" },
    { "online", "ONLINE", "在线" },
    { "transport", "OVER", "传输" },
    { "address", "ADDRESS", "地址" },
    { "channels", "CHANNELS", "通道数" },
    { "keepalive_at", "KEEPALIVE", "心跳" },
    { "state_reason", "REASON", "原因" },
};
static const struct ctl_column channels[] = {
    { "id", "CHANNEL", "通道" },   { "name", "NAME", "名称" },
    { "status", "STATUS", "状态" }, { "parent", "PARENT", "上级" },
    { "session", "SESSION", "会话" },
};
static const struct ctl_column sessions[] = {
    { "id", "SESSION", "会话" },     { "device", "DEVICE", "设备" },
    { "channel", "CHANNEL", "通道" }, { "state", "STATE", "状态" },
    { "step", "STEP", "步骤" },      { "transport", "OVER", "传输" },
    { "video", "VIDEO", "视频" },    { "consumers", "VIEWERS", "观看" },
    { "packets", "PACKETS", "包数" }, { "lost", "LOST", "丢包" },
    { "evidence", "EVIDENCE", "依据" },
};
static const struct ctl_column alarms[] = {
    { "received_at", "TIME", "时间" }, { "device", "DEVICE", "设备" },
    { "channel", "CHANNEL", "通道" },  { "priority", "PRIORITY", "级别" },
    { "method", "METHOD", "方式" },    { "type", "TYPE", "类型" },
    { "description", "DESCRIPTION", "描述" },
};
static const struct ctl_column listeners[] = {
    { "address", "LISTENER", "监听" },
    { "received", "RECEIVED", "收到" },
    { "last_at", "LAST", "最近" },
    { "last_from", "FROM", "来源" },
    { "malformed", "MALFORMED", "错误" },
    { "malformed_from", "FROM", "来源" },
    { "malformed_why", "WHY", "原因" },
};
static const struct ctl_column changes[] = {
    { "time", "TIME", "时间" },
    { "online", "ONLINE", "在线" },
    { "cause", "CAUSE", "原因" },
};

static int list_channels(char **arg, int n)
{
    char text[1024];

    (void)n;
    return CTL_SHOW(ctl_channel_path(text, arg[0], NULL, ""), channels);
}

static int list_changes(char **arg, int n)
{
    char text[1024];

    (void)n;
    return CTL_SHOW(ctl_device_path(text, arg[0], "/changes"), changes);
}

static int profile(char **arg, int n)
{
    char text[1024];

    (void)n;
    return ctl_show_object(ctl_device_path(text, arg[0], "/profile"));
}

static const char *tree_path(char text[2048], const char *device,
                             const char *node)
{
    char path[1024];
    struct writer w = writer_of(text, 2048);

    writer_str(&w, ctl_device_path(path, device, "/tree?limit=10000"));
    if (node) {
        writer_str(&w, "&parent=");
        ctl_escape(&w, node);
    }
    return ctl_finished(&w);
}

static void print_node(const json_t *n, unsigned depth)
{
    bool known = json_is_boolean(json_object_get(n, "online"));
    bool online = json_is_true(json_object_get(n, "online"));

    printf("%*s%s  %s  %s%s", (int)(2 * depth), "", ctl_shown_of(n, "id"),
           ctl_shown_of(n, "name"), ctl_shown_of(n, "kind"),
           known && !online ? ctl.chinese ? "  离线" : "  offline" : "");
}

/* What is below node. A node may have several parents; what is below it is
 * printed once, under the first: `seen` has it as a name then. */
static void print_tree(const char *device, const char *node, unsigned depth,
                       json_t *seen)
{
    char path[2048];
    json_t *j = ctl_call("GET", tree_path(path, device, node)), *n;
    size_t i;

    json_array_foreach(json_object_get(j, "items"), i, n) {
        const char *id = ctl_text(n, "id");
        bool more = json_integer_value(json_object_get(n, "children")) != 0;
        bool again = more && json_object_get(seen, id);

        print_node(n, depth);
        printf("%s\n", again ? ctl.chinese ? "  （见上）" : "  (as above)" : "");
        if (!more || again || depth >= TREE_DEPTH)
            continue;
        json_object_set_new(seen, id, json_true());
        print_tree(device, id, depth + 1, seen);
    }
    json_decref(j);
}

static int tree(char **arg, int n)
{
    const char *device = arg[0], *node = n > 1 ? arg[1] : NULL;
    char path[2048];

    if (ctl.json) {
        json_t *j = ctl_call("GET", tree_path(path, device, node));

        ctl_dump(j);
        json_decref(j);
    } else {
        json_t *seen = json_object();

        if (node)
            json_object_set_new(seen, node, json_true());
        print_tree(device, node, 0, seen);
        json_decref(seen);
    }
    return EX_OK;
}

const struct ctl_command ctl_list_commands[] = {
    { "devices", CTL_LIST("/api/v1/devices", devices) },
    { "channels", CTL_RUN(1, 1, list_channels) },
    { "tree", CTL_RUN(1, 2, tree) },
    { "changes", CTL_RUN(1, 1, list_changes) },
    { "profile", CTL_RUN(1, 1, profile) },
    { "sessions", CTL_LIST("/api/v1/sessions", sessions) },
    { "alarms", CTL_LIST("/api/v1/alarms", alarms) },
    { "listeners", CTL_LIST("/api/v1/trace/listeners", listeners) },
    { 0 },
};
