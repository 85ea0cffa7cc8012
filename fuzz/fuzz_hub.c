/* The hub as a machine: the input is a script of access units, times, viewers
 * that come, go, read and stop. What a viewer gets must be whole tags or boxes,
 * times must not run back, references must balance. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "app/media/hub.h"
#include "fuzz/memory.h"

#define N_VIEWERS 6
#define MAX_STEPS 3000

/* A viewer, and a parser of the outermost layer of what it reads. */
struct viewer {
    struct hub_viewer v;
    size_t budget;
    uint8_t head[16]; /* of the element that is being read; of a tag with
                         two bytes of its data, which every tag has */
    size_t n_head;
    uint64_t left; /* bytes of it still to come */
    bool begun;
    uint32_t last_ms[2];
    /* fMP4 */
    uint8_t moof[96]; /* behind its size and type */
    size_t n_moof;
    bool in_moof, shown;
    uint64_t last[2]; /* time of each track */
};

static struct viewer viewer[N_VIEWERS];
static bool sound_alone; /* it began without pictures */

static void flv_head(struct viewer *v)
{
    const uint8_t *p = v->head;
    uint32_t ms = (uint32_t)p[7] << 24 | (uint32_t)p[4] << 16 |
                  (uint32_t)p[5] << 8 | p[6];

    if (p[0] != 8 && p[0] != 9 && p[0] != 18)
        abort();
    v->left = ((uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3]) + 2;
    if (p[0] == 18 || (p[0] == 9 && p[12] == 0) ||
        (p[0] == 8 && p[11] == 0xaf && p[12] == 0))
        return; /* metadata, sequence headers */
    if ((int32_t)(ms - v->last_ms[p[0] - 8]) < 0)
        abort();
    v->last_ms[p[0] - 8] = ms;
}

static uint64_t be_at(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    while (n--)
        v = v << 8 | *p++;
    return v;
}

/* The moof of one sample: pictures begin at 0, but behind sound that could not wait
 * for them, and no track's time goes back but where its timescale may be another. */
static void mp4_moof(struct viewer *v)
{
    uint64_t track = be_at(v->moof + 36, 4) - 1, dts = be_at(v->moof + 52, 8);

    if (track > 1 || dts < v->last[track] ||
        (track == 0 && !v->shown && dts && !sound_alone))
        abort();
    v->last[track] = dts;
    v->shown |= track == 0;
}

static void mp4_body(struct viewer *v, uint8_t c)
{
    v->moof[v->n_moof++] = c;
    if (v->n_moof < sizeof(v->moof))
        return;
    v->in_moof = false;
    mp4_moof(v);
}

static void mp4_head(struct viewer *v)
{
    static const char names[] = "ftypmoovmoofmdat";
    const uint8_t *p = v->head;
    uint32_t n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
                 (uint32_t)p[2] << 8 | p[3];
    size_t i;

    for (i = 0; i < 16 && memcmp(p + 4, names + i, 4) != 0; i += 4)
        ;
    if (i == 16 || n < 8)
        abort();
    v->left = n - 8;
    if (i == 0)
        v->last[1] = 0;
    v->in_moof = i == 8;
    v->n_moof = 0;
    if (v->in_moof && v->left != sizeof(v->moof))
        abort();
}

static void ts_head(struct viewer *v)
{
    if (v->head[0] != 0x47 || (v->head[3] & 0xd0) != 0x10)
        abort();
    v->left = 188 - 4;
}

/* "$", channel, length, and how a packet begins. */
static void rtp_head(struct viewer *v)
{
    const uint8_t *p = v->head;
    size_t n = (size_t)p[2] << 8 | p[3];

    if (p[0] != '$' || p[1] >= 4 || p[4] >> 6 != 2 || n < 12)
        abort();
    if ((p[1] & 1) != (p[5] >= 200 && p[5] <= 204))
        abort();
    v->left = n - 2;
}

