/* With shortcuts and without a body reads the same. What we accept we can
 * write, and what we have written reads the same. */
#include "fuzz/fuzz.h"

#include "sdp/gbext.h"
#include "sdp/offer.h"
#include "sdp/read.h"
#include "test/sdp_same.h"

#include <stdlib.h>

#define ROOM (4 * SDP_MAX_BYTES)

static void same_media(const struct sdp *a, const struct sdp_media *m,
                       const struct sdp *b, const struct sdp_media *n)
{
    uint32_t x = 0, y = 0;
    bool has = sdp_ssrc(a, m, &x);

    if (m->type != n->type || m->proto != n->proto || m->port != n->port ||
        m->direction != n->direction || m->setup != n->setup ||
        m->connection != n->connection || m->ptime_ms != n->ptime_ms ||
        m->downloadspeed != n->downloadspeed ||
        m->filesize_bytes != n->filesize_bytes ||
        m->select.streamnumber != n->select.streamnumber ||
        m->select.streamprofile != n->select.streamprofile ||
        m->select.stream != n->select.stream ||
        m->select.mode != n->select.mode || m->n_formats != n->n_formats ||
        has != sdp_ssrc(b, n, &y) || x != y)
        abort();
    for (size_t i = 0; i < m->n_formats; i++)
        if (m->formats[i].pt != n->formats[i].pt ||
            (m->formats[i].encoding.n &&
             m->formats[i].clock_hz != n->formats[i].clock_hz))
            abort();
}

static void side_parsers(const struct sdp *s)
{
    struct sdp_offer o = { .ssrc = 1, .transport = SDP_TCP_PASSIVE };
    struct sdp_agreed g;
    struct sdp_uri u;
    struct sdp_f f;
    struct gb_addr a;
    char buf[2048];

    if (sdp_uri_parse(&u, s->uri) == 0 && u.code.n == 0)
        abort();
    if (sdp_f_parse(&f, s->format) == 0) {
        struct writer w = writer_of(buf, sizeof(buf));
        struct sdp_f again;

        sdp_f_write(&w, &f);
        if (!w.err && (sdp_f_parse(&again, writer_slice(&w)) ||
                       f.video_codec != again.video_codec))
            abort();
    }
    if (sdp_agree(&g, &o, s) == 0 && !g.media)
        abort();
    for (size_t i = 0; i < s->n_media; i++) {
        struct sdp_answer ans = { .ssrc = 5 };

        sdp_media_addr(s, &s->media[i], &a);
        if (sdp_choose_format(&s->media[i], &ans.pt) == 0) {
            struct writer w = writer_of(buf, sizeof(buf));
            struct sdp back;

            sdp_answer_write(&w, s, &s->media[i], &ans);
            if (!w.err && s->media[i].type != SDP_MEDIA_OTHER &&
                s->media[i].proto != SDP_PROTO_OTHER &&
                (sdp_parse(&back, writer_slice(&w), NULL) ||
                 !back.has_ssrc || back.ssrc != 5))
                abort();
        }
    }
}

/* What was kept of unknown attributes is found by its name. */
static void attributes(const struct sdp_media *m)
{
    struct slice value;

    for (size_t i = 0; i < m->n_other; i++) {
        struct slice rest = m->other[i], name;

        slice_cut(&rest, ':', &name);
        require(sdp_attr(m, slice_trim(name), &value));
    }
    require(!sdp_attr(m, SLICE("no:such"), &value));
}

static void numbers(const struct sdp *s)
{
    unsigned serial = s->ssrc % 20000;
    bool history = sdp_is_history(s->operation);
    char text[SDP_SSRC_DIGITS];
    struct writer w = writer_of(text, sizeof(text));
    uint32_t ssrc, again = 0;

    if (sdp_ssrc_make(&ssrc, s->origin_user, history, serial))
        return;
    sdp_ssrc_write(&w, ssrc);
    require(!w.err && sdp_ssrc_parse(&again, writer_slice(&w)));
    require(again == ssrc && ssrc % 10000 == serial);
    require((text[0] == '1') == history);
}

/* An attribute of m that means nothing to us, for an offer of ours. */
static struct slice unknown_of(const struct sdp_media *m)
{
    struct slice a = m->n_other ? slice_trim(m->other[0]) : SLICE("");

