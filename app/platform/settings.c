/* What people set: a device's own password, name, group and policies, groups
 * with a password of theirs, and who of the unknown is let in. */
#include "app/platform/settings.h"

#include "app/platform/core.h"

#include "base/writer.h"

struct group {
    struct list node;  /* in p->groups, in name order */
    struct slice name; /* own memory */
    struct slice password; /* own memory; empty: none */
    bool news;         /* the owner is to be told */
    size_t n_devices;
    struct platform_policy subscribe;
};

/* ---- secrets ---- */

/* Memory that held a password is not left as it was. */
static void wipe(struct platform *p, struct slice *s)
{
    if (s->n)
        memset((char *)(uintptr_t)s->p, 0, s->n);
    gb_put(p->alloc, (void *)(uintptr_t)s->p);
    *s = slice_of(NULL, 0);
}

static int replace(struct platform *p, struct slice *old, struct slice text)
{
    struct slice copy = platform_copy(p, text);

    if (text.n && !copy.p)
        return GB_ENOMEM;
    wipe(p, old);
    *old = copy;
    return 0;
}

static bool is_text(struct slice s, size_t max)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n <= max;
}

/* ---- groups ---- */

static struct group *group_find(const struct platform *p, struct slice name)
{
    for (struct list *n = p->groups.next; n != &p->groups; n = n->next) {
        struct group *g = container_of(n, struct group, node);

        if (slice_eq(g->name, name))
            return g;
    }
    return NULL;
}

struct slice group_name(const struct group *g)
{
    return g->name;
}

struct slice group_password(const struct device *d)
{
    const struct group *g = device_rare(d)->group;

    return g ? g->password : slice_of(NULL, 0);
}

const struct platform_policy *group_policy(const struct device *d)
{
    const struct group *g = device_rare(d)->group;

    return g ? &g->subscribe : NULL;
}

/* ---- policies ---- */

void platform_policy_write(struct writer *w, const struct platform_policy *y)
{
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++) {
        if (!y->s[k])
            continue;
        writer_f(w, "%s=", platform_subscription_name(
                               (enum platform_subscription_kind)k));
        if (y->s[k] == PLATFORM_SUBSCRIBE_NEVER)
            writer_str(w, "never");
        else
            writer_u64(w, y->s[k]);
        writer_char(w, ';');
    }
}

static bool is_period(uint32_t s)
{
    return s == 0 || s == PLATFORM_SUBSCRIBE_NEVER ||
           (s >= PLATFORM_SUBSCRIBE_MIN_S && s <= PLATFORM_SUBSCRIBE_MAX_S);
}

void platform_policy_read(struct platform_policy *y, struct slice text)
{
    struct slice value, key;
    uint32_t s;

    *y = (struct platform_policy){ { 0 } };
    while (text.n) {
        slice_cut(&text, ';', &value);
        slice_cut(&value, '=', &key);
        s = PLATFORM_SUBSCRIBE_NEVER;
        if (!slice_eq(value, SLICE("never")) &&
            !slice_u32(value, PLATFORM_SUBSCRIBE_MAX_S, &s))
            continue;
        for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
            if (is_period(s) &&
                slice_eq(key, slice_str(platform_subscription_name(
                                  (enum platform_subscription_kind)k))))
                y->s[k] = s;
    }
}

static bool is_policy(const struct platform_policy *y, unsigned kinds)
{
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        if (kinds >> k & 1 && !is_period(y->s[k]))
            return false;
    return true;
}

static void merge(struct platform_policy *to, const struct platform_policy *y,
                  unsigned kinds)
{
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        if (kinds >> k & 1)
            to->s[k] = y->s[k];
}

/* ---- members ---- */

static void join_group(struct rare *r, struct group *g)
{
    if (r->group)
        r->group->n_devices--;
    if (g)
        g->n_devices++;
    r->group = g;
}

static void forget_members(struct platform *p, const struct group *g)
{
    for (size_t i = 0; i < p->n_devices; i++)
        if (device_rare(p->by_id[i])->group == g)
            auth_forget(p->by_id[i]);
}

static struct group *group_new(struct platform *p, struct slice name)
{
    struct group *g = gb_get(p->alloc, sizeof(*g));
    struct list *at = p->groups.next;

