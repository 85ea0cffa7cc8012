/* Nodes lie in a hash map by id. When somebody looks and something has changed,
 * three passes over them make a table of edges (parent, child):
 *
 *     1. regions that are named and not listed are made up, with all above
 *        them; then each item's texts become edges to nodes that exist
 *     2. walking up from every node, an edge that closes a loop or lies deeper
 *        than TREE_MAX_DEPTH is struck out
 *     3. sorted by (parent, rank of the child, id), the children of a node are
 *        one range; the top is the range of the parent NULL
 *
 * All of it is O(n log n), for 10,000 items a few milliseconds; between changes
 * looking costs a search. */
#include "app/platform/tree.h"

#include "base/list.h"
#include "base/map.h"
#include "manscdp/catalog.h"

#include <stdlib.h>

enum { TEXT_ID, TEXT_PARENT, TEXT_CIVIL, TEXT_GROUP, TEXTS };
enum { NEW, OPEN, DONE }; /* of the walk */

struct node {
    struct map_node by_id; /* key: the id, in text */
    bool made_up;
    uint8_t kind, walk, depth;
    uint8_t len[TEXTS];
    uint32_t order;          /* its place among all, by id */
    uint32_t first_up, n_up; /* its edges, before they are sorted */
    char text[];
};

/* Bits: the views it belongs to. */
enum { IN_ALL = 1 << TREE_ALL, IN_REGION = 1 << TREE_REGION,
       IN_BUSINESS = 1 << TREE_BUSINESS, IN_DEVICE = 1 << TREE_DEVICE };

struct edge {
    struct node *parent, *child; /* parent NULL: the top */
    uint8_t views;               /* 0: struck out */
};

struct edges {
    struct edge *e;
    size_t n, cap;
};

struct tree {
    const struct gb_alloc *alloc;
    struct map nodes;
    size_t n_items;
    bool stale;
    struct edges up;   /* by child, as they were found */
    struct edges down; /* sorted by parent, the top too */
    struct tree_faults faults;
    struct slice root, platform, domain;
    char text[]; /* of the three */
};

/* ---- life -------------------------------------------------------------- */

static struct slice keep(char **at, struct slice s)
{
    struct slice copy = { *at, s.n };

    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

int tree_new(struct tree **out, const struct gb_alloc *alloc,
             const struct tree_roots *roots, const void *seed)
{
    struct tree *t = gb_get(alloc, sizeof(*t) + roots->device.n +
                                       roots->platform.n + roots->domain.n);
    char *at;

    if (!t)
        return GB_ENOMEM;
    t->alloc = alloc;
    if (map_init(&t->nodes, alloc, seed)) {
        gb_put(alloc, t);
        return GB_ENOMEM;
    }
    at = t->text;
    t->root = keep(&at, roots->device);
    t->platform = keep(&at, roots->platform);
    t->domain = keep(&at, roots->domain);
    t->stale = true;
    *out = t;
    return 0;
}

void tree_free(struct tree *t)
{
    struct map_walk w = { 0 };
    struct map_node *n;

    if (!t)
        return;
    while ((n = map_walk_next(&t->nodes, &w)))
        gb_put(t->alloc, container_of(n, struct node, by_id));
    map_fini(&t->nodes);
    gb_put(t->alloc, t->up.e);
    gb_put(t->alloc, t->down.e);
    gb_put(t->alloc, t);
}

/* ---- nodes ------------------------------------------------------------- */

static struct node *node_find(const struct tree *t, struct slice id)
{
    struct map_node *n = map_find(&t->nodes, id);

    return n ? container_of(n, struct node, by_id) : NULL;
}

static struct slice node_text(const struct node *n, unsigned which)
{
    size_t off = 0;

