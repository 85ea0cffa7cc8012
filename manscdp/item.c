#include "manscdp/item.h"

enum {
#define X(member, element, place, editions) FIELD_##member,
    MANSCDP_ITEM_MAP(X)
#undef X
    N_FIELDS
};

static struct slice *slot_at(struct manscdp_item *it, size_t off)
{
    return (struct slice *)(void *)((char *)it + off);
}

static struct slice *slot_of(struct manscdp_item *it, size_t i)
{
    size_t n;

    return slot_at(it, manscdp_item_fields(&n)[i].off);
}

/* 2022 moved BusinessGroupID from Info to Item. */
static void join_groups(struct manscdp_item *it)
{
    if (!it->business_group_id.n)
        it->business_group_id = it->info_business_group_id;
    else if (!it->info_business_group_id.n)
        it->info_business_group_id = it->business_group_id;
}

/* ---- from the tree ---- */

/* An item while it is read. */
struct reading {
    struct manscdp_item *it;
    struct arena *a;
    size_t hint; /* fields come in the order of the table */
    struct manscdp_extra extra[MANSCDP_MAX_EXTRAS];
    size_t n_extras;
    bool full; /* the arena is */
};

/* The field of that name at that place; an Info field may also stand in Item
 * itself. N_FIELDS: none. hint: where to begin to look. */
static size_t field_of(size_t hint, struct slice name,
                       enum manscdp_place place)
{
    size_t n, other = N_FIELDS;
    const struct manscdp_item_field *fields = manscdp_item_fields(&n);

    for (size_t k = 0; k < N_FIELDS; k++) {
        size_t i = hint + k < N_FIELDS ? hint + k : hint + k - N_FIELDS;

        if (fields[i].element.n != name.n ||
            !slice_ieq(fields[i].element, name))
            continue;
        if (fields[i].place == place)
            return i;
        other = i;
    }
    return other;
}

static bool join(struct arena *a, struct slice prefix, struct slice name,
                 struct slice *out)
{
    struct writer w;
    char *p;

    if (!prefix.n) {
        *out = name;
        return true;
    }
    p = arena_alloc(a, prefix.n + name.n + 1);
    if (!p)
        return false;
    w = writer_of(p, prefix.n + name.n + 1);
    writer_slice_put(&w, prefix);
    writer_char(&w, '/');
    writer_slice_put(&w, name);
    *out = writer_slice(&w);
    return true;
}

/* An unknown element with all that is below it. Depth is the document's. */
static void keep_extra(struct reading *r, struct slice prefix,
                       const struct xml_node *node)
{
    struct slice path;

    if (r->full || r->n_extras == MANSCDP_MAX_EXTRAS ||
        (!node->text.n && !node->child))
        return;
    if (!join(r->a, prefix, node->name, &path)) {
        r->full = true;
        return;
    }
    if (node->text.n)
        r->extra[r->n_extras++] =
            (struct manscdp_extra){ path, node->text };
    for (const struct xml_node *c = node->child; c; c = c->next)
        keep_extra(r, path, c);
}

static void read_children(struct reading *r, const struct xml_node *node,
                          enum manscdp_place place)
{
    struct slice prefix =
        place == MANSCDP_IN_INFO ? SLICE("Info") : slice_of(NULL, 0);

    for (const struct xml_node *c = node->child; c; c = c->next) {
        size_t i;

        if (place == MANSCDP_IN_ITEM && slice_ieq(c->name, SLICE("Info"))) {
            read_children(r, c, MANSCDP_IN_INFO);
            if (c->text.n)
                keep_extra(r, prefix, &(struct xml_node){ .name = c->name,
                                                          .text = c->text });
            continue;
        }
        if (place == MANSCDP_IN_ITEM && slice_ieq(c->name, SLICE("Event"))) {
            r->it->event = manscdp_event_by_name(c->text);
            continue;
        }
        i = field_of(r->hint, c->name, place);
        if (i == N_FIELDS || c->child) {
            keep_extra(r, prefix, c);
            continue;
        }
        if (!slot_of(r->it, i)->n)
            *slot_of(r->it, i) = c->text;
        r->hint = i + 1;
    }
}

static bool store_extras(struct reading *r)
{
    struct manscdp_extra *extra;

    if (!r->n_extras)
        return true;
    extra = arena_alloc(r->a, r->n_extras * sizeof(*extra));
    if (!extra)
        return false;
    memcpy(extra, r->extra, r->n_extras * sizeof(*extra));
    r->it->extra = extra;
    r->it->n_extras = r->n_extras;
    return true;
}

