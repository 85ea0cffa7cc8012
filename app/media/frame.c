#include "app/media/frame.h"
#include "app/media/h264.h"
#include "app/media/h265.h"
#include "base/prefetch.h"

#define SEI_RECOVERY_POINT 6 /* payloadType, H.264 Annex D, H.265 Annex D */

struct media_config *media_config_ref(struct media_config *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void media_config_unref(struct media_config *c)
{
    if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        gb_put(c->alloc, c);
}

/* --- blocks ------------------------------------------------------------------ */

#define FRAME_ALIGN _Alignof(max_align_t) /* as the heap aligns */

struct media_block {
    atomic_uint refs; /* frames, and the room while it is open */
    const struct gb_alloc *alloc;
    size_t used;
    _Alignas(FRAME_ALIGN) uint8_t bytes[];
};

static void block_unref(struct media_block *b)
{
    if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
        gb_put(b->alloc, b);
}

static struct media_block *block_new(const struct gb_alloc *alloc)
{
    struct media_block *b = gb_get_raw(alloc, MEDIA_BLOCK_BYTES);

    if (!b)
        return NULL;
    atomic_init(&b->refs, 1);
    b->alloc = alloc;
    b->used = 0;
    return b;
}

void media_room_init(struct media_room *r, const struct gb_alloc *alloc,
                     const struct gb_alloc *blocks)
{
    *r = (struct media_room){ .alloc = alloc, .blocks = blocks,
                              .largest = MEDIA_BLOCK_FRAME };
}

void media_room_fini(struct media_room *r)
{
    block_unref(r->open);
    r->open = NULL;
}

static void *room_take(struct media_room *r, size_t n)
{
    size_t cap = MEDIA_BLOCK_BYTES - sizeof(*r->open);
    uint8_t *p;

    n = (n + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN;
    if (!r->open || n > cap - r->open->used) {
        struct media_block *b = block_new(r->blocks);

        if (!b)
            return NULL;
        block_unref(r->open);
        r->open = b;
    }
    p = r->open->bytes + r->open->used;
    r->open->used += n;
    atomic_fetch_add_explicit(&r->open->refs, 1, memory_order_relaxed);
    return p;
}

/* --- frames ------------------------------------------------------------------ */

static struct media_frame *begin(struct media_frame *f,
                                 const struct gb_alloc *alloc, size_t n,
                                 struct media_block *b)
{
    if (!f)
        return NULL;
    *f = (struct media_frame){ .alloc = alloc, .block = b, .n = n };
    atomic_init(&f->refs, 1);
    return f;
}

struct media_frame *media_frame_new(const struct gb_alloc *alloc, size_t n)
{
    return begin(gb_get_raw(alloc, sizeof(struct media_frame) + n), alloc, n,
                 NULL);
}

struct media_frame *media_room_frame(struct media_room *r, size_t n)
{
    struct media_frame *f;

    if (n >= r->largest)
        return media_frame_new(r->alloc, n);
    f = room_take(r, sizeof(*f) + n);
    return begin(f, r->alloc, n, r->open);
}

struct media_frame *media_frame_ref(struct media_frame *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

static void frame_free(struct media_frame *f)
{
    if (f->block)
        block_unref(f->block);
    else
        gb_put(f->alloc, f);
}

void media_frame_unref(struct media_frame *f)
{
    if (f && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1)
        frame_free(f);
}

/* A place in the concatenation of the pieces; moves forward cheaply. */
struct cursor {
    size_t i, base; /* piece, and the offset of its first byte */
};

static bool copy_at(const struct ps_au *au, struct cursor *c, size_t off,
                    size_t n, uint8_t *dst)
{
    if (off < c->base)
        *c = (struct cursor){ 0, 0 };
    while (n) {
        const struct ps_piece *p;
        size_t in, take;

        if (c->i == au->n_pieces)
            return false;
        p = &au->piece[c->i];
        in = off - c->base;
        if (in >= p->n) {
            c->base += p->n;
            c->i++;
            continue;
        }
        take = p->n - in < n ? p->n - in : n;
        prefetch_room(dst, take); /* far memory: all lines at once */
        memcpy(dst, p->p + in, take);
        dst += take;
        off += take;
        n -= take;
    }
    return true;
}

bool media_au_copy(const struct ps_au *au, size_t off, size_t n, uint8_t *dst)
{
    struct cursor c = { 0, 0 };

    return copy_at(au, &c, off, n, dst);
}

static bool is_kept(const struct ps_au *au, const struct ps_nal *nal,
                    struct cursor *c)
{
    bool h264 = au->codec == PS_CODEC_H264;
    uint32_t type_at = h264 ? 1 : 2;
    uint8_t sei;

    if (nal->len <= type_at)
        return false;
    if (h264 ? nal->type == H264_NAL_SEI : nal->type >= H265_NAL_SEI)
        return copy_at(au, c, nal->off + (size_t)type_at, 1, &sei) &&
               sei == SEI_RECOVERY_POINT &&
               (h264 || h265_nal_is_kept(nal->type));
    return h264 ? h264_nal_is_kept(nal->type) : h265_nal_is_kept(nal->type);
}

static bool is_picture(const struct ps_au *au, uint8_t type)
{
    return au->codec == PS_CODEC_H264 ? type <= H264_NAL_IDR
                                      : type <= H265_NAL_VCL_LAST;
}

static size_t kept_bytes(const struct ps_au *au, bool *picture)
{
    struct cursor c = { 0, 0 };
    size_t sum = 0;

    *picture = false;
    for (size_t i = 0; i < au->n_nals; i++)
        if (is_kept(au, &au->nal[i], &c)) {
            sum += 4 + (size_t)au->nal[i].len;
            *picture = *picture || is_picture(au, au->nal[i].type);
        }
    return sum;
}

static bool is_in_bounds(const struct ps_au *au)
{
    for (size_t i = 0; i < au->n_nals; i++)
        if (au->nal[i].len > PS_MAX_AU_BYTES ||
            (uint64_t)au->nal[i].off + au->nal[i].len > au->bytes)
            return false;
    return au->n_nals <= PS_MAX_NALS;
}

static void put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

int media_room_au(struct media_frame **out, struct media_room *r,
                  const struct ps_au *au)
{
    struct cursor look = { 0, 0 }, copy = { 0, 0 };
    struct media_frame *f;
    uint8_t *at;
    bool picture;
    size_t n;

    if (!is_in_bounds(au))
        return GB_ESYNTAX;
    n = kept_bytes(au, &picture);
    if (!picture)
        return GB_ENOENT;
    f = media_room_frame(r, n);
    if (!f)
        return GB_ENOMEM;
    f->track = MEDIA_VIDEO;
    f->codec = au->codec;
    f->key = au->key;
    f->discontinuity = au->discontinuity || au->corrupt;
    at = f->data;
    for (size_t i = 0; i < au->n_nals; i++) {
        const struct ps_nal *nal = &au->nal[i];

        if (!is_kept(au, nal, &look))
            continue;
        if (au->codec == PS_CODEC_H265 && (nal->type == H265_NAL_RASL_N ||
                                           nal->type == H265_NAL_RASL_R))
            f->leading = !au->key;
        put_be32(at, nal->len);
        if (!copy_at(au, &copy, nal->off, nal->len, at + 4)) {
            media_frame_unref(f);
            return GB_ESYNTAX;
        }
        at += 4 + (size_t)nal->len;
    }
    *out = f;
    return 0;
}

int media_frame_of_au(struct media_frame **out, const struct gb_alloc *alloc,
                      const struct ps_au *au)
{
    struct media_room alone = { .alloc = alloc };

    return media_room_au(out, &alone, au);
}
