/* app/net/noted.h - what peers do wrong: one line for each peer and kind
 *
 * Malformed input of any edge is told once in a while, with how often it has
 * happened since; the counters of /metrics count every one. A fixed table
 * remembers whom we have told about, so a flood from many addresses neither
 * grows us nor fills the disk. */
#ifndef APP_NET_NOTED_H
#define APP_NET_NOTED_H

#include "base/addr.h"

#define NOTED_SETS 256           /* of the table, NOTED_WAYS peers each */
#define NOTED_WAYS 4
#define NOTED_AGAIN_MS 600000    /* between two lines of one peer and kind */
#define NOTED_LINES_PER_S 10     /* of all peers together */
#define NOTED_BURST 40

#define NOTED_KIND_MAP(X)                                                      \
    X(SIP,      "bad SIP message")                                             \
    X(SIP_TCP,  "SIP connection cut")                                          \
    X(RTP,      "bad RTP packet")                                              \
    X(RTP_SSRC, "RTP of another source")                                       \
    X(RTP_TCP,  "RTP over TCP out of step")                                    \
    X(PS,       "broken program stream")                                       \
    X(HTTP,     "bad HTTP request")

enum noted_kind {
#define X(id, text) NOTED_##id,
    NOTED_KIND_MAP(X)
#undef X
    NOTED_KINDS
};

struct noted_entry {
    uint64_t told_ms; /* the last line */
    struct gb_addr peer;
    uint8_t kind;
    uint32_t silent; /* since that line */
};

/* All zero is empty. */
struct noted {
    struct noted_entry entry[NOTED_SETS][NOTED_WAYS];
    uint64_t filled_ms;
    uint32_t tokens_milli; /* lines that may be written, times 1000 */
    uint64_t left_out;     /* lines that found no token, since the last one */
};

/* It has happened once more. true: tell it; *silent is how often it has
 * happened unsaid, *left_out how many lines of other peers were not written.
 * The port of the peer does not count. now_ms: monotonic, above 0. */
bool noted_take(struct noted *n, enum noted_kind kind,
                const struct gb_addr *peer, uint64_t now_ms, uint32_t *silent,
                uint64_t *left_out);

/* The same with the table of the process, from any thread: one warning with
 * the kind, the peer and why (of ours, may be NULL). */
void noted_bad(enum noted_kind kind, const struct gb_addr *peer,
               const char *why);
#endif
