/* Pictures that cameras take on order (GB/T 28181-2022 9.14): a DeviceConfig with
 * SnapShotConfig tells where to put them, by a URL that names the order, is
 * signed, and is good for as long as the order is open. UploadSnapShotFinished
 * ends it. Pictures lie in DATA/snapshots, so many and so many bytes; the oldest
 * go first. */
#include "app/http/api.h"

#include "app/http/picture.h"
#include "manscdp/config.h"

#include <jansson.h>

#define SESSION_BYTES 16     /* random ones of a SessionID: 32 hex digits */
#define SLACK_S 30           /* for the upload, behind the last picture */
#define INTERVAL_MAX_S 3600
#define NAME_MAX_BYTES 60    /* CHANNEL-TIME-NUMBER-SALT.jpg */

enum state { STATE_SENT, STATE_FINISHED, STATE_PARTIAL, STATE_REFUSED,
             STATE_SILENT };

struct snapshot {
    struct list node; /* in a->snapshots, newest first */
    uint64_t n;       /* of the list: rises */
    char session[2 * SESSION_BYTES + 1];
    char device[HTTP_ID_MAX + 1], channel[HTTP_ID_MAX + 1];
    uint64_t command;
    uint32_t number, interval_s, got, announced;
    enum state state;
    int64_t asked_utc_ms, ended_utc_ms, until_utc_ms;
};

#define PICTURE_BEFORE_MS 15000 /* one is of an alarm that it came so long before */
#define PICTURE_AFTER_MS 60000  /* or behind */

struct picture {
    struct list node; /* in a->pictures, newest first */
    uint64_t n;       /* of the list: rises */
    char name[HTTP_FILE_NAME_MAX + 1];
    char session[2 * SESSION_BYTES + 1]; /* "": of before a restart */
    char device[HTTP_ID_MAX + 1], channel[HTTP_ID_MAX + 1];
    uint64_t size;
    int64_t utc_ms;
};

/* ---- the lists -------------------------------------------------------------- */

static struct snapshot *find_session(const struct http_app *a,
                                     struct slice session)
{
    for (struct list *n = a->snapshots.next; n != &a->snapshots; n = n->next) {
        struct snapshot *s = container_of(n, struct snapshot, node);

        if (slice_ieq(slice_str(s->session), session))
            return s;
    }
    return NULL;
}

static void forget_picture(struct http_app *a, struct picture *p, bool file)
{
    if (file && a->cfg.picture_remove)
        a->cfg.picture_remove(a->cfg.ctx, p->name);
    list_remove(&p->node);
    a->n_pictures--;
    a->picture_bytes -= p->size;
    gb_put(a->cfg.alloc, p);
}

static void forget_snapshot(struct http_app *a, struct snapshot *s)
{
    list_remove(&s->node);
    a->n_snapshots--;
    gb_put(a->cfg.alloc, s);
}

void http_snapshot_free(struct http_app *a)
{
    while (!list_is_empty(&a->snapshots))
        forget_snapshot(a, container_of(a->snapshots.next, struct snapshot,
                                        node));
    while (!list_is_empty(&a->pictures))
        forget_picture(a, container_of(a->pictures.next, struct picture, node),
                       false);
}

/* The oldest make room for one of this size. */
static void make_room(struct http_app *a, uint64_t size)
{
    while (!list_is_empty(&a->pictures) &&
           (a->n_pictures >= HTTP_PICTURES_MAX ||
            a->picture_bytes + size > a->cfg.pictures_max))
        forget_picture(a, container_of(a->pictures.prev, struct picture, node),
                       true);
}

static struct picture *add_picture(struct http_app *a, const char *name,
                                   uint64_t size, int64_t utc_ms)
{
    struct picture *p = gb_get(a->cfg.alloc, sizeof(*p));

    if (!p)
        return NULL;
    slice_copy(p->name, sizeof(p->name), slice_str(name));
    slice_copy(p->channel, sizeof(p->channel),
               slice_head(slice_str(name), slice_find(slice_str(name), '-')));
    p->size = size;
    p->utc_ms = utc_ms;
    p->n = ++a->numbered;
    list_push_front(&a->pictures, &p->node);
    a->n_pictures++;
    a->picture_bytes += size;
    return p;
}

