#include "manscdp/mansrtsp.h"

#include "base/head.h"

static const struct slice methods[] = {
#define X(id, name) SLICE_INIT(name),
    MANSRTSP_METHOD_MAP(X)
#undef X
};

/* ---- reading ---- */

/* "12.5" or, as RFC 2326 3.6 has it, "1:02:03.5". */
static int time_parse(struct slice s, int64_t *ms)
{
    struct slice part;
    double seconds = 0, v;
    bool more;

    for (int i = 0; i < 3; i++) {
        more = slice_cut(&s, ':', &part);
        if (!slice_double(part, &v) || v < 0)
            return GB_ESYNTAX;
        seconds = seconds * 60 + v;
        if (!more)
            break;
    }
    if (more)
        return GB_ESYNTAX;
    if (seconds > (double)MANSRTSP_MAX_MS / 1000)
        return GB_ERANGE;
    *ms = (int64_t)(seconds * 1000 + 0.5);
    return 0;
}

/* "npt=100-", "npt=now-", "npt=600-120"; nothing in front of the dash: now. */
static int range_parse(struct mansrtsp *m, struct slice v)
{
    struct slice unit, from, to;
    int err;

    if (!slice_cut(&v, '=', &unit))
        return GB_ESYNTAX;
    if (!slice_ieq(slice_trim(unit), SLICE("npt")))
        return GB_EUNSUPPORTED;
    slice_cut(&v, ';', &to); /* ;time= of RFC 2326 */
    slice_cut(&to, '-', &from);
    from = slice_trim(from);
    to = slice_trim(to);
    m->from_now = !from.n || slice_ieq(from, SLICE("now"));
    err = m->from_now ? 0 : time_parse(from, &m->from_ms);
    m->has |= MANSRTSP_RANGE;
    if (!err && to.n) {
        err = time_parse(to, &m->to_ms);
        m->has |= MANSRTSP_RANGE_END;
    }
    return err;
}

static int scale_parse(struct mansrtsp *m, struct slice v)
{
    double x;

    if (!slice_double(v, &x))
        return GB_ESYNTAX;
    x *= 1000;
    if (x > MANSRTSP_MAX_SCALE || x < -MANSRTSP_MAX_SCALE)
        return GB_ERANGE;
    m->scale_milli = (int32_t)(x < 0 ? x - 0.5 : x + 0.5);
    m->has |= MANSRTSP_SCALE;
    return m->scale_milli ? 0 : GB_ERANGE;
}

/* "now", "0" (which devices write for now), a position. */
static int pause_parse(struct mansrtsp *m, struct slice v)
{
    int err;

    if (!v.n || slice_ieq(v, SLICE("now")))
        return 0;
    err = time_parse(v, &m->pause_ms);
    if (!err && m->pause_ms)
        m->has |= MANSRTSP_PAUSE_AT;
    return err;
}

/* "url=...;seq=18139;rtptime=3119600838": the first of several. One that
 * cannot be read is left out: nothing depends on it. */
static void rtp_info_parse(struct mansrtsp *m, struct slice v)
{
    struct slice one, item, name;
    unsigned found = 0;

    slice_cut(&v, ',', &one);
    while (one.n) {
        slice_cut(&one, ';', &item);
        slice_cut(&item, '=', &name);
        name = slice_trim(name);
        item = slice_trim(item);
        if (slice_ieq(name, SLICE("seq")) && slice_u32(item, 0xffff, &m->seq))
            found |= 1;
        if (slice_ieq(name, SLICE("rtptime")) &&
            slice_u32(item, UINT32_MAX, &m->rtptime))
            found |= 2;
    }
    if (found == 3)
        m->has |= MANSRTSP_RTP_INFO;
    else
        m->seq = m->rtptime = 0;
}

