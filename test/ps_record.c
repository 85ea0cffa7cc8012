#include "test/ps_record.h"

#include "ps/mux.h"
#include "test/support.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

#define V(lit) { (lit), sizeof(lit) - 1 }

const struct slice ps_vector[3] = {
    V("\x00\x00\x01\xba\x44\x00\x16\x8c\x04\x01\x00\x5f\x6b\xf8"
      "\x00\x00\x01\xbb\x00\x0c\x80\xcc\xf5\x04\xe1\x7f\xe0\xe1\x90\xc0\xc0"
      "\x20\x00\x00\x01\xbc\x00\x12\xe1\xff\x00\x00\x00\x08\x1b\xe0\x00\x00"
      "\x90\xc0\x00\x00\xb9\x28\x7f\x16\x00\x00\x01\xe0\x00\x43\x84\x80\x05"
      "\x21\x00\x05\xbf\x21\x00\x00\x00\x01\x67\x42\xc0\x0a\xd9\x04\x7b\x01"
      "\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x22\x64\x80\x00\x00"
      "\x00\x01\x68\xcb\x83\xcb\x20\x00\x00\x00\x01\x65\x88\x84\x0b\xf2\x62"
      "\x80\x00\xab\xcc\x9c\x9c\x9d\x75\xd7\x5d\x75\xd7\x5e"),
    V("\x00\x00\x01\xba\x44\x00\x16\xfc\x84\x01\x00\x5f\x6b\xf8\x00\x00\x01"
      "\xc0\x00\x18\x80\x80\x05\x21\x00\x05\xbf\x21\xd5\xd5\xd5\xd5\xd5\xd5"
      "\xd5\xd5\xd5\xd5\xd5\xd5\xd5\xd5\xd5\xd5"),
    V("\x00\x00\x01\xba\x44\x00\x16\xfc\x84\x01\x00\x5f\x6b\xf8\x00\x00\x01"
      "\xe0\x00\x12\x84\x80\x05\x21\x00\x05\xdb\x41\x00\x00\x00\x01\x41\x9a"
      "\x38\x15\xe3\x60"),
};

/* Audio comes first: a video unit waits for its successor. */
const char ps_vector_text[] =
    "au c0 g711a pts=90000 16 bytes crc=bf3bfe61\n"
    "au e0 h264 key pts=90000 nals 7:23 8:5 5:19 crc=6343830c\n"
    "au e0 h264 pts=93600 nals 1:6 crc=6e625c11\n";

/* A buffer that was fed: freed when it is neither held nor being fed. */
struct fed {
    struct ps_recorder *r;
    unsigned holds;
    bool feeding;
    unsigned char *p;
};

static void drop_fed(struct fed *f)
{
    if (f->holds || f->feeding)
        return;
    free(f->p);
    free(f);
}

static void on_hold(void *ctx, void *buf)
{
    struct ps_recorder *r = ctx;
    struct fed *f = buf;

    if (f->holds++ || !f->feeding)
        fail_msg("held twice, or not while fed");
    if (++r->held > r->held_max)
        r->held_max = r->held;
}

static void on_release(void *ctx, void *buf)
{
    struct ps_recorder *r = ctx;
    struct fed *f = buf;

    if (!f->holds || !r->held)
        fail_msg("released, but not held");
    f->holds--;
    r->held--;
    drop_fed(f);
}

/* Everything an access unit says must agree with its bytes. */
static unsigned char *join(const struct ps_au *au)
{
    unsigned char *p = malloc(au->bytes ? au->bytes : 1);
    size_t at = 0;

    assert_non_null(p);
    for (size_t i = 0; i < au->n_pieces; i++) {
        if (!au->piece[i].n || at + au->piece[i].n > au->bytes)
            fail_msg("piece %zu of %zu bytes", i, au->piece[i].n);
        memcpy(p + at, au->piece[i].p, au->piece[i].n);
        at += au->piece[i].n;
    }
    assert_int_equal(at, au->bytes);
    for (size_t i = 0; i < au->n_nals; i++) {
        const struct ps_nal *n = &au->nal[i];
        static const unsigned char start[3] = { 0, 0, 1 };

        if (n->off < 3 || !n->len || n->off + (size_t)n->len > au->bytes ||
            (memcmp(p + n->off - 3, start, 3) != 0 &&
             (n->off < 4 || bytes_be32_at(p + n->off - 4) != n->len)))
            fail_msg("NAL unit %zu at %u, %u bytes", i, n->off, n->len);
    }
    return p;
}

