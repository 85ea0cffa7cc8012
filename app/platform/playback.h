/* app/platform/playback.h - recordings of a device that are played */
#ifndef APP_PLATFORM_PLAYBACK_H
#define APP_PLATFORM_PLAYBACK_H

#include "app/platform/platform.h"

struct device;
struct session;

/* A recording that is being played. */
struct session_playback {
    struct platform_playback told;
    bool ending;           /* the device says that all has been sent */
    const char *hung_up;   /* it has ended the dialog; NULL: it has not */
    unsigned quiet;        /* reports in a row without a packet */
    uint64_t until_ms;     /* behind either: what comes later is not heard */
    uint64_t transaction;  /* of the control on its way; 0: none */
    struct platform_control asked;
    uint32_t cseq;         /* of the last MANSRTSP body */
    bool whole_scale;      /* it wants "2" for "2.0" */
    int64_t seek_ms;       /* for NEWS_PACE; -1: none */
    uint64_t scaled_ms;    /* mono time of the first report behind the last
                              change of scale or position; 0: none yet */
    int64_t scaled_at_ms;  /* its position */
    int64_t shift_s;       /* its clock minus ours, in the offer */
};

/* A recording that plays, and of which nothing more is to come: the device has
 * said so, or its last second is there. */
bool playback_is_over(const struct session *s);
/* How long it is kept with nobody watching. */
uint64_t playback_idle_ms(const struct platform *p, const struct session *s);
/* All has come: BYE. */
void playback_complete(struct platform *p, struct session *s);
/* MediaStatus 121: what is on its way may still come. Whoever sends on and on is
 * told BYE. */
void playback_ending(struct platform *p, struct session *s);
/* Its dialog is over, but not what is on its way; why: a literal. false: it does
 * not play, or is none. */
bool playback_hung_up(struct platform *p, struct session *s, const char *why);
/* Nothing more comes behind one of these. */
void playback_drained(struct platform *p, struct session *s);
/* The recording of this device that a MediaStatus means; NULL: none. */
struct session *playback_of(struct platform *p, struct device *d,
                            const struct sip_event *ev, struct slice id);
/* An answer to a control. false: it is none. */
bool playback_on_sip(struct platform *p, struct session *s,
                     const struct sip_event *ev);
/* What the media loop reports of it; more: packets have come. */
void playback_on_media(struct platform *p, struct session *s,
                       const struct platform_media_event *ev, bool more);
#endif
