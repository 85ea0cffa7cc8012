#include "app/rtsp/announce.h"

#include "base/head.h"
#include "sip/digest.h"

#include <nettle/base64.h>

static int fail(struct announce *a, const char *why, struct slice more)
{
    struct writer w = writer_of(a->why, sizeof(a->why) - 1);

    if (a->state == ANNOUNCE_FAILED)
        return GB_EIO;
    a->state = ANNOUNCE_FAILED;
    writer_str(&w, why);
    writer_visible(&w, slice_head(more, w.cap - w.len), '\''); /* of the peer */
    a->why[w.len] = '\0';
    return GB_EIO;
}

/* ---- requests ------------------------------------------------------------- */

static const char *method_of(const struct announce *a)
{
    switch (a->state) {
    case ANNOUNCE_ANNOUNCING:
        return "ANNOUNCE";
    case ANNOUNCE_SETTING_UP:
        return "SETUP";
    case ANNOUNCE_RECORDING:
        return "RECORD";
    case ANNOUNCE_LIVE:
    case ANNOUNCE_FAILED:
        break;
    }
    return "TEARDOWN";
}

/* Without user and password. */
static void put_url(const struct announce *a, struct writer *w)
{
    writer_str(w, push_url_scheme(&a->url));
    writer_slice_put(w, a->url.authority);
    writer_slice_put(w, a->url.path);
    if (a->state == ANNOUNCE_SETTING_UP)
        writer_f(w, "/trackID=%u", (unsigned)a->track);
}

static void put_basic(const struct announce *a, struct writer *w)
{
    char plain[PUSH_URL_MAX], text[BASE64_ENCODE_RAW_LENGTH(PUSH_URL_MAX)];
    struct writer p = writer_of(plain, sizeof(plain));

    writer_slice_put(&p, a->url.user);
    writer_char(&p, ':');
    writer_slice_put(&p, a->url.password);
    if (p.err)
        return;
    base64_encode_raw(text, p.len, (const uint8_t *)plain);
    writer_str(w, "Authorization: Basic ");
    writer_bytes(w, text, BASE64_ENCODE_RAW_LENGTH(p.len));
    writer_str(w, "\r\n");
}

static void put_digest(struct announce *a, struct slice url, struct writer *w)
{
    struct sip_challenge c;
    char cnonce[9];
    struct writer n = writer_of(cnonce, sizeof(cnonce));
    struct sip_answer answer = { .username = a->url.user,
                                 .password = a->url.password,
                                 .method = slice_str(method_of(a)),
                                 .uri = url };

    if (sip_challenge_parse(&c, slice_str(a->challenge)))
        return;
    writer_f(&n, "%08x", (unsigned)a->cnonce);
    answer.cnonce = writer_slice(&n);
    answer.nc = ++a->nc;
    writer_str(w, "Authorization: ");
    sip_answer_write(w, &c, &answer);
    writer_str(w, "\r\n");
}

static void put_transport(const struct announce *a, struct writer *w)
{
    unsigned channel = RTPMUX_CHANNEL(a->track);

    writer_f(w, "Transport: RTP/AVP/TCP;unicast;interleaved=%u-%u;"
                "mode=record\r\n", channel, channel + 1);
}

/* Room behind what is not sent yet. */
static void to_front(struct announce *a)
{
    memmove(a->out, a->out + a->out_off, a->out_n - a->out_off);
    a->out_n -= a->out_off;
    a->out_off = 0;
}

static int ask(struct announce *a)
{
    char url_text[PUSH_URL_MAX + 32];
    struct writer url = writer_of(url_text, sizeof(url_text));
    struct writer w;

    to_front(a);
    w = writer_of(a->out + a->out_n, sizeof(a->out) - a->out_n);
    put_url(a, &url);
    writer_f(&w, "%s ", method_of(a));
    writer_slice_put(&w, writer_slice(&url));
    writer_f(&w, " RTSP/1.0\r\nCSeq: %u\r\nUser-Agent: gb28181d\r\n",
             (unsigned)++a->cseq);
    if (a->session[0])
        writer_f(&w, "Session: %s\r\n", a->session);
    if (slice_has_iprefix(slice_str(a->challenge), SLICE("Basic")))
        put_basic(a, &w);
    else if (a->challenge[0])
        put_digest(a, writer_slice(&url), &w);
    if (a->state == ANNOUNCE_SETTING_UP)
        put_transport(a, &w);
    if (a->state == ANNOUNCE_RECORDING)
        writer_str(&w, "Range: npt=0.000-\r\n");
    if (a->state == ANNOUNCE_ANNOUNCING)
        writer_f(&w, "Content-Type: application/sdp\r\n"
                     "Content-Length: %zu\r\n", a->sdp_n);
    writer_str(&w, "\r\n");
    if (a->state == ANNOUNCE_ANNOUNCING)
        writer_bytes(&w, a->sdp, a->sdp_n);
    if (url.err || w.err)
        return fail(a, "the request is too long", slice_of(NULL, 0));
    a->out_n += w.len;
    return 0;
}