    for (unsigned i = 0; i < which; i++)
        off += n->len[i];
    return slice_of(n->text + off, n->len[which]);
}

static struct node *node_new(struct tree *t,
                             const struct slice text[static TEXTS])
{
    size_t n = 0;
    struct node *new;
    char *at;

    for (unsigned i = 0; i < TEXTS; i++)
        n += text[i].n;
    new = gb_get(t->alloc, sizeof(*new) + n);
    if (!new)
        return NULL;
    at = new->text;
    for (unsigned i = 0; i < TEXTS; i++) {
        new->len[i] = (uint8_t)text[i].n;
        keep(&at, text[i]);
    }
    new->kind = (uint8_t)manscdp_devid_kind(text[TEXT_ID]);
    map_insert(&t->nodes, &new->by_id, node_text(new, TEXT_ID));
    return new;
}

static void node_drop(struct tree *t, struct node *n)
{
    map_remove(&t->nodes, &n->by_id);
    gb_put(t->alloc, n);
}

static bool same_texts(const struct node *n,
                       const struct slice text[static TEXTS])
{
    for (unsigned i = 0; i < TEXTS; i++)
        if (!slice_eq(node_text(n, i), text[i]))
            return false;
    return true;
}

int tree_put(struct tree *t, const struct tree_item *it)
{
    const struct slice text[TEXTS] = {
        [TEXT_ID] = it->id,
        [TEXT_PARENT] = slice_head(it->parent, TREE_TEXT_MAX),
        [TEXT_CIVIL] = slice_head(it->civil_code, TREE_TEXT_MAX),
        [TEXT_GROUP] = slice_head(it->business_group, TREE_TEXT_MAX),
    };
    struct node *old = node_find(t, it->id);

    if (!manscdp_devid_is_usable(it->id))
        return GB_ESYNTAX;
    if (old && !old->made_up && same_texts(old, text))
        return 0;
    if (!node_new(t, text))
        return GB_ENOMEM;
    if (!old || old->made_up)
        t->n_items++;
    if (old)
        node_drop(t, old);
    t->stale = true;
    return 0;
}

void tree_remove(struct tree *t, struct slice id)
{
    struct node *n = node_find(t, id);

    if (!n || n->made_up)
        return;
    node_drop(t, n);
    t->n_items--;
    t->stale = true;
}

size_t tree_count(const struct tree *t)
{
    return t->n_items;
}

/* ---- pass 1: edges ----------------------------------------------------- */

static int edge_add(struct tree *t, struct edges *l, struct node *parent,
                    struct node *child, uint8_t views)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct edge *more = gb_get(t->alloc, cap * sizeof(*more));

        if (!more)
            return GB_ENOMEM;
        if (l->n)
            memcpy(more, l->e, l->n * sizeof(*more));
        gb_put(t->alloc, l->e);
        l->e = more;
        l->cap = cap;
    }
    l->e[l->n++] = (struct edge){ parent, child, views };
    return 0;
}

/* Another edge of the node whose edges are being found: no parent twice. */
static int link_up(struct tree *t, struct node *n, struct node *parent,
                   uint8_t views)
{
    int err;

    for (size_t i = n->first_up; i < n->first_up + n->n_up; i++) {
        if (t->up.e[i].parent == parent) {
            t->up.e[i].views |= views;
            return 0;
        }
    }
    if (n->n_up >= TREE_MAX_PARENTS)
        return 0;
    err = edge_add(t, &t->up, parent, n, views);
    n->n_up += !err;
    return err;
}

/* The region of a code without "00" at its end; a list may write these. A listed
 * one goes before one that is made up. */
static struct node *region_find(const struct tree *t, struct slice code)
{
    char padded[MANSCDP_CIVIL_CODE_MAX] = "00000000";
    struct node *n;

    memcpy(padded, code.p, code.n);
    for (size_t len = code.n; len <= sizeof(padded); len += 2)
        if ((n = node_find(t, slice_of(padded, len))) && !n->made_up)
            return n;
    return node_find(t, code);
}

static bool is_root(const struct tree *t, struct slice id)
{
    return slice_eq(id, t->root) || slice_eq(id, t->platform) ||
           slice_eq(id, t->domain);
}

static uint8_t views_of(enum manscdp_kind kind)
{
    switch (kind) {
    case MANSCDP_KIND_GROUP:
    case MANSCDP_KIND_ORG:
        return IN_ALL | IN_BUSINESS;
    case MANSCDP_KIND_REGION:
        return IN_ALL | IN_REGION;
    case MANSCDP_KIND_UNKNOWN:
    case MANSCDP_KIND_SYSTEM:
    case MANSCDP_KIND_DEVICE:
    case MANSCDP_KIND_CHANNEL:
    case MANSCDP_KIND_ALARM:
    case MANSCDP_KIND_AUDIO:
        break;
    }
    return IN_ALL | IN_DEVICE;
}

