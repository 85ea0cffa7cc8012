#include "app/net/receiver.h"

#include "app/media/fmp4.h"
#include "app/net/held.h"
#include "app/net/wrap.h"
#include "base/prefetch.h"
#include "ps/proto.h"
#include "rtp/unpack.h"

#include <stddef.h>
#include <stdlib.h>

/* One payload type of the session. */
struct pt_slot {
    bool used;
    uint8_t pt;
    struct rtp_kind_test test;
    struct rtp_item *waiting; /* RTP_KIND_PACKETS, while the kind is open */
    size_t n_waiting;
    struct wrap *wrap; /* it is video without a program stream */
};

/* Of a program with two pictures (a camera of two lenses) or two sounds the one that
 * is shown. */
struct lead {
    uint8_t id; /* 0: none yet */
    uint64_t last_ms;
};

/* What each packet needs comes first: few lines of the caches. */
struct receiver {
    struct rtp_queue *queue;
    uint64_t now_ms, last_ms, fed_ms;
    struct hub *hub;
    struct ps_demux *demux; /* made with the first PS payload */
    enum rtp_kind kind;
    bool gap; /* before what is fed next */
    bool said_packet, said_program, said_codec, said_unknown, fed;
    bool said_encrypted, said_blind;
    bool pictured; /* a picture has come that is whole */
    uint64_t first_fed_ms;
    uint32_t flush_ms; /* silence that completes a picture; 0: it is over */
    struct receiver_counters n;
    uint64_t program_bytes; /* fed to the demuxer */
    struct lead picture, sound;
    struct rtp_source source;
    struct pt_slot pt[RECEIVER_MAX_PT];
    struct held held; /* refused so far */
    struct receiver_options o;
    enum ps_codec video_hint, audio_hint, video, audio;
    uint64_t g711_at; /* samples, from the first; g711_ts: of the last */
    uint32_t g711_ts;
};

static void say(struct receiver *r, bool *once, enum receiver_event ev)
{
    if (*once)
        return;
    *once = true;
    r->o.on_event(r->o.ctx, ev);
}

/* ---- demuxer ------------------------------------------------------------- */

static struct lead *lead_of(struct receiver *r, uint8_t id)
{
    return ps_id_is_video(id) ? &r->picture : &r->sound;
}

/* The first that comes and is of a codec with an output leads, until nothing more
 * comes of it. Mixed they would be a picture of nothing. */
static bool leads(struct receiver *r, const struct ps_au *au)
{
    struct lead *l = lead_of(r, au->stream_id);

    if (!fmp4_carries(au->codec))
        return l->id == 0;
    if (l->id != au->stream_id && l->id &&
        (r->now_ms - l->last_ms < RECEIVER_LEAD_MS ||
         (ps_codec_is_video(au->codec) && !au->key)))
        return false;
    if (l->id && l->id != au->stream_id)
        *(ps_codec_is_video(au->codec) ? &r->video : &r->audio) = au->codec;
    l->id = au->stream_id;
    l->last_ms = r->now_ms;
    return true;
}

static void on_au(void *ctx, const struct ps_au *au)
{
    struct receiver *r = ctx;

    if (!leads(r, au))
        return;
    r->pictured |= ps_id_is_video(au->stream_id);
    hub_au(r->hub, au, r->now_ms);
}

static void on_stream(void *ctx, const struct ps_stream *s)
{
    struct receiver *r = ctx;
    uint8_t id = lead_of(r, s->stream_id)->id;

    say(r, &r->said_program, RECEIVER_PROGRAM);
    hub_stream(r->hub, s);
    if (s->encrypted)
        say(r, &r->said_encrypted, RECEIVER_ENCRYPTED);
    if (s->codec == PS_CODEC_UNKNOWN || (id && id != s->stream_id))
        return;
    if (ps_codec_is_video(s->codec)) {
        r->video = s->codec;
        say(r, &r->said_codec, RECEIVER_CODEC);
    } else {
        r->audio = s->codec;
    }
}

static void on_hold(void *ctx, void *buf)
{
    (void)ctx;
    slab_ref(buf);
}

static void on_release(void *ctx, void *buf)
{
    (void)ctx;
    slab_unref(buf);
}

