#include "app/rtsp/session.h"

#include "base/time.h"

#define ALLOWED                                                                \
    "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, "         \
    "SET_PARAMETER"

/* ---- Transport (RFC 2326 §12.39) ---------------------------------------- */

/* "4-5" or "4": the second is then the next. */
static bool parse_pair(struct slice s, uint32_t max, uint32_t out[2])
{
    struct slice first;

    if (!slice_cut(&s, '-', &first)) {
        if (!slice_u32(first, max - 1, &out[0]))
            return false;
        out[1] = out[0] + 1;
        return true;
    }
    return slice_u32(first, max, &out[0]) && slice_u32(s, max, &out[1]);
}

static bool parse_parameter(struct rtsp_transport *t, struct slice item,
                            bool *known)
{
    struct slice name;
    uint32_t pair[2];

    slice_cut(&item, '=', &name);
    name = slice_trim(name);
    item = slice_trim(item);
    if (slice_ieq(name, SLICE("multicast")))
        return false;
    if (slice_ieq(name, SLICE("mode"))) {
        if (item.n > 1 && item.p[0] == '"')
            item = slice_of(item.p + 1, item.n - 2);
        return slice_ieq(item, SLICE("PLAY"));
    }
    if (!t->udp && slice_ieq(name, SLICE("interleaved"))) {
        if (!parse_pair(item, 255, pair) || pair[0] == pair[1])
            return false;
        t->channel[0] = (uint8_t)pair[0];
        t->channel[1] = (uint8_t)pair[1];
        *known = true;
    } else if (t->udp && slice_ieq(name, SLICE("client_port"))) {
        if (!parse_pair(item, 65535, pair) || !pair[0] || !pair[1])
            return false;
        t->port[0] = (uint16_t)pair[0];
        t->port[1] = (uint16_t)pair[1];
        *known = true;
    }
    return true; /* what is not known does not matter: where to is the viewer's
                    own address, whatever "destination" says */
}

static bool parse_offer(struct rtsp_transport *out, struct slice offer,
                        enum media_track track)
{
    struct rtsp_transport t = { 0 };
    struct slice item;
    bool known;

    slice_cut(&offer, ';', &item);
    item = slice_trim(item);
    t.udp = slice_ieq(item, SLICE("RTP/AVP")) ||
            slice_ieq(item, SLICE("RTP/AVP/UDP"));
    if (!t.udp && !slice_ieq(item, SLICE("RTP/AVP/TCP")))
        return false;
    t.channel[0] = (uint8_t)(2 * track);
    t.channel[1] = (uint8_t)(2 * track + 1);
    known = !t.udp;
    while (offer.n) {
        slice_cut(&offer, ';', &item);
        if (!parse_parameter(&t, item, &known))
            return false;
    }
    if (!known)
        return false;
    if (t.udp)
        t.channel[0] = t.channel[1] = 0;
    *out = t;
    return true;
}

int rtsp_transport_parse(struct rtsp_transport *out, struct slice value,
                         enum media_track track, bool tcp_only)
{
    struct slice offer;

    if (slice_trim(value).n == 0)
        return GB_ESYNTAX;
    while (value.n) {
        slice_cut(&value, ',', &offer);
        if (parse_offer(out, offer, track) && !(tcp_only && out->udp))
            return 0;
    }
    return GB_EUNSUPPORTED;
}

/* ---- life --------------------------------------------------------------- */

void rtsp_session_init(struct rtsp_session *s, uint64_t now_ms)
{
    *s = (struct rtsp_session){ .heard_ms = now_ms };
}

void rtsp_session_bind(struct rtsp_session *s, const struct rtsp_bound *to,
                       uint64_t now_ms)
{
    *s = (struct rtsp_session){ .state = RTSP_INIT,
                                .stream = to->stream,
                                .tracks = (uint8_t)to->tracks,
                                .tcp_only = to->tcp_only,
                                .heard_ms = now_ms };
    slice_copy(s->device, sizeof(s->device), to->device);
    slice_copy(s->channel, sizeof(s->channel), to->channel);
    for (unsigned i = 0; i < RTSP_SESSION_TEXT; i++)
        s->id[i] = "0123456789ABCDEF"[to->id >> 4 * i & 15];
}

void rtsp_session_heard(struct rtsp_session *s, uint64_t now_ms)
{
    s->heard_ms = now_ms;
}