/* One byte of a head. */
static void take(struct viewer *v, uint8_t c)
{
    enum hub_format f = v->v.opt.format;
    size_t want = f == HUB_FMP4 ? 8 : f == HUB_RTP ? 6
                  : f >= HUB_TS ? 4 : 13;

    v->head[v->n_head++] = c;
    if (v->n_head < want)
        return;
    v->n_head = 0;
    if (f == HUB_FMP4)
        mp4_head(v);
    else if (f == HUB_RTP)
        rtp_head(v);
    else if (f >= HUB_TS)
        ts_head(v);
    else if (v->begun)
        flv_head(v);
    else if (memcmp(v->head, "FLV\x01", 4) != 0)
        abort();
    v->begun = true;
}

static void take_all(struct viewer *v, const uint8_t *p, size_t n)
{
    memory_read(p, n);
    while (n) {
        size_t k = v->left < n ? (size_t)v->left : n;

        if (k == 0) {
            k = 1;
            take(v, *p);
        } else {
            v->left -= k;
            for (size_t i = 0; i < k && v->in_moof; i++)
                mp4_body(v, p[i]);
        }
        p += k;
        n -= k;
    }
}

static void pump(struct viewer *v)
{
    struct media_iov iov[5];
    size_t n;

    while (v->budget &&
           (n = hub_viewer_next(&v->v, iov, 5, v->budget & 1)) > 0) {
        size_t sum = 0;

        for (size_t i = 0; i < n; i++) {
            size_t k = iov[i].len < v->budget - sum ? iov[i].len
                                                    : v->budget - sum;

            take_all(v, (const uint8_t *)iov[i].base, k);
            sum += k;
        }
        v->budget -= sum;
        hub_viewer_consumed(&v->v, sum);
    }
    if (v->v.n_held == 0 && (v->left || v->n_head))
        abort(); /* an element was not finished */
}

static void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    pump(container_of(v, struct viewer, v));
}

static void on_sound_alone(void *ctx)
{
    (void)ctx;
    sound_alone = true;
}

struct script {
    const uint8_t *p, *end;
    uint64_t now_ms, pts90k;
};

static uint8_t next(struct script *s)
{
    return s->p < s->end ? *s->p++ : 0;
}

static const struct slice parts[] = {
    SLICE_INIT("\x67\x42\xC0\x0A\xD9\x04\x7B\x01\x10\x00\x00\x03\x00\x10\x00"
               "\x00\x03\x03\x20\xF1\x22\x64\x80"),
    SLICE_INIT("\x67\x4D\x40\x1F\xD9\x00\x50\x05\xBB\x01\x10\x00\x00\x03\x00"
               "\x10\x00\x00\x03\x03\x20\xF1\x83\x24\x80"),
    SLICE_INIT("\x68\xCB\x83\xCB\x20"),
    SLICE_INIT("\x65\x88\x84\x0B\xF2\x62\x80\x00\xAB\xCC"),
    SLICE_INIT("\x41\x9A\x38\x15\xE3\x60"),
    SLICE_INIT("\x06\x06\x01\x84"),
    SLICE_INIT("\x40\x01\x0C\x01\xFF\xFF\x01\x60\x00\x00\x03\x00\x90\x00\x00"
               "\x03\x00\x00\x03\x00\x1E\x92\x80\x90"),
    SLICE_INIT("\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00"
               "\x03\x00\x1E\xA0\x20\x81\x05\x96\x4A\x92\x4C\xAF\x01\x68\x08"
               "\x00\x00\x03\x00\x08\x00\x00\x03\x00\xC8\x40"),
    SLICE_INIT("\x44\x01\xC1\x72\xB4\x22\x40"),
    SLICE_INIT("\x2a\x01\xaf\x1d"),
    SLICE_INIT("\x12\x01\xd0\x09"),
    SLICE_INIT("\x02\x01\xD0\x09\x7E\x10"),
    SLICE_INIT("\xff\xf1\x60\x40\x01\x5f\xfc" "abc"),
    SLICE_INIT("\x00\x10\x00\x18" "abc"),
};

#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

