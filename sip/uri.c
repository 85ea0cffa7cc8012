#include "sip/uri.h"

#include "base/scan.h"
#include "sip/host.h"
#include "sip/plain.h"

/* Length of the scheme before its colon, 0 when there is none. */
static size_t scheme_length(struct slice s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] != ':') {
        char l = ascii_lower(s.p[n]);

        if (!(l >= 'a' && l <= 'z') &&
            (n == 0 || !(ascii_is_digit(l) || l == '+' || l == '-' ||
                         l == '.')))
            return 0;
        n++;
    }
    return n < s.n ? n : 0;
}

/* host[:port] up to ';', '?' or the end of s; *at moves behind it. */
static int parse_hostport(struct sip_uri *u, struct slice s, size_t *at,
                          const char **why)
{
    size_t i = *at;

    *why = "host is no IPv6 address";
    if (sip_host_take(&u->host, s, &i))
        return GB_ESYNTAX;
    *why = "no host in the URI";
    if (u->host.n == 0)
        return GB_ESYNTAX;
    if (i < s.n && s.p[i] == ':') {
        int err;

        i++;
        *why = "port of the URI";
        err = sip_port_take(&u->port, s, &i);
        if (err)
            return err;
    }
    *at = i;
    *why = "host of the URI";
    return i == s.n || s.p[i] == ';' || s.p[i] == '?' ? 0 : GB_ESYNTAX;
}

static int parse_sip(struct sip_uri *u, struct slice s, size_t at,
                     const char **why)
{
    size_t end = at + scan_char(s.p + at, s.n - at, '@'), question;
    int err;

    if (end < s.n) {
        struct slice info = slice_of(s.p + at, end - at);
        size_t colon = scan_char(info.p, info.n, ':');

        u->user = slice_head(info, colon);
        if (colon < info.n)
            u->password = slice_from(info, colon + 1);
        *why = "empty user in the URI";
        if (u->user.n == 0)
            return GB_ESYNTAX;
        at = end + 1;
    }
    err = parse_hostport(u, s, &at, why);
    if (err || at == s.n)
        return err;
    question = at + scan_char(s.p + at, s.n - at, '?');
    if (s.p[at] == ';')
        u->params = slice_of(s.p + at + 1, question - at - 1);
    if (question < s.n)
        u->headers = slice_from(s, question + 1);
    return 0;
}

/* A digit of a number, or what is written between them for the eye. Local
 * numbers have letters, * and # too. */
static bool is_phone_char(char c, bool global)
{
    char l = ascii_lower(c);

    if (ascii_is_digit(c) || c == '-' || c == '.' || c == '(' || c == ')')
        return true;
    return !global && ((l >= 'a' && l <= 'f') || c == '*' || c == '#');
}

static bool is_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')';
}

/* RFC 3966 §3, but a local number needs no phone-context. */
static int parse_tel(struct sip_uri *u, struct slice s, const char **why)
{
    size_t end = scan_char(s.p, s.n, ';'), digits = 0;
    bool global = s.p[0] == '+';

    *why = "number of the tel: URI";
    for (size_t i = global; i < end; i++) {
        if (!is_phone_char(s.p[i], global))
            return GB_ESYNTAX;
        digits += !is_separator(s.p[i]);
    }
    u->params = slice_from(s, end + 1);
    return digits ? 0 : GB_ESYNTAX;
}

static enum sip_scheme scheme_of(struct slice name)
{
    if (slice_ieq(name, SLICE("sip")))
        return SIP_SCHEME_SIP;
    if (slice_ieq(name, SLICE("sips")))
        return SIP_SCHEME_SIPS;
    return slice_ieq(name, SLICE("tel")) ? SIP_SCHEME_TEL : SIP_SCHEME_OTHER;
}

static int parse_any(struct sip_uri *out, struct slice text,
                     struct gb_diag *diag)
{
    struct sip_uri u = { .text = text };
    const char *why = "no scheme in the URI";
    size_t at, scheme;
    int err = 0;

    at = scan_delimiter(text.p, text.n);
    if (at < text.n)
        return gb_fail(diag, GB_ESYNTAX, at, "octet not allowed in a URI");
    scheme = scheme_length(text);
    if (scheme == 0 || scheme + 1 == text.n)
        return gb_fail(diag, GB_ESYNTAX, 0, why);
    u.scheme = scheme_of(slice_head(text, scheme));
    if (sip_uri_is_sip(&u))
        err = parse_sip(&u, text, scheme + 1, &why);
    else if (u.scheme == SIP_SCHEME_TEL)
        err = parse_tel(&u, slice_from(text, scheme + 1), &why);
    if (err)
        return gb_fail(diag, err, scheme + 1, why);
    *out = u;
    return 0;
}

