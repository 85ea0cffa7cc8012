/* test/sim.h - a platform and scripted devices over a wire in memory
 *
 * One struct platform on its sip_stack stands on one side, one sip_stack that
 * plays all devices on the other. Time is virtual. The media edge is played
 * too: it opens ports, sees connections and packets as the scripts of the
 * devices say, and checks the orders: no port twice, no order for what is not
 * open, everything closed in the end. */
#ifndef TEST_SIM_H
#define TEST_SIM_H

#include "app/platform/platform.h"
#include "test/support.h"

#include <limits.h>

#define SIM_ID "34020000002000000001"
#define SIM_REALM "3402000000"
#define SIM_PASSWORD "12345678"
#define SIM_MAX_DEVICES 64
#define SIM_MAX_CHANNELS 300
#define SIM_MAX_STREAMS 64
#define SIM_MAX_RECORDS 400
#define SIM_MAX_FILES 600
#define SIM_UTC 1700000000000

/* What a device does with an INVITE. */
enum sim_invite {
    SIM_ANSWER,        /* 200 and, by media, a stream */
    SIM_REFUSE,        /* .refuse_status, refuse_times times, then ANSWER */
    SIM_SILENT,        /* no answer at all */
    SIM_RING,          /* 100 only */
    SIM_UNHEARD,       /* media as behind a 200 that gets lost */
    SIM_PORT_ZERO,     /* 200 with m=video 0 and without y= */
    SIM_NO_PORT,       /* the same with y= */
    SIM_NO_SDP,        /* 200 without body */
    SIM_NO_MEDIA,      /* 200 with an SDP without an m= line */
    SIM_NO_VIDEO,      /* m=audio alone */
    SIM_NO_Y,
    SIM_OTHER_Y,
    SIM_PLAIN_AVP,     /* RTP/AVP where TCP/RTP/AVP was offered, and over UDP it
                          comes */
};

/* Which media follow the answer. */
enum sim_media {
    SIM_PICTURE,   /* everything, then alive each second */
    SIM_NOTHING,   /* not one packet */
    SIM_TCP_ONLY,  /* UDP is dropped on the way */
    SIM_UDP_ONLY,  /* no connection comes up */
    SIM_CONNECT_ONLY, /* TCP comes up, and no packet */
    SIM_NO_PROGRAM, SIM_NO_CODEC, SIM_NO_KEY, /* stops before that */
};

struct sim_device {
    char id[PLATFORM_ID_MAX];
    struct gb_addr addr;
    uint8_t transport; /* enum sip_transport */
    uint64_t connection;
    const char *password, *username; /* username NULL: the id */
    const char *version;             /* X-GB-Ver; NULL: none */
    uint32_t expires_s;
    uint32_t keepalive_ms;  /* 0: none by itself */
    enum sim_invite invite;
    enum sim_media media;
    unsigned refuse_status, refuse_times;
    unsigned refuse_after_s; /* Retry-After; 0: none */
    bool keep_auth;         /* sends its old Authorization at once */
    bool no_contact;        /* in REGISTER */
    bool no_expires;        /* likewise; expires_s is not sent */
    const char *user_agent; /* NULL: none but the stack's */
    void (*twist)(char *authorization); /* changes what it is about to send */
    bool deaf;              /* the wire to it is cut */
    bool sound_only, foreign_ssrc;
    const char *date;       /* in its REGISTERs; NULL: none */
    const char *own_addr;   /* in its Contact; NULL: the one on the wire */
    struct gb_addr listens; /* where it hears requests; family 0: at addr */
    uint32_t nat_ms;        /* its NAT closes after so long a silence of both
                               sides; 0: there is none */
    uint64_t nat_until_ms;
    unsigned nat_drops;     /* packets to it that met a closed NAT */
    const char *sdp_ip;     /* in its answers; NULL: its own */
    const char *sdp_format; /* behind RTP/AVP in them; NULL: PS */
    const char *media_ip;   /* its packets come from it; NULL: from its own */
    const char *note;       /* what the media edge says of its payload */
    unsigned lost_percent;  /* of what it sends */
    int ended_err;          /* of what the media edge says of its connection */
    struct kept_sets *sets; /* and what it finds in its pictures; NULL: none */

