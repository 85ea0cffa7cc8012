/* test/trace_vec.h - messages that the tests of the trace share */
#ifndef TEST_TRACE_VEC_H
#define TEST_TRACE_VEC_H

#include "app/trace/ring.h"
#include "base/writer.h"

#define OUR_ID "34020000002000000001"
#define CAM "34020000001320000001"
#define CAM2 "34020000001320000002"

#define KEEPALIVE_BODY                                                         \
    "<?xml version=\"1.0\"?>\r\n<Notify>\r\n<CmdType>Keepalive</CmdType>\r\n"  \
    "<SN>7</SN>\r\n<DeviceID>" CAM "</DeviceID>\r\n<Status>OK</Status>\r\n"    \
    "</Notify>\r\n"

/* A request of `id` to us (or of ours to it), as text in buf. */
static inline struct slice vec_request(char buf[static 4096],
                                       const char *method, const char *from,
                                       const char *to, const char *call_id,
                                       unsigned cseq, const char *more,
                                       const char *body)
{
    struct writer w = writer_of(buf, 4096);

    writer_f(&w,
             "%s sip:%s@3402000000 SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK%s%u\r\n"
             "From: <sip:%s@3402000000>;tag=f%s\r\n"
             "To: <sip:%s@3402000000>\r\n"
             "Call-ID: %s\r\nCSeq: %u %s\r\n%s"
             "Content-Length: %zu\r\n\r\n%s",
             method, to, call_id, cseq, from, call_id, to, call_id, cseq,
             method, more, strlen(body), body);
    return writer_slice(&w);
}

static inline struct slice vec_response(char buf[static 4096], unsigned status,
                                        const char *method, const char *from,
                                        const char *to, const char *call_id,
                                        unsigned cseq)
{
    struct writer w = writer_of(buf, 4096);

    writer_f(&w,
             "SIP/2.0 %u Some Words\r\n"
             "Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK%s%u\r\n"
             "From: <sip:%s@3402000000>;tag=f%s\r\n"
             "To: <sip:%s@3402000000>;tag=t1\r\n"
             "Call-ID: %s\r\nCSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
             status, call_id, cseq, from, call_id, to, call_id, cseq, method);
    return writer_slice(&w);
}

static inline struct sip_peer vec_peer(uint8_t transport, const char *local,
                                       const char *remote)
{
    struct sip_peer p = { .transport = transport };

    gb_addr_parse(&p.local, slice_str(local), 0);
    gb_addr_parse(&p.remote, slice_str(remote), 0);
    return p;
}
#endif
