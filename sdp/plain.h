/* sdp/plain.h - lines as nearly all descriptions spell them, read along a map
 * of their blanks (base/scan.h) */
#ifndef SDP_PLAIN_H
#define SDP_PLAIN_H

#include "sdp/read.h"

/* Reads the lines of body, by sdp_read_line those that are not plain. Where it
 * stopped: in front of a last line that has no end, or of three octets at
 * most. body holds 1..SDP_MAX_BYTES octets. */
size_t sdp_plain_read(struct sdp_reader *r, struct slice body);
#endif