/* One component of a ParentID. */
static int link_parent(struct tree *t, struct node *n, struct slice id)
{
    struct node *parent;

    if (slice_eq(id, node_text(n, TEXT_ID))) {
        t->faults.self++; /* field-note 4.6 */
        return 0;
    }
    parent = node_find(t, id);
    if (is_root(t, id) && (!parent || parent->kind == MANSCDP_KIND_REGION))
        return 0;
    if (slice_eq(id, t->root))
        return 0; /* the device lists itself: it is the top all the same */
    if (parent && n->kind == MANSCDP_KIND_GROUP &&
        views_of(parent->kind) & IN_BUSINESS)
        return 0; /* groups lie in no group and no organisation */
    if (parent && !parent->made_up)
        return link_up(t, n, parent, views_of(parent->kind));
    switch (manscdp_devid_kind(id)) {
    case MANSCDP_KIND_SYSTEM: /* an upper one that is not in this list */
    case MANSCDP_KIND_REGION: /* as a civil code, below */
        return 0;
    case MANSCDP_KIND_UNKNOWN:
    case MANSCDP_KIND_GROUP:
    case MANSCDP_KIND_ORG:
    case MANSCDP_KIND_DEVICE:
    case MANSCDP_KIND_CHANNEL:
    case MANSCDP_KIND_ALARM:
    case MANSCDP_KIND_AUDIO:
        break;
    }
    t->faults.unknown++;
    return 0;
}

/* An organisation inside another one belongs to its group through that; a
 * group has no group above it. */
static int link_group(struct tree *t, struct node *n)
{
    struct slice id = slice_trim(node_text(n, TEXT_GROUP));
    struct node *group = id.n ? node_find(t, id) : NULL;

    if (!id.n || n->kind == MANSCDP_KIND_GROUP || group == n)
        return 0;
    for (size_t i = n->first_up; i < n->first_up + n->n_up; i++)
        if (t->up.e[i].parent->kind == MANSCDP_KIND_ORG)
            return 0;
    if (group && !group->made_up)
        return link_up(t, n, group, IN_ALL | IN_BUSINESS);
    t->faults.unknown++;
    return 0;
}

/* The region that a node says, or a ParentID that is one; and platforms that
 * write the parent's id there. */
static int link_region(struct tree *t, struct node *n, struct slice text)
{
    struct slice code = manscdp_civil_code(text);
    struct node *parent = text.n > MANSCDP_CIVIL_CODE_MAX ? node_find(t, text)
                                                         : NULL;

    if (parent) /* a node's id is no region, see make_regions */
        return parent == n || n->n_up || slice_eq(text, t->root)
                   ? 0
                   : link_up(t, n, parent, views_of(parent->kind));
    parent = code.n ? region_find(t, code) : NULL;
    if (!parent)
        return 0;
    /* beside ParentID it is a place, not an arrangement */
    return link_up(t, n, parent,
                   n->n_up == 0 || n->kind == MANSCDP_KIND_GROUP ||
                           n->kind == MANSCDP_KIND_SYSTEM
                       ? IN_ALL | IN_REGION
                       : IN_REGION);
}

static int link_code(struct tree *t, struct node *n)
{
    struct slice code = manscdp_civil_code(node_text(n, TEXT_ID));
    struct slice above = manscdp_civil_parent(code);
    struct node *parent;

    parent = above.n ? region_find(t, above) : NULL;
    return parent ? link_up(t, n, parent, IN_ALL | IN_REGION) : 0;
}

/* The device's item about itself is the top, not something in it. */
static bool is_top(const struct tree *t, const struct node *n)
{
    return n->kind != MANSCDP_KIND_CHANNEL && slice_eq(map_key(&n->by_id), t->root);
}

/* Where it says that it is: by CivilCode, else by a region in ParentID. */
static struct slice place_of(const struct node *n)
{
    struct slice rest = node_text(n, TEXT_PARENT), id, place = { NULL, 0 };