void manscdp_item_read(struct manscdp_item *it, const struct xml_node *node,
                       struct arena *a)
{
    struct reading r;

    *it = (struct manscdp_item){ 0 };
    r.it = it;
    r.a = a;
    r.hint = r.n_extras = 0;
    r.full = false;
    read_children(&r, node, MANSCDP_IN_ITEM);
    store_extras(&r);
    join_groups(it);
}

/* ---- from the bytes ---- */

enum kind {
    IS_FIELD,
    IS_EXTRA,
    IS_EVENT,
    IS_EMPTY, /* <Block/> */
    IS_INFO,
    IS_INFO_END,
    IS_ITEM_END
};

#define KEY_IN_INFO 0x80u
#define SHORT_TAG 16  /* bytes of a tag, and */
#define SHORT_TEXT 32 /* of a text, that are read without a loop */

/* An item while it is taken. */
struct taking {
    struct marks *m;
    struct manscdp_items *list;
    struct manscdp_item *it;
    unsigned at; /* of the tags that were met before */
    bool in_info;
    unsigned n_extras;
    struct manscdp_extra extra[MANSCDP_MAX_EXTRAS];
};

static bool is_at(const char *p, const char *end, struct slice text)
{
    return (size_t)(end - p) >= text.n && memcmp(p, text.p, text.n) == 0;
}

/* The tag behind the '<' at p is that of g. */
static bool is_start(const char *p, const char *end,
                     const struct manscdp_guess *g)
{
    return is_at(p + 1, end, slice_of(g->text + 1, g->n - 1u));
}

static void keep_guess(struct manscdp_guess *g, struct slice tag,
                       enum kind kind)
{
    g->text[0] = '/';
    memcpy(g->text + 1, tag.p, tag.n);
    g->n = (uint8_t)(tag.n + 1);
    g->mask = (uint32_t)((1ull << g->n) - 1);
    g->kind = (uint8_t)kind;
}

/* A start tag of that name: what its leaf means. */
static bool learn_leaf(struct taking *t, struct manscdp_guess *g,
                       struct slice name)
{
    enum manscdp_place place = t->in_info ? MANSCDP_IN_INFO : MANSCDP_IN_ITEM;
    size_t hint = t->at && g[-1].kind == IS_FIELD ? g[-1].field + 1u : 0, i, n;

    if (place == MANSCDP_IN_ITEM && slice_ieq(name, SLICE("Info"))) {
        g->kind = IS_INFO;
        return slice_eq(name, SLICE("Info"));
    }
    if (place == MANSCDP_IN_ITEM && slice_ieq(name, SLICE("Event"))) {
        g->kind = IS_EVENT;
        return true;
    }
    i = field_of(hint < N_FIELDS ? hint : 0, name, place);
    if (i < N_FIELDS) {
        g->kind = IS_FIELD;
        g->field = (uint8_t)i;
        g->off = (uint16_t)manscdp_item_fields(&n)[i].off;
        return true;
    }
    g->kind = IS_EXTRA;
    return join(t->m->a, t->in_info ? SLICE("Info") : slice_of(NULL, 0), name,
                &g->path);
}

/* What the tag is whose '<' is just before p. */
static bool learn(struct taking *t, struct manscdp_guess *g, const char *p)
{
    const char *end = t->m->end;
    struct slice name;

    memset(g, 0, sizeof(*g));
    g->in_info = t->in_info;
    if (is_at(p, end, SLICE("/Item>")) && !t->in_info) {
        keep_guess(g, SLICE("/Item>"), IS_ITEM_END);
        return true;
    }
    if (is_at(p, end, SLICE("/Info>")) && t->in_info) {
        keep_guess(g, SLICE("/Info>"), IS_INFO_END);
        return true;
    }
    if (p == end || !((ascii_lower(*p) >= 'a' && ascii_lower(*p) <= 'z') ||
                      *p == '_'))
        return false;
    name = slice_of(p, scan_word(p, (size_t)(end - p)));
    if (name.n + 3 > sizeof(g->text) || p + name.n == end)
        return false;
    if (is_at(p + name.n, end, SLICE("/>"))) {
        keep_guess(g, slice_of(p, name.n + 2), IS_EMPTY);
        return !slice_ieq(name, SLICE("Event"));
    }
    keep_guess(g, slice_of(p, name.n + 1), IS_FIELD);
    return p[name.n] == '>' && learn_leaf(t, g, name);
}

