/* app/trace/pcapng.h - SIP messages as a capture that Wireshark opens
 * (draft-ietf-opsawg-pcapng; link type RAW: IP packets)
 *
 * What was on the wire below SIP is not kept, so IP, UDP and TCP headers are
 * made up around each message: right addresses, ports, lengths and checksums;
 * for TCP sequence numbers that go on from message to message. Each packet has
 * a comment that names direction, device and how often it came. */
#ifndef APP_TRACE_PCAPNG_H
#define APP_TRACE_PCAPNG_H

#include "app/trace/ring.h"
#include "app/trace/rtplog.h"
#include "base/writer.h"

#define PCAPNG_STREAMS 1024 /* TCP streams whose numbers are remembered */
#define PCAPNG_BLOCK_MAX (TRACE_MESSAGE_MAX + 512) /* bytes of one packet */
#define PCAPNG_BEGIN_MAX 256
#define PCAPNG_RTP_MAX 192 /* bytes of the header of one RTP packet */

/* The way of one connection, as the numbers of its next bytes. */
struct pcapng_stream {
    struct gb_addr local, remote;
    uint32_t seq[2]; /* by enum trace_dir */
};

struct pcapng {
    struct pcapng_stream stream[PCAPNG_STREAMS];
    uint32_t next_isn;
    uint16_t ip_id;
};

void pcapng_init(struct pcapng *f);

/* The section header and the interface. Errors stay in w. */
void pcapng_begin(struct writer *w, const char *application);

/* One message; its bytes are written masked (app/trace/mask.h). */
void pcapng_packet(struct pcapng *f, struct writer *w,
                   const struct trace_item *item);

/* The header of an RTP packet that came to us, as a packet that was captured no
 * further than that; over UDP in every case, the comment tells. */
void pcapng_rtp(struct pcapng *f, struct writer *w,
                const struct rtplogs_of *of, const struct rtplog_packet *p);
#endif