static void write_times(struct writer *w, const struct ps_au *au, bool plain)
{
    if (au->has_pts)
        writer_f(w, " pts=%llu", (unsigned long long)au->pts90k);
    if (au->has_dts)
        writer_f(w, " dts=%llu", (unsigned long long)au->dts90k);
    if (plain)
        return;
    writer_f(w, " rtp=%u%s%s", au->rtp_ts, au->corrupt ? " corrupt" : "",
             au->discontinuity ? " discontinuity" : "");
}

static void on_au(void *ctx, const struct ps_au *au)
{
    struct ps_recorder *r = ctx;
    struct writer *w = &r->text;
    unsigned char *p = join(au);
    uint32_t crc = 0;

    r->n_aus++;
    if (r->wait_key && (au->stream_id & 0xf0) == 0xe0 && !au->key)
        goto out;
    r->wait_key = r->wait_key && !((au->stream_id & 0xf0) == 0xe0);
    writer_f(w, "au %02x %s%s", au->stream_id, ps_codec_name(au->codec),
             au->key ? " key" : "");
    write_times(w, au, r->plain);
    if (au->n_nals) {
        writer_str(w, " nals");
        for (size_t i = 0; i < au->n_nals; i++) {
            writer_f(w, " %u:%u", au->nal[i].type, au->nal[i].len);
            crc = crc * 31 + ps_crc32(p + au->nal[i].off, au->nal[i].len);
        }
    } else {
        crc = ps_crc32(p, au->bytes);
    }
    if (!r->plain || !au->n_nals)
        writer_f(w, " %zu bytes", au->bytes);
    writer_f(w, " crc=%08x\n", crc);
out:
    free(p);
}

static void on_stream(void *ctx, const struct ps_stream *s)
{
    static const char *const from[] = { "nothing", "psm", "sdp", "bytes" };
    struct ps_recorder *r = ctx;

    if (r->streams)
        writer_f(&r->text, "stream %02x type %02x %s from %s%s\n",
                 s->stream_id, s->stream_type, ps_codec_name(s->codec),
                 from[s->source], s->encrypted ? " encrypted" : "");
}

void ps_recorder_init(struct ps_recorder *r)
{
    memset(r, 0, sizeof(*r));
    r->text = writer_of(r->buf, sizeof(r->buf) - 1);
    r->plain = true;
    r->hooks = (struct ps_hooks){ on_au, on_stream, on_hold, on_release, r };
}

struct ps_demux *ps_recorder_demux(struct ps_recorder *r,
                                   const struct ps_options *opt)
{
    struct ps_demux *d;

    assert_int_equal(ps_demux_new(&d, &gb_alloc_heap, &r->hooks, opt), 0);
    return d;
}

void ps_feed_one(struct ps_demux *d, struct ps_recorder *r,
                 struct slice bytes, bool packet)
{
    struct fed *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->r = r;
    f->feeding = true;
    f->p = malloc(bytes.n ? bytes.n : 1); /* a sanitizer sees both ends */
    assert_non_null(f->p);
    memcpy(f->p, bytes.p, bytes.n);
    ps_demux_feed(d, f->p, bytes.n,
                  &(struct ps_feed){ .buf = f, .packet = packet });
    f->feeding = false;
    drop_fed(f);
}

void ps_feed_steps(struct ps_demux *d, struct ps_recorder *r,
                   struct slice bytes, size_t n, bool packets)
{
    while (bytes.n) {
        size_t k = n && n < bytes.n ? n : bytes.n;

        ps_feed_one(d, r, slice_head(bytes, k), packets);
        bytes = slice_from(bytes, k);
    }
    ps_demux_flush(d, true);
    if (r->held)
        fail_msg("%zu buffers are still held at the end", r->held);
}
