/* app/device/device_impl.h - the inside of a device, for device.c (signalling),
 * registration.c, session.c (media), watch.c (subscriptions), device_answers.c
 * (queries), device_lists.c (answers of many messages), device_orders.c
 * (controls and settings); nobody else includes it */
#ifndef APP_DEVICE_DEVICE_IMPL_H
#define APP_DEVICE_DEVICE_IMPL_H

#include "app/device/device.h"
#include "app/device/device_model.h"
#include "sip/digest.h"

#define DEVICE_MAX_ACTIONS 64
#define DEVICE_MAX_LISTS 4     /* answers under way at the same time */
#define DEVICE_MAX_DEFERRED 32 /* commands that wait, with late_ms */
#define DEVICE_NOBODY SIZE_MAX /* a target that the device does not have */

enum device_state {
    DEVICE_OFFLINE,
    DEVICE_REGISTERING,
    DEVICE_ONLINE,
    DEVICE_STOPPING,
    DEVICE_STOPPED,
};

/* One media session, from INVITE to BYE. */
struct device_session {
    enum {
        SESSION_FREE,
        SESSION_OPENING, /* the edge makes the socket */
        SESSION_ANSWERED, /* 200 sent, no ACK yet */
        SESSION_SENDING,
    } state;
    uint32_t life;   /* as in struct device_action */
    uint64_t transaction, dialog;
    enum device_transport transport;
    struct gb_addr remote;
    uint32_t offered_ssrc, ssrc;
    uint8_t pt;
    size_t channel;
    unsigned stream;
    bool started;
    bool history;   /* a recording */
    bool ended;     /* all of it has been sent, and that was told */
    uint64_t start_s, length_ms;
    int32_t scale_milli;
    uint64_t at_ms; /* the state must change by then; GB_NEVER: need not */
    char subject[2 * 32 + 2]; /* sender and its serial; "": none */
    size_t offer_len;
    char offer[2048]; /* the INVITE's body, while OPENING */
};

/* What it hears; see device_voice.c. */
struct device_voice {
    enum {
        VOICE_IDLE,
        VOICE_PAUSING,  /* its INVITE is to follow at at_ms */
        VOICE_OPENING,  /* the edge makes the socket */
        VOICE_INVITING, /* its INVITE is out */
        VOICE_ANSWERED, /* of a talk: 200 sent, no ACK yet */
        VOICE_HEARING,
    } state;
    uint32_t life;  /* as in struct device_action */
    bool is_talk;
    char source[DEVICE_ID_MAX + 1], target[DEVICE_ID_MAX + 1];
    uint32_t owes_sn;   /* of the Response that is still to be sent; 0: none */
    uint64_t transaction, dialog;
    enum device_transport transport;
    struct gb_addr remote;
    uint32_t ssrc;
    uint8_t pt;
    uint64_t at_ms;     /* the state must change by then */
    size_t offer_len;
    char offer[1024];   /* of a talk, while OPENING */
};

#define DEVICE_CHALLENGE_MAX 320 /* longer ones are answered, but not kept */

/* What is known of the server's challenge and of our answer to it. */
struct device_login {
    bool answered;  /* the REGISTER that is open has credentials */
    uint8_t stale;  /* challenges in a row that called them so */
    bool proxy;     /* it was a 407 */
    char challenge[DEVICE_CHALLENGE_MAX]; /* its value; n 0: none */
    size_t n;
    char nextnonce[80]; /* to be used for the next REGISTER; "": none */
    char cnonce[16], uri[128];
    uint32_t nc;
};

/* What the stack's user value says besides the device. */
enum purpose { FOR_REGISTER = 1, FOR_KEEPALIVE, FOR_PAGE, FOR_WATCH,
               FOR_OTHER, FOR_VOICE };

struct device_request_text {
    char uri[128], from[128], to[128], contact[128];
};

#define DEVICE_MAX_WATCHES 4 /* catalog, alarm, MobilePosition, PTZPosition */

