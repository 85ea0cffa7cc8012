#include "app/rtsp/message.h"

#include "base/head.h"

static const struct {
    const char *name;
} methods[RTSP_METHODS] = {
#define X(id) [RTSP_##id] = { #id },
    RTSP_METHOD_MAP(X)
#undef X
};

static enum rtsp_method method_of(struct slice name)
{
    for (unsigned i = 0; i < RTSP_METHODS; i++)
        if (slice_eq(name, slice_str(methods[i].name)))
            return (enum rtsp_method)i;
    return RTSP_OTHER;
}

/* ---- URL ---------------------------------------------------------------- */

static bool is_id(struct slice s)
{
    if (s.n == 0 || s.n > RTSP_ID_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);

        if (!ascii_is_digit(c) && (c < 'a' || c > 'z') && c != '-' &&
            c != '_' && c != '.')
            return false;
    }
    return true;
}

/* Takes "/trackID=N" off the end of *s. */
static void take_track(struct slice *s, int *track)
{
    static const struct slice word = SLICE_INIT("trackID=");
    size_t at = s->n;
    uint32_t n;

    while (at && s->p[at - 1] != '/')
        at--;
    if (at == 0 || !slice_has_iprefix(slice_from(*s, at), word) ||
        !slice_u32(slice_from(*s, at + word.n), 255, &n))
        return;
    *track = (int)n;
    *s = slice_head(*s, at - 1);
}

static int take_query(struct rtsp_url *u, struct slice query)
{
    struct slice item, name;

    while (query.n) {
        slice_cut(&query, '&', &item);
        slice_cut(&item, '=', &name);
        if (slice_eq(name, SLICE("t"))) {
            u->signature = item;
        } else if (slice_eq(name, SLICE("stream"))) {
            if (slice_eq(item, SLICE("sub")) || slice_eq(item, SLICE("1")))
                u->stream = 1;
            else if (item.n && !slice_eq(item, SLICE("main")) &&
                     !slice_eq(item, SLICE("0")))
                return GB_ERANGE;
        }
    }
    return 0;
}

static struct slice without_slashes(struct slice s)
{
    while (s.n && s.p[0] == '/')
        s = slice_from(s, 1);
    while (s.n && s.p[s.n - 1] == '/')
        s.n--;
    return s;
}

int rtsp_url_parse(struct rtsp_url *out, struct slice text)
{
    struct rtsp_url u = { .track = -1 };
    struct slice path = text, query;
    size_t at = slice_find_slice(text, SLICE("://"));

    if (slice_eq(text, SLICE("*"))) {
        u.any = true;
        *out = u;
        return 0;
    }
    if (text.n > RTSP_URL_MAX)
        return GB_ESYNTAX;
    if (at < text.n) {
        if (!slice_has_iprefix(text, SLICE("rtsp://")) &&
            !slice_has_iprefix(text, SLICE("rtsps://")))
            return GB_ESYNTAX;
        path = slice_from(text, at + 3);
        path = slice_from(path, slice_find(path, '/'));
        u.base = slice_head(text, text.n - path.n);
    }
    if (path.n && path.p[0] != '/')
        return GB_ESYNTAX;
    query = path;
    slice_cut(&query, '?', &path);
    path = without_slashes(path);
    take_track(&path, &u.track);
    take_track(&query, &u.track);
    path = without_slashes(path);
    if (slice_cut(&path, '/', &u.device)) {
        u.channel = path;
    } else {
        u.channel = u.device;
        u.device = (struct slice){ 0 };
    }
    if (!is_id(u.channel) || (u.device.n && !is_id(u.device)))
        return GB_ESYNTAX;
    if (take_query(&u, query))
        return GB_ERANGE;
    *out = u;
    return 0;
}

/* ---- head --------------------------------------------------------------- */

static bool is_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] <= ' ' || (uint8_t)s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

