/* Health, what to type into a camera, the page's files. */
#include "app/http/api.h"

#include <zlib.h>

/* Made by tools/embed.sh; ended by a NULL name. data to end is gzip. */
extern const struct web_file {
    const char *name;
    const uint8_t *data, *end;
} web_files[];

#define WEB_FILE_MAX (8u << 20) /* bytes of a page file, unpacked */

void http_get_healthz(struct http_call *c)
{
    c->out->status = 200;
    c->out->type = "text/plain; charset=utf-8";
    c->out->fixed = SLICE("ok\n");
}

void http_get_readyz(struct http_call *c)
{
    const char *why = c->app->cfg.not_ready
                          ? c->app->cfg.not_ready(c->app->cfg.ctx)
                          : NULL;

    if (why)
        http_answer_fail(c, 503, "not-ready", why);
    else
        http_get_healthz(c);
}

void http_get_hints(struct http_call *c)
{
    const struct http_app_config *cfg = &c->app->cfg;
    struct gb_addr addr[HTTP_ADDRESSES_MAX];
    size_t n = cfg->addresses
                   ? cfg->addresses(cfg->ctx, addr, HTTP_ADDRESSES_MAX)
                   : 0;
    struct jw j = http_answer_json(c, 200);

    jw_object(&j);
    jw_put_cstr(&j, "server_id", cfg->server_id ? cfg->server_id : "");
    jw_put_cstr(&j, "domain", cfg->realm ? cfg->realm : "");
    jw_key(&j, "addresses");
    jw_array(&j);
    for (size_t i = 0; i < n; i++) {
        char text[GB_ADDR_TEXT_MAX];
        struct writer w = writer_of(text, sizeof(text));

        gb_addr_write_ip(&w, &addr[i]);
        jw_str(&j, writer_slice(&w));
    }
    jw_end(&j);
    jw_put_u64(&j, "port", cfg->sip_port);
    jw_key(&j, "transports");
    jw_array(&j);
    jw_str(&j, SLICE("udp"));
    jw_str(&j, SLICE("tcp"));
    jw_end(&j);
    if (c->role == HTTP_ROLE_ADMIN && cfg->device_password)
        jw_put_cstr(&j, "password", cfg->device_password);
    jw_end(&j);
}

/* ---- the page --------------------------------------------------------------------- */

static const char *type_of(struct slice name)
{
    static const struct {
        struct slice end;
        const char *type;
    } types[] = {
        { SLICE_INIT(".html"), "text/html; charset=utf-8" },
        { SLICE_INIT(".js"), "text/javascript; charset=utf-8" },
        { SLICE_INIT(".mjs"), "text/javascript; charset=utf-8" },
        { SLICE_INIT(".css"), "text/css; charset=utf-8" },
        { SLICE_INIT(".svg"), "image/svg+xml" },
        { SLICE_INIT(".png"), "image/png" },
        { SLICE_INIT(".ico"), "image/x-icon" },
        { SLICE_INIT(".json"), "application/json" },
        { SLICE_INIT(".webmanifest"), "application/manifest+json" },
        { SLICE_INIT(".woff2"), "font/woff2" },
        { SLICE_INIT(".txt"), "text/plain; charset=utf-8" },
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (name.n > types[i].end.n &&
            slice_eq(slice_from(name, name.n - types[i].end.n), types[i].end))
            return types[i].type;
    return "application/octet-stream";
}

/* For the rare client that does not take gzip. */
static int unpack(struct buf *out, const uint8_t *p, size_t n)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n };
    int err = Z_OK;

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) /* 16: a gzip header */
        return GB_ENOMEM;
    while (err == Z_OK && out->len < WEB_FILE_MAX && !buf_room(out, 16384)) {
        z.next_out = (Bytef *)out->p + out->len;
        z.avail_out = 16384;
        err = inflate(&z, Z_NO_FLUSH);
        out->len += 16384 - z.avail_out;
    }
    inflateEnd(&z);
    return err == Z_STREAM_END ? 0 : GB_EIO;
}

