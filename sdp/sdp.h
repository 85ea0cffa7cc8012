/* sdp/sdp.h - session descriptions as GB/T 28181 uses them
 * (RFC 4566; GB/T 28181-2016 Annex F, GB/T 28181-2022 Annex G)
 *
 * A parsed description is an index of slices into the body that arrived:
 * nothing is copied and nothing is allocated. The parser reads what devices
 * send: lines end at CRLF, LF or CR, in any order; unknown lines and
 * attributes do no harm; names compare without case. The writer writes what the
 * standard says, in its order, because at least one large vendor enforces it. */
#ifndef SDP_SDP_H
#define SDP_SDP_H

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

#define SDP_MAX_BYTES 16384  /* a longer body is refused, GB_ELIMIT */
#define SDP_MAX_MEDIA 4      /* m= lines kept; later ones are counted */
#define SDP_MAX_FORMATS 16   /* payload types kept of one m= line */
#define SDP_MAX_OTHER 12     /* unknown attributes kept of one m= section */
#define SDP_MAX_STREAM 255   /* largest stream number read */
#define SDP_MAX_SPEED 256    /* largest download speed read */
#define SDP_NTP_OFFSET_S 2208988800u /* from 1900 to 1970 */

/* What the session is for: s=. Anything unknown reads as PLAY. */
#define SDP_OPERATION_MAP(X)                                                   \
    X(PLAY,     "Play")                                                        \
    X(PLAYBACK, "Playback")                                                    \
    X(DOWNLOAD, "Download")                                                    \
    X(TALK,     "Talk")

enum sdp_operation {
#define X(id, name) SDP_##id,
    SDP_OPERATION_MAP(X)
#undef X
    SDP_OPERATION_COUNT
};

enum sdp_media_type { SDP_MEDIA_OTHER, SDP_VIDEO, SDP_AUDIO };

/* The transport of an m= line. SDP_TCP_FILE is the "tcp" of the 2014
 * supplement's download without RTP (annex O). */
enum sdp_proto { SDP_PROTO_OTHER, SDP_RTP_AVP, SDP_TCP_RTP_AVP, SDP_TCP_FILE };

enum sdp_direction {
    SDP_DIRECTION_NONE, /* not said: implied by the operation */
    SDP_SENDRECV,
    SDP_SENDONLY,
    SDP_RECVONLY,
    SDP_INACTIVE
};

/* The role of the author of the description (RFC 4145 §4). */
enum sdp_setup {
    SDP_SETUP_NONE,
    SDP_ACTIVE,
    SDP_PASSIVE,
    SDP_ACTPASS,
    SDP_HOLDCONN
};

enum sdp_connection { SDP_CONNECTION_NONE, SDP_NEW, SDP_EXISTING };

enum sdp_stream_mode { SDP_MODE_NONE, SDP_MODE_MAIN, SDP_MODE_SUB };

/* Which stream of the channel: each vendor reads its own attribute, all
 * of them ignore the others. -1: absent. */
struct sdp_select {
    int16_t streamnumber;  /* 2022: 0 main, 1 sub 1, ... */
    int16_t streamprofile; /* Dahua: 0 main, 1 sub */
    int16_t stream;        /* older variant: 0 main, 1 sub */
    enum sdp_stream_mode mode; /* a=streamMode:main|sub, TP-LINK */
};

#define SDP_SELECT_NONE ((struct sdp_select){ -1, -1, -1, SDP_MODE_NONE })

/* An address as text: an IP literal without brackets, port or TTL, a host
 * name, or nothing at all (seen). */
struct sdp_conn {
    bool present;  /* there was such a line */
    bool ipv6;     /* "IP6" */
    struct slice host;
};

/* One payload type. Without an rtpmap, encoding is empty and clock_hz 0. */
struct sdp_format {
    uint8_t pt;       /* 0..127 */
    uint8_t channels; /* 0: not said; equal to 1 (PCMA/8000/1 = PCMA/8000) */
    uint32_t clock_hz;
    struct slice encoding;
    struct slice fmtp; /* parameters behind the payload type */
};

