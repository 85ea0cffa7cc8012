/* app/net/hook_client.h - carries out the calls of webhooks: HTTP/1.1 POSTs over
 * TCP or TLS on a libuv loop
 *
 * One connection for each hook, kept open between calls. What may be called:
 * the addresses that a name resolves to are looked at after the look-up, and
 * the connection goes to exactly that address; redirections are not followed;
 * of an answer nothing but its status is used. Names are looked up one at a
 * time, so that a resolver that hangs takes one thread of the pool. */
#ifndef APP_NET_HOOK_CLIENT_H
#define APP_NET_HOOK_CLIENT_H

#include "app/net/tls.h"
#include "app/platform/hooks.h"

#include <uv.h>

#define HOOK_IDLE_MS 30000     /* an unused connection is closed then */
#define HOOK_DRAIN_MAX 65536   /* bytes of an answer's body read to keep it */
#define HOOK_DENY_MAX 256

struct hook_net {
    struct gb_addr net;
    unsigned bits;
};

struct hook_client_config {
    uv_loop_t *loop;      /* borrowed */
    struct hooks *hooks;  /* borrowed; outlives the client */
    /* The context of a call over https, asked when there is one; borrowed until
     * the client is closed. NULL: there is none. */
    struct tls_ctx *(*tls)(void *ctx);
    struct gb_time (*now)(void *ctx);
    /* One line, key=value. May be NULL. */
    void (*log)(void *ctx, enum platform_level level, const char *line);
    void *ctx;
    uint32_t call_ms; /* 0: HOOKS_CALL_MS */
};

struct hook_client;
/* 0 or GB_ENOMEM. */
int hook_client_new(struct hook_client **out,
                    const struct hook_client_config *cfg);
/* Networks that are never called, copied; at most HOOK_DENY_MAX. Unspecified
 * and multicast addresses are not called in any case. */
void hook_client_deny(struct hook_client *c, const struct hook_net *nets,
                      size_t n);
/* Something was queued, set or removed: its turn comes soon, not inside. */
void hook_client_touch(struct hook_client *c);
/* Ends calls and connections; on_closed from the loop. Frees c. */
void hook_client_close(struct hook_client *c, void (*on_closed)(void *ctx),
                       void *ctx);
#endif
