/* sdp/offer.h - offers and answers of media sessions
 * (GB/T 28181-2022 Annex G)
 *
 * The platform offers and checks answers; a device and the lower side of
 * a cascade answer. Both use this file, so that they cannot disagree. */
#ifndef SDP_OFFER_H
#define SDP_OFFER_H

#include "sdp/gbext.h"
#include "sdp/sdp.h"

/* Named from the side of the author of the description. */
enum sdp_transport {
    SDP_UDP,
    SDP_TCP_PASSIVE, /* we listen: setup:passive */
    SDP_TCP_ACTIVE   /* we connect: setup:active */
};

/* Everything an offer says. Slices are borrowed. */
struct sdp_offer {
    enum sdp_operation operation;
    enum sdp_transport transport;
    struct slice owner;     /* o=: code of who sends this */
    struct gb_addr addr;    /* c= and o= address; port of m= */
    uint32_t ssrc;          /* y= */
    bool minimal;           /* payload type 96 only and nothing optional: the
                               second try after 400 or 415 */
    /* history: */
    struct slice channel;   /* u= code; also written for PLAY if not empty */
    unsigned uri_type;      /* u= type, 0 all */
    uint64_t start_s, stop_s; /* t=, UNIX seconds */
    uint32_t downloadspeed; /* DOWNLOAD: 0 is written as 1 */
    struct sdp_select select; /* SDP_SELECT_NONE: no attribute */
    /* literal attributes ("streamprofile:1"), one a line, appended as they
     * are: the per-device stream selector. CR and LF separate. */
    struct slice extra;
    struct slice format;    /* f= value; empty: no f=, SDP_F_AUDIO for TALK */
};

/* Appends the offer. TALK gives m=audio 8 sendrecv, the others m=video
 * recvonly. Errors stay in w. */
void sdp_offer_write(struct writer *w, const struct sdp_offer *o);

/* What we answer as sender of media (or as voice source of a broadcast). */
struct sdp_answer {
    struct slice owner;   /* o=: our code */
    struct gb_addr addr;  /* where we send from, or listen: address and port */
    uint32_t ssrc;        /* echoed from the offer or our own */
    bool no_ssrc;         /* leave y= out (fault of a simulated device) */
    uint8_t pt;           /* the format of the offer that we send */
    uint64_t filesize_bytes; /* DOWNLOAD: 0 is not written */
    bool sends;           /* sendonly, whatever the offer says: devices have
                             written any of them into that of a broadcast */
    struct slice info;    /* i=; empty: none */
    struct slice extra;   /* literal attributes, as in the offer */
    struct slice format;  /* f= value; empty: no f= */
};

/* Appends the answer to one section of an offer: s= and t= echoed, direction
 * and setup mirrored, the same transport. sendonly for an offer of recvonly,
 * and where nothing is said. m points into the offer, whose other sections are
 * refused. Errors stay in w; GB_EUNSUPPORTED in w when pt is
 * not in the offer. */
void sdp_answer_write(struct writer *w, const struct sdp *offer,
                      const struct sdp_media *m, const struct sdp_answer *a);

/* What transport an offer asks of us as its answerer: what we have to do. */
enum sdp_answer_transport {
    SDP_ANSWER_UDP,     /* send to the peer's address */
    SDP_ANSWER_CONNECT, /* peer is passive: connect to it */
    SDP_ANSWER_LISTEN   /* peer is active: listen before the 200 */
};

/* For SDP_TCP_RTP_AVP without a=setup the peer is taken as passive when it
 * names a port, else as active. */
enum sdp_answer_transport sdp_answer_transport(const struct sdp_media *m);

/* The payload type to answer with: PS for video; raw PCMA (8), then PCMU (0),
 * then PS for audio; of G.711 that of 8 kHz. GB_EUNSUPPORTED: none we can send. */
int sdp_choose_format(const struct sdp_media *m, uint8_t *pt);

/* The m=audio of an offer or an answer that takes what is said: the first that
 * can be reached and has a format of sdp_choose_format; one that says a=sendonly
 * only where no other does. None such: the first m=audio, to be refused by its
 * own fault; NULL: there is no m=audio. */
const struct sdp_media *sdp_find_listener(const struct sdp *s);

/* What an answer to our offer means (answer checks). */
struct sdp_agreed {
    const struct sdp_media *media; /* into the answer */
    enum sdp_setup peer_setup; /* corrected; NONE for UDP */
    bool refused;    /* port 0: BYE */
    bool no_port;    /* port 0, but it names the SSRC that it sends with */
    bool either;     /* TCP offered with us listening, RTP/AVP answered: keep
                        both sockets until the first packet decides */
    bool retry_udp;  /* we would connect, RTP/AVP answered: BYE, offer UDP */
    bool has_addr;   /* addr is usable; else the source of the SIP message */
    struct gb_addr addr; /* connect or send here; advisory when we receive */
    bool has_format;
    struct sdp_format format; /* the first of the answer that we offered */
    uint32_t ssrc;   /* of the answer, or the offered one */
    bool ssrc_changed; /* the answer's y= differs: rebind before the ACK */
};

/* GB_ESYNTAX when the answer has no section of the offered kind. */
int sdp_agree(struct sdp_agreed *out, const struct sdp_offer *offer,
              const struct sdp *answer);
#endif
