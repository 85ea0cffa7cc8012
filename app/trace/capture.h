/* app/trace/capture.h - UDP and TCP payloads out of pcapng and pcap files
 *
 * Reads what pcapng.h writes and what tcpdump and Wireshark write: both byte
 * orders, link types Ethernet (with VLAN tags), RAW, Linux cooked (both), BSD
 * loopback; IPv4 and IPv6. IP fragments are counted, not joined. */
#ifndef APP_TRACE_CAPTURE_H
#define APP_TRACE_CAPTURE_H

#include "base/addr.h"
#include "base/err.h"

#define CAPTURE_INTERFACES 16 /* of a section; packets of further ones are
                                 skipped */

struct capture_interface {
    uint16_t link;
    uint64_t per_s; /* ticks of its time stamps in a second */
};

struct capture {
    struct slice bytes; /* borrowed */
    size_t off;
    bool ng, big;       /* pcapng; big-endian */
    struct capture_interface iface[CAPTURE_INTERFACES];
    size_t n_ifaces;
    uint64_t skipped, fragments; /* packets that are no UDP or TCP; pieces */
};

struct capture_packet {
    int64_t utc_us;
    bool tcp, syn, fin; /* fin: FIN or RST */
    struct gb_addr src, dst;
    uint32_t seq;          /* TCP: of the first byte of payload (of the SYN) */
    struct slice payload;  /* into the file */
    size_t missing;        /* bytes of it that were not captured */
    struct slice comment;  /* pcapng; empty: none */
};

/* 0, or GB_ESYNTAX: neither pcapng nor pcap. */
int capture_open(struct capture *c, struct slice bytes);

/* 0; GB_ENOENT: the end; GB_ESYNTAX: the file is broken at c->off. */
int capture_next(struct capture *c, struct capture_packet *out);
#endif