struct device_watch { /* a subscription of the platform */
    uint64_t id; /* in the SIP stack; 0: free */
    enum manscdp_cmd cmd;
    uint32_t sn; /* of its last SUBSCRIBE: NOTIFYs repeat it */
    size_t target;
    char methods[16];         /* of alarms; "": all */
    bool is_deaf;             /* to alarms of the priority that ours have */
    uint32_t interval_ms;     /* of positions */
    uint64_t next_ms;         /* the next look; GB_NEVER: nothing changes by
                                 itself */
    struct device_place told; /* of PTZPosition */
};

/* An answer of many messages: one goes when the one before was taken. */
struct device_list {
    enum manscdp_cmd cmd;
    uint32_t sn;
    char id[DEVICE_ID_MAX + 1]; /* as it was asked for */
    size_t target;
    size_t first;   /* item of the whole that is the answer's first */
    size_t next, total;
    uint32_t types; /* ConfigDownload: what is still to be sent, see
                       device_values_type; 1: types that are unknown */
    struct device_span asked; /* RecordInfo */
    int64_t as_of_utc_ms;     /* when it was asked */
    bool timed, manual;       /* kinds of recordings that are asked for */
};

/* A command that is to be carried out later. */
struct device_deferred {
    struct device_deferred *next;
    uint64_t at_ms;
    size_t n;
    char body[];
};

enum { CHANNEL_OFF = 1, CHANNEL_CHANGED = 2 }; /* bits of channel_state */

struct device {
    struct device_config c;
    enum device_state state;
    uint64_t register_ms, keepalive_ms; /* next one, GB_NEVER */
    /* these are looked at whenever it is woken, and lie together */
    uint64_t boot_ms; /* TeleBoot; GB_NEVER: not told */
    struct device_deferred *deferred; /* the oldest first */
    size_t n_deferred;
    struct device_model model;
    struct device_session *session; /* DEVICE_MAX_SESSIONS, with the first */
    unsigned n_sessions; /* that are not FREE */
    size_t first_action, n_actions;
    struct device_watch watch[DEVICE_MAX_WATCHES];
    struct device_counters n;
    char call_id[16], from_tag[16];
    size_t call_id_len; /* 0: the next REGISTER begins anew */
    uint32_t cseq, sn;
    unsigned misses;
    unsigned failures; /* in a row, without an answer of the server */
    struct device_login login;
    /* a redirection: where it began, to go back to */
    struct sip_peer home;
    const char *home_id;
    char moved_id[DEVICE_ID_MAX + 1];
    uint64_t moved_until_ms; /* 0: it is at home */
    unsigned redirects;      /* since the last 200 */
    struct device_list list[DEVICE_MAX_LISTS]; /* the first is being sent */
    size_t n_lists;
    uint8_t *channel_state; /* NULL: all are on */
    struct gb_time now; /* while a message is handled */
    struct device_voice voice;
    uint32_t lives;  /* of sessions and of the voice, so far */
    struct device_action action[DEVICE_MAX_ACTIONS]; /* ring */
};

#define DEVICE_AWAKE offsetof(struct device, login) /* bytes that come first */

void device_push(struct device *d, const struct device_action *a);
void device_respond(struct device *d, uint64_t transaction, unsigned status,
                    struct gb_time now);
void device_contact(const struct device *d, char *out, size_t cap);
uint64_t device_user(const struct device *d, enum purpose p);
/* The fields that all requests share; texts are in t. */
void device_request(struct device *d, struct sip_request *r,
                    struct device_request_text *t, enum sip_method method);

int device_send(struct device *d, struct writer *body, enum purpose p,
                struct gb_time now);
/* The dialect that answers are written in, and their SN and DeviceID. */
struct manscdp_dialect device_answer_dialect(const struct device *d);
uint32_t device_answer_sn(const struct device *d, uint32_t sn);
struct slice device_answer_id(const struct device *d, struct slice id);
/* Index of the channel; as many as there are: the device; or DEVICE_NOBODY. */
size_t device_target_of(const struct device *d, struct slice id);
/* Encodes a body of the tables in that dialect. */
int device_encode(const struct device *d, struct writer *w,
                  const struct manscdp_body *b, const void *in);
/* The one being told, named by what the rows call it. */
void device_done(struct device *d, const char *what, bool well);

/* device_answers.c: what a MESSAGE says is carried out and answered, at d->now;
 * whether it may be is not asked. */