    if (node_text(n, TEXT_CIVIL).n)
        return slice_trim(node_text(n, TEXT_CIVIL));
    while (manscdp_parent_next(&rest, &id))
        if (manscdp_devid_kind(id) == MANSCDP_KIND_REGION)
            place = id;
    return place;
}

static int link_node(struct tree *t, struct node *n)
{
    struct slice rest = node_text(n, TEXT_PARENT), id, place = place_of(n);
    int err = 0;

    n->first_up = (uint32_t)t->up.n;
    n->n_up = 0;
    if (is_top(t, n))
        return 0;
    if (n->kind == MANSCDP_KIND_REGION)
        return link_code(t, n); /* its ParentID says nothing else */
    while (!err && manscdp_parent_next(&rest, &id))
        err = link_parent(t, n, id);
    if (!err)
        err = link_group(t, n);
    return err || !place.n ? err : link_region(t, n, place);
}

static void forget_made_up(struct tree *t)
{
    struct map_walk w = { 0 };
    struct map_node *m;

    while ((m = map_walk_next(&t->nodes, &w))) {
        struct node *n = container_of(m, struct node, by_id);

        n->walk = NEW;
        n->n_up = n->first_up = 0;
        if (n->made_up)
            node_drop(t, n);
    }
}

static int by_id(const void *a, const void *b)
{
    const struct node *x = *(struct node *const *)a;
    const struct node *y = *(struct node *const *)b;

    return slice_cmp(map_key(&x->by_id), map_key(&y->by_id));
}

/* All nodes that there are now, in *all; the caller frees it. */
static int list_nodes(struct tree *t, struct node ***all, size_t *n)
{
    struct map_walk w = { 0 };
    struct map_node *m;

    *n = 0;
    *all = gb_get(t->alloc, (t->nodes.n + 1) * sizeof(**all));
    if (!*all)
        return GB_ENOMEM;
    while ((m = map_walk_next(&t->nodes, &w)))
        (*all)[(*n)++] = container_of(m, struct node, by_id);
    return 0;
}

/* The region and all above it, as far as nobody lists them. */
static int make_region(struct tree *t, struct slice code)
{
    for (; code.n && !region_find(t, code); code = manscdp_civil_parent(code)) {
        const struct slice text[TEXTS] = { code };
        struct node *n = node_new(t, text);

        if (!n)
            return GB_ENOMEM;
        n->made_up = true;
    }
    return 0;
}

/* What link_region and link_code will look for. */
static int make_regions(struct tree *t, struct node *n)
{
    struct slice place = place_of(n);

    if (n->kind == MANSCDP_KIND_REGION)
        return make_region(t, manscdp_civil_parent(manscdp_civil_code(
                                  node_text(n, TEXT_ID))));
    if (is_top(t, n) ||
        (place.n > MANSCDP_CIVIL_CODE_MAX && node_find(t, place)))
        return 0;
    return make_region(t, manscdp_civil_code(place));
}

/* In the order of the ids, so that the same items give the same tree in
 * whatever order they came. */
static int link_all(struct tree *t)
{
    struct node **all;
    size_t n;
    int err = list_nodes(t, &all, &n);

    for (size_t i = 0; !err && i < n; i++)
        err = make_regions(t, all[i]);
    gb_put(t->alloc, all);
    if (!err)
        err = list_nodes(t, &all, &n); /* with those made up */
    if (err)
        return err;
    qsort(all, n, sizeof(*all), by_id);
    for (size_t i = 0; i < n && !err; i++) {
        all[i]->order = (uint32_t)i;
        err = link_node(t, all[i]);
    }
    gb_put(t->alloc, all);
    return err;
}

/* ---- pass 2: loops ----------------------------------------------------- */

/* Strikes out what closes a loop or lies too deep. level: nodes below it on
 * this walk. */
static void walk_up(struct tree *t, struct node *n, unsigned level)
{
    n->walk = OPEN;
    n->depth = 1;
    for (size_t i = n->first_up; i < n->first_up + n->n_up; i++) {
        struct edge *e = &t->up.e[i];
        struct node *p = e->parent;

        if (p->walk == NEW && level < TREE_MAX_DEPTH)
            walk_up(t, p, level + 1);
        if (p->walk == OPEN) {
            t->faults.loops++;
            e->views = 0;
        } else if (p->walk == NEW || p->depth >= TREE_MAX_DEPTH) {
            t->faults.deep++;
            e->views = 0;
        } else if (p->depth >= n->depth) {
            n->depth = (uint8_t)(p->depth + 1);
        }
    }
    n->walk = DONE;
}

