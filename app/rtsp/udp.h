/* app/rtsp/udp.h - the UDP sockets that one viewer is served from: for each
 * track RTP on an even port and RTCP on the next */
#ifndef APP_RTSP_UDP_H
#define APP_RTSP_UDP_H

#include "app/media/rtpmux.h"
#include "base/addr.h"

#define RTSP_PORT_TRIES 16 /* until a port is even and the next one is free */
#define RTSP_UDP_BATCH 64  /* packets of one system call */
#define RTSP_UDP_GROUP_BYTES 64000 /* of one datagram that the kernel cuts into
                                      packets (UDP_SEGMENT) */

struct rtsp_udp_track {
    int fd[2];        /* RTP, RTCP; -1: not open */
    uint16_t port;    /* of RTP, ours */
    uint16_t to[2];   /* the viewer's; 0: nothing goes */
    uint16_t named[2]; /* by the viewer; 0: none */
    bool learnt[2];   /* `to` is where something came from */
};

struct rtsp_udp {
    struct gb_addr peer; /* its address, the port does not matter */
    bool no_segments;    /* the kernel has refused UDP_SEGMENT */
    struct rtsp_udp_track track[MEDIA_TRACKS];
};

void rtsp_udp_init(struct rtsp_udp *u, const struct gb_addr *peer);

/* The ports of a track, on the address that the viewer has connected to; open
 * ones stay. 0 or GB_EIO. */
int rtsp_udp_open(struct rtsp_udp *u, enum media_track t,
                  const struct gb_addr *local, const uint16_t to[static 2]);
/* Nothing of the track goes any more, until its ports are opened again. */
void rtsp_udp_mute(struct rtsp_udp *u, enum media_track t);
void rtsp_udp_close(struct rtsp_udp *u);

/* Sends whole packets, framed as in chunks, until max bytes of them are done
 * with; what goes nowhere is passed over. Returns the bytes that are done with,
 * a whole number of packets; *full: a socket takes no more now. */
size_t rtsp_udp_send(struct rtsp_udp *u, struct slice framed, size_t max,
                     bool *full);

/* Reads what has come to a socket of a track (0 RTP, 1 RTCP). true: there was
 * something from the viewer's address. The first such packet tells where the
 * viewer really is: behind a NAT its port is another than the one it named. What
 * comes from the one that it named is its own: whatever else has such an address
 * sends to a port that was another's before, or wants its picture. */
bool rtsp_udp_read(struct rtsp_udp *u, enum media_track t, unsigned which);
#endif
