/* HLS as a machine: the input is a script of pictures, sounds, times and
 * questions. A playlist never breaks its word: the target duration stays, numbers
 * follow each other and do not go back, every file it names is there and begins
 * as it should; memory stays within its limits and comes back. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "app/media/hls.h"
#include "fuzz/memory.h"

#define STEPS_MAX 4000u
#define FRAMES_MAX 250u       /* pictures of a run: enough to fill the ring */
#define FRAMES_MAX_LONG 4000u /* where the first byte asks for it: a segment */
#define LONG_RUN 0xb          /* its high bits then */

static const struct slice parts[] = {
    SLICE_INIT("\0\0\1\x67\x42\xC0\x0A\xD9\x04\x7B\x01\x10\x00\x00\x03\x00\x10"
               "\x00\x00\x03\x03\x20\xF1\x22\x64\x80"),
    SLICE_INIT("\0\0\1\x67\x4D\x40\x1F\xD9\x00\x50\x05\xBB\x01\x10\x00\x00\x03"
               "\x00\x10\x00\x00\x03\x03\x20\xF1\x83\x24\x80"),
    SLICE_INIT("\0\0\1\x68\xCB\x83\xCB\x20"),
    SLICE_INIT("\0\0\1\x65\x88\x84\x0B\xF2\x62\x80\x00\xAB\xCC"),
    SLICE_INIT("\0\0\1\x41\x9A\x38\x15\xE3\x60"),
};

static void put_nal(struct ps_au *au, uint8_t *buf, struct ps_nal *nal,
                    const struct slice *p)
{
    memcpy(buf + au->bytes, p->p, p->n);
    nal[au->n_nals++] = (struct ps_nal){ .off = (uint32_t)au->bytes + 3,
                                         .len = (uint32_t)p->n - 3,
                                         .type = (uint8_t)p->p[3] & 31 };
    au->bytes += p->n;
}

static void picture(struct hub *h, bool key, bool other, uint64_t pts90k,
                    uint64_t now_ms)
{
    uint8_t buf[256];
    struct ps_nal nal[4];
    struct ps_piece piece = { .p = buf };
    struct ps_au au = { .codec = PS_CODEC_H264, .key = key, .has_pts = true,
                        .pts90k = pts90k & 0x1ffffffff, .piece = &piece,
                        .n_pieces = 1, .nal = nal };

    if (key) {
        put_nal(&au, buf, nal, &parts[other]);
        put_nal(&au, buf, nal, &parts[2]);
    }
    put_nal(&au, buf, nal, &parts[key ? 3 : 4]);
    piece.n = au.bytes;
    hub_au(h, &au, now_ms);
}

static void sound(struct hub *h, enum ps_codec codec, size_t n,
                  uint64_t pts90k, uint64_t now_ms)
{
    static const uint8_t pcm[256];
    struct ps_piece piece = { .p = pcm, .n = n };
    struct ps_au au = { .codec = codec, .has_pts = true,
                        .pts90k = pts90k & 0x1ffffffff, .piece = &piece,
                        .n_pieces = 1, .bytes = n };

    hub_au(h, &au, now_ms);
}

static uint64_t number_at(const char *p)
{
    uint64_t v = 0;
    size_t n = 0;

    while (p[n] >= '0' && p[n] <= '9')
        n++;
    slice_u64(slice_of(p, n), UINT64_MAX, &v);
    return v;
}

static uint64_t number_behind(const char *text, const char *name)
{
    const char *p = strstr(text, name);

    return p ? number_at(p + strlen(name)) : 0;
}

static void expect_box(struct hls_part *p, const char *type)
{
    struct media_iov iov;

    if (!p || hls_part_iov(p, &iov, 1) != 1 || iov.len < 8 ||
        memcmp(iov.base + 4, type, 4) != 0)
        abort();
}

static uint32_t be32_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* The bytes of its samples; none lasts longer than time can go on. */
static uint32_t take_run(const uint8_t *traf, uint32_t n_traf)
{
    const uint8_t *trun = traf + 8 + 16 + 20;
    uint32_t n = be32_at(trun + 12), bytes = 0;

    if (memcmp(trun + 4, "trun", 4) != 0 || n == 0 ||
        n_traf != 8 + 16 + 20 + 20 + 16 * n)
        abort();
    for (uint32_t i = 0; i < n; i++) {
        if (be32_at(trun + 20 + 16 * i) > UINT32_MAX / 2)
            abort();
        bytes += be32_at(trun + 24 + 16 * i);
    }
    return bytes;
}

