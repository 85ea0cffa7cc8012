#include "app/config_int.h"

#include "app/platform/exec_row.h"

#include <stdarg.h>
#include <stdlib.h>

const struct key_info config_keys[CONFIG_COUNT] = {
#define X(id, name, type, def, choices, min, max, hup, help)                   \
    { name, CONFIG_##type, def, choices, min, max, hup, help },
    CONFIG_MAP(X)
#undef X
};

int config_refuse(struct config_error *e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    return GB_ESYNTAX;
}

/* ---- values -------------------------------------------------------------- */

bool config_is_list(enum config_type t)
{
    return t == CONFIG_LISTEN || t == CONFIG_NETS || t == CONFIG_ADVERTISE ||
           t == CONFIG_CHOICES || t == CONFIG_PREFIXES ||
           t == CONFIG_REDIRECTS || t == CONFIG_HOOKS || t == CONFIG_EXEC;
}

void config_value_clear(struct config_value *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->item[i]);
    free(v->item);
    *v = (struct config_value){ 0 };
}

bool config_value_push(struct config_value *v, struct slice s)
{
    char **item = realloc(v->item, (v->n + 1) * sizeof(*item));
    char *copy = malloc(s.n + 1);

    if (item)
        v->item = item;
    if (!item || !copy) {
        free(copy);
        return false;
    }
    slice_copy(copy, s.n + 1, s);
    v->item[v->n++] = copy;
    return true;
}

static bool parse_bool(struct slice s, bool *out)
{
    static const struct slice yes[] = { SLICE_INIT("true"), SLICE_INIT("yes"),
                                        SLICE_INIT("on"), SLICE_INIT("1") };
    static const struct slice no[] = { SLICE_INIT("false"), SLICE_INIT("no"),
                                       SLICE_INIT("off"), SLICE_INIT("0") };

    for (size_t i = 0; i < 4; i++) {
        if (slice_ieq(s, yes[i]) || slice_ieq(s, no[i])) {
            *out = slice_ieq(s, yes[i]);
            return true;
        }
    }
    return false;
}

static bool parse_choice(struct slice s, const char *choices)
{
    struct slice all = slice_str(choices), one;
    bool more;

    do {
        more = slice_cut(&all, '|', &one);
        if (slice_eq(one, s))
            return true;
    } while (more);
    return false;
}

static bool parse_ports(struct slice s, uint16_t *min, uint16_t *max)
{
    struct slice lo;
    uint32_t a, b;

    if (!slice_cut(&s, '-', &lo) || !slice_u32(lo, 65535, &a) ||
        !slice_u32(s, 65535, &b) || a == 0 || a + 1 > b)
        return false;
    *min = (uint16_t)a;
    *max = (uint16_t)b;
    return true;
}

static bool parse_zone(struct slice s, int *min)
{
    struct slice hours;
    uint32_t h, m;
    bool west;

    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-'))
        return false;
    west = s.p[0] == '-';
    s = slice_from(s, 1);
    if (!slice_cut(&s, ':', &hours) || !slice_u32(hours, 14, &h) ||
        !slice_u32(s, 59, &m))
        return false;
    *min = west ? -(int)(h * 60 + m) : (int)(h * 60 + m);
    return true;
}

/* false: 0; true: when_true; else seconds of min to max. */
static bool parse_period(struct slice s, const struct key_info *k,
                         uint32_t when_true, uint32_t *seconds)
{
    bool flag;

    if (!parse_bool(s, &flag))
        return slice_u32(s, k->max, seconds) && *seconds >= k->min;
    *seconds = flag ? when_true : 0;
    return true;
}

static bool parse_net(struct slice s, struct gb_addr *net, unsigned *bits)
{
    struct slice ip;
    bool has_bits = slice_cut(&s, '/', &ip);
    uint32_t max, b;

    if (gb_addr_parse_ip(net, ip))
        return false;
    max = net->family == GB_IPV4 ? 32 : 128;
    b = max;
    if (has_bits && !slice_u32(s, max, &b))
        return false;
    *bits = b;
    return true;
}

static bool parse_advertise(struct slice s, struct gb_addr *net, unsigned *bits,
                            struct gb_addr *to)
{
    struct slice left;

    return slice_cut(&s, ' ', &left) && parse_net(left, net, bits) &&
           gb_addr_parse_ip(to, slice_trim(s)) == 0;
}

static bool is_prefix(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]))
            return false;
    return s.n > 0 && s.n <= 20;
}