/* The tag is new at this place: it goes before the others that come from here
 * on. */
static struct manscdp_guess *learn_here(struct taking *t)
{
    struct manscdp_items *list = t->list;
    struct manscdp_guess *g = &list->guess[t->at];

    if (list->n_guesses == MANSCDP_GUESSES)
        list->n_guesses--;
    memmove(g + 1, g, (list->n_guesses - t->at) * sizeof(*g));
    if (!learn(t, g, t->m->p + 1))
        return NULL;
    g->key = (uint8_t)(g->kind | (t->in_info ? KEY_IN_INFO : 0));
    list->n_guesses++;
    t->at++;
    return g;
}

/* What the tag at m->p means. One or two of those that came here before may be
 * missing in this item. NULL: nothing is known of it. */
static const struct manscdp_guess *meaning(struct taking *t)
{
    const struct manscdp_items *list = t->list;

    for (unsigned i = t->at; i < t->at + 3 && i < list->n_guesses; i++)
        if (list->guess[i].in_info == t->in_info &&
            is_start(t->m->p, t->m->end, &list->guess[i])) {
            t->at = i + 1;
            return &list->guess[i];
        }
    return t->at < MANSCDP_GUESSES ? learn_here(t) : NULL;
}

static bool keep_text(struct taking *t, const struct manscdp_guess *g,
                      struct slice text)
{
    struct slice *slot;

    switch ((enum kind)g->kind) {
    case IS_FIELD:
        slot = slot_at(t->it, g->off);
        if (!slot->n)
            *slot = text;
        return true;
    case IS_EXTRA:
        if (!text.n)
            return true;
        if (t->n_extras == MANSCDP_MAX_EXTRAS)
            return false;
        t->extra[t->n_extras++] = (struct manscdp_extra){ g->path, text };
        return true;
    case IS_EVENT:
        t->it->event = manscdp_event_by_name(text);
        return true;
    case IS_EMPTY:
    case IS_INFO:
    case IS_INFO_END:
    case IS_ITEM_END:
        break;
    }
    return false;
}

/* <name>text</name>, with nothing in it. */
static bool take_leaf(struct taking *t, const struct manscdp_guess *g)
{
    struct marks *m = t->m;
    struct slice text;
    const char *to = mark_text(m, m->p + g->n, &text);

    if (!to || to == m->end ||
        !is_at(to + 1, m->end, slice_of(g->text, g->n)))
        return false;
    m->p = to + 1 + g->n;
    m->n_nodes++;
    return keep_text(t, g, text);
}

static bool take_tag(struct taking *t, const struct manscdp_guess *g)
{
    t->m->p += g->n;
    t->m->n_nodes += g->kind == IS_INFO || g->kind == IS_EMPTY;
    t->in_info = g->kind == IS_INFO || (t->in_info && g->kind == IS_EMPTY);
    return true;
}

#ifdef SCAN_VECTORS
SCAN_INLINE uint32_t same_bits(const char *p, scan_v tag)
{
    return scan_bits(scan_same(scan_load(p), tag));
}

SCAN_INLINE uint32_t odd_bits(const char *p, bool wide)
{
    uint32_t odd = mark_good_bits(scan_load(p)) ^ 0xffff;

    if (wide)
        odd |= (mark_good_bits(scan_load(p + 16)) ^ 0xffff) << 16;
    return odd;
}

/* Text of less than SHORT_TEXT bytes that stays as it is, up to a '<'. *length
 * is a guess: when it is right, the processor need not wait for the bytes to
 * know where they end. */
SCAN_INLINE bool short_text(const char *p, uint8_t *length, struct slice *text)
{
    unsigned n = *length;
    uint32_t odd = odd_bits(p, n >= 16);

    if ((odd & ((2u << n) - 1)) != 1u << n) {
        odd = odd_bits(p, true);
        if (!odd)
            return false;
        *length = (uint8_t)__builtin_ctz(odd);
        n = *length;
    }
    *text = slice_of(p, n);
    return p[n] == '<' && (n == 0 || (p[0] != ' ' && p[n - 1] != ' '));
}

/* The bulk: what has the tags that came before, in the same order. What is not
 * like that is left to be looked at. True: the item ended. */
