/* test/voice_rig.h - a recorder that is spoken to, and what becomes of it */
#ifndef TEST_VOICE_RIG_H
#define TEST_VOICE_RIG_H

#include "app/platform/voice.h"
#include "test/session_rig.h"

#include <stdio.h>
#include <string.h>

#define OFFER(media)                                                           \
    "v=0\r\no=34020000001370000001 0 0 IN IP4 192.168.1.10\r\ns=Play\r\n"      \
    "c=IN IP4 192.168.1.10\r\nt=0 0\r\n" media

#define UDP8 OFFER("m=audio 9712 RTP/AVP 8 96\r\na=recvonly\r\n"               \
                   "a=rtpmap:8 PCMA/8000/1\r\na=rtpmap:96 PS/90000\r\n"        \
                   "y=0022371912\r\nf=v/0/0/0/0/0a/1/8/1\r\n")

static struct sim_device *d;
static uint64_t id;

static inline struct platform_voice view(void)
{
    struct platform_voice v = { .state = PLATFORM_VOICE_OVER };

    platform_voice_view(s.p, id, &v);
    return v;
}

static inline int start(enum platform_voice_mode mode)
{
    const struct platform_voice_wish w = { .device = slice_str(nvr),
                                           .channel = slice_str(channel),
                                           .mode = mode,
                                           .who = SLICE("a test") };
    struct platform_voice v;
    int err = platform_voice_start(s.p, &w, s.now, &v);

    id = v.id;
    return err;
}

static inline void begin(enum platform_voice_mode mode, const char *result)
{
    d = ready();
    d->broadcast_result = result;
    assert_int_equal(start(mode), 0);
    sim_run(&s, 200);
}

static inline struct sim_stream *stream(void)
{
    return sim_stream_of(&s, id);
}

static inline void call(const char *sdp)
{
    char subject[100];

    snprintf(subject, sizeof(subject), "%s:0,%s:0", SIM_ID,
             d->broadcast_target);
    sim_call(d, nvr, SIM_ID, subject, sdp);
    sim_run(&s, 200);
}

static inline bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static inline void expect_over(enum platform_voice_state state,
                        enum platform_voice_step step, const char *why)
{
    struct platform_voice v;
    char log[sizeof(s.log)];

    (void)state;
    assert_false(platform_voice_of(s.p, slice_str(nvr), &v));
    memcpy(log, s.log, sizeof(log));
    if (!has(log, why))
        fail_msg("not told: %s\n%s", why, log);
    assert_true(has(log, platform_voice_step_name(step)));
}
#endif
