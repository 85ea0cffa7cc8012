#include "sip/value.h"

#include "sip/plain.h"

bool sip_seconds_parse(struct slice value, uint32_t *s)
{
    struct slice v = slice_trim(value);
    uint64_t sum = 0;

    for (size_t i = 0; i < v.n; i++) {
        if (!ascii_is_digit(v.p[i]))
            return false;
        if (sum <= UINT32_MAX)
            sum = sum * 10 + (uint64_t)(v.p[i] - '0');
    }
    if (v.n == 0)
        return false;
    *s = sum <= UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
    return true;
}

int64_t sip_msg_expires(const struct sip_msg *m, const struct sip_addr *contact)
{
    struct sip_param p;
    uint32_t s;

    if (contact && sip_addr_param(contact, SLICE("expires"), &p))
        return sip_seconds_parse(p.value, &s) ? s : SIP_EXPIRES_DEFAULT;
    if (!sip_msg_has(m, SIP_HDR_EXPIRES))
        return -1;
    return sip_seconds_parse(sip_msg_value(m, SIP_HDR_EXPIRES), &s)
               ? s
               : SIP_EXPIRES_DEFAULT;
}

int sip_msg_contact(const struct sip_msg *m, struct sip_addr *out)
{
    struct slice value = sip_msg_value(m, SIP_HDR_CONTACT), elem;
    uint64_t map[SCAN_MAP_WORDS];
    struct sip_plain t;
    struct sip_walk k;

    if (sip_plain_of(&t, map, value) && sip_plain_addr(out, t, 0, value.n))
        return 0;
    k = sip_msg_walk(m, SIP_HDR_CONTACT);
    if (!sip_walk_next(&k, &elem))
        return GB_ENOENT;
    return sip_addr_parse(out, elem, NULL);
}

bool sip_contact_q(const struct sip_addr *contact, unsigned *q1000)
{
    struct sip_param p;
    unsigned v = 0;

    if (!sip_addr_param(contact, SLICE("q"), &p)) {
        *q1000 = 1000;
        return true;
    }
    if (p.value.n == 0 || p.value.n > 5 || p.value.p[0] < '0' ||
        p.value.p[0] > '1' || (p.value.n > 1 && p.value.p[1] != '.'))
        return false;
    for (size_t i = 0; i < 5; i++) {
        if (i == 1)
            continue;
        if (i < p.value.n && !ascii_is_digit(p.value.p[i]))
            return false;
        v = v * 10 + (i < p.value.n ? (unsigned)(p.value.p[i] - '0') : 0);
    }
    if (v > 1000)
        return false;
    *q1000 = v;
    return true;
}

int sip_ctype_parse(struct sip_ctype *out, struct slice value)
{
    struct slice v = slice_trim(value), head;
    struct sip_ctype c;

    slice_cut(&v, ';', &head);
    c.params = v;
    if (!slice_cut(&head, '/', &c.type))
        return GB_ESYNTAX;
    c.type = slice_trim(c.type);
    c.subtype = slice_trim(head);
    if (!sip_is_token(c.type) || !sip_is_token(c.subtype))
        return GB_ESYNTAX;
    *out = c;
    return 0;
}

static const struct {
    struct slice type, subtype;
    enum sip_content content;
} known_types[] = {
    { SLICE_INIT("application"), SLICE_INIT("manscdp+xml"),
      SIP_CONTENT_MANSCDP },
    { SLICE_INIT("application"), SLICE_INIT("sdp"), SIP_CONTENT_SDP },
    { SLICE_INIT("application"), SLICE_INIT("mansrtsp"),
      SIP_CONTENT_MANSRTSP },
    { SLICE_INIT("application"), SLICE_INIT("rtsp"), SIP_CONTENT_MANSRTSP },
    { SLICE_INIT("application"), SLICE_INIT("manscdp"), SIP_CONTENT_MANSCDP },
    { SLICE_INIT("application"), SLICE_INIT("xml"), SIP_CONTENT_MANSCDP },
    { SLICE_INIT("text"), SLICE_INIT("xml"), SIP_CONTENT_MANSCDP },
};

enum sip_content sip_content_of_type(struct slice value)
{
    struct sip_ctype c;