static int go_on(struct announce *a)
{
    a->answered = false;
    for (unsigned t = 0; t < MEDIA_TRACKS; t++) {
        if (!((a->tracks & ~(unsigned)a->set) >> t & 1))
            continue;
        a->state = ANNOUNCE_SETTING_UP;
        a->track = (enum media_track)t;
        return ask(a);
    }
    a->state = ANNOUNCE_RECORDING;
    return ask(a);
}

/* ---- answers -------------------------------------------------------------- */

struct answer {
    uint32_t status;
    struct slice reason, cseq, session, transport, digest, basic;
};

static bool parse(struct answer *out, struct slice bytes)
{
    struct head h;
    struct head_field f;
    struct slice line, word, part;
    int err;

    *out = (struct answer){ 0 };
    head_init(&h, bytes);
    if (head_start(&h, &line))
        return false;
    slice_cut(&line, ' ', &word);
    slice_cut(&line, ' ', &word);
    out->reason = line;
    if (!slice_u32(word, 999, &out->status))
        return false;
    while ((err = head_next(&h, &f)) == 0) {
        struct slice v = f.value;

        if (slice_ieq(f.name, SLICE("CSeq")))
            out->cseq = v;
        else if (slice_ieq(f.name, SLICE("Transport")))
            out->transport = v;
        else if (slice_ieq(f.name, SLICE("Session"))) {
            slice_cut(&v, ';', &part);
            out->session = slice_trim(part);
        } else if (slice_ieq(f.name, SLICE("WWW-Authenticate"))) {
            if (slice_has_iprefix(v, SLICE("Digest")) && !out->digest.n)
                out->digest = v;
            if (slice_has_iprefix(v, SLICE("Basic")))
                out->basic = v;
        }
    }
    return err == GB_ENOENT;
}

static int refused(struct announce *a, const struct answer *r)
{
    char text[64];
    struct writer w = writer_of(text, sizeof(text) - 1);

    writer_f(&w, "%s is answered %u ", method_of(a), (unsigned)r->status);
    text[w.len] = '\0';
    return fail(a, text, r->reason);
}

/* Once more, with the password. */
static int prove(struct announce *a, const struct answer *r)
{
    struct slice c = r->digest.n ? r->digest : r->basic;

    if (!a->url.user.n && !a->url.password.n)
        return fail(a, "the server wants a user and a password",
                    slice_of(NULL, 0));
    if (a->answered)
        return fail(a, "the server does not accept the password",
                    slice_of(NULL, 0));
    if (!c.n || !slice_copy(a->challenge, sizeof(a->challenge), c) ||
        memchr(c.p, '\0', c.n))
        return fail(a, "the server wants a proof that is not known here",
                    slice_of(NULL, 0));
    a->answered = true;
    a->nc = 0;
    return ask(a);
}

static bool is_id(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] <= ' ' || (uint8_t)s.p[i] > '~')
            return false;
    return s.n <= ANNOUNCE_SESSION_MAX;
}

/* The channels must be those that the packets have already. */
static bool has_our_channels(const struct announce *a, struct slice transport)
{
    const struct slice name = SLICE_INIT("interleaved=");
    char text[32];
    struct writer w = writer_of(text, sizeof(text));
    unsigned channel = RTPMUX_CHANNEL(a->track);
    struct slice rest = transport, p;

    writer_f(&w, "%u-%u", channel, channel + 1);
    while (rest.n) {
        slice_cut(&rest, ';', &p);
        p = slice_trim(p);
        if (slice_has_iprefix(p, name))
            return slice_eq(slice_trim(slice_from(p, name.n)),
                            writer_slice(&w));
    }
    return !transport.n || slice_has_iprefix(transport, SLICE("RTP/AVP/TCP"));
}

