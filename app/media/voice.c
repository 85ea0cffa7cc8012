#include "app/media/voice.h"

#include "app/media/g711.h"
#include "base/err.h"
#include "ps/mux.h"
#include "rtp/pack.h"

#include <string.h>

#define PER_MS (G711_RATE_HZ / 1000)
#define LATE_PACKETS 2 /* a clock that is further behind is set anew */

struct voice {
    struct voice_options o;
    struct rtp_packer packer;
    struct ps_mux mux;
    uint64_t next_ms;     /* GB_NEVER: over */
    uint64_t at;          /* samples since the beginning, silent ones too */
    bool speaking, over;
    uint32_t tail_ms;
    struct voice_counters n;
    uint8_t out[VOICE_PACKET_BYTES];
    uint8_t code[VOICE_MAX_MS * PER_MS], pack[VOICE_PACKET_BYTES];
    size_t first, have, room; /* of pcm, a ring */
    int16_t pcm[];
};

static uint32_t packet_ms(const struct voice_options *o)
{
    uint32_t ms = o->packet_ms ? o->packet_ms
                  : o->framed  ? VOICE_TCP_PACKET_MS
                               : VOICE_PACKET_MS;

    return ms < VOICE_MIN_MS ? VOICE_MIN_MS
           : ms > VOICE_MAX_MS ? VOICE_MAX_MS : ms;
}

int voice_new(struct voice **out, const struct voice_options *o,
              uint64_t now_ms)
{
    uint32_t ms = o->whole_ms ? o->whole_ms : VOICE_LIVE_MS;
    size_t room = (size_t)ms * PER_MS + PER_MS;
    struct voice *v;

    if (o->whole_ms > VOICE_FILE_MS)
        return GB_ERANGE;
    v = gb_get(o->alloc, sizeof(*v) + room * sizeof(v->pcm[0]));
    if (!v)
        return GB_ENOMEM;
    v->o = *o;
    v->o.packet_ms = packet_ms(o);
    v->room = room;
    v->next_ms = now_ms;
    rtp_packer_init(&v->packer, o->ssrc, o->pt & 127,
                    (uint16_t)(o->ssrc * 2654435761u >> 16), o->framed, 0);
    ps_mux_init(&v->mux, PS_CODEC_UNKNOWN,
                o->ulaw ? PS_CODEC_G711U : PS_CODEC_G711A, 64000);
    *out = v;
    return 0;
}

void voice_free(struct voice *v)
{
    if (v)
        gb_put(v->o.alloc, v);
}

static void drop(struct voice *v, size_t n)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.*): room is PER_MS at least */
    v->first = (v->first + n) % v->room;
    v->have -= n;
    v->n.dropped_ms += n / PER_MS;
}

void voice_feed(struct voice *v, const int16_t *pcm, size_t n)
{
    if (n > v->room) {
        v->n.dropped_ms += (n - v->room) / PER_MS;
        if (!v->o.whole_ms)
            pcm += n - v->room;
        n = v->room;
    }
    if (n > v->room - v->have) {
        if (v->o.whole_ms)
            n = v->room - v->have; /* longer than it was said to be */
        else
            drop(v, n - (v->room - v->have));
    }
    for (size_t i = 0; i < n; i++)
        v->pcm[(v->first + v->have + i) % v->room] = pcm[i];
    v->have += n;
    if (!v->o.whole_ms && v->have > VOICE_QUEUE_MS * PER_MS)
        drop(v, v->have - VOICE_KEEP_MS * PER_MS);
}

static uint8_t encode(const struct voice *v, int16_t s)
{
    return v->o.ulaw ? g711_ulaw_encode(s) : g711_alaw_encode(s);
}

/* Is there enough to say a packet of it? What is short of one is said with
 * silence behind it when it is the end. */
static bool has_speech(const struct voice *v, size_t samples)
{
    if (v->o.whole_ms)
        return v->have > 0;
    return v->have >= samples + (v->speaking ? 0 : VOICE_AHEAD_MS * PER_MS);
}

static void put_packet(struct voice *v, size_t samples, bool marker,
                       struct slice *out)
{
    struct writer w = writer_of(v->out, sizeof(v->out));
    const uint8_t *p = v->code;
    size_t n = samples;
    uint32_t ts = (uint32_t)v->at;

    if (v->o.ps) {
        struct writer m = writer_of(v->pack, sizeof(v->pack));
        uint64_t pts90k = v->at * 90000 / G711_RATE_HZ;

        ps_mux_audio(&v->mux, &m, slice_of((const char *)v->code, samples),
                     pts90k);
        p = v->pack;
        n = m.len;
        ts = (uint32_t)pts90k;
    }
    rtp_pack_write(&v->packer, &w, rtp_pack_begin(p, n, ts, marker));
    v->n.packets++;
    v->n.bytes += w.len;
    *out = writer_slice(&w);
}

/* The clock was not asked for long: what should have gone out is left out. */
static void catch_up(struct voice *v, uint64_t now_ms)
{
    uint64_t late = (now_ms - v->next_ms) / v->o.packet_ms;
    size_t n;

    if (late <= LATE_PACKETS)
        return;
    v->next_ms += late * v->o.packet_ms;
    v->at += late * v->o.packet_ms * PER_MS;
    if (v->o.whole_ms)
        return; /* a recording waits */
    n = (size_t)(late * v->o.packet_ms * PER_MS);
    drop(v, n < v->have ? n : v->have);
}

bool voice_next(struct voice *v, struct slice *packet, uint64_t now_ms)
{
    size_t samples = v->o.packet_ms * PER_MS, n = 0;
    bool speech;

    if (now_ms < v->next_ms || v->over)
        return false;
    catch_up(v, now_ms);
    speech = has_speech(v, samples);
    if (speech)
        n = v->have < samples ? v->have : samples;
    for (size_t i = 0; i < samples; i++)
        v->code[i] = encode(v, i < n ? v->pcm[(v->first + i) % v->room] : 0);
    v->first = (v->first + n) % v->room;
    v->have -= n;
    put_packet(v, samples, speech && !v->speaking, packet);
    *(speech ? &v->n.spoken_ms : &v->n.silent_ms) += v->o.packet_ms;
    v->speaking = speech;
    v->at += samples;
    v->next_ms += v->o.packet_ms;
    if (v->o.whole_ms && !speech) {
        v->tail_ms += v->o.packet_ms;
        v->over = v->tail_ms >= VOICE_TAIL_MS && v->n.spoken_ms;
    }
    return true;
}

uint64_t voice_deadline(const struct voice *v)
{
    return v->over ? GB_NEVER : v->next_ms;
}

bool voice_is_over(const struct voice *v)
{
    return v->over;
}

void voice_counters(const struct voice *v, struct voice_counters *out)
{
    *out = v->n;
}