void device_command(struct device *d, const struct manscdp_msg *m);
/* A Notify/Alarm of one that was raised. */
void device_write_alarm(const struct device *d, struct writer *w,
                        const struct device_past_alarm *a, uint32_t sn);

/* device_reports.c: where it looks, and where it is. Directions are of the
 * target; the time is now. */
void device_write_look(const struct device *d, struct writer *w,
                       const struct manscdp_body *b,
                       const struct manscdp_head *head, size_t target,
                       uint64_t now_ms);
void device_write_position(const struct device *d, struct writer *w,
                           uint32_t sn, size_t target, struct gb_time now);

/* Whether priorities up to that one hold that of the device's alarms, which is
 * the lowest; empty and 0: all. */
bool device_priority_is_asked(struct slice last);

/* device_lists.c */
void device_list_begin(struct device *d, const struct device_list *l);
void device_on_list_answer(struct device *d, const struct sip_event *ev,
                           struct gb_time now);

/* device_records.c: how many pieces of the kinds asked for lie in the span,
 * and the i-th of them, with its kind. */
size_t device_records_count(const struct device *d,
                            const struct device_list *l);
const char *device_records_at(const struct device *d,
                              const struct device_list *l, size_t i,
                              struct device_span *out);

/* device_orders.c: DeviceControl and DeviceConfig, and what follows of them. */
int device_on_order(void *d, const struct manscdp_msg *m);
void device_basic_param(const struct device *d, struct arena *a,
                        struct manscdp_basic_param *out);
void device_tick_jobs(struct device *d, struct gb_time now);
uint64_t device_jobs_deadline(const struct device *d);

/* registration.c */

/* The first REGISTER, a refresh, or the last one; over TCP first the
 * connection. */
void device_register(struct device *d, struct gb_time now);
void device_on_register(struct device *d, const struct sip_event *ev,
                        struct gb_time now);
/* How long to stay away from a server that does not answer. One that restarts
 * loses all of its devices at once: they come back soon, but neither together
 * nor again and again. */
uint64_t device_back_off(struct device *d);
void device_go_offline(struct device *d, struct gb_time now, uint64_t wait_ms,
                       const char *why, unsigned status);

/* watch.c */
void device_on_subscribe(struct device *d, const struct sip_event *ev,
                         struct gb_time now);
void device_on_watch(struct device *d, const struct sip_event *ev,
                     struct gb_time now);
/* The alarm went out as a NOTIFY; false: send it otherwise. */
bool device_watch_alarm(struct device *d, const struct device_past_alarm *a,
                        struct slice body, struct gb_time now);
bool device_is_watched(struct device *d, enum manscdp_cmd cmd);
void device_tick_watches(struct device *d, struct gb_time now);
uint64_t device_watches_deadline(const struct device *d);
void device_forget_watches(struct device *d, struct gb_time now);

/* device_voice.c */
int device_on_broadcast(void *d, const struct manscdp_msg *m);
bool device_voice_has(const struct device *d, uint64_t dialog);
bool device_voice_invited(struct device *d, const struct sip_event *ev,
                          struct gb_time now);
void device_voice_answer(struct device *d, const struct sip_event *ev,
                         struct gb_time now);
void device_voice_opened(struct device *d, uint32_t life,
                         const struct gb_addr *local, struct gb_time now);
void device_voice_dialog(struct device *d, const struct sip_event *ev,
                         struct gb_time now);
void device_voice_lost(struct device *d, uint32_t life, struct gb_time now);
void device_voice_end(struct device *d, struct gb_time now);
void device_voice_tick(struct device *d, struct gb_time now);
uint64_t device_voice_deadline(const struct device *d);

/* session.c */
void device_on_control(struct device *d, const struct sip_event *ev,
                       struct gb_time now);
/* Live pictures of a channel, or (target n_channels) of all, begin anew with a
 * key frame. */
void device_key_frame(struct device *d, size_t target);
void device_on_invite(struct device *d, const struct sip_event *ev,
                      struct gb_time now);
void device_on_dialog(struct device *d, const struct sip_event *ev,
                      struct gb_time now);
void device_end_sessions(struct device *d, struct gb_time now);
void device_tick_sessions(struct device *d, struct gb_time now);
uint64_t device_sessions_deadline(const struct device *d);
#endif
