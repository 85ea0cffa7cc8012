/* app/platform/catalog.h - what devices are asked about themselves */
#ifndef APP_PLATFORM_CATALOG_H
#define APP_PLATFORM_CATALOG_H

#include "app/platform/platform.h"
#include "base/arena.h"
#include "base/timerq.h"

struct device;
struct manscdp_msg;

/* One question at a time to one device. */
enum { QUERY_CATALOG = 1, QUERY_INFO = 2 };

/* While something is asked, or more is to be. */
struct query {
    struct timerq_node timer;
    struct device *device;
    uint8_t running;         /* QUERY_ bit */
    bool swept;              /* complete, only lingering for late items */
    bool login;              /* sent with what answers a challenge */
    uint32_t sn;             /* of the DeviceInfo */
    uint64_t transaction;    /* of the running one, 0: answered */
    uint64_t assembly;       /* 0: none */
    uint64_t give_up_ms;     /* of the running one */
    uint64_t retry_ms;       /* catalog once more */
};

/* What came of the questions so far. */
struct asked {
    uint8_t wanted;  /* QUERY_ bits, to be asked */
    uint8_t tries;   /* of the catalog, since the last success */
    uint8_t catalog; /* enum platform_catalog */
    bool news;       /* catalogs have told something new since query_news */
    uint8_t history_max; /* recordings that it sends at one time, as a 486 has
                            shown; 0: not known */
    bool all_off;    /* it has said OFF of itself: not what its channels are */
    uint32_t complete_s; /* mono time of the last complete one; 0: none */
    uint32_t run;    /* counts catalogs */
    uint32_t have, sum;
    uint64_t start_ms; /* what is wanted: not before */
};

/* Asks after a pause; queries wanted twice are sent once. */
void query_want(struct platform *p, struct device *d, unsigned queries,
                uint64_t delay_ms);
/* The same for a device that was away for a while and has not registered: not
 * long behind a complete catalog, since flapping lines ask for the next one all
 * the time (field-note 3.13). */
void query_back(struct platform *p, struct device *d);
/* Whether catalogs have told something new since this was asked last. */
bool query_news(struct device *d);
/* When the first question is to be asked, GB_NEVER; part of device_arm. Those
 * that follow have a timer of their own. */
uint64_t query_due_ms(const struct device *d);
/* Asks it, if it is due. */
void query_begin(struct platform *p, struct device *d);
/* Nothing is asked any more: offline, removed. */
void query_stop(struct platform *p, struct device *d);
void query_free(struct platform *p, struct device *d);
void query_on_timer(struct platform *p, struct device *d);
void query_on_response(struct platform *p, struct device *d, unsigned status);
/* by_message: no NOTIFY carried it. */
void query_on_catalog(struct platform *p, struct device *d,
                      const struct manscdp_msg *msg, bool by_message,
                      struct arena *a);
/* counted: the profile knows of this answer already. */
void query_on_info(struct platform *p, struct device *d,
                   const struct manscdp_msg *msg, bool counted);
/* After every input: what the assembly has to say. */
void query_events(struct platform *p);
uint64_t query_jitter(struct platform *p);
#endif
