#include "app/platform/rules.h"

#include <string.h>

struct kept {
    struct rule_view v; /* its texts are in text */
    uint64_t id;
    char why[RULES_WHY_MAX];
    char text[];
};

struct place {
    uint64_t key;
    uint64_t at_ms;
};

struct rules {
    const struct gb_alloc *alloc;
    const struct platform *platform;
    struct kept *one[RULES_MAX]; /* in order of names */
    size_t n;
    uint64_t last_id;
    struct place *place; /* RULES_PLACES; NULL: nothing was followed yet */
    uint64_t full_ms; /* when RULES_BURST could be followed at once */
};

int rules_new(struct rules **out, const struct gb_alloc *alloc,
              const struct platform *p)
{
    struct rules *r = gb_get(alloc, sizeof(*r));

    if (!r)
        return GB_ENOMEM;
    r->alloc = alloc;
    r->platform = p;
    *out = r;
    return 0;
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        gb_put(r->alloc, r->one[i]);
    gb_put(r->alloc, r->place);
    gb_put(r->alloc, r);
}

/* ---- the table ------------------------------------------------------------- */

#define RULE_TEXTS 8

static void texts_of(struct rule *v, struct slice *out[static RULE_TEXTS])
{
    struct slice *const all[RULE_TEXTS] = {
        &v->when.device, &v->when.group, &v->when.channel, &v->when.method,
        &v->when.type, &v->at.device, &v->at.channel, &v->webhook,
    };

    memcpy(out, all, sizeof(all));
}

/* Visible, and nothing that ends a line. */
static bool is_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    return s.n <= RULES_VALUE_MAX;
}

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !ascii_is_digit(c) &&
            c != '-' && c != '_' && c != '.')
            return false;
    }
    return s.n > 0 && s.n <= RULES_NAME_MAX;
}

static bool is_valid(const struct rule *v)
{
    struct rule copy = *v;
    struct slice *text[RULE_TEXTS];

    texts_of(&copy, text);
    for (size_t i = 0; i < RULE_TEXTS; i++)
        if (!is_text(*text[i]))
            return false;
    return is_name(v->name) && (!v->webhook.n || is_name(v->webhook)) &&
           v->every_s <= RULES_EVERY_MAX_S &&
           v->record_s <= RULES_RECORD_MAX_S && v->preset <= 255 &&
           (v->record_s || v->preset || v->snapshot || v->webhook.n);
}

/* Where it is, or would be. */
static size_t find(const struct rules *r, struct slice name, bool *found)
{
    size_t i = 0;

    while (i < r->n && slice_cmp(r->one[i]->v.rule.name, name) < 0)
        i++;
    *found = i < r->n && slice_eq(r->one[i]->v.rule.name, name);
    return i;
}

static void put_text(struct slice *s, char *text, size_t *at)
{
    if (s->n)
        memcpy(text + *at, s->p, s->n);
    s->p = text + *at;
    *at += s->n;
}

static struct kept *kept_new(const struct rules *r, const struct rule *v)
{
    struct rule copy = *v;
    struct slice *text[RULE_TEXTS];
    size_t n = v->name.n, at = 0;
    struct kept *k;

    texts_of(&copy, text);
    for (size_t i = 0; i < RULE_TEXTS; i++)
        n += text[i]->n;
    k = gb_get(r->alloc, sizeof(*k) + n + 1);
    if (!k)
        return NULL;
    k->v.rule = *v;
    put_text(&k->v.rule.name, k->text, &at);
    texts_of(&k->v.rule, text);
    for (size_t i = 0; i < RULE_TEXTS; i++)
        put_text(text[i], k->text, &at);
    if (!k->v.rule.every_s)
        k->v.rule.every_s = RULES_EVERY_S;
    k->v.why = k->why;
    return k;
}

