#include "app/media/params.h"
#include "app/media/h264.h"
#include "app/media/h265.h"

enum kind { VPS, SPS, PPS, KINDS };

#define RECORD_HEAD 64 /* avcC or hvcC without the parameter sets' bytes */

struct entry {
    char *nal; /* NULL: free */
    size_t n;
    enum kind kind;
    uint32_t id;
    uint64_t stamp; /* when it came; the newest SPS is the active one */
};

struct params {
    const struct gb_alloc *alloc;
    enum ps_codec codec;
    uint64_t stamp;
    struct entry entry[MEDIA_MAX_PARAMS];
    uint8_t scratch[MEDIA_MAX_PARAM_BYTES];
};

/* Of each kind; their sum is MEDIA_MAX_PARAMS. */
static const uint8_t max_of[KINDS] = { 2, 2, 8 };
_Static_assert(MEDIA_MAX_PARAMS == 2 + 2 + 8, "max_of fills the entries");

int params_new(struct params **out, const struct gb_alloc *alloc,
               enum ps_codec codec)
{
    struct params *p;

    if (codec != PS_CODEC_H264 && codec != PS_CODEC_H265)
        return GB_EUNSUPPORTED;
    p = gb_get(alloc, sizeof(*p));
    if (!p)
        return GB_ENOMEM;
    p->alloc = alloc;
    p->codec = codec;
    *out = p;
    return 0;
}

void params_free(struct params *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < MEDIA_MAX_PARAMS; i++)
        gb_put(p->alloc, p->entry[i].nal);
    gb_put(p->alloc, p);
}

static int kind_of(const struct params *p, uint8_t type)
{
    if (p->codec == PS_CODEC_H264)
        return type == H264_NAL_SPS ? SPS : type == H264_NAL_PPS ? PPS : -1;
    return type == H265_NAL_VPS   ? VPS
           : type == H265_NAL_SPS ? SPS
           : type == H265_NAL_PPS ? PPS
                                  : -1;
}

static int id_of(const struct params *p, enum kind kind, struct slice nal,
                 uint32_t *id)
{
    struct h264_sps sps;
    uint32_t ignored;
    int err;

    if (p->codec == PS_CODEC_H265)
        return h265_param_id(nal, id);
    if (kind == PPS)
        return h264_pps_ids(nal, id, &ignored);
    err = h264_sps_parse(&sps, nal);
    if (!err)
        *id = sps.id;
    return err;
}

/* Where this one goes: its own place, a free one, or that of the oldest. */
static struct entry *place(struct params *p, enum kind kind, uint32_t id)
{
    struct entry *spare = NULL, *oldest = NULL;
    unsigned n = 0;

    for (size_t i = 0; i < MEDIA_MAX_PARAMS; i++) {
        struct entry *e = &p->entry[i];

        if (!e->nal) {
            spare = spare ? spare : e;
            continue;
        }
        if (e->kind != kind)
            continue;
        if (e->id == id)
            return e;
        n++;
        if (!oldest || e->stamp < oldest->stamp)
            oldest = e;
    }
    return n < max_of[kind] ? spare : oldest;
}

static bool take_one(struct params *p, enum kind kind, struct slice nal)
{
    struct entry *e;
    uint32_t id;
    char *copy;

    if (id_of(p, kind, nal, &id))
        return false;
    e = place(p, kind, id);
    if (e->nal && e->id == id && slice_eq(slice_of(e->nal, e->n), nal))
        return false;
    copy = gb_get(p->alloc, nal.n);
    if (!copy)
        return false; /* it comes again with the next key frame */
    memcpy(copy, nal.p, nal.n);
    gb_put(p->alloc, e->nal);
    *e = (struct entry){ copy, nal.n, kind, id, ++p->stamp };
    return true;
}

bool params_take(struct params *p, const struct ps_au *au)
{
    bool changed = false;

    for (size_t i = 0; i < au->n_nals; i++) {
        const struct ps_nal *nal = &au->nal[i];
        int kind = kind_of(p, nal->type);

        if (kind < 0 || nal->len > sizeof(p->scratch) ||
            !media_au_copy(au, nal->off, nal->len, p->scratch))
            continue;
        if (take_one(p, (enum kind)kind,
                     slice_of((const char *)p->scratch, nal->len)))
            changed = true;
    }
    return changed;
}

/* All of one kind, SPS newest first, the others by id. */
static uint8_t collect(const struct params *p, enum kind kind,
                       struct slice *out)
{
    const struct entry *e[MEDIA_MAX_PARAMS];
    uint8_t n = 0;

    for (size_t i = 0; i < MEDIA_MAX_PARAMS; i++) {
        uint8_t at = n;

        if (!p->entry[i].nal || p->entry[i].kind != kind)
            continue;
        for (; at && (kind == SPS ? e[at - 1]->stamp < p->entry[i].stamp
                                  : e[at - 1]->id > p->entry[i].id);
             at--)
            e[at] = e[at - 1];
        e[at] = &p->entry[i];
        n++;
    }
    for (uint8_t i = 0; i < n; i++)
        out[i] = slice_of(e[i]->nal, e[i]->n);
    return n;
}

struct set {
    struct slice vps[MEDIA_MAX_PARAMS], sps[MEDIA_MAX_PARAMS],
        pps[MEDIA_MAX_PARAMS];
    uint8_t n_vps, n_sps, n_pps;
    size_t bytes;
};

static bool collect_all(const struct params *p, struct set *s)
{
    s->n_vps = collect(p, VPS, s->vps);
    s->n_sps = collect(p, SPS, s->sps);
    s->n_pps = collect(p, PPS, s->pps);
    s->bytes = RECORD_HEAD;
    for (size_t i = 0; i < MEDIA_MAX_PARAMS; i++)
        s->bytes += p->entry[i].nal ? 2 * p->entry[i].n + 2 : 0;
    return s->n_sps && s->n_pps && (s->n_vps || p->codec == PS_CODEC_H264);
}

