/* The paths of WVP: how their questions are put to our handlers, and how the
 * answers are told. Names of fields are those of wvp-GB28181-pro 2.7; a channel
 * has its id as "channelId", too, as before 2.7. */
#include "app/http/wvp.h"

#include "app/http/api.h"
#include "manscdp/time.h"

#include <jansson.h>

#define COUNT_DEFAULT 15   /* items of a page */
#define PAGE_MAX 1000000
#define QUESTION_MAX 512   /* bytes of a query, or a body, that we make */

enum shape { OURS, ORDER, DEVICE, DEVICES, CHANNELS, STREAM, USER };

/* ---- answers ---------------------------------------------------------------- */

enum conversion {
    SAME,
    UPPER,   /* "udp" as "UDP" */
    HOST,    /* of "192.0.2.1:5060" */
    PORT,    /* likewise, a number */
    STAMP,   /* a time in ms */
    CLOCK,   /* a time as "2026-01-02 03:04:05" in server.timezone */
    NUMBER,  /* "1" as 1; what is none: null */
    WEB,     /* a URL, unless it is one over TLS */
    SECURE,  /* a URL over TLS */
};

struct field {
    const char *name, *ours; /* theirs and ours; NULL: the end */
    enum conversion how;
};

static const struct field device_fields[] = {
    { "deviceId", "id", SAME },
    { "name", "name", SAME },
    { "manufacturer", "manufacturer", SAME },
    { "model", "model", SAME },
    { "firmware", "firmware", SAME },
    { "transport", "transport", UPPER },
    { "streamMode", "media", UPPER },
    { "ip", "address", HOST },
    { "port", "address", PORT },
    { "hostAddress", "address", SAME },
    { "onLine", "online", SAME },
    { "registerTimeStamp", "registered_at", STAMP },
    { "keepaliveTimeStamp", "keepalive_at", STAMP },
    { "registerTime", "registered_at", CLOCK },
    { "keepaliveTime", "keepalive_at", CLOCK },
    { "channelCount", "channels", SAME },
    { "charset", "charset", SAME },
    { NULL, NULL, SAME },
};

static const struct field channel_fields[] = {
    { "deviceId", "id", SAME },
    { "channelId", "id", SAME },
    { "parentDeviceId", "device", SAME },
    { "name", "name", SAME },
    { "manufacturer", "manufacturer", SAME },
    { "model", "model", SAME },
    { "owner", "owner", SAME },
    { "civilCode", "civil_code", SAME },
    { "address", "address", SAME },
    { "parentId", "parent", SAME },
    { "status", "status", SAME },
    { "longitude", "longitude", SAME },
    { "latitude", "latitude", SAME },
    { "ptzType", "ptz_type", NUMBER },
    { "businessGroupId", "business_group", SAME },
    { "streamId", "session", SAME },
    { NULL, NULL, SAME },
};

static const struct field stream_fields[] = {
    { "stream", "session", SAME },
    { "flv", "flv", WEB },
    { "https_flv", "flv", SECURE },
    { "ws_flv", "ws_flv", WEB },
    { "wss_flv", "ws_flv", SECURE },
    { "fmp4", "fmp4", WEB },
    { "https_fmp4", "fmp4", SECURE },
    { "ws_fmp4", "ws_fmp4", WEB },
    { "wss_fmp4", "ws_fmp4", SECURE },
    { "hls", "hls", WEB },
    { "https_hls", "hls", SECURE },
    { "ts", "ts", WEB },
    { "https_ts", "ts", SECURE },
    { "rtsp", "rtsp", SAME },
    { NULL, NULL, SAME },
};

static const struct field media_fields[] = {
    { "videoCodec", "video", UPPER },
    { "audioCodec", "audio", UPPER },
    { "width", "width", SAME },
    { "height", "height", SAME },
    { NULL, NULL, SAME },
};

static const struct field user_fields[] = {
    { "username", "name", SAME },
    { "accessToken", "access_token", SAME },
    { NULL, NULL, SAME },
};

static void put_same(struct jw *j, const char *key, const json_t *v)
{
    if (json_is_string(v))
        jw_put_str(j, key, slice_of(json_string_value(v),
                                    json_string_length(v)));
    else if (json_is_integer(v))
        jw_put_i64(j, key, json_integer_value(v));
    else if (json_is_real(v))
        jw_put_double(j, key, json_real_value(v));
    else if (json_is_boolean(v))
        jw_put_bool(j, key, json_is_true(v));
    else
        jw_put_null(j, key);
}