/* ---- pass 3: children -------------------------------------------------- */

static unsigned rank(const struct node *n)
{
    static const uint8_t order[] = {
        [MANSCDP_KIND_REGION] = 0, [MANSCDP_KIND_SYSTEM] = 1,
        [MANSCDP_KIND_GROUP] = 2,  [MANSCDP_KIND_ORG] = 3,
        [MANSCDP_KIND_DEVICE] = 4, [MANSCDP_KIND_UNKNOWN] = 5,
        [MANSCDP_KIND_CHANNEL] = 6, [MANSCDP_KIND_ALARM] = 7,
        [MANSCDP_KIND_AUDIO] = 8,
    };

    return order[n->kind];
}

static int cmp(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* The top goes first. */
static int cmp_parent(const struct node *a, const struct node *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return cmp(a->order, b->order);
}

static int by_parent(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    int c = cmp_parent(x->parent, y->parent);

    if (c)
        return c;
    c = cmp(rank(x->child), rank(y->child));
    return c ? c : cmp(x->child->order, y->child->order);
}

/* The views in which the node is somewhere. A region that was made up is for
 * the region view, and for what has no other place. */
static uint8_t belongs(const struct tree *t, const struct node *n)
{
    uint8_t views = n->made_up ? IN_REGION : views_of(n->kind);

    for (size_t i = n->first_up; i < n->first_up + n->n_up; i++)
        views |= t->up.e[i].views;
    return views;
}

/* An organisation whose place inside another one has been struck out falls back
 * to its group, unless that could hang below it. NULL: it is at the top. */
static struct node *fall_back(const struct tree *t, const struct node *n)
{
    struct node *g = node_find(t, slice_trim(node_text(n, TEXT_GROUP)));

    if (n->kind != MANSCDP_KIND_ORG || !g || g->kind != MANSCDP_KIND_GROUP)
        return NULL;
    for (size_t i = g->first_up; i < g->first_up + g->n_up; i++)
        if (t->up.e[i].views &&
            t->up.e[i].parent->kind != MANSCDP_KIND_REGION)
            return NULL;
    return g;
}

static int find_children(struct tree *t)
{
    struct map_walk w = { 0 };
    struct map_node *m;
    int err = 0;

    while (!err && (m = map_walk_next(&t->nodes, &w))) {
        struct node *n = container_of(m, struct node, by_id);
        uint8_t top = belongs(t, n);

        for (size_t i = n->first_up; i < n->first_up + n->n_up && !err; i++) {
            const struct edge *e = &t->up.e[i];

            top &= (uint8_t)~e->views;
            if (e->views)
                err = edge_add(t, &t->down, e->parent, n, e->views);
        }
        if (!err && top && !is_top(t, n))
            err = edge_add(t, &t->down,
                           top & IN_BUSINESS ? fall_back(t, n) : NULL, n, top);
    }
    if (!err && t->down.n)
        qsort(t->down.e, t->down.n, sizeof(*t->down.e), by_parent);
    return err;
}

/* It, or a region above it, is in the list. */
static bool is_listed(const struct tree *t, const struct node *n)
{
    while (n->made_up && n->n_up)
        n = t->up.e[n->first_up].parent;
    return !n->made_up;
}

/* Edges that lead to regions made up are no arrangement of the sender's: in
 * TREE_ALL the node is at the top instead. */
static void hide_made_up(struct tree *t)
{
    for (size_t i = 0; i < t->up.n; i++)
        if (!is_listed(t, t->up.e[i].parent))
            t->up.e[i].views &= (uint8_t)~IN_ALL;
}

static int resolve(struct tree *t)
{
    int err;

    if (!t->stale)
        return 0;
    t->up.n = t->down.n = 0;
    t->faults = (struct tree_faults){ 0 };
    forget_made_up(t);
    err = link_all(t);
    if (err)
        return err;
    hide_made_up(t);
    for (size_t i = 0; i < t->up.n; i++)
        if (t->up.e[i].child->walk == NEW)
            walk_up(t, t->up.e[i].child, 1);
    err = find_children(t);
    t->stale = err != 0;
    return err;
}

/* ---- looking ----------------------------------------------------------- */

/* The first edge of a parent in the sorted table. */
static size_t first_of(const struct tree *t, const struct node *parent)
{
    size_t lo = 0, hi = t->down.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (cmp_parent(t->down.e[mid].parent, parent) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static size_t count_children(const struct tree *t, enum tree_view view,
                             const struct node *n)
{
    size_t count = 0;

    for (size_t i = first_of(t, n); i < t->down.n && t->down.e[i].parent == n;
         i++)
        count += t->down.e[i].views >> view & 1;
    return count;
}

static void view_node(const struct tree *t, enum tree_view view,
                      const struct node *n, struct tree_node *out)
{
    *out = (struct tree_node){ .id = map_key(&n->by_id),
                               .kind = (enum manscdp_kind)n->kind,
                               .made_up = n->made_up,
                               .n_children = count_children(t, view, n) };
}

int tree_child(struct tree *t, enum tree_view view, struct slice parent,
               size_t *pos, struct tree_node *out)
{
    const struct node *p = NULL;
    const struct edge *e;
    size_t first;
    int err = resolve(t);

    if (err)
        return err;
    if (parent.n && !slice_eq(parent, t->root) && !(p = node_find(t, parent)))
        return GB_ENOENT;
    first = first_of(t, p);
    while (*pos < t->down.n - first &&
           (e = &t->down.e[first + *pos])->parent == p) {
        ++*pos;
        if (!(e->views >> view & 1))
            continue;
        view_node(t, view, e->child, out);
        return 0;
    }
    return GB_ENOENT;
}

int tree_find(struct tree *t, enum tree_view view, struct slice id,
              struct tree_node *out)
{
    const struct node *n;
    int err = resolve(t);

    if (err)
        return err;
    n = node_find(t, id);
    if (!n)
        return GB_ENOENT;
    view_node(t, view, n, out);
    return 0;
}

int tree_parent(struct tree *t, enum tree_view view, struct slice id, size_t i,
                struct slice *out)
{
    const struct node *n;
    int err = resolve(t);

    if (err)
        return err;
    n = node_find(t, id);
    for (size_t k = n ? n->first_up : 0; n && k < n->first_up + n->n_up; k++) {
        if (!(t->up.e[k].views >> view & 1) || i-- > 0)
            continue;
        *out = map_key(&t->up.e[k].parent->by_id);
        return 0;
    }
    return GB_ENOENT;
}

int tree_faults(struct tree *t, struct tree_faults *out)
{
    int err = resolve(t);

    *out = t->faults;
    return err;
}

/* ---- names ------------------------------------------------------------- */

struct slice tree_province(struct slice code)
{
    static const struct {
        char code[3];
        const char *name;
    } names[] = {
        { "11", "北京市" }, { "12", "天津市" }, { "13", "河北省" },
        { "14", "山西省" }, { "15", "内蒙古自治区" }, { "21", "辽宁省" },
        { "22", "吉林省" }, { "23", "黑龙江省" }, { "31", "上海市" },
        { "32", "江苏省" }, { "33", "浙江省" }, { "34", "安徽省" },
        { "35", "福建省" }, { "36", "江西省" }, { "37", "山东省" },
        { "41", "河南省" }, { "42", "湖北省" }, { "43", "湖南省" },
        { "44", "广东省" }, { "45", "广西壮族自治区" }, { "46", "海南省" },
        { "50", "重庆市" }, { "51", "四川省" }, { "52", "贵州省" },
        { "53", "云南省" }, { "54", "西藏自治区" }, { "61", "陕西省" },
        { "62", "甘肃省" }, { "63", "青海省" }, { "64", "宁夏回族自治区" },
        { "65", "新疆维吾尔自治区" }, { "71", "台湾省" },
        { "81", "香港特别行政区" }, { "82", "澳门特别行政区" },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_eq(code, slice_of(names[i].code, 2)))
            return slice_str(names[i].name);
    return slice_of(NULL, 0);
}
