/* What people have set: all of it as a number, and what of it was stored. */
#include "fuzz/api/site.h"

#include "fuzz/hash.h"

#include <string.h>

struct object {
    struct slice key, more;
    uint64_t is;
};
typedef void object_fn(void *ctx, const struct object *o);

static uint64_t text(uint64_t h, struct slice s)
{
    return hash_bytes(h, s.p, s.n);
}

/* ---- the objects of each part ---------------------------------------------------- */

static void each_account(object_fn *fn, void *ctx)
{
    struct account v;

    for (unsigned k = 0; k < ACCOUNT_KINDS; k++) {
        struct slice after = { 0 };

        for (; accounts_next(site.accounts, (enum account_kind)k, after, &v);
             after = v.name)
            fn(ctx, &(struct object){
                        v.name, k ? SLICE("token") : SLICE("user"),
                        text(text(hash_int(1, v.role), v.secret), v.scope) });
    }
}

static void each_hook(object_fn *fn, void *ctx)
{
    struct slice after = { 0 };
    struct hook_view v;

    for (; hooks_next(site.hooks, after, run.now, &v); after = v.name)
        fn(ctx, &(struct object){
                    v.name, { 0 },
                    text(text(hash_int(v.off, v.kinds), v.url), v.secret) });
}

static void each_rule(object_fn *fn, void *ctx)
{
    static char lines[RULES_LINES_MAX];
    struct slice after = { 0 };
    struct rule_view v;

    for (; rules_after(site.rules, after, &v); after = v.rule.name) {
        struct writer w = writer_of(lines, sizeof(lines));

        rules_write(&w, &v.rule);
        require(!w.err);
        fn(ctx, &(struct object){ v.rule.name, { 0 },
                                  text(1, writer_slice(&w)) });
    }
}

/* All URLs of a channel. */
static uint64_t pushes_of(struct slice device, struct slice channel)
{
    struct push_view v;
    struct pushes_walk at = { 0 };
    uint64_t h = 0;

    while (pushes_next(site.pushes, device, channel, &at, &v))
        h = text(hash_int(h, v.stream + 1), v.url);
    return h;
}

static void each_push(object_fn *fn, void *ctx)
{
    struct slice any = { 0 };
    struct push_view v;
    struct pushes_walk at = { 0 };

    while (pushes_next(site.pushes, any, any, &at, &v))
        fn(ctx, &(struct object){ v.device, v.channel,
                                  pushes_of(v.device, v.channel) });
}

static void each_recorder(object_fn *fn, void *ctx)
{
    struct recorders_walk walk = { 0 };
    struct recorder_view v;

    while (recorders_next(site.recorders, &walk, &v)) {
        uint64_t h = hash_int(v.set.mode, v.set.stream);

        h = hash_int(hash_int(h, v.set.alarm_s),
                     (uint64_t)v.set.before << 1 | v.set.hand);
        if (v.set.mode != RECORDERS_MODE_OFF || v.set.hand)
            fn(ctx, &(struct object){ v.device, v.channel,
                                      hash_bytes(h, v.set.plan,
                                                 sizeof(v.set.plan)) });
    }
}

static uint64_t policy(const struct platform_policy *y)
{
    return hash_bytes(1, y->s, sizeof(y->s));
}

static void each_group(object_fn *fn, void *ctx)
{
    struct platform_group g;

    for (struct slice after = { 0 };
         platform_group_next(run.p, after, &g); after = g.name)
        fn(ctx, &(struct object){ g.name, { 0 },
                                  text(policy(&g.subscribe),
                                       platform_group_password(run.p,
                                                               g.name)) });
}

static void each_device(object_fn *fn, void *ctx)
{
    struct platform_device d;
    struct platform_settings s;

    for (struct slice after = { 0 };
         platform_device_next(run.p, after, &d); after = d.id) {
        uint64_t h;

        require(platform_device_settings(run.p, d.id, &s));
        h = text(text(text(policy(&s.subscribe), s.password), s.group),
                 s.name);
        h = hash_int(h, (uint64_t)s.date | (uint64_t)s.edition << 8 |
                            (uint64_t)s.digest << 16 | (uint64_t)s.media << 32 |
                            (uint64_t)s.arm << 40 |
                            (uint64_t)s.ignore_require << 41);
        fn(ctx, &(struct object){ d.id, { 0 }, h });
    }
}

