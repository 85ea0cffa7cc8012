#include "ps/dump.h"

#include "ps/annexb.h"
#include "ps/demux.h"
#include "ps/pes.h"

static unsigned long long ull(uint64_t v)
{
    return v;
}

static void dump_pack(struct writer *w, const struct ps_pack *pack)
{
    if (pack->size == PS_PREFIX_BYTES) {
        writer_str(w, "pack bare\n");
        return;
    }
    writer_f(w, "pack%s scr %llu.%u rate %u stuffing %u\n",
             pack->mpeg1 ? " mpeg1" : "", ull(pack->scr90k), pack->ext,
             pack->rate,
             pack->mpeg1 ? 0u : (unsigned)pack->size - PS_PACK_BYTES);
}

static void dump_map(struct writer *w, const struct ps_map *map)
{
    writer_f(w, "map version %u%s", map->version,
             map->current ? "" : " next");
    for (size_t i = 0; i < map->n; i++)
        writer_f(w, " %02x:%02x%s", map->entry[i].id, map->entry[i].type,
                 map->entry[i].encrypted ? "(encrypted)" : "");
    writer_char(w, '\n');
}

static void dump_pes(struct writer *w, uint8_t id, const struct ps_pes *pes)
{
    writer_f(w, "pes %02x length %u header %u", id, pes->length, pes->size);
    if (pes->has_pts)
        writer_f(w, " pts %llu", ull(pes->pts90k));
    if (pes->has_dts)
        writer_f(w, " dts %llu", ull(pes->dts90k));
    if (pes->scrambling)
        writer_f(w, " scrambled %u", pes->scrambling);
    writer_char(w, '\n');
}

/* One element at the begin of p, which starts with 00 00 01; bytes of it, or
 * 0 when it is none or is cut. */
static size_t dump_element(struct writer *w, const uint8_t *p, size_t n)
{
    size_t length = n < PS_LEN_BYTES ? 0 : (size_t)p[4] << 8 | p[5], need;
    size_t size = PS_LEN_BYTES + length;
    uint8_t id = p[3];
    struct ps_pack pack;
    struct ps_map map;
    struct ps_pes pes;

    if (id == PS_ID_END) {
        writer_str(w, "end\n");
        return PS_PREFIX_BYTES;
    }
    if (id == PS_ID_PACK) {
        if (ps_pack_decode(&pack, p, n, &need))
            return 0;
        dump_pack(w, &pack);
        return pack.size;
    }
    if (id < PS_ID_END || n < size)
        return 0;
    if (id == PS_ID_MAP && !ps_map_decode(&map, p, n, &need)) {
        dump_map(w, &map);
        return size;
    }
    if (ps_id_is_audio(id) || ps_id_is_video(id)) {
        if (ps_pes_decode(&pes, p, n, &need))
            return 0;
        dump_pes(w, id, &pes);
        if (length)
            return size;
        return pes.size; /* unbounded: to the next PS prefix */
    }
    writer_f(w, "%s %02x length %zu\n",
             id == PS_ID_SYSTEM    ? "system"
             : id == PS_ID_PADDING ? "padding"
                                   : "other",
             id, length);
    return size;
}

static void dump_elements(struct writer *w, struct slice s)
{
    ps_scan_fn *scan = ps_scan_best();
    const uint8_t *p = (const uint8_t *)s.p;
    size_t at = 0;

    while (at < s.n) {
        size_t next = at + scan(p + at, s.n - at), used = 0;

        while (s.n - next >= PS_PREFIX_BYTES && p[next + 3] < PS_ID_END)
            next += 3 + scan(p + next + 3, s.n - next - 3);
        if (next > s.n)
            next = s.n;
        if (next > at)
            writer_f(w, "%08zx skip %zu\n", at, next - at);
        if (s.n - next >= PS_PREFIX_BYTES) {
            writer_f(w, "%08zx ", next);
            used = dump_element(w, p + next, s.n - next);
            if (!used)
                writer_f(w, "broken %02x\n", p[next + 3]);
        }
        at = next + (used ? used : PS_PREFIX_BYTES);
    }
}

static void on_stream(void *ctx, const struct ps_stream *s)
{
    static const char *const from[] = { "nothing", "map", "sdp", "bytes" };

    writer_f(ctx, "stream %02x type %02x %s by %s%s\n", s->stream_id,
             s->stream_type, ps_codec_name(s->codec), from[s->source],
             s->encrypted ? " encrypted" : "");
}

static void on_au(void *ctx, const struct ps_au *au)
{
    struct writer *w = ctx;

    writer_f(w, "au %02x %s%s%s%s", au->stream_id, ps_codec_name(au->codec),
             au->key ? " key" : "", au->corrupt ? " corrupt" : "",
             au->discontinuity ? " discontinuity" : "");
    if (au->has_pts)
        writer_f(w, " pts %llu", ull(au->pts90k));
    if (au->has_dts)
        writer_f(w, " dts %llu", ull(au->dts90k));
    writer_f(w, " bytes %zu", au->bytes);
    for (size_t i = 0; i < au->n_nals; i++)
        writer_f(w, "%s%u@%u+%u", i ? " " : " nals ", au->nal[i].type,
                 au->nal[i].off, au->nal[i].len);
    writer_char(w, '\n');
}

static void dump_counters(struct writer *w, const struct ps_counters *c)
{
    writer_f(w, "packs %llu maps %llu pes %llu units %llu keys %llu\n",
             ull(c->packs), ull(c->psms), ull(c->pes), ull(c->aus),
             ull(c->keys));
    writer_f(w, "skipped %llu resyncs %llu corrupt %llu bad-headers %llu "
                "encrypted %llu\n",
             ull(c->skipped_bytes), ull(c->resyncs), ull(c->corrupt_aus),
             ull(c->bad_headers), ull(c->encrypted));
}

void ps_dump(struct writer *w, struct slice stream,
             const struct gb_alloc *alloc)
{
    static const struct ps_options opt = { .deliver_corrupt = true };
    struct ps_hooks hooks = { .on_au = on_au, .on_stream = on_stream,
                              .ctx = w };
    struct ps_counters count;
    struct ps_demux *d;

    dump_elements(w, stream);
    if (ps_demux_new(&d, alloc, &hooks, &opt)) {
        w->err = w->err ? w->err : GB_ENOMEM;
        return;
    }
    ps_demux_feed(d, (const uint8_t *)stream.p, stream.n,
                  &(struct ps_feed){ 0 });
    ps_demux_flush(d, true);
    ps_demux_counters(d, &count);
    ps_demux_free(d);
    dump_counters(w, &count);
}
