#include "sip/via.h"

#include "base/head.h"
#include "base/scan.h"

static size_t skip_space(struct slice s, size_t i)
{
    while (i < s.n && ascii_is_space(s.p[i]))
        i++;
    return i;
}

/* One word of "SIP / 2.0 / UDP": up to the slash (or white space), which is
 * passed, with the white space round it. */
static struct slice take_word(struct slice s, size_t *at, bool last)
{
    size_t start = *at, i = start;
    struct slice word;

    while (i < s.n && s.p[i] != '/' && !ascii_is_space(s.p[i]))
        i++;
    word = slice_of(s.p + start, i - start);
    i = skip_space(s, i);
    if (!last) {
        if (i == s.n || s.p[i] != '/')
            return slice_of(NULL, 0);
        i = skip_space(s, i + 1);
    }
    *at = i;
    return word;
}

static int parse_protocol(struct sip_via *v, struct slice s, size_t *at)
{
    if (s.n > 8 && memcmp(s.p, "SIP/2.0/", 8) == 0) {
        v->version = slice_of(s.p + 4, 3);
        *at = 8;
    } else {
        if (!slice_ieq(take_word(s, at, false), SLICE("SIP")))
            return GB_ESYNTAX;
        v->version = take_word(s, at, false);
        if (v->version.n == 0)
            return GB_ESYNTAX;
    }
    if (*at < s.n && ascii_is_space(s.p[*at]))
        *at = skip_space(s, *at);
    v->transport = take_word(s, at, true);
    if (v->transport.n == 0 || *at == s.n || s.p[*at] == '/' ||
        !ascii_is_space(s.p[*at - 1]))
        return GB_ESYNTAX;
    return 0;
}

static bool is_host_char(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || ascii_is_digit(c) || c == '.' ||
           c == '-' || c == '_';
}

static int parse_host(struct sip_via *v, struct slice s, size_t *at)
{
    struct gb_addr ip;
    size_t start = *at, i = start;

    if (i < s.n && s.p[i] == '[') {
        i += scan_char(s.p + i, s.n - i, ']');
        if (i == s.n)
            return GB_ESYNTAX;
        i++;
        v->host = slice_of(s.p + start, i - start);
        if (gb_addr_parse_ip(&ip, v->host))
            return GB_ESYNTAX;
    } else {
        while (i < s.n && is_host_char(s.p[i]))
            i++;
        v->host = slice_of(s.p + start, i - start);
    }
    *at = skip_space(s, i);
    return v->host.n ? 0 : GB_ESYNTAX;
}

/* [: port]; *at is at the colon or behind the host. */
static int parse_port(struct sip_via *v, struct slice s, size_t *at)
{
    size_t start, i;
    uint32_t port;

    if (*at == s.n || s.p[*at] != ':')
        return 0;
    start = i = skip_space(s, *at + 1);
    while (i < s.n && ascii_is_digit(s.p[i]))
        i++;
    if (i == start)
        return GB_ESYNTAX;
    if (!slice_u32(slice_of(s.p + start, i - start), 65535, &port) ||
        port == 0)
        return GB_ERANGE;
    v->port = (uint16_t)port;
    *at = skip_space(s, i);
    return 0;
}

static struct slice without_brackets(struct slice s)
{
    if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        return slice_of(s.p + 1, s.n - 2);
    return s;
}

static void take_param(struct sip_via *v, const struct sip_param *p)
{
    uint32_t port;

    switch (p->name.n) {
    case 5:
        if (slice_ieq(p->name, SLICE("rport"))) {
            v->has_rport = true;
            if (slice_u32(p->value, 65535, &port))
                v->rport = (uint16_t)port;
        } else if (slice_ieq(p->name, SLICE("maddr"))) {
            v->maddr = without_brackets(p->value);
        }
        break;
    case 6:
        if (v->branch.n == 0 && slice_ieq(p->name, SLICE("branch")))
            v->branch = p->value;
        break;
    case 8:
        if (slice_ieq(p->name, SLICE("received")))
            v->received = without_brackets(p->value);
        break;
    default:
        break;
    }
}