bool rtsp_session_is_udp(const struct rtsp_session *s)
{
    for (unsigned t = 0; t < MEDIA_TRACKS; t++)
        if (s->set >> t & 1)
            return s->transport[t].udp;
    return false;
}

uint64_t rtsp_session_deadline(const struct rtsp_session *s)
{
    if (s->state == RTSP_PLAYING && !rtsp_session_is_udp(s))
        return GB_NEVER;
    return s->heard_ms + RTSP_SILENCE_MS;
}

/* ---- answers ------------------------------------------------------------ */

static void put_session(struct writer *w, const struct rtsp_session *s)
{
    if (s->given)
        writer_f(w, "Session: %s;timeout=%d\r\n", s->id,
                 RTSP_SILENCE_MS / 1000);
}

static void answer(struct writer *w, const struct rtsp_session *s,
                   const struct rtsp_request *r, unsigned status,
                   const char *lines)
{
    rtsp_answer_begin(w, status, (struct slice){ 0 }, r->cseq);
    put_session(w, s);
    writer_str(w, lines);
    writer_str(w, "\r\n");
}

static enum rtsp_effect refuse(struct writer *w, const struct rtsp_session *s,
                               const struct rtsp_request *r, unsigned status)
{
    answer(w, s, r, status,
           status == 405 || status == 501 ? "Allow: " ALLOWED "\r\n" : "");
    return RTSP_ANSWERED;
}

/* Remembers what the answer needs. */
static enum rtsp_effect owe(struct rtsp_session *s,
                            const struct rtsp_request *r,
                            enum rtsp_effect effect)
{
    s->owed = true;
    slice_copy(s->cseq, sizeof(s->cseq), r->cseq);
    slice_copy(s->url, sizeof(s->url), r->url);
    return effect;
}

static void begin_owed(struct rtsp_session *s, unsigned status,
                       struct slice reason, struct writer *w)
{
    s->owed = false;
    rtsp_answer_begin(w, status, reason, slice_str(s->cseq));
    put_session(w, s);
}

void rtsp_session_failed(struct rtsp_session *s, unsigned status,
                         struct slice reason, struct slice extra,
                         struct writer *w)
{
    begin_owed(s, status, reason, w);
    writer_slice_put(w, extra);
    writer_str(w, "\r\n");
}

/* The presentation's URL as the viewer wrote it, without query and track: with
 * "/trackID=0" behind it players make the URLs of tracks. */
static void put_base(struct writer *w, const struct rtsp_session *s)
{
    struct rtsp_url u;
    struct slice text = slice_str(s->url);

    if (rtsp_url_parse(&u, text))
        return;
    writer_slice_put(w, u.base);
    writer_char(w, '/');
    if (u.device.n) {
        writer_slice_put(w, u.device);
        writer_char(w, '/');
    }
    writer_slice_put(w, u.channel);
}

void rtsp_session_described(struct rtsp_session *s, struct slice sdp,
                            struct writer *w)
{
    begin_owed(s, 200, (struct slice){ 0 }, w);
    writer_str(w, "Content-Base: ");
    put_base(w, s);
    writer_f(w, "/\r\nContent-Type: application/sdp\r\n"
                "Cache-Control: no-store\r\nContent-Length: %zu\r\n\r\n",
             sdp.n);
    writer_slice_put(w, sdp);
}

void rtsp_session_set_up(struct rtsp_session *s, uint16_t server_port,
                         uint32_t ssrc, struct writer *w)
{
    const struct rtsp_transport *t = &s->asked;

    s->transport[s->track] = *t;
    s->set = (uint8_t)(s->others | 1u << s->track);
    s->state = RTSP_READY;
    s->given = true;
    begin_owed(s, 200, (struct slice){ 0 }, w);
    if (t->udp)
        writer_f(w, "Transport: RTP/AVP;unicast;client_port=%u-%u;"
                    "server_port=%u-%u;ssrc=%08X\r\n\r\n",
                 t->port[0], t->port[1], server_port, server_port + 1u,
                 (unsigned)ssrc);
    else
        writer_f(w, "Transport: RTP/AVP/TCP;unicast;interleaved=%u-%u;"
                    "ssrc=%08X\r\n\r\n",
                 t->channel[0], t->channel[1], (unsigned)ssrc);
}

/* Where it plays from and how fast, whatever was asked for (RFC 2326 §10.5,
 * §12.34): from where the stream is, which others may be watching, too. */