    return slice_has_prefix(a, SLICE("a=")) ? SLICE("") : a;
}

static struct sdp_offer offer_from(const struct sdp *s)
{
    static const enum sdp_transport transport[] = {
        [SDP_SETUP_NONE] = SDP_UDP,        [SDP_ACTIVE] = SDP_TCP_ACTIVE,
        [SDP_PASSIVE] = SDP_TCP_PASSIVE,   [SDP_ACTPASS] = SDP_TCP_PASSIVE,
        [SDP_HOLDCONN] = SDP_TCP_ACTIVE,
    };
    const struct sdp_media *m = &s->media[0];
    unsigned stream = sdp_selected_stream(&m->select);
    struct sdp_offer o = {
        .operation = s->operation,
        .transport = transport[m->setup],
        .owner = s->origin_user,
        .ssrc = s->ssrc,
        .minimal = s->n_media > 1,
        .channel = slice_head(s->origin_user, 40),
        .start_s = s->start_s,
        .stop_s = s->stop_s,
        .downloadspeed = m->downloadspeed,
        .select = sdp_select_make(stream, s->has_format),
        .extra = unknown_of(m),
        .format = s->format,
    };

    require(sdp_selected_stream(&o.select) == stream);
    if (!sdp_media_addr(s, m, &o.addr))
        require(gb_addr_parse(&o.addr, SLICE("192.0.2.6:9"), 0) == 0);
    return o;
}

/* Our own offer reads as it was meant, and our answer to it is agreed to. */
static void both_sides(const struct sdp *s)
{
    static char text[ROOM], reply[ROOM];
    struct sdp_offer o = offer_from(s);
    struct writer w = writer_of(text, sizeof(text));
    struct sdp_answer a = { .owner = s->origin_user, .addr = o.addr,
                            .ssrc = o.ssrc };
    struct sdp offer, answer;
    struct sdp_agreed g;

    sdp_offer_write(&w, &o);
    if (w.err || w.len > SDP_MAX_BYTES / 2)
        return;
    require(sdp_parse(&offer, writer_slice(&w), NULL) == 0);
    require(offer.n_media == 1 && offer.ssrc == o.ssrc &&
         offer.operation == o.operation);
    require(!sdp_is_history(o.operation) ||
         (offer.start_s == o.start_s && offer.stop_s == o.stop_s));
    require(o.minimal || sdp_selected_stream(&offer.media[0].select) ==
                          sdp_selected_stream(&o.select));
    require(sdp_choose_format(&offer.media[0], &a.pt) == 0);
    w = writer_of(reply, sizeof(reply));
    sdp_answer_write(&w, &offer, &offer.media[0], &a);
    require(!w.err && sdp_parse(&answer, writer_slice(&w), NULL) == 0);
    require(answer.media[0].setup == sdp_setup_opposite(offer.media[0].setup));
    require(sdp_agree(&g, &o, &answer) == 0);
    require(!g.either && !g.retry_udp && !g.ssrc_changed && g.has_format);
    require(g.peer_setup == answer.media[0].setup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char one[ROOM], two[ROOM];
    struct writer w1 = writer_of(one, sizeof(one));
    struct writer w2 = writer_of(two, sizeof(two));
    struct slice body = slice_of((const char *)data, size);
    struct sdp a, b;
    int err = sdp_parse(&a, body, NULL);

    if (err != sdp_parse_patient(&b, body, NULL))
        abort();
    if (err)
        return 0;
    if (!sdp_same(&a, &b))
        abort();
    side_parsers(&a);
    if (memchr(data, 0, size))
        return 0; /* NUL is taken out on the way: not the same text */
    numbers(&a);
    for (size_t i = 0; i < a.n_media; i++)
        attributes(&a.media[i]);
    both_sides(&a);
    sdp_write(&w1, &a);
    if (w1.err)
        abort();
    if (w1.len > SDP_MAX_BYTES)
        return 0;
    if (sdp_parse(&b, writer_slice(&w1), NULL) || a.n_media != b.n_media)
        abort();
    for (size_t i = 0; i < a.n_media; i++)
        same_media(&a, &a.media[i], &b, &b.media[i]);
    sdp_write(&w2, &b);
    if (w2.err || !slice_eq(writer_slice(&w1), writer_slice(&w2)))
        abort();
    return 0;
}