int sip_uri_parse(struct sip_uri *out, struct slice text, struct gb_diag *diag)
{
    uint64_t map[SCAN_MAP_WORDS];
    struct sip_plain t;

    if (sip_plain_of(&t, map, text) && sip_plain_uri(out, t, 0, text.n))
        return 0;
    return parse_any(out, text, diag);
}

/* Takes one octet off *s; *escaped says whether it was written as %xx. */
static char take_octet(struct slice *s, bool *escaped)
{
    char c = s->p[0];
    int hi, lo;

    *escaped = false;
    if (c == '%' && s->n >= 3 && (hi = ascii_hex(s->p[1])) >= 0 &&
        (lo = ascii_hex(s->p[2])) >= 0) {
        *escaped = true;
        c = (char)(unsigned char)(hi << 4 | lo);
        *s = slice_from(*s, 3);
    } else {
        *s = slice_from(*s, 1);
    }
    return c;
}

bool sip_unescape(struct slice s, char *buf, size_t cap, struct slice *out)
{
    size_t n = 0;
    bool escaped;

    while (s.n && n < cap)
        buf[n++] = take_octet(&s, &escaped);
    *out = slice_of(buf, n);
    return s.n == 0;
}

bool sip_uri_user(const struct sip_uri *u, char *buf, size_t cap,
                  struct slice *out)
{
    if (scan_char(u->user.p, u->user.n, '%') == u->user.n) {
        *out = u->user;
        return true;
    }
    return sip_unescape(u->user, buf, cap, out);
}

/* Reserved characters are not equal to their escaped form (§19.1.4). */
static bool is_reserved(char c)
{
    switch (c) {
    case ';': case '/': case '?': case ':': case '@': case '&': case '=':
    case '+': case '$': case ',':
        return true;
    default:
        return false;
    }
}

/* Equal after decoding once; icase: letters fold. */
static bool escaped_eq(struct slice a, struct slice b, bool icase)
{
    while (a.n && b.n) {
        bool ea, eb;
        char ca = take_octet(&a, &ea), cb = take_octet(&b, &eb);

        if (icase) {
            ca = ascii_lower(ca);
            cb = ascii_lower(cb);
        }
        if (ca != cb || (ea != eb && is_reserved(ca)))
            return false;
    }
    return a.n == 0 && b.n == 0;
}

bool sip_uri_param(const struct sip_uri *u, struct slice name,
                   struct sip_param *out)
{
    struct slice rest = u->params;
    struct sip_param p;

    while (sip_param_next(&rest, ';', &p)) {
        if (escaped_eq(p.name, name, true)) {
            *out = p;
            return true;
        }
    }
    return false;
}

bool sip_uri_is_loose(const struct sip_uri *u)
{
    struct sip_param p;

    return sip_uri_param(u, SLICE("lr"), &p);
}

int sip_uri_addr(const struct sip_uri *u, uint16_t def_port,
                 struct gb_addr *out)
{
    int err = gb_addr_parse_ip(out, u->host);

    if (err == 0)
        out->port = u->port ? u->port : def_port;
    return err;
}

/* Parameters that make two URIs different when only one has them; transport
 * is not in the list of §19.1.4, but in its examples. */
static bool must_match(struct slice name)
{
    return escaped_eq(name, SLICE("user"), true) ||
           escaped_eq(name, SLICE("ttl"), true) ||
           escaped_eq(name, SLICE("method"), true) ||
           escaped_eq(name, SLICE("maddr"), true) ||
           escaped_eq(name, SLICE("transport"), true);
}

/* What a says is not contradicted by b. Of a parameter that stands twice, the
 * first counts. */
static bool params_agree(const struct sip_uri *a, const struct sip_uri *b)
{
    struct slice rest = a->params;
    struct sip_param p, q;

    while (sip_param_next(&rest, ';', &p)) {
        if (sip_uri_param(a, p.name, &q) && q.name.p != p.name.p)
            continue;
        if (sip_uri_param(b, p.name, &q)) {
            if (!escaped_eq(p.value, q.value, true))
                return false;
        } else if (must_match(p.name)) {
            return false;
        }
    }
    return true;
}

