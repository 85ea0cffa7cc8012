/* app/trace/rtplog.h - the first and the last RTP headers of each session, as
 * evidence beside its messages
 *
 * One thread writes, another reads at any time: what it read while it was
 * written over is left out. The sessions that ended last are kept as well. */
#ifndef APP_TRACE_RTPLOG_H
#define APP_TRACE_RTPLOG_H

#include "base/addr.h"

#define RTPLOG_FIRST 500 /* headers kept of the beginning of a session */
#define RTPLOG_LAST 500  /* and of its end */
#define RTPLOG_ENDED 64  /* ended sessions kept: 24 KB each */
#define RTPLOG_HEAD 12   /* bytes of a header */
#define RTPLOG_TEXT_MAX 96

/* ---- one session ---- */

struct rtplog;
struct rtplog *rtplog_ref(struct rtplog *l);
void rtplog_unref(struct rtplog *l); /* any thread; NULL is fine */

/* One packet of n bytes, at least RTPLOG_HEAD. One thread only. */
void rtplog_put(struct rtplog *l, const uint8_t *p, size_t n, bool tcp,
                int64_t utc_ms);

/* Packets will come soon: where they go is fetched from far memory. */
void rtplog_prefetch(const struct rtplog *l);

struct rtplog_packet {
    int64_t utc_ms;
    bool tcp;
    size_t len; /* of the packet */
    uint8_t head[RTPLOG_HEAD];
};
/* Fills out in the order of arrival, room for RTPLOG_FIRST + RTPLOG_LAST;
 * *total: how many there were. */
size_t rtplog_read(const struct rtplog *l, struct rtplog_packet *out,
                   uint64_t *total);

/* ---- all of them, on one thread ---- */

struct rtplogs;
struct rtplogs *rtplogs_new(void); /* NULL: no memory */
void rtplogs_free(struct rtplogs *s);

/* Of a session that begins, or begins anew; borrowed, NULL: no memory. */
struct rtplog *rtplogs_open(struct rtplogs *s, uint64_t session);

/* What a session is and where its media go; too long texts are cut. */
struct rtplogs_of {
    struct slice device, channel, call_id;
    struct gb_addr local, remote;
};
void rtplogs_note(struct rtplogs *s, uint64_t session,
                  const struct rtplogs_of *of);
void rtplogs_end(struct rtplogs *s, uint64_t session);

/* The i-th, the oldest first; NULL: there is none. */
struct rtplog *rtplogs_at(const struct rtplogs *s, size_t i,
                          struct rtplogs_of *of);
#endif