/* Of a field that stands there twice the first counts. */
static int field_parse(struct mansrtsp *m, const struct head_field *f)
{
    if (slice_ieq(f->name, SLICE("CSeq")) && !m->cseq)
        return slice_u32(f->value, UINT32_MAX, &m->cseq) ? 0 : GB_ESYNTAX;
    if (slice_ieq(f->name, SLICE("Scale")) && !(m->has & MANSRTSP_SCALE))
        return scale_parse(m, f->value);
    if (slice_ieq(f->name, SLICE("Range")) && !(m->has & MANSRTSP_RANGE))
        return range_parse(m, f->value);
    if (slice_ieq(f->name, SLICE("PauseTime")) && m->method == MANSRTSP_PAUSE &&
        !(m->has & MANSRTSP_PAUSE_AT))
        return pause_parse(m, f->value);
    if (slice_ieq(f->name, SLICE("RTP-Info")) && m->response &&
        !(m->has & MANSRTSP_RTP_INFO))
        rtp_info_parse(m, f->value);
    return 0;
}

static bool version_parse(struct mansrtsp *m, struct slice v)
{
    m->old_version = slice_ieq(v, SLICE("MANSRTSP/1.0"));
    return m->old_version || slice_ieq(v, SLICE("RTSP/1.0"));
}

/* "PLAY RTSP/1.0", "PLAY sip:... RTSP/1.0", "RTSP/1.0 200 OK". */
static int start_parse(struct mansrtsp *m, struct slice line)
{
    struct slice word, last;

    line = slice_trim(line);
    slice_cut(&line, ' ', &word);
    if (version_parse(m, word)) {
        m->response = true;
        line = slice_trim(line);
        slice_cut(&line, ' ', &word);
        if (!slice_u32(word, 699, &m->status) || m->status < 100)
            return GB_ESYNTAX;
        return 0;
    }
    for (last = line; slice_find(last, ' ') < last.n;)
        last = slice_trim(slice_from(last, slice_find(last, ' ')));
    if (!version_parse(m, slice_trim(last)))
        return GB_ESYNTAX;
    for (size_t i = 0; i < MANSRTSP_METHOD_COUNT; i++)
        if (slice_ieq(word, methods[i])) {
            m->method = (enum mansrtsp_method)i;
            return 0;
        }
    return GB_EUNSUPPORTED;
}

/* The next field; the last line may lack its end. */
static int next_field(struct head *h, struct slice body, struct head_field *f)
{
    int err = head_next(h, f);
    struct slice rest;

    if (err != GB_EAGAIN)
        return err;
    rest = slice_trim(slice_from(body, h->off));
    h->off = body.n;
    if (!rest.n)
        return GB_ENOENT;
    *f = (struct head_field){ .line = rest };
    if (!slice_cut(&rest, ':', &f->name))
        return GB_ESYNTAX;
    f->name = slice_trim(f->name);
    f->value = slice_trim(rest);
    return 0;
}

static size_t offset_in(struct slice body, struct slice part)
{
    return part.p ? (size_t)(part.p - body.p) : 0;
}

int mansrtsp_parse(struct mansrtsp *out, struct slice body,
                   struct gb_diag *diag)
{
    struct mansrtsp m = { 0 };
    struct head h;
    struct head_field f;
    struct slice line = slice_trim(body);
    unsigned lines = 0;
    int err;

    if (body.n > MANSRTSP_MAX_BYTES)
        return gb_fail(diag, GB_ELIMIT, 0, "body too large");
    head_init(&h, body);
    if (head_start(&h, &line) == GB_EAGAIN)
        h.off = body.n; /* one line without an end */
    err = start_parse(&m, line);
    if (err)
        return gb_fail(diag, err, offset_in(body, line), "start line");
    while (h.off < body.n && (err = next_field(&h, body, &f)) != GB_ENOENT) {
        if (++lines > MANSRTSP_MAX_LINES)
            return gb_fail(diag, GB_ELIMIT, h.off, "too many lines");
        if (err == GB_ESYNTAX)
            continue; /* a line that is no field says nothing */
        err = field_parse(&m, &f);
        if (err)
            return gb_fail(diag, err, offset_in(body, f.line), "field");
    }
    *out = m;
    return 0;
}

