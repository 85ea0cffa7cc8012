/* app/device/device_impl.h - the inside of a device, for device.c (signalling)
 * and session.c (media); nobody else includes it */
#ifndef APP_DEVICE_DEVICE_IMPL_H
#define APP_DEVICE_DEVICE_IMPL_H

#include "app/device/device.h"
#include "sip/digest.h"

#define DEVICE_MAX_ACTIONS 64

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
    uint64_t transaction, dialog;
    enum device_transport transport;
    struct gb_addr remote;
    uint32_t offered_ssrc, ssrc;
    uint8_t pt;
    size_t channel;
    unsigned stream;
    bool started;
    uint64_t at_ms; /* the state must change by then; GB_NEVER: need not */
    char subject[2 * 32 + 2]; /* sender and its serial; "": none */
    size_t offer_len;
    char offer[2048]; /* the INVITE's body, while OPENING */
};

struct device {
    struct device_config c;
    enum device_state state;
    uint64_t register_ms, keepalive_ms; /* next one, GB_NEVER */
    char call_id[16], from_tag[16];
    size_t call_id_len; /* 0: the next REGISTER begins anew */
    uint32_t cseq, sn;
    unsigned misses;
    bool answered_challenge;
    struct {
        bool active;
        uint32_t sn;
        size_t next; /* channel */
    } page; /* the catalog being sent */
    struct gb_time now; /* while a message is handled */
    struct device_session *session; /* DEVICE_MAX_SESSIONS, with the first */
    struct device_action action[DEVICE_MAX_ACTIONS]; /* ring */
    size_t first_action, n_actions;
    struct device_counters n;
};

void device_push(struct device *d, const struct device_action *a);
void device_respond(struct device *d, uint64_t transaction, unsigned status,
                    struct gb_time now);
void device_contact(const struct device *d, char *out, size_t cap);

/* session.c */
void device_on_invite(struct device *d, const struct sip_event *ev,
                      struct gb_time now);
void device_on_dialog(struct device *d, const struct sip_event *ev,
                      struct gb_time now);
void device_end_sessions(struct device *d, struct gb_time now);
void device_tick_sessions(struct device *d, struct gb_time now);
uint64_t device_sessions_deadline(const struct device *d);
#endif
