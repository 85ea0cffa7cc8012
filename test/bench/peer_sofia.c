/* sofia-sip: the message copied, every header an object */
#include "test/bench/peer.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sdp.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>

static msg_t *kept;
static const msg_mclass_t *message_class;

static int init(void)
{
    message_class = sip_default_mclass();
    return !message_class;
}

static int extract(struct slice bytes, struct bench_fields *f)
{
    const sip_t *s;

    msg_destroy(kept);
    kept = msg_make(message_class, MSG_DO_EXTRACT_COPY, bytes.p,
                    (ssize_t)bytes.n);
    s = kept ? sip_object(kept) : NULL;
    if (!s || !s->sip_cseq || !s->sip_from || !s->sip_to || !s->sip_via ||
        !s->sip_call_id)
        return 1;
    *f = (struct bench_fields){ .expires = -1 };
    if (s->sip_request) {
        f->method = slice_str(s->sip_request->rq_method_name);
        f->uri_user = slice_str(s->sip_request->rq_url->url_user);
    } else {
        f->status = (unsigned)s->sip_status->st_status;
        f->method = slice_str(s->sip_cseq->cs_method_name);
    }
    f->call_id = slice_str(s->sip_call_id->i_id);
    f->from_user = slice_str(s->sip_from->a_url->url_user);
    f->from_tag = slice_str(s->sip_from->a_tag);
    f->to_user = slice_str(s->sip_to->a_url->url_user);
    f->to_tag = slice_str(s->sip_to->a_tag);
    f->via_host = slice_str(s->sip_via->v_host);
    f->via_branch = slice_str(s->sip_via->v_branch);
    if (s->sip_contact)
        f->contact_user = slice_str(s->sip_contact->m_url->url_user);
    if (s->sip_content_type)
        f->content_type = slice_str(s->sip_content_type->c_type);
    f->cseq = s->sip_cseq->cs_seq;
    if (s->sip_expires)
        f->expires = (int64_t)s->sip_expires->ex_delta;
    if (s->sip_payload)
        f->body = slice_of(s->sip_payload->pl_data, s->sip_payload->pl_len);
    return 0;
}

static int sdp(struct slice body)
{
    sdp_parser_t *p = sdp_parse(NULL, body.p, (issize_t)body.n, sdp_f_insane);
    int bad = !p || !sdp_session(p);

    sdp_parser_free(p);
    return bad;
}

const struct bench_peer bench_peer = { "sofia", init, extract, sdp };