/* "PLAY rtsp://... RTSP/1.0"; 0 or a status. */
static unsigned parse_start(struct rtsp_request *r, struct slice line)
{
    if (!slice_cut(&line, ' ', &r->method_name) ||
        !slice_cut(&line, ' ', &r->url) || !is_text(r->method_name) ||
        !is_text(r->url))
        return 400;
    r->method = method_of(r->method_name);
    if (slice_eq(line, SLICE("RTSP/1.0")))
        return 0;
    return slice_has_prefix(line, SLICE("RTSP/")) ? 505 : 400;
}

static bool is_cseq(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]))
            return false;
    return s.n && s.n <= RTSP_CSEQ_MAX;
}

/* What was found in a head, besides the request. */
struct lines {
    uint32_t length;
    bool has_length, bad; /* bad: its end is not sure */
};

static void set_once(struct slice *to, struct slice value)
{
    if (to->n == 0)
        *to = value;
}

static void take_transport(struct rtsp_request *r, struct slice value)
{
    for (size_t i = 0; i < RTSP_TRANSPORTS_MAX; i++)
        if (r->transport[i].n == 0) {
            r->transport[i] = value;
            break;
        }
}

static void take_field(struct rtsp_request *r, struct lines *l,
                       const struct head_field *f)
{
    struct slice v = f->value, part;
    uint32_t n;

    if (slice_ieq(f->name, SLICE("CSeq"))) {
        if (!is_cseq(v) || (r->cseq.n && !slice_eq(r->cseq, v)))
            r->fault = r->fault ? r->fault : 400;
        else
            r->cseq = v;
    } else if (slice_ieq(f->name, SLICE("Content-Length"))) {
        if (!slice_u32(v, INT32_MAX, &n) || (l->has_length && n != l->length))
            l->bad = true;
        else
            l->length = n;
        l->has_length = true;
    } else if (slice_ieq(f->name, SLICE("Session"))) {
        slice_cut(&v, ';', &part);
        set_once(&r->session, slice_trim(part));
    } else if (slice_ieq(f->name, SLICE("Transport"))) {
        take_transport(r, v);
    } else if (slice_ieq(f->name, SLICE("Authorization"))) {
        set_once(&r->authorization, v);
    } else if (slice_ieq(f->name, SLICE("Require")) ||
               slice_ieq(f->name, SLICE("Proxy-Require"))) {
        set_once(&r->require, v);
    } else if (slice_ieq(f->name, SLICE("Range"))) {
        set_once(&r->range, v);
    } else if (slice_ieq(f->name, SLICE("Scale"))) {
        set_once(&r->scale, v);
    }
}

#define ODD (HEAD_FOLDED | HEAD_BARE_CR | HEAD_NUL | HEAD_NAME_BLANK)

/* The head of n bytes with its empty line; *body: how many follow. */
static void parse_head(struct rtsp_item *out, struct slice head, size_t *body)
{
    struct rtsp_request *r = &out->request;
    struct lines l = { 0 };
    struct head h;
    struct head_field f;
    struct slice line;
    unsigned n = 0;
    int err;

    *r = (struct rtsp_request){ .method = RTSP_OTHER };
    head_init(&h, head);
    if (head_start(&h, &line))
        line = (struct slice){ 0 };
    out->kind = slice_has_prefix(line, SLICE("RTSP/")) ? RTSP_ITEM_ANSWER
                                                       : RTSP_ITEM_REQUEST;
    if (out->kind == RTSP_ITEM_REQUEST)
        r->fault = parse_start(r, line);
    while ((err = head_next(&h, &f)) == 0 || err == GB_ESYNTAX) {
        if (err || ++n > RTSP_FIELDS_MAX)
            l.bad = true;
        else
            take_field(r, &l, &f);
    }
    if (h.flags & ODD)
        l.bad = true;
    if (out->kind == RTSP_ITEM_REQUEST && !r->cseq.n && !r->fault)
        r->fault = 400;
    if (l.bad)
        r->fault = 400;
    r->is_framed = !l.bad;
    *body = l.bad ? 0 : l.length;
}

/* ---- reader ------------------------------------------------------------- */

