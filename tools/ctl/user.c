/* Users, tokens, and who changed what. A password is read from the standard
 * input: arguments are seen by everybody on the machine. */
#include "tools/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const struct ctl_column accounts[] = {
    { "name", "NAME", "名称" },
    { "role", "ROLE", "角色" },
    { "scope", "SEES", "可见范围" },
    { "created_at", "CREATED", "创建时间" },
};

static const struct ctl_column audit[] = {
    { "at", "AT", "时间" },         { "who", "WHO", "用户" },
    { "role", "ROLE", "角色" },     { "peer", "FROM", "来源" },
    { "method", "METHOD", "方法" }, { "path", "PATH", "路径" },
    { "status", "STATUS", "状态" },
};

json_t *ctl_read_password(void)
{
    struct termios was, hidden;
    bool typed = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &was) == 0;
    char line[512];
    json_t *j;
    bool ok;

    if (typed) {
        hidden = was;
        hidden.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
        fputs(ctl.chinese ? "密码: " : "password: ", stderr);
    }
    ok = fgets(line, sizeof(line), stdin) != NULL;
    if (typed) {
        tcsetattr(STDIN_FILENO, TCSANOW, &was);
        fputc('\n', stderr);
    }
    if (!ok)
        ctl_die(EX_NOINPUT, "no password came in");
    line[strcspn(line, "\r\n")] = '\0';
    j = json_string(line);
    memset(line, 0, sizeof(line));
    return j;
}

/* device:ID and group:NAME; without any: everything. */
static json_t *read_scope(char **arg, int n)
{
    json_t *scope = json_object(), *devices = json_array(),
           *groups = json_array();

    if (n == 0) {
        json_decref(scope);
        json_decref(devices);
        json_decref(groups);
        return json_null();
    }
    for (int i = 0; i < n; i++) {
        if (!strncmp(arg[i], "device:", 7))
            json_array_append_new(devices, json_string(arg[i] + 7));
        else if (!strncmp(arg[i], "group:", 6))
            json_array_append_new(groups, json_string(arg[i] + 6));
        else if (strcmp(arg[i], "nothing"))
            ctl_die(EX_USAGE, "%s: device:ID, group:NAME or nothing", arg[i]);
    }
    json_object_set_new(scope, "devices", devices);
    json_object_set_new(scope, "groups", groups);
    return scope;
}

/* Takes body. What is made is told once. */
static int send_body(const char *method, const char *path, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_t *j;

    json_decref(body);
    if (!text)
        ctl_die(EX_DATAERR, "an argument is no UTF-8");
    ctl.body = text;
    j = ctl_call(method, path);
    memset(text, 0, strlen(text));
    free(text);
    if (ctl.json)
        ctl_dump(j);
    else if (json_object_get(j, "token"))
        printf("token %s\n", ctl_shown_of(j, "token"));
    json_decref(j);
    return EX_OK;
}

/* Before somebody is asked for a password. */
static const char *role_of(const char *s)
{
    if (strcmp(s, "viewer") && strcmp(s, "operator") && strcmp(s, "admin"))
        ctl_die(EX_USAGE, "%s: not viewer, operator or admin", s);
    return s;
}

static int add(const char *path, char **arg, int n, bool password)
{
    json_t *body = json_object();

    json_object_set_new(body, "name", json_string(arg[0]));
    json_object_set_new(body, "role", json_string(role_of(arg[1])));
    json_object_set_new(body, "scope", read_scope(arg + 2, n - 2));
    if (password)
        json_object_set_new(body, "password", ctl_read_password());
    return send_body("POST", path, body);
}

static int set(const char *name, const char *key, json_t *value)
{
    json_t *body = json_object();
    char text[1024];

    json_object_set_new(body, key, value);
    return send_body("PATCH", ctl_path(text, "/api/v1/users/", name, ""),
                     body);
}

static int take_away(const char *path, const char *name)
{
    char text[1024];

    ctl_call("DELETE", ctl_path(text, path, name, ""));
    return EX_OK;
}

static int user(char **arg, int n)
{
    if (n >= 3 && !strcmp(arg[0], "add"))
        return add("/api/v1/users", arg + 1, n - 1, true);
    if (n == 2 && !strcmp(arg[0], "remove"))
        return take_away("/api/v1/users/", arg[1]);
    if (n == 2 && !strcmp(arg[0], "password"))
        return set(arg[1], "password", ctl_read_password());
    if (n == 3 && !strcmp(arg[0], "role"))
        return set(arg[1], "role", json_string(role_of(arg[2])));
    if (n >= 2 && !strcmp(arg[0], "scope"))
        return set(arg[1], "scope", read_scope(arg + 2, n - 2));
    return ctl_usage();
}

static int token(char **arg, int n)
{
    if (n >= 3 && !strcmp(arg[0], "add"))
        return add("/api/v1/tokens", arg + 1, n - 1, false);
    if (n == 2 && !strcmp(arg[0], "remove"))
        return take_away("/api/v1/tokens/", arg[1]);
    return ctl_usage();
}

const struct ctl_command ctl_user_commands[] = {
    { "users", CTL_LIST("/api/v1/users", accounts) },
    { "tokens", CTL_LIST("/api/v1/tokens", accounts) },
    { "audit", CTL_LIST("/api/v1/audit", audit) },
    { "user", CTL_RUN(1, INT_MAX, user) },
    { "token", CTL_RUN(1, INT_MAX, token) },
    { 0 },
};
