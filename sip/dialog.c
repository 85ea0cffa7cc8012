#include "sip/dialog.h"

#include "sip/value.h"

bool sip_dialog_contact(const struct sip_msg *m, struct slice *uri)
{
    struct sip_addr a;
    struct gb_addr ip;

    if (sip_msg_contact(m, &a) || a.is_star)
        return false;
    if (a.uri.scheme == SIP_SCHEME_OTHER || a.uri.user.n == 0)
        return false;
    if (!gb_addr_parse_ip(&ip, a.uri.host) && gb_addr_is_any(&ip))
        return false;
    *uri = sip_uri_target(&a.uri);
    return true;
}

void sip_dialog_of_invite(struct sip_dialog *d, const struct sip_msg *invite)
{
    *d = (struct sip_dialog){
        .call_id = invite->call_id,
        .local = invite->from.text,
        .local_uri = invite->from.uri.text,
        .local_tag = invite->from.tag,
        .remote = invite->to.text,
        .remote_uri = invite->to.uri.text,
        .remote_tag = invite->to.tag,
        .target = invite->uri.text,
        .local_cseq = invite->cseq.number,
    };
}

/* Joins the elements of Route or Record-Route. Too many, and the set is empty:
 * requests go to the peer's address all the same. */
static int join_routes(struct slice *out, const struct sip_msg *m,
                       enum sip_hdr id, bool reverse, struct arena *scratch)
{
    struct slice elem[SIP_MAX_ROUTES];
    int n = sip_msg_routes(m, id, elem, SIP_MAX_ROUTES);
    struct writer w;
    size_t need = 0;
    char *p;

    *out = (struct slice){ NULL, 0 };
    if (n <= 0)
        return 0;
    for (int i = 0; i < n; i++)
        need += elem[i].n + 2;
    p = arena_alloc(scratch, need);
    if (!p)
        return GB_ENOMEM;
    w = writer_of(p, need);
    for (int i = 0; i < n; i++) {
        if (i)
            writer_str(&w, ", ");
        writer_line_safe(&w, elem[reverse ? n - 1 - i : i]);
    }
    *out = writer_slice(&w);
    return w.err;
}

int sip_dialog_of_response(struct sip_dialog *d, const struct sip_msg *invite,
                           const struct sip_msg *resp, struct arena *scratch)
{
    sip_dialog_of_invite(d, invite);
    sip_dialog_contact(resp, &d->target);
    if (invite->to.tag.n)
        return join_routes(&d->routes, invite, SIP_HDR_ROUTE, false, scratch);
    d->remote = resp->to.text;
    d->remote_uri = resp->to.uri.text;
    d->remote_tag = resp->to.tag;
    return join_routes(&d->routes, resp, SIP_HDR_RECORD_ROUTE, true, scratch);
}

/* value, and `;tag=` in bytes of the scratch. */
static int with_tag(struct slice *out, struct slice value, struct slice tag,
                    struct slice *tag_out, struct arena *scratch)
{
    size_t cap = value.n + sizeof(";tag=") + tag.n;
    char *p = arena_alloc(scratch, cap);
    struct writer w = writer_of(p, cap);

    if (!p)
        return GB_ENOMEM;
    writer_line_safe(&w, value);
    writer_str(&w, ";tag=");
    *tag_out = slice_of(p + w.len, tag.n);
    writer_slice_put(&w, tag);
    *out = writer_slice(&w);
    return w.err;
}

/* "sip:user@source" */
static int target_of_source(struct slice *out, struct slice user,
                            const struct gb_addr *source, struct arena *scratch)
{
    size_t cap = user.n + GB_ADDR_TEXT_MAX + sizeof("sip:@");
    char *p = arena_alloc(scratch, cap);
    struct writer w = writer_of(p, cap);

    if (!p)
        return GB_ENOMEM;
    writer_str(&w, "sip:");
    if (user.n) {
        writer_slice_put(&w, user);
        writer_char(&w, '@');
    }
    gb_addr_write(&w, source);
    *out = writer_slice(&w);
    return w.err;
}

int sip_dialog_of_request(struct sip_dialog *d, const struct sip_msg *invite,
                          struct slice local_tag, const struct gb_addr *source,
                          struct arena *scratch)
{
    int err = 0;

