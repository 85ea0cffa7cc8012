/* tools/load/load.h - what the files of sipload share; see tools/sipload.c
 *
 *   server.c    the server's CPU and memory, from /proc
 *   messages.c  the requests of a device
 *   answers.c   its answers to the server's requests
 *   phases.c    what follows what, and what is printed of it
 *   options.c   the command line */
#ifndef TOOLS_LOAD_LOAD_H
#define TOOLS_LOAD_LOAD_H

#include "base/addr.h"
#include "base/writer.h"
#include "sip/digest.h"
#include "sip/frame.h"

#include <sys/types.h>

#define MAX_DEVICES 1000000
#define MAX_SOURCES 20000
#define MAX_WINDOW 4096
#define MAX_PIDS 32
#define MAX_SAMPLES 64
#define MAX_NONCE 120
#define MAX_MESSAGE 1500
#define BATCH 64
#define T1_NS 500000000ull      /* after which a message is sent again, UDP */
#define GIVE_UP_NS 32000000000ull
#define LATENCIES (1u << 18)    /* the last so many are kept */
#define FLOOR_DEVICES 2000
#define FLOOR_COUNT 5000        /* transactions of a sample of the floor */
#define QUIET_NS 8000000000ull  /* without a query: the server has settled */
#define SOCKET_BUFFER (8 << 20)
#define TCP_BUFFER 65536

enum phase { PHASE_ASK, PHASE_CONTACT, PHASE_REFRESH, PHASE_LOGIN,
             PHASE_KEEPALIVE, PHASE_HOLD, PHASE_SETTLE, PHASE_COUNT };

struct options {
    struct gb_addr server;
    const char *name, *server_id, *realm, *run;
    char password[128];
    bool tcp, is_floor;
    uint32_t devices, sources, addresses, window, count, samples, rate, hold_s,
        seconds, expires_s, first;
    pid_t pid[MAX_PIDS];
    size_t n_pids;
    struct gb_addr floor;
    pid_t floor_pid; /* 0: no floor */
};

struct load_device {
    struct sip_ha1 ha1;
    char nonce[MAX_NONCE];
    uint8_t nonce_len;
    bool qop, busy;
    uint32_t cseq, nc;
};

/* An open transaction. */
struct slot {
    uint32_t device, generation;
    uint8_t phase;
    bool open, authorized;
    uint16_t n;
    uint64_t begun_ns, sent_ns;
    char bytes[MAX_MESSAGE];
};

struct source {
    int fd;
    char local[GB_ADDR_TEXT_MAX]; /* ip:port */
    uint32_t out[MAX_WINDOW];     /* slots to send */
    size_t n_out;
    struct sip_frame frame;       /* TCP */
    char *in;
    size_t n_in;
};

struct load {
    struct options o;
    struct load_device *device;
    struct slot *slot;
    struct source *source;
    int epoll;
    uint32_t *free_slot, n_free;
    uint32_t next;                /* device */
    enum phase phase;
    uint64_t begun, target, done; /* transactions of this phase */
    uint64_t resent, stale, bad, asked;
    unsigned bad_status;
    double latency_us[LATENCIES];
    uint64_t n_latencies;
    uint64_t scan_ns;  /* when unanswered ones were last looked for */
    uint64_t asked_ns; /* the last query */
    uint32_t answers;  /* to queries, since the start */
    bool lost;
};

/* What one phase gives. */
struct samples {
    double us[MAX_SAMPLES], floor_us[MAX_SAMPLES], x[MAX_SAMPLES];
    double wall_s, cpu_s;
};

/* Monotonic. */
uint64_t load_now_ns(void);
/* Says what, with errno's text, and ends the process. */
_Noreturn void load_die(const char *what);

/* On the processor so far, all threads, ns; 0 without a --pid. */
uint64_t load_server_ns(const struct options *o);
double load_server_rss_mib(const struct options *o);

/* The socket that a device always uses. */
struct source *load_source_of(struct load *l, uint32_t device);
/* Its 20 digits. */
void load_write_id(struct writer *w, const struct load *l, uint32_t device);
void load_write_register(struct load *l, struct slot *s, struct writer *w);
void load_write_keepalive(struct load *l, struct slot *s, struct writer *w);

/* What is in w, at once and once. */
void load_send(const struct load *l, const struct source *src,
               const struct writer *w);
/* A request of the server's: 200, and the Response to a query that is known. */
void load_on_request(struct load *l, const struct source *src,
                     struct slice bytes);

/* One turn of the loop: begins transactions, as many as may have begun by now;
 * sends, receives. */
void load_turn(struct load *l, uint64_t may_begin);
/* Sends again what is unanswered, over UDP; l->lost: one was given up. */
void load_resend(struct load *l);

/* All phases of --run; f: the floor, or NULL. An exit status. */
int load_run(struct load *l, struct load *f);

extern const char load_usage[];
int load_parse_options(struct options *o, int argc, char **argv);
#endif