static const char *plays(bool scales)
{
    return scales ? "Range: npt=now-\r\nScale: 1\r\n" : "Range: npt=now-\r\n";
}

void rtsp_session_playing(struct rtsp_session *s,
                          const struct rtsp_start info[static MEDIA_TRACKS],
                          struct writer *w)
{
    const char *sep = "RTP-Info: ";

    s->state = RTSP_PLAYING;
    begin_owed(s, 200, (struct slice){ 0 }, w);
    writer_str(w, plays(s->scales));
    for (unsigned t = 0; t < MEDIA_TRACKS; t++) {
        if (!(s->set >> t & 1) || !info[t].on)
            continue;
        writer_str(w, sep);
        writer_str(w, "url=");
        put_base(w, s);
        writer_f(w, "/trackID=%u;seq=%u;rtptime=%lu", t, info[t].seq,
                 (unsigned long)info[t].ts);
        sep = ",";
    }
    writer_str(w, *sep == ',' ? "\r\n\r\n" : "\r\n");
}

/* ---- requests ----------------------------------------------------------- */

enum does { ANSWER, NO_SESSION, BAD_STATE, UNKNOWN, OPEN, DESCRIBE, SETUP,
            PLAY, AGAIN, PAUSE, END, PARAMETERS };

/* What a method does in a state. */
static const uint8_t table[RTSP_STATES][RTSP_METHODS + 1] = {
    [RTSP_UNBOUND] = {
        [RTSP_OPTIONS] = ANSWER,        [RTSP_DESCRIBE] = OPEN,
        [RTSP_SETUP] = OPEN,            [RTSP_PLAY] = NO_SESSION,
        [RTSP_PAUSE] = NO_SESSION,      [RTSP_TEARDOWN] = NO_SESSION,
        [RTSP_GET_PARAMETER] = ANSWER,  [RTSP_SET_PARAMETER] = PARAMETERS,
        [RTSP_ANNOUNCE] = BAD_STATE,    [RTSP_RECORD] = BAD_STATE,
        [RTSP_REDIRECT] = BAD_STATE,    [RTSP_OTHER] = UNKNOWN,
    },
    [RTSP_INIT] = {
        [RTSP_OPTIONS] = ANSWER,        [RTSP_DESCRIBE] = DESCRIBE,
        [RTSP_SETUP] = SETUP,           [RTSP_PLAY] = NO_SESSION,
        [RTSP_PAUSE] = NO_SESSION,      [RTSP_TEARDOWN] = NO_SESSION,
        [RTSP_GET_PARAMETER] = ANSWER,  [RTSP_SET_PARAMETER] = PARAMETERS,
        [RTSP_ANNOUNCE] = BAD_STATE,    [RTSP_RECORD] = BAD_STATE,
        [RTSP_REDIRECT] = BAD_STATE,    [RTSP_OTHER] = UNKNOWN,
    },
    [RTSP_READY] = {
        [RTSP_OPTIONS] = ANSWER,        [RTSP_DESCRIBE] = DESCRIBE,
        [RTSP_SETUP] = SETUP,           [RTSP_PLAY] = PLAY,
        [RTSP_PAUSE] = ANSWER,          [RTSP_TEARDOWN] = END,
        [RTSP_GET_PARAMETER] = ANSWER,  [RTSP_SET_PARAMETER] = PARAMETERS,
        [RTSP_ANNOUNCE] = BAD_STATE,    [RTSP_RECORD] = BAD_STATE,
        [RTSP_REDIRECT] = BAD_STATE,    [RTSP_OTHER] = UNKNOWN,
    },
    [RTSP_PLAYING] = {
        [RTSP_OPTIONS] = ANSWER,        [RTSP_DESCRIBE] = DESCRIBE,
        [RTSP_SETUP] = BAD_STATE,       [RTSP_PLAY] = AGAIN,
        [RTSP_PAUSE] = PAUSE,           [RTSP_TEARDOWN] = END,
        [RTSP_GET_PARAMETER] = ANSWER,  [RTSP_SET_PARAMETER] = PARAMETERS,
        [RTSP_ANNOUNCE] = BAD_STATE,    [RTSP_RECORD] = BAD_STATE,
        [RTSP_REDIRECT] = BAD_STATE,    [RTSP_OTHER] = UNKNOWN,
    },
    [RTSP_ENDED] = {
        [RTSP_OPTIONS] = NO_SESSION,    [RTSP_DESCRIBE] = NO_SESSION,
        [RTSP_SETUP] = NO_SESSION,      [RTSP_PLAY] = NO_SESSION,
        [RTSP_PAUSE] = NO_SESSION,      [RTSP_TEARDOWN] = NO_SESSION,
        [RTSP_GET_PARAMETER] = NO_SESSION, [RTSP_SET_PARAMETER] = NO_SESSION,
        [RTSP_ANNOUNCE] = NO_SESSION,   [RTSP_RECORD] = NO_SESSION,
        [RTSP_REDIRECT] = NO_SESSION,   [RTSP_OTHER] = NO_SESSION,
    },
};

