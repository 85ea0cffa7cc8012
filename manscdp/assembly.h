/* manscdp/assembly.h - answers that come in many messages
 * (GB/T 28181-2022 annex K of the 2014 amendment: one SN, one SumNum)
 *
 * A pure machine: requests go in, messages and their items go in, time goes
 * in; verdicts and events come out. The caller stores the items; this keeps
 * only what tells them apart. An answer is keyed by (device, CmdType, SN).
 *
 *            open                      first message
 *   ─────────────────────► WAITING ─────────────────────► RECEIVING ─┐ more
 *                             │                             │    ▲   │
 *              first_ms over  │          distinct >= SumNum │    └───┘
 *                  SILENT ◄───┘       ┌─────────────────────┤
 *                                     ▼                     │ gap_ms over
 *                                 LINGERING                 ▼
 *                    COMPLETE is told now;              PARTIAL (COMPLETE
 *               closed after gap_ms without news        if nothing misses)
 *
 * Nothing is deleted by this: sweep what was not seen only when an event says
 * closed and COMPLETE. A message that belongs to no open answer is UNSOLICITED:
 * merge its items, never take it for the whole. */
#ifndef MANSCDP_ASSEMBLY_H
#define MANSCDP_ASSEMBLY_H

#include "base/alloc.h"
#include "base/err.h"
#include "manscdp/vocab.h"

struct manscdp_assemblies;

struct manscdp_assembly_limits {
    uint32_t max_open;  /* answers at one time; 0: 4096 */
    uint32_t max_items; /* of one answer; 0: 100000 */
    uint32_t max_key;   /* bytes of one item's key; 0: 256, at most 1000 */
};

enum manscdp_outcome {
    MANSCDP_COMPLETE, /* all items that were announced */
    MANSCDP_PARTIAL,  /* some are missing, or could not be read */
    MANSCDP_SILENT    /* no answer at all within first_ms */
};

struct manscdp_assembly_event {
    uint64_t id;
    void *user; /* as given to open */
    enum manscdp_outcome outcome;
    bool closed;         /* the id is gone; false: may still grow */
    uint32_t received;   /* distinct items */
    uint32_t expected;   /* largest SumNum seen; 0: none was said */
    uint32_t missing;    /* announced, not received, or unreadable */
    uint32_t duplicates; /* items that came again */
    uint32_t unnamed;    /* items without id */
    uint32_t broken;     /* items that did not parse */
    uint32_t messages;
};

/* What a message is. An answer of LOOSE messages alone ends by its gap, never
 * by SumNum, and is PARTIAL at best unless their SN is 0: a change report of
 * one item with an SN of its own looks the same, and must delete nothing. */
enum manscdp_belongs {
    MANSCDP_UNSOLICITED, /* to no open answer; *id is 0 */
    MANSCDP_EXACT,       /* to the answer with its SN */
    MANSCDP_LOOSE        /* SN is foreign, but only one answer was open */
};

/* What an item is. */
enum manscdp_novelty {
    MANSCDP_NEW,
    MANSCDP_DUPLICATE, /* keep the first */
    MANSCDP_UNNAMED,   /* empty key: counted, to be dropped */
    MANSCDP_EXCESS     /* beyond max_items, or no memory: drop it */
};

/* limits may be NULL. seed: 16 random bytes (NULL in tests). NULL when there
 * is no memory. free closes silently; NULL is fine. */
struct manscdp_assemblies *
manscdp_assemblies_new(const struct gb_alloc *alloc, const void *seed,
                       const struct manscdp_assembly_limits *limits);
void manscdp_assemblies_free(struct manscdp_assemblies *s);

/* A request has been sent. device: the registered peer, copied (at most
 * max_key bytes). row gives first_ms and gap_ms; first_ms may be overridden
 * (platforms: 120 s) by a value above 0. 0 and *id, GB_EEXIST (same key is
 * open), GB_ELIMIT, GB_ERANGE (device too long) or GB_ENOMEM. */
int manscdp_assembly_open(struct manscdp_assemblies *s, struct slice device,
                          const struct manscdp_row *row, uint32_t sn,
                          uint32_t first_ms, void *user, uint64_t now_ms,
                          uint64_t *id);

/* Is an answer with just this SN open? */
bool manscdp_assembly_awaits(const struct manscdp_assemblies *s,
                             struct slice device, enum manscdp_cmd cmd,
                             uint32_t sn);

/* A message has come. Follow with one manscdp_assembly_item for each of its
 * items and one manscdp_assembly_end, unless it is UNSOLICITED. */
enum manscdp_belongs
manscdp_assembly_message(struct manscdp_assemblies *s, struct slice device,
                         enum manscdp_cmd cmd, uint32_t sn, uint64_t *id);

enum manscdp_novelty manscdp_assembly_item(struct manscdp_assemblies *s,
                                           uint64_t id, struct slice key);

/* The message is over. A row without gap_ms (one Response) closes here; SumNum
 * 0 without items is an empty answer and complete. has_sum_num, sum_num: as
 * the message said; n_broken: items that it lost. The first one, and each with
 * a new item, restarts the gap: a device that repeats itself for ever is not
 * listened to for ever. May give an event. */
void manscdp_assembly_end(struct manscdp_assemblies *s, uint64_t id,
                          bool has_sum_num, uint32_t sum_num,
                          uint32_t n_broken, uint64_t now_ms);

/* Gone without an event, also without one that waits to be pulled: device
 * offline, SIP error, cancelled. After it the user pointer is not given out
 * again. A stale id does nothing. */
void manscdp_assembly_cancel(struct manscdp_assemblies *s, uint64_t id);

/* The same for every answer of a device. */
void manscdp_assembly_cancel_device(struct manscdp_assemblies *s,
                                    struct slice device);

/* A snapshot; false: stale id. */
bool manscdp_assembly_status(const struct manscdp_assemblies *s, uint64_t id,
                             struct manscdp_assembly_event *out);

/* When tick has something to do; may be early, never late. UINT64_MAX: none. */
uint64_t manscdp_assembly_deadline(const struct manscdp_assemblies *s);
void manscdp_assembly_tick(struct manscdp_assemblies *s, uint64_t now_ms);

/* The next event, false: none. Pull after end and after tick. */
bool manscdp_assembly_event(struct manscdp_assemblies *s,
                            struct manscdp_assembly_event *out);

/* Open answers, for a gauge. */
size_t manscdp_assembly_count(const struct manscdp_assemblies *s);
#endif