int64_t http_picture_utc_ms(const char *name)
{
    struct slice s = slice_str(name), part;
    uint64_t ms;

    slice_cut(&s, '-', &part);
    slice_cut(&s, '-', &part);
    return s.n && slice_u64(part, INT64_MAX, &ms) ? (int64_t)ms : 0;
}

void http_app_picture(struct http_app *a, const char *name, uint64_t size,
                      int64_t utc_ms)
{
    make_room(a, size);
    add_picture(a, name, size, utc_ms);
}

/* ---- objects ------------------------------------------------------------------ */

static const char *state_name(enum state s)
{
    static const char *const names[] = { "sent", "finished", "partial",
                                         "refused", "silent" };

    return names[s];
}

static void picture_write(struct jw *j, const struct picture *p)
{
    jw_object(j);
    jw_put_cstr(j, "file", p->name);
    jw_put_cstr(j, "device", p->device);
    jw_put_cstr(j, "channel", p->channel);
    jw_put_cstr(j, "session", p->session);
    jw_put_u64(j, "size", p->size);
    jw_put_time(j, "received_at", p->utc_ms);
    jw_end(j);
}

static void snapshot_write(struct http_app *a, struct jw *j,
                           const struct snapshot *s)
{
    jw_object(j);
    jw_put_cstr(j, "session", s->session);
    jw_put_cstr(j, "device", s->device);
    jw_put_cstr(j, "channel", s->channel);
    jw_put_id(j, "command", s->command);
    jw_put_cstr(j, "state", state_name(s->state));
    jw_put_u64(j, "number", s->number);
    jw_put_u64(j, "announced", s->announced);
    jw_put_time(j, "asked_at", s->asked_utc_ms);
    jw_put_time(j, "ended_at", s->ended_utc_ms);
    jw_key(j, "pictures");
    jw_array(j);
    for (struct list *n = a->pictures.prev; n != &a->pictures; n = n->prev) {
        const struct picture *p = container_of(n, struct picture, node);

        if (slice_eq(slice_str(p->session), slice_str(s->session)))
            picture_write(j, p);
    }
    jw_end(j);
    jw_end(j);
}

/* ---- orders -------------------------------------------------------------------- */

void http_snapshot_scope(struct writer *w, struct slice session)
{
    writer_str(w, "/snapshot/");
    writer_slice_put(w, session);
}

/* false: nobody knows where the device reaches us. */
static bool write_url(const struct http_app *a, const struct snapshot *s,
                      struct writer *w)
{
    char scope[80];
    struct writer sw = writer_of(scope, sizeof(scope));

    if (!http_write_device_base(a, slice_str(s->device), w))
        return false;
    http_snapshot_scope(&sw, slice_str(s->session));
    writer_slice_put(w, writer_slice(&sw));
    writer_str(w, "?t=");
    http_sign(w, a->cfg.key, writer_slice(&sw), s->until_utc_ms / 1000, 0);
    return !w->err && !sw.err;
}

static bool read_number(const json_t *root, const char *key, uint32_t max,
                        uint32_t *v)
{
    const json_t *n = json_object_get(root, key);

    if (!n)
        return true;
    if (!json_is_integer(n) || json_integer_value(n) < 1 ||
        json_integer_value(n) > max)
        return false;
    *v = (uint32_t)json_integer_value(n);
    return true;
}

static struct snapshot *snapshot_new(struct http_app *a, struct slice device,
                                     struct slice channel, uint32_t number,
                                     uint32_t interval_s)
{
    int64_t utc_ms = http_app_now(a).utc_ms;
    uint8_t bytes[SESSION_BYTES];
    struct snapshot *s;
    struct writer w;

    if (a->n_snapshots >= HTTP_SNAPSHOTS_MAX)
        forget_snapshot(a, container_of(a->snapshots.prev, struct snapshot,
                                        node));
    s = gb_get(a->cfg.alloc, sizeof(*s));
    if (!s)
        return NULL;
    a->cfg.random(a->cfg.ctx, bytes, sizeof(bytes));
    w = writer_of(s->session, sizeof(s->session) - 1);
    writer_hex(&w, bytes, sizeof(bytes));
    slice_copy(s->device, sizeof(s->device), device);
    slice_copy(s->channel, sizeof(s->channel), channel);
    s->number = number;
    s->interval_s = interval_s;
    s->asked_utc_ms = utc_ms;
    s->until_utc_ms = utc_ms +
                      1000ll * ((int64_t)number * interval_s + SLACK_S);
    s->n = ++a->numbered;
    list_push_front(&a->snapshots, &s->node);
    a->n_snapshots++;
    return s;
}

