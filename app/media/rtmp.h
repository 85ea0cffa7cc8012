/* app/media/rtmp.h - the client that publishes one stream over RTMP (Adobe's
 * RTMP 1.0, AMF 0; enhanced RTMP for H.265), without sockets
 *
 *     HANDSHAKE ──► CONNECTING ──► CREATING ──► PUBLISHING ──► LIVE
 *         └─────────────┴────────────┴──────────────┴──────────► FAILED
 *
 * The owner moves the bytes:
 *
 *     rtmp_begin()          when the connection is up
 *     rtmp_input()          what has arrived
 *     rtmp_output()         what is to be sent, whole messages; rtmp_sent()
 *     rtmp_media()          while LIVE: FLV in, chunks out
 *
 * rtmp_output goes before rtmp_media wherever rtmp_at_boundary. Nothing that the
 * peer sends takes more memory than what is in the struct. */
#ifndef APP_MEDIA_RTMP_H
#define APP_MEDIA_RTMP_H

#include "app/media/push_url.h"

#define RTMP_HELLO 1536        /* bytes of C1, C2, S1, S2 */
#define RTMP_CHUNK 65536       /* bytes of a chunk that we send */
#define RTMP_CHUNK_IN_MAX (16u << 20) /* no message is longer: all beyond is the same */
#define RTMP_LANES 8           /* chunk streams of the peer */
#define RTMP_BODY_MAX 1024     /* bytes kept of a message of the peer; of longer
                                  ones the rest is passed over */
#define RTMP_OUT_MAX 8192      /* commands and answers that are not sent yet */
#define RTMP_AMF_DEPTH 8       /* objects within objects */
#define RTMP_WHY_MAX 160       /* with its NUL */
#define RTMP_MEDIA_ROOM 64     /* rtmp_media needs so much room to go on */

enum rtmp_state {
    RTMP_HANDSHAKE,
    RTMP_CONNECTING,
    RTMP_CREATING,
    RTMP_PUBLISHING,
    RTMP_LIVE,
    RTMP_FAILED,
};

/* A chunk stream of the peer. */
struct rtmp_lane {
    uint32_t id;      /* 0: free */
    uint32_t length, got; /* bytes of the message that comes */
    uint8_t type;
    bool extended;    /* its time stamps have four bytes more */
    uint8_t body[RTMP_BODY_MAX];
};

struct rtmp {
    enum rtmp_state state;
    char why[RTMP_WHY_MAX]; /* FAILED */
    struct push_url url;    /* its text is the owner's */
    size_t hello;           /* bytes of S0, S1 and S2 so far */
    uint8_t echo[RTMP_HELLO];
    uint32_t stream;        /* as the peer calls ours */
    /* in */
    uint32_t chunk_in, window;
    uint64_t bytes_in, acked;
    uint8_t head[18];
    size_t head_n;
    uint32_t chunk_left;    /* of the chunk that comes; 0: a head is next */
    struct rtmp_lane *lane; /* of that chunk */
    struct rtmp_lane lanes[RTMP_LANES];
    /* out */
    size_t out_n, out_off;
    bool out_full;
    char out[RTMP_OUT_MAX];
    /* FLV */
    size_t skip;            /* bytes of FLV that have no place in RTMP */
    uint8_t tag[11];
    size_t tag_n;
    uint32_t tag_left, chunk_out; /* bytes to come; room in the open chunk */
    uint32_t tag_ms;
    uint8_t tag_lane;
};

/* Begins anew, with C0 and C1 to be sent. url: its text must live as long. seed:
 * random, of the handshake. */
void rtmp_begin(struct rtmp *r, const struct push_url *url, uint64_t seed);

/* Bytes of the peer. GB_EIO and why: it is FAILED. */
int rtmp_input(struct rtmp *r, struct slice in);

/* What is to be sent next; then rtmp_sent. */
struct slice rtmp_output(const struct rtmp *r);
void rtmp_sent(struct rtmp *r, size_t n);

/* FLV from its header on, in any pieces, to w. Returns how many bytes were
 * taken: fewer when w has less than RTMP_MEDIA_ROOM left. */
size_t rtmp_media(struct rtmp *r, struct slice flv, struct writer *w);
/* What was taken ends with a whole message. */
bool rtmp_at_boundary(const struct rtmp *r);
#endif
