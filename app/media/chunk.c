#include "app/media/chunk.h"
#include "base/bytes.h"

#include <assert.h>

struct media_chunk *media_chunk_new(const struct gb_alloc *alloc, size_t n_own,
                                    struct media_frame *frame)
{
    struct media_chunk *c =
        gb_get(alloc, sizeof(*c) + MEDIA_WS_HEAD + n_own);

    if (!c)
        return NULL;
    atomic_init(&c->refs, 1);
    c->alloc = alloc;
    c->n_own = n_own;
    if (!frame)
        return c;
    c->frame = media_frame_ref(frame);
    c->n_payload = frame->n;
    c->track = frame->track;
    c->key = frame->key;
    c->leading = frame->leading;
    c->dts90k = frame->dts90k;
    return c;
}

static size_t plain_size(const struct media_chunk *c)
{
    return c->n_own + c->n_payload + c->n_tail;
}

/* FIN, binary, and the length in 1, 3 or 9 bytes, right before own. */
static void seal_ws(struct media_chunk *c, uint64_t n)
{
    unsigned more = n < 126 ? 0 : n <= UINT16_MAX ? 2 : 8;
    char *p;

    c->n_ws = (uint8_t)(2 + more);
    p = media_chunk_own(c) - c->n_ws;
    p[0] = (char)0x82;
    p[1] = (char)(more == 0 ? n : more == 2 ? 126 : 127);
    for (unsigned i = 0; i < more; i++)
        p[2 + i] = (char)(uint8_t)(n >> 8 * (more - 1 - i));
}

static void seal_http(struct media_chunk *c, uint64_t n)
{
    unsigned digits = 1;

    while (digits < 16 && n >> 4 * digits)
        digits++;
    for (unsigned i = 0; i < digits; i++)
        c->http[i] = "0123456789abcdef"[n >> 4 * (digits - 1 - i) & 15];
    memcpy(c->http + digits, "\r\n", 2);
    c->n_http = (uint8_t)(digits + 2);
    memcpy(c->tail + c->n_tail, "\r\n", 2);
}

void media_chunk_seal(struct media_chunk *c, size_t n_own)
{
    assert(n_own <= c->n_own && c->n_tail <= MEDIA_TAIL_MAX);
    c->n_own = n_own;
    seal_ws(c, plain_size(c));
    seal_http(c, plain_size(c));
}

int media_chunk_finish(struct media_chunk **out, struct media_chunk *c,
                       const struct writer *w)
{
    if (w->err) {
        media_chunk_unref(c);
        return w->err;
    }
    media_chunk_seal(c, w->len);
    *out = c;
    return 0;
}

int64_t media_chunk_time(const struct media_chunk *c)
{
    struct bytes r =
        bytes_of(c->own + MEDIA_WS_HEAD + c->time_at, MEDIA_TIME_BYTES);

    return (int64_t)bytes_be64(&r);
}

struct media_chunk *media_chunk_ref(struct media_chunk *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void media_chunk_unref(struct media_chunk *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    media_frame_unref(c->frame);
    gb_put(c->alloc, c);
}

size_t media_chunk_size(const struct media_chunk *c, enum media_framing f)
{
    size_t n = plain_size(c);

    switch (f) {
    case MEDIA_PLAIN:
        break;
    case MEDIA_WS:
        return n + c->n_ws;
    case MEDIA_CHUNKED:
        return n + c->n_http + 2;
    }
    return n;
}

static struct media_iov piece(char *base, size_t len)
{
    return (struct media_iov){ base, len };
}

size_t media_chunk_iov_timed(struct media_chunk *c, enum media_framing f,
                             char *time, size_t off, struct media_iov *out,
                             size_t max)
{
    size_t ws = f == MEDIA_WS ? c->n_ws : 0, n = 0;
    size_t before = time ? c->time_at : c->n_own, k = 0;
    size_t behind = before + MEDIA_TIME_BYTES;
    struct media_iov part[MEDIA_TIMED_IOVS];

    part[k++] = piece(c->http, f == MEDIA_CHUNKED ? c->n_http : 0);
    part[k++] = piece(media_chunk_own(c) - ws, before + ws);
    if (time) {
        part[k++] = piece(time, MEDIA_TIME_BYTES);
        part[k++] = piece(media_chunk_own(c) + behind, c->n_own - behind);
    }
    part[k++] = piece(c->frame ? (char *)c->frame->data : NULL, c->n_payload);
    part[k++] = piece(c->tail, c->n_tail + (f == MEDIA_CHUNKED ? 2u : 0u));
    for (size_t i = 0; i < k && n < max; i++) {
        if (off >= part[i].len) {
            off -= part[i].len;
            continue;
        }
        out[n++] = (struct media_iov){ part[i].base + off, part[i].len - off };
        off = 0;
    }
    return n;
}

size_t media_chunk_iov(struct media_chunk *c, enum media_framing f, size_t off,
                       struct media_iov *out, size_t max)
{
    return media_chunk_iov_timed(c, f, NULL, off, out, max);
}