    /* catalog */
    char channel[SIM_MAX_CHANNELS][PLATFORM_ID_MAX];
    unsigned n_channels;
    unsigned catalog_sum;   /* announced; 0: n_channels */
    unsigned catalog_drop;  /* the last so many items are not sent */
    bool catalog_reversed, catalog_twice, catalog_mute;
    bool catalog_notified;  /* in a Notify */
    bool info_mute;         /* no Response to DeviceInfo */
    bool query_refused;     /* 404 to every MESSAGE */

    const char *challenge;  /* MESSAGE, SUBSCRIBE, INVITE, INFO get a 401 with it,
                               until they have credentials; NULL: none */
    bool takes_no_login;    /* and with them, too */

    /* subscriptions */
    unsigned subscribe_status;  /* 0: accepted; else this answer */
    uint32_t subscribe_grants_s; /* 0: as asked */
    bool subscribe_grants_none; /* Expires: 0 in the 200 */
    uint32_t subscribe_min_s;   /* Min-Expires of the answer */
    uint32_t subscribe_after_s; /* Retry-After of the answer */
    const char *subscribe_body; /* in the 200 */
    bool subscribe_silent;      /* no answer */
    bool subscribe_mute;        /* no NOTIFY behind the 200 */
    bool notify_short;          /* active;expires=1 in each of them */

    /* what it has recorded, UNIX seconds of its own clock */
    struct {
        uint64_t from_s, to_s;
    } record[SIM_MAX_RECORDS];
    unsigned n_records;
    bool has_store;             /* answers RecordInfo, as with records */
    bool record_mute;           /* no Response to RecordInfo */
    unsigned record_limit;      /* items of one answer; 0: all */
    unsigned record_hours_max;  /* a longer question gets one item too few */
    unsigned record_sum;        /* its SumNum, whatever it tells; 0: right */
    int64_t clock_off_ms;       /* of its DeviceTime */
    bool tells_time;            /* answers DeviceStatus */
    unsigned send_rate;         /* a recording moves on so many times as fast;
                                   0: not by itself */
    unsigned break_after_ms;    /* of media: then nothing more comes */
    unsigned break_times;       /* of its sessions */
    bool no_media_status;       /* at the end of a recording */
    bool bye_at_end;            /* at once, in place of it */

    /* INFO inside its call */
    unsigned control_status;    /* 0: 200 */
    unsigned control_times;     /* so many are refused; 0: all */
    const char *control_answer; /* body of the 200; NULL: none */
    bool control_silent;        /* no answer */

    /* Broadcast: what its Response says; NULL: there is none. And a call of its
     * own (sim_call) */
    const char *broadcast_result;
    const char *talk_answer;    /* in place of ours to s=Talk; NULL */
    const char *call_type;      /* Content-Type of its INVITE; NULL: of SDP */
    const char *call_require;   /* its Require; NULL: none */
    unsigned broadcasts;
    char broadcast_target[PLATFORM_ID_MAX];
    uint32_t broadcast_sn;
    uint64_t call;              /* 0: it is over, or there was none */
    unsigned call_status, call_ends; /* the last final answer to it; BYEs of the
                                        platform, and what else ended it */
    char call_sdp[2048];        /* of its 200 */

    /* what happened */
    unsigned record_queries, status_queries;
    char first_record_body[2048];
    unsigned controls;
    char last_control[512];
    unsigned registered, challenged, refused; /* answers to REGISTER */
    unsigned stale;         /* of the challenges */
    unsigned last_status;
    char last_extra[1024];  /* head of the last answer to REGISTER */
    unsigned keepalive_ok, keepalive_refused;
    unsigned invites, byes, cancels, catalogs, infos, options, messages;
    char last_body[2048];
    unsigned key_orders[2];     /* of 2016 and of 2022 */
    char last_sdp[2048], last_subject[128], last_uri[128];
    unsigned asked, logins;     /* 401s; requests that had credentials */
    char last_login[600];
    unsigned alarm_responses;
    unsigned subscribes, unsubscribes; /* SUBSCRIBEs; with Expires 0 */
    uint64_t subscribed_ms;     /* the last one */
    uint64_t subscription;      /* the last one accepted */
    char last_event[64];
    int64_t last_expires;