static int send_order(struct http_app *a, struct snapshot *s)
{
    char url[640];
    struct writer u = writer_of(url, sizeof(url));
    struct manscdp_snapshot shot = {
        .number = manscdp_int(s->number),
        .interval_s = manscdp_int(s->interval_s),
        .session = slice_str(s->session),
    };
    struct manscdp_config_set in = { .snapshot = &shot };
    const struct platform_order o = {
        .device = slice_str(s->device), .target = slice_str(s->channel),
        .root = MANSCDP_CONTROL, .cmd = MANSCDP_CMD_DEVICE_CONFIG,
        .body = &manscdp_config_set_body, .in = &in,
    };

    if (!write_url(a, s, &u))
        return GB_ESTATE;
    shot.url = writer_slice(&u);
    return platform_command_send(a->cfg.platform, &o, http_app_now(a),
                                 &s->command);
}

/* SnapShotConfig is of 2022; another device would be sent an empty order. */
static bool knows_it(const struct http_app *a, struct slice device)
{
    struct manscdp_dialect d;

    return !platform_device_dialect(a->cfg.platform, device, &d) &&
           d.edition == MANSCDP_2022;
}

const char *http_app_snapshot(struct http_app *a, struct slice device,
                              struct slice channel)
{
    struct snapshot *s;
    int err;

    if (!a->cfg.picture_store)
        return "pictures are off (snapshot.max_mib is 0)";
    if (!platform_has_device(a->cfg.platform, device))
        return "there is no such device";
    if (!knows_it(a, device))
        return "the device is older than GB/T 28181-2022, which pictures came "
               "with";
    s = snapshot_new(a, device, channel, 1, 1);
    if (!s)
        return gb_strerror(GB_ENOMEM);
    err = send_order(a, s);
    if (!err)
        return NULL;
    forget_snapshot(a, s);
    return err == GB_ESTATE ? "the device is offline" : gb_strerror(err);
}

void http_post_snapshot(struct http_call *c)
{
    struct slice body = c->req->body;
    json_t *root = body.n ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES,
                                       NULL)
                          : json_object();
    uint32_t number = 1, interval_s = 1;
    struct snapshot *s = NULL;
    int err;

    if (!c->app->cfg.picture_store) {
        http_answer_fail(c, 501, NULL, "pictures are off (snapshot.max_mib is "
                                       "0)");
    } else if (!platform_has_device(c->app->cfg.platform, c->params.value[0])) {
        http_answer_no_device(c);
    } else if (!json_is_object(root) ||
               !read_number(root, "number", 10, &number) ||
               !read_number(root, "interval_s", INTERVAL_MAX_S, &interval_s)) {
        http_answer_fail(c, 400, "bad-value",
                         "number is 1 to 10, interval_s 1 to 3600");
    } else if (!knows_it(c->app, c->params.value[0])) {
        http_answer_fail(c, 409, "edition",
                         "SnapShotConfig came with GB/T 28181-2022, and the "
                         "device says that it is older; set its edition if it "
                         "knows better");
    } else if (!(s = snapshot_new(c->app, c->params.value[0],
                                  c->params.value[1], number, interval_s))) {
        http_answer_fail(c, 503, NULL, "there is no memory for it");
    } else if ((err = send_order(c->app, s)) != 0) {
        forget_snapshot(c->app, s);
        http_command_sent(c, err, 0);
    } else {
        struct jw j = http_answer_json(c, 202);

        snapshot_write(c->app, &j, s);
        c->app->cfg.touched(c->app->cfg.ctx);
    }
    json_decref(root);
}

