/* app/store/store.h - what survives a restart: devices with their bindings,
 * channels, live dialogs
 *
 * One thread of its own reads and writes; the main loop only queues. Writes are
 * gathered and committed within STORE_COMMIT_MS. With SQLITE=1 it is an SQLite
 * database in WAL mode (sqlite.c), with SQLITE=0 a JSON snapshot replaced by
 * rename (snapshot.c). A file that is damaged is moved aside as
 * NAME.broken-TIME, said loudly, and begun anew. */
#ifndef APP_STORE_STORE_H
#define APP_STORE_STORE_H

#include "app/platform/platform.h"

#define STORE_COMMIT_MS 1000
#define STORE_QUEUE_MAX 200000 /* rows not yet committed; further ones are
                                  dropped, counted and said once */

struct store;

/* What the store holds, one call each, from store_open. Borrowed. */
struct store_loader {
    void (*on_device)(void *ctx, const struct platform_saved_device *d);
    void (*on_channel)(void *ctx, const struct platform_channel *c);
    /* Groups come first, settings after the devices. Passwords are as they were
     * given: sealed. */
    void (*on_group)(void *ctx, struct slice name, struct slice sealed);
    void (*on_settings)(void *ctx, struct slice device,
                        const struct platform_settings *s);
    /* A dialog that an earlier process left open; kept until it is removed. */
    void (*on_dialog)(void *ctx, uint64_t key,
                      const struct sip_dialog_state *d,
                      const struct sip_peer *peer);
    void *ctx;
};

/* Opens or creates the store in directory `dir`, loads it, starts the thread.
 * 0, GB_EIO or GB_ENOMEM; *why (static or the store's) tells a person.
 * *moved (may be NULL): a damaged file was moved aside, and why. */
int store_open(struct store **out, const char *dir,
               const struct store_loader *load, char why[static 256],
               bool *moved);

/* Queue a write; all of them copy. */
void store_put_device(struct store *s, const struct platform_device *d);
void store_remove_device(struct store *s, struct slice id);
/* What people set for a device; all of it. The password is sealed. */
void store_put_settings(struct store *s, struct slice id,
                        const struct platform_settings *set);
void store_put_group(struct store *s, struct slice name, struct slice sealed);
void store_remove_group(struct store *s, struct slice name);
void store_put_channel(struct store *s, const struct platform_channel *c);
void store_remove_channel(struct store *s, struct slice device,
                          struct slice channel);
/* key: see platform_action.dialog_key */
void store_put_dialog(struct store *s, uint64_t key,
                      const struct sip_dialog_state *d,
                      const struct sip_peer *peer);
void store_remove_dialog(struct store *s, uint64_t key);

/* Waits until everything queued is committed. */
void store_flush(struct store *s);

/* Flushes, ends the thread, closes. NULL is fine. */
void store_close(struct store *s);

struct store_counters {
    uint64_t writes, commits; /* rows and transactions that are there */
    uint64_t errors;          /* refused transactions */
    uint64_t dropped;         /* writes given up: no room, no memory */
    uint32_t queued;
};
void store_counters(struct store *s, struct store_counters *out);
#endif
