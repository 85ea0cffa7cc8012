/* app/platform/doctor.h - the chain from a camera to its picture, link by link
 *
 * Told from what has been seen: messages, packets, timers, and what came of the
 * last time that somebody asked for the picture. Nothing is sent. Every live
 * session leaves its trace here when it ends; to examine anew, start one. */
#ifndef APP_PLATFORM_DOCTOR_H
#define APP_PLATFORM_DOCTOR_H

#include "app/platform/platform.h"

#define DOCTOR_TRIALS_MAX 256 /* ends of sessions that are remembered */
#define DOCTOR_LATE_MS 5000   /* without the next link: it is a fault */
#define DOCTOR_TEXT 4096      /* bytes of evidence of all links */

/* In the order of the chain: the first that is red is to be mended first. */
#define DOCTOR_LINK_MAP(X)                                                     \
    X(REGISTERED, "registered", "the device is registered", "设备已注册")      \
    X(ALIVE,     "alive",     "it keeps itself known", "心跳正常")             \
    X(CLOCK,     "clock",     "its clock is right", "时钟正确")                \
    X(LISTED,    "listed",    "its catalog has the channel", "目录中有该通道") \
    X(INVITED,   "invited",   "INVITE is sent", "INVITE 已发出")               \
    X(ANSWERED,  "answered",  "the device answers it", "设备应答 INVITE")      \
    X(CONNECTED, "connected", "the media connection is up", "媒体连接已建立")  \
    X(ARRIVING,  "arriving",  "packets arrive", "收到媒体包")                  \
    X(SSRC,      "ssrc",      "they have the agreed SSRC", "SSRC 与协商一致")  \
    X(PROGRAM,   "program",   "they are a program stream", "识别出 PS 流")     \
    X(CODEC,     "codec",     "the video codec is known", "识别出视频编码")    \
    X(KEY,       "key",       "a key frame comes", "收到关键帧")               \
    X(VIEWER,    "viewer",    "the viewer can show it", "播放端能够播放")      \
    X(STEADY,    "steady",    "the stream goes on", "码流持续")

enum doctor_link {
#define X(id, name, en, zh) DOCTOR_##id,
    DOCTOR_LINK_MAP(X)
#undef X
    DOCTOR_LINKS
};

enum doctor_state { DOCTOR_UNKNOWN, DOCTOR_GREEN, DOCTOR_RED };

/* What may mend a link; a button each. */
#define DOCTOR_REMEDY_MAP(X)                                                   \
    X(AGAIN,   "again",   "ask for the picture again", "重新请求画面")         \
    X(UDP,     "udp",     "try UDP", "改用 UDP")                               \
    X(PASSIVE, "tcp-passive", "try TCP, the device connects", "改用 TCP 被动") \
    X(ACTIVE,  "tcp-active",  "try TCP, we connect", "改用 TCP 主动")          \
    X(SUB,     "sub",     "try the sub stream", "改用子码流")                  \
    X(CATALOG, "catalog", "ask for the catalog", "重新查询目录")               \
    X(REBOOT,  "reboot",  "restart the device", "重启设备")

enum doctor_remedy {
#define X(id, name, en, zh) DOCTOR_TRY_##id,
    DOCTOR_REMEDY_MAP(X)
#undef X
    DOCTOR_REMEDIES
};

struct doctor_words {
    const char *name, *english, *chinese;
};
extern const struct doctor_words doctor_links[DOCTOR_LINKS];
extern const struct doctor_words doctor_remedies[DOCTOR_REMEDIES];

struct doctor_finding {
    enum doctor_state state;
    bool harmless;         /* red, but the picture comes all the same */
    uint32_t ms;           /* after the request; 0: not reached, or no step */
    struct slice evidence; /* what was seen; empty: nothing */
    struct slice hint;     /* red: what to look at */
    unsigned remedies;     /* bits 1 << enum doctor_remedy */
};

struct doctor_report {
    struct doctor_finding link[DOCTOR_LINKS];
    int first;             /* the first red link, those that are not harmless
                              before the others; -1: none */
    int64_t tried_utc_ms;  /* when the picture was asked for; 0: never */
    bool running;          /* that session is still there */
    enum platform_transport transport;
    char text[DOCTOR_TEXT];
};

struct doctor_question {
    struct slice device, channel;
    unsigned stream;  /* 0 main, 1 sub */
    unsigned can;     /* bits 1 << enum ps_codec that the viewer shows; 0: it
                         has not said */
};

/* Slices point into *out, or into the platform until its next call. */
void platform_doctor(const struct platform *p, const struct doctor_question *q,
                     struct doctor_report *out);

/* ---- inside the platform ---- */

struct session;
/* A session ends: how far it came is remembered. */
void doctor_note(struct platform *p, const struct session *s);
/* What is remembered of a device; empty: of all. */
void doctor_forget(struct platform *p, struct slice device);
#endif
