/* app/platform/platform_profile.h - what a device has been seen to do. */
#ifndef APP_PLATFORM_PLATFORM_PROFILE_H
#define APP_PLATFORM_PLATFORM_PROFILE_H

#include "app/platform/platform_base.h"

#define PLATFORM_OUTCOME_MAP(X)                                                \
    X(ARRIVED,  "arrived")  /* 200, and no Response is due */                  \
    X(ANSWERED, "answered")                                                    \
    X(REFUSED,  "refused")                                                     \
    X(SILENT,   "silent")

enum platform_outcome {
#define X(id, name) PLATFORM_OUTCOME_##id,
    PLATFORM_OUTCOME_MAP(X)
#undef X
};
const char *platform_outcome_name(enum platform_outcome o);

struct platform_profile {
    bool edition_told;   /* by X-GB-Ver, else assumed or set */
    enum platform_transport media; /* the one that works; AUTO: not known */
    bool behind_nat;     /* its Contact is not where it sends from */
    uint32_t keepalive_gap_ms;     /* longest seen of late; 0: none yet */
    struct slice digest; /* algorithm it proved itself with; empty: none */
    bool alarms_by_message, alarms_by_notify, alarms_typed, alarms_untyped;
};
bool platform_profile_view(const struct platform *p, struct slice id,
                           struct platform_profile *out);

struct platform_profile_command {
    struct slice cmd, sub;
    enum platform_outcome last;
    unsigned asked, silent; /* times in all; of late, one after the other */
    bool knows, lacks;      /* lacks: refused, or silent twice */
};
/* Those that were tried; *pos from 0. */
bool platform_profile_command(const struct platform *p, struct slice id,
                              size_t *pos,
                              struct platform_profile_command *out);
/* Faults that were tolerated, each once; *pos from 0. */
bool platform_profile_deviation(const struct platform *p, struct slice id,
                                size_t *pos, const char **text);
#endif