size_t rtsp_reader_room(struct rtsp_reader *r, char **p)
{
    if (r->off) {
        memmove(r->buf, r->buf + r->off, r->n - r->off);
        r->n -= r->off;
        r->off = 0;
    }
    *p = r->buf + r->n;
    return sizeof(r->buf) - r->n;
}

void rtsp_reader_added(struct rtsp_reader *r, size_t n)
{
    r->n += n;
}

struct slice rtsp_reader_rest(const struct rtsp_reader *r)
{
    return slice_of(r->buf + r->off, r->n - r->off);
}

/* false: more of the frame is needed, or it is passed over. */
static bool take_frame(struct rtsp_reader *r, struct slice in,
                       struct rtsp_item *out)
{
    size_t whole;

    if (in.n < 4)
        return false;
    whole = 4 + ((size_t)(uint8_t)in.p[2] << 8 | (uint8_t)in.p[3]);
    if (whole > sizeof(r->buf)) {
        r->skip = whole - in.n;
        r->off = r->n;
        return false;
    }
    if (whole > in.n)
        return false;
    out->kind = RTSP_ITEM_FRAME;
    out->whole = slice_head(in, whole);
    out->channel = (uint8_t)in.p[1];
    out->frame = slice_from(out->whole, 4);
    r->off += whole;
    return true;
}

static int take_message(struct rtsp_reader *r, struct slice in,
                        struct rtsp_item *out)
{
    size_t head = head_find_end(in, 0), body;

    if (head == 0)
        return in.n == sizeof(r->buf) ? GB_ELIMIT : GB_EAGAIN;
    parse_head(out, slice_head(in, head), &body);
    if (body > sizeof(r->buf) - head)
        return GB_ELIMIT;
    if (body > in.n - head)
        return GB_EAGAIN;
    out->whole = slice_head(in, head + body);
    out->request.body = slice_from(out->whole, head);
    r->off += head + body;
    return 0;
}

int rtsp_reader_next(struct rtsp_reader *r, struct rtsp_item *out)
{
    struct slice in;
    size_t skip = r->n - r->off < r->skip ? r->n - r->off : r->skip;

    r->off += skip;
    r->skip -= skip;
    while (r->off < r->n &&
           (r->buf[r->off] == '\r' || r->buf[r->off] == '\n'))
        r->off++; /* between messages */
    in = rtsp_reader_rest(r);
    if (in.n == 0)
        return GB_EAGAIN;
    if (in.p[0] == '$')
        return take_frame(r, in, out) ? 0 : GB_EAGAIN;
    return take_message(r, in, out);
}

/* ---- answers ------------------------------------------------------------ */

static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } table[] = {
        { 200, "OK" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 409, "Conflict" },
        { 413, "Request Entity Too Large" },
        { 451, "Parameter Not Understood" },
        { 453, "Not Enough Bandwidth" },
        { 454, "Session Not Found" },
        { 455, "Method Not Valid in This State" },
        { 457, "Invalid Range" },
        { 459, "Aggregate Operation Not Allowed" },
        { 460, "Only Aggregate Operation Allowed" },
        { 461, "Unsupported Transport" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "RTSP Version Not Supported" },
        { 551, "Option not supported" },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].status == status)
            return table[i].text;
    return "Error";
}

void rtsp_answer_begin(struct writer *w, unsigned status, struct slice reason,
                       struct slice cseq)
{
    writer_f(w, "RTSP/1.0 %u ", status);
    if (reason.n == 0)
        writer_str(w, reason_of(status));
    for (size_t i = 0; i < reason.n; i++)
        writer_char(w, (uint8_t)reason.p[i] < ' ' || reason.p[i] == 0x7f
                           ? ' ' : reason.p[i]);
    writer_str(w, "\r\n");
    if (cseq.n) {
        writer_str(w, "CSeq: ");
        writer_slice_put(w, cseq);
        writer_str(w, "\r\n");
    }
    writer_str(w, "Server: gb28181d\r\n");
}

void rtsp_answer(struct writer *w, unsigned status, struct slice reason,
                 struct slice cseq)
{
    rtsp_answer_begin(w, status, reason, cseq);
    writer_str(w, "\r\n");
}
