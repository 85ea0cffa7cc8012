/* app/rtsp/describe.h - the SDP of a stream (RFC 2326 Appendix C, RFC 8866;
 * RFC 6184 §8.1, RFC 7798 §7.1, RFC 3640 §4.1) */
#ifndef APP_RTSP_DESCRIBE_H
#define APP_RTSP_DESCRIBE_H

#include "app/media/rtpmux.h"
#include "base/addr.h"

#define RTSP_SDP_MAX 4096 /* bytes of a description: enough but for very long
                             parameter sets */

/* local: of the connection, for the origin line. A track that is NULL is not
 * there. Errors stay in w. */
void rtsp_sdp_write(struct writer *w, const struct gb_addr *local,
                    uint64_t session,
                    const struct media_config *const config[MEDIA_TRACKS]);
#endif
