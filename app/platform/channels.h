/* app/platform/channels.h - the channels of devices */
#ifndef APP_PLATFORM_CHANNELS_H
#define APP_PLATFORM_CHANNELS_H

#include "app/platform/platform.h"
#include "base/list.h"
#include "base/map.h"

struct device;

#define PLATFORM_CHANNEL_TEXT 255  /* one text of a channel, bytes */
#define PLATFORM_CHANNEL_TEXTS 600 /* all texts of a channel, bytes */
#define PLATFORM_CHANNEL_DETAIL 4096 /* the rest of its item, bytes */

/* Texts in the order of their importance: what does not fit is left out. */
#define CHANNEL_TEXT_MAP(X)                                                    \
    X(ID, id)                                                                  \
    X(PARENT, parent)                                                          \
    X(NAME, name)                                                              \
    X(STATUS, status)                                                          \
    X(CIVIL_CODE, civil_code)                                                  \
    X(BUSINESS_GROUP, business_group)                                          \
    X(PTZ_TYPE, ptz_type)                                                      \
    X(MANUFACTURER, manufacturer)                                              \
    X(MODEL, model)                                                            \
    X(OWNER, owner)                                                            \
    X(ADDRESS, address)

enum channel_text {
#define X(ID, member) CHANNEL_##ID,
    CHANNEL_TEXT_MAP(X)
#undef X
    CHANNEL_TEXT_COUNT
};

/* One block of memory: the struct and, behind it, its texts in order. */
struct channel {
    struct map_node node; /* key: the id, in p->channels */
    struct list dirty;
    struct device *device;
    uint64_t session;     /* live, main stream; 0: none */
    int64_t delivered_utc_ms;
    int32_t longitude_e7, latitude_e7;
    uint32_t seen_run;    /* the catalog run that listed it last */
    char *detail;         /* the rest of its item, until the owner has taken
                             it; own memory, NULL: told already */
    uint32_t detail_len;
    uint64_t detail_hash; /* of the last one; 0: none */
    int64_t failed_utc_ms; /* a picture that was asked for did not come */
    bool on, has_position, removed, fault;
    bool fault_told;      /* by the Keepalive that is being read */
    uint8_t observed;     /* enum platform_observed, never FAULTY */
    uint8_t failed_step;  /* enum platform_step, with failed_utc_ms */
    uint8_t len[CHANNEL_TEXT_COUNT];
    char text[];
};

struct channel *channel_find(const struct device *d, struct slice id);
/* Adds or changes it. Empty texts of `in` erase only if `whole`. NULL: limit
 * or memory (then the old one stays). */
struct channel *channel_upsert(struct platform *p, struct device *d,
                               const struct platform_channel *in, bool whole);
void channel_drop(struct platform *p, struct channel *c);
/* Those that this run of the catalog did not list are no longer there. */
void channels_sweep(struct platform *p, struct device *d, uint32_t run);
/* Its memory; it is in no table any more. */
void channel_free(struct platform *p, struct channel *c);
/* What its item says beside the texts above, for the owner to keep: told if it
 * is news. Without memory it stays news. */
void channel_detail(struct platform *p, struct channel *c, struct slice text);
/* What came of asking it for a picture; step: the link that broke. */
void channel_observe(struct platform *p, struct channel *c,
                     enum platform_observed o, enum platform_step step);
struct slice channel_text(const struct channel *c, enum channel_text which);
void channel_view(const struct channel *c, struct platform_channel *out);
#endif