typedef void each_fn(object_fn *fn, void *ctx);
static each_fn *const parts[PARTS] = {
    [PART_ACCOUNTS] = each_account, [PART_HOOKS] = each_hook,
    [PART_RULES] = each_rule, [PART_PUSHES] = each_push,
    [PART_RECORDERS] = each_recorder, [PART_GROUPS] = each_group,
    [PART_DEVICES] = each_device,
};

/* ---- all of it as a number ----------------------------------------------------------- */

static void add(void *ctx, const struct object *o)
{
    uint64_t *h = ctx;

    *h = hash_int(text(text(*h, o->key), o->more), o->is);
}

struct beyond {
    struct slice scope;
    uint64_t h;
};

bool state_sees(struct slice scope, struct slice device)
{
    struct platform_device d;

    return account_scope_has(scope, 'd', device) ||
           (platform_device_view(run.p, device, &d) && d.group.n &&
            account_scope_has(scope, 'g', d.group));
}

static void add_unseen(void *ctx, const struct object *o)
{
    struct beyond *b = ctx;

    if (!state_sees(b->scope, o->key))
        add(&b->h, o);
}

/* How far devices are with the files that they were told to fetch. */
static uint64_t upgrades(void)
{
    struct platform_upgrade u;
    uint64_t h = 0;

    for (size_t i = 0; platform_upgrade_at(run.p, i, &u); i++)
        h = hash_int(hash_int(h, u.state), u.fetches);
    return h;
}

static uint64_t orders(void)
{
    struct platform_counters c;
    uint64_t h;

    platform_counters(run.p, &c);
    h = hash_int(c.commands, c.sessions);
    h = hash_int(hash_int(h, c.sessions_started), c.voices);
    return hash_int(hash_int(h, c.devices), c.queries);
}

void state_read(struct state_of_all *out, struct slice scope)
{
    struct beyond b = { scope, 1 };

    *out = (struct state_of_all){ .orders = orders(), .upgrades = upgrades() };
    for (unsigned i = 0; i < PARTS; i++)
        parts[i](add, &out->part[i]);
    if (scope.n) {
        each_device(add_unseen, &b);
        each_push(add_unseen, &b);
        each_recorder(add_unseen, &b);
    }
    out->unseen = b.h;
}

/* ---- what is stored ---------------------------------------------------------------- */

static struct kept {
    unsigned part; /* 1 + enum part; 0: free */
    uint64_t key, is;
} kept[MAX_KEPT];

static uint64_t key_of(struct slice key, struct slice more)
{
    return text(text(1, key), more);
}

static struct kept *find(unsigned part, uint64_t key)
{
    for (size_t i = 0; i < MAX_KEPT; i++)
        if (kept[i].part == part && (!part || kept[i].key == key))
            return &kept[i];
    return NULL;
}

struct wanted {
    uint64_t key;
    uint64_t is;
    bool found;
};

static void look_for(void *ctx, const struct object *o)
{
    struct wanted *w = ctx;

    if (key_of(o->key, o->more) != w->key)
        return;
    w->is = o->is;
    w->found = true;
}

void state_store(enum part part, struct slice key, struct slice more)
{
    struct wanted w = { .key = key_of(key, more) };
    struct kept *k = find(part + 1, w.key);

    parts[part](look_for, &w);
    if (!w.found) {
        if (k)
            k->part = 0;
        return;
    }
    k = k ? k : find(0, 0);
    require(k != NULL);
    *k = (struct kept){ part + 1, w.key, w.is };
}

static void store(void *ctx, const struct object *o)
{
    state_store(*(const enum part *)ctx, o->key, o->more);
}

void state_store_all(void)
{
    memset(kept, 0, sizeof(kept));
    for (unsigned i = 0; i < PARTS; i++) {
        enum part part = (enum part)i;

        parts[i](store, &part);
    }
}

bool state_is_stored(enum part part, struct slice key, struct slice more)
{
    return find(part + 1, key_of(key, more)) != NULL;
}

/* A part whose objects are all stored as they are; each counted once. */
struct compared {
    unsigned part;
    uint64_t seen;
};

static void compare(void *ctx, const struct object *o)
{
    struct compared *c = ctx;
    struct kept *k = find(c->part, key_of(o->key, o->more));

    require(k && k->is == o->is);
    c->seen |= UINT64_C(1) << (k - kept);
}

void state_compare(void)
{
    struct compared c = { 0 };
    uint64_t all = 0;

    for (unsigned i = 0; i < PARTS; i++) {
        c.part = i + 1;
        parts[i](compare, &c);
    }
    for (size_t i = 0; i < MAX_KEPT; i++)
        all |= kept[i].part ? UINT64_C(1) << i : 0;
    require(c.seen == all);
}