    *d = (struct sip_dialog){
        .call_id = invite->call_id,
        .local = invite->to.text,
        .local_uri = invite->to.uri.text,
        .local_tag = invite->to.tag,
        .remote = invite->from.text,
        .remote_uri = invite->from.uri.text,
        .remote_tag = invite->from.tag,
        .remote_cseq = invite->cseq.number,
        .has_remote_cseq = true,
    };
    if (d->local_tag.n == 0)
        err = with_tag(&d->local, invite->to.text, local_tag, &d->local_tag,
                       scratch);
    if (!err && !sip_dialog_contact(invite, &d->target))
        err = target_of_source(&d->target, invite->from.uri.user, source,
                               scratch);
    if (err)
        return err;
    return join_routes(&d->routes, invite, SIP_HDR_RECORD_ROUTE, false,
                       scratch);
}

/* What is copied: whole values; their parts are moved along. */
static size_t n_own(const struct sip_dialog *d)
{
    return d->call_id.n + d->local.n + d->remote.n + d->local_uri.n +
           d->remote_uri.n + d->local_tag.n + d->remote_tag.n + d->target.n +
           d->routes.n;
}

size_t sip_dialog_size(const struct sip_dialog *d)
{
    return n_own(d);
}

static struct slice put(char **mem, struct slice s)
{
    struct slice out = { *mem, s.n };

    if (s.n)
        memcpy(*mem, s.p, s.n);
    *mem += s.n;
    return out;
}

void sip_dialog_copy(struct sip_dialog *out, const struct sip_dialog *in,
                     char *mem)
{
    struct sip_dialog d = *in;

    d.call_id = put(&mem, in->call_id);
    d.local = put(&mem, in->local);
    d.remote = put(&mem, in->remote);
    d.local_uri = put(&mem, in->local_uri);
    d.remote_uri = put(&mem, in->remote_uri);
    d.local_tag = put(&mem, in->local_tag);
    d.remote_tag = put(&mem, in->remote_tag);
    d.target = put(&mem, in->target);
    d.routes = put(&mem, in->routes);
    *out = d;
}

bool sip_dialog_has_tags(const struct sip_dialog *d, const struct sip_msg *req)
{
    if (req->to.tag.n && !slice_eq(req->to.tag, d->local_tag))
        return false;
    return !d->remote_tag.n || !req->from.tag.n ||
           slice_eq(req->from.tag, d->remote_tag);
}

bool sip_dialog_take_cseq(struct sip_dialog *d, uint32_t number)
{
    if (d->has_remote_cseq && number < d->remote_cseq)
        return false;
    d->remote_cseq = number;
    d->has_remote_cseq = true;
    return true;
}

/* "<target>" as the last Route behind a strict router. */
static int bracketed(struct slice *out, struct slice uri, struct arena *scratch)
{
    char *p = arena_alloc(scratch, uri.n + 2);
    struct writer w = writer_of(p, uri.n + 2);

    if (!p)
        return GB_ENOMEM;
    sip_addr_write(&w, uri, (struct slice){ NULL, 0 });
    *out = writer_slice(&w);
    return w.err;
}

int sip_dialog_fill(const struct sip_dialog *d, struct sip_request_parts *p,
                    struct slice *routes, struct arena *scratch)
{
    struct slice rest = d->routes, elem;
    struct sip_addr first;
    size_t n = 0;

    p->uri = d->target;
    p->from_raw = d->local;
    p->to_raw = d->remote;
    p->call_id = d->call_id;
    p->route = routes;
    p->n_route = 0;
    while (n < SIP_MAX_ROUTES && sip_list_cut(&rest, &elem))
        routes[n++] = elem;
    if (n && !sip_addr_parse(&first, routes[0], NULL) &&
        sip_uri_is_sip(&first.uri) && !sip_uri_is_loose(&first.uri)) {
        int err = bracketed(&routes[n], d->target, scratch);

        if (err)
            return err;
        p->uri = sip_uri_target(&first.uri);
        p->route = routes + 1;
    }
    p->n_route = n;
    return 0;
}
