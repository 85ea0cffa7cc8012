#include "app/http/ws.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>

#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* §1.3 */

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           ascii_is_digit(c) || c == '+' || c == '/';
}

bool ws_key_is_valid(struct slice key)
{
    if (key.n != 24 || key.p[22] != '=' || key.p[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++)
        if (!is_base64(key.p[i]))
            return false;
    return true;
}

void ws_accept(struct slice key, char out[static WS_ACCEPT_LEN + 1])
{
    struct sha1_ctx sha;
    uint8_t digest[SHA1_DIGEST_SIZE];

    sha1_init(&sha);
    sha1_update(&sha, key.n, (const uint8_t *)key.p);
    sha1_update(&sha, sizeof(WS_GUID) - 1, (const uint8_t *)WS_GUID);
    sha1_digest(&sha, sizeof(digest), digest);
    base64_encode_raw(out, sizeof(digest), digest);
    out[WS_ACCEPT_LEN] = '\0';
}

void ws_init(struct ws *w, uint64_t max_message)
{
    *w = (struct ws){ .max_message = max_message ? max_message
                                                 : WS_MESSAGE_MAX,
                      .need_head = 2 };
}

static int broken(struct ws *w, uint16_t code)
{
    w->fault = code;
    if (code == WS_CLOSE_TOO_BIG)
        return GB_ELIMIT;
    return code == WS_CLOSE_BAD_DATA ? GB_ECHARSET : GB_ESYNTAX;
}

static bool is_control(uint8_t opcode)
{
    return (opcode & 8) != 0;
}

/* The first two bytes are there: is this frame allowed now (§5.2 - §5.5)? */
static bool is_allowed(const struct ws *w)
{
    uint8_t opcode = w->head[0] & 15, len = w->head[1] & 127;
    bool fin = (w->head[0] & 0x80) != 0;

    if ((w->head[0] & 0x70) || !(w->head[1] & 0x80))
        return false; /* an extension; or not masked */
    switch (opcode) {
    case WS_CONTINUE:
        return w->message != 0;
    case WS_TEXT:
    case WS_BINARY:
        return w->message == 0;
    case WS_CLOSE:
        return fin && len <= WS_CONTROL_MAX && len != 1;
    case WS_PING:
    case WS_PONG:
        return fin && len <= WS_CONTROL_MAX;
    default:
        return false;
    }
}

/* The payload length, UINT64_MAX when it is not the shortest form. */
static uint64_t payload_len(const struct ws *w)
{
    uint8_t len = w->head[1] & 127;
    unsigned n = len == 126 ? 2 : len == 127 ? 8 : 0;
    uint64_t v = 0;

    if (n == 0)
        return len;
    for (unsigned i = 0; i < n; i++)
        v = v << 8 | w->head[2 + i];
    if (v < 126 || (n == 8 && (v <= 0xffff || v >> 63)))
        return UINT64_MAX;
    return v;
}

static int begin_frame(struct ws *w)
{
    w->left = payload_len(w);
    w->opcode = w->head[0] & 15;
    w->fin = (w->head[0] & 0x80) != 0;
    w->mask_at = 0;
    w->n_control = 0;
    if (w->left == UINT64_MAX)
        return broken(w, WS_CLOSE_PROTOCOL);
    if (!is_control(w->opcode)) {
        if (w->opcode != WS_CONTINUE) {
            w->message = w->opcode;
            w->message_len = 0;
            w->first = true;
            w->utf8 = (struct utf8){ 0 };
        }
        if (w->left > w->max_message - w->message_len)
            return broken(w, WS_CLOSE_TOO_BIG);
        w->message_len += w->left;
    }
    w->in_payload = true;
    return 0;
}

/* Gathers the frame's header; 0 when the payload begins. */
static int feed_head(struct ws *w, const uint8_t *p, size_t n, size_t *used)
{
    while (w->n_head < w->need_head) {
        if (*used == n)
            return GB_EAGAIN;
        w->head[w->n_head++] = p[(*used)++];
        if (w->n_head != 2)
            continue;
        if (!is_allowed(w))
            return broken(w, WS_CLOSE_PROTOCOL);
        w->need_head = 6;
        if ((w->head[1] & 127) >= 126)
            w->need_head = (w->head[1] & 127) == 126 ? 8 : 14;
    }
    return begin_frame(w);
}

static void unmask(struct ws *w, uint8_t *p, size_t n)
{
    const uint8_t *mask = w->head + w->need_head - 4;

    for (size_t i = 0; i < n; i++)
        p[i] ^= mask[w->mask_at++ & 3];
    w->mask_at &= 3;
}

static void end_frame(struct ws *w)
{
    w->in_payload = false;
    w->n_head = 0;
    w->need_head = 2;
}

static bool is_utf8(struct utf8 *u, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!utf8_step(u, p[i]))
            return false;
    return true;
}

