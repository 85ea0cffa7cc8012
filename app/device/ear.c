#include "app/device/ear.h"

#include "app/media/g711.h"
#include "rtp/packet.h"

#define RATE_HZ 8000
#define HYSTERESIS 64 /* a smaller swing is no crossing */

void ear_init(struct ear *e, bool ps, bool ulaw)
{
    *e = (struct ear){ .ps = ps, .ulaw = ulaw };
}

static void window_begin(struct ear *e)
{
    e->n = 0;
    e->sum = 0;
    e->crossings = 0;
    e->first = e->last = 0;
}

static void hear(struct ear *e, int s)
{
    if (e->level <= 0 && s > HYSTERESIS) {
        if (e->level < 0) {
            e->first = e->crossings ? e->first : e->n;
            e->last = e->n;
            e->crossings++;
        }
        e->level = 1;
    } else if (e->level >= 0 && s < -HYSTERESIS) {
        e->level = -1;
    }
    e->sum += (double)s * s;
    e->n++;
}

/* true: a full window, which begins anew. */
static bool window_ends(struct ear *e, struct ear_heard *out)
{
    double mean = e->sum / EAR_WINDOW;
    bool speaks;

    if (e->n < EAR_WINDOW)
        return false;
    speaks = mean > (double)EAR_QUIET * EAR_QUIET;
    *out = (struct ear_heard){ .mean_square = mean };
    if (e->last > e->first)
        out->hz = (double)(e->crossings - 1) * RATE_HZ /
                  (double)(e->last - e->first);
    window_begin(e);
    return speaks;
}

static bool hear_codes(struct ear *e, const uint8_t *p, size_t n,
                       struct ear_heard *out)
{
    bool full = false;

    for (size_t i = 0; i < n; i++) {
        hear(e, e->ulaw ? g711_ulaw_table[p[i]] : g711_alaw_table[p[i]]);
        full |= window_ends(e, out);
    }
    e->samples += n;
    return full;
}

/* ---- program stream: the payload of its PES of audio (Annex C) ---- */

enum { ID_PACK = 0xba, ID_MAP = 0xbc, ID_AUDIO = 0xc0, TYPE_ALAW = 0x90,
       TYPE_ULAW = 0x91 };

/* The map says which law; the first stream of it that is sound. */
static void read_map(struct ear *e, const uint8_t *p, size_t n)
{
    size_t at, end;

    if (n < 12)
        return;
    at = 10u + ((size_t)p[8] << 8 | p[9]);
    if (at + 2 > n)
        return;
    end = at + 2 + ((size_t)p[at] << 8 | p[at + 1]);
    for (at += 2; at + 4 <= end && end <= n;
         at += 4 + ((size_t)p[at + 2] << 8 | p[at + 3]))
        if (p[at + 1] == ID_AUDIO &&
            (p[at] == TYPE_ALAW || p[at] == TYPE_ULAW))
            e->ulaw = p[at] == TYPE_ULAW;
}

/* Bytes of the piece that begins with this start code; 0: it is broken. */
static size_t piece_bytes(const uint8_t *p, size_t n)
{
    if (n < 6 || p[0] || p[1] || p[2] != 1)
        return 0;
    if (p[3] == ID_PACK)
        return n < 14 ? 0 : 14u + (p[13] & 7);
    return 6 + ((size_t)p[4] << 8 | p[5]);
}

static bool hear_pack(struct ear *e, const uint8_t *p, size_t n,
                      struct ear_heard *out)
{
    bool full = false;

    while (n) {
        size_t k = piece_bytes(p, n);

        if (!k || k > n) {
            e->bad++;
            break;
        }
        if (p[3] == ID_MAP)
            read_map(e, p, k);
        if (p[3] == ID_AUDIO && k >= 9u && k >= 9u + p[8])
            full |= hear_codes(e, p + 9 + p[8], k - 9 - p[8], out);
        p += k;
        n -= k;
    }
    return full;
}

bool ear_packet(struct ear *e, struct slice packet, struct ear_heard *out)
{
    uint32_t clock = e->ps ? 90000 : RATE_HZ;
    struct rtp_packet p;
    uint64_t before = e->samples;
    bool full;

    if (rtp_packet_parse(&p, (const uint8_t *)packet.p, packet.n)) {
        e->bad++;
        return false;
    }
    e->markers += p.marker;
    if (e->begun) {
        e->lost += (uint16_t)(p.seq - e->seq - 1);
        e->jumps += p.ts - e->ts != e->packet_ms * (clock / 1000);
    }
    e->begun = true;
    e->packets++;
    e->seq = p.seq;
    e->ts = p.ts;
    full = e->ps ? hear_pack(e, p.payload, p.payload_len, out)
                 : hear_codes(e, p.payload, p.payload_len, out);
    e->packet_ms = (uint32_t)((e->samples - before) * 1000 / RATE_HZ);
    return full;
}