static bool take_known(struct taking *t)
{
    struct marks *m = t->m;
    const char *p = m->p, *end = m->end;
    struct manscdp_guess *g = &t->list->guess[t->at];
    const struct manscdp_guess *last = &t->list->guess[t->list->n_guesses];
    unsigned n_nodes = 0, place = t->in_info ? KEY_IN_INFO : 0;
    bool ended = false;

    for (; g < last && end - p >= 2 * SHORT_TAG + SHORT_TEXT; g++) {
        scan_v tag = scan_load(g->text);
        unsigned kind = g->key ^ place; /* far above all when that differs */
        const char *to;
        struct slice text;

        /* text[0] is '/', the end tag's; no long tag has all of its bits */
        if (*p != '<' || ((same_bits(p, tag) | 1) & g->mask) != g->mask)
            break;
        to = p + g->n;
        if (kind > IS_EXTRA) {
            ended = kind == IS_ITEM_END;
            if (!ended && kind != IS_INFO && kind != IS_INFO_END)
                break;
            place = kind == IS_INFO ? KEY_IN_INFO : 0;
            n_nodes += kind == IS_INFO;
            p = to;
            if (!ended)
                continue;
            break;
        }
        if (short_text(to, &g->length, &text)) {
            to += text.n;
        } else {
            to = mark_text(m, to, &text);
            if (!to || end - to < SHORT_TAG + 1)
                break;
        }
        if ((same_bits(to + 1, tag) & g->mask) != g->mask)
            break;
        if (kind == IS_EXTRA) {
            if (!keep_text(t, g, text))
                break;
        } else if (!slot_at(t->it, g->off)->n) {
            *slot_at(t->it, g->off) = text;
        }
        p = to + 1 + g->n;
        n_nodes++;
    }
    m->n_nodes += n_nodes;
    m->p = p;
    t->in_info = place != 0;
    t->at = (unsigned)(g - t->list->guess);
    return ended;
}
#else
static bool take_known(struct taking *t)
{
    (void)t;
    return false;
}
#endif

static bool skip_gap(struct marks *m)
{
    const char *p = mark_gap(m, m->p);

    m->p = p ? p : m->p;
    return p != NULL;
}

static bool take_children(struct taking *t)
{
    const struct manscdp_guess *g;

    do {
        if (!skip_gap(t->m))
            return false;
        if (take_known(t))
            return true;
        if (!skip_gap(t->m))
            return false;
        g = meaning(t);
        if (!g || !(g->kind <= IS_EVENT ? take_leaf(t, g) : take_tag(t, g)))
            return false;
    } while (g->kind != IS_ITEM_END);
    return true;
}

static bool keep_extras(struct taking *t)
{
    size_t bytes = t->n_extras * sizeof(*t->extra);
    struct manscdp_extra *extra;

    if (!bytes)
        return true;
    extra = mark_room(t->m->a, bytes);
    if (!extra)
        return false;
    memcpy(extra, t->extra, bytes);
    t->it->extra = extra;
    t->it->n_extras = t->n_extras;
    return true;
}

void manscdp_items_init(struct manscdp_items *list)
{
    list->first = NULL;
    list->link = &list->first;
    list->n = 0;
    list->n_guesses = 0;
}

/* The DeviceList of a catalog, when it is the first one: CmdType says what this
 * is, and everything before it is a leaf. */
bool manscdp_items_are(const struct xml_node *root,
                       const struct xml_node *list)
{
    const struct slice name = SLICE("DeviceList");

    if (!slice_eq(list->name, name) ||
        !slice_eq(xml_text(root, SLICE("CmdType")), SLICE("Catalog")))
        return false;
    for (const struct xml_node *c = root->child; c; c = c->next)
        if (c->child || slice_ieq(c->name, name))
            return false;
    return true;
}

bool manscdp_items_take(void *ctx, struct marks *m)
{
    struct manscdp_kept_item *kept;
    struct taking t;

    if (!is_at(m->p, m->end, SLICE("<Item>")))
        return false;
    kept = mark_room(m->a, sizeof(*kept));
    if (!kept)
        return false;
    scan_clear(kept, sizeof(*kept));
    t.m = m;
    t.list = ctx;
    t.it = &kept->item;
    t.at = t.n_extras = 0;
    t.in_info = false;
    m->p += SLICE("<Item>").n;
    m->n_nodes++;
    if (!take_children(&t) || !keep_extras(&t))
        return false;
    join_groups(&kept->item);
    *t.list->link = kept;
    t.list->link = &kept->next;
    t.list->n++;
    return true;
}