/* One fragment of at most two runs, whose samples are all that is in it. */
static void expect_fragment(struct hls_part *p)
{
    static struct media_iov iov[(HLS_SEGMENT_FRAMES + 1) * MEDIA_CHUNK_IOVS];
    size_t n = hls_part_iov(p, iov, sizeof(iov) / sizeof(*iov)), sum = 0;
    const uint8_t *m = (const uint8_t *)iov[0].base;
    uint32_t moof = be32_at(m), at = 24, bytes = 0;

    for (size_t i = 0; i < n; i++)
        sum += iov[i].len;
    for (unsigned runs = 0; at < moof; runs++) {
        uint32_t n_traf = be32_at(m + at);

        if (runs == 2 || memcmp(m + at + 4, "traf", 4) != 0 ||
            be32_at(m + at + 8 + 16 + 20 + 16) != moof + 8 + bytes)
            abort();
        bytes += take_run(m + at, n_traf);
        at += n_traf;
    }
    if (at != moof || iov[0].len != moof + 8 ||
        be32_at(m + moof) != 8 + bytes || sum != moof + 8 + bytes ||
        sum != p->bytes || p->n_chunks > HLS_SEGMENT_FRAMES + 1)
        abort();
}

static struct {
    uint64_t target, first, disc;
    uint64_t read; /* segments below this have been looked at */
} last;

static void check(struct hls *h)
{
    static char text[HLS_PLAYLIST_MAX + 1];
    struct writer w = writer_of(text, sizeof(text) - 1);
    uint64_t target, first, disc, i = 0;

    if (hls_bytes(h) > HLS_RING_BYTES + HLS_SEGMENT_BYTES)
        abort();
    if (!hls_is_ready(h))
        return;
    hls_playlist_write(h, &w, SLICE("t=x"));
    if (w.err)
        abort();
    text[w.len] = '\0';
    target = number_behind(text, "#EXT-X-TARGETDURATION:");
    first = number_behind(text, "#EXT-X-MEDIA-SEQUENCE:");
    disc = number_behind(text, "#EXT-X-DISCONTINUITY-SEQUENCE:");
    if (target < HLS_TARGET_MIN_S || target > HLS_TARGET_MAX_S ||
        (last.target && target != last.target) || first < last.first ||
        disc < last.disc)
        abort();
    last.target = target;
    last.first = first;
    last.disc = disc;
    for (const char *p = text; (p = strstr(p, "#EXTINF:")) != NULL; p++, i++) {
        const char *url = strchr(p, '\n') + 1;

        if (memcmp(url, "seg_", 4) != 0 ||
            number_at(url + 4) != first + i)
            abort();
        expect_box(hls_segment(h, first + i), "moof");
        if (first + i >= last.read)
            expect_fragment(hls_segment(h, first + i));
    }
    last.read = first + i;
    if (i == 0)
        abort();
    for (const char *p = text; (p = strstr(p, "init_")) != NULL; p++)
        expect_box(hls_init(h, number_at(p + 5)), "ftyp");
}

static void on_segment(void *ctx)
{
    (void)ctx;
}

static void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    (void)v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hub_hooks hooks = { .on_wake = on_wake };
    struct gb_time now = { 1000, INT64_C(1700000000000) };
    uint64_t pts90k = 90000, now_ms = 1000;
    struct hls_part *kept = NULL;
    struct hls *h = NULL;
    struct hub *hub;
    size_t frames = size && data[0] >> 4 == LONG_RUN ? FRAMES_MAX_LONG
                                                     : FRAMES_MAX;

    memset(&last, 0, sizeof(last));
    memory_begin(size && data[0] >= 0xc0 ? data[0] - 0xbfu + 20 : 0);
    if (hub_new(&hub, &memory_alloc, &hooks, NULL)) {
        memory_end();
        return 0;
    }
    for (size_t i = 1; i < size && i < STEPS_MAX; i++) {
        uint8_t c = data[i];
        size_t n = c >> 6 == 0 ? (c & 31u) + 1 : 1;

        if (n > frames)
            break;
        frames -= c >> 6 == 0 || c >> 5 == 2 || c >> 5 == 7 ? n : 0;
        switch (c >> 5) {
        case 0: /* a run of pictures */
        case 1:
            picture(hub, true, c & 32, pts90k, now_ms);
            for (unsigned k = 0; k < (c & 31u); k++) {
                pts90k += 3600;
                now_ms += 40;
                picture(hub, false, false, pts90k, now_ms);
            }
            pts90k += 3600;
            now_ms += 40;
            break;
        case 2:
            sound(hub, c & 16 ? PS_CODEC_G711U : PS_CODEC_G711A,
                  (size_t)(c & 15) * 16, pts90k, now_ms);
            break;
        case 3:
            pts90k += (uint64_t)(c & 31) * 9000;
            now_ms += (c & 31) * 100u;
            break;
        case 4:
            if (!h && hls_new(&h, &memory_alloc, hub, now, on_segment, NULL))
                h = NULL;
            break;
        case 5:
            hls_part_unref(kept);
            kept = h && hls_segment(h, last.first)
                       ? hls_part_ref(hls_segment(h, last.first))
                       : NULL;
            break;
        case 6: /* a clock that jumps */
            pts90k += (uint64_t)(c & 31) << 20;
            break;
        case 7:
            picture(hub, false, false, pts90k, now_ms);
            pts90k += (c & 31) * 120u;
            break;
        }
        if (h && i % 32 == 0)
            check(h);
    }
    hub_end(hub);
    if (h)
        check(h);
    hls_free(h);
    hub_free(hub);
    if (kept)
        expect_box(kept, "moof");
    hls_part_unref(kept);
    memory_end();
    return 0;
}