    if (slice_eq(value, SLICE(SIP_TYPE_MANSCDP))) /* nearly every message */
        return SIP_CONTENT_MANSCDP;
    if (sip_ctype_parse(&c, value))
        return SIP_CONTENT_OTHER;
    for (size_t i = 0; i < sizeof(known_types) / sizeof(known_types[0]); i++)
        if (slice_ieq(c.type, known_types[i].type) &&
            slice_ieq(c.subtype, known_types[i].subtype))
            return known_types[i].content;
    return slice_ieq(c.type, SLICE("multipart")) ? SIP_CONTENT_MULTIPART
                                                 : SIP_CONTENT_OTHER;
}

/* The first line ends in MANSRTSP/x or RTSP/x. */
static bool is_rtsp(struct slice body)
{
    struct slice line = slice_trim(slice_head(body, slice_find(body, '\n')));

    return slice_find_slice(line, SLICE("RTSP/")) < line.n;
}

/* XML in UTF-16: a '<' of two bytes, mostly behind a BOM. */
static bool is_wide_xml(struct slice b)
{
    if (slice_has_prefix(b, SLICE("\xff\xfe")) ||
        slice_has_prefix(b, SLICE("\xfe\xff")))
        b = slice_from(b, 2);
    return slice_has_prefix(b, SLICE("<\0")) ||
           slice_has_prefix(b, SLICE("\0<"));
}

enum sip_content sip_content_of_body(struct slice body)
{
    struct slice b = slice_trim(body);

    if (is_wide_xml(b))
        return SIP_CONTENT_MANSCDP;
    if (slice_has_prefix(b, SLICE("\xef\xbb\xbf")))
        b = slice_trim(slice_from(b, 3));
    if (b.n == 0)
        return SIP_CONTENT_NONE;
    if (b.p[0] == '<')
        return SIP_CONTENT_MANSCDP;
    if (slice_has_prefix(b, SLICE("v=")))
        return SIP_CONTENT_SDP;
    return is_rtsp(b) ? SIP_CONTENT_MANSRTSP : SIP_CONTENT_OTHER;
}

enum sip_content sip_msg_content(const struct sip_msg *m)
{
    struct slice type = sip_msg_value(m, SIP_HDR_CONTENT_TYPE);

    if (m->body.n == 0)
        return SIP_CONTENT_NONE;
    return type.n ? sip_content_of_type(type) : sip_content_of_body(m->body);
}

void sip_subject_parse(struct sip_subject *out, struct slice value)
{
    struct slice second = slice_trim(value), first;

    slice_cut(&second, ',', &first);
    slice_cut(&first, ':', &out->sender);
    slice_cut(&second, ':', &out->receiver);
    out->sender = slice_trim(out->sender);
    out->sender_seq = slice_trim(first);
    out->receiver = slice_trim(out->receiver);
    out->receiver_seq = slice_trim(second);
}

void sip_subject_write(struct writer *w, const struct sip_subject *s)
{
    writer_line_safe(w, s->sender);
    writer_char(w, ':');
    writer_line_safe(w, s->sender_seq);
    writer_char(w, ',');
    writer_line_safe(w, s->receiver);
    writer_char(w, ':');
    writer_line_safe(w, s->receiver_seq);
}

int sip_event_parse(struct sip_event_value *out, struct slice value)
{
    struct slice rest = slice_trim(value), head;
    struct sip_param id;

    slice_cut(&rest, ';', &head);
    head = slice_trim(head);
    if (!sip_is_token(head))
        return GB_ESYNTAX;
    out->package = head;
    out->id = slice_of(NULL, 0);
    if (sip_param_find(rest, SLICE("id"), &id))
        out->id = id.value;
    return 0;
}

static int64_t seconds_param(struct slice params, struct slice name)
{
    struct sip_param p;
    uint32_t s;

    if (!sip_param_find(params, name, &p) || !sip_seconds_parse(p.value, &s))
        return -1;
    return s;
}

int sip_subscription_state_parse(struct sip_subscription_state *out,
                                 struct slice value)
{
    struct slice rest = slice_trim(value), head;
    struct sip_param reason;

    slice_cut(&rest, ';', &head);
    head = slice_trim(head);
    if (!sip_is_token(head))
        return GB_ESYNTAX;
    out->state = SIP_SUB_OTHER;
    if (slice_ieq(head, SLICE("active")))
        out->state = SIP_SUB_ACTIVE;
    else if (slice_ieq(head, SLICE("pending")))
        out->state = SIP_SUB_PENDING;
    else if (slice_ieq(head, SLICE("terminated")))
        out->state = SIP_SUB_TERMINATED;
    out->reason = slice_of(NULL, 0);
    if (sip_param_find(rest, SLICE("reason"), &reason))
        out->reason = reason.value;
    out->expires = seconds_param(rest, SLICE("expires"));
    out->retry_after = seconds_param(rest, SLICE("retry-after"));
    return 0;
}

