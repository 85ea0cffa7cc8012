/* Settings that people change while it runs: checked as a whole, written to a file
 * in the data directory, and taken over when they are there. */
#include "app/daemon_int.h"

#include "app/net/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct keep {
    uv_work_t work;
    struct daemon *d;
    uint64_t request;
    struct config config; /* with what was set */
    char *text;           /* of the file */
    size_t n;
    char path[1100];
    int err; /* an errno */
};

bool daemon_setting(void *ctx, size_t i, struct http_setting *out)
{
    static const char *const types[] = {
        [CONFIG_TEXT] = "text",           [CONFIG_ID] = "id",
        [CONFIG_BOOL] = "bool",           [CONFIG_NUMBER] = "number",
        [CONFIG_CHOICE] = "choice",       [CONFIG_CHOICES] = "choices",
        [CONFIG_LISTEN] = "listen",       [CONFIG_ADDRESS] = "address",
        [CONFIG_PORTS] = "ports",         [CONFIG_ZONE] = "zone",
        [CONFIG_PERIOD] = "period",       [CONFIG_NETS] = "nets",
        [CONFIG_ADVERTISE] = "advertise", [CONFIG_PREFIXES] = "prefixes",
        [CONFIG_HOOKS] = "webhooks",      [CONFIG_REDIRECTS] = "redirects",
        [CONFIG_OPEN] = "section",
    };
    static const char *const layers[] = {
        [CONFIG_DEFAULT] = "default", [CONFIG_KEPT] = "kept",
        [CONFIG_FILE] = "file", [CONFIG_ENV] = "environment",
        [CONFIG_FLAG] = "flag",
    };
    const struct daemon *d = ctx;
    struct config_setting s;

    if (!config_setting(d->config, i, &s))
        return false;
    *out = (struct http_setting){
        .key = s.name, .type = types[s.type], .def = s.def,
        .choices = s.choices, .help = s.help, .from = layers[s.layer],
        .min = s.min, .max = s.max, .reloads = s.reloads, .secret = s.secret,
        .list = s.list, .changes = s.changes,
        .item = s.item, .n = s.secret ? 0 : s.n,
    };
    return true;
}

static void keep_free(struct keep *k)
{
    config_fini(&k->config);
    free(k->text);
    free(k);
}

/* In the pool. */
static void write_kept(uv_work_t *w)
{
    struct keep *k = container_of(w, struct keep, work);
    char part[1110];
    ssize_t n = -1;
    int fd;

    snprintf(part, sizeof(part), "%s.new", k->path);
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0)
        n = write(fd, k->text, k->n);
    if (n == (ssize_t)k->n && fsync(fd) == 0)
        k->err = durable_rename(part, k->path);
    else
        k->err = n >= 0 && n < (ssize_t)k->n ? ENOSPC : errno;
    if (fd >= 0)
        close(fd);
}

static void on_written(uv_work_t *w, int status)
{
    struct keep *k = container_of(w, struct keep, work);
    struct daemon *d = k->d;

    d->keeping = false;
    if (status)
        k->err = ECANCELED;
    if (k->err)
        log_f(LOG_ERROR, "msg=\"settings are not kept\" file=\"%s\" "
                         "why=\"%s\"", k->path, strerror(k->err));
    else if (!d->closing)
        d->take_over(d->reload_ctx, &k->config);
    if (!d->closing)
        http_app_set_told(d->app, k->request, k->err ? GB_EIO : 0);
    keep_free(k);
}

static bool print(struct keep *k)
{
    FILE *f = open_memstream(&k->text, &k->n);

    if (!f)
        return false;
    config_print_kept(&k->config, f);
    return fclose(f) == 0;
}

/* All of them, so that each field is told its fault at once. */
static int check(struct keep *k, struct http_setting_value *v, size_t n)
{
    struct config_error e = { "" };
    int err = 0;

    for (size_t i = 0; i < n; i++) {
        int one = config_keep(&k->config, v[i].key, v[i].text, v[i].reset, &e);

        if (one == GB_ENOMEM)
            return one;
        if (!one)
            continue;
        slice_copy(v[i].why, sizeof(v[i].why), slice_str(e.text));
        err = GB_ESYNTAX;
    }
    if (!err && config_check(&k->config, &e)) {
        slice_copy(v[0].why, sizeof(v[0].why), slice_str(e.text));
        err = GB_ESYNTAX;
    }
    return err;
}

int daemon_set(void *ctx, uint64_t request, struct http_setting_value *v,
               size_t n)
{
    struct daemon *d = ctx;
    struct keep *k;
    int err;

    if (d->keeping || !d->take_over)
        return GB_ESTATE;
    k = calloc(1, sizeof(*k));
    if (!k)
        return GB_ENOMEM;
    k->d = d;
    k->request = request;
    snprintf(k->path, sizeof(k->path), "%s/" CONFIG_KEPT_FILE,
             d->secrets->dir);
    err = config_copy(&k->config, d->config);
    if (!err)
        err = check(k, v, n);
    if (!err && !print(k))
        err = GB_ENOMEM;
    if (!err && uv_queue_work(&d->loop, &k->work, write_kept, on_written))
        err = GB_EIO;
    if (err)
        keep_free(k);
    else
        d->keeping = true;
    return err;
}