    /* private to sim.c */
    struct sim *sim;
    char call_id[40], authorization[600];
    uint32_t cseq, sn, nc;
    uint64_t register_transaction;
    bool wants_expires0, tried_auth;
    uint64_t next_keepalive_ms, dialog;
    struct sip_peer to_server;
    uint64_t invite_transaction;
    uint16_t media_port;
    bool media_tcp;
};

/* The media edge's side of one session. */
struct sim_stream {
    uint64_t session;
    uint16_t port;
    bool shared;
    struct gb_addr answer;  /* named by c= */
    enum platform_transport transport;
    uint32_t ssrc;
    struct sim_device *source; /* of its packets, NULL: none */
    unsigned at;               /* progress of the script */
    bool said_key;
    int32_t scale_milli;       /* of the last PACE */
    int64_t seek_ms, position_ms;
    int64_t history_ms;        /* of OPEN */
    struct kept_sets *sets;    /* likewise */
    bool broken, ended;
    uint64_t next_ms;
    uint64_t alive_ms;         /* of a recording: a report comes by then */
    uint64_t packets, keys;
    bool speaks;               /* a SPEAK came, with this: */
    struct voice_options voice;
};

/* The file of a download. */
struct sim_file {
    uint64_t download; /* 0: free */
    uint64_t session;  /* 0: at rest */
    struct platform_download_mark mark, begun;
    bool published;
};

struct sim_options {
    struct platform_config config; /* alloc, sip, seed, id, … are filled in */
    const struct gb_alloc *alloc;  /* of stack and platform; NULL: heap */
    unsigned loss_percent, copy_percent;
    uint32_t delay_ms, jitter_ms;
    uint64_t seed;
    unsigned refuse_ports; /* that the media edge is asked for first */
    bool lose_closed;  /* and confirms no close */
    /* The server's messages, with the peer as it sees it; may be NULL. */
    void (*on_message)(void *ctx, bool out, const struct sip_peer *peer,
                       struct slice bytes, struct gb_time now);
    void *message_ctx;
};

struct sim {
    struct sim_options opt;
    struct gb_time now;
    struct sip_stack *server, *field;
    struct platform *p;
    struct gb_addr server_addr;
    struct sim_device device[SIM_MAX_DEVICES];
    unsigned n_devices;
    struct sim_stream stream[SIM_MAX_STREAMS];
    struct sim_packet *wire;
    uint64_t rnd;
    struct sim_file file[SIM_MAX_FILES];
    unsigned files_removed;
    int file_err;              /* of everything that is written */
    int filing_err;            /* of what is done with a file at its end */
    /* actions seen */
    unsigned actions[PLATFORM_LOG + 1];
    unsigned device_flags;      /* of all DEVICE_CHANGED */
    unsigned partial;           /* CATALOG_DONE with PARTIAL */
    struct platform_session last;  /* of the last SESSION_CHANGED or GONE */
    enum ps_codec video_hint; /* of the last answer to the media edge */
    char last_evidence[400], last_hint[300];
    char last_alarm[400];
    uint64_t last_alarm_id;
    char last_position[300];
    char last_ptz[300];
    char last_offer[300];
    char last_snapshot[300];
    unsigned details;           /* CHANNEL_CHANGED with the rest of an item */
    char last_detail[600];
    unsigned open_streams, closes;
    uint64_t disconnected;      /* the last connection ordered closed */
    char log[65536];
    size_t log_len;
    unsigned byes_sent;         /* by the platform, repeats included */
    uint64_t opened_key, closed_key; /* of the last DIALOG_OPENED, _CLOSED */
    uint32_t opened_cseq;
    struct gb_addr opened_from;
    char opened_target[128];
    struct sip_dialog_state opened; /* as it would be stored: slices into ... */
    char opened_text[1024];
};

/* opt may be NULL. false: no memory (with a failing allocator). */
bool sim_init(struct sim *s, const struct sim_options *opt);
void sim_free(struct sim *s);