static int describe_h264(struct media_config *c, const struct set *s,
                         struct writer *record, struct writer *text)
{
    struct h264_sps sps;
    int err = h264_sps_parse(&sps, s->sps[0]);

    if (err)
        return err;
    c->width = sps.width;
    c->height = sps.height;
    c->fps_num = sps.fps_num;
    c->fps_den = sps.fps_den;
    c->reorder = sps.reorder;
    h264_avcc_write(record, s->sps, s->n_sps, s->pps, s->n_pps);
    h264_codec_string(text, s->sps[0]);
    return 0;
}

static int describe_h265(struct media_config *c, const struct set *s,
                         struct writer *record, struct writer *text)
{
    struct h265_sps sps;
    int err = h265_sps_parse(&sps, s->sps[0]);

    if (err)
        return err;
    c->width = sps.width;
    c->height = sps.height;
    c->fps_num = sps.fps_num;
    c->fps_den = sps.fps_den;
    c->reorder = sps.reorder;
    h265_hvcc_write(record, &sps, s->vps, s->n_vps, s->sps, s->n_sps, s->pps,
                    s->n_pps);
    h265_codec_string(text, &sps);
    return 0;
}

static void keep(struct media_config *c, struct writer *w,
                 const struct slice *nal, uint8_t n)
{
    for (uint8_t i = 0; i < n; i++) {
        c->param[c->n_param++] = slice_of(w->p + w->len, nal[i].n);
        writer_slice_put(w, nal[i]);
    }
}

int params_config(struct params *p, uint32_t version,
                  struct media_config **out)
{
    struct media_config *c;
    struct writer w, text;
    struct set s;
    int err;

    if (!collect_all(p, &s))
        return GB_EAGAIN;
    c = gb_get(p->alloc, sizeof(*c) + s.bytes);
    if (!c)
        return GB_ENOMEM;
    atomic_init(&c->refs, 1);
    c->alloc = p->alloc;
    c->codec = p->codec;
    c->version = version;
    w = writer_of(c->bytes, s.bytes);
    text = writer_of(c->codec_string, sizeof(c->codec_string) - 1);
    err = p->codec == PS_CODEC_H264 ? describe_h264(c, &s, &w, &text)
                                    : describe_h265(c, &s, &w, &text);
    c->record = writer_slice(&w);
    keep(c, &w, s.vps, s.n_vps);
    keep(c, &w, s.sps, s.n_sps);
    keep(c, &w, s.pps, s.n_pps);
    c->n_vps = s.n_vps;
    c->n_sps = s.n_sps;
    c->n_pps = s.n_pps;
    if (!err)
        err = w.err ? w.err : text.err;
    if (err) {
        media_config_unref(c);
        return err;
    }
    *out = c;
    return 0;
}

bool params_are_none(const struct params *p)
{
    return p->stamp == 0;
}

/* ---- kept sets ---- */

struct kept_sets {
    atomic_uint refs;
    const struct gb_alloc *alloc;
    enum ps_codec codec;
    uint8_t n_param, n_vps, n_sps;
    uint16_t len[MEDIA_MAX_PARAMS];
    char bytes[]; /* as in the configuration: VPS, SPS, PPS */
};

struct kept_sets *kept_sets_new(const struct gb_alloc *alloc,
                                const struct media_config *c)
{
    size_t n = 0;
    struct kept_sets *k;

    for (uint8_t i = 0; i < c->n_param; i++)
        n += c->param[i].n;
    if (n > KEPT_SETS_BYTES)
        n = 0;
    k = gb_get(alloc, sizeof(*k) + n);
    if (!k)
        return NULL;
    atomic_init(&k->refs, 1);
    k->alloc = alloc;
    k->codec = c->codec;
    k->n_param = n ? c->n_param : 0;
    k->n_vps = c->n_vps;
    k->n_sps = c->n_sps;
    n = 0;
    for (uint8_t i = 0; i < k->n_param; i++) {
        memcpy(k->bytes + n, c->param[i].p, c->param[i].n);
        k->len[i] = (uint16_t)c->param[i].n;
        n += c->param[i].n;
    }
    return k;
}

bool kept_sets_are_none(const struct kept_sets *k)
{
    return k->n_param == 0;
}

struct kept_sets *kept_sets_ref(struct kept_sets *k)
{
    if (k)
        atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    return k;
}

void kept_sets_unref(struct kept_sets *k)
{
    if (k && atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) == 1)
        gb_put(k->alloc, k);
}

/* The newest SPS is the active one, so it comes last. */
static void take_kept(struct params *p, const struct kept_sets *k)
{
    size_t end = 0;

    for (uint8_t i = 0; i < k->n_param; i++)
        end += k->len[i];
    for (uint8_t i = k->n_param; i-- > 0;) {
        enum kind kind = i < k->n_vps              ? VPS
                         : i < k->n_vps + k->n_sps ? SPS
                                                   : PPS;

        end -= k->len[i];
        take_one(p, kind, slice_of(k->bytes + end, k->len[i]));
    }
}

int kept_sets_config(const struct kept_sets *k, const struct gb_alloc *alloc,
                     enum ps_codec codec, uint32_t version,
                     struct media_config **out)
{
    struct params *p;
    int err;

    if (k->codec != codec)
        return GB_EUNSUPPORTED;
    err = params_new(&p, alloc, codec);
    if (err)
        return err;
    take_kept(p, k);
    err = params_config(p, version, out);
    params_free(p);
    return err;
}