/* Every header part of a is in b with the same value, as often as in a. */
static bool headers_in(struct slice a, struct slice b)
{
    struct sip_param p, q;
    size_t n_a = 0, n_b = 0;
    struct slice rest = b;

    while (sip_param_next(&rest, '&', &q))
        n_b++;
    while (sip_param_next(&a, '&', &p)) {
        bool found = false;

        n_a++;
        rest = b;
        while (!found && sip_param_next(&rest, '&', &q))
            found = escaped_eq(p.name, q.name, true) &&
                    escaped_eq(p.value, q.value, false);
        if (!found)
            return false;
    }
    return n_a == n_b;
}

static bool hosts_eq(struct slice a, struct slice b)
{
    struct gb_addr x, y;

    if (slice_ieq(a, b))
        return true;
    return a.n && a.p[0] == '[' && gb_addr_parse_ip(&x, a) == 0 &&
           gb_addr_parse_ip(&y, b) == 0 && gb_addr_ip_eq(&x, &y);
}

struct slice sip_uri_number(const struct sip_uri *u)
{
    struct slice s = slice_from(u->text, 4); /* "tel:" */

    if (u->scheme != SIP_SCHEME_TEL)
        return slice_of(NULL, 0);
    return slice_head(s, scan_char(s.p, s.n, ';'));
}

/* Numbers are equal but for what is written between the digits. */
static bool numbers_eq(struct slice a, struct slice b)
{
    for (;;) {
        while (a.n && is_separator(a.p[0]))
            a = slice_from(a, 1);
        while (b.n && is_separator(b.p[0]))
            b = slice_from(b, 1);
        if (a.n == 0 || b.n == 0)
            return a.n == b.n;
        if (ascii_lower(a.p[0]) != ascii_lower(b.p[0]))
            return false;
        a = slice_from(a, 1);
        b = slice_from(b, 1);
    }
}

/* Every parameter of a tel: URI counts, in any order (RFC 3966 §4); of one that
 * stands twice, the first. */
static bool all_params_in(const struct sip_uri *a, const struct sip_uri *b)
{
    struct slice rest = a->params;
    struct sip_param p, q;

    while (sip_param_next(&rest, ';', &p)) {
        if (sip_uri_param(a, p.name, &q) && q.name.p != p.name.p)
            continue;
        if (!sip_uri_param(b, p.name, &q) ||
            !escaped_eq(p.value, q.value, true))
            return false;
    }
    return true;
}

bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b)
{
    if (a->scheme != b->scheme)
        return false;
    if (a->scheme == SIP_SCHEME_TEL)
        return numbers_eq(sip_uri_number(a), sip_uri_number(b)) &&
               all_params_in(a, b) && all_params_in(b, a);
    if (a->scheme == SIP_SCHEME_OTHER)
        return slice_eq(a->text, b->text);
    return a->port == b->port && escaped_eq(a->user, b->user, false) &&
           escaped_eq(a->password, b->password, false) &&
           hosts_eq(a->host, b->host) && params_agree(a, b) &&
           params_agree(b, a) && headers_in(a->headers, b->headers) &&
           headers_in(b->headers, a->headers);
}

/* user of §25.1: unreserved and user-unreserved. */
static bool is_user_char(char c)
{
    char l = ascii_lower(c);

    if ((l >= 'a' && l <= 'z') || ascii_is_digit(c))
        return true;
    switch (c) {
    case '-': case '_': case '.': case '!': case '~': case '*': case '\'':
    case '(': case ')': case '&': case '=': case '+': case '$': case ',':
    case ';': case '?': case '/':
        return true;
    default:
        return false;
    }
}

void sip_uri_write(struct writer *w, struct slice user, struct slice host)
{
    static const char digits[] = "0123456789ABCDEF";

    writer_str(w, "sip:");
    for (size_t i = 0; i < user.n; i++) {
        unsigned char c = (unsigned char)user.p[i];

        if (is_user_char(user.p[i])) {
            writer_char(w, user.p[i]);
        } else {
            writer_char(w, '%');
            writer_char(w, digits[c >> 4]);
            writer_char(w, digits[c & 15]);
        }
    }
    if (user.n)
        writer_char(w, '@');
    writer_line_safe(w, host);
}
