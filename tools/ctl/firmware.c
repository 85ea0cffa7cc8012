/* Firmware: files, and devices that are told to take one. */
#include "tools/ctl/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct ctl_column firmware_files[] = {
    { "sha256", "SHA256", "校验" },
    { "size", "SIZE", "大小" },
    { "uploaded_at", "UPLOADED", "上传" },
};
static const struct ctl_column upgrades[] = {
    { "asked_at", "TIME", "时间" },   { "device", "DEVICE", "设备" },
    { "version", "VERSION", "版本" }, { "state", "STATE", "状态" },
    { "runs", "RUNS", "运行" },       { "fetched_bytes", "BYTES", "字节" },
    { "evidence", "EVIDENCE", "依据" },
};

static int upload(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct ctl_answer a;
    struct slice body;

    if (!f)
        ctl_die(EX_NOINPUT, "%s: %s", path, strerror(errno));
    a = ctl_send_file("/api/v1/firmware", path, f);
    fclose(f);
    body = ctl_body(&a);
    if (a.status >= 300)
        ctl_problem(a.status, body);
    fwrite(body.p, 1, body.n, stdout);
    putchar('\n');
    free((char *)(uintptr_t)body.p);
    return EX_OK;
}

static int upgrade(char **arg, int n)
{
    static const char *const keys[] = { "firmware", "version",
                                        "manufacturer" };
    char text[1024], *body;
    json_t *j = json_object();

    for (int i = 1; i < n; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.*): n is 4 at most */
        json_object_set_new(j, keys[i - 1], json_string(arg[i]));
    ctl.body = body = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    if (!body)
        ctl_die(EX_DATAERR, "an argument is no UTF-8");
    j = ctl_call("POST", ctl_device_path(text, arg[0], "/upgrade"));
    free(body);
    if (ctl.json)
        ctl_dump(j);
    else
        printf("session %s\n", ctl_shown_of(j, "session"));
    json_decref(j);
    return EX_OK;
}

static int firmware(char **arg, int n)
{
    char text[1024];

    if (n == 0)
        return CTL_SHOW("/api/v1/firmware", firmware_files);
    if (n == 2 && slice_eq(slice_str(arg[0]), SLICE("add")))
        return upload(arg[1]);
    if (n == 2 && slice_eq(slice_str(arg[0]), SLICE("remove"))) {
        ctl_call("DELETE", ctl_path(text, "/api/v1/firmware/", arg[1], ""));
        return EX_OK;
    }
    return ctl_usage();
}

const struct ctl_command ctl_firmware_commands[] = {
    { "firmware", CTL_RUN(0, INT_MAX, firmware) },
    { "upgrade", CTL_RUN(3, 4, upgrade) },
    { "upgrades", CTL_LIST("/api/v1/upgrades", upgrades) },
    { 0 },
};
