#include "sip/dump.h"

#include "sip/value.h"

static void put_text(struct writer *w, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c >= 0x20 && c < 0x7f && c != '\\') {
            writer_char(w, c);
        } else {
            writer_str(w, "\\x");
            writer_hex(w, &c, 1);
        }
    }
}

static void put_slice(struct writer *w, const struct sip_msg *m,
                      const char *name, struct slice s)
{
    if (s.p == NULL)
        return;
    writer_str(w, name);
    writer_str(w, " @");
    writer_u64(w, (uint64_t)(s.p - m->bytes.p));
    writer_char(w, '+');
    writer_u64(w, s.n);
    if (s.n)
        writer_char(w, ' ');
    put_text(w, s);
    writer_char(w, '\n');
}

static void put_number(struct writer *w, const char *name, int64_t v)
{
    writer_str(w, name);
    writer_char(w, ' ');
    writer_i64(w, v);
    writer_char(w, '\n');
}

static void put_uri(struct writer *w, const struct sip_msg *m,
                    const struct sip_uri *u)
{
    static const char *const scheme[] = {
        [SIP_SCHEME_OTHER] = "other",
        [SIP_SCHEME_SIP] = "sip",
        [SIP_SCHEME_SIPS] = "sips",
        [SIP_SCHEME_TEL] = "tel",
    };

    if (u->text.p == NULL)
        return;
    put_slice(w, m, " uri", u->text);
    writer_str(w, "  scheme ");
    writer_str(w, scheme[u->scheme]);
    writer_char(w, '\n');
    put_slice(w, m, "  user", u->user);
    put_slice(w, m, "  password", u->password);
    put_slice(w, m, "  host", u->host);
    if (u->port)
        put_number(w, "  port", u->port);
    if (u->params.n)
        put_slice(w, m, "  params", u->params);
    if (u->headers.n)
        put_slice(w, m, "  headers", u->headers);
}

static void put_addr(struct writer *w, const struct sip_msg *m,
                     const char *name, const struct sip_addr *a)
{
    if (a->text.p == NULL)
        return;
    put_slice(w, m, name, a->text);
    if (a->display.n)
        put_slice(w, m, " display", a->display);
    put_uri(w, m, &a->uri);
    if (a->params.n)
        put_slice(w, m, " params", a->params);
    if (a->tag.n)
        put_slice(w, m, " tag", a->tag);
}

static void put_via(struct writer *w, const struct sip_msg *m)
{
    const struct sip_via *v = &m->via;
    struct sip_walk k = sip_msg_walk(m, SIP_HDR_VIA);
    struct slice elem;

    if (v->text.p) {
        put_slice(w, m, "via", v->text);
        put_slice(w, m, " transport", v->transport);
        put_slice(w, m, " host", v->host);
        if (v->port)
            put_number(w, " port", v->port);
        if (v->has_rport)
            put_number(w, " rport", v->rport);
        put_slice(w, m, " branch", v->branch);
        put_slice(w, m, " received", v->received);
        put_slice(w, m, " maddr", v->maddr);
    }
    if (sip_walk_next(&k, &elem))
        while (sip_walk_next(&k, &elem))
            put_slice(w, m, "via below", elem);
}

static void put_odd(struct writer *w, unsigned odd)
{
    static const char *const names[] = {
        "bare-lf", "start-blanks", "uri-brackets", "bare-addr", "no-cookie",
        "clen-large", "clen-small", "no-clen", "trailing", "no-max-forwards",
        "leading", "no-via",
    };

    if (odd == 0)
        return;
    writer_str(w, "odd");
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (odd >> i & 1) {
            writer_char(w, ' ');
            writer_str(w, names[i]);
        }
    }
    writer_char(w, '\n');
}

static void put_contacts(struct writer *w, const struct sip_msg *m)
{
    struct sip_walk k = sip_msg_walk(m, SIP_HDR_CONTACT);
    struct sip_addr a;
    struct slice elem;

    while (sip_walk_next(&k, &elem)) {
        if (sip_addr_parse(&a, elem, NULL))
            put_slice(w, m, "contact broken", elem);
        else
            put_addr(w, m, "contact", &a);
    }
}

static void put_fields(struct writer *w, const struct sip_msg *m)
{
    for (size_t i = 0; i < m->n_fields; i++) {
        const struct sip_field *f = &m->fields[i];
        struct slice known = sip_hdr_name((enum sip_hdr)f->id);

        writer_str(w, "field ");
        if (known.n)
            writer_slice_put(w, known);
        else
            put_text(w, f->name);
        if (f->folded)
            writer_str(w, " folded");
        put_slice(w, m, "", f->value);
    }
}

static void put_start(struct writer *w, const struct sip_msg *m)
{
    if (m->is_request) {
        put_slice(w, m, "request", m->method_name);
        put_uri(w, m, &m->uri);
    } else if (m->status) {
        put_number(w, "response", m->status);
        put_slice(w, m, " reason", m->reason);
    }
}

void sip_msg_dump(struct writer *w, const struct sip_msg *m, int err,
                  const struct gb_diag *diag)
{
    static const char *const content[] = { "none", "MANSCDP", "SDP",
                                           "MANSRTSP", "multipart", "other" };

    if (err) {
        writer_f(w, "error \"%s\" at %zu: %s\n", gb_strerror(err),
                 diag ? diag->off : 0, diag ? diag->why : "");
        put_number(w, "reject", m->reject);
    }
    put_start(w, m);
    put_via(w, m);
    put_addr(w, m, "from", &m->from);
    put_addr(w, m, "to", &m->to);
    put_slice(w, m, "call-id", m->call_id);
    if (m->cseq.method_name.n) {
        put_number(w, "cseq", m->cseq.number);
        put_slice(w, m, " method", m->cseq.method_name);
    }
    if (m->max_forwards >= 0)
        put_number(w, "max-forwards", m->max_forwards);
    put_contacts(w, m);
    if (sip_msg_expires(m, NULL) >= 0)
        put_number(w, "expires", sip_msg_expires(m, NULL));
    if (m->content_length >= 0)
        put_number(w, "content-length", m->content_length);
    writer_str(w, "content ");
    writer_str(w, content[sip_msg_content(m)]);
    writer_char(w, '\n');
    put_slice(w, m, "body", m->body);
    if (m->trailing)
        put_number(w, "trailing", (int64_t)m->trailing);
    put_odd(w, m->odd);
    put_fields(w, m);
}
