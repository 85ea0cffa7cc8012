#include "app/http/stream.h"

#include "app/http/buf.h"
#include "app/http/http_head.h"
#include "app/http/json.h"

#include <jansson.h>

static const struct {
    const char *key, *ext, *type;
} formats[HTTP_FORMAT_COUNT] = {
#define X(id, key, ext, type) { key, ext, type },
    HTTP_FORMAT_MAP(X)
#undef X
};

const char *http_format_key(enum http_format f)
{
    return formats[f].key;
}

const char *http_format_ext(enum http_format f)
{
    return formats[f].ext;
}

const char *http_format_type(enum http_format f)
{
    return formats[f].type;
}

enum hub_format http_format_of_hub(enum http_format f, bool enhanced, bool g711)
{
    if (f == HTTP_FORMAT_FLV)
        return enhanced ? HUB_FLV_ENHANCED : HUB_FLV;
    if (f == HTTP_FORMAT_TS)
        return g711 ? HUB_TS_G711 : HUB_TS;
    return f == HTTP_FORMAT_PS ? HUB_PS : HUB_FMP4;
}

/* The URL carries the credential, so any page may read the answer; no cookie
 * travels with "*". */
static void put_begin(struct writer *w, const char *type, int64_t utc_ms)
{
    writer_str(w, "HTTP/1.1 200 OK\r\nDate: ");
    http_date_write(w, utc_ms);
    writer_str(w, "\r\nContent-Type: ");
    writer_str(w, type);
    writer_str(w, "\r\n"
                  "Cache-Control: no-store\r\n"
                  "Access-Control-Allow-Origin: *\r\n"
                  "X-Content-Type-Options: nosniff\r\n");
}

void http_stream_head_write(struct writer *w, enum http_format f,
                            int64_t utc_ms)
{
    put_begin(w, formats[f].type, utc_ms);
    writer_str(w, "Connection: close\r\n\r\n");
}

void http_stream_head_write_chunked(struct writer *w, enum http_format f,
                                    int64_t utc_ms)
{
    put_begin(w, formats[f].type, utc_ms);
    writer_str(w, "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

void http_stream_head_write_len(struct writer *w, const char *type,
                                uint64_t len, bool keep_alive, int64_t utc_ms)
{
    put_begin(w, type, utc_ms);
    writer_str(w, "Content-Length: ");
    writer_u64(w, len);
    writer_str(w, "\r\nConnection: ");
    writer_str(w, keep_alive ? "keep-alive" : "close");
    writer_str(w, "\r\n\r\n");
}

void http_stream_ws_head_write(struct writer *w, const char *accept,
                               struct slice protocol)
{
    writer_str(w, "HTTP/1.1 101 Switching Protocols\r\n"
                  "Upgrade: websocket\r\n"
                  "Connection: Upgrade\r\n"
                  "Sec-WebSocket-Accept: ");
    writer_str(w, accept);
    if (protocol.n) {
        writer_str(w, "\r\nSec-WebSocket-Protocol: ");
        writer_slice_put(w, protocol);
    }
    writer_str(w, "\r\n\r\n");
}

/* ---- go2rtc's dialect ------------------------------------------------------ */

static bool take(json_t *root, const char *key, char *out, size_t cap)
{
    json_t *v = json_object_get(root, key);

    if (!json_is_string(v))
        return true;
    return json_string_length(v) < cap &&
           slice_copy(out, cap, slice_of(json_string_value(v),
                                         json_string_length(v)));
}

int http_mse_parse(struct http_mse_request *out, struct slice text)
{
    json_t *root;
    bool fits;

    if (text.n > HTTP_MSE_TEXT_MAX)
        return GB_ELIMIT;
    root = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES,
                      NULL);
    if (!json_is_object(root) ||
        !json_is_string(json_object_get(root, "type"))) {
        json_decref(root);
        return GB_ESYNTAX;
    }
    *out = (struct http_mse_request){ 0 };
    fits = take(root, "type", out->type, sizeof(out->type)) &&
           take(root, "value", out->codecs, sizeof(out->codecs));
    json_decref(root);
    return fits ? 0 : GB_ELIMIT;
}

bool http_mse_accepts(const struct http_mse_request *r, struct slice codec)
{
    struct slice rest = slice_str(r->codecs), item;
    size_t dot = slice_find(codec, '.');

    if (rest.n == 0)
        return true;
    while (rest.n) {
        slice_cut(&rest, ',', &item);
        item = slice_trim(item);
        if (slice_eq(slice_head(item, slice_find(item, '.')),
                     slice_head(codec, dot)))
            return true;
    }
    return false;
}

/* {"type":TYPE,"value":PREFIX value SUFFIX}, escaped by the JSON writer. */
static void message(struct writer *w, const char *type, const char *prefix,
                    struct slice value, const char *suffix)
{
    struct buf text, line;
    struct jw j = jw_to(&line);

    buf_init(&text, &gb_alloc_heap, HTTP_MSE_TEXT_MAX);
    buf_init(&line, &gb_alloc_heap, 8 * HTTP_MSE_TEXT_MAX);
    buf_str(&text, prefix);
    buf_slice(&text, value);
    buf_str(&text, suffix);
    jw_object(&j);
    jw_put_cstr(&j, "type", type);
    jw_put_str(&j, "value", buf_view(&text));
    jw_end(&j);
    if (text.err || line.err)
        w->err = w->err ? w->err : GB_ENOMEM;
    else
        writer_slice_put(w, buf_view(&line));
    buf_fini(&text);
    buf_fini(&line);
}

void http_mse_write(struct writer *w, struct slice codecs)
{
    message(w, "mse", "video/mp4; codecs=\"", codecs, "\"");
}

void http_mse_refuse_write(struct writer *w, struct slice type)
{
    message(w, "error", "", type, ": is not served here, mse is");
}

void http_mse_error_write(struct writer *w, struct slice text)
{
    message(w, "error", "mse: ", text, "");
}
