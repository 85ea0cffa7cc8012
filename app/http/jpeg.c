/* A JPEG of what a channel shows: its newest key frame, made into one by another
 * program. A request for it begins like every viewer (live.c); its session is
 * held until the picture is there. */
#include "app/http/api.h"

bool http_jpeg_ask(struct http_app *a, uint64_t request,
                   const struct http_media *m, struct gb_time now)
{
    if (!a->cfg.jpeg)
        return false;
    platform_session_hold(a->cfg.platform, m->session, now);
    if (a->cfg.jpeg(a->cfg.ctx, request, m->session, m->loop))
        return true;
    platform_session_release(a->cfg.platform, m->session, now);
    return false;
}

void http_app_jpeg_told(struct http_app *a, const struct http_jpeg_told *t)
{
    const struct http_problem failed = {
        .status = 502, .code = "jpeg-failed",
        .detail = "the key frame could not be made into a JPEG",
        .evidence = slice_str(t->why),
        .hint = SLICE_INIT("frame.mp4 at the same place is the key frame as it "
                           "is; see snapshot.ffmpeg"),
    };
    static const struct http_problem busy = {
        .status = 503, .detail = "too many pictures are being made",
    };
    struct http_response r;

    http_response_init(&r, a->cfg.alloc);
    if (t->err) {
        http_answer_problem(&r, t->err == GB_ELIMIT ? &busy : &failed);
    } else {
        r.status = 200;
        r.type = http_format_type(HTTP_FORMAT_JPEG);
        buf_slice(&r.body, t->picture);
        if (r.body.err)
            http_answer_problem(&r, &busy);
    }
    platform_session_release(a->cfg.platform, t->session, http_app_now(a));
    a->cfg.touched(a->cfg.ctx);
    http_app_answer(a, t->request, &r);
}
