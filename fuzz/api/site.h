/* fuzz/api/site.h - what the parts of fuzz_api share: the application over the
 * platform of fuzz/platform, its people, and what was kept of what they set */
#ifndef FUZZ_API_SITE_H
#define FUZZ_API_SITE_H

#include "app/http/http.h"
#include "app/http/router.h"
#include "fuzz/memory.h"
#include "fuzz/platform/world.h"

#define SECRET "SECRET-" /* all passwords and tokens begin so */
#define MAX_KEPT 64      /* objects that are stored */
#define MAX_WAITING 32   /* requests without an answer */
#define MAX_QUESTIONS 16 /* to main, not answered yet */
#define MAX_TOLD 8       /* secrets that were made, and told once */
#define MAX_STREAMS_OPEN 4
#define MAX_HELD 16      /* viewers */
#define LATER_MS 60000   /* by then what is asked has its answer */
#define MAX_CLIENTS 3
#define SECRET_TEXT 128
#define TAG_TEXT 24
#define PICTURE SAYS_CHANNEL "0-1700000000000-1.jpg"
#define UPLOADED "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

/* ---- people (people.c) ---- */

struct person {
    const char *token; /* what he shows; NULL: nothing */
    const char *name;  /* of the account of that token; NULL: there is none */
    enum http_role role;
    const char *scope;
    const char *login; /* the user that he logs in as; NULL: a token is enough */
};
extern const struct person persons[];
size_t persons_count(void);
/* What a request of this person may do at most, by what is there now. */
struct right {
    enum http_role role;
    bool bounded;
    char scope[1024]; /* longer than any input */
};
void right_of(const struct person *p, struct right *out);

/* ---- what is there, as numbers that differ when it differs (state.c) ---- */

enum part { /* of what is stored */
    PART_ACCOUNTS, PART_HOOKS, PART_RULES, PART_PUSHES, PART_RECORDERS,
    PART_GROUPS, PART_DEVICES, PARTS
};
struct state_of_all {
    uint64_t part[PARTS];
    uint64_t orders;  /* commands, sessions, voices, downloads */
    uint64_t upgrades;
    uint64_t unseen;  /* devices outside a scope */
};
void state_read(struct state_of_all *out, struct slice scope);
bool state_sees(struct slice scope, struct slice device);
/* Something of this part has changed and is stored as it is. */
void state_store(enum part part, struct slice key, struct slice more);
bool state_is_stored(enum part part, struct slice key, struct slice more);
void state_store_all(void); /* as it is now, and nothing else */
/* What is stored is what is there. */
void state_compare(void);

/* ---- requests (asking.c) ---- */

#define COOKIES_FROM 10 /* persons from here on log in */
struct question {
    uint64_t client;
    const struct http_route *route; /* NULL: raw */
    size_t who;
    enum http_method method;
    bool websocket, tagged, guarded; /* If-None-Match, If-Match */
    bool is_signed, logs_in;
    struct right right;
    struct state_of_all before;
};
/* v: who, route, route, ids, query, body, fields, seed. */
void ask(unsigned arg, const uint8_t *v, struct slice more);
void ask_raw(unsigned arg, const uint8_t *v, struct slice more);
/* The device fetches from, or brings to, the URL that it was told last. */
void ask_as_told(unsigned arg, const uint8_t *v, struct slice more);
/* The person has logged in, or tries to. */
void log_in(size_t who);

/* ---- answers (answers.c) ---- */

void answer_check(const struct question *q, struct http_response *r);
/* No secret of anybody is in it. */
void secrets_check(struct slice s);
void json_check(struct slice s);

/* ---- main's part (owner.c) ---- */

struct waiting {
    uint64_t request; /* 0: free */
    uint64_t since_ms;
    struct question q;
};

struct site {
    struct http_app *app;
    struct accounts *accounts;
    struct hooks *hooks;
    struct rules *rules;
    struct pushes *pushes;
    struct recorders *recorders;
    struct archive *archive;
    struct trace *trace;
    struct logring *log;
    struct waiting waiting[MAX_WAITING];
    uint64_t requests; /* the number of the last one */
    char cookie[3][SECRET_TEXT]; /* of those who log in; "": they have not */
    char tag[TAG_TEXT], signature[SECRET_TEXT], session[SECRET_TEXT]; /* told last */
    char told[MAX_TOLD][SECRET_TEXT];
    size_t n_told;
    uint64_t held[MAX_HELD]; /* sessions of viewers */
    struct { uint64_t client, who, seq; bool open;
             struct http_trace_filter trace; struct http_log_filter log;
    } stream[MAX_STREAMS_OPEN];
    bool plain;        /* the request under way is a good one */
    bool refuses;      /* main has no time, no disk */
    uint64_t random; /* not the dice: these come again */
    size_t traced; /* messages of the platform */
    uint64_t dice, committed, talking; /* the client that has the WebSocket */
    struct http_password_job *job;
};
extern struct site site;

bool site_begin(unsigned how);
void site_turn(void); /* main answers what it was asked; streams are read */
void site_gone(unsigned arg, const uint8_t *v);
void site_end(void);
struct waiting *waiting_of(uint64_t request);
uint64_t dice(void);
#endif