/* An access unit of known parts and bytes of the script. */
static void access_unit(struct hub *h, struct script *s)
{
    uint8_t buf[1024], kind = next(s), shape = next(s), n_nals = shape & 7;
    struct ps_nal nal[8];
    struct ps_piece piece[3];
    size_t n = 0, cut;
    struct ps_au au = { .codec = (enum ps_codec)(kind % PS_CODEC_COUNT),
                        .key = shape & 8,
                        .corrupt = (shape & 0x30) == 0x30,
                        .discontinuity = (shape & 0x60) == 0x60,
                        .has_pts = kind & 0xe0 };

    s->pts90k += shape & 0x80 ? (uint64_t)next(s) << (next(s) % 30) : 3600;
    s->now_ms += kind & 0x10 ? 40 : 3;
    for (unsigned i = 0; i < n_nals; i++) {
        uint8_t which = next(s);
        const struct slice *p = &parts[which % N_PARTS];
        uint8_t raw[32];
        size_t len = p->n;

        if (which >= 0xe0) {
            len = which & 31;
            for (size_t k = 0; k < len; k++)
                raw[k] = next(s);
            memcpy(buf + n, raw, len);
        } else {
            memcpy(buf + n, p->p, len);
        }
        nal[i] = (struct ps_nal){ (uint32_t)n, (uint32_t)len, 0 };
        if (len)
            nal[i].type = au.codec == PS_CODEC_H264 ? buf[n] & 31
                                                    : buf[n] >> 1 & 63;
        if (which == 0xdf)
            nal[i].len += next(s); /* a table that lies */
        n += len;
    }
    cut = n ? next(s) % (n + 1) : 0;
    piece[0] = (struct ps_piece){ buf, cut, NULL };
    piece[1] = (struct ps_piece){ buf + cut, n - cut, NULL };
    au.pts90k = s->pts90k & (((uint64_t)1 << 33) - 1);
    au.rtp_ts = (uint32_t)s->pts90k;
    au.piece = piece;
    au.n_pieces = 2;
    au.bytes = n;
    au.nal = nal;
    au.n_nals = n_nals;
    hub_au(h, &au, s->now_ms);
}

static void step(struct hub *h, struct script *s)
{
    uint8_t op = next(s), arg = next(s);
    struct viewer *v = &viewer[arg % N_VIEWERS];
    struct hub_viewer_options opt = {
        .format = (enum hub_format)(arg / N_VIEWERS % HUB_FORMATS),
        .no_audio = arg & 0x40,
        .no_gop = arg & 0x80,
        .sound_waits = op & 0x40,
    };
    struct media_chunk *c;

    switch (op % 8) {
    case 0:
        hub_viewer_remove(&v->v);
        memset(v, 0, sizeof(*v));
        v->budget = op & 0x80 ? SIZE_MAX : op;
        if (!hub_viewer_add(h, &v->v, &opt, s->now_ms))
            pump(v);
        break;
    case 1:
        v->budget = op & 0x80 ? SIZE_MAX : v->budget + op;
        pump(v);
        break;
    case 2:
        s->now_ms += (uint64_t)arg * 16;
        if (hub_deadline(h) <= s->now_ms)
            hub_tick(h, s->now_ms);
        break;
    case 3:
        if (op & 0x80) {
            hub_viewer_remove(&v->v);
            memset(v, 0, sizeof(*v));
        } else if (!hub_snapshot(h, &c)) {
            media_chunk_unref(c);
        }
        break;
    default:
        access_unit(h, s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hub_hooks hooks = { .on_wake = on_wake,
                               .on_sound_alone = on_sound_alone };
    struct script s = { data, data + size, 1000, 0 };
    uint8_t flags = next(&s);
    struct hub_options opt = { .gop_frames = 20, .slow_ms = 400,
                               .stall_ms = 2000,
                               .history = flags & 1,
                               .freeze_on_loss = flags & 2 };
    struct hub *h;

    memset(viewer, 0, sizeof(viewer));
    sound_alone = false;
    memory_begin(flags & 4 ? 5 + (flags >> 3) : 0);
    if (hub_new(&h, &memory_alloc, &hooks, &opt)) {
        memory_end();
        return 0;
    }
    for (int i = 0; i < MAX_STEPS && s.p < s.end; i++)
        step(h, &s);
    if (flags & 0x80)
        hub_end(h);
    for (size_t i = 0; i < N_VIEWERS / 2; i++)
        hub_viewer_remove(&viewer[i].v);
    hub_free(h);
    for (size_t i = 0; i < N_VIEWERS; i++) {
        viewer[i].budget = SIZE_MAX;
        hub_viewer_remove(&viewer[i].v);
    }
    memory_end();
    return 0;
}