/* §7.4: codes that may be on the wire. */
static bool is_close_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static int end_control(struct ws *w, struct ws_event *ev)
{
    struct utf8 u = { 0 };
    size_t skip = 0;
    unsigned code = WS_CLOSE_NO_STATUS;

    if (w->opcode == WS_CLOSE) {
        if (w->n_control) {
            skip = 2;
            code = (unsigned)w->control[0] << 8 | w->control[1];
            if (!is_close_code(code))
                return broken(w, WS_CLOSE_PROTOCOL);
            if (!is_utf8(&u, w->control + 2, w->n_control - 2u) || u.more)
                return broken(w, WS_CLOSE_BAD_DATA);
        }
        w->closed = true;
    }
    *ev = (struct ws_event){
        .opcode = (enum ws_opcode)w->opcode,
        .data = { (const char *)w->control + skip, w->n_control - skip },
        .first = true,
        .last = true,
        .close_code = (uint16_t)code,
    };
    end_frame(w);
    return 0;
}

static int feed_control(struct ws *w, const uint8_t *p, size_t n, size_t *used,
                        struct ws_event *ev)
{
    size_t take = n - *used < w->left ? n - *used : (size_t)w->left;

    if (take)
        memcpy(w->control + w->n_control, p + *used, take);
    unmask(w, w->control + w->n_control, take);
    w->n_control = (uint8_t)(w->n_control + take);
    w->left -= take;
    *used += take;
    return w->left ? GB_EAGAIN : end_control(w, ev);
}

static int feed_data(struct ws *w, uint8_t *p, size_t n, size_t *used,
                     struct ws_event *ev)
{
    size_t take = n - *used < w->left ? n - *used : (size_t)w->left;
    bool last;

    if (take == 0 && w->left)
        return GB_EAGAIN;
    unmask(w, p + *used, take);
    w->left -= take;
    last = w->fin && w->left == 0;
    *ev = (struct ws_event){ .opcode = (enum ws_opcode)w->message,
                             .data = { (char *)p + *used, take },
                             .first = w->first,
                             .last = last };
    *used += take;
    if (w->message == WS_TEXT) {
        if (!is_utf8(&w->utf8, (const uint8_t *)ev->data.p, take) ||
            (last && w->utf8.more))
            return broken(w, WS_CLOSE_BAD_DATA);
    }
    if (w->left == 0)
        end_frame(w);
    if (take || last)
        w->first = false;
    if (last)
        w->message = 0;
    return take || last ? 0 : GB_EAGAIN;
}

int ws_feed(struct ws *w, uint8_t *p, size_t n, size_t *used,
            struct ws_event *ev)
{
    int err;

    *used = 0;
    if (w->fault)
        return broken(w, w->fault);
    if (w->closed) {
        *used = n;
        return GB_EAGAIN;
    }
    for (;;) {
        if (!w->in_payload) {
            err = feed_head(w, p, n, used);
            if (err)
                return err;
        }
        if (is_control(w->opcode))
            return feed_control(w, p, n, used, ev);
        err = feed_data(w, p, n, used, ev);
        if (err != GB_EAGAIN || *used == n)
            return err;
    }
}

size_t ws_header(uint8_t out[static WS_HEADER_MAX], enum ws_opcode opcode,
                 uint64_t len)
{
    out[0] = (uint8_t)(0x80 | opcode);
    if (len < 126) {
        out[1] = (uint8_t)len;
        return 2;
    }
    if (len <= 0xffff) {
        out[1] = 126;
        out[2] = (uint8_t)(len >> 8);
        out[3] = (uint8_t)len;
        return 4;
    }
    out[1] = 127;
    for (unsigned i = 0; i < 8; i++)
        out[2 + i] = (uint8_t)(len >> (56 - 8 * i));
    return 10;
}

void ws_control_write(struct writer *w, enum ws_opcode opcode,
                      struct slice data)
{
    uint8_t head[WS_HEADER_MAX];

    data = slice_head(data, WS_CONTROL_MAX);
    writer_bytes(w, head, ws_header(head, opcode, data.n));
    writer_slice_put(w, data);
}

void ws_close_write(struct writer *w, uint16_t code, struct slice reason)
{
    char body[WS_CONTROL_MAX];
    struct writer b = writer_of(body, sizeof(body));
    size_t n = 0;

    /* Whole characters only. */
    for (;;) {
        size_t step = n < reason.n ? utf8_len(reason.p + n, reason.n - n) : 0;

        if (step == 0 || n + step > WS_CONTROL_MAX - 2)
            break;
        n += step;
    }
    writer_be16(&b, code);
    writer_slice_put(&b, slice_head(reason, n));
    ws_control_write(w, WS_CLOSE, writer_slice(&b));
}