/* ---- what comes of them ---------------------------------------------------------- */

static void set_state(struct http_app *a, struct snapshot *s, enum state to)
{
    s->state = to;
    s->ended_utc_ms = a->cfg.now(a->cfg.ctx).utc_ms;
}

static bool is_whole(const struct snapshot *s)
{
    return s->got >= s->number;
}

/* By the SessionID and the device that was asked; an upload that is late still
 * makes it whole. Some cameras tell of all pictures at once, others of each. */
void http_snapshot_done(struct http_app *a, const struct platform_action *act)
{
    struct slice ids = act->text, session, one;
    struct snapshot *s;

    slice_cut(&ids, '\n', &session);
    s = find_session(a, session);
    if (!s || !slice_eq(slice_str(s->device), act->device) ||
        s->state == STATE_REFUSED)
        return;
    while (ids.n) {
        slice_cut(&ids, '\n', &one);
        s->announced += one.n > 0 && s->announced < s->number;
    }
    set_state(a, s, is_whole(s) ? STATE_FINISHED : STATE_PARTIAL);
}

void http_snapshot_command(struct http_app *a, uint64_t command)
{
    struct platform_command k;

    for (struct list *n = a->snapshots.next; n != &a->snapshots; n = n->next) {
        struct snapshot *s = container_of(n, struct snapshot, node);

        if (s->command == command && s->state == STATE_SENT &&
            platform_command_view(a->cfg.platform, command, &k) &&
            k.state == PLATFORM_COMMAND_REFUSED)
            set_state(a, s, STATE_REFUSED);
    }
}

static void look(struct http_app *a, struct snapshot *s)
{
    if (s->state == STATE_SENT &&
        a->cfg.now(a->cfg.ctx).utc_ms > s->until_utc_ms)
        set_state(a, s, STATE_SILENT);
}

void http_get_snapshot(struct http_call *c)
{
    struct snapshot *s = find_session(c->app, c->params.value[0]);

    if (!s) {
        http_answer_fail(c, 404, "snapshot-unknown", "no such order");
    } else {
        struct jw j = http_answer_json(c, 200);

        look(c->app, s);
        snapshot_write(c->app, &j, s);
    }
}

static struct picture *find_picture(const struct http_app *a, struct slice name)
{
    for (struct list *n = a->pictures.next; n != &a->pictures; n = n->next) {
        struct picture *p = container_of(n, struct picture, node);

        if (slice_eq(slice_str(p->name), name))
            return p;
    }
    return NULL;
}

bool http_snapshot_device(const struct http_app *a, struct slice session,
                          struct slice *device)
{
    const struct snapshot *s = find_session(a, session);

    if (s)
        *device = slice_str(s->device);
    return s != NULL;
}

const char *http_picture_about(const struct http_app *a, struct slice device,
                               struct slice channel, int64_t utc_ms)
{
    for (struct list *n = a->pictures.next; n != &a->pictures; n = n->next) {
        const struct picture *p = container_of(n, struct picture, node);

        if (p->utc_ms > utc_ms - PICTURE_BEFORE_MS &&
            p->utc_ms < utc_ms + PICTURE_AFTER_MS &&
            slice_eq(slice_str(p->channel), channel) &&
            slice_eq(slice_str(p->device), device))
            return p->name;
    }
    return NULL;
}

bool http_picture_device(const struct http_app *a, struct slice name,
                         struct slice *device)
{
    const struct picture *p = find_picture(a, name);

    if (p)
        *device = slice_str(p->device);
    return p != NULL;
}

void http_get_snapshots(struct http_call *c)
{
    struct http_rows rows;
    struct jw j;

    if (!http_rows_begin(c, &rows, true))
        return;
    j = http_list_begin(c);
    for (struct list *n = c->app->snapshots.next; n != &c->app->snapshots;
         n = n->next) {
        struct snapshot *s = container_of(n, struct snapshot, node);

        if (!http_rows_take(c, &rows, s->n, slice_str(s->device),
                            slice_str(s->channel)))
            continue;
        look(c->app, s);
        snapshot_write(c->app, &j, s);
    }
    http_rows_end(&j, &rows);
}