int sip_via_parse(struct sip_via *out, struct slice value,
                  struct gb_diag *diag)
{
    struct sip_via v = { .text = slice_trim(value) };
    struct sip_param p;
    struct slice rest;
    size_t at = 0;
    int err;

    if (parse_protocol(&v, v.text, &at))
        return gb_fail(diag, GB_ESYNTAX, at, "protocol of Via");
    if (parse_host(&v, v.text, &at))
        return gb_fail(diag, GB_ESYNTAX, at, "sent-by host of Via");
    err = parse_port(&v, v.text, &at);
    if (err)
        return gb_fail(diag, err, at, "sent-by port of Via");
    if (at < v.text.n && v.text.p[at] != ';')
        return gb_fail(diag, GB_ESYNTAX, at, "text behind sent-by of Via");
    v.params = rest = slice_from(v.text, at + 1);
    while (sip_param_next(&rest, ';', &p))
        take_param(&v, &p);
    *out = v;
    return 0;
}

bool sip_via_has_cookie(const struct sip_via *v)
{
    return v->branch.n > sizeof(SIP_COOKIE) - 1 &&
           slice_has_iprefix(v->branch, SLICE(SIP_COOKIE));
}

int sip_via_reply_addr(const struct sip_via *v, struct gb_addr *out)
{
    bool tls = slice_ieq(v->transport, SLICE("TLS"));
    struct gb_addr a;
    int err = GB_ESYNTAX;

    if (v->received.n)
        err = gb_addr_parse_ip(&a, v->received);
    if (err)
        err = gb_addr_parse_ip(&a, v->host);
    if (err)
        return err;
    if (v->rport)
        a.port = v->rport;
    else if (v->port)
        a.port = v->port;
    else
        a.port = tls ? 5061 : 5060;
    *out = a;
    return 0;
}

void sip_via_write(struct writer *w, struct slice transport,
                   const struct gb_addr *sent_by, struct slice branch)
{
    writer_str(w, "Via: SIP/2.0/");
    writer_line_safe(w, transport);
    writer_char(w, ' ');
    gb_addr_write(w, sent_by);
    writer_str(w, ";rport;branch=");
    writer_line_safe(w, branch);
    writer_str(w, "\r\n");
}

/* "SIP/2.0/UDP host:port", what stands before the parameters. */
static struct slice before_params(const struct sip_via *v)
{
    struct slice s = slice_head(v->text, (size_t)(v->params.p - v->text.p));

    while (s.n && (s.p[s.n - 1] == ';' || ascii_is_space(s.p[s.n - 1])))
        s.n--;
    return s;
}

/* Everything of the params but those that the echo sets anew. */
static void write_other_params(struct writer *w, struct slice rest)
{
    struct sip_param p;

    for (;;) {
        const char *start;

        while (rest.n && (ascii_is_space(rest.p[0]) || rest.p[0] == ';'))
            rest = slice_from(rest, 1);
        start = rest.p;
        if (!sip_param_next(&rest, ';', &p))
            return;
        if (slice_ieq(p.name, SLICE("rport")) ||
            slice_ieq(p.name, SLICE("received")))
            continue;
        writer_char(w, ';');
        head_unfold(w, slice_trim(slice_of(start,
                                           (size_t)(rest.p - start))));
    }
}

void sip_via_write_echo(struct writer *w, const struct sip_via *v,
                        const struct gb_addr *source)
{
    struct gb_addr host;
    bool received = v->has_rport || gb_addr_parse_ip(&host, v->host) ||
                    !gb_addr_ip_eq(&host, source);

    if (!received && v->received.n == 0) {
        head_unfold(w, v->text);
        return;
    }
    head_unfold(w, before_params(v));
    if (v->has_rport) {
        writer_str(w, ";rport=");
        writer_u64(w, source->port);
    }
    writer_str(w, ";received=");
    gb_addr_write_ip(w, source);
    write_other_params(w, v->params);
}
