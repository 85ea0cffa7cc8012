/* app/platform/voice_int.h - the inside of a voice, for voice.c (life) and
 * voice_sip.c (Broadcast, both INVITEs); nobody else includes it */
#ifndef APP_PLATFORM_VOICE_INT_H
#define APP_PLATFORM_VOICE_INT_H

#include "app/platform/core.h"
#include "app/platform/dialogs.h"
#include "app/platform/voice.h"
#include "app/platform/voices.h"

#define VOICE_EVIDENCE 240
#define VOICE_OFFER_MAX 2048

enum voice_phase {
    VOICE_ASKING,   /* Broadcast is out, the device's INVITE is awaited */
    VOICE_OPENING,  /* the media loop opens the port */
    VOICE_INVITING, /* talk: INVITE is out */
    VOICE_TURNING,  /* no talk: its port is closed, then Broadcast */
    VOICE_ANSWERED, /* ACK, or the connection, is awaited */
    VOICE_SPEAKING,
    VOICE_CLOSING,
    VOICE_GONE,
};

/* Orders and news for the owner, told in this order. */
enum {
    VOICE_NEWS_OPEN = 1, VOICE_NEWS_WAIT = 2, VOICE_NEWS_ANSWER = 4,
    VOICE_NEWS_SPEAK = 8, VOICE_NEWS_CLOSE = 16, VOICE_NEWS_CHANGED = 32,
    VOICE_NEWS_DIALOG = 64, VOICE_NEWS_GONE = 128,
};

/* Whom a Broadcast is for, in the order that they are tried. */
enum voice_target {
    VOICE_TARGET_OUTPUT,  /* a child of the channel of type 137 */
    VOICE_TARGET_CHANNEL,
    VOICE_TARGET_DEVICE,
    VOICE_TARGETS
};

struct voice_call {
    struct handle handle;
    struct list in_all, dirty;
    struct timerq_node timer;
    struct device *device; /* NULL: removed; only CLOSING and GONE then */
    unsigned news;
    enum voice_phase phase;
    struct platform_voice told; /* slices are made when it is viewed */
    bool is_auto, tried[PLATFORM_VOICE_MODES], targets[VOICE_TARGETS];
    uint8_t target_kind;   /* enum voice_target */
    bool open, ordered, closing, port_lent;
    bool acked;            /* or not waited for any more */
    bool response;         /* the Response has come */
    uint16_t refused;      /* its INVITE was, with this; 0: it was not */
    char required[32];     /* what it requires, of a 420 */
    bool login;            /* what went out last answers a challenge */
    bool by_udp;           /* it answers a talk over TCP with UDP */
    struct platform_voice_wish wish; /* numbers alone */
    uint32_t lent_ssrc;    /* 0: the device's own */
    uint32_t sn;
    struct open_dialog dialog;
    uint64_t message, invite; /* of the stack */
    uint64_t deadline_ms, max_ms, closed_ms;
    uint8_t pt;
    unsigned refusals;     /* ports that could not be opened */
    struct gb_time started;
    char device_text[PLATFORM_ID_MAX], channel[PLATFORM_ID_MAX],
        target[PLATFORM_ID_MAX], who[PLATFORM_VOICE_WHO_MAX],
        evidence[VOICE_EVIDENCE];
    uint8_t device_len, channel_len, target_len, who_len;
    uint16_t evidence_len;
    const char *hint;
    uint16_t offer_len;
    char offer[VOICE_OFFER_MAX]; /* of the device, until it is answered */
};

void voice_news(struct platform *p, struct voice_call *v, unsigned news);
void voice_step(struct platform *p, struct voice_call *v,
                enum platform_voice_step step);
/* deadline_ms from now; the state must change until then. */
void voice_wait(struct platform *p, struct voice_call *v, uint64_t ms);
void voice_fail(struct platform *p, struct voice_call *v,
                enum platform_voice_step step, const char *hint,
                const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void voice_end(struct platform *p, struct voice_call *v, const char *why);
/* The media port, for the transport of v->told. false: it has failed. */
bool voice_open(struct platform *p, struct voice_call *v);
/* ACK came, or is not waited for: over UDP it speaks. */
void voice_go(struct platform *p, struct voice_call *v);

/* The way that was not tried yet, where the caller left that to us. false:
 * there is none. */
bool voice_other_mode(struct platform *p, struct voice_call *v);
/* The same once more, over UDP. */
void voice_retry_udp(struct platform *p, struct voice_call *v);

/* voice_sip.c */
void voice_ask(struct platform *p, struct voice_call *v);
/* Nothing can be played there, by its id and the catalog. */
bool voice_is_for_input(const struct device *d, struct slice channel);
void voice_opened(struct platform *p, struct voice_call *v);
/* Nothing came in time: another target, another mode, or it has failed. */
void voice_silent(struct platform *p, struct voice_call *v);
#endif