static unsigned count(unsigned tracks)
{
    return (tracks & 1) + (tracks >> 1 & 1);
}

/* A device may be left out where the channel names it. The URL of a track is
 * made without the query. */
static bool is_ours(const struct rtsp_session *s, const struct rtsp_url *u)
{
    if (u->track < 0 && u->stream != s->stream)
        return false;
    return slice_eq(u->channel, slice_str(s->channel)) &&
           (u->device.n == 0 || slice_eq(u->device, slice_str(s->device)));
}

/* A track that is set up already, in no session: players that nothing reaches
 * over UDP do it all once more over TCP. */
static bool begins_anew(const struct rtsp_session *s,
                        const struct rtsp_request *r, int track)
{
    return r->session.n == 0 && s->set >> track & 1;
}

/* Lines are alternatives, as what stands between commas is. */
static int choose_transport(const struct rtsp_session *s,
                            const struct rtsp_request *r,
                            enum media_track track, struct rtsp_transport *out)
{
    int err = GB_ESYNTAX;

    for (size_t i = 0; i < RTSP_TRANSPORTS_MAX && r->transport[i].n && err; i++)
        err = rtsp_transport_parse(out, r->transport[i], track, s->tcp_only);
    return err;
}

static enum rtsp_effect set_up(struct rtsp_session *s,
                               const struct rtsp_request *r,
                               const struct rtsp_url *u, struct writer *w)
{
    int track = u->track;
    struct rtsp_transport t;

    if (track < 0 && count(s->tracks) == 1)
        track = s->tracks >> MEDIA_AUDIO & 1;
    if (track < 0)
        return refuse(w, s, r, 459);
    if (track >= MEDIA_TRACKS || !(s->tracks >> track & 1))
        return refuse(w, s, r, 404);
    switch (choose_transport(s, r, (enum media_track)track, &t)) {
    case 0:
        break;
    case GB_ESYNTAX:
        return refuse(w, s, r, 400);
    default:
        return refuse(w, s, r, 461);
    }
    s->others = begins_anew(s, r, track) ? 0 : s->set;
    for (int i = 0; i < MEDIA_TRACKS; i++) {
        const struct rtsp_transport *o = &s->transport[i];

        if (i == track || !(s->others >> i & 1))
            continue;
        if (o->udp != t.udp) /* one kind for all */
            return refuse(w, s, r, 461);
        for (int k = 0; k < 4; k++)
            if (t.udp ? t.port[k & 1] == o->port[k >> 1]
                      : t.channel[k & 1] == o->channel[k >> 1])
                return refuse(w, s, r, 461);
    }
    s->track = (enum media_track)track;
    s->asked = t;
    return owe(s, r, RTSP_DO_SETUP);
}

/* What holds for every request that names a session or a part of one; 0, or the
 * status. */
static unsigned check_session(const struct rtsp_session *s,
                              const struct rtsp_request *r)
{
    bool needs = r->method == RTSP_PLAY || r->method == RTSP_PAUSE ||
                 r->method == RTSP_TEARDOWN;

    if (s->state == RTSP_UNBOUND)
        return r->session.n && r->method != RTSP_DESCRIBE ? 454 : 0;
    if (r->session.n ? !s->given || !slice_eq(r->session, slice_str(s->id))
                     : needs)
        return 454;
    return 0;
}

/* One track alone cannot play, pause or end where both are set up. */
static bool is_part(const struct rtsp_session *s, const struct rtsp_url *u)
{
    return u->track >= 0 && count(s->set) > 1;
}

/* A PLAY from another time. Players ask for npt=0 when they begin, and for some
 * other when they are moved: they are told where it goes on, since many hang on
 * a refusal. A time of the clock means what was recorded, and is none of this
 * stream (§11.3.8); other units are not known (§12.29). 0, or the status. */