static bool have_demux(struct receiver *r)
{
    struct ps_hooks hooks = { on_au, on_stream, on_hold, on_release, r };
    struct ps_options opt = { .video_hint = r->video_hint,
                              .audio_hint = r->audio_hint };

    return r->demux ||
           ps_demux_new(&r->demux, &gb_alloc_heap, &hooks, &opt) == 0;
}

static void feed_ps(struct receiver *r, const uint8_t *p, size_t n,
                    const struct ps_feed *f)
{
    bool tap = hub_wants_program(r->hub);
    struct hub_program raw = { p, n, r->program_bytes, r->gap, { 0 } };

    if (!have_demux(r))
        return;
    if (tap) {
        ps_demux_place(r->demux, &raw.place);
        hub_program(r->hub, &raw, r->now_ms);
    }
    r->gap = false;
    r->program_bytes += n;
    ps_demux_feed(r->demux, p, n, f);
    if (tap) {
        ps_demux_place(r->demux, &raw.place);
        hub_program_done(r->hub, &raw.place);
    }
    if (!r->fed)
        r->first_fed_ms = r->now_ms;
    r->fed = true;
    r->flush_ms = RECEIVER_FLUSH_MS;
    r->fed_ms = r->now_ms;
    if (!r->said_program) {
        struct ps_counters c;

        ps_demux_counters(r->demux, &c);
        if (c.packs || c.pes)
            say(r, &r->said_program, RECEIVER_PROGRAM);
    }
}

/* ---- raw G.711 (RFC 3551 §4.5.14): sound of a talk ---------------------------- */

#define AUDIO_ID 0xc0 /* what it would be in a program stream */

static void use_g711(struct receiver *r, enum ps_codec codec,
                     const struct rtp_item *it)
{
    struct ps_piece piece = { it->payload, it->n, it->buf };
    struct ps_au au = { .stream_id = AUDIO_ID, .codec = codec,
                        .discontinuity = it->gap, .has_pts = true,
                        .rtp_ts = it->ts, .piece = &piece, .n_pieces = 1,
                        .bytes = it->n };

    if (r->audio != codec) {
        const struct ps_stream s = { .stream_id = AUDIO_ID, .codec = codec,
                                     .source = PS_FROM_SDP };

        r->g711_ts = it->ts;
        on_stream(r, &s);
    }
    /* it may wrap, this does not */
    r->g711_at += (uint64_t)(int64_t)(int32_t)(it->ts - r->g711_ts);
    r->g711_ts = it->ts;
    au.pts90k = (r->g711_at * 90000 / 8000) & ((1ull << 33) - 1);
    hub_au(r->hub, &au, r->now_ms);
}

/* ---- video without a program stream ---------------------------------------- */

static void on_wrapped(void *ctx, const uint8_t *p, size_t n, struct slab *s,
                       uint32_t rtp_ts, bool last)
{
    const struct ps_feed f = { .buf = s, .rtp_ts = rtp_ts, .packet = true,
                               .marker = last };

    feed_ps(ctx, p, n, &f);
}

static void on_wrap_gap(void *ctx, bool inside)
{
    struct receiver *r = ctx;

    if (inside && r->demux)
        ps_demux_gap_inside(r->demux);
    receiver_gap(r);
}

static void drop_wrap(struct pt_slot *s)
{
    wrap_free(s->wrap);
    s->wrap = NULL;
}

/* There is one demultiplexer: a program stream has it, or the first that is put into
 * one. */
static bool is_taken(const struct receiver *r, const struct pt_slot *by)
{
    for (size_t i = 0; i < RECEIVER_MAX_PT; i++) {
        const struct pt_slot *s = &r->pt[i];

        if (s != by && (s->wrap || (s->test.state == RTP_KIND_DECIDED &&
                                    s->test.kind == RTP_KIND_PS)))
            return true;
    }
    return false;
}

static bool use_video(struct receiver *r, struct pt_slot *s,
                      const struct rtp_item *it)
{
    const struct wrap_hooks hooks = { on_wrapped, on_wrap_gap, r };

    if (!s->wrap && !is_taken(r, s))
        s->wrap = wrap_new(s->test.kind, &hooks);
    if (s->wrap)
        wrap_feed(s->wrap, it);
    return s->wrap != NULL;
}

