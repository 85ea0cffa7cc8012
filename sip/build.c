#include "sip/build.h"

#include "base/head.h"

#define SIP_MAX_FORWARDS 70

static void refuse(struct writer *w)
{
    if (!w->err)
        w->err = GB_ESYNTAX;
}

static void write_line(struct writer *w, const char *name, struct slice value)
{
    writer_str(w, name);
    writer_str(w, ": ");
    writer_line_safe(w, value);
    writer_str(w, "\r\n");
}

static void write_if(struct writer *w, const char *name, struct slice value)
{
    if (value.n)
        write_line(w, name, value);
}

void sip_header_write(struct writer *w, struct slice name, struct slice value)
{
    if (!sip_is_token(name)) {
        refuse(w);
        return;
    }
    writer_slice_put(w, name);
    writer_str(w, ": ");
    writer_line_safe(w, value);
    writer_str(w, "\r\n");
}

static void put_crlf(struct writer *w)
{
    writer_bytes(w, "\r\n", 2);
}

static void write_echoed(struct writer *w, const char *name,
                         struct slice value)
{
    writer_str(w, name);
    writer_bytes(w, ": ", 2);
    head_unfold(w, value);
    put_crlf(w);
}

static void write_addr(struct writer *w, const char *name, struct slice raw,
                       struct slice uri, struct slice tag)
{
    if (raw.n) {
        write_line(w, name, raw);
        return;
    }
    writer_str(w, name);
    writer_str(w, ": ");
    sip_addr_write(w, uri, tag);
    writer_str(w, "\r\n");
}

static void write_contact(struct writer *w, struct slice raw, struct slice uri)
{
    if (raw.n || uri.n)
        write_addr(w, "Contact", raw, uri, slice_of(NULL, 0));
}

static void write_expires(struct writer *w, int64_t expires)
{
    if (expires < 0)
        return;
    writer_str(w, "Expires: ");
    writer_u64(w, (uint64_t)expires);
    writer_str(w, "\r\n");
}

static void write_extras(struct writer *w, const struct sip_extra *extra,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        sip_header_write(w, extra[i].name, extra[i].value);
}

static void write_body(struct writer *w, struct slice type, struct slice body)
{
    if (body.n)
        write_if(w, "Content-Type", type);
    writer_str(w, "Content-Length: ");
    writer_u64(w, body.n);
    writer_str(w, "\r\n\r\n");
    writer_slice_put(w, body);
}

/* No blank, bracket or control octet can stand in a Request-URI. */
static bool is_writable_uri(struct slice uri)
{
    struct sip_uri u;

    return sip_uri_parse(&u, uri, NULL) == 0;
}

static void write_request_line(struct writer *w, struct slice method,
                               struct slice uri)
{
    if (!sip_is_token(method) || !is_writable_uri(uri)) {
        refuse(w);
        return;
    }
    writer_slice_put(w, method);
    writer_char(w, ' ');
    writer_slice_put(w, uri);
    writer_str(w, " SIP/2.0\r\n");
}

int sip_request_build(struct writer *w, const struct sip_request_parts *r)
{
    struct sip_cseq cseq = { r->cseq, r->method, r->method_name };
    int max_forwards = r->max_forwards ? r->max_forwards : SIP_MAX_FORWARDS;

    if (r->call_id.n == 0 || r->branch.n == 0 || !r->sent_by ||
        r->cseq > SIP_CSEQ_MAX || !sip_is_token(r->transport) ||
        !sip_is_token(r->branch))
        refuse(w);
    if (w->err)
        return w->err;
    write_request_line(w, r->method ? sip_method_name(r->method)
                                    : r->method_name, r->uri);
    sip_via_write(w, r->transport, r->sent_by, r->branch);
    for (size_t i = 0; i < r->n_route; i++)
        write_line(w, "Route", r->route[i]);
    write_addr(w, "From", r->from_raw, r->from, r->from_tag);
    write_addr(w, "To", r->to_raw, r->to, r->to_tag);
    write_line(w, "Call-ID", r->call_id);
    write_extras(w, &r->login, r->login.name.n ? 1 : 0);
    sip_cseq_write(w, &cseq);
    write_contact(w, r->contact_raw, r->contact);
    writer_str(w, "Max-Forwards: ");
    writer_u64(w, (uint64_t)(max_forwards > 0 ? max_forwards : 0));
    writer_str(w, "\r\n");
    write_if(w, "User-Agent", r->user_agent);
    write_expires(w, r->expires);
    write_if(w, "Subject", r->subject);
    write_extras(w, r->extra, r->n_extra);
    write_body(w, r->content_type, r->body);
    return w->err;
}

/* All Via lines of req; source (may be NULL) marks the top value. */
static void write_vias(struct writer *w, const struct sip_msg *req,
                       const struct gb_addr *source)
{
    const struct sip_field *f = sip_msg_field(req, SIP_HDR_VIA);
    bool top = source != NULL && req->via.host.n;

    for (; f; f = sip_field_next(req, f)) {
        struct slice rest = f->value, elem;
        bool first = true;

        if (!top) {
            write_echoed(w, "Via", f->value);
            continue;
        }
        writer_str(w, "Via: ");
        while (sip_list_cut(&rest, &elem)) {
            if (!first)
                writer_str(w, ", ");
            if (top)
                sip_via_write_echo(w, &req->via, source);
            else
                head_unfold(w, elem);
            top = first = false;
        }
        writer_str(w, "\r\n");
    }
}

