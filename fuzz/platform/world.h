/* fuzz/platform/world.h - what the parts of fuzz_platform share, and fuzz_api
 * with them: the platform and all that is around it */
#ifndef FUZZ_PLATFORM_WORLD_H
#define FUZZ_PLATFORM_WORLD_H

#include "app/platform/platform.h"
#include "app/platform/voice.h"
#include "fuzz/fuzz.h"
#include "fuzz/platform/sayings.h"

#define PASSWORD "12345678"
#define MAX_ASKED 16
#define MAX_STREAMS 8
#define MAX_KNOWN 16
#define MAX_STORED 16
#define SHARED_PORT 30010
#define MAX_DIALOG 1024 /* bytes of its texts */
#define MAX_ROUNDS 20000 /* of timers, in one step of time */
#define MAX_TURNS 4000   /* of one input */
#define UTC 1700000000000 /* ms */
#define UTC_S 1700000000u

struct asked {
    char p[3072];
    size_t n;
};

struct stream {
    uint64_t session; /* 0: free */
    uint32_t ssrc;    /* that it is told by; 0: it is learned */
    uint16_t port;
    bool shared, closing;
};

/* A dialog as the store has it. */
struct stored {
    uint64_t key;
    struct sip_peer peer;
    struct sip_dialog_state state; /* slices into text */
    char text[MAX_DIALOG];
    size_t n;
};

/* The last so many ids of one kind. */
struct ids {
    uint64_t id[MAX_KNOWN];
    size_t n;
};

/* Who lives on the platform beside the people of people.c. */
struct guest {
    void (*told)(const struct platform_action *a); /* before the owner acts */
    uint64_t (*deadline)(void);
    void (*tick)(void);
};

struct run {
    struct sip_stack *sip;
    struct platform *p;
    const struct guest *guest; /* NULL: nobody */
    struct gb_time now;
    struct sip_peer device, stranger;
    uint64_t connections;
    unsigned branch, cseq;
    struct asked asked[MAX_ASKED]; /* requests of the platform */
    size_t n_asked, n_obliged;     /* the device has answered so many by itself */
    struct asked told;             /* its last answer */
    char nonce[128];
    uint32_t sn;
    struct stream stream[MAX_STREAMS];
    struct ids sessions, voices, commands, downloads, records;
    struct stored stored[MAX_STORED];
    unsigned how;                  /* it was begun */
    uint8_t lives;                 /* of processes, so far */
    uint64_t filed, dropped;       /* a file that is ended, a connection */
    unsigned refuse_ports;
    unsigned shares;               /* one port: not, where ports are scarce, always */
    bool obliging;                 /* the device answers by itself */
    bool slow_edge;                /* closes when it is told to */
    bool bad;                      /* the last input was malformed */
};
extern struct run run;

/* Ids: the newest is 0. pick gives 0 where there is none. */
void know(struct ids *k, uint64_t id);
uint64_t pick(const struct ids *k, unsigned i);
/* These bytes may be read; people have what read_words gets in Chinese, too. */
void read_all(struct slice s);
void read_words(struct slice s);

/* ---- life.c: from its birth to its death ---- */
/* how: three bytes, the bits that it begins with, and when memory fails before and
 * behind that. false: there was no memory, and nothing is left. */
bool birth(const uint8_t *how);
/* The process is gone without a word; another one starts from what is stored. */
void restart(void);
void pass(uint64_t ms);
/* The owner has bound the one port of all, or has not. */
void share(void);
/* Steps of an input: what is done, how, the number of bytes that follow, and these:
 * eight numbers (0 where they end before) and `more`. */
typedef void step_fn(unsigned what, unsigned arg, const uint8_t *v,
                     struct slice more);
void script(const uint8_t *p, size_t n, unsigned max_steps, step_fn *step);
/* All is ended, and nothing is left. */
void drain(void);
void death(void);

/* ---- edge.c: the owner of the platform ---- */
/* Reports this of a session; v: its counters and codecs. */
void media(uint64_t session, enum platform_media_kind kind, const uint8_t *v);
/* What was told to close is closed. */
void close_streams(void);
bool any_stored(void); /* a dialog */
void closed(uint64_t connection);
/* Takes all outputs, once; pump: and what follows from them, to the end. */
void turn(void);
void pump(void);

/* ---- device.c: who is at the other end ---- */
/* Bytes come in; those of a stranger must change nothing. */
void heard(bool stranger, struct slice bytes);
/* To the i-th request of the platform, the newest first. parts: enum says_part;
 * expires below 0: none. */
void answer(unsigned i, unsigned status, unsigned parts, int expires,
            const uint8_t *v, struct slice more);
void message(const char *method, unsigned arg, const uint8_t *v,
             const char *further, struct slice more);
/* All that it was asked and has not answered, where it does so by itself; false:
 * nothing. */
bool oblige(void);
void enrol(unsigned arg, const uint8_t *v);
void in_call(unsigned arg, const uint8_t *v, struct slice more);
void call(unsigned arg, const uint8_t *v, struct slice more);

/* ---- views.c: what people read ---- */
void see_all(void);
void ask_doctor(const uint8_t *v);

/* ---- people.c: who uses the API ---- */
void people(unsigned arg, const uint8_t *v);
#endif
