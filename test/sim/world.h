/* test/sim/world.h - a platform, its store and thousands of devices in virtual
 * time
 *
 * The platform, both SIP stacks, the devices (app/device) and the store are the
 * real ones. Simulated are the clock, the wire, the media edge, the people who
 * use the API, and crashes. One seed makes one run: everything random comes
 * from it, in the order of virtual time. What must hold is in check.c; whatever
 * does not hold ends the process with the command that shows it again. */
#ifndef TEST_SIM_WORLD_H
#define TEST_SIM_WORLD_H

#include "app/device/fleet.h"
#include "app/platform/platform.h"
#include "app/store/store.h"
#include "base/heap.h"

#define WORLD_ID "34020000002000000001"
#define WORLD_REALM "3402000000"
#define WORLD_PASSWORD "12345678"
#define WORLD_UTC 1700000000000
#define WORLD_MAX_DEVICES 65536 /* the index is in addresses and connections */
#define WORLD_CHANNELS 4        /* at most, of one device */
#define WORLD_STREAMS 256
#define WORLD_HOLDS 64
#define WORLD_CALM_MS (30 * 60000ull) /* in which all must come right */

/* What a device writes otherwise than it should, besides its faults. */
enum {
    TWIST_REALM = 1,   /* another domain in From and To */
    TWIST_EXPIRES = 2, /* no Expires in REGISTER */
    TWIST_SN = 4,      /* SN 0 in keepalives */
    TWIST_REPEAT = 8,  /* every message again, many seconds later */
    TWIST_TWICE = 16,  /* every message twice, one right behind the other */
    TWIST_VIA = 32,    /* no Via in answers */
    TWIST_PING = 64,   /* two empty lines before each message */
    TWIST_STATUS = 128, /* no Status in keepalives */
    TWIST_AGENT = 256, /* no User-Agent, no Max-Forwards */
    TWIST_COUNT = 9,
};

struct unit {
    char id[DEVICE_ID_MAX + 1];
    char said[DEVICE_ID_MAX + 16]; /* how its From begins */
    char channel_id[WORLD_CHANNELS][DEVICE_ID_MAX + 1];
    struct device_channel channel[WORLD_CHANNELS];
    unsigned n_channels, twists;
    bool stranger;        /* does not know the password */
    bool is_mute;         /* does not answer all that it is asked */
    uint8_t transport;    /* enum sip_transport */
    struct gb_addr own, seen; /* as it knows itself; as the server sees it */
    unsigned rebinds;
    uint64_t connection;  /* TCP, up; 0: none */
    uint64_t in_order[2]; /* TCP: arrival of the last message each way */
    uint64_t down_ms;     /* since when its line is cut; GB_NEVER: it is not */
    uint64_t up_ms;       /* when it is mended */
    bool is_off;          /* since down_ms, and begins anew at up_ms */
    struct device_config config;
    uint64_t asked_ms;    /* its catalog is waited for since; GB_NEVER: it is not */
    uint64_t listed_ms;   /* the last one was over */
};

struct packet;

/* What the media edge has open for a session. */
struct stream {
    uint64_t session;    /* 0: free */
    uint16_t port;
    uint32_t ssrc;
    enum platform_transport transport;
    bool answered, closing;
    int64_t history_ms;
    uint32_t unit;       /* who sends, with has_unit */
    uint32_t unit_session, unit_life;
    bool has_unit;
    unsigned step;       /* of the script, media.c */
    unsigned breaks_at;  /* the step behind which nothing comes; 0: none */
    uint64_t packets, ends_ms;
    uint64_t next_ms;
};

struct hold {
    uint64_t session, until_ms; /* session 0: free */
};

/* Sessions that are about to become something else, in order of time. */
struct waiting {
    unsigned n;
    struct {
        uint64_t session, since_ms;
    } at[WORLD_STREAMS];
};

/* A write to the store that is not on the disk yet. */
struct pending {
    struct pending *next;
    enum platform_action_kind kind;
    uint64_t key;
    unsigned flags;
    char device[PLATFORM_ID_MAX + 1], channel[PLATFORM_ID_MAX + 1];
    struct sip_peer peer;
    struct sip_dialog_state dialog; /* its texts lie behind the struct */
};

struct world_alloc {
    struct gb_alloc alloc;
    size_t live, peak;
    uint64_t calls;
    uint64_t *random;    /* NULL: never fails */
    unsigned one_in;
    uint64_t fail_at, fail_n; /* these calls fail; fail_at 0: none */
    uint64_t failed;
};

struct world_options {
    uint64_t seed;
    unsigned devices;
    double days;          /* of virtual time */
    unsigned alloc_one_in; /* in rough times so many allocations to one that
                              fails; 0: none fails */
    uint64_t fail_at, fail_n; /* so many from this one fail; fail_at 0: none */
    bool is_orderly;      /* a life in which all is well but for memory */
    bool verbose;
    bool hashes;          /* what the wire carries, for the report */
    const char *dir;      /* of the store; made by the caller */
    const char *again;    /* the command that repeats this run */
    double cpu_s;         /* stop behind the first calm past it; 0: days rule */
};

