/* app/trace/ring.h - the last SIP messages in and out, in bounded memory
 *
 * Messages lie whole in blocks of 64 KiB, which are taken from the allocator
 * as they are needed; when all are in use the oldest is emptied at once. They
 * are chained, newest first, by device and by Call-ID, so that a query reads
 * only what it may give. A chain ends where it leads into a block that has
 * been used again: nothing is unlinked.
 *
 * There are two such rings: seven eighths of the memory keep what belongs to
 * devices that are known, the rest keeps strangers and garbage, so that a
 * flood does not wash away the evidence.
 *
 * Repeated keepalives of a device, and the 200 to each, are stored once with a
 * count and the time of the last (field note 21.5). One that is refused is
 * stored whole, and so is the next. */
#ifndef APP_TRACE_RING_H
#define APP_TRACE_RING_H

#include "base/alloc.h"
#include "base/time.h"
#include "sip/stack.h"

#define TRACE_BLOCK 65536
#define TRACE_MESSAGE_MAX 60000 /* bytes kept of one message */
#define TRACE_ID_MAX 32         /* bytes of a device id */
#define TRACE_MEMORY_MIN (1u << 20)

enum trace_dir { TRACE_IN, TRACE_OUT };

struct trace_config {
    const struct gb_alloc *alloc; /* borrowed */
    size_t memory_bytes;          /* at most; less than the minimum is it */
    const char *id;               /* our own SIP id; borrowed */
    /* The known device that an id of a message belongs to (itself, or the
     * owner of a channel); false: a stranger. Called inside trace_put, may be
     * NULL: all are known, and are themselves. */
    bool (*owner)(void *ctx, struct slice id, struct slice *device);
    void *ctx;
};

struct trace;
/* Takes a few KB; the blocks come with the messages. 0 or GB_ENOMEM. */
int trace_new(struct trace **out, const struct trace_config *cfg);
void trace_free(struct trace *t);

/* Keeps one message. Without memory it is counted and forgotten; keep-alives of
 * up to four bytes are only counted. */
void trace_put(struct trace *t, enum trace_dir dir,
               const struct sip_peer *peer, struct slice bytes,
               struct gb_time now);

/* The same for one that came in and that the stack has read: m. */
void trace_put_read(struct trace *t, const struct sip_peer *peer,
                    const struct sip_msg *m, struct gb_time now);

/* m will be put soon: asks for the memory that this needs. */
void trace_ahead(const struct trace *t, const struct sip_msg *m);

/* One message; slices are good until the next trace_put. */
struct trace_item {
    uint64_t seq;            /* from 1, in the order of arrival */
    struct gb_time time;     /* of the first */
    int64_t last_utc_ms;     /* of the last, when count > 1 */
    uint32_t count;
    enum trace_dir dir;
    struct sip_peer peer;    /* transport, listener, local, remote */
    bool known;              /* the device was known then */
    struct slice device;     /* empty: none is named */
    struct slice method;     /* of CSeq in a response; empty: no SIP */
    unsigned status;         /* 0: a request */
    struct slice reason;     /* of a response */
    struct slice call_id, branch;
    uint32_t cseq;
    struct slice bytes;      /* at most TRACE_MESSAGE_MAX; not masked */
    size_t len;              /* of the message as it was */
};

/* Empty slices and zeros do not restrict. */
struct trace_query {
    struct slice device, call_id;
    int64_t since_utc_ms; /* the last of a count is not older */
    uint64_t after;       /* seq is greater */
    bool oldest;          /* of too many give the oldest; else the newest */
};

/* Fills pos[0 .. n) in the order of arrival, n at most cap; *total (may be
 * NULL) is how many there are in all. A position finds nothing when its block
 * has been used again. */
size_t trace_find(const struct trace *t, const struct trace_query *q,
                  uint64_t *pos, size_t cap, size_t *total);
bool trace_get(const struct trace *t, uint64_t pos, struct trace_item *out);

/* The newest seq, 0: none. */
uint64_t trace_last(const struct trace *t);

/* Per listener of the edge (field note 1.5): has anything arrived at all? */
#define TRACE_LISTENERS 16
struct trace_listener {
    uint64_t received, bad;
    int64_t last_utc_ms, bad_utc_ms; /* 0: never */
    struct gb_addr last_from, bad_from;
    const char *bad_why; /* static */
};
/* The stack could not read what trace_put was given last. */
void trace_bad(struct trace *t, const struct sip_peer *peer, const char *why,
               struct gb_time now);
const struct trace_listener *trace_listener(const struct trace *t, size_t i);

struct trace_counters {
    uint64_t messages, folded, dropped; /* dropped: no memory */
    uint64_t memory;                    /* bytes taken now */
};
void trace_counters(const struct trace *t, struct trace_counters *out);
#endif
