/* What is answered: one answer to each request, with a status that fits it, a body
 * that can be read and says what its schema says, and no secret in it. */
#include "fuzz/api/site.h"

#include "app/http/openapi.h"
#include "app/http/problem.h"
#include "app/platform/chinese.h"

#include <jansson.h>
#include <string.h>

/* ---- secrets -------------------------------------------------------------------------- */

static bool has(struct slice s, const char *text)
{
    return slice_find_slice(s, slice_str(text)) < s.n;
}

void secrets_check(struct slice s)
{
    read_all(s);
    require(!has(s, SECRET));
    for (size_t i = 0; i < site.n_told && i < MAX_TOLD; i++)
        require(!has(s, site.told[i]));
}

/* What is told once is not told again. */
static void tell_once(const json_t *root, const char *member)
{
    const char *text = json_string_value(json_object_get(root, member));

    if (text && strlen(text) >= 16 && !strstr(text, SECRET))
        slice_copy(site.told[site.n_told++ % MAX_TOLD], SECRET_TEXT,
                   slice_str(text));
}

static bool is_path(const struct question *q, const char *path)
{
    return q->route && strcmp(q->route->pattern, path) == 0;
}

static void check_secrets(const struct question *q,
                          const struct http_response *r, struct slice body)
{
    secrets_check(buf_view(&r->fields));
    if (is_path(q, "/api/v1/setup-hints") &&
        q->right.role == HTTP_ROLE_ADMIN)
        return; /* what is typed into cameras */
    secrets_check(body);
}

/* ---- JSON ------------------------------------------------------------------------------- */

