/* Firmware: files that were uploaded, orders to devices to fetch one, and what
 * became of them. The URL that a device is given names the order, is signed, and
 * is good for an hour and while the order is open. */
#include "app/http/api.h"

#include <jansson.h>

#define URL_LIFE_S 3600
#define SESSION_BYTES 16 /* random ones of a SessionID: 32 hex digits */

/* ---- files ------------------------------------------------------------------- */

static struct firmware *find_file(const struct http_app *a, struct slice name)
{
    for (unsigned i = 0; i < a->n_firmware; i++)
        if (slice_eq(slice_str(a->firmware[i].name), name))
            return (struct firmware *)(uintptr_t)&a->firmware[i];
    return NULL;
}

bool http_firmware_is_named(const char *name)
{
    struct slice s = slice_str(name);

    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]) && (s.p[i] < 'a' || s.p[i] > 'f'))
            return false;
    return s.n == 64;
}

void http_app_firmware(struct http_app *a, const char *name, uint64_t size,
                       int64_t utc_ms)
{
    struct firmware *f = find_file(a, slice_str(name));

    if (!f && a->n_firmware < HTTP_FIRMWARE_MAX)
        f = &a->firmware[a->n_firmware++];
    if (!f)
        return;
    *f = (struct firmware){ .size = size, .utc_ms = utc_ms };
    slice_copy(f->name, sizeof(f->name), slice_str(name));
}

static void file_write(struct jw *j, const struct firmware *f)
{
    jw_object(j);
    jw_put_cstr(j, "sha256", f->name);
    jw_put_u64(j, "size", f->size);
    jw_put_time(j, "uploaded_at", f->utc_ms);
    jw_end(j);
}

void http_get_firmware_list(struct http_call *c)
{
    struct jw j = http_list_begin(c);

    for (unsigned i = 0; i < c->app->n_firmware; i++)
        file_write(&j, &c->app->firmware[i]);
    http_list_end(&j, (struct slice){ 0 }, c->app->n_firmware);
}

const char *http_firmware_refusal(const struct http_app *a, uint64_t size,
                                  unsigned *status)
{
    *status = 501;
    if (!a->cfg.firmware_max)
        return "uploads are off (firmware.max_mib is 0)";
    *status = 413;
    if (size > a->cfg.firmware_max)
        return "the file is larger than firmware.max_mib";
    *status = 409;
    if (a->n_firmware >= HTTP_FIRMWARE_MAX)
        return "there are too many files: delete some";
    return NULL;
}

void http_post_firmware(struct http_call *c)
{
    const struct http_received *got = c->req->file;
    const struct firmware *f;

    if (!got) {
        http_answer_fail(c, 400, "bad-value",
                         "the body must be the file, with Content-Length");
        return;
    }
    http_app_firmware(c->app, got->name, got->size, c->now.utc_ms);
    f = find_file(c->app, slice_str(got->name));
    if (!f) { /* others came in between */
        c->app->cfg.file_remove(c->app->cfg.ctx, got->name);
        http_answer_fail(c, 409, "limit", "there are too many files");
    } else {
        struct jw j = http_answer_json(c, 201);

        file_write(&j, f);
    }
}

static bool is_in_use(const struct http_app *a, struct slice name)
{
    struct platform_upgrade u;

    for (size_t i = 0; platform_upgrade_at(a->cfg.platform, i, &u); i++)
        if ((u.state == PLATFORM_UPGRADE_SENT ||
             u.state == PLATFORM_UPGRADE_FETCHED) && slice_eq(u.file, name))
            return true;
    return false;
}

void http_delete_firmware(struct http_call *c)
{
    struct http_app *a = c->app;
    struct firmware *f = find_file(a, c->params.value[0]);
    char name[HTTP_FILE_NAME_MAX + 1];

    if (!f) {
        http_answer_fail(c, 404, "firmware-unknown", "no such file");
        return;
    }
    if (is_in_use(a, slice_str(f->name))) {
        http_answer_fail(c, 409, "in-use", "a device is to fetch it, or has "
                                           "not said yet how it went");
        return;
    }
    memcpy(name, f->name, sizeof(name));
    *f = a->firmware[--a->n_firmware];
    a->cfg.file_remove(a->cfg.ctx, name);
    http_answer_empty(c, 204);
}