static void write_to(struct writer *w, const struct sip_msg *req,
                     struct slice to_tag)
{
    struct slice value = sip_msg_value(req, SIP_HDR_TO);

    writer_str(w, "To: ");
    head_unfold(w, value);
    if (to_tag.n && req->to.tag.n == 0 && req->to.text.n) {
        if (!sip_is_token(to_tag))
            refuse(w);
        writer_str(w, ";tag=");
        writer_slice_put(w, to_tag);
    }
    writer_str(w, "\r\n");
}

static void echo_if(struct writer *w, const struct sip_msg *req,
                    enum sip_hdr id, const char *name)
{
    if (sip_msg_has(req, id))
        write_echoed(w, name, sip_msg_value(req, id));
}

int sip_echo_write(struct writer *w, const struct sip_msg *req,
                   const struct gb_addr *source, struct slice to_tag)
{
    write_vias(w, req, source);
    echo_if(w, req, SIP_HDR_FROM, "From");
    if (sip_msg_has(req, SIP_HDR_TO))
        write_to(w, req, to_tag);
    echo_if(w, req, SIP_HDR_CALL_ID, "Call-ID");
    echo_if(w, req, SIP_HDR_CSEQ, "CSeq");
    echo_if(w, req, SIP_HDR_TIMESTAMP, "Timestamp");
    return w->err;
}

int sip_record_route_write(struct writer *w, const struct sip_msg *req)
{
    const struct sip_field *f = sip_msg_field(req, SIP_HDR_RECORD_ROUTE);

    for (; f; f = sip_field_next(req, f))
        write_echoed(w, "Record-Route", f->value);
    return w->err;
}

int sip_status_line_write(struct writer *w, unsigned status,
                          struct slice reason)
{
    char code[] = "SIP/2.0 000 ";

    if (status < 100 || status > 699) {
        if (!w->err)
            w->err = GB_ERANGE;
        return w->err;
    }
    code[8] = (char)('0' + status / 100);
    code[9] = (char)('0' + status / 10 % 10);
    code[10] = (char)('0' + status % 10);
    writer_bytes(w, code, sizeof(code) - 1);
    if (reason.n)
        writer_line_safe(w, reason);
    else
        writer_slice_put(w, sip_reason(status));
    put_crlf(w);
    return w->err;
}

int sip_response_echo_write(struct writer *w,
                            const struct sip_response_parts *r)
{
    if (!r->req) {
        writer_slice_put(w, r->echo);
        writer_slice_put(w, r->record_route);
        return w->err;
    }
    sip_echo_write(w, r->req, r->source, r->to_tag);
    if (r->routes)
        sip_record_route_write(w, r->req);
    return w->err;
}

int sip_response_tail_write(struct writer *w,
                            const struct sip_response_parts *r)
{
    write_contact(w, r->contact_raw, r->contact);
    write_expires(w, r->expires);
    write_extras(w, r->extra, r->n_extra);
    writer_slice_put(w, r->lines);
    write_if(w, "Server", r->server);
    write_body(w, r->content_type, r->body);
    return w->err;
}

int sip_response_build(struct writer *w, const struct sip_response_parts *r)
{
    if (sip_status_line_write(w, r->status, r->reason))
        return w->err;
    sip_response_echo_write(w, r);
    return sip_response_tail_write(w, r);
}

/* The request line and the one Via of a request of ours, for another method. */
static void write_same_top(struct writer *w, const struct sip_msg *invite,
                           enum sip_method method)
{
    const struct sip_field *f = sip_msg_field(invite, SIP_HDR_ROUTE);

    write_request_line(w, sip_method_name(method), invite->uri.text);
    writer_str(w, "Via: ");
    head_unfold(w, invite->via.text);
    writer_str(w, "\r\n");
    for (; f; f = sip_field_next(invite, f))
        write_echoed(w, "Route", f->value);
    echo_if(w, invite, SIP_HDR_FROM, "From");
}

static int write_same_end(struct writer *w, const struct sip_msg *invite,
                          enum sip_method method)
{
    struct sip_cseq cseq = { invite->cseq.number, method, { NULL, 0 } };

    echo_if(w, invite, SIP_HDR_CALL_ID, "Call-ID");
    sip_cseq_write(w, &cseq);
    writer_str(w, "Max-Forwards: ");
    writer_u64(w, SIP_MAX_FORWARDS);
    writer_str(w, "\r\n");
    echo_if(w, invite, SIP_HDR_USER_AGENT, "User-Agent");
    write_body(w, slice_of(NULL, 0), slice_of(NULL, 0));
    return w->err;
}

int sip_ack_build(struct writer *w, const struct sip_msg *invite,
                  struct slice to)
{
    write_same_top(w, invite, SIP_METHOD_ACK);
    write_echoed(w, "To", to);
    return write_same_end(w, invite, SIP_METHOD_ACK);
}

int sip_cancel_build(struct writer *w, const struct sip_msg *invite)
{
    write_same_top(w, invite, SIP_METHOD_CANCEL);
    echo_if(w, invite, SIP_HDR_TO, "To");
    return write_same_end(w, invite, SIP_METHOD_CANCEL);
}