/* No other payload begins like this: what was taken for one, in the middle of a
 * picture or of sound, was not. */
static bool is_pack(const struct rtp_item *it)
{
    static const uint8_t code[4] = { 0, 0, 1, PS_ID_PACK };

    return it->n >= sizeof(code) && memcmp(it->payload, code, sizeof(code)) == 0;
}

static void begin_program(struct receiver *r, struct pt_slot *s)
{
    s->test.state = RTP_KIND_DECIDED;
    s->test.kind = RTP_KIND_PS;
    for (size_t i = 0; i < RECEIVER_MAX_PT; i++) {
        if (r->pt[i].wrap)
            receiver_gap(r);
        drop_wrap(&r->pt[i]);
    }
}

/* ---- payload kinds --------------------------------------------------------- */

/* What the payload type is said to be: the rtpmap of the answer before the table of
 * the standard, whose 99 is SVAC, and H.265 in most answers. */
static enum rtp_kind kind_told(const struct receiver *r, uint8_t pt)
{
    enum rtp_kind kind = rtp_kind_of(pt, (struct slice){ NULL, 0 });

    if (kind != RTP_KIND_SVAC && kind != RTP_KIND_H264 && kind != RTP_KIND_H265)
        return kind;
    switch (r->video_hint) {
    case PS_CODEC_H264:
        return RTP_KIND_H264;
    case PS_CODEC_H265:
        return RTP_KIND_H265;
    case PS_CODEC_SVAC:
        return RTP_KIND_SVAC;
    case PS_CODEC_MPEG4:
        return RTP_KIND_MPEG4;
    default:
        return kind;
    }
}

/* It is no longer what it was assumed to be. */
static void test_anew(struct receiver *r, struct pt_slot *s, enum rtp_kind hint)
{
    if (s->wrap)
        receiver_gap(r);
    drop_wrap(s);
    rtp_kind_init(&s->test, s->pt, hint);
}

/* The answer has come behind the first media. */
static void tell_slots(struct receiver *r)
{
    for (size_t i = 0; i < RECEIVER_MAX_PT && r->pt[i].used; i++) {
        struct rtp_kind_test *t = &r->pt[i].test;
        enum rtp_kind hint = kind_told(r, t->pt);

        if (t->state == RTP_KIND_OPEN)
            t->hint = hint;
        else if (t->state != RTP_KIND_DECIDED && t->hint != hint)
            test_anew(r, &r->pt[i], hint);
    }
}

static struct pt_slot *slot_of(struct receiver *r, uint8_t pt)
{
    for (size_t i = 0; i < RECEIVER_MAX_PT; i++) {
        struct pt_slot *s = &r->pt[i];

        if (s->used && s->pt == pt)
            return s;
        if (!s->used) {
            s->used = true;
            s->pt = pt;
            rtp_kind_init(&s->test, pt, kind_told(r, pt));
            return s;
        }
    }
    return NULL;
}

static void use_payload(struct receiver *r, struct pt_slot *s,
                        const struct rtp_item *it)
{
    if (s->test.kind != RTP_KIND_PS && is_pack(it))
        begin_program(r, s);
    r->kind = s->test.kind;
    if (s->test.kind == RTP_KIND_PS) {
        const struct ps_feed f = { .buf = it->buf, .rtp_ts = it->ts,
                                   .packet = true, .marker = it->marker };

        if (it->gap)
            receiver_gap(r);
        feed_ps(r, it->payload, it->n, &f);
    } else if (rtp_unpack_takes(s->test.kind) && use_video(r, s, it)) {
        return;
    } else if (s->test.kind == RTP_KIND_PCMA) {
        use_g711(r, PS_CODEC_G711A, it);
    } else if (s->test.kind == RTP_KIND_PCMU) {
        use_g711(r, PS_CODEC_G711U, it);
    } else {
        r->n.unknown_bytes += it->n;
        say(r, &r->said_unknown, RECEIVER_UNKNOWN);
    }
}