/* ---- pictures ----------------------------------------------------------------------- */

/* The one of the URL that may bring another picture; NULL: answered. */
static struct snapshot *open_order(struct http_call *c)
{
    struct snapshot *s = find_session(c->app, c->params.value[0]);

    if (!s || (c->via != HTTP_VIA_SIGNATURE && c->via != HTTP_VIA_OPEN) ||
        c->now.utc_ms > s->until_utc_ms) {
        http_answer_fail(c, 404, "snapshot-over", "this order is over");
        return NULL;
    }
    if (s->got >= s->number) {
        http_answer_fail(c, 409, "snapshot-full",
                         "all pictures of this order are here");
        return NULL;
    }
    return s;
}

void http_put_picture(struct http_call *c)
{
    struct http_app *a = c->app;
    struct snapshot *s = open_order(c);
    char name[HTTP_FILE_NAME_MAX + 1];
    struct writer w = writer_of(name, NAME_MAX_BYTES);
    enum picture_kind kind;
    struct slice bytes;
    struct picture *p;
    uint8_t salt[4];

    if (!s)
        return;
    if (picture_find(c->req->body,
                     http_head_get(c->head, HTTP_HDR_CONTENT_TYPE), &kind,
                     &bytes)) {
        http_answer_fail(c, 415, "no-picture",
                         "the body is no whole JPEG or PNG picture");
        return;
    }
    a->cfg.random(a->cfg.ctx, salt, sizeof(salt));
    picture_channel(&w, slice_str(s->channel));
    writer_f(&w, "-%lld-%u-", (long long)c->now.utc_ms,
             (unsigned)s->got + 1);
    writer_hex(&w, salt, sizeof(salt));
    writer_str(&w, kind == PICTURE_PNG ? ".png" : ".jpg");
    name[w.len] = '\0';
    p = NULL;
    if (!w.err && bytes.n <= a->cfg.pictures_max) {
        make_room(a, bytes.n);
        p = add_picture(a, name, bytes.n, c->now.utc_ms);
    }
    if (!p || !a->cfg.picture_store(a->cfg.ctx, name, bytes)) {
        if (p)
            forget_picture(a, p, false);
        http_answer_fail(c, 507, NULL, "the picture cannot be kept");
        return;
    }
    slice_copy(p->session, sizeof(p->session), slice_str(s->session));
    slice_copy(p->device, sizeof(p->device), slice_str(s->device));
    s->got++;
    if (s->state == STATE_PARTIAL && is_whole(s))
        set_state(a, s, STATE_FINISHED);
    http_answer_empty(c, 200);
}

void http_get_pictures(struct http_call *c)
{
    struct http_rows rows;
    struct jw j;

    if (!http_rows_begin(c, &rows, true))
        return;
    j = http_list_begin(c);
    for (struct list *n = c->app->pictures.next; n != &c->app->pictures;
         n = n->next) {
        const struct picture *p = container_of(n, struct picture, node);

        if (http_rows_take(c, &rows, p->n, slice_str(p->device),
                           slice_str(p->channel)))
            picture_write(&j, p);
    }
    http_rows_end(&j, &rows);
}

void http_get_picture(struct http_call *c)
{
    const struct picture *p = find_picture(c->app, c->params.value[0]);

    if (!p) {
        http_answer_fail(c, 404, "picture-unknown", "no such picture");
        return;
    }
    slice_copy(c->out->file.name, sizeof(c->out->file.name),
               slice_str(p->name));
    c->out->file.dir = c->app->cfg.picture_dir;
    http_answer_file(c, p->size,
                     slice_find_slice(slice_str(p->name), SLICE(".png")) <
                             slice_str(p->name).n
                         ? "image/png" : "image/jpeg",
                     p->utc_ms);
}

void http_delete_picture(struct http_call *c)
{
    struct picture *p = find_picture(c->app, c->params.value[0]);

    if (!p) {
        http_answer_fail(c, 404, "picture-unknown", "no such picture");
        return;
    }
    forget_picture(c->app, p, true);
    http_answer_empty(c, 204);
}
