/* The real store, with a disk before it that is full at times, and loses what
 * it was given last when the platform crashes. Rows go to the store in order,
 * once a second of virtual time. */
#include "test/sim/world.h"

#include <stdlib.h>
#include <string.h>

/* What there is no memory for must not be missed later: there is no start. */
static void loaded(struct world *w, int err)
{
    if (err && err != GB_ENOMEM)
        world_fail(w, "the store has what nobody takes: %s", gb_strerror(err));
    w->is_lost |= err != 0;
}

static void on_device(void *ctx, const struct platform_saved_device *d)
{
    struct world *w = ctx;

    loaded(w, platform_restore_device(w->p, d, world_now(w)));
}

static void on_channel(void *ctx, const struct platform_channel *c)
{
    struct world *w = ctx;

    if (!w->is_lost)
        loaded(w, platform_restore_channel(w->p, c));
}

static void on_group(void *ctx, struct slice name, struct slice sealed,
                     const struct platform_policy *subscribe)
{
    struct world *w = ctx;

    loaded(w, platform_restore_group(w->p, name, sealed, subscribe,
                                     world_now(w)));
}

static void on_settings(void *ctx, struct slice device,
                        const struct platform_settings *s)
{
    struct world *w = ctx;

    if (!w->is_lost)
        loaded(w, platform_restore_settings(w->p, device, s, world_now(w)));
}

static void on_dialog(void *ctx, uint64_t key, const struct sip_dialog_state *d,
                      const struct sip_peer *peer)
{
    struct world *w = ctx;

    w->dialogs_loaded++;
    loaded(w, platform_restore_dialog(w->p, key, d, peer, world_now(w)));
}

static void on_ids(void *ctx, uint64_t alarm, uint64_t command)
{
    platform_restore_ids(((struct world *)ctx)->p, alarm, command);
}

bool disk_open(struct world *w)
{
    const struct store_loader load = {
        .on_device = on_device, .on_channel = on_channel,
        .on_group = on_group, .on_settings = on_settings,
        .on_dialog = on_dialog, .on_ids = on_ids, .ctx = w,
    };
    char why[256] = "";
    bool moved = false;

    w->dialogs_loaded = 0;
    w->is_lost = false;
    if (store_open(&w->store, w->opt.dir, &load, why, &moved) || moved)
        world_fail(w, "the store does not open: %s", why);
    w->pending = NULL;
    w->pending_end = &w->pending;
    w->commit_ms = GB_NEVER;
    if (!w->is_lost)
        return true;
    store_close(w->store);
    w->store = NULL;
    return false;
}

/* ---- what waits for the disk ---- */

static struct slice keep(char **at, struct slice s)
{
    struct slice copy = { *at, s.n };

    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static struct pending *pending_of(const struct platform_action *a)
{
    const struct sip_dialog_state *d = &a->dialog;
    size_t n = a->kind != PLATFORM_DIALOG_OPENED
                   ? 0
                   : d->call_id.n + d->local_uri.n + d->remote_uri.n +
                         d->local_tag.n + d->remote_tag.n + d->target.n;
    struct pending *q = calloc(1, sizeof(*q) + n);
    char *at = q ? (char *)(q + 1) : NULL;

    if (!q)
        abort();
    q->kind = a->kind;
    slice_copy(q->device, sizeof(q->device), a->device);
    slice_copy(q->channel, sizeof(q->channel), a->channel);
    if (a->kind == PLATFORM_GROUP_CHANGED || a->kind == PLATFORM_GROUP_REMOVED)
        slice_copy(q->device, sizeof(q->device), a->text);
    q->key = a->dialog_key;
    q->flags = a->flags;
    if (n) {
        q->peer = a->peer;
        q->dialog.local_cseq = d->local_cseq;
        q->dialog.call_id = keep(&at, d->call_id);
        q->dialog.local_uri = keep(&at, d->local_uri);
        q->dialog.remote_uri = keep(&at, d->remote_uri);
        q->dialog.local_tag = keep(&at, d->local_tag);
        q->dialog.remote_tag = keep(&at, d->remote_tag);
        q->dialog.target = keep(&at, d->target);
    }
    return q;
}

void disk_note(struct world *w, const struct platform_action *a)
{
    struct pending *q = pending_of(a);

    *w->pending_end = q;
    w->pending_end = &q->next;
    if (w->commit_ms == GB_NEVER)
        w->commit_ms = w->mono_ms + STORE_COMMIT_MS;
}

static void put_device(struct world *w, struct slice id, unsigned flags)
{
    struct platform_device dev;
    struct platform_settings set;
    char buf[PLATFORM_SAVED_MAX];

    if (!platform_device_save(w->p, id, buf, &dev))
        return; /* a removal follows */
    store_put_device(w->store, &dev);
    if (flags & PLATFORM_CHANGED_SETTINGS &&
        platform_device_settings(w->p, id, &set))
        store_put_settings(w->store, id, &set);
}

static void put_group(struct world *w, struct slice name)
{
    struct platform_group g;

    if (platform_group_view(w->p, name, &g))
        store_put_group(w->store, name, platform_group_password(w->p, name),
                        &g.subscribe);
}

static void write_one(struct world *w, const struct pending *q)
{
    struct slice device = slice_str(q->device), channel = slice_str(q->channel);
    struct platform_channel ch;

    switch (q->kind) {
    case PLATFORM_DEVICE_CHANGED:
        put_device(w, device, q->flags);
        break;
    case PLATFORM_DEVICE_REMOVED:
        store_remove_device(w->store, device);
        break;
    case PLATFORM_CHANNEL_CHANGED:
        if (platform_channel_view(w->p, device, channel, &ch))
            store_put_channel(w->store, &ch);
        break;
    case PLATFORM_CHANNEL_REMOVED:
        store_remove_channel(w->store, device, channel);
        break;
    case PLATFORM_GROUP_CHANGED:
        put_group(w, device);
        break;
    case PLATFORM_GROUP_REMOVED:
        store_remove_group(w->store, device);
        break;
    case PLATFORM_DIALOG_OPENED:
        store_put_dialog(w->store, q->key, &q->dialog, &q->peer);
        break;
    case PLATFORM_DIALOG_CLOSED:
        store_remove_dialog(w->store, q->key);
        break;
    default:
        break;
    }
}

static void drop_pending(struct world *w, bool write)
{
    while (w->pending) {
        struct pending *q = w->pending;

        w->pending = q->next;
        if (write)
            write_one(w, q);
        else
            w->lost_rows++;
        free(q);
    }
    w->pending_end = &w->pending;
    w->commit_ms = GB_NEVER;
}

void disk_commit(struct world *w)
{
    if (w->mono_ms < w->full_until_ms)
        w->commit_ms = w->mono_ms + STORE_COMMIT_MS;
    else
        drop_pending(w, true);
}

void disk_close(struct world *w, bool lose)
{
    struct store_counters n;

    drop_pending(w, !lose);
    store_flush(w->store);
    store_counters(w->store, &n);
    if (n.errors || n.dropped || n.queued)
        world_fail(w, "the store has lost rows");
    store_close(w->store);
    w->store = NULL;
}