static void put_upper(struct jw *j, const char *key, struct slice s)
{
    char text[32];
    size_t n = 0;

    for (; n < s.n && n < sizeof(text); n++)
        text[n] = s.p[n] >= 'a' && s.p[n] <= 'z' ? (char)(s.p[n] - 32)
                                                : s.p[n];
    jw_put_str(j, key, slice_of(text, n));
}

/* Where the port of "192.0.2.1:5060" or "[2001:db8::1]:5060" begins, behind the
 * colon; s.n + 1: nowhere. */
static size_t port_of(struct slice s)
{
    size_t at = s.n;

    while (at && s.p[at - 1] != ':')
        at--;
    return at ? at : s.n + 1;
}

static void put_host(struct jw *j, const char *key, struct slice s)
{
    s = slice_head(s, port_of(s) - 1);
    if (s.n > 2 && s.p[0] == '[')
        s = slice_of(s.p + 1, s.n - 2);
    jw_put_str(j, key, s);
}

static void put_number(struct jw *j, const char *key, struct slice s)
{
    uint32_t n;

    if (slice_u32(s, UINT32_MAX, &n))
        jw_put_u64(j, key, n);
    else
        jw_put_null(j, key);
}

static void put_clock(struct jw *j, const char *key, int64_t utc_ms,
                      int zone_min)
{
    char text[32];
    struct writer w = writer_of(text, sizeof(text));

    manscdp_time_write(&w, utc_ms, zone_min);
    for (size_t i = 0; i < w.len; i++)
        if (text[i] == 'T')
            text[i] = ' ';
    jw_put_str(j, key, writer_slice(&w));
}

static void put_field(struct jw *j, const struct http_app *a,
                      const struct field *f, const json_t *from)
{
    const json_t *v = json_object_get(from, f->ours);
    struct slice s = slice_of(json_string_value(v), json_string_length(v));
    bool tls = slice_has_prefix(s, SLICE("https:")) ||
               slice_has_prefix(s, SLICE("wss:"));
    int64_t ms;

    if (f->how == SAME) {
        put_same(j, f->name, v);
        return;
    }
    if (!json_is_string(v)) {
        jw_put_null(j, f->name);
        return;
    }
    switch (f->how) {
    case SAME:
        break;
    case UPPER:
        put_upper(j, f->name, s);
        break;
    case HOST:
        put_host(j, f->name, s);
        break;
    case PORT:
        put_number(j, f->name, slice_from(s, port_of(s)));
        break;
    case NUMBER:
        put_number(j, f->name, s);
        break;
    case STAMP:
    case CLOCK:
        if (!manscdp_time_parse(s, 0, &ms))
            jw_put_null(j, f->name);
        else if (f->how == STAMP)
            jw_put_i64(j, f->name, ms);
        else
            put_clock(j, f->name, ms, platform_timezone_min(a->cfg.platform));
        break;
    case WEB:
    case SECURE:
        if (tls == (f->how == SECURE))
            jw_put_str(j, f->name, s);
        else
            jw_put_null(j, f->name);
        break;
    }
}

static void put_fields(struct jw *j, const struct http_app *a,
                       const struct field *f, const json_t *from)
{
    for (; f->name; f++)
        put_field(j, a, f, from);
}

static void put_object(struct jw *j, const struct http_app *a,
                       const struct field *f, const json_t *from)
{
    jw_object(j);
    put_fields(j, a, f, from);
    jw_end(j);
}

static void put_page(struct jw *j, const struct http_app *a,
                     const struct field *f, const json_t *from,
                     const struct http_wvp *w)
{
    const json_t *items = json_object_get(from, "items");
    size_t n = json_array_size(items);
    uint64_t total =
        (uint64_t)json_integer_value(json_object_get(from, "total"));

    jw_object(j);
    jw_put_u64(j, "total", total);
    jw_put_u64(j, "pageNum", w->page);
    jw_put_u64(j, "pageSize", w->count);
    jw_put_u64(j, "size", n);
    jw_put_u64(j, "pages", (total + w->count - 1) / w->count);
    jw_key(j, "list");
    jw_array(j);
    for (size_t i = 0; i < n; i++)
        put_object(j, a, f, json_array_get(items, i));
    jw_end(j);
    jw_end(j);
}

