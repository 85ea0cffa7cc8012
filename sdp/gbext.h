/* sdp/gbext.h - the words that GB/T 28181 adds to SDP: y=, f=, u=, s=, stream
 * selection (GB/T 28181-2016 Annex F, GB/T 28181-2022 Annex G) */
#ifndef SDP_GBEXT_H
#define SDP_GBEXT_H

#include "sdp/sdp.h"

#define SDP_SSRC_DIGITS 10
#define SDP_SSRC_SERIAL_MAX 9999u

/* ---- y= ---- */

/* The text of y= as the number that stands in RTP. Blanks around and missing
 * leading zeros are read over. false: no digits, or above 2^32 - 1: the line
 * is to be ignored. Never hex, never BCD. */
bool sdp_ssrc_parse(uint32_t *ssrc, struct slice text);

/* Appends exactly ten digits. */
void sdp_ssrc_write(struct writer *w, uint32_t ssrc);

/* The SSRC of a new stream: first digit 0 live or 1 history, five digits of
 * the domain (4..8 of its code), serial 0..9999. GB_ESYNTAX when the code
 * does not hold digits there, GB_ERANGE when the serial is larger. */
int sdp_ssrc_make(uint32_t *ssrc, struct slice domain_code, bool history,
                  unsigned serial);

/* ---- s= ---- */

/* Compared without case ("PlayBack" is seen); unknown: SDP_PLAY. */
enum sdp_operation sdp_operation_parse(struct slice text);
struct slice sdp_operation_name(enum sdp_operation op);

static inline bool sdp_is_history(enum sdp_operation op)
{
    return op == SDP_PLAYBACK || op == SDP_DOWNLOAD;
}

/* ---- u= ---- */

/* Short form "<channel code>:<type>"; long form "http://<storage code>/...". */
struct sdp_uri {
    struct slice code;   /* channel, or storage device */
    struct slice path;   /* long form: behind the code, "" else */
    bool is_http;
    unsigned type;       /* 0 all, 1 manual, 2 alarm, 3 time; else 0 */
};

/* GB_ESYNTAX when there is no code. Any other type number reads as all. */
int sdp_uri_parse(struct sdp_uri *out, struct slice text);

/* ---- f= ---- */

#define SDP_F_FIELD_MAX 100000u /* kbit/s, the largest number of any field */

/* f=v/codec/resolution/fps/ratetype/kbps a/codec/bitrate/samplerate. 0: empty
 * or not a number. Never to be believed about the codec. */
struct sdp_f {
    unsigned video_codec;  /* 1 MPEG-4, 2 H.264, 3 SVAC, 4 3GP, 5 H.265 */
    struct slice resolution; /* code 1..6 or "WxH" */
    unsigned fps, rate_type, video_kbps;
    unsigned audio_codec;  /* 1 G.711 2 G.723.1 3 G.729 4 G.722.1 5 SVAC 6 AAC */
    unsigned audio_bitrate, audio_samplerate; /* codes of Annex G */
};

/* Reads what is there; GB_ESYNTAX when it does not begin with v/ or v alone.
 * An empty value gives all zero and 0. For users of the library, as is
 * sdp_f_write. */
int sdp_f_parse(struct sdp_f *out, struct slice text);

/* Appends the value with all of its slashes; zero fields stay empty. */
void sdp_f_write(struct writer *w, const struct sdp_f *f);

/* The f= of an audio session (G.711, 64 kbit/s, 8 kHz). */
#define SDP_F_AUDIO SLICE("v/////a/1/8/1")

/* ---- setup ---- */

/* What the other side must say: passive for active and the reverse, active
 * for actpass; NONE stays NONE. For users of the library: the daemon's answers
 * come from sdp/offer.h. */
enum sdp_setup sdp_setup_opposite(enum sdp_setup s);
struct slice sdp_setup_name(enum sdp_setup s);

/* ---- stream selection ---- */

/* The stream that an offer asks for, whichever attribute says it; 0 (main)
 * when none does. */
unsigned sdp_selected_stream(const struct sdp_select *s);

/* The attributes a platform sends by default: streamnumber to 2022 devices,
 * streamprofile and streamnumber to others. */
struct sdp_select sdp_select_make(unsigned stream, bool is_2022);
#endif