/* ---- dates ----------------------------------------------------------------- */

/* Days since 1970-01-01 of a proleptic Gregorian date; month 1..12. */
static int64_t days_of_date(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t shifted = month > 2 ? (int64_t)month - 3 : (int64_t)month + 9;
    int64_t of_year = (153 * shifted + 2) / 5 + (int64_t)day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           719468;
}

static void date_of_days(int64_t days, int64_t *year, unsigned *month,
                         unsigned *day)
{
    int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

static void put2(char *p, unsigned v)
{
    p[0] = (char)('0' + v / 10);
    p[1] = (char)('0' + v % 10);
}

void sip_date_write(struct writer *w, int64_t utc_ms, int32_t zone_s)
{
    int64_t ms = utc_ms + (int64_t)zone_s * 1000, year;
    char text[] = "-00-00T00:00:00.000";
    unsigned month, day;
    uint64_t of_day;

    if (ms < 0)
        ms = 0;
    of_day = (uint64_t)(ms % 86400000);
    date_of_days(ms / 86400000, &year, &month, &day);
    put2(text + 1, month);
    put2(text + 4, day);
    put2(text + 7, (unsigned)(of_day / 3600000));
    put2(text + 10, (unsigned)(of_day / 60000 % 60));
    put2(text + 13, (unsigned)(of_day / 1000 % 60));
    put2(text + 16, (unsigned)(of_day % 1000 / 10));
    text[18] = (char)('0' + of_day % 10);
    writer_u64_pad(w, (uint64_t)year, 4);
    writer_bytes(w, text, sizeof(text) - 1);
}

/* Takes min..max digits off *s; false when there are fewer. */
static bool take_digits(struct slice *s, size_t min, size_t max, unsigned *v)
{
    size_t n = 0;
    uint32_t got;

    while (n < s->n && n < max && ascii_is_digit(s->p[n]))
        n++;
    if (n < min || !slice_u32(slice_head(*s, n), UINT32_MAX, &got))
        return false;
    *v = got;
    *s = slice_from(*s, n);
    return true;
}

static bool take_char(struct slice *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = slice_from(*s, 1);
    return true;
}

struct parts {
    unsigned year, month, day, hour, minute, second, ms;
};

static int parts_to_ms(const struct parts *d, int32_t zone_s, int64_t *utc_ms)
{
    static const uint8_t length[] = { 31, 28, 31, 30, 31, 30,
                                      31, 31, 30, 31, 30, 31 };
    bool leap = (d->year % 4 == 0 && d->year % 100) || d->year % 400 == 0;
    unsigned last;

    if (d->year < 1970 || d->year > 9999 || d->month < 1 || d->month > 12 ||
        d->hour > 23 || d->minute > 59 || d->second > 60)
        return GB_ESYNTAX;
    last = length[d->month - 1] + (unsigned)(leap && d->month == 2);
    if (d->day < 1 || d->day > last)
        return GB_ESYNTAX;
    *utc_ms = days_of_date(d->year, d->month, d->day) * 86400000 +
              (int64_t)d->hour * 3600000 + (int64_t)d->minute * 60000 +
              (int64_t)d->second * 1000 + d->ms - (int64_t)zone_s * 1000;
    return 0;
}

static bool take_time(struct slice *s, struct parts *d)
{
    if (!take_digits(s, 1, 2, &d->hour) || !take_char(s, ':') ||
        !take_digits(s, 1, 2, &d->minute))
        return false;
    d->second = 0;
    return !take_char(s, ':') || take_digits(s, 1, 2, &d->second);
}

/* "Z", "+08:00", "+0800" or nothing. */
static bool take_zone(struct slice *s, int32_t *zone_s)
{
    unsigned hour, minute = 0;
    bool west = s->n && s->p[0] == '-';

    if (s->n == 0)
        return true;
    if (take_char(s, 'Z') || take_char(s, 'z')) {
        *zone_s = 0;
        return s->n == 0;
    }
    if (!west && s->p[0] != '+')
        return false;
    *s = slice_from(*s, 1);
    if (!take_digits(s, 2, 2, &hour) || hour > 14)
        return false;
    (void)take_char(s, ':');
    if (s->n && (!take_digits(s, 2, 2, &minute) || minute > 59))
        return false;
    *zone_s = (int32_t)(hour * 3600 + minute * 60) * (west ? -1 : 1);
    return s->n == 0;
}

static void take_fraction(struct slice *s, struct parts *d)
{
    unsigned unit = 100;

    if (!take_char(s, '.'))
        return;
    for (; s->n && ascii_is_digit(s->p[0]); *s = slice_from(*s, 1)) {
        d->ms += (unsigned)(s->p[0] - '0') * unit;
        unit /= 10;
    }
}

static int parse_xml_date(struct slice s, int32_t zone_s, int64_t *utc_ms)
{
    struct parts d = { 0 };

    if (!take_digits(&s, 4, 4, &d.year) || !take_char(&s, '-') ||
        !take_digits(&s, 1, 2, &d.month) || !take_char(&s, '-') ||
        !take_digits(&s, 1, 2, &d.day))
        return GB_ESYNTAX;
    if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' '))
        return GB_ESYNTAX;
    s = slice_trim(s);
    if (!take_time(&s, &d))
        return GB_ESYNTAX;
    take_fraction(&s, &d);
    s = slice_trim(s);
    if (!take_zone(&s, &zone_s))
        return GB_ESYNTAX;
    return parts_to_ms(&d, zone_s, utc_ms);
}