static void put_stream(struct jw *j, const struct http_app *a,
                       const json_t *from)
{
    jw_object(j);
    jw_put_cstr(j, "app", "rtp");
    put_fields(j, a, stream_fields, from);
    jw_put_cstr(j, "mediaServerId", "gb28181d");
    jw_key(j, "mediaInfo");
    put_object(j, a, media_fields, from);
    jw_end(j);
}

/* Their users have numbers, and so have roles: 1 is the administrator. */
static void put_user(struct jw *j, const struct http_app *a,
                     const json_t *from)
{
    const json_t *role = json_object_get(from, "role");
    struct slice name = slice_of(json_string_value(role),
                                 json_string_length(role));
    unsigned id = slice_eq(name, SLICE("admin")) ? 1
                  : slice_eq(name, SLICE("operator")) ? 2
                                                      : 3;

    jw_object(j);
    jw_put_u64(j, "id", id);
    put_fields(j, a, user_fields, from);
    jw_put_cstr(j, "serverId", "gb28181d");
    jw_key(j, "role");
    jw_object(j);
    jw_put_u64(j, "id", id);
    jw_put_str(j, "name", name);
    jw_end(j);
    jw_end(j);
}

static void put_data(struct jw *j, const struct http_app *a,
                     const json_t *from, const struct http_wvp *w)
{
    switch ((enum shape)w->shape) {
    case DEVICE:
        put_object(j, a, device_fields, from);
        return;
    case DEVICES:
        put_page(j, a, device_fields, from, w);
        return;
    case CHANNELS:
        put_page(j, a, channel_fields, from, w);
        return;
    case STREAM:
        put_stream(j, a, from);
        return;
    case USER:
        put_user(j, a, from);
        return;
    case OURS:
    case ORDER:
        break;
    }
    jw_null(j);
}

/* WVP's codes: those of HTTP where they say what happened, 486 for silence, 100
 * for every other failure. */
static unsigned code_of(unsigned status)
{
    switch (status) {
    case 400:
    case 422:
        return 400;
    case 403:
    case 404:
    case 500:
        return status;
    case 504:
        return 486;
    }
    return status < 300 ? 0 : 100;
}

/* KEY_zh, where there is one: these front-ends are Chinese. */
static const char *told(const json_t *problem, const char *key,
                        const char *key_zh)
{
    const char *zh = json_string_value(json_object_get(problem, key_zh));

    return zh ? zh : json_string_value(json_object_get(problem, key));
}

/* "detail: evidence (hint)", as far as it was told. */
static void put_fault(struct jw *j, const json_t *problem)
{
    const char *detail = told(problem, "detail", "detail_zh");
    const char *why = told(problem, "evidence", "evidence_zh");
    const char *hint = told(problem, "hint", "hint_zh");
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    writer_str(&w, detail ? detail : "it failed");
    if (why && why[0])
        writer_f(&w, ": %s", why);
    if (hint && hint[0])
        writer_f(&w, " (%s)", hint);
    jw_put_str(j, "msg", writer_slice(&w));
}

void http_wvp_answer(struct http_app *a, struct http_response *r,
                     const struct http_wvp *w)
{
    unsigned code = code_of(r->status);
    json_t *from;
    struct jw j;

    if (w->shape == OURS || r->kind != HTTP_REPLY_BODY || r->body.err)
        return;
    from = r->body.len ? json_loadb(r->body.p, r->body.len, 0, NULL)
                       : json_object();
    if (!from) {
        r->body.err = GB_ENOMEM;
        return;
    }
    r->body.len = 0;
    r->told = r->status;
    r->status = 200;
    r->type = "application/json";
    j = jw_to(&r->body);
    jw_object(&j);
    jw_put_u64(&j, "code", code);
    if (code)
        put_fault(&j, from);
    else
        jw_put_cstr(&j, "msg", "成功");
    jw_key(&j, "data");
    if (code)
        jw_null(&j);
    else
        put_data(&j, a, from, w);
    jw_end(&j);
    json_decref(from);
}

/* ---- questions -------------------------------------------------------------- */

