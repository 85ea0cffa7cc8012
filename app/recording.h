/* app/recording.h - the SIP messages of a capture file, in its order
 *
 * Datagrams and what TCP streams carry, with the connection each came over and
 * the way it went. Requests know their recorded final answers. */
#ifndef APP_RECORDING_H
#define APP_RECORDING_H

#include "app/platform/platform.h"
#include "app/trace/glance.h"
#include "base/map.h"

#define RECORDING_KEY_MAX 300

/* One SIP message of the file. */
struct recorded {
    int64_t utc_ms;
    bool in;                  /* to the platform */
    bool closed;              /* no message: this connection ended */
    struct sip_peer peer;     /* as the platform sees it */
    struct slice bytes;
    char *owned;              /* bytes out of a TCP stream; NULL: in the file */
    struct trace_glance g;
    struct map_node node;     /* by key */
    char key[RECORDING_KEY_MAX];
    uint16_t key_n;           /* 0: it has none */
    struct map_node by_call;  /* of a request out: by call */
    uint64_t call;            /* hash of its Call-ID */
    struct recorded *answer;  /* of a request: the recorded final one */

    /* the replay's own, zero when it is read: */
    unsigned ours;            /* of a request in: our final answer; 0: none */
    bool paired;              /* a request out that stands for one of ours */
    char *sent;               /* a copy of ours */
    size_t sent_n;
    struct slice sent_branch; /* in it */
    uint64_t session;         /* of an INVITE */
    struct recorded *held;    /* list of what waits for the pairing */
    struct recorded *next_held;
};

struct recording {
    char id[PLATFORM_ID_MAX]; /* to whom the devices register, or as asked */
    struct recorded *m;
    size_t n, cap;
    size_t cut, gaps;         /* messages cut short; holes in TCP streams */
    struct map requests, answers; /* by CSeq, method and Call-ID */
    struct map calls;         /* requests out, by Call-ID, first ones first */
    struct recording_stream *streams;
    struct map by_way;        /* of the streams */
    uint64_t next_connection;
    bool no_memory;
};

/* id: of the platform; NULL: it is looked for. Slices point into file, which
 * outlives *r. 0; GB_ESYNTAX: no capture, or one without SIP; GB_ENOMEM. In any
 * case recording_free is due. */
int recording_read(struct recording *r, const char *id, struct slice file);

/* Requests out with this Call-ID, the first one first; NULL: no further one. */
struct recorded *recording_call(const struct recording *r,
                                struct slice call_id);
struct recorded *recording_call_next(const struct recorded *m);

/* Zeros are fine. */
void recording_free(struct recording *r);
#endif