/* The kind is decided, or has been given up: what waited goes its way. */
static void replay(struct receiver *r, struct pt_slot *s)
{
    for (size_t i = 0; i < s->n_waiting; i++) {
        if (s->test.state != RTP_KIND_FAILED)
            use_payload(r, s, &s->waiting[i]);
        else
            r->n.unknown_bytes += s->waiting[i].n;
        slab_unref(s->waiting[i].buf);
    }
    free(s->waiting);
    s->waiting = NULL;
    s->n_waiting = 0;
}

static void keep_waiting(struct pt_slot *s, const struct rtp_item *it)
{
    if (!s->waiting)
        s->waiting = calloc(RTP_KIND_PACKETS, sizeof(*s->waiting));
    if (!s->waiting || s->n_waiting == RTP_KIND_PACKETS)
        return;
    s->waiting[s->n_waiting++] = *it;
    slab_ref(it->buf);
}

static void deliver(struct receiver *r, const struct rtp_item *it)
{
    struct pt_slot *s = slot_of(r, it->pt);
    enum rtp_kind_state state;

    if (!s || it->n == 0)
        return;
    if (s->test.state == RTP_KIND_DECIDED || s->test.state == RTP_KIND_ASSUMED) {
        use_payload(r, s, it);
        return;
    }
    keep_waiting(s, it);
    state = rtp_kind_feed(&s->test, it->payload, it->n, it->seq, it->ts,
                          r->now_ms);
    if (state == RTP_KIND_OPEN)
        return;
    if (s->test.kind == RTP_KIND_PS)
        begin_program(r, s);
    replay(r, s);
    if (state == RTP_KIND_FAILED)
        say(r, &r->said_unknown, RECEIVER_UNKNOWN);
}

static void drain(struct receiver *r)
{
    struct rtp_item it;

    while (rtp_queue_pop(r->queue, &it, r->now_ms)) {
        deliver(r, &it);
        slab_unref(it.buf);
    }
}

/* ---- packets ---------------------------------------------------------------- */

/* A packet of ours into the queue. */
static void take(struct receiver *r, struct rtp_item *it, size_t n)
{
    r->n.packets++;
    r->n.bytes += n;
    r->last_ms = r->now_ms;
    say(r, &r->said_packet, RECEIVER_PACKET);
    if (rtp_queue_pass(r->queue, it, r->now_ms)) {
        deliver(r, it); /* who keeps it takes a reference */
        return;
    }
    slab_ref(it->buf);
    if (rtp_queue_push(r->queue, it, r->now_ms) != RTP_PUSH_TAKEN)
        slab_unref(it->buf);
    drain(r);
}

/* Not ours, at least not yet. */
static void refuse(struct receiver *r, const struct gb_addr *from,
                   uint32_t ssrc, const struct rtp_item *it, size_t n)
{
    const struct held_packet p = { .item = *it, .bytes = n,
                                   .at_ms = r->now_ms };
    const struct slab *s = it->buf;

    if (rtp_source_waits(&r->source, from, ssrc) &&
        s->pool->n_live <= s->pool->max / 2)
        r->n.foreign += held_keep(&r->held, from, ssrc, &p);
    else
        r->n.foreign++;
}

/* Another sender is ours: what is held of it comes first. */
static void begin_anew(struct receiver *r, const struct gb_addr *from,
                       uint32_t ssrc)
{
    struct held *h = &r->held;

    rtp_queue_flush(r->queue);
    drain(r);
    r->n.foreign += held_is_of(h, from, ssrc) ? held_expire(h, r->now_ms)
                                              : held_drop(h);
    for (size_t i = 0; i < h->n; i++)
        take(r, &h->p[i].item, h->p[i].bytes);
    held_drop(h);
}

/* The packet that is due, of the sender that is locked, as by far most are: what
 * happens to it below, in a few comparisons. false: it is to go that way, where
 * what was done here is done once more and changes nothing. */
static inline bool take_next(struct receiver *r, const uint8_t *p, size_t n,
                             struct slab *s, const struct gb_addr *from)
{
    struct rtp_item it;