/* One m= section; attributes before the first m= have been merged in. */
struct sdp_media {
    enum sdp_media_type type;
    enum sdp_proto proto;
    enum sdp_direction direction;
    enum sdp_setup setup;
    enum sdp_connection connection;
    struct slice type_name, proto_name; /* as spelled */
    uint16_t port;          /* 0: refused, or no listener */
    uint16_t ptime_ms;      /* 0: absent */
    uint32_t downloadspeed; /* 0: absent, means 1 */
    uint64_t filesize_bytes; /* 0: absent or unknown (0 and -1 are seen) */
    struct sdp_select select;
    struct sdp_conn conn;   /* c= of this section */
    bool encrypted;         /* a=vkek: GB 35114 video key */
    bool has_ssrc;          /* several m= and several y=: its own */
    uint32_t ssrc;
    uint8_t n_formats;
    uint8_t n_other;
    struct sdp_format formats[SDP_MAX_FORMATS]; /* the first n_formats */
    struct slice other[SDP_MAX_OTHER]; /* whole values of other a= lines */
};

struct sdp {
    struct slice origin_user, origin_id, origin_version; /* o= */
    struct sdp_conn origin; /* a signalling address perhaps: last resort */
    struct slice name;      /* s= as spelled */
    enum sdp_operation operation; /* believed in offers only */
    struct slice info;      /* i= */
    struct slice uri;       /* u=, see sdp/gbext.h */
    struct sdp_conn conn;   /* session level c= */
    bool has_time;
    uint64_t start_s, stop_s; /* t= in UNIX seconds, NTP values converted */
    bool has_ssrc;          /* a y= that could be read */
    uint32_t ssrc;          /* the first y= */
    bool has_format;        /* an f= line, perhaps empty */
    struct slice format;    /* f=, see sdp/gbext.h */
    uint16_t n_skipped;     /* m=, a=other and formats past our limits */
    uint8_t n_media;
    struct sdp_media media[SDP_MAX_MEDIA]; /* the first n_media */
};

/* Parses a body.
 *
 * body  borrowed; every slice of *out points into it
 * diag  may be NULL; filled only on error
 *
 * 0; GB_ESYNTAX: no m= line at all (answer 400); GB_EUNSUPPORTED: m= lines,
 * but none that is audio or video over a known transport (answer 488);
 * GB_ELIMIT: longer than SDP_MAX_BYTES. After an error *out means nothing. */
int sdp_parse(struct sdp *out, struct slice body, struct gb_diag *diag);

/* Sets *s to what an empty description holds: no lines, no media. */
void sdp_init(struct sdp *s);

/* Appends an empty section and returns it; NULL when there are
 * SDP_MAX_MEDIA. type, proto and their names are set; the rest is "absent". */
struct sdp_media *sdp_add_media(struct sdp *s, enum sdp_media_type type,
                                enum sdp_proto proto);

/* Appends a payload type with its rtpmap; encoding may be empty. false when
 * there are SDP_MAX_FORMATS. */
bool sdp_add_format(struct sdp_media *m, uint8_t pt, struct slice encoding,
                    uint32_t clock_hz);

/* Appends the description: v o s i u c t m a... y f, y= behind every a= line,
 * f= last, each line ended by CRLF. CR, LF and NUL are taken out of every
 * value. Errors stay in w. */
void sdp_write(struct writer *w, const struct sdp *s);

/* The first section of a type that can be used: known transport. NULL: none.
 * Of several m=audio lines sdp_find_listener (sdp/offer.h) says which. */
const struct sdp_media *sdp_find_media(const struct sdp *s,
                                       enum sdp_media_type type);

/* The payload type's entry, or NULL. */
const struct sdp_format *sdp_find_format(const struct sdp_media *m, uint8_t pt);

/* The rtpmap of f, or the entry of the standard's table when
 * there is none: encoding name and clock. GB_ENOENT: neither. */
int sdp_format_codec(const struct sdp_format *f, struct slice *encoding,
                     uint32_t *clock_hz);

/* The value behind "name:" among the other attributes of m, compared without
 * case; a property attribute has the empty value. false: absent. */
bool sdp_attr(const struct sdp_media *m, struct slice name,
              struct slice *value);

/* The SSRC announced for m: its own, or that of the whole body. */
bool sdp_ssrc(const struct sdp *s, const struct sdp_media *m, uint32_t *ssrc);

/* Where m wants media, or sends it from: section c=, session c=, o=, in this
 * order, the first that is a usable IP literal; with the port of m. false:
 * none is, take the source address of the SIP message. */
bool sdp_media_addr(const struct sdp *s, const struct sdp_media *m,
                    struct gb_addr *out);
#endif
