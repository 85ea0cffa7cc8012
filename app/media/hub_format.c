/* What each format makes of a stream: its start, its frames, its
 * configurations in mid-stream. */
#include "app/media/flv.h"
#include "app/media/hub_int.h"

static struct flv_options flv_of(const struct hub_ring *r)
{
    return (struct flv_options){ .enhanced = r->format == HUB_FLV_ENHANCED };
}

static bool is_ts(enum hub_format f)
{
    return f == HUB_TS || f == HUB_TS_G711;
}

bool hub_format_carries(enum hub_format f, enum ps_codec c)
{
    switch (f) {
    case HUB_FMP4:
        return fmp4_carries(c);
    case HUB_TS:
        return mpegts_carries(c) && c != PS_CODEC_G711A && c != PS_CODEC_G711U;
    case HUB_TS_G711:
        return mpegts_carries(c);
    case HUB_RTP:
        return rtpmux_carries(c);
    case HUB_FLV:
    case HUB_FLV_ENHANCED:
    case HUB_PS: /* has no frames */
    case HUB_FORMATS:
        break;
    }
    return flv_carries(c);
}

struct media_config *hub_format_config(const struct hub *h,
                                       const struct hub_ring *r,
                                       enum media_track t, unsigned tracks)
{
    struct media_config *c = h->config[t];

    return c && tracks & TRACK_BIT(t) && hub_format_carries(r->format, c->codec)
               ? c
               : NULL;
}

static int rtp_frame(struct hub *h, const struct media_frame *f,
                     struct media_chunk **out)
{
    if (!h->rtp.begun)
        rtpmux_init(&h->rtp, h->opt.rtp_seed,
                    h->opt.utc_base_ms + (int64_t)f->arrival_ms, f->dts90k);
    return rtpmux_frame_chunk(out, h->alloc, &h->rtp, f, h->config[f->track]);
}

int hub_format_frame(struct hub *h, struct hub_ring *r, struct media_frame *f,
                     struct media_chunk **out)
{
    struct flv_options flv = flv_of(r);

    if (r->format == HUB_FMP4) {
        r->fmp4.sets = r->other_video ? h->config[MEDIA_VIDEO] : NULL;
        return fmp4_frame_chunk(out, h->alloc, &r->fmp4, f,
                                h->config[MEDIA_AUDIO]);
    }
    if (is_ts(r->format))
        return mpegts_frame_chunk(
            out, h->alloc, &r->ts, f,
            hub_format_config(h, r, MEDIA_VIDEO, ALL_TRACKS),
            hub_format_config(h, r, MEDIA_AUDIO, ALL_TRACKS));
    if (r->format == HUB_RTP)
        return rtp_frame(h, f, out);
    return flv_frame_chunk(out, h->alloc, &flv, f);
}

int hub_format_start(struct hub *h, struct hub_ring *r, unsigned tracks,
                     int64_t at90k, struct media_chunk **out)
{
    struct flv_options flv = flv_of(r);
    struct flv_start s = {
        .video = hub_format_config(h, r, MEDIA_VIDEO, tracks),
        .audio = hub_format_config(h, r, MEDIA_AUDIO, tracks),
        .fps = hub_fps(h),
        .at90k = at90k,
    };

    if (r->format == HUB_FMP4)
        return fmp4_init_chunk(out, h->alloc, s.video, s.audio);
    if (is_ts(r->format))
        return mpegts_start_chunk(out, h->alloc, &r->ts, s.video, s.audio);
    if (r->format == HUB_RTP)
        return rtpmux_start_chunk(out, h->alloc, &h->rtp, s.video, s.audio,
                                  at90k);
    return flv_start_chunk(out, h->alloc, &flv, &s);
}

int hub_format_change(struct hub *h, struct hub_ring *r, enum media_track t,
                      int64_t at90k, struct media_chunk **out)
{
    struct flv_options flv = flv_of(r);

    if (is_ts(r->format) || r->format == HUB_RTP)
        return GB_ENOENT; /* what changes is told by the next frame */
    return flv_config_chunk(out, h->alloc, &flv, t, h->config[t], at90k);
}

void hub_format_mime(const struct hub *h, const struct hub_ring *r,
                     unsigned tracks, struct writer *w)
{
    if (r->format == HUB_FMP4)
        fmp4_mime(w, hub_format_config(h, r, MEDIA_VIDEO, tracks),
                  hub_format_config(h, r, MEDIA_AUDIO, tracks));
    else
        writer_str(w, is_ts(r->format)       ? MPEGTS_MIME
                      : r->format == HUB_PS  ? "video/mp2p"
                      : r->format == HUB_RTP ? RTPMUX_MIME
                                             : FLV_MIME);
}