static int take_answer(struct announce *a, struct slice bytes)
{
    struct answer r;
    uint32_t cseq;

    if (!parse(&r, bytes))
        return fail(a, "the answer is no RTSP", slice_of(NULL, 0));
    if (r.cseq.n && (!slice_u32(r.cseq, UINT32_MAX, &cseq) ||
                     cseq != a->cseq))
        return 0; /* of another request */
    if (a->state == ANNOUNCE_LIVE || (r.status >= 100 && r.status < 200))
        return 0;
    if (r.status == 401)
        return prove(a, &r);
    if (r.status < 200 || r.status >= 300)
        return refused(a, &r);
    if (!is_id(r.session))
        return fail(a, "a session id that cannot be one", slice_of(NULL, 0));
    if (r.session.n && a->state != ANNOUNCE_ANNOUNCING)
        slice_copy(a->session, sizeof(a->session), r.session);
    if (a->state == ANNOUNCE_SETTING_UP) {
        if (!has_our_channels(a, r.transport))
            return fail(a, "the server chose other channels: ", r.transport);
        a->set |= (uint8_t)(1u << a->track);
    }
    if (a->state == ANNOUNCE_RECORDING) {
        a->state = ANNOUNCE_LIVE;
        return 0;
    }
    return go_on(a);
}

/* ---- what the server asks ---------------------------------------------------- */

static int reply(struct announce *a, const struct rtsp_request *r,
                 unsigned status)
{
    struct writer w;

    to_front(a);
    w = writer_of(a->out + a->out_n, sizeof(a->out) - a->out_n);
    rtsp_answer(&w, status, slice_of(NULL, 0), r->cseq);
    if (w.err)
        return fail(a, "the server asks too much", slice_of(NULL, 0));
    a->out_n += w.len;
    return 0;
}

/* Some ask whether we are there (RFC 2326 §10.1, §10.8). */
static int take_request(struct announce *a, const struct rtsp_request *r)
{
    if (r->fault)
        return fail(a, "what answers does not speak RTSP", slice_of(NULL, 0));
    switch (r->method) {
    case RTSP_OPTIONS:
    case RTSP_GET_PARAMETER:
    case RTSP_SET_PARAMETER:
        return reply(a, r, 200);
    case RTSP_REDIRECT:
        return fail(a, "the server wants the stream at another one",
                    slice_of(NULL, 0));
    case RTSP_TEARDOWN:
        return fail(a, "the server has ended the session", slice_of(NULL, 0));
    default:
        return reply(a, r, 501);
    }
}

size_t announce_room(struct announce *a, char **p)
{
    return rtsp_reader_room(&a->in, p);
}

int announce_input(struct announce *a, size_t n)
{
    struct rtsp_item item;
    int err;

    if (a->state == ANNOUNCE_FAILED)
        return GB_EIO;
    rtsp_reader_added(&a->in, n);
    while ((err = rtsp_reader_next(&a->in, &item)) == 0) {
        if (item.kind == RTSP_ITEM_REQUEST && take_request(a, &item.request))
            return GB_EIO;
        if (item.kind == RTSP_ITEM_ANSWER && take_answer(a, item.whole))
            return GB_EIO;
    }
    return err == GB_EAGAIN
               ? 0
               : fail(a, "the answer is too long", slice_of(NULL, 0));
}

void announce_begin(struct announce *a, const struct push_url *url,
                    struct slice sdp, unsigned tracks, uint32_t seed)
{
    memset(a, 0, sizeof(*a));
    a->url = *url;
    a->tracks = (uint8_t)tracks;
    a->cnonce = seed;
    if (sdp.n > sizeof(a->sdp)) {
        fail(a, "the parameter sets are too long", slice_of(NULL, 0));
        return;
    }
    memcpy(a->sdp, sdp.p, sdp.n);
    a->sdp_n = sdp.n;
    ask(a);
}

struct slice announce_output(const struct announce *a)
{
    return slice_of(a->out + a->out_off, a->out_n - a->out_off);
}

void announce_sent(struct announce *a, size_t n)
{
    a->out_off += n;
}

void announce_bye(struct announce *a)
{
    if (a->state == ANNOUNCE_LIVE)
        ask(a); /* TEARDOWN: the method of that state */
}
