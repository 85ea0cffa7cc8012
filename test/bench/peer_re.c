/* libre: a list of headers; Via, From, To, CSeq and URIs decoded in place */
#include "test/bench/peer.h"

#include <re.h>

static struct mbuf *mb;
static struct sip_msg *kept;
static struct sa local;

static int init(void)
{
    mb = mbuf_alloc(1);
    if (!mb)
        return 1;
    mb->buf = mem_deref(mb->buf);
    return sa_set_str(&local, "127.0.0.1", 9);
}

static void set_bytes(struct slice bytes)
{
    mb->buf = (uint8_t *)(uintptr_t)bytes.p;
    mb->pos = 0;
    mb->size = mb->end = bytes.n;
}

static struct slice text(const struct pl *p)
{
    return slice_of(p->p, p->l);
}

static int others(struct bench_fields *f)
{
    const struct sip_hdr *h = sip_msg_hdr(kept, SIP_HDR_CONTACT);
    struct sip_addr contact;

    if (h && sip_addr_decode(&contact, &h->val))
        return 1;
    if (h)
        f->contact_user = text(&contact.uri.user);
    h = sip_msg_hdr(kept, SIP_HDR_CONTENT_TYPE);
    if (h)
        f->content_type = text(&h->val);
    if (pl_isset(&kept->expires))
        f->expires = pl_u32(&kept->expires);
    f->body = slice_of((const char *)mbuf_buf(kept->mb),
                       mbuf_get_left(kept->mb));
    return 0;
}

static int extract(struct slice bytes, struct bench_fields *f)
{
    kept = mem_deref(kept);
    set_bytes(bytes);
    if (sip_msg_decode(&kept, mb))
        return 1;
    *f = (struct bench_fields){ .expires = -1 };
    if (kept->req) {
        f->method = text(&kept->met);
        f->uri_user = text(&kept->uri.user);
    } else {
        f->status = kept->scode;
        f->method = text(&kept->cseq.met);
    }
    f->call_id = text(&kept->callid);
    f->from_user = text(&kept->from.uri.user);
    f->from_tag = text(&kept->from.tag);
    f->to_user = text(&kept->to.uri.user);
    f->to_tag = text(&kept->to.tag);
    f->via_host = text(&kept->via.sentby);
    f->via_host = slice_head(f->via_host, slice_find(f->via_host, ':'));
    f->via_branch = text(&kept->via.branch);
    f->cseq = kept->cseq.num;
    return others(f);
}

static int sdp(struct slice body)
{
    struct sdp_session *s = NULL;
    struct sdp_media *m = NULL;
    int err = sdp_session_alloc(&s, &local);

    set_bytes(body);
    if (!err)
        err = sdp_media_add(&m, s, "video", 9, "TCP/RTP/AVP");
    if (!err)
        err = sdp_format_add(NULL, m, false, "96", "PS", 90000, 1, NULL, NULL,
                             NULL, false, NULL);
    if (!err)
        err = sdp_decode(s, mb, true);
    mem_deref(s);
    return err;
}

const struct bench_peer bench_peer = { "re", init, extract, sdp };
