/* libosip2: a full tree, an allocation for each token. Its sdp_message_parse
 * does not know y= and f=, and reads C strings. */
#include "test/bench/peer.h"

#include <stdio.h>
#include <stdlib.h>

#include <osipparser2/osip_parser.h>
#include <osipparser2/sdp_message.h>

static osip_message_t *kept;

static int init(void)
{
    return parser_init();
}

static void addresses(const osip_message_t *m, struct bench_fields *f)
{
    osip_generic_param_t *tag = NULL;

    f->from_user = slice_str(m->from->url->username);
    if (osip_from_get_tag(m->from, &tag) == 0 && tag)
        f->from_tag = slice_str(tag->gvalue);
    tag = NULL;
    f->to_user = slice_str(m->to->url->username);
    if (osip_to_get_tag(m->to, &tag) == 0 && tag)
        f->to_tag = slice_str(tag->gvalue);
}

static void call_id(const osip_message_t *m, struct bench_fields *f)
{
    static char text[256];

    f->call_id = slice_str(m->call_id->number);
    if (!m->call_id->host)
        return;
    /* "a@b" is kept in two pieces */
    snprintf(text, sizeof(text), "%s@%s", m->call_id->number,
             m->call_id->host);
    f->call_id = slice_str(text);
}

static void others(osip_message_t *m, struct bench_fields *f)
{
    static char type[128];
    osip_uri_param_t *branch = NULL;
    osip_via_t *via = osip_list_get(&m->vias, 0);
    osip_contact_t *contact = NULL;
    osip_header_t *expires = NULL;
    osip_body_t *body = NULL;

    if (via) {
        f->via_host = slice_str(via->host);
        if (osip_via_param_get_byname(via, "branch", &branch) == 0 && branch)
            f->via_branch = slice_str(branch->gvalue);
    }
    if (osip_message_get_contact(m, 0, &contact) >= 0 && contact->url)
        f->contact_user = slice_str(contact->url->username);
    if (m->content_type) {
        snprintf(type, sizeof(type), "%s/%s", m->content_type->type,
                 m->content_type->subtype);
        f->content_type = slice_str(type);
    }
    if (osip_message_get_expires(m, 0, &expires) >= 0 && expires)
        f->expires = strtoll(expires->hvalue, NULL, 10);
    if (osip_message_get_body(m, 0, &body) >= 0 && body)
        f->body = slice_of(body->body, body->length);
}

static int extract(struct slice bytes, struct bench_fields *f)
{
    osip_message_free(kept);
    kept = NULL;
    if (osip_message_init(&kept) ||
        osip_message_parse(kept, bytes.p, bytes.n))
        return 1;
    *f = (struct bench_fields){ .expires = -1 };
    if (MSG_IS_RESPONSE(kept)) {
        f->status = (unsigned)kept->status_code;
        f->method = slice_str(kept->cseq->method);
    } else {
        f->method = slice_str(kept->sip_method);
        f->uri_user = slice_str(kept->req_uri->username);
    }
    f->cseq = (uint32_t)strtoul(kept->cseq->number, NULL, 10);
    call_id(kept, f);
    addresses(kept, f);
    others(kept, f);
    return 0;
}

static int sdp(struct slice body)
{
    sdp_message_t *m;
    int err;

    if (sdp_message_init(&m))
        return 1;
    err = sdp_message_parse(m, body.p);
    sdp_message_free(m);
    return err;
}

const struct bench_peer bench_peer = { "osip2", init, extract, sdp };