struct sim_device *sim_add(struct sim *s, const char *id, const char *ip,
                           uint8_t transport);
/* Device i of a mixed fleet: every other one on another net, every third over
 * TCP. */
struct sim_device *sim_add_nth(struct sim *s, unsigned i, unsigned channels);
/* sim_init, and one device at 192.168.1.10:5060 that is registered. */
struct sim_device *sim_registered(struct sim *s, const char *id,
                                  uint8_t transport);
/* n channels "…131…" of a recorder, or one that is the device itself. */
void sim_channels(struct sim_device *d, unsigned n);
void sim_register(struct sim_device *d);
void sim_unregister(struct sim_device *d);
void sim_keepalive(struct sim_device *d, const char *device_id);
/* The SN of the last MESSAGE that it got. */
uint32_t sim_asked_sn(const struct sim_device *d);
/* Any MESSAGE, from d's address, as d. */
void sim_message(struct sim_device *d, const char *body);
void sim_request(struct sim_device *d, enum sip_method method,
                 const char *from_id, const char *body);
/* The same inside its call, where From is the channel. */
void sim_message_in(struct sim_device *d, const char *body);
/* INVITE inside the dialog of its picture; the answer is in last_status. */
void sim_invite_in(struct sim_device *d, const char *sdp);
void sim_bye(struct sim_device *d);
/* The device invites `to`; the rest of its Subject may be NULL. */
void sim_call(struct sim_device *d, const char *from, const char *to,
              const char *subject, const char *sdp);
void sim_call_again(struct sim_device *d, const char *sdp); /* in its dialog */
/* The 200 of SIM_UNHEARD comes through, without a body. */
void sim_heard_at_last(struct sim_device *d);
void sim_call_ends(struct sim_device *d); /* BYE, or CANCEL */
void sim_broadcast_response(struct sim_device *d, const char *result);
void sim_disconnect(struct sim_device *d); /* TCP, both ends notice */
void sim_reconnect(struct sim_device *d);

/* In the subscription that was accepted last. */
void sim_notify(struct sim_device *d, const struct sip_notify *n);

/* The media edge reports this, now. */
void sim_media(struct sim *s, struct sim_stream *st,
               enum platform_media_kind kind);
/* A packet, and the media edge stands at this place of the recording. */
void sim_at(struct sim *s, uint64_t session, int64_t ms);
struct sim_file *sim_file_of(struct sim *s, uint64_t download);
struct sim_stream *sim_stream_of(struct sim *s, uint64_t session);

/* Lets so much time pass, with all that happens in it. */
void sim_run(struct sim *s, uint64_t ms);
/* live() in a new simulation whose n-th allocation and all later ones fail, for
 * n = 1, 2, ... until none does; whatever fails, all is given back. */
void sim_without_memory(struct sim *s, void (*live)(void));
/* Restarts the server: a new stack and platform, same wire. */
void sim_restart(struct sim *s);

/* Registers all devices and lets catalogs finish. */
void sim_settle(struct sim *s);

int sim_play(struct sim *s, struct sim_device *d, const char *channel,
             enum platform_transport t, struct platform_session *out);
/* This deviation of the device with this id has been noted. */
bool sim_deviates(const struct sim *s, const char *id, const char *text);
/* The same, which must succeed, with somebody who watches it. */
struct platform_session sim_watch(struct sim *s, struct sim_device *d,
                                  const char *channel,
                                  enum platform_transport t);
/* The 600 s from SIM_UTC on. */
int sim_playback(struct sim *s, struct sim_device *d, const char *channel,
                 enum platform_session_kind kind, enum platform_transport t,
                 struct platform_session *out);
struct platform_session sim_session(struct sim *s, uint64_t id);
struct platform_device sim_view(struct sim *s, const struct sim_device *d);
/* Its i-th channel, which must be known. */
struct platform_channel sim_channel_view(struct sim *s,
                                         const struct sim_device *d, unsigned i);
/* As a store has it, for another process. */
struct platform_saved_device sim_saved(struct sim *s,
                                       const struct sim_device *d);
struct platform_counters sim_counters(struct sim *s);
/* Nothing is lent, open or in flight. */
void sim_expect_clean(struct sim *s);
#endif