/* ---- orders -------------------------------------------------------------------- */

void http_upgrade_write(struct jw *j, const struct platform_upgrade *u)
{
    jw_object(j);
    jw_put_str(j, "session", u->session);
    jw_put_str(j, "device", u->device);
    jw_put_str(j, "target", u->target);
    jw_put_str(j, "firmware", u->file);
    jw_put_str(j, "version", u->version);
    jw_put_str(j, "runs", u->runs);
    jw_put_cstr(j, "state", platform_upgrade_state_name(u->state));
    http_put_words(j, "evidence", u->evidence);
    jw_put_id_or_null(j, "command", u->command);
    jw_put_u64(j, "fetches", u->fetches);
    jw_put_u64(j, "fetched_bytes", u->fetched_bytes);
    jw_put_time(j, "asked_at", u->asked_utc_ms);
    jw_put_time(j, "fetched_at", u->fetched_utc_ms);
    jw_put_time(j, "ended_at", u->ended_utc_ms);
    jw_end(j);
}

void http_get_upgrades(struct http_call *c)
{
    struct platform_upgrade u;
    struct http_rows rows;
    struct jw j;

    if (!http_rows_begin(c, &rows, true))
        return;
    j = http_list_begin(c);
    for (size_t i = 0; platform_upgrade_at(c->app->cfg.platform, i, &u); i++)
        if (http_rows_take(c, &rows, u.number, u.device, (struct slice){ 0 }))
            http_upgrade_write(&j, &u);
    http_rows_end(&j, &rows);
}

void http_get_upgrade(struct http_call *c)
{
    struct platform_upgrade u;

    if (platform_upgrade_view(c->app->cfg.platform, c->params.value[0], &u)) {
        struct jw j = http_answer_json(c, 200);

        http_upgrade_write(&j, &u);
        return;
    }
    http_answer_fail(c, 404, "upgrade-unknown", "no such upgrade");
}

void http_firmware_scope(struct writer *w, struct slice session)
{
    writer_str(w, "/firmware/");
    writer_slice_put(w, session);
}

/* "http://192.0.2.1:28181/firmware/SESSION/firmware.bin?t=…"; false: nobody
 * knows where the device reaches us. */
static bool write_url(struct http_call *c, struct slice device,
                      struct slice session, struct writer *w)
{
    char scope[128];
    struct writer s = writer_of(scope, sizeof(scope));

    if (!http_write_device_base(c->app, device, w))
        return false;
    http_firmware_scope(&s, session);
    writer_slice_put(w, writer_slice(&s));
    writer_str(w, "/firmware.bin?t=");
    http_sign(w, c->app->cfg.key, writer_slice(&s),
              c->now.utc_ms / 1000 + URL_LIFE_S, 0);
    return !w->err && !s.err;
}

static const char *refusal(int err, unsigned *status, const char **code)
{
    switch (err) {
    case GB_ENOENT:
        *status = 404, *code = "device-unknown";
        return "no such device";
    case GB_ESTATE:
        *status = 409, *code = "device-offline";
        return "the device is offline";
    case GB_EUNSUPPORTED:
        *status = 409, *code = "edition";
        return "DeviceUpgrade came with GB/T 28181-2022, and the device says "
               "that it is older; set its edition if it knows better";
    case GB_ESYNTAX:
        *status = 400, *code = "bad-value";
        return "version and manufacturer have 1 to 64 bytes; channel is an id";
    case GB_ELIMIT:
        *status = 503, *code = "busy";
        return "too many upgrades or commands are under way";
    default:
        *status = 503, *code = NULL;
        return gb_strerror(err);
    }
}

static struct slice text_of(const json_t *root, const char *key)
{
    const json_t *v = json_object_get(root, key);

    return slice_of(json_string_value(v), json_string_length(v));
}

