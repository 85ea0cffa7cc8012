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
    bool unsure;           /* ...of some recording of this channel */
    const char *hung_up;   /* it has ended the dialog; NULL: it has not */
    unsigned quiet;        /* reports in a row without a packet */
    uint64_t until_ms;     /* behind either: what comes later is not heard */
    uint64_t transaction;  /* of the control on its way; 0: none */
    struct platform_control asked;
    uint32_t cseq;         /* of the last MANSRTSP body */
    bool whole_scale;      /* it wants "2" for "2.0" */
    bool login;            /* the control that is open answers a challenge */
    int64_t seek_ms;       /* for NEWS_PACE; -1: none */
    uint64_t scaled_ms;    /* mono time of the first report behind the last
                              change of scale or position; 0: none yet */
    int64_t scaled_at_ms;  /* its position */
    int64_t shift_s;       /* its clock minus ours, in the offer */
    /* the rest of one that ended early (playback_rest.c) */
    uint64_t from_s;       /* where the range of this dialog begins */
    bool asking;           /* waits to hear what there is... */
    uint64_t records;      /* ...by this question; 0: it could not be asked */
    unsigned tries;        /* in a row that brought next to nothing */
    int32_t again_milli;   /* speed to be asked for once more; 0: none */
    bool maybe_all;        /* the device said 121; that there is more is a guess */
};

/* A recording that plays, and of which nothing more is to come: the device has
 * said so, or its last second is there. */
bool playback_is_over(const struct session *s);
/* How long it is kept with nobody watching. */
uint64_t playback_idle_ms(const struct platform *p, const struct session *s);
/* All has come: BYE. */
void playback_complete(struct platform *p, struct session *s);
/* MediaStatus 121: what is on its way may still come. Whoever sends on and on is
 * told BYE; where it is not sure to be about this one, that shows that it is not. */
void playback_ending(struct platform *p, struct session *s, bool sure);
/* Its dialog is over, but not what is on its way; why: a literal. false: it does
 * not play, or is none. */
bool playback_hung_up(struct platform *p, struct session *s, const char *why);
/* Nothing more comes behind one of these. */
void playback_drained(struct platform *p, struct session *s);
/* It has ended clearly before the end of its range, and somebody watches: what the
 * device has of the rest is asked for, and then another INVITE. Each has to bring
 * something. false: it is not worth it. */
bool playback_goes_on(struct platform *p, struct session *s, const char *why);
/* This question is answered: a recording may wait for it. */
void playback_on_records(struct platform *p, uint64_t records);
/* It waits for an answer, and now goes on or is complete. false: it does not. */
bool playback_rest_due(struct platform *p, struct session *s);
/* The INVITE for the rest is answered. */
void playback_accepted(struct platform *p, struct session *s);
/* To a place before the range of its dialog: by another INVITE. */
void playback_go_back(struct platform *p, struct session *s,
                      int64_t position_ms);
int64_t playback_from_ms(const struct session *s);
/* An INFO in its dialog. */
int playback_send_control(struct platform *p, struct session *s);
/* The recording of this device that a MediaStatus means; NULL: none, or one whose
 * dialog is over. sure: it came in its dialog. */
struct session *playback_of(struct device *d, const struct sip_event *ev,
                            struct slice id, bool *sure);
/* An answer to a control. false: it is none. */
bool playback_on_sip(struct platform *p, struct session *s,
                     const struct sip_event *ev);
/* What the media loop reports of it; more: packets have come. */
void playback_on_media(struct platform *p, struct session *s,
                       const struct platform_media_event *ev, bool more);
#endif