static json_t *parse(struct slice s)
{
    json_t *root = json_loadb(s.p, s.n,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

    require(root != NULL);
    return root;
}

void json_check(struct slice s)
{
    json_decref(parse(s));
}

static bool is_of_type(const json_t *v, struct slice type)
{
    if (slice_has_prefix(type, SLICE("strings")) ||
        slice_has_prefix(type, SLICE("objects")) ||
        slice_has_prefix(type, SLICE("[")))
        return json_is_array(v);
    if (slice_has_prefix(type, SLICE("string")) ||
        slice_has_prefix(type, SLICE("time")))
        return json_is_string(v);
    if (slice_has_prefix(type, SLICE("boolean")))
        return json_is_boolean(v);
    if (slice_has_prefix(type, SLICE("integer")))
        return json_is_integer(v);
    if (slice_has_prefix(type, SLICE("number")))
        return json_is_number(v);
    return json_is_object(v);
}

/* All fields that have to be there are, each of its type, and no others. */
static void check_schema(const json_t *o, const char *schema)
{
    struct slice rest = slice_str(http_schema_fields(schema)), item, name;
    size_t n = 0;
    char key[64];

    require(json_is_object(o));
    while (rest.n) {
        const json_t *v;
        bool may_lack;

        slice_cut(&rest, ' ', &item);
        slice_cut(&item, ':', &name);
        slice_copy(key, sizeof(key), name);
        may_lack = item.p[item.n - 1] == '?';
        v = json_object_get(o, key);
        n += v != NULL;
        require(v || may_lack);
        if (json_is_null(v))
            require(may_lack || slice_eq(item, SLICE("time")));
        else
            require(!v || is_of_type(v, item));
    }
    require(!*http_schema_fields(schema) || n == json_object_size(o));
}

static void check_list(const json_t *root, const char *schema)
{
    const json_t *items = json_object_get(root, "items"), *next;
    char name[64];

    require(json_is_array(items));
    slice_copy(name, sizeof(name), slice_of(schema, strlen(schema) - 1));
    for (size_t i = 0; i < json_array_size(items); i++)
        check_schema(json_array_get(items, i), name);
    next = json_object_get(root, "next");
    require(!next || json_is_null(next) || json_is_string(next));
}

/* ---- problems ------------------------------------------------------------------------------ */

static void check_words(const json_t *root, const char *member, bool required)
{
    char key[32];
    struct writer w = writer_of(key, sizeof(key) - 1);
    const json_t *v = json_object_get(root, member);

    writer_f(&w, "%s_zh", member);
    key[w.len] = '\0';
    require(!required || json_is_string(v));
    require(!v || (json_string_length(v) &&
                   json_is_string(json_object_get(root, key))));
}

static void check_problem(const json_t *root, unsigned status)
{
    check_schema(root, "Problem");
    require(json_integer_value(json_object_get(root, "status")) == status);
    require(json_string_length(json_object_get(root, "code")) > 0);
    check_words(root, "detail", true);
    check_words(root, "hint", false);
}

/* ---- heads ----------------------------------------------------------------------------------- */

/* The value of a field; empty: it is not there. */
static struct slice field(const struct http_response *r, const char *name)
{
    struct slice rest = buf_view(&r->fields), line, key;

    while (rest.n) {
        slice_cut(&rest, '\n', &line);
        slice_cut(&line, ':', &key);
        if (slice_ieq(key, slice_str(name)))
            return slice_trim(line);
    }
    return slice_of(NULL, 0);
}

/* Each is a name, a colon and a text without control characters. */
static void check_fields(const struct http_response *r)
{
    struct slice rest = buf_view(&r->fields), line, name;

    while (rest.n) {
        size_t end = slice_find_slice(rest, SLICE("\r\n"));

        require(end < rest.n);
        line = slice_head(rest, end);
        rest = slice_from(rest, end + 2);
        require(slice_find(line, ':') < line.n);
        slice_cut(&line, ':', &name);
        require(name.n > 0);
        for (size_t i = 0; i < name.n; i++)
            require(name.p[i] > ' ' && name.p[i] < 127);
        for (size_t i = 0; i < line.n; i++)
            require((uint8_t)line.p[i] >= ' ' && line.p[i] != 127);
    }
}

static void check_status(const struct question *q,
                         const struct http_response *r)
{
    unsigned status = r->status;

    require(status >= 200 && status < 600 &&
            strcmp(http_reason(status), "Unknown") != 0);
    require(status != 500 || memory.failed);
    require(status != 304 || q->tagged);
    require(status != 412 || q->guarded);
    require(status != 405 || field(r, "Allow").n);
    require(status != 401 || field(r, "WWW-Authenticate").n);
    require(status != 429 || field(r, "Retry-After").n);
    require(status != 416 || field(r, "Content-Range").n);
}

/* Who may not gets a refusal, of whatever kind; a URL may carry the right to media. */
static void check_right(const struct question *q, const struct http_response *r)
{
    unsigned flags = q->route ? q->route->flags : 0;
    bool refused = (r->kind == HTTP_REPLY_BODY && r->status >= 400) ||
                   r->kind == HTTP_REPLY_WS_TEXT;

    if (!q->route || flags & HTTP_ROUTE_EXEMPT ||
        (flags & HTTP_ROUTE_MEDIA && q->is_signed))
        return;
    require(refused || q->right.role >= q->route->role);
}

/* Of devices outside his scope nobody is told; a refusal may repeat what was asked. */
static void check_scope(const struct question *q, const struct http_response *r,
                        struct slice body)
{
    unsigned told = r->told ? r->told : r->status; /* WVP's paths say 200 */

    if (q->right.bounded && told < 300 && !q->is_signed &&
        !state_sees(slice_str(q->right.scope), SLICE(SAYS_DEVICE)))
        require(!has(body, SAYS_CHANNEL "0"));
}

/* ---- what lasts ---------------------------------------------------------- */

static void check_file(const struct http_file *f)
{
    struct slice rest = slice_str(f->name), part;

    require(f->cuts || (f->name[0] && f->name[0] != '/'));
    while (rest.n) {
        slice_cut(&rest, '/', &part);
        require(part.n && !http_is_dots(part));
    }
    require(f->off <= f->total || f->whole);
    http_app_file_sent(site.app, f, f->n);
}

static void take_over(struct http_response *r)
{
    struct http_handover h = { .fd = -1, .session = r->media.session,
                               .who = r->who };

    require(r->media.session);
    if (dice() % 4 == 0)
        http_app_media_lost(site.app, &r->media);
    else
        http_app_handover(site.app, &h);
}

static void open_stream(const struct http_response *r)
{
    for (size_t i = 0; i < MAX_STREAMS_OPEN; i++)
        if (!site.stream[i].open) {
            site.stream[i].open = true;
            site.stream[i].who = r->who;
            site.stream[i].seq = r->event_seq;
            site.stream[i].trace = r->trace;
            site.stream[i].log = r->log;
            http_app_event_join(site.app);
            return;
        }
}

/* ---- what it leads to ---------------------------------------------------- */

static void note(const struct question *q, const struct http_response *r,
                 struct slice body)
{
    struct slice tag = field(r, "ETag"), cookie = field(r, "Set-Cookie");
    size_t at = slice_find_slice(body, SLICE("?t="));
    struct slice t = slice_from(body, at + 3);

    if (tag.n)
        slice_copy(site.tag, sizeof(site.tag), tag);
    if (at < body.n)
        slice_copy(site.signature, sizeof(site.signature),
                   slice_head(t, slice_find(t, '"')));
    at = slice_find_slice(body, SLICE("\"session\":\""));
    if (at < body.n) { /* of an upgrade, an order for pictures, live */
        t = slice_from(body, at + sizeof("\"session\":\"") - 1);
        slice_copy(site.session, sizeof(site.session),
                   slice_head(t, slice_find(t, '"')));
    }
    if (cookie.n && q->who >= COOKIES_FROM) /* of another user, or of nobody */
        slice_copy(site.cookie[q->who - COOKIES_FROM], SECRET_TEXT,
                   slice_head(cookie,
                              q->logs_in ? slice_find(cookie, ';') : 0));
}

static void check_body(const struct question *q, struct http_response *r,
                       struct slice body)
{
    json_t *root;
    bool wvp = q->route && slice_has_prefix(slice_str(q->route->summary),
                                            SLICE("WVP"));

    if (!r->type || !body.n || !has(slice_str(r->type), "json")) {
        require(r->status < 400 || r->kind != HTTP_REPLY_BODY);
        return;
    }
    root = parse(body);
    if (r->status >= 400 && strcmp(r->type, HTTP_PROBLEM_TYPE) == 0)
        check_problem(root, r->status);
    else if (wvp)
        require(json_is_integer(json_object_get(root, "code")) &&
                json_string_length(json_object_get(root, "msg")));
    else
        require(r->status < 400);
    if (r->status == 200 && q->route && q->route->answer && !wvp) {
        if (*q->route->answer == '[')
            check_list(root, q->route->answer + 1);
        else
            check_schema(root, q->route->answer);
    }
    if (r->status == 201 && (is_path(q, "/api/v1/tokens") ||
                             is_path(q, "/api/v1/webhooks"))) {
        tell_once(root, "token");
        tell_once(root, "secret");
    }
    json_decref(root);
}

void answer_check(const struct question *q, struct http_response *r)
{
    struct slice body = r->fixed.n ? r->fixed : buf_view(&r->body);

    require(r->kind != HTTP_REPLY_LATER);
    if (r->body.err || r->fields.err) {
        require(memory.failed);
        return;
    }
    read_all(body);
    check_fields(r);
    check_right(q, r);
    if (r->kind == HTTP_REPLY_MEDIA) {
        take_over(r);
        return;
    }
    if (r->kind == HTTP_REPLY_EVENTS) {
        open_stream(r);
        return;
    }
    if (r->kind == HTTP_REPLY_TALK) {
        site.talking = q->client;
        return;
    }
    if (r->kind == HTTP_REPLY_WS_TEXT) { /* an error that a page can read */
        secrets_check(body);
        json_check(body);
        return;
    }
    check_status(q, r);
    if (r->kind == HTTP_REPLY_FILE)
        check_file(&r->file);
    if (r->kind != HTTP_REPLY_BODY)
        return;
    if (!r->fixed.n) /* of the page: no word of anybody */
        check_secrets(q, r, body);
    check_scope(q, r, body);
    check_body(q, r, body);
    note(q, r, body);
}