struct world {
    struct world_options opt;
    uint64_t rnd;
    uint64_t mono_ms;
    int64_t utc_step_ms;  /* of the platform's clock alone */
    bool calm;
    /* the platform; server NULL: it is down until up_ms */
    struct world_alloc memory;
    struct sip_stack *server;
    struct platform *p;
    struct platform_config config;
    uint64_t up_ms;
    bool draining;
    /* the field */
    struct sip_stack *field;
    struct fleet *fleet;
    struct unit *unit;
    unsigned n;
    struct gb_addr server_addr;
    uint64_t connections;
    /* the wire */
    struct heap wire;
    uint64_t packets;     /* put so far: breaks ties */
    uint64_t hash;        /* of all of them, and of their times */
    unsigned loss, copies, slow; /* in a thousand */
    struct stream stream[WORLD_STREAMS];
    unsigned open_streams;
    struct hold hold[WORLD_HOLDS];
    struct waiting starting, over; /* to play or fail; to go */
    uint64_t users_ms, chaos_ms;
    /* the disk */
    struct store *store;
    struct pending *pending, **pending_end;
    uint64_t commit_ms, full_until_ms; /* full: nothing is written */
    unsigned dialogs_loaded;
    bool is_lost;         /* something that was loaded had no room */
    /* what was done, for the report */
    uint64_t events, checks, calms, crashes, drains, steps, cuts, rebinds,
        reboots, calls, refused_calls, sessions, removed, alarms, fulls, lost_rows,
        failed_starts, strangers, shed;
    size_t calm_bytes;    /* at the second calm */
};

static inline bool world_may_lack_memory(const struct world *w)
{
    return w->opt.alloc_one_in || w->opt.fail_at;
}

/* ---- world.c ---- */
void world_init(struct world *w, const struct world_options *opt);
void world_free(struct world *w);
/* It loses power, and all that it knew; when its line is up again it begins
 * anew, over UDP from another port. */
void world_switch_off(struct world *w, uint32_t unit, uint64_t ms);
void world_switch_on(struct world *w, uint32_t unit);
struct gb_time world_now(const struct world *w);   /* as the platform reads it */
struct gb_time world_field_now(const struct world *w);
uint64_t world_random(struct world *w, uint64_t n); /* below n */
bool world_chance(struct world *w, unsigned in_1000);
void world_run(struct world *w, uint64_t until_ms);
/* Takes the outputs of both sides, until there are none. */
void world_pump(struct world *w);
_Noreturn void world_fail(const struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- server.c: the platform's life ---- */
/* Without memory it does not start, and w->server stays NULL; another try
 * follows. */
void server_start(struct world *w);
/* It is gone; pending writes are, too, unless it has ended in order. */
void server_crash(struct world *w, uint64_t down_ms, bool in_order);
void server_pump(struct world *w);

/* ---- wire.c ---- */
void wire_init(struct world *w);
void wire_free(struct world *w);
void wire_put(struct world *w, bool to_server, const struct sip_out *out);
/* The next that is due. */
void wire_get(struct world *w);
void wire_connect(struct world *w, uint32_t unit);
/* Either side notices for itself, the server after a while. */
void wire_cut(struct world *w, uint32_t unit, uint64_t server_after_ms);
void wire_rebind(struct world *w, uint32_t unit, bool other_ip);
/* The server closes it. */
void wire_close(struct world *w, uint64_t connection);

/* ---- media.c ---- */
void media_order(struct world *w, const struct platform_action *a);
void media_forget(struct world *w); /* the platform is gone */
void media_device(struct world *w, uint32_t unit,
                  const struct device_action *a);
uint64_t media_deadline(const struct world *w);
void media_tick(struct world *w);

/* ---- disk.c ---- */
bool disk_open(struct world *w); /* loads w->p; false: no memory for that */
void disk_note(struct world *w, const struct platform_action *a);
void disk_commit(struct world *w);
void disk_close(struct world *w, bool lose);

/* ---- life.c: a short life, in which nothing is left to chance ---- */
void life_run(struct world *w);

/* ---- users.c ---- */
void users_act(struct world *w);
void users_leave(struct world *w);
/* What a call of the API ended with. */
void users_called(struct world *w, int err);
void chaos_act(struct world *w);

/* ---- strangers.c ---- */
void strangers_act(struct world *w);

/* ---- check.c ---- */
/* What the platform tells of its own. */
void check_session_changed(struct world *w, uint64_t session);
void check_session_gone(struct world *w, uint64_t session);
void check_listed(struct world *w, struct slice device);
void check_forget(struct world *w); /* it is gone */
void check_cheap(struct world *w);
void check_whole(struct world *w);
/* After WORLD_CALM_MS without trouble. */
void check_calm(struct world *w);
/* Ends the platform in order and starts it from the store: nothing changed. */
void check_restart(struct world *w);
#endif
