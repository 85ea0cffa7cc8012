/* Webhooks. */
#include "tools/ctl/ctl.h"

#include <stdlib.h>

static const struct ctl_column webhooks[] = {
    { "name", "WEBHOOK", "回调" },     { "url", "URL", "地址" },
    { "state", "STATE", "状态" },      { "delivered", "DELIVERED", "已送达" },
    { "queued", "QUEUED", "排队" },    { "dropped", "DROPPED", "丢弃" },
    { "failures", "FAILURES", "失败" }, { "why", "WHY", "原因" },
};

static int add_webhook(const char *name, const char *url, const char *events)
{
    json_t *j = json_object(), *list_ = json_array();
    struct slice rest = slice_str(events), one;
    char *body;

    while (rest.n) {
        slice_cut(&rest, ',', &one);
        json_array_append_new(list_, json_stringn(one.p, one.n));
    }
    json_object_set_new(j, "name", json_string(name));
    json_object_set_new(j, "url", json_string(url));
    json_object_set_new(j, "events", list_);
    ctl.body = body = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    if (!body)
        ctl_die(EX_DATAERR, "an argument is no UTF-8");
    j = ctl_call("POST", "/api/v1/webhooks");
    free(body);
    if (ctl.json)
        ctl_dump(j);
    else
        printf("secret %s\n", ctl_shown_of(j, "secret"));
    json_decref(j);
    return EX_OK;
}

static int webhook(char **arg, int n)
{
    struct slice what = slice_str(arg[0]);
    char text[1024];

    if ((n == 3 || n == 4) && slice_eq(what, SLICE("add")))
        return add_webhook(arg[1], arg[2], n == 4 ? arg[3] : NULL);
    if (n == 2 && slice_eq(what, SLICE("remove"))) {
        ctl_call("DELETE", ctl_path(text, "/api/v1/webhooks/", arg[1], ""));
        return EX_OK;
    }
    if (n == 2 && slice_eq(what, SLICE("test"))) {
        ctl_call("POST", ctl_path(text, "/api/v1/webhooks/", arg[1], "/test"));
        return EX_OK;
    }
    return ctl_usage();
}

const struct ctl_command ctl_webhook_commands[] = {
    { "webhooks", CTL_LIST("/api/v1/webhooks", webhooks) },
    { "webhook", CTL_RUN(1, INT_MAX, webhook) },
    { 0 },
};
