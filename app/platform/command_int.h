/* app/platform/command_int.h - one command, shared by commands.c (its life) and
 * command_answers.c (what comes back) */
#ifndef APP_PLATFORM_COMMAND_INT_H
#define APP_PLATFORM_COMMAND_INT_H

#include "app/platform/core.h"

#define EVIDENCE_MAX 320

struct command {
    struct handle handle; /* while it is open */
    struct list open, dirty;
    struct timerq_node timer;
    uint64_t id;
    char device[PLATFORM_ID_MAX], target[PLATFORM_ID_MAX];
    uint8_t device_len, target_len;
    const struct manscdp_row *row;
    enum platform_command_state state;
    uint32_t once_ms; /* as in command_order */
    bool is_final, partial, late, cut, may_repeat;
    bool follows; /* a refresh: catalog.c asks, nothing is sent from here */
    bool settling; /* its only message so far has all that it announces */
    bool unread; /* what the device has sent since it arrived could not be read */
    bool login;  /* it was sent with what answers a challenge */
    bool moves;  /* these three as in command_order */
    uint8_t ptz;
    uint8_t guard;
    uint8_t tries;
    uint16_t sip_status, messages;
    uint32_t sn, have, sum;
    uint32_t types, got_types; /* of a ConfigDownload: bits, see config_bit */
    uint64_t transaction, assembly;
    uint64_t asked_ms, ends_ms; /* ends: at the latest */
    int64_t asked_utc_ms, sent_utc_ms, arrived_utc_ms, answered_utc_ms;
    char evidence[EVIDENCE_MAX];
    uint16_t evidence_len;
    char *body;   /* as it is sent; NULL when final. Own memory */
    size_t body_len;
    char *answer; /* own memory */
    size_t answer_len, answer_cap;
};

/* ---- commands.c ---- */

struct slice command_device(const struct command *c);
struct slice command_target(const struct command *c);
/* NULL: not remembered. */
struct command *command_find(const struct platform *p, uint64_t id);
/* The owner is to be told. */
void command_changed(struct platform *p, struct command *c);
/* Its evidence, with printf. */
void command_explain(struct command *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A Response, or several, is due. */
bool command_is_due(const struct command *c);
/* What became of it; the first time it is over by that. */
void command_finish(struct platform *p, struct command *c,
                    enum platform_command_state state);
/* Once more if that does no harm; what: so the evidence begins. */
void command_nothing_came(struct platform *p, struct command *c,
                          const char *what);
void command_drop_answer(struct platform *p, struct command *c);

/* ---- command_answers.c ---- */

/* The bit of a type of settings by its place in the table; 0: it has none. */
uint32_t command_config_bit(struct slice name);
#endif