    if (!rtp_is_plain(p, n) || r->held.n ||
        !rtp_source_goes_on(&r->source, from, rtp_ssrc_of(p), rtp_seq_of(p),
                            r->now_ms))
        return false;
    it.payload = p + RTP_HEADER_BYTES;
    it.n = n - RTP_HEADER_BYTES;
    it.ts = rtp_ts_of(p);
    it.seq = rtp_seq_of(p);
    it.pt = p[1] & 0x7f;
    it.marker = p[1] >> 7;
    it.buf = s;
    if (!rtp_queue_pass(r->queue, &it, r->now_ms))
        return false;
    r->n.packets++;
    r->n.bytes += n;
    r->last_ms = r->now_ms;
    deliver(r, &it);
    return true;
}

void receiver_prefetch(const struct receiver *r)
{
    prefetch_room(r, offsetof(struct receiver, source.policy));
    prefetch_room(&r->pt[0], sizeof(r->pt[0]));
    prefetch(&r->held.n);
    prefetch_room(r->queue, PREFETCH_LINE);
    if (r->demux)
        ps_demux_prefetch(r->demux);
    hub_prefetch(r->hub);
}

bool receiver_packet(struct receiver *r, const uint8_t *p, size_t n,
                     struct slab *s, const struct gb_addr *from,
                     uint64_t now_ms)
{
    struct rtp_packet pkt;
    struct rtp_item it;

    r->now_ms = now_ms;
    if (take_next(r, p, n, s, from))
        return true;
    if (rtp_packet_parse(&pkt, p, n)) {
        r->n.invalid++;
        return false;
    }
    it.payload = pkt.payload;
    it.n = pkt.payload_len;
    it.ts = pkt.ts;
    it.seq = pkt.seq;
    it.pt = pkt.pt;
    it.marker = pkt.marker;
    it.gap = false;
    it.ext_seq = 0;
    it.buf = s;
    switch (rtp_source_check(&r->source, from, pkt.ssrc, pkt.seq, now_ms)) {
    case RTP_FOREIGN:
        refuse(r, from, pkt.ssrc, &it, n);
        return false;
    case RTP_OURS_NEW:
        begin_anew(r, from, pkt.ssrc);
        break;
    case RTP_OURS:
    case RTP_OURS_MOVED:
        if (r->held.n) /* who it was is still there */
            r->n.foreign += held_drop(&r->held);
        break;
    }
    take(r, &it, n);
    return true;
}

void receiver_bare(struct receiver *r, const uint8_t *p, size_t n,
                   struct slab *s, uint64_t now_ms)
{
    struct ps_feed f = { .buf = s };

    r->now_ms = r->last_ms = now_ms;
    r->n.packets++;
    r->n.bytes += n;
    r->kind = RTP_KIND_PS;
    say(r, &r->said_packet, RECEIVER_PACKET);
    feed_ps(r, p, n, &f);
}

void receiver_gap(struct receiver *r)
{
    if (r->demux)
        ps_demux_gap(r->demux);
    r->gap = true;
}

/* Access units that only waited for what follows are out. */
static void tell_done(struct receiver *r)
{
    struct ps_place place;

    if (!hub_wants_program(r->hub))
        return;
    ps_demux_place(r->demux, &place);
    hub_program_done(r->hub, &place);
}

static void flush_wraps(struct receiver *r)
{
    for (size_t i = 0; i < RECEIVER_MAX_PT; i++)
        if (r->pt[i].wrap)
            wrap_flush(r->pt[i].wrap);
}

/* Nothing comes: the last picture waits no more. */
static void complete(struct receiver *r)
{
    flush_wraps(r);
    r->flush_ms = r->flush_ms == RECEIVER_FLUSH_MS ? RECEIVER_LATE_MS : 0;
    ps_demux_flush(r->demux, false);
    tell_done(r);
}

/* The stream has come for seconds: why is there no picture? */
static void explain_blindness(struct receiver *r)
{
    struct hub_stats seen;
    struct ps_counters c;

    if (r->said_blind || !r->fed ||
        r->now_ms - r->first_fed_ms < RECEIVER_BLIND_MS)
        return;
    ps_demux_counters(r->demux, &c);
    if (!c.keys && !c.corrupt_pictures)
        return; /* sound alone, or nothing to tell */
    hub_stats(r->hub, r->now_ms, &seen);
    if (seen.keys)
        r->said_blind = true; /* there is */
    else if (c.keys && seen.width == 0)
        say(r, &r->said_blind, RECEIVER_NO_SETS);
    else if (!r->pictured && c.corrupt_pictures)
        say(r, &r->said_blind, RECEIVER_DAMAGED);
}

