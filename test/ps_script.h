/* test/ps_script.h - program streams put together part by part, and what a
 * demuxer makes of them, cut in any way */
#ifndef TEST_PS_SCRIPT_H
#define TEST_PS_SCRIPT_H

#include "test/ps_record.h"
#include "test/support.h"

#include "ps/pes.h"

/* Places in the key frame packet of the reference session. */
#define SYSTEM_AT 14
#define MAP_AT 32
#define PES_AT 56
#define ES_AT 70

/* A stream being put together. */
static struct writer out;
static char out_bytes[1 << 20];

static inline void begin(void)
{
    out = writer_of(out_bytes, sizeof(out_bytes));
}

static inline void put(struct slice s)
{
    writer_slice_put(&out, s);
}

#define PUT(lit) put(SLICE(lit))

static inline struct slice done(void)
{
    assert_int_equal(out.err, 0);
    return writer_slice(&out);
}

static inline struct slice part(struct slice s, size_t from, size_t to)
{
    return slice_head(slice_from(s, from), to - from);
}

static inline void put_pes(uint8_t id, struct slice es, uint64_t pts)
{
    ps_pes_encode(&out, id, es.n, false, pts ? &pts : NULL);
    put(es);
}

static inline void put_pack(void)
{
    ps_pack_encode(&out, 86400, 6106);
}

static inline struct slice key_es(void)
{
    return slice_from(ps_vector[0], ES_AT);
}

static inline struct slice p_es(void)
{
    return slice_from(ps_vector[2], 28);
}

static struct ps_recorder rec;
static struct ps_counters count;

static inline const char *recorded(struct slice bytes, size_t n, bool packets,
                                   const struct ps_options *opt)
{
    struct ps_demux *d = ps_recorder_demux(&rec, opt);

    ps_feed_steps(d, &rec, bytes, n, packets);
    ps_demux_counters(d, &count);
    ps_demux_free(d);
    assert_int_equal(rec.text.err, 0);
    rec.buf[rec.text.len] = 0;
    return rec.buf;
}

/* Demuxes in steps of n; the text is valid until the next call. */
static inline const char *run(struct slice bytes, size_t n, bool packets,
                              const struct ps_options *opt)
{
    ps_recorder_init(&rec);
    return recorded(bytes, n, packets, opt);
}

/* The same, without what start codes make different. */
static inline const char *run_plain(struct slice bytes, size_t n, bool packets)
{
    ps_recorder_init(&rec);
    rec.plain = true;
    return recorded(bytes, n, packets, NULL);
}

static inline void expect(const char *name, size_t cut, const char *got,
                          const char *want)
{
    if (strcmp(got, want) != 0)
        fail_msg("%s, cut %zu:\n--- got\n%s--- want\n%s", name, cut, got,
                 want);
}

/* Whole, and cut into pieces of every size up to 40, as a file and as
 * packets: always the same. */
static inline void expect_any_cut(const char *name, struct slice bytes,
                                  const struct ps_options *opt,
                                  const char *want)
{
    for (size_t n = 0; n <= 40; n++)
        expect(name, n, run(bytes, n, false, opt), want);
    for (size_t n = 0; n <= 40; n++)
        expect(name, n, run(bytes, n, true, opt), want);
}

static inline void put_rest(void)
{
    put(ps_vector[1]);
    put(ps_vector[2]);
}
#endif
