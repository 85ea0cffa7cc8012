#include "app/rtsp/describe.h"

#include <nettle/base64.h>

static void put_base64(struct writer *w, struct slice s)
{
    size_t n = BASE64_ENCODE_RAW_LENGTH(s.n);

    if (w->err)
        return;
    if (n > w->cap - w->len) {
        w->err = GB_ENOMEM;
        return;
    }
    base64_encode_raw(w->p + w->len, s.n, (const uint8_t *)s.p);
    w->len += n;
}

/* Parameter sets [from, from + n), in Base64, with commas in between. */
static void put_sets(struct writer *w, const struct media_config *c,
                     unsigned from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (i)
            writer_char(w, ',');
        put_base64(w, c->param[from + i]);
    }
}

static void put_h264(struct writer *w, const struct media_config *c)
{
    unsigned pt = rtpmux_pt(c->codec);
    const char *sep = ";sprop-parameter-sets=";

    writer_f(w, "a=rtpmap:%u H264/90000\r\na=fmtp:%u packetization-mode=1", pt,
             pt);
    if (c->n_sps && c->param[c->n_vps].n >= 4) {
        writer_str(w, ";profile-level-id=");
        writer_hex(w, c->param[c->n_vps].p + 1, 3);
    }
    if (c->n_param) {
        writer_str(w, sep);
        put_sets(w, c, 0, c->n_param);
    }
    writer_str(w, "\r\n");
}

static void put_h265(struct writer *w, const struct media_config *c)
{
    unsigned pt = rtpmux_pt(c->codec);

    writer_f(w, "a=rtpmap:%u H265/90000\r\na=fmtp:%u sprop-vps=", pt, pt);
    put_sets(w, c, 0, c->n_vps);
    writer_str(w, ";sprop-sps=");
    put_sets(w, c, c->n_vps, c->n_sps);
    writer_str(w, ";sprop-pps=");
    put_sets(w, c, c->n_vps + c->n_sps, c->n_pps);
    writer_str(w, "\r\n");
}

static void put_aac(struct writer *w, const struct media_config *c)
{
    unsigned pt = rtpmux_pt(c->codec);

    writer_f(w,
             "a=rtpmap:%u MPEG4-GENERIC/%u/%u\r\n"
             "a=fmtp:%u streamtype=5;profile-level-id=1;mode=AAC-hbr;"
             "sizelength=13;indexlength=3;indexdeltalength=3;config=",
             pt, (unsigned)c->rate_hz, c->channels, pt);
    writer_hex(w, c->record.p, c->record.n);
    writer_str(w, "\r\n");
}

static void put_track(struct writer *w, enum media_track t,
                      const struct media_config *c)
{
    writer_f(w, "m=%s 0 RTP/AVP %u\r\n", t == MEDIA_VIDEO ? "video" : "audio",
             rtpmux_pt(c->codec));
    if (c->codec == PS_CODEC_H264)
        put_h264(w, c);
    else if (c->codec == PS_CODEC_H265)
        put_h265(w, c);
    else if (c->codec == PS_CODEC_AAC)
        put_aac(w, c);
    else
        writer_f(w, "a=rtpmap:%u %s/8000\r\n", rtpmux_pt(c->codec),
                 c->codec == PS_CODEC_G711A ? "PCMA" : "PCMU");
    writer_f(w, "a=control:trackID=%u\r\n", (unsigned)t);
}

void rtsp_sdp_write(struct writer *w, const struct gb_addr *local,
                    uint64_t session,
                    const struct media_config *const config[MEDIA_TRACKS])
{
    bool v6 = local->family == GB_IPV6;

    writer_f(w, "v=0\r\no=- %llu 1 IN %s ", (unsigned long long)session,
             v6 ? "IP6" : "IP4");
    if (local->family == GB_NO_ADDR)
        writer_str(w, "0.0.0.0");
    else
        gb_addr_write_ip(w, local);
    writer_f(w, "\r\ns=live\r\nc=IN %s\r\nt=0 0\r\na=control:*\r\n"
                "a=range:npt=now-\r\n",
             v6 ? "IP6 ::" : "IP4 0.0.0.0");
    for (unsigned t = 0; t < MEDIA_TRACKS; t++)
        if (config[t])
            put_track(w, (enum media_track)t, config[t]);
}