static bool parse_redirect(struct slice s, struct slice *prefix)
{
    struct gb_addr a;
    struct slice id;

    return slice_cut(&s, ' ', prefix) && is_prefix(*prefix) &&
           slice_cut(&s, '@', &id) && is_prefix(id) &&
           gb_addr_parse(&a, s, 5060) == 0;
}

/* "url secret", "url secret kind+kind" */
static bool parse_hook(struct slice s, struct slice *url, struct slice *secret,
                       struct slice *kinds)
{
    struct hooks_url u;
    struct slice rest, one;

    slice_cut(&s, ' ', url);
    s = slice_trim(s);
    slice_cut(&s, ' ', secret);
    *kinds = rest = slice_trim(s);
    if (hooks_url_parse(&u, *url) || secret->n == 0 ||
        secret->n > HOOKS_SECRET_MAX)
        return false;
    while (rest.n) {
        slice_cut(&rest, '+', &one);
        if (hooks_kind_by_name(one) >= HOOKS_TEST)
            return false;
    }
    return true;
}

static bool is_id(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]))
            return false;
    return s.n == 20;
}

/* NULL, or what is wrong with one item of a key. */
static const char *item_fault(const struct key_info *k, struct slice s)
{
    struct gb_addr a, b;
    struct slice left, right, last;
    unsigned bits, kinds;
    uint16_t lo, hi;
    uint32_t v;
    bool flag;
    int zone;

    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20)
            return "control characters are not allowed";
    switch (k->type) {
    case CONFIG_TEXT:
        return s.n <= (k->max ? k->max : CONFIG_MAX_TEXT) ? NULL : "too long";
    case CONFIG_OPEN:
        return NULL;
    case CONFIG_ID:
        return is_id(s) ? NULL : "must be 20 digits";
    case CONFIG_BOOL:
        return parse_bool(s, &flag) ? NULL : "must be true or false";
    case CONFIG_NUMBER:
        return slice_u32(s, k->max, &v) && v >= k->min
                   ? NULL : "not a number of the allowed range";
    case CONFIG_CHOICE:
    case CONFIG_CHOICES:
        return parse_choice(s, k->choices) ? NULL : "not one of the choices";
    case CONFIG_LISTEN:
        return gb_addr_parse(&a, s, 0) == 0 && a.port
                   ? NULL : "must be ADDRESS:PORT, IPv6 in brackets";
    case CONFIG_ADDRESS:
        return s.n == 0 || gb_addr_parse_ip(&a, s) == 0
                   ? NULL : "must be an IP address";
    case CONFIG_PORTS:
        return parse_ports(s, &lo, &hi) ? NULL : "must be FIRST-LAST";
    case CONFIG_ZONE:
        return parse_zone(s, &zone) ? NULL : "must be like +08:00";
    case CONFIG_PERIOD:
        return parse_period(s, k, 0, &v)
                   ? NULL : "must be true, false or seconds of the allowed range";
    case CONFIG_NETS:
        return parse_net(s, &a, &bits) ? NULL : "must be NET/BITS";
    case CONFIG_ADVERTISE:
        return parse_advertise(s, &a, &bits, &b)
                   ? NULL : "must be a net and an address";
    case CONFIG_PREFIXES:
        return is_prefix(s) ? NULL : "must be the first digits of ids";
    case CONFIG_HOOKS:
        return parse_hook(s, &left, &right, &last)
                   ? NULL : "must be URL SECRET, and maybe KIND+KIND";
    case CONFIG_EXEC:
        return exec_row_parse(s, &kinds, &left)
                   ? NULL : "must be KIND+KIND /PROGRAM, and maybe arguments";
    case CONFIG_REDIRECTS:
        return parse_redirect(s, &left)
                   ? NULL : "must be DIGITS ID@ADDRESS:PORT";
    }
    return NULL;
}

/* Splits at commas for lists; "" gives an empty list. */
bool config_value_of_text(struct config_value *v, const struct key_info *k,
                          struct slice s)
{
    struct slice one;
    bool more = true;

    if (!config_is_list(k->type))
        return config_value_push(v, s);
    while (more && s.n) {
        more = slice_cut(&s, ',', &one);
        if (!config_value_push(v, slice_trim(one)))
            return false;
    }
    return true;
}

int config_init(struct config *c)
{
    *c = (struct config){ 0 };
    for (size_t i = 0; i < CONFIG_COUNT; i++) {
        if (!config_value_of_text(&c->value[i], &config_keys[i], slice_str(config_keys[i].def))) {
            config_fini(c);
            return GB_ENOMEM;
        }
    }
    return 0;
}

