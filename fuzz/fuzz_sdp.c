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