int rules_set(struct rules *r, const struct rule *v)
{
    struct kept *k;
    bool found;
    size_t i;

    if (!is_valid(v))
        return GB_ESYNTAX;
    i = find(r, v->name, &found);
    if (!found && r->n == RULES_MAX)
        return GB_ELIMIT;
    if (!r->place)
        r->place = gb_get(r->alloc, RULES_PLACES * sizeof(*r->place));
    k = r->place ? kept_new(r, v) : NULL;
    if (!k)
        return GB_ENOMEM;
    k->id = ++r->last_id; /* what it was followed for before is forgotten */
    if (found) {
        gb_put(r->alloc, r->one[i]);
    } else {
        memmove(r->one + i + 1, r->one + i, (r->n - i) * sizeof(*r->one));
        r->n++;
    }
    r->one[i] = k;
    return 0;
}

int rules_remove(struct rules *r, struct slice name)
{
    bool found;
    size_t i = find(r, name, &found);

    if (!found)
        return GB_ENOENT;
    gb_put(r->alloc, r->one[i]);
    r->n--;
    memmove(r->one + i, r->one + i + 1, (r->n - i) * sizeof(*r->one));
    return 0;
}

bool rules_view(const struct rules *r, struct slice name,
                struct rule_view *out)
{
    bool found;
    size_t i = find(r, name, &found);

    if (found)
        *out = r->one[i]->v;
    return found;
}

bool rules_after(const struct rules *r, struct slice after,
                 struct rule_view *out)
{
    bool found;
    size_t i = find(r, after, &found);

    i += found;
    if (i >= r->n)
        return false;
    *out = r->one[i]->v;
    return true;
}

/* ---- as they are stored ------------------------------------------------------ */

static const char *const text_keys[RULE_TEXTS] = {
    "device", "group", "channel", "method", "type", "at_device", "at_channel",
    "webhook",
};

static const struct {
    const char *key;
    size_t at;
} numbers[] = {
    { "priority", offsetof(struct rule, when.priority) },
    { "every_s", offsetof(struct rule, every_s) },
    { "record_s", offsetof(struct rule, record_s) },
    { "preset", offsetof(struct rule, preset) },
};

void rules_write(struct writer *w, const struct rule *v)
{
    struct rule copy = *v;
    struct slice *text[RULE_TEXTS];
    uint32_t n;

    texts_of(&copy, text);
    for (size_t i = 0; i < RULE_TEXTS; i++)
        if (text[i]->n)
            writer_f(w, "%s=%.*s\n", text_keys[i], SLICE_ARG(*text[i]));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        memcpy(&n, (const char *)v + numbers[i].at, sizeof(n));
        if (n)
            writer_f(w, "%s=%u\n", numbers[i].key, (unsigned)n);
    }
    if (v->snapshot)
        writer_str(w, "snapshot=1\n");
    if (v->off)
        writer_str(w, "off=1\n");
}

static bool read_line(struct rule *v, struct slice key, struct slice value)
{
    struct slice *text[RULE_TEXTS];
    uint32_t n;

    texts_of(v, text);
    for (size_t i = 0; i < RULE_TEXTS; i++)
        if (slice_eq(key, slice_str(text_keys[i]))) {
            *text[i] = value;
            return true;
        }
    if (!slice_u32(value, UINT32_MAX, &n))
        return false;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (slice_eq(key, slice_str(numbers[i].key))) {
            memcpy((char *)v + numbers[i].at, &n, sizeof(n));
            return true;
        }
    if (slice_eq(key, SLICE("snapshot")))
        v->snapshot = n != 0;
    else if (slice_eq(key, SLICE("off")))
        v->off = n != 0;
    else
        return false;
    return true;
}

int rules_read(struct rule *out, struct slice name, struct slice lines)
{
    struct rule v = { .name = name };
    struct slice line, key;

    while (lines.n) {
        slice_cut(&lines, '\n', &line);
        if (!slice_cut(&line, '=', &key) || !read_line(&v, key, line))
            return GB_ESYNTAX;
    }
    *out = v;
    return 0;
}

/* ---- an alarm ------------------------------------------------------------------ */

static bool fits(struct slice wanted, struct slice got)
{
    return wanted.n == 0 || slice_eq(wanted, got);
}