static unsigned refuses_range(struct slice range)
{
    struct slice unit;

    slice_cut(&range, '=', &unit);
    unit = slice_trim(unit);
    if (unit.n == 0 || slice_ieq(unit, SLICE("npt")))
        return 0;
    return slice_ieq(unit, SLICE("clock")) ? 457 : 501;
}

static enum rtsp_effect act(struct rtsp_session *s,
                            const struct rtsp_request *r,
                            const struct rtsp_url *u, struct writer *w)
{
    unsigned status;

    switch ((enum does)table[s->state][r->method]) {
    case ANSWER:
        answer(w, s, r, 200,
               r->method == RTSP_OPTIONS ? "Public: " ALLOWED "\r\n" : "");
        return RTSP_ANSWERED;
    case NO_SESSION:
        return refuse(w, s, r, 454);
    case BAD_STATE:
        return refuse(w, s, r, r->method == RTSP_SETUP ? 455 : 405);
    case UNKNOWN:
        return refuse(w, s, r, 501);
    case OPEN:
        return owe(s, r, RTSP_DO_OPEN);
    case DESCRIBE:
        return owe(s, r, RTSP_DO_DESCRIBE);
    case SETUP:
        return set_up(s, r, u, w);
    case PLAY:
    case AGAIN:
    case PAUSE:
    case END:
        break;
    case PARAMETERS: /* an empty one asks whether we live */
        return refuse(w, s, r, r->body.n ? 451 : 200);
    }
    if (is_part(s, u))
        return refuse(w, s, r, 460);
    if (r->method == RTSP_PLAY && (status = refuses_range(r->range)) != 0)
        return refuse(w, s, r, status);
    s->scales = r->scale.n > 0;
    if (table[s->state][r->method] == PLAY)
        return owe(s, r, RTSP_DO_PLAY);
    if (r->method == RTSP_TEARDOWN)
        s->state = RTSP_ENDED;
    else if (r->method == RTSP_PAUSE)
        s->state = RTSP_READY;
    answer(w, s, r, 200, r->method == RTSP_PLAY ? plays(s->scales) : "");
    return r->method == RTSP_TEARDOWN ? RTSP_DO_END
           : r->method == RTSP_PAUSE  ? RTSP_DO_PAUSE
                                      : RTSP_ANSWERED;
}

static bool names_stream(enum rtsp_method m)
{
    return m == RTSP_DESCRIBE || m == RTSP_SETUP;
}

/* "*": of the server, or a sign of life. */
static bool may_name_none(enum rtsp_method m)
{
    return m == RTSP_OPTIONS || m == RTSP_GET_PARAMETER ||
           m == RTSP_SET_PARAMETER;
}

enum rtsp_effect rtsp_session_request(struct rtsp_session *s,
                                      const struct rtsp_request *r,
                                      struct rtsp_url *url, struct writer *w,
                                      uint64_t now_ms)
{
    unsigned status = r->fault;
    int err = 0;

    s->heard_ms = now_ms;
    *url = (struct rtsp_url){ .track = -1 };
    if (status)
        return refuse(w, s, r, status);
    if (r->require.n) {
        rtsp_answer_begin(w, 551, (struct slice){ 0 }, r->cseq);
        writer_str(w, "Unsupported: ");
        writer_line_safe(w, r->require);
        writer_str(w, "\r\n\r\n");
        return RTSP_ANSWERED;
    }
    if (r->method != RTSP_OTHER) {
        err = rtsp_url_parse(url, r->url);
        if (err && r->method == RTSP_OPTIONS)
            err = 0; /* of whatever: it asks what we can */
        status = err == GB_ERANGE ? 400 : err ? 404 : check_session(s, r);
        if (!status && url->any && !may_name_none(r->method))
            status = 400;
    }
    if (status)
        return refuse(w, s, r, status);
    /* a SETUP of the whole has no query either */
    if (r->method == RTSP_SETUP)
        url->stream = s->stream;
    if (names_stream(r->method) && s->state != RTSP_UNBOUND &&
        s->state != RTSP_ENDED && !is_ours(s, url))
        return s->state == RTSP_PLAYING ? refuse(w, s, r, 455)
                                        : RTSP_DO_OTHER;
    return act(s, r, url, w);
}