void receiver_tick(struct receiver *r, uint64_t now_ms)
{
    r->now_ms = now_ms;
    r->n.foreign += held_expire(&r->held, now_ms);
    if (rtp_queue_deadline(r->queue) <= now_ms)
        drain(r);
    if (r->flush_ms && now_ms - r->fed_ms >= r->flush_ms)
        complete(r);
    explain_blindness(r);
}

void receiver_end(struct receiver *r, uint64_t now_ms)
{
    r->now_ms = now_ms;
    r->n.foreign += held_drop(&r->held);
    rtp_queue_flush(r->queue);
    drain(r);
    flush_wraps(r);
    if (r->demux)
        ps_demux_flush(r->demux, true);
}

void receiver_answer(struct receiver *r, bool has_ssrc, uint32_t ssrc,
                     enum ps_codec video, enum ps_codec audio)
{
    if (has_ssrc)
        rtp_source_expect(&r->source, ssrc);
    r->video_hint = video;
    r->audio_hint = audio;
    tell_slots(r);
}

void receiver_allow(struct receiver *r, const struct gb_addr *addr)
{
    if (addr->family != GB_NO_ADDR)
        rtp_source_allow(&r->source, addr);
}

/* ---- life --------------------------------------------------------------------- */

int receiver_new(struct receiver **out, struct hub *hub,
                 const struct receiver_options *o)
{
    struct receiver *r = calloc(1, sizeof(*r));
    struct rtp_queue_options q = {
        .window = o->tcp ? 0 : RTP_QUEUE_WINDOW,
    };

    if (!r)
        return GB_ENOMEM;
    r->o = *o;
    r->hub = hub;
    rtp_source_init(&r->source, RTP_SSRC_ADOPT);
    if (o->has_ssrc)
        rtp_source_expect(&r->source, o->ssrc);
    if (rtp_queue_new(&r->queue, &gb_alloc_heap, &q)) {
        free(r);
        return GB_ENOMEM;
    }
    *out = r;
    return 0;
}

void receiver_free(struct receiver *r)
{
    struct rtp_item it;

    if (!r)
        return;
    held_drop(&r->held);
    rtp_queue_flush(r->queue);
    while (rtp_queue_pop(r->queue, &it, r->now_ms))
        slab_unref(it.buf);
    for (size_t i = 0; i < RECEIVER_MAX_PT; i++) {
        for (size_t j = 0; j < r->pt[i].n_waiting; j++)
            slab_unref(r->pt[i].waiting[j].buf);
        free(r->pt[i].waiting);
        drop_wrap(&r->pt[i]);
    }
    ps_demux_free(r->demux);
    rtp_queue_free(r->queue);
    free(r);
}

void receiver_counters(const struct receiver *r, struct receiver_counters *out)
{
    struct rtp_queue_counters q;

    *out = r->n;
    rtp_queue_counters(r->queue, &q);
    out->lost = q.lost;
    if (r->demux) {
        struct ps_counters c;

        ps_demux_counters(r->demux, &c);
        out->corrupt = c.corrupt_aus; /* the dropped ones are among them */
        out->resyncs = c.resyncs;
    }
}

uint64_t receiver_last_ms(const struct receiver *r)
{
    return r->last_ms;
}

const struct rtp_source *receiver_source(const struct receiver *r)
{
    return &r->source;
}

enum rtp_kind receiver_kind(const struct receiver *r)
{
    return r->kind;
}

void receiver_codecs(const struct receiver *r, enum ps_codec *video,
                     enum ps_codec *audio)
{
    *video = r->video;
    *audio = r->audio;
}

bool receiver_report(struct receiver *r, struct rtcp_block *out)
{
    if (!r->source.locked)
        return false;
    rtp_queue_report(r->queue, r->source.ssrc, out);
    return true;
}