/* The last eight bytes of gzip are CRC-32 and length: a tag for free. */
static struct slice etag(char buf[static 24], const struct web_file *f)
{
    struct writer w = writer_of(buf, 24);

    writer_char(&w, '"');
    if (f->end - f->data >= 8)
        writer_hex(&w, f->end - 8, 8);
    writer_char(&w, '"');
    return writer_slice(&w);
}

/* What the page may do: itself, media from blobs, sockets to here. */
#define PAGE_POLICY                                                            \
    "default-src 'self'; connect-src 'self' ws: wss:; "                        \
    "media-src 'self' blob:; img-src 'self' data: blob:; "                     \
    "worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; "              \
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

static void answer_file(struct http_call *c, const struct web_file *f)
{
    struct slice name = slice_str(f->name), tag;
    struct slice packed = { (const char *)f->data, (size_t)(f->end - f->data) };
    char text[24];

    tag = etag(text, f);
    http_response_field(c->out, "ETag", tag);
    http_response_field(c->out, "Cache-Control", SLICE("no-cache"));
    http_response_field(c->out, "Vary", SLICE("Accept-Encoding"));
    http_response_field(c->out, "Content-Security-Policy",
                        SLICE(PAGE_POLICY));
    http_response_field(c->out, "Referrer-Policy", SLICE("no-referrer"));
    if (http_head_names_tag(c->head, HTTP_HDR_IF_NONE_MATCH, tag, false)) {
        http_answer_empty(c, 304);
        return;
    }
    c->out->status = 200;
    c->out->type = type_of(name);
    if (http_head_accepts(c->head, SLICE("gzip"))) {
        http_response_field(c->out, "Content-Encoding", SLICE("gzip"));
        c->out->fixed = packed;
    } else if (unpack(&c->out->body, f->data, packed.n)) {
        http_answer_fail(c, 500, NULL, "the file cannot be unpacked");
    }
}

void http_get_file(struct http_call *c)
{
    struct slice name = c->params.n ? c->params.value[0] : SLICE("index.html");

    for (const struct web_file *f = web_files; f->name; f++) {
        if (slice_eq(slice_str(f->name), name)) {
            answer_file(c, f);
            return;
        }
    }
    http_answer_fail(c, 404, NULL, "there is nothing at this path");
}

/* ---- tiles below the map ------------------------------------------------------ */

#define TILE_CACHE "private, max-age=86400"

void http_get_map(struct http_call *c)
{
    const struct http_app_config *cfg = &c->app->cfg;
    struct jw j = http_answer_json(c, 200);

    jw_object(&j);
    jw_put_bool(&j, "tiles", cfg->tiles_dir && *cfg->tiles_dir);
    jw_put_u64(&j, "zoom", cfg->tiles_zoom);
    jw_end(&j);
}

/* The path of the file is written from numbers alone. */
void http_get_tile(struct http_call *c)
{
    const struct http_app_config *cfg = &c->app->cfg;
    struct http_file *f = &c->out->file;
    struct writer w = writer_of(f->name, sizeof(f->name) - 1);
    uint32_t z, x, y;

    if (!cfg->tiles_dir || !*cfg->tiles_dir ||
        !slice_u32(c->params.value[0], cfg->tiles_zoom, &z) ||
        !slice_u32(c->params.value[1], (1u << z) - 1, &x) ||
        !slice_u32(c->params.value[2], (1u << z) - 1, &y)) {
        http_answer_fail(c, 404, NULL, "there is nothing at this path");
        return;
    }
    writer_f(&w, "%u/%u/%u.png", (unsigned)z, (unsigned)x, (unsigned)y);
    f->name[w.len] = '\0';
    f->dir = cfg->tiles_dir;
    f->whole = "image/png";
    c->out->kind = HTTP_REPLY_FILE;
    c->out->status = 200;
    http_response_field(c->out, "Cache-Control", SLICE(TILE_CACHE));
}
