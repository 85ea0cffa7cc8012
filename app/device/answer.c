#include "app/device/answer.h"

#define ANSWER_MAX_BYTES 2048

static bool is(struct slice line, const char *what)
{
    return slice_has_prefix(line, slice_str(what));
}

static void put(struct writer *w, const struct device_faults *f,
                struct slice line)
{
    writer_slice_put(w, line);
    writer_str(w, f->lf_only ? "\n" : "\r\n");
}

static void put_str(struct writer *w, const struct device_faults *f,
                    const char *line)
{
    put(w, f, slice_str(line));
}

static void put_with(struct writer *w, const struct device_faults *f,
                     struct slice line, const char *more)
{
    writer_slice_put(w, line);
    put_str(w, f, more);
}

/* ---- what becomes of one line ---------------------------------------------------- */

/* "c=IN IP4 192.0.2.7" */
static void put_address(struct writer *w, const struct device_faults *f,
                        struct slice line)
{
    bool v6 = is(line, "c=IN IP6");

    if (f->zero_addr)
        put_str(w, f, v6 ? "c=IN IP6 ::" : "c=IN IP4 0.0.0.0");
    else if (f->empty_addr)
        put(w, f, slice_head(line, sizeof("c=IN IP4 ") - 1));
    else if (f->private_addr)
        put_str(w, f, v6 ? "c=IN IP6 fd00::7" : "c=IN IP4 10.255.255.7");
    else
        put_with(w, f, line, f->addr_port ? ":5060" : "");
}

static void put_media(struct writer *w, const struct device_faults *f,
                      struct slice line)
{
    put_with(w, f, line, f->all_formats ? " 97 98" : "");
    if (!f->extra_lines)
        return;
    put_str(w, f, "b=AS:4096");
    put_str(w, f, "a=username:admin");
    put_str(w, f, "a=password:x");
    put_str(w, f, "a=framerate:25");
    put_str(w, f, "a=streamprofile:0");
    put_str(w, f, "x=?");
}

static void put_setup(struct writer *w, const struct device_faults *f,
                      struct slice line)
{
    bool active = is(line, "a=setup:active");

    if (f->same_setup)
        put_str(w, f, active ? "a=setup:passive" : "a=setup:active");
    else if (!f->no_setup)
        put(w, f, line);
}

static void put_ssrc(struct writer *w, const struct device_faults *f,
                     struct slice line)
{
    if (f->short_y && is(line, "y=0")) {
        writer_str(w, "y=");
        put(w, f, slice_from(line, 3));
    } else {
        put(w, f, line);
    }
}

static void put_name(struct writer *w, const struct device_faults *f,
                     struct slice line)
{
    if (f->odd_name)
        put_str(w, f, "s=Embedded Net DVR");
    else
        put(w, f, line);
    if (f->extra_lines)
        put_str(w, f, "i=VCam Live Video");
}

/* ---- the whole ------------------------------------------------------------------- */

static struct slice find(struct slice sdp, const char *what)
{
    struct slice line;

    while (sdp.n) {
        slice_cut(&sdp, '\n', &line);
        if (is(line, what))
            return slice_trim(line);
    }
    return slice_of(NULL, 0);
}

static void put_line(struct writer *w, const struct device_faults *f,
                     struct slice line, struct slice ssrc)
{
    if (is(line, "s=")) {
        put_name(w, f, line);
    } else if (is(line, "c=")) {
        put_address(w, f, line);
    } else if (is(line, "m=")) {
        put_media(w, f, line);
        if (f->y_first && ssrc.n)
            put_ssrc(w, f, ssrc);
    } else if (is(line, "a=setup:")) {
        put_setup(w, f, line);
    } else if (is(line, "y=")) {
        if (!f->y_first)
            put_ssrc(w, f, line);
    } else {
        put(w, f, line);
    }
}

static void spoil(struct writer *w, const struct device_faults *f,
                  struct slice sdp)
{
    struct slice ssrc = find(sdp, "y="), line;

    while (sdp.n) {
        slice_cut(&sdp, '\n', &line);
        put_line(w, f, slice_trim(line), ssrc);
    }
    if (f->odd_size)
        put_str(w, f, "a=fileszie:-1");
    if (f->odd_format)
        put_str(w, f, "f=v/0/0/0/0/0a/0/0/0");
    if (f->unended && !w->err)
        w->len -= f->lf_only ? 1 : 2;
}

void answer_write(struct writer *w, const struct device_faults *f,
                  const struct sdp *offer, const struct sdp_media *m,
                  const struct sdp_answer *a)
{
    char text[ANSWER_MAX_BYTES];
    struct writer plain = writer_of(text, sizeof(text));
    struct sdp read = *offer;
    struct sdp_media *media = &read.media[m - offer->media];

    if (f->udp_answer) {
        media->proto = SDP_RTP_AVP;
        media->proto_name = SLICE("RTP/AVP");
    }
    sdp_answer_write(&plain, &read, media, a);
    if (plain.err)
        w->err = plain.err;
    else
        spoil(w, f, writer_slice(&plain));
}