    if (!g || replace(p, &g->name, name)) {
        gb_put(p->alloc, g);
        return NULL;
    }
    while (at != &p->groups &&
           slice_cmp(container_of(at, struct group, node)->name, name) < 0)
        at = at->next;
    list_insert_before(at, &g->node);
    p->n_groups++;
    return g;
}

static void group_free(struct platform *p, struct group *g)
{
    list_remove(&g->node);
    wipe(p, &g->name);
    wipe(p, &g->password);
    gb_put(p->alloc, g);
}

static void tell(struct platform *p, struct group *g)
{
    p->n_group_news += !g->news;
    g->news = true;
}

int platform_group_set(struct platform *p, struct slice name,
                       const struct slice *password, struct gb_time now)
{
    struct group *g = group_find(p, name);
    bool is_new = !g;
    int err = 0;

    clock_at(p, now);
    if (name.n == 0 || !is_text(name, PLATFORM_GROUP_NAME_MAX) ||
        slice_find(name, '/') < name.n ||
        (password && !is_text(*password, PLATFORM_PASSWORD_MAX)))
        return GB_ESYNTAX;
    if (!g && p->n_groups >= PLATFORM_MAX_GROUPS)
        return GB_ELIMIT;
    if (!g)
        g = group_new(p, name);
    if (!g)
        return GB_ENOMEM;
    if (password)
        err = replace(p, &g->password, *password);
    if (err && is_new) { /* one without its password would let others in */
        p->n_groups--;
        group_free(p, g);
    }
    if (err)
        return err;
    tell(p, g);
    if (password)
        forget_members(p, g);
    return 0;
}

int platform_group_subscribe(struct platform *p, struct slice name,
                             const struct platform_policy *y, unsigned kinds,
                             struct gb_time now)
{
    struct group *g = group_find(p, name);

    clock_at(p, now);
    if (!g)
        return GB_ENOENT;
    if (!is_policy(y, kinds))
        return GB_ESYNTAX;
    merge(&g->subscribe, y, kinds);
    tell(p, g);
    for (size_t i = 0; i < p->n_devices; i++)
        if (device_rare(p->by_id[i])->group == g)
            subscriptions_policy(p, p->by_id[i]);
    return 0;
}

int platform_restore_group(struct platform *p, struct slice name,
                           struct slice password,
                           const struct platform_policy *subscribe,
                           struct gb_time now)
{
    int err = platform_group_set(p, name, &password, now);
    struct group *g = group_find(p, name);

    if (!err && subscribe)
        g->subscribe = *subscribe;

    if (g && g->news) { /* the store knows it already */
        g->news = false;
        p->n_group_news--;
    }
    return err;
}

int platform_group_remove(struct platform *p, struct slice name,
                          struct gb_time now)
{
    struct group *g = group_find(p, name);

    clock_at(p, now);
    if (!g)
        return GB_ENOENT;
    for (size_t i = 0; i < p->n_devices; i++) {
        struct device *d = p->by_id[i];

        if (device_rare(d)->group != g)
            continue;
        join_group(d->rare, NULL);
        auth_forget(d);
        subscriptions_policy(p, d);
        device_changed(p, d, PLATFORM_CHANGED_SETTINGS);
    }
    tell(p, g);
    list_remove(&g->node);
    p->n_groups--;
    list_push_back(&p->gone_groups, &g->node);
    return 0;
}

bool settings_news(struct platform *p, struct platform_action *out)
{
    struct list *n;

    if (p->n_group_news == 0)
        return false;
    p->n_group_news--;
    if (!list_is_empty(&p->gone_groups)) {
        struct group *g =
            container_of(p->gone_groups.next, struct group, node);

        out->kind = PLATFORM_GROUP_REMOVED;
        out->text = slice_of(memcpy(p->scratch, g->name.p, g->name.n),
                             g->name.n);
        group_free(p, g);
        return true;
    }
    for (n = p->groups.next; n != &p->groups; n = n->next) {
        struct group *g = container_of(n, struct group, node);

        if (!g->news)
            continue;
        g->news = false;
        out->kind = PLATFORM_GROUP_CHANGED;
        out->text = g->name;
        return true;
    }
    return false;
}

static void group_view(const struct group *g, struct platform_group *out)
{
    *out = (struct platform_group){ .name = g->name,
                                    .has_password = g->password.n > 0,
                                    .subscribe = g->subscribe,
                                    .n_devices = g->n_devices };
}