void config_fini(struct config *c)
{
    for (size_t i = 0; i < CONFIG_COUNT; i++)
        config_value_clear(&c->value[i]);
}

int config_find_key(struct slice name)
{
    for (int i = 0; i < CONFIG_COUNT; i++)
        if (slice_eq(slice_str(config_keys[i].name), name))
            return i;
    return -1;
}

const char *config_value_fault(const struct key_info *k,
                               const struct config_value *v)
{
    if (v->n > (k->type == CONFIG_EXEC ? EXEC_PROGRAMS_MAX : CONFIG_MAX_ITEMS))
        return "too many items";
    if (k->type == CONFIG_CHOICES && v->n == 0)
        return "must not be empty";
    if (!config_is_list(k->type) && v->n != 1 && k->type != CONFIG_OPEN)
        return "must be one value, not a list";
    for (size_t i = 0; i < v->n; i++) {
        const char *fault = item_fault(k, slice_str(v->item[i]));

        if (fault)
            return fault;
    }
    return NULL;
}

int config_set(struct config *c, const char *assignment,
               enum config_layer layer, struct config_error *e)
{
    struct slice name, text = slice_str(assignment);
    struct config_value v = { .layer = layer };
    char hint[CONFIG_HINT_MAX];
    const char *fault;
    int k;

    if (!slice_cut(&text, '=', &name))
        return config_refuse(e, "%s: must be section.key=value", assignment);
    k = config_find_key(name);
    if (k < 0)
        return config_refuse(e, "%.*s: %s", SLICE_ARG(name),
                             config_unknown(name, false, hint));
    if (!config_value_of_text(&v, &config_keys[k], text)) {
        config_value_clear(&v);
        return GB_ENOMEM;
    }
    fault = config_value_fault(&config_keys[k], &v);
    if (fault) {
        config_value_clear(&v);
        return config_refuse(e, "%s: %s", config_keys[k].name,
                             config_bounds(&config_keys[k], fault, hint));
    }
    config_value_clear(&c->value[k]);
    c->value[k] = v;
    return 0;
}

int config_environment(struct config *c, struct config_error *e)
{
    const char *password = getenv("GB28181D_SIP_PASSWORD");
    char buf[512];

    if (!password)
        return 0;
    if (snprintf(buf, sizeof(buf), "sip.password=%s", password) >=
        (int)sizeof(buf))
        return config_refuse(e, "GB28181D_SIP_PASSWORD: too long");
    return config_set(c, buf, CONFIG_ENV, e);
}

/* ---- typed views ---------------------------------------------------------- */

static struct slice item(const struct config *c, enum config_key k, size_t i)
{
    const struct config_value *v = &c->value[k];

    return i < v->n ? slice_str(v->item[i]) : (struct slice){ 0 };
}

const char *config_text(const struct config *c, enum config_key k)
{
    return c->value[k].n ? c->value[k].item[0] : "";
}

bool config_bool(const struct config *c, enum config_key k)
{
    bool v = false;

    parse_bool(item(c, k, 0), &v);
    return v;
}

uint32_t config_number(const struct config *c, enum config_key k)
{
    uint32_t v = 0;

    slice_u32(item(c, k, 0), config_keys[k].max, &v);
    return v;
}

size_t config_n(const struct config *c, enum config_key k)
{
    return c->value[k].n;
}

bool config_addr(const struct config *c, enum config_key k, size_t i,
                 struct gb_addr *out)
{
    return gb_addr_parse(out, item(c, k, i), 0) == 0;
}

void config_ports(const struct config *c, enum config_key k, uint16_t *min,
                  uint16_t *max)
{
    *min = *max = 0;
    parse_ports(item(c, k, 0), min, max);
}

uint32_t config_period(const struct config *c, enum config_key k,
                       uint32_t when_true)
{
    uint32_t v = 0;

    parse_period(item(c, k, 0), &config_keys[k], when_true, &v);
    return v;
}

int config_zone_min(const struct config *c, enum config_key k)
{
    int v = 0;

    parse_zone(item(c, k, 0), &v);
    return v;
}

bool config_net(const struct config *c, enum config_key k, size_t i,
                struct gb_addr *net, unsigned *bits, struct gb_addr *to)
{
    return to ? parse_advertise(item(c, k, i), net, bits, to)
              : parse_net(item(c, k, i), net, bits);
}

const char *config_item(const struct config *c, enum config_key k, size_t i)
{
    return i < c->value[k].n ? c->value[k].item[i] : NULL;
}

bool config_hook(const struct config *c, enum config_key k, size_t i,
                 struct slice *url, struct slice *secret, struct slice *kinds)
{
    return i < c->value[k].n && parse_hook(item(c, k, i), url, secret, kinds);
}