/* A question of ours in place of the one that came. */
struct question {
    struct http_head head;
    struct http_request req;
    char text[QUESTION_MAX];
};

static void ask_with_query(struct http_call *c, struct question *q,
                           struct slice query)
{
    q->head = *c->head;
    q->head.query = query;
    c->head = &q->head;
}

/* ?page=&count=&query=, and online under one name or another. */
static bool ask_page(struct http_call *c, struct question *q,
                     const char *online)
{
    struct slice query = c->head->query, v;
    struct writer w = writer_of(q->text, sizeof(q->text));
    char text[HTTP_Q_MAX];

    c->wvp.page = 1;
    c->wvp.count = COUNT_DEFAULT;
    if (http_query_u32(query, SLICE("page"), PAGE_MAX, &c->wvp.page) ||
        http_query_u32(query, SLICE("count"), HTTP_LIST_LIMIT_MAX,
                       &c->wvp.count) ||
        !c->wvp.page || !c->wvp.count) {
        http_answer_fail(c, 400, "bad-parameter",
                         "page is a number from 1, count one from 1 to 10000");
        return false;
    }
    writer_f(&w, "limit=%u&skip=%llu", (unsigned)c->wvp.count,
             (unsigned long long)(c->wvp.page - 1) * c->wvp.count);
    if (!http_query_get(query, SLICE("query"), text, sizeof(text), &v) && v.n) {
        writer_str(&w, "&q=");
        http_escape(&w, v);
    }
    if (!http_query_get(query, slice_str(online), text, sizeof(text), &v) &&
        (slice_eq(v, SLICE("true")) || slice_eq(v, SLICE("false"))))
        writer_f(&w, "&online=%.*s", SLICE_ARG(v));
    if (w.err) {
        http_answer_fail(c, 400, "bad-parameter", "query is too long");
        return false;
    }
    ask_with_query(c, q, writer_slice(&w));
    return true;
}

static bool ask_devices(struct http_call *c, struct question *q)
{
    return ask_page(c, q, "status");
}

static bool ask_channels(struct http_call *c, struct question *q)
{
    return ask_page(c, q, "online");
}

/* Nothing of what they ask with is ours. */
static bool ask_plain(struct http_call *c, struct question *q)
{
    ask_with_query(c, q, (struct slice){ 0 });
    return true;
}

static bool is_md5(struct slice s)
{
    size_t n = 0;

    while (n < s.n && ascii_hex(s.p[n]) >= 0)
        n++;
    return n == s.n && n == HTTP_MD5_HEX;
}

/* ?username=&password=, the MD5 of one in hex, become a form of ours. */
static bool ask_login(struct http_call *c, struct question *q)
{
    char name[ACCOUNT_NAME_MAX + 1], password[HTTP_PASSWORD_MAX];
    struct writer w = writer_of(q->text, sizeof(q->text));
    struct slice n, p;

    if (!c->app->cfg.wvp_login) {
        http_answer_fail(c, 403, "login-disabled",
                         "WVP's login is off (http.wvp_login): send a token as "
                         "access-token");
        return false;
    }
    if (http_query_get(c->head->query, SLICE("username"), name, sizeof(name),
                       &n) ||
        http_query_get(c->head->query, SLICE("password"), password,
                       sizeof(password), &p) || !is_md5(p)) {
        http_answer_fail(c, 400, "bad-parameter",
                         "username and password, an MD5 in hex, are needed");
        return false;
    }
    c->wvp.md5 = true;
    writer_str(&w, "name=");
    http_escape(&w, n);
    writer_str(&w, "&password=");
    for (size_t i = 0; i < p.n; i++)
        writer_char(&w, ascii_lower(p.p[i]));
    q->req = *c->req;
    q->req.body = writer_slice(&w);
    c->req = &q->req;
    return ask_plain(c, q);
}

static const char *action_of(struct slice command)
{
    static const struct {
        const char *theirs, *ours;
    } actions[] = {
        { "left", "left" },           { "right", "right" },
        { "up", "up" },               { "down", "down" },
        { "upleft", "up_left" },      { "upright", "up_right" },
        { "downleft", "down_left" },  { "downright", "down_right" },
        { "zoomin", "zoom_in" },      { "zoomout", "zoom_out" },
        { "stop", "stop" },
    };

    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (slice_eq(command, slice_str(actions[i].theirs)))
            return actions[i].ours;
    return NULL;
}