bool platform_group_next(const struct platform *p, struct slice after,
                         struct platform_group *out)
{
    for (struct list *n = p->groups.next; n != &p->groups; n = n->next) {
        struct group *g = container_of(n, struct group, node);

        if (after.n && slice_cmp(g->name, after) <= 0)
            continue;
        group_view(g, out);
        return true;
    }
    return false;
}

bool platform_group_view(const struct platform *p, struct slice name,
                         struct platform_group *out)
{
    const struct group *g = group_find(p, name);

    if (g)
        group_view(g, out);
    return g != NULL;
}

struct slice platform_group_password(const struct platform *p,
                                     struct slice name)
{
    const struct group *g = group_find(p, name);

    return g ? g->password : slice_of(NULL, 0);
}

void settings_fini(struct platform *p)
{
    struct list *n;

    while ((n = list_pop_front(&p->groups)) ||
           (n = list_pop_front(&p->gone_groups)))
        group_free(p, container_of(n, struct group, node));
}

void device_settings_fini(struct platform *p, struct device *d)
{
    if (d->rare) {
        join_group(d->rare, NULL);
        gb_put(p->alloc, d->rare->alarms);
        wipe(p, &d->rare->password);
        wipe(p, &d->rare->given_name);
    }
    gb_put(p->alloc, d->rare);
    d->rare = NULL;
    auth_forget(d);
}

/* ---- devices ---- */

static bool is_good(const struct platform *p, const struct platform_settings *s)
{
    const unsigned algs = (1u << SIP_DIGEST_COUNT) - 2;

    return !((s->set & PLATFORM_SET_PASSWORD &&
              !is_text(s->password, PLATFORM_PASSWORD_MAX)) ||
             (s->set & PLATFORM_SET_NAME &&
              !is_text(s->name, PLATFORM_TEXT_MAX)) ||
             (s->set & PLATFORM_SET_GROUP && s->group.n &&
              !group_find(p, s->group)) ||
             (s->set & PLATFORM_SET_DATE && s->date > 1 + PLATFORM_DATE_OFF) ||
             (s->set & PLATFORM_SET_EDITION && s->edition > 1 + MANSCDP_2022) ||
             (s->set & PLATFORM_SET_DIGEST && s->digest & ~algs) ||
             (s->set & PLATFORM_SET_SUBSCRIBE &&
              !is_policy(&s->subscribe, s->subscribe_kinds)) ||
             (s->set & PLATFORM_SET_MEDIA && s->media > PLATFORM_TCP_ACTIVE));
}

static bool is_any(const struct platform_policy *y, unsigned kinds)
{
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++)
        if (kinds >> k & 1 && y->s[k])
            return true;
    return false;
}

/* Password, name, group and policy, which most devices do not have. */
static int apply_rare(struct platform *p, struct device *d,
                      const struct platform_settings *s)
{
    bool any = (s->set & PLATFORM_SET_PASSWORD && s->password.n) ||
               (s->set & PLATFORM_SET_NAME && s->name.n) ||
               (s->set & PLATFORM_SET_GROUP && s->group.n) ||
               (s->set & PLATFORM_SET_SUBSCRIBE &&
                is_any(&s->subscribe, s->subscribe_kinds));
    struct rare *r = any ? device_rare_own(p, d) : d->rare;
    int err = 0;

    if (!r)
        return any ? GB_ENOMEM : 0;
    if (s->set & PLATFORM_SET_PASSWORD)
        err = replace(p, &r->password, s->password);
    if (!err && s->set & PLATFORM_SET_NAME)
        err = replace(p, &r->given_name, s->name);
    if (!err && s->set & PLATFORM_SET_GROUP)
        join_group(r, s->group.n ? group_find(p, s->group) : NULL);
    if (!err && s->set & PLATFORM_SET_SUBSCRIBE)
        merge(&r->subscribe, &s->subscribe, s->subscribe_kinds);
    return err;
}

