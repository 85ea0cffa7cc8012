#include "ps/mux.h"

#include "ps/pes.h"

/* A map is repeated when no key frame brings one (media: 2 s of 25 fps, and
 * then each 30 frames; audio: about a second of 40 ms blocks). */
#define FRAMES_WITHOUT_KEY 50
#define FRAMES_BETWEEN_MAPS 30
#define BLOCKS_BETWEEN_MAPS 25
#define SCR_LEAD_90K 3600 /* SCR stays at most this far behind the PTS */
#define HEADERS_BYTES (14 + 18 + 24)
#define FIRST_PES_BYTES (0xffc6 - 8)

/* One nibble at a time: small, and maps are rare. */
uint32_t ps_crc32(const void *p, size_t n)
{
    static const uint32_t step[16] = {
        0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9,
        0x130476dc, 0x17c56b6b, 0x1a864db2, 0x1e475005,
        0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61,
        0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
    };
    const uint8_t *b = p;
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < n; i++) {
        crc ^= (uint32_t)b[i] << 24;
        crc = crc << 4 ^ step[crc >> 28];
        crc = crc << 4 ^ step[crc >> 28];
    }
    return crc;
}

int ps_mux_init(struct ps_mux *m, enum ps_codec video, enum ps_codec audio,
                uint32_t peak_bps)
{
    bool bad_video = video != PS_CODEC_UNKNOWN && !ps_codec_is_video(video);
    bool bad_audio = audio != PS_CODEC_UNKNOWN && ps_codec_is_video(audio);
    uint64_t rate = ((uint64_t)peak_bps + 399) / 400;

    if (bad_video)
        video = PS_CODEC_UNKNOWN;
    if (bad_audio)
        audio = PS_CODEC_UNKNOWN;
    if (video == PS_CODEC_UNKNOWN && audio == PS_CODEC_UNKNOWN)
        return GB_EUNSUPPORTED;
    *m = (struct ps_mux){
        .video = video,
        .audio = audio,
        .mux_rate = rate == 0 ? 1 : rate > 0x3fffff ? 0x3fffff
                                                    : (uint32_t)rate,
    };
    return 0;
}

void ps_mux_change(struct ps_mux *m, enum ps_codec codec)
{
    enum ps_codec *of = ps_codec_is_video(codec) ? &m->video : &m->audio;

    if (*of == codec)
        return;
    *of = codec;
    m->changes++;
    m->changed = true;
}

/* Pack header; system header and map when the receiver may lack them. */
static void begin_pack(struct ps_mux *m, struct writer *w, uint64_t pts90k,
                       bool maps)
{
    uint64_t scr = pts90k > SCR_LEAD_90K ? pts90k - SCR_LEAD_90K : 0;

    /* never behind the last one, unless the source has jumped back */
    if (m->started && scr < m->last_scr90k && m->last_scr90k <= pts90k)
        scr = m->last_scr90k;
    m->last_scr90k = scr;
    ps_pack_encode(w, scr, m->mux_rate);
    if (!maps && m->started && !m->changed)
        return;
    ps_system_encode(w, m->video != PS_CODEC_UNKNOWN,
                     m->audio != PS_CODEC_UNKNOWN);
    ps_map_encode_version(w, (uint8_t)(m->changes + 1), ps_codec_type(m->video),
                          ps_codec_type(m->audio));
    m->started = true;
    m->changed = false;
}

/* The PTS takes its room from the first PES: no length is above 0xffc6. */
static void put_pes(struct writer *w, uint8_t id, struct slice data,
                    uint64_t pts90k)
{
    bool first = true;

    do {
        size_t max = first ? FIRST_PES_BYTES : PS_MUX_PES_BYTES;
        size_t n = data.n < max ? data.n : max;

        ps_pes_encode(w, id, n, first && ps_id_is_video(id),
                      first ? &pts90k : NULL);
        writer_bytes(w, data.p, n);
        data = slice_from(data, n);
        first = false;
    } while (data.n);
}

static bool due(const struct ps_mux *m)
{
    unsigned over;

    if (m->frames_since_psm < FRAMES_WITHOUT_KEY)
        return false;
    over = m->frames_since_psm - FRAMES_WITHOUT_KEY;
    return over % FRAMES_BETWEEN_MAPS == 0;
}

void ps_mux_video(struct ps_mux *m, struct writer *w, struct slice annexb,
                  uint64_t pts90k, bool key)
{
    if (m->video == PS_CODEC_UNKNOWN) {
        if (!w->err)
            w->err = GB_EUNSUPPORTED;
        return;
    }
    begin_pack(m, w, pts90k, key || due(m));
    m->frames_since_psm = key ? 0 : m->frames_since_psm + 1;
    put_pes(w, PS_ID_VIDEO, annexb, pts90k);
}

void ps_mux_audio(struct ps_mux *m, struct writer *w, struct slice data,
                  uint64_t pts90k)
{
    bool maps = false;

    if (m->audio == PS_CODEC_UNKNOWN) {
        if (!w->err)
            w->err = GB_EUNSUPPORTED;
        return;
    }
    if (m->video == PS_CODEC_UNKNOWN)
        maps = m->frames_since_psm++ % BLOCKS_BETWEEN_MAPS == 0;
    begin_pack(m, w, pts90k, maps);
    put_pes(w, PS_ID_AUDIO, data, pts90k);
}

size_t ps_mux_bound(size_t n)
{
    size_t n_pes = n / FIRST_PES_BYTES + 1;

    return HEADERS_BYTES + 5 + n_pes * PS_PES_BYTES + n;
}