static bool read_order(const json_t *root, struct platform_upgrade_order *o)
{
    static const char *const keys[] = { "firmware", "version", "manufacturer",
                                        "channel" };
    const char *key;
    json_t *v;

    if (!json_is_object(root))
        return false;
    json_object_foreach((json_t *)(uintptr_t)root, key, v) {
        size_t i = 0;

        while (i < 4 && !slice_eq(slice_str(key), slice_str(keys[i])))
            i++;
        if (i == 4 || !json_is_string(v))
            return false;
    }
    o->file = text_of(root, "firmware");
    o->version = text_of(root, "version");
    o->manufacturer = text_of(root, "manufacturer");
    o->target = text_of(root, "channel");
    return o->file.n > 0;
}

static void start(struct http_call *c, struct platform_upgrade_order *o)
{
    struct platform *p = c->app->cfg.platform;
    uint8_t bytes[SESSION_BYTES];
    char session[2 * SESSION_BYTES + 1], url[640];
    struct writer s = writer_of(session, 2 * SESSION_BYTES);
    struct writer u = writer_of(url, sizeof(url));
    struct platform_device d;
    struct platform_upgrade up;
    int err;

    c->app->cfg.random(c->app->cfg.ctx, bytes, sizeof(bytes));
    writer_hex(&s, bytes, sizeof(bytes));
    o->device = c->params.value[0];
    o->session = writer_slice(&s);
    if (!o->manufacturer.n && platform_device_view(p, o->device, &d))
        o->manufacturer = d.manufacturer.n ? slice_head(d.manufacturer, 64)
                                           : SLICE("unknown");
    err = write_url(c, o->device, o->session, &u) ? 0 : GB_ESTATE;
    if (!err || !platform_has_device(p, o->device)) {
        o->url = writer_slice(&u);
        err = platform_upgrade_start(p, o, c->now);
    }
    c->app->cfg.touched(c->app->cfg.ctx);
    if (err) {
        unsigned status;
        const char *code, *text = refusal(err, &status, &code);

        http_answer_fail(c, status, code, text);
    } else if (platform_upgrade_view(p, o->session, &up)) {
        struct jw j = http_answer_json(c, 202);

        http_upgrade_write(&j, &up);
    }
}

void http_post_upgrade(struct http_call *c)
{
    struct platform_upgrade_order o = { .device = { NULL, 0 } };
    struct slice body = c->req->body;
    json_t *root = json_loadb(body.n ? body.p : "", body.n,
                              JSON_REJECT_DUPLICATES, NULL);

    if (!read_order(root, &o))
        http_answer_fail(c, 400, "bad-value",
                         "the body is an object of firmware, version, and "
                         "maybe manufacturer and channel, all texts");
    else if (!find_file(c->app, o.file))
        http_answer_missing(c, "firmware-unknown", "no such file", o.file);
    else
        start(c, &o);
    json_decref(root);
}

/* ---- what the device fetches ------------------------------------------------------ */

/* Its URL is the device's, which is counted by its session; people who come without
 * the signature may look at the file alone, those who may see such files. */
void http_get_firmware(struct http_call *c)
{
    struct slice session = c->params.value[0], name;
    bool person = c->via == HTTP_VIA_TOKEN || c->via == HTTP_VIA_COOKIE;
    const struct firmware *f;

    if (person && c->role < HTTP_ROLE_ADMIN) {
        http_answer_fail(c, 403, NULL, "this needs a higher role");
        return;
    }
    f = platform_upgrade_may_fetch(c->app->cfg.platform, session, &name)
            ? find_file(c->app, name)
            : NULL;
    if (!f) {
        http_answer_fail(c, 404, "upgrade-over",
                         "this upgrade is over, or its file is gone");
        return;
    }
    memcpy(c->out->file.name, f->name, sizeof(f->name));
    if (!person)
        slice_copy(c->out->file.tag, sizeof(c->out->file.tag), session);
    http_answer_file(c, f->size, "application/octet-stream", f->utc_ms);
}

/* Parts count, too: the one that ends with the last byte makes it whole. */
void http_app_file_sent(struct http_app *a, const struct http_file *f,
                        uint64_t sent)
{
    platform_upgrade_fetched(a->cfg.platform, slice_str(f->tag), sent,
                             sent == f->n && f->off + f->n == f->total,
                             http_app_now(a));
    a->cfg.touched(a->cfg.ctx);
}