static int apply(struct platform *p, struct device *d,
                 const struct platform_settings *s)
{
    int err = apply_rare(p, d, s);

    if (err)
        return err;
    if (s->set & (PLATFORM_SET_PASSWORD | PLATFORM_SET_GROUP))
        auth_forget(d);
    if (s->set & PLATFORM_SET_DATE)
        d->date = s->date & 3u;
    if (s->set & PLATFORM_SET_DIGEST)
        d->digest = s->digest;
    if (s->set & PLATFORM_SET_REQUIRE)
        d->ignores_require = s->ignore_require;
    if (s->set & PLATFORM_SET_ARM && d->arms != s->arm) {
        d->arms = s->arm;
        if (d->arms)
            subscriptions_guard(p, d);
    }
    if (s->set &
        (PLATFORM_SET_SUBSCRIBE | PLATFORM_SET_GROUP | PLATFORM_SET_ARM))
        subscriptions_policy(p, d);
    if (s->set & PLATFORM_SET_MEDIA)
        d->media = (uint8_t)s->media;
    if (s->set & PLATFORM_SET_EDITION) {
        d->edition_set = s->edition;
        if (s->edition)
            d->edition = (uint8_t)(s->edition - 1);
        if (s->edition && !d->charset_known)
            d->charset = d->edition == MANSCDP_2022 ? MANSCDP_GB18030
                                                    : MANSCDP_GB2312;
    }
    return 0;
}

int platform_device_set(struct platform *p, struct slice id,
                        const struct platform_settings *s, struct gb_time now)
{
    struct device *d = device_find(p, id);
    int err;

    clock_at(p, now);
    if (!d)
        return GB_ENOENT;
    if (!is_good(p, s))
        return GB_ESYNTAX;
    err = apply(p, d, s);
    device_changed(p, d, PLATFORM_CHANGED_SETTINGS | PLATFORM_CHANGED_INFO);
    return err;
}

int platform_device_create(struct platform *p, struct slice id,
                           const struct platform_settings *s,
                           struct gb_time now)
{
    struct device *d;
    int err;

    clock_at(p, now);
    if (!admit_is_id(id) || slice_eq(id, p->id) || !is_good(p, s))
        return GB_ESYNTAX;
    if (!admit_id_allowed(p, id))
        return GB_EAUTH;
    if (device_find(p, id))
        return GB_EEXIST;
    d = device_add(p, id);
    if (!d)
        return p->n_devices >= p->cfg.max_devices ? GB_ELIMIT : GB_ENOMEM;
    err = apply(p, d, s);
    if (err) {
        device_delete(p, d);
        return err;
    }
    pending_forget(p, id);
    device_changed(p, d, PLATFORM_CHANGED_SETTINGS | PLATFORM_CHANGED_INFO);
    return 0;
}

int platform_restore_settings(struct platform *p, struct slice id,
                              const struct platform_settings *s,
                              struct gb_time now)
{
    struct device *d = device_find(p, id);
    struct platform_settings known = *s;

    clock_at(p, now);
    if (!d)
        return GB_ENOENT;
    if (s->group.n && !group_find(p, s->group)) {
        known.set &= ~(unsigned)PLATFORM_SET_GROUP; /* it is gone: */
        device_changed(p, d, PLATFORM_CHANGED_SETTINGS); /* for the store, too */
    }
    return is_good(p, &known) ? apply(p, d, &known) : GB_ESYNTAX;
}

bool platform_device_settings(const struct platform *p, struct slice id,
                              struct platform_settings *out)
{
    const struct device *d = device_find(p, id);
    const struct rare *rare;

    if (!d)
        return false;
    rare = device_rare(d);
    *out = (struct platform_settings){
        .set = ~0u,
        .password = rare->password,
        .group = rare->group ? rare->group->name : slice_of(NULL, 0),
        .name = rare->given_name,
        .date = d->date,
        .edition = d->edition_set,
        .digest = d->digest,
        .ignore_require = d->ignores_require,
        .arm = d->arms,
        .media = d->media,
        .subscribe = rare->subscribe,
        .subscribe_kinds = (1u << PLATFORM_SUBSCRIPTION_KINDS) - 1,
    };
    return true;
}

/* ---- the unknown ---- */

int platform_pending_accept(struct platform *p, struct slice id,
                            struct gb_time now)
{
    const struct platform_settings none = { 0 };

    clock_at(p, now);
    return pending_has(p, id) ? platform_device_create(p, id, &none, now)
                              : GB_ENOENT;
}

int platform_pending_remove(struct platform *p, struct slice id,
                            struct gb_time now)
{
    clock_at(p, now);
    return pending_forget(p, id) ? 0 : GB_ENOENT;
}
