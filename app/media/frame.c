#include "app/media/frame.h"
#include "app/media/h264.h"
#include "app/media/h265.h"

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

struct media_frame *media_frame_new(const struct gb_alloc *alloc, size_t n)
{
    struct media_frame *f = gb_get(alloc, sizeof(*f) + n);

    if (!f)
        return NULL;
    atomic_init(&f->refs, 1);
    f->alloc = alloc;
    f->n = n;
    return f;
}

struct media_frame *media_frame_ref(struct media_frame *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void media_frame_unref(struct media_frame *f)
{
    if (f && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1)
        gb_put(f->alloc, f);
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

int media_frame_of_au(struct media_frame **out, const struct gb_alloc *alloc,
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
    f = media_frame_new(alloc, n);
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
            f->leading = true;
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