/* ---- writing ---- */

/* 2500: "2.5"; with as few decimals as say it, at least `decimals`. */
static void put_milli(struct writer *w, int64_t v, unsigned decimals)
{
    char digits[3];
    unsigned n = 3, rest;

    if (v < 0) {
        writer_char(w, '-');
        v = -v;
    }
    writer_u64(w, (uint64_t)v / 1000);
    rest = (unsigned)(v % 1000);
    for (unsigned i = 3; i-- > 0; rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    while (n > decimals && digits[n - 1] == '0')
        n--;
    if (n) {
        writer_char(w, '.');
        writer_bytes(w, digits, n);
    }
}

static bool is_time(int64_t ms)
{
    return ms >= 0 && ms <= MANSRTSP_MAX_MS;
}

static bool in_range(const struct mansrtsp *m)
{
    int64_t scale = m->scale_milli;

    if ((m->has & MANSRTSP_SCALE) &&
        (scale == 0 || scale > MANSRTSP_MAX_SCALE ||
         scale < -MANSRTSP_MAX_SCALE))
        return false;
    if ((m->has & MANSRTSP_RANGE) && !m->from_now && !is_time(m->from_ms))
        return false;
    if ((m->has & MANSRTSP_RANGE_END) && !is_time(m->to_ms))
        return false;
    if ((m->has & MANSRTSP_PAUSE_AT) && !is_time(m->pause_ms))
        return false;
    return m->response ? m->status >= 100 && m->status <= 699
                       : (unsigned)m->method < MANSRTSP_METHOD_COUNT;
}

static void put_start(struct writer *w, const struct mansrtsp *m)
{
    const char *version = m->old_version ? "MANSRTSP/1.0" : "RTSP/1.0";

    if (m->response)
        writer_f(w, "%s %u %s\r\n", version, m->status,
                 m->status < 300 ? "OK" : "Error");
    else
        writer_f(w, "%s %s\r\n", methods[m->method].p, version);
}

static void put_range(struct writer *w, const struct mansrtsp *m)
{
    writer_str(w, "Range: npt=");
    if (m->from_now)
        writer_str(w, "now");
    else
        put_milli(w, m->from_ms, 0);
    writer_char(w, '-');
    if (m->has & MANSRTSP_RANGE_END)
        put_milli(w, m->to_ms, 0);
    writer_str(w, "\r\n");
}

static void put_pause(struct writer *w, const struct mansrtsp *m)
{
    writer_str(w, "PauseTime: ");
    if (m->has & MANSRTSP_PAUSE_AT)
        put_milli(w, m->pause_ms, 0);
    else
        writer_str(w, "now");
    writer_str(w, "\r\n");
}

int mansrtsp_write(struct writer *w, const struct mansrtsp *m, bool whole_scale)
{
    bool whole = whole_scale && m->scale_milli % 1000 == 0;

    if (!in_range(m))
        return GB_ERANGE;
    put_start(w, m);
    if (m->cseq)
        writer_f(w, "CSeq: %u\r\n", m->cseq);
    if (m->has & MANSRTSP_SCALE) {
        writer_str(w, "Scale: ");
        put_milli(w, m->scale_milli, whole ? 0 : 1);
        writer_str(w, "\r\n");
    }
    if (m->has & MANSRTSP_RANGE)
        put_range(w, m);
    if (!m->response && m->method == MANSRTSP_PAUSE)
        put_pause(w, m);
    if (m->response && (m->has & MANSRTSP_RTP_INFO))
        writer_f(w, "RTP-Info: seq=%u;rtptime=%u\r\n", m->seq, m->rtptime);
    writer_str(w, "\r\n");
    return w->err;
}