static unsigned month_of_name(struct slice s)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (unsigned i = 0; i < 12; i++)
        if (slice_ieq(s, slice_of(names + 3 * i, 3)))
            return i + 1;
    return 0;
}

/* "Sat, 13 Nov 2010 23:29:00 GMT" */
static int parse_rfc1123(struct slice s, int64_t *utc_ms)
{
    struct parts d = { 0 };
    struct slice weekday;

    if (!slice_cut(&s, ',', &weekday))
        return GB_ESYNTAX;
    s = slice_trim(s);
    if (!take_digits(&s, 1, 2, &d.day) || !take_char(&s, ' '))
        return GB_ESYNTAX;
    d.month = month_of_name(slice_head(s, 3));
    s = slice_from(s, 3);
    if (d.month == 0 || !take_char(&s, ' ') ||
        !take_digits(&s, 4, 4, &d.year) || !take_char(&s, ' ') ||
        !take_time(&s, &d) || !slice_ieq(slice_trim(s), SLICE("GMT")))
        return GB_ESYNTAX;
    return parts_to_ms(&d, 0, utc_ms);
}

int sip_date_parse(struct slice value, int32_t zone_s, int64_t *utc_ms)
{
    struct slice v = slice_trim(value);

    if (v.n && ascii_is_digit(v.p[0]))
        return parse_xml_date(v, zone_s, utc_ms);
    return parse_rfc1123(v, utc_ms);
}

int sip_msg_routes(const struct sip_msg *m, enum sip_hdr id, struct slice *out,
                   size_t max)
{
    struct sip_walk k = sip_msg_walk(m, id);
    struct slice elem;
    size_t n = 0;

    while (sip_walk_next(&k, &elem)) {
        if (n == max)
            return GB_ELIMIT;
        out[n++] = elem;
    }
    return (int)n;
}

bool sip_retry_after_parse(struct slice value, uint32_t *s)
{
    struct slice v = slice_trim(value);
    size_t n = 0;

    while (n < v.n && ascii_is_digit(v.p[n]))
        n++;
    if (n < v.n && !ascii_is_space(v.p[n]) && v.p[n] != ';' && v.p[n] != '(')
        return false;
    return sip_seconds_parse(slice_head(v, n), s);
}

/* Length of the comment that s begins with, parentheses included; 0: it never
 * ends. */
static size_t comment_length(struct slice s)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '(')
            depth++;
        else if (s.p[i] == ')' && --depth == 0)
            return i + 1;
    }
    return 0;
}

int sip_retry_after_read(struct sip_retry_after *out, struct slice value)
{
    struct sip_retry_after r = { 0, -1, { NULL, 0 } };
    struct slice rest = slice_trim(value);
    size_t n = 0;

    if (!sip_retry_after_parse(rest, &r.after_s))
        return GB_ESYNTAX;
    while (n < rest.n && ascii_is_digit(rest.p[n]))
        n++;
    rest = slice_trim(slice_from(rest, n));
    while (rest.n && rest.p[0] == '(') {
        n = comment_length(rest);
        if (n == 0)
            return GB_ESYNTAX;
        r.comment = slice_of(rest.p + 1, n - 2);
        rest = slice_trim(slice_from(rest, n));
    }
    if (rest.n && rest.p[0] != ';')
        return GB_ESYNTAX;
    r.duration_s = seconds_param(rest, SLICE("duration"));
    *out = r;
    return 0;
}