bool config_redirect(const struct config *c, enum config_key k, size_t i,
                     char prefix[static CONFIG_PREFIX_MAX],
                     const char **target)
{
    const char *text = config_item(c, k, i);
    struct slice left;

    if (!text || !parse_redirect(slice_str(text), &left))
        return false;
    slice_copy(prefix, CONFIG_PREFIX_MAX, left);
    *target = text + left.n + 1;
    return true;
}

/* ---- the whole ------------------------------------------------------------ */

static bool same_socket(const struct gb_addr *a, const struct gb_addr *b)
{
    return a->port == b->port && a->family == b->family &&
           (gb_addr_is_any(a) || gb_addr_is_any(b) || gb_addr_ip_eq(a, b));
}

static int check_listener(const struct config *c, enum config_key k, size_t i,
                          const struct gb_addr *a, struct config_error *e)
{
    static const enum config_key lists[] = { CONFIG_SIP_LISTEN,
                                             CONFIG_SIP_TLS_LISTEN,
                                             CONFIG_HTTP_LISTEN,
                                             CONFIG_RTSP_LISTEN };
    uint16_t lo, hi;
    struct gb_addr b;

    config_ports(c, CONFIG_MEDIA_PORTS, &lo, &hi);
    if (a->port >= lo && a->port <= hi)
        return config_refuse(e, "%s: port %u lies inside media.ports", config_keys[k].name,
                      a->port);
    for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
        for (size_t n = 0; config_addr(c, lists[l], n, &b); n++)
            if ((lists[l] != k || n != i) && same_socket(a, &b))
                return config_refuse(e, "%s: port %u is also that of %s",
                              config_keys[k].name, a->port, config_keys[lists[l]].name);
    return 0;
}

static int check_tls(const struct config *c, struct config_error *e)
{
    const char *cert = config_text(c, CONFIG_TLS_CERT);
    const char *key = config_text(c, CONFIG_TLS_KEY);

    if (config_n(c, CONFIG_SIP_TLS_LISTEN) && !GB_TLS) {
        config_refuse(e, "sip.tls_listen: this build has no TLS (it was made with "
                  "TLS=0)");
        return GB_EUNSUPPORTED;
    }
    if (!*cert != !*key)
        return config_refuse(e, "tls.cert and tls.key: one is set without the other");
    return 0;
}

bool config_shared_fits(const struct config *c)
{
    uint32_t port = config_number(c, CONFIG_MEDIA_SHARED);
    uint16_t lo, hi;

    config_ports(c, CONFIG_MEDIA_PORTS, &lo, &hi);
    return port % 2 == 0 && (port + 1 < lo || port > hi);
}

/* Its default gives way to media.ports, also where a file says it; dedicated
 * needs none. */
static bool is_shared_asked(const struct config *c)
{
    const char *mode = config_text(c, CONFIG_MEDIA_MODE);

    if (strcmp(mode, "auto") != 0)
        return strcmp(mode, "shared") == 0;
    return config_number(c, CONFIG_MEDIA_SHARED) &&
           strcmp(config_text(c, CONFIG_MEDIA_SHARED),
                  config_keys[CONFIG_MEDIA_SHARED].def) != 0;
}

static int check_shared(const struct config *c, struct config_error *e)
{
    uint32_t port = config_number(c, CONFIG_MEDIA_SHARED);

    if (is_shared_asked(c) && (port == 0 || !config_shared_fits(c)))
        return config_refuse(e, "media.shared_port: %u is to be even and, with the "
                         "next one, outside media.ports", port);
    return 0;
}

/* Links are made of it. */
static int check_public_url(const struct config *c, struct config_error *e)
{
    struct slice url = slice_str(config_text(c, CONFIG_HTTP_PUBLIC));

    if (url.n == 0 || slice_has_iprefix(url, SLICE("http://")) ||
        slice_has_iprefix(url, SLICE("https://")))
        return 0;
    return config_refuse(e, "http.public_url: must begin with http:// or https://");
}

/* Without them there is nothing to start. */
static int check_ports(const struct config *c, struct config_error *e)
{
    static const enum config_key needed[] = { CONFIG_SIP_LISTEN,
                                              CONFIG_HTTP_LISTEN };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (config_n(c, needed[i]) == 0)
            return config_refuse(e, "%s is empty: it needs ADDRESS:PORT, as %s",
                                 config_keys[needed[i]].name,
                                 config_keys[needed[i]].def);
    return 0;
}

