/* app/platform/platform_records.h - what a device has recorded. */
#ifndef APP_PLATFORM_PLATFORM_RECORDS_H
#define APP_PLATFORM_PLATFORM_RECORDS_H

#include "app/platform/platform_base.h"
#include "app/platform/platform_commands.h"

#define PLATFORM_RECORDS_MAX 32      /* questions remembered, the newest */
#define PLATFORM_RECORDS_ITEMS 20000 /* of one answer; further ones are left out */
#define PLATFORM_RECORDS_TEXT 16     /* bytes of its type */

struct platform_records_ask {
    struct slice device, channel;
    uint64_t start_s, stop_s; /* UNIX, of our clock; at most
                                 PLATFORM_PLAYBACK_MAX_S apart */
    struct slice type;        /* empty: all; time, alarm, manual */
};

/* One recording of a device, in times of our clock. */
struct platform_record {
    int64_t start_utc_ms, end_utc_ms;
    struct slice name, path, type;
    uint64_t bytes; /* 0: untold */
};

struct platform_records {
    uint64_t id, command; /* command: the last one that asked */
    struct slice device, channel, type;
    uint64_t start_s, stop_s;
    bool is_final;
    bool complete;        /* final, and nothing is known to be missing */
    enum platform_command_state state; /* of the last command */
    unsigned asked;       /* commands so far */
    size_t n;             /* items so far, in order of time, none twice */
    size_t lost;          /* items that could not be read, or had no room */
    struct slice evidence;
};

/* Asks, or finds the same question that is under way or was answered within the
 * last minute. GB_ENOENT, GB_ESTATE (offline), GB_ERANGE, GB_ESYNTAX, GB_ELIMIT,
 * GB_ENOMEM. */
int platform_records_start(struct platform *p,
                           const struct platform_records_ask *q,
                           struct gb_time now, uint64_t *id);
bool platform_records_is_final(const struct platform *p, uint64_t id);
/* Puts what has come into order: not for every message of a device. */
bool platform_records_view(const struct platform *p, uint64_t id,
                           struct platform_records *out);
bool platform_record_at(const struct platform *p, uint64_t id, size_t i,
                        struct platform_record *out);
#endif
