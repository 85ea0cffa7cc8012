#include "sip/via.h"

#include "base/head.h"
#include "base/scan.h"
#include "sip/host.h"
#include "sip/plain.h"

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

static int parse_host(struct sip_via *v, struct slice s, size_t *at)
{
    if (sip_host_take(&v->host, s, at))
        return GB_ESYNTAX;
    *at = skip_space(s, *at);
    return v->host.n ? 0 : GB_ESYNTAX;
}

/* [: port]; *at is at the colon or behind the host. */
static int parse_port(struct sip_via *v, struct slice s, size_t *at)
{
    size_t i;
    int err;

    if (*at == s.n || s.p[*at] != ':')
        return 0;
    i = skip_space(s, *at + 1);
    err = sip_port_take(&v->port, s, &i);
    if (!err)
        *at = skip_space(s, i);
    return err;
}

static struct slice without_brackets(struct slice s)
{
    if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        return slice_of(s.p + 1, s.n - 2);
    return s;
}

/* name has the length of word, which is nearly always spelled so. */
static inline bool name_is(struct slice name, struct slice word)
{
    return memcmp(name.p, word.p, word.n) == 0 || slice_ieq(name, word);
}

static int take_ttl(struct sip_via *v, struct slice value)
{
    uint32_t ttl;

    if (!slice_u32(value, 255, &ttl))
        return GB_ERANGE;
    v->has_ttl = true;
    v->ttl = (uint8_t)ttl;
    return 0;
}

int sip_via_take(struct sip_via *v, struct slice name, struct slice value)
{
    uint32_t port;

    switch (name.n) {
    case 3:
        if (name_is(name, SLICE("ttl")))
            return take_ttl(v, value);
        break;
    case 5:
        if (name_is(name, SLICE("rport"))) {
            v->has_rport = true;
            if (value.n && slice_u32(value, 65535, &port))
                v->rport = (uint16_t)port;
        } else if (name_is(name, SLICE("maddr"))) {
            v->maddr = without_brackets(value);
        }
        break;
    case 6:
        if (v->branch.n == 0 && name_is(name, SLICE("branch")))
            v->branch = value;
        break;
    case 8:
        if (name_is(name, SLICE("received")))
            v->received = without_brackets(value);
        break;
    default:
        break;
    }
    return 0;
}

int sip_via_parse(struct sip_via *out, struct slice value,
                  struct gb_diag *diag)
{
    struct sip_via v;
    struct slice text = slice_trim(value), rest;
    uint64_t map[SCAN_MAP_WORDS];
    struct sip_plain t;
    struct sip_param p;
    size_t at = 0;
    int err;

    if (sip_plain_of(&t, map, text) && sip_plain_via(&v, t, 0, text.n)) {
        *out = v;
        return 0;
    }
    v = (struct sip_via){ .text = text };
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
    while (!err && sip_param_next(&rest, ';', &p))
        err = sip_via_take(&v, p.name, p.value);
    *out = v;
    return err ? gb_fail(diag, err, (size_t)(p.name.p - v.text.p), "ttl of Via")
               : 0;
}

bool sip_via_has_cookie(const struct sip_via *v)
{
    const size_t n = sizeof(SIP_COOKIE) - 1;

    return v->branch.n > n &&
           (memcmp(v->branch.p, SIP_COOKIE, n) == 0 ||
            slice_has_iprefix(v->branch, SLICE(SIP_COOKIE)));
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

/* "rport;branch=z9hG4bK1", as nearly all write them: *branch is what is behind
 * the "rport". It may be any one parameter that is none of those below. */
static bool is_usual(struct slice params, struct slice *branch)
{
    static const struct slice rport = SLICE_INIT("rport;");

    if (!slice_has_prefix(params, rport))
        return false;
    *branch = slice_from(params, rport.n);
    return branch->n && *branch->p == 'b' &&
           slice_find(*branch, ';') == branch->n;
}

/* Everything of the params but those that the echo sets anew. */
static void write_other_params(struct writer *w, struct slice rest)
{
    struct slice branch;
    struct sip_param p;

    if (is_usual(rest, &branch)) {
        writer_char(w, ';');
        head_unfold(w, slice_trim(branch));
        return;
    }
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