int config_check(const struct config *c, struct config_error *e)
{
    if (check_ports(c, e))
        return GB_ESYNTAX;
    for (int k = 0; k < CONFIG_COUNT; k++) {
        struct gb_addr a;
        size_t i = 0;

        if (config_keys[k].type != CONFIG_LISTEN)
            continue;
        for (; config_addr(c, (enum config_key)k, i, &a); i++) {
            int err = check_listener(c, (enum config_key)k, i, &a, e);

            if (err)
                return err;
        }
    }
    if (*config_text(c, CONFIG_MQTT_SERVER) && !GB_MQTT) {
        config_refuse(e, "mqtt.server: this build has no MQTT (it was made "
                         "without MQTT=1)");
        return GB_EUNSUPPORTED;
    }
    if (check_shared(c, e) || check_public_url(c, e))
        return GB_ESYNTAX;
    return check_tls(c, e);
}

static bool value_eq(const struct config_value *a, const struct config_value *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!slice_eq(slice_str(a->item[i]), slice_str(b->item[i])))
            return false;
    return true;
}

bool config_differs(const struct config *a, const struct config *b, int *k,
                    struct config_difference *out)
{
    for (; *k < CONFIG_COUNT; (*k)++) {
        const struct key_info *info = &config_keys[*k];

        if (b ? value_eq(&a->value[*k], &b->value[*k])
              : a->value[*k].layer == CONFIG_DEFAULT)
            continue;
        *out = (struct config_difference){
            info->name, info->hup,
            strstr(info->help, "not used by this version") != NULL
        };
        (*k)++;
        return true;
    }
    return false;
}

void config_take_reloaded(struct config *c, struct config *from)
{
    for (int k = 0; k < CONFIG_COUNT; k++) {
        struct config_value old = c->value[k];

        if (!config_keys[k].hup)
            continue;
        c->value[k] = from->value[k];
        from->value[k] = old;
    }
}

/* ---- printing ------------------------------------------------------------- */

/* Single quotes, doubled inside: any text of ours is safe in them. */
static void print_quoted(FILE *out, const char *s)
{
    fputc('\'', out);
    for (; *s; s++) {
        if (*s == '\'')
            fputc('\'', out);
        fputc(*s, out);
    }
    fputc('\'', out);
}

static void print_advertise(FILE *out, const char *s)
{
    struct slice rest = slice_str(s), net;

    slice_cut(&rest, ' ', &net);
    fprintf(out, "{ net: '%.*s', address: '%.*s' }", SLICE_ARG(net),
            SLICE_ARG(rest));
}

static void print_hook(FILE *out, const char *s)
{
    struct slice url, secret, kinds;

    if (parse_hook(slice_str(s), &url, &secret, &kinds))
        fprintf(out, "'%.*s (secret not shown) %.*s'", SLICE_ARG(url),
                SLICE_ARG(kinds));
}

void config_print_value(FILE *out, int k, const struct config_value *v)
{
    bool list = config_is_list(config_keys[k].type);

    if (list)
        fputc('[', out);
    for (size_t i = 0; i < v->n; i++) {
        if (i)
            fputs(", ", out);
        if ((k == CONFIG_SIP_PASSWORD || k == CONFIG_MQTT_PASSWORD) && *v->item[i])
            fputs("'' # it is set, and not shown", out);
        else if (config_keys[k].type == CONFIG_ADVERTISE)
            print_advertise(out, v->item[i]);
        else if (config_keys[k].type == CONFIG_HOOKS)
            print_hook(out, v->item[i]);
        else
            print_quoted(out, v->item[i]);
    }
    if (list)
        fputc(']', out);
}

void config_print(const struct config *c, FILE *out)
{
    struct slice last = { 0 };

    for (int k = 0; k < CONFIG_COUNT; k++) {
        struct slice name = slice_str(config_keys[k].name), section;

        if (!slice_cut(&name, '.', &section))
            continue; /* OPEN sections hold nothing yet */
        if (!slice_eq(section, last))
            fprintf(out, "%.*s:\n", SLICE_ARG(section));
        last = section;
        fprintf(out, "  # %s", config_keys[k].help);
        if (config_keys[k].choices)
            fprintf(out, " (%s)", config_keys[k].choices);
        else if (config_keys[k].max)
            fprintf(out, " (%u to %u)", config_keys[k].min, config_keys[k].max);
        if (config_keys[k].hup)
            fputs("; SIGHUP reads it again", out);
        fprintf(out, "\n  %.*s: ", SLICE_ARG(name));
        config_print_value(out, k, &c->value[k]);
        fputc('\n', out);
    }
}
