/* A connection as the RTSP server holds it: what is read are whole items of
 * what came, however it was cut; each request is answered once, at once or by
 * its owner; the states of the session stay consistent. */
#include "fuzz/fuzz.h"
#include "fuzz/hash.h"
#include "fuzz/memory.h"

#include "app/rtsp/session.h"

#include <stdlib.h>

#define ANSWERS 8192
#define MAX_ITEMS 200

static void check(bool good)
{
    if (!good)
        abort();
}

/* One side of the connection; two of them get the same bytes in other pieces. */
struct side {
    struct rtsp_reader *rd; /* of its own block: what reads past it is seen */
    struct rtsp_session s;
    unsigned choice; /* what its owner does with debts */
    uint64_t now_ms;
    uint64_t sum;    /* of all answers and items */
    unsigned items;
    bool over;
};

static void add(struct side *d, struct slice bytes)
{
    d->sum = hash_bytes(d->sum, bytes.p, bytes.n);
}

static unsigned choose(struct side *d, unsigned n)
{
    d->choice = d->choice * 1664525 + 1013904223;
    return (d->choice >> 16) % n;
}

static void check_state(const struct rtsp_session *s)
{
    const struct rtsp_transport *t = s->transport;

    check(s->state < RTSP_STATES);
    check((s->set & ~s->tracks) == 0);
    check((s->state == RTSP_UNBOUND) == (s->tracks == 0));
    check((s->state == RTSP_READY || s->state == RTSP_PLAYING) ==
          (s->set && s->state != RTSP_ENDED));
    check(!s->set || s->given);
    if (s->set != 3)
        return;
    check(t[0].udp == t[1].udp);
    for (int i = 0; i < 4; i++)
        check(t[0].udp ? t[0].port[i & 1] != t[1].port[i >> 1] && t[0].port[0]
                       : t[0].channel[i & 1] != t[1].channel[i >> 1]);
}

/* One whole answer, with the CSeq that was asked with. */
static void check_answer(struct slice text, const struct rtsp_request *r)
{
    static struct rtsp_reader back;
    struct rtsp_item it;
    char *p;

    back = (struct rtsp_reader){ 0 };
    check(text.n <= rtsp_reader_room(&back, &p));
    memcpy(p, text.p, text.n);
    rtsp_reader_added(&back, text.n);
    check(rtsp_reader_next(&back, &it) == 0);
    check(it.kind == RTSP_ITEM_ANSWER && it.whole.n == text.n);
    check(slice_eq(it.request.cseq, r->cseq));
    check(slice_has_prefix(text, SLICE("RTSP/1.0 ")));
}

static void pay(struct side *d, enum rtsp_effect e, struct writer *w)
{
    struct rtsp_start info[MEDIA_TRACKS] = { { choose(d, 2) != 0, 1, 2 },
                                             { choose(d, 2) != 0, 3, 4 } };

    if (choose(d, 8) == 0) {
        rtsp_session_failed(&d->s, 503, SLICE("no"), (struct slice){ 0 }, w);
        return;
    }
    if (e == RTSP_DO_DESCRIBE)
        rtsp_session_described(&d->s, SLICE("v=0\r\n"), w);
    else if (e == RTSP_DO_SETUP)
        rtsp_session_set_up(&d->s, 40000, 7, w);
    else
        rtsp_session_playing(&d->s, info, w);
}

static void take_request(struct side *d, const struct rtsp_request *r)
{
    char text[ANSWERS];
    struct writer w = writer_of(text, sizeof(text));
    struct rtsp_url url;
    enum rtsp_effect e =
        rtsp_session_request(&d->s, r, &url, &w, ++d->now_ms);

    if (e == RTSP_DO_OTHER) { /* to main, where it begins anew */
        check(w.len == 0 && !d->s.owed && d->s.state != RTSP_PLAYING);
        rtsp_session_init(&d->s, d->now_ms);
        e = rtsp_session_request(&d->s, r, &url, &w, d->now_ms);
        check(e == RTSP_DO_OPEN || e == RTSP_ANSWERED);
    }
    if (e == RTSP_DO_OPEN) {
        check(w.len == 0 && d->s.owed && url.channel.n);
        if (choose(d, 4)) {
            struct rtsp_bound to = { .device = url.device,
                                     .channel = url.channel,
                                     .stream = url.stream,
                                     .tracks = 1 + choose(d, 3) };

            if (!to.device.n)
                to.device = SLICE("1");
            rtsp_session_bind(&d->s, &to, d->now_ms);
            e = rtsp_session_request(&d->s, r, &url, &w, d->now_ms);
            check(e == RTSP_ANSWERED || e == RTSP_DO_DESCRIBE ||
                  e == RTSP_DO_SETUP);
        } else {
            rtsp_session_failed(&d->s, 401, (struct slice){ 0 },
                                SLICE("WWW-Authenticate: Basic\r\n"), &w);
        }
    }
    if (d->s.owed) {
        check(w.len == 0);
        pay(d, e, &w);
    }
    check(!d->s.owed && w.err == 0);
    check_answer(writer_slice(&w), r);
    check_state(&d->s);
    check(rtsp_session_deadline(&d->s) > d->now_ms);
    add(d, writer_slice(&w));
    d->over = !r->is_framed || e == RTSP_DO_END;
    check((e == RTSP_DO_END) == (d->s.state == RTSP_ENDED));
}

static void read_all(struct side *d)
{
    struct rtsp_reader *r = d->rd;
    struct rtsp_item it;
    int err = 0;

    while (!d->over && d->items < MAX_ITEMS) {
        err = rtsp_reader_next(r, &it);
        check(r->off <= r->n && r->n <= sizeof(r->buf));
        if (err)
            break;
        d->items++;
        check(it.whole.n && it.whole.p >= r->buf &&
              it.whole.p + it.whole.n == r->buf + r->off);
        add(d, it.whole);
        if (it.kind == RTSP_ITEM_FRAME)
            check(it.frame.n + 4 == it.whole.n);
        else if (it.kind == RTSP_ITEM_REQUEST)
            take_request(d, &it.request);
    }
    check(err == 0 || err == GB_EAGAIN || err == GB_ELIMIT);
    d->over |= err == GB_ELIMIT || d->items >= MAX_ITEMS;
}

static void run(struct side *d, const uint8_t *p, size_t n, size_t step,
                unsigned choice)
{
    *d = (struct side){ .rd = memory_get(NULL, sizeof(*d->rd)), .choice = choice };
    rtsp_session_init(&d->s, 0);
    while (n && !d->over) {
        char *to;
        size_t room = rtsp_reader_room(d->rd, &to);
        size_t take = n < step ? n : step;

        take = take < room ? take : room;
        check(take > 0); /* a full buffer is an item or too much */
        memcpy(to, p, take);
        rtsp_reader_added(d->rd, take);
        p += take;
        n -= take;
        read_all(d);
    }
    memory_put(NULL, d->rd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct side a, b;

    if (size < 2)
        return 0;
    memory_begin(0);
    run(&a, data + 2, size - 2, RTSP_REQUEST_MAX, data[1]);
    run(&b, data + 2, size - 2, 1 + data[0] % 64u, data[1]);
    check(a.sum == b.sum && a.items == b.items);
    memory_end();
    return 0;
}
