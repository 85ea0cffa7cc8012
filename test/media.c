#include "test/media.h"

#include <stdlib.h>

#include "app/media/params.h"
#include "test/support.h"

void au_maker_init(struct au_maker *m)
{
    *m = (struct au_maker){ 0 };
    m->bytes = malloc(AU_MAX_BYTES);
    assert_non_null(m->bytes);
}

void au_maker_fini(struct au_maker *m)
{
    free(m->bytes);
}

static void put(struct au_maker *m, const void *p, size_t n)
{
    assert_true(m->n + n <= AU_MAX_BYTES);
    if (n)
        memcpy(m->bytes + m->n, p, n);
    m->n += n;
}

/* Cuts the bytes into pieces of piece_bytes, the last one takes the rest. */
static struct ps_au *finish(struct au_maker *m, enum ps_codec codec,
                            uint64_t pts90k, size_t n_nals)
{
    size_t step = m->piece_bytes ? m->piece_bytes : m->n, off = 0, k = 0;

    while (off < m->n) {
        size_t take = m->n - off < step || k + 1 == COUNT(m->piece)
                          ? m->n - off
                          : step;

        m->piece[k++] = (struct ps_piece){ m->bytes + off, take, NULL };
        off += take;
    }
    m->au = (struct ps_au){ .codec = codec,
                            .stream_id =
                                ps_codec_is_video(codec) ? 0xe0 : 0xc0,
                            .has_pts = true,
                            .pts90k = pts90k,
                            .rtp_ts = (uint32_t)pts90k,
                            .piece = m->piece,
                            .n_pieces = k,
                            .bytes = m->n,
                            .nal = m->nal,
                            .n_nals = n_nals };
    return &m->au;
}

struct ps_au *au_video(struct au_maker *m, enum ps_codec codec, uint64_t pts90k,
                       const struct slice *nal, size_t n)
{
    struct ps_au *au;
    bool key = false;

    assert_true(n <= COUNT(m->nal));
    m->n = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t type = (uint8_t)nal[i].p[0];

        type = codec == PS_CODEC_H264 ? type & 31 : type >> 1 & 63;
        key = key || (codec == PS_CODEC_H264 ? type == 5
                                             : type >= 16 && type <= 23);
        put(m, "\0\0\0\1", 4);
        m->nal[i] = (struct ps_nal){ (uint32_t)m->n, (uint32_t)nal[i].n, type };
        put(m, nal[i].p, nal[i].n);
    }
    au = finish(m, codec, pts90k, n);
    au->key = key;
    return au;
}

struct ps_au *au_key(struct au_maker *m, uint64_t pts90k)
{
    static const struct slice nal[] = { S(AU_SPS), S(AU_PPS), S(AU_IDR) };

    return au_video(m, PS_CODEC_H264, pts90k, nal, COUNT(nal));
}

struct ps_au *au_delta(struct au_maker *m, uint64_t pts90k)
{
    static const struct slice nal[] = { S(AU_P) };

    return au_video(m, PS_CODEC_H264, pts90k, nal, COUNT(nal));
}

struct ps_au *au_sound(struct au_maker *m, enum ps_codec codec, uint64_t pts90k,
                       struct slice payload)
{
    m->n = 0;
    put(m, payload.p, payload.n);
    return finish(m, codec, pts90k, 0);
}

struct media_config *au_config(const struct ps_au *key)
{
    struct media_config *c = NULL;
    struct params *p;

    assert_int_equal(params_new(&p, &gb_alloc_heap, key->codec), 0);
    assert_true(params_take(p, key));
    assert_int_equal(params_config(p, 1, &c), 0);
    params_free(p);
    return c;
}

struct media_frame *au_frame(const struct ps_au *au, int64_t dts90k)
{
    struct media_frame *f;

    assert_int_equal(media_frame_of_au(&f, &gb_alloc_heap, au), 0);
    f->dts90k = f->pts90k = dts90k;
    return f;
}

struct media_frame *sound_frame(enum ps_codec codec, size_t n, int64_t dts90k)
{
    struct media_frame *f = media_frame_new(&gb_alloc_heap, n);

    assert_non_null(f);
    f->track = MEDIA_AUDIO;
    f->codec = codec;
    f->dts90k = f->pts90k = dts90k;
    memset(f->data, 0, n);
    return f;
}

size_t chunk_copy(char *out, struct media_chunk *c)
{
    struct media_iov v[MEDIA_CHUNK_IOVS];
    size_t k = media_chunk_iov(c, MEDIA_PLAIN, 0, v, COUNT(v)), n = 0;

    for (size_t i = 0; i < k; i++) {
        memcpy(out + n, v[i].base, v[i].len);
        n += v[i].len;
    }
    return n;
}