/* Speeds are 0 to 255; that of zoom is 0 to 15, and larger where a front-end
 * gives the same to all three. */
static bool ask_ptz(struct http_call *c, struct question *q)
{
    static const struct {
        const char *theirs, *ours;
    } speeds[] = { { "horizonSpeed", "pan_speed" },
                   { "verticalSpeed", "tilt_speed" },
                   { "zoomSpeed", "zoom_speed" } };
    struct writer w = writer_of(q->text, sizeof(q->text));
    struct slice query = c->head->query, command;
    const char *action = NULL;
    char text[32];

    if (!http_query_get(query, SLICE("command"), text, sizeof(text), &command))
        action = action_of(command);
    if (!action) {
        http_answer_fail(c, 422, "bad-field",
                         "command is left, right, up, down, upleft, upright, "
                         "downleft, downright, zoomin, zoomout or stop");
        return false;
    }
    writer_f(&w, "{\"action\":\"%s\"", action);
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        uint32_t v = 256;

        if (http_query_u32(query, slice_str(speeds[i].theirs), 255, &v)) {
            http_answer_fail(c, 422, "bad-field", "a speed is 0 to 255");
            return false;
        }
        if (i == 2 && v > 15 && v < 256)
            v = (v + 15) / 17;
        if (v < 256)
            writer_f(&w, ",\"%s\":%u", speeds[i].ours, (unsigned)v);
    }
    writer_char(&w, '}');
    q->req = *c->req;
    q->req.body = writer_slice(&w);
    c->req = &q->req;
    return ask_plain(c, q);
}

/* ?presetId= becomes the third part of our path. */
static bool ask_preset(struct http_call *c, struct question *q)
{
    struct slice id;

    if (http_query_get(c->head->query, SLICE("presetId"), q->text,
                       sizeof(q->text), &id)) {
        http_answer_fail(c, 422, "bad-field", "presetId is 1 to 255");
        return false;
    }
    c->params.value[2] = id;
    c->params.n = 3;
    q->req = *c->req;
    q->req.body = (struct slice){ 0 };
    c->req = &q->req;
    return ask_plain(c, q);
}

/* ---- the table -------------------------------------------------------------- */

void http_wvp(struct http_call *c)
{
    static const struct {
        http_handler_fn *ours;
        bool (*ask)(struct http_call *c, struct question *q);
        enum shape shape;
    } calls[HTTP_WVP_CALLS] = {
        [HTTP_WVP_LOGIN] = { http_login, ask_login, USER },
        [HTTP_WVP_LOGOUT] = { http_logout, ask_plain, ORDER },
        [HTTP_WVP_USER] = { http_get_me, ask_plain, USER },
        [HTTP_WVP_DEVICES] = { http_get_devices, ask_devices, DEVICES },
        [HTTP_WVP_DEVICE] = { http_get_device, ask_plain, DEVICE },
        [HTTP_WVP_CHANNELS] = { http_get_channels, ask_channels, CHANNELS },
        [HTTP_WVP_SYNC] = { http_refresh_device, ask_plain, ORDER },
        [HTTP_WVP_DELETE] = { http_delete_device, ask_plain, ORDER },
        [HTTP_WVP_START] = { http_post_live, ask_plain, STREAM },
        [HTTP_WVP_STOP] = { http_delete_live, ask_plain, ORDER },
        [HTTP_WVP_PTZ] = { http_post_ptz, ask_ptz, ORDER },
        [HTTP_WVP_PRESET_ADD] = { http_put_preset, ask_preset, ORDER },
        [HTTP_WVP_PRESET_CALL] = { http_call_preset, ask_preset, ORDER },
        [HTTP_WVP_PRESET_DELETE] = { http_delete_preset, ask_preset, ORDER },
    };
    const struct http_head *head = c->head;
    const struct http_request *req = c->req;
    const struct http_params params = c->params;
    struct http_wvp *w = &c->wvp;
    struct question q;

    w->shape = (uint8_t)calls[c->route->arg].shape;
    if (calls[c->route->arg].ask(c, &q))
        calls[c->route->arg].ours(c);
    http_wvp_answer(c->app, c->out, w);
    /* the call outlives its question */
    c->head = head;
    c->req = req;
    c->params = params;
}