static bool is_for(const struct rules *r, const struct rule *v,
                   const struct platform_alarm *a)
{
    struct platform_device d;
    uint32_t priority;

    if (v->off || !fits(v->when.device, a->device) ||
        !fits(v->when.channel, a->channel) ||
        !fits(v->when.method, a->method) || !fits(v->when.type, a->type))
        return false;
    if (v->when.priority && (!slice_u32(a->priority, UINT32_MAX, &priority) ||
                             priority > v->when.priority))
        return false;
    return v->when.group.n == 0 ||
           (platform_device_view(r->platform, a->device, &d) &&
            slice_eq(d.group, v->when.group));
}

static uint64_t mix(uint64_t h, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return (h ^ 0xff) * 0x100000001b3u;
}

/* Has it been followed for this place a moment ago? If not, it is now. */
static bool is_early(struct rules *r, const struct kept *k,
                     const struct platform_alarm *a, struct gb_time now)
{
    uint64_t key = mix(mix(0xcbf29ce484222325u ^ k->id, a->device),
                       a->channel);
    struct place *p = &r->place[(key ^ key >> 32) % RULES_PLACES];

    if (p->key == key && p->at_ms &&
        now.mono_ms - p->at_ms < k->v.rule.every_s * 1000ull)
        return true;
    *p = (struct place){ .key = key, .at_ms = now.mono_ms ? now.mono_ms : 1 };
    return false;
}

/* A bucket of RULES_BURST, by the time at which it is full again. */
static bool take(struct rules *r, uint64_t now_ms)
{
    const uint64_t cost_ms = 1000 / RULES_RATE;
    uint64_t from = r->full_ms > now_ms ? r->full_ms : now_ms;

    if (from + cost_ms - now_ms > RULES_BURST * cost_ms)
        return false;
    r->full_ms = from + cost_ms;
    return true;
}

static bool follows(struct rules *r, struct kept *k,
                    const struct platform_alarm *a, struct gb_time now)
{
    if (!is_for(r, &k->v.rule, a))
        return false;
    if (is_early(r, k, a, now) || !take(r, now.mono_ms)) {
        k->v.held_back++;
        return false;
    }
    k->v.followed++;
    k->v.followed_utc_ms = now.utc_ms;
    return true;
}

static bool has(const struct rule *v, unsigned action)
{
    switch ((enum rules_action)action) {
    case RULES_RECORD:
        return v->record_s != 0;
    case RULES_PRESET:
        return v->preset != 0;
    case RULES_SNAPSHOT:
        return v->snapshot;
    case RULES_WEBHOOK:
        return v->webhook.n != 0;
    case RULES_ACTIONS:
        break;
    }
    return false;
}

bool rules_next(struct rules *r, struct rules_walk *walk,
                const struct platform_alarm *alarm, struct gb_time now,
                struct rules_due *out)
{
    for (; walk->at < r->n; walk->at++, walk->action = 0) {
        struct kept *k = r->one[walk->at];
        const struct rule *v = &k->v.rule;

        if (walk->action == 0)
            walk->follows = follows(r, k, alarm, now);
        while (walk->follows && walk->action < RULES_ACTIONS) {
            unsigned action = walk->action++;

            if (!has(v, action))
                continue;
            *out = (struct rules_due){
                .rule = v->name,
                .action = (enum rules_action)action,
                .device = v->at.device.n ? v->at.device : alarm->device,
                .channel = v->at.channel.n ? v->at.channel : alarm->channel,
                .record_s = v->record_s,
                .preset = v->preset,
                .webhook = v->webhook,
            };
            return true;
        }
    }
    return false;
}

void rules_told(struct rules *r, struct slice rule, const char *why)
{
    bool found;
    size_t i = find(r, rule, &found);

    if (!found || !why)
        return;
    r->one[i]->v.failed++;
    slice_copy(r->one[i]->why, RULES_WHY_MAX,
               slice_head(slice_str(why), RULES_WHY_MAX - 1));
}
