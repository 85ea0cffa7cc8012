/* What an audio stream carries, when the map says nothing or is wrong. */
#include "ps/es.h"

#define ADTS_BYTES 7
#define NOT_ADTS_PES 20        /* PES without ADTS before AAC is doubted */
#define LAW_STATISTICS 4096    /* bytes looked at to tell the two laws */
#define N_HIGH (sizeof(((struct es *)0)->n_high) / sizeof(uint16_t))

/* ISO/IEC 13818-7 §6.2: frame_length chains to the end of the payload. */
static bool is_adts(const struct es *s)
{
    uint32_t off = 0;
    uint8_t b[ADTS_BYTES];

    while (off < s->bytes) {
        uint32_t len;

        if (es_read(s, off, b, sizeof(b)) < sizeof(b))
            return false;
        len = (uint32_t)(b[3] & 3) << 11 | (uint32_t)b[4] << 3 | b[5] >> 5;
        if (b[0] != 0xff || (b[1] & 0xf6) != 0xf0 || len < ADTS_BYTES ||
            (b[2] >> 2 & 15) > 12 || len > s->bytes - off)
            return false;
        off += len;
    }
    return off > 0;
}

/* ISO/IEC 11172-3 §2.4.1.3; samples of a layer II or III frame times 125
 * over the sampling frequency times the bit rate. 0: no header. */
static uint32_t mpa_frame_bytes(const uint8_t *b)
{
    static const uint16_t kbps[4][15] = {
        { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
        { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 },
        { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 },
        { 0 },
    };
    static const uint32_t hz[3] = { 44100, 48000, 32000 };
    unsigned version = b[1] >> 3 & 3, layer = b[1] >> 1 & 3;
    unsigned rate = b[2] >> 4, freq = b[2] >> 2 & 3;
    bool mpeg1 = version == 3;
    uint32_t f, row;

    if (b[0] != 0xff || (b[1] & 0xe0) != 0xe0 || version == 1 ||
        layer == 0 || layer == 3 || rate == 0 || rate == 15 || freq == 3)
        return 0; /* layer I is not seen */
    f = hz[freq] >> (mpeg1 ? 0 : version == 2 ? 1 : 2);
    row = mpeg1 ? layer : 0;
    return (layer == 1 && !mpeg1 ? 72000u : 144000u) * kbps[row][rate] / f +
           (b[2] >> 1 & 1);
}

static bool is_mpa(const struct es *s)
{
    uint32_t off = 0;
    uint8_t b[4];

    while (off < s->bytes) {
        uint32_t len;

        if (es_read(s, off, b, sizeof(b)) < sizeof(b))
            return false;
        len = mpa_frame_bytes(b);
        if (!len || len > s->bytes - off)
            return false;
        off += len;
    }
    return off > 0;
}

/* ISO/IEC 14496-3 §1.7.2: AudioSyncStream, lengths chained. */
static bool is_loas(const struct es *s)
{
    uint32_t off = 0;
    uint8_t b[3];

    while (off < s->bytes) {
        if (es_read(s, off, b, sizeof(b)) < sizeof(b) || b[0] != 0x56 ||
            (b[1] & 0xe0) != 0xe0)
            return false;
        off += 3 + ((uint32_t)(b[1] & 0x1f) << 8 | b[2]);
    }
    return off == s->bytes && off > 0;
}

/* RFC 3640 without RTP: 16-bit n * 16, n headers of 13-bit size and 3-bit
 * index, n AAC frames (seen under stream_type 0x1c). */
static bool has_au_headers(const struct es *s)
{
    uint8_t b[2];
    uint32_t n, sum;

    if (es_read(s, 0, b, 2) < 2)
        return false;
    n = (uint32_t)b[0] << 8 | b[1];
    if (n == 0 || n % 16 || n / 8 + 2 > s->bytes)
        return false;
    n /= 16;
    sum = 2 + 2 * n;
    for (uint32_t i = 0; i < n; i++) {
        es_read(s, 2 + 2 * i, b, 2);
        sum += (uint32_t)(b[0] << 8 | b[1]) >> 3;
    }
    return sum == s->bytes;
}

/* Sound is uneven: its bytes lie in few of the segments of either law, and noise of
 * full scale still comes to 1.7 times the sum of squares of even bytes. What is
 * compressed is even, 1.05 at most: played as G.711 it would be noise. */
static bool is_even(const struct es *s)
{
    uint64_t sum = 0, n = s->n_law_bytes;

    for (size_t i = 0; i < N_HIGH; i++)
        sum += (uint64_t)s->n_high[i] * s->n_high[i];
    return sum * N_HIGH * 5 < n * n * 6;
}

/* Silence of A-law is D5/55, of mu-law FF/7F. false: too little was seen, or no
 * sound; then it is weighed anew. */
static bool weigh_laws(struct es *s, enum ps_codec *codec)
{
    uint8_t b[256];
    uint32_t off = 0;
    size_t n;

    while ((n = es_read(s, off, b, sizeof(b))) != 0 &&
           s->n_law_bytes < LAW_STATISTICS) {
        for (size_t i = 0; i < n; i++) {
            s->n_alaw += (b[i] & 0x7f) == 0x55;
            s->n_ulaw += (b[i] & 0x7f) == 0x7f;
            s->n_high[b[i] >> 4]++;
        }
        s->n_law_bytes += (uint32_t)n;
        off += (uint32_t)n;
    }
    *codec = s->n_ulaw > s->n_alaw ? PS_CODEC_G711U : PS_CODEC_G711A;
    if (s->n_law_bytes < LAW_STATISTICS)
        return false;
    if (!is_even(s))
        return true;
    s->n_alaw = s->n_ulaw = s->n_law_bytes = 0;
    memset(s->n_high, 0, sizeof(s->n_high));
    return false;
}

static void prove(struct es *s, enum ps_codec codec)
{
    es_set_codec(s, s->info.stream_type, codec, PS_FROM_BYTES);
}

/* AAC was announced and no AAC framing is seen (small vendors send G.711). */
static void doubt_aac(struct es *s)
{
    enum ps_codec law;

    if (is_adts(s) || is_loas(s) || has_au_headers(s)) {
        s->proven = true;
        return;
    }
    s->n_not_adts++;
    if (s->info.stream_type != 0x0f)
        return;
    if (weigh_laws(s, &law) && s->n_not_adts >= NOT_ADTS_PES)
        prove(s, s->env->opt.audio_hint == PS_CODEC_G711U ||
                         s->env->opt.audio_hint == PS_CODEC_G711A
                     ? s->env->opt.audio_hint
                     : law);
}

static void guess(struct es *s)
{
    enum ps_codec law;

    if (is_adts(s) || is_loas(s))
        prove(s, PS_CODEC_AAC);
    else if (is_mpa(s))
        prove(s, PS_CODEC_MPA);
    else if (weigh_laws(s, &law))
        prove(s, law);
}

void es_audio_sniff(struct es *s)
{
    enum ps_codec codec = s->info.codec;
    uint8_t first = 0;

    if (codec == PS_CODEC_G711A || codec == PS_CODEC_G711U) {
        /* AAC labelled 0x90 (Dahua); the first byte spares most the chain */
        es_read(s, 0, &first, 1);
        if (first == 0xff && is_adts(s))
            prove(s, PS_CODEC_AAC);
    } else if (codec == PS_CODEC_AAC && !s->proven) {
        doubt_aac(s);
    } else if (codec == PS_CODEC_UNKNOWN) {
        guess(s);
    }
}
