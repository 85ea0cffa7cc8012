#include "manscdp/schema_int.h"

struct reading {
    struct arena *arena;
    bool is_answer;
    size_t n_found; /* elements with a value, but for Result */
};

/* What an element must be to count. */
typedef bool node_test_fn(const struct xml_node *node);

static bool has_text(const struct xml_node *node)
{
    return node->text.n > 0;
}

static bool has_children(const struct xml_node *node)
{
    return node->child != NULL;
}

static bool is_leaf(const struct xml_node *node)
{
    return node->text.n > 0 && !node->child;
}

static const struct xml_node *next_good(const struct xml_node *c,
                                        node_test_fn *is_good)
{
    while (c && !is_good(c))
        c = xml_next_same(c);
    return c;
}

/* The first good child of that name, or of another spelling of it. */
static const struct xml_node *find(const struct xml_node *node,
                                   struct slice name, node_test_fn *is_good)
{
    const struct xml_node *c = next_good(xml_child(node, name), is_good);

    for (size_t i = 0; i < MANSCDP_SPELLINGS && !c; i++)
        if (slice_eq(manscdp_spellings[i].name, name))
            c = next_good(xml_child(node, manscdp_spellings[i].spelling),
                          is_good);
    return c;
}

/* Numbers; where 0 and 1 are meant, the usual words for them too. */
static struct manscdp_int int_of(struct slice text, uint32_t max)
{
    struct manscdp_int v = { 0 };

    if (max == 1 && (slice_ieq(text, SLICE("true")) ||
                     slice_ieq(text, SLICE("ON"))))
        return manscdp_int(1);
    if (max == 1 && (slice_ieq(text, SLICE("false")) ||
                     slice_ieq(text, SLICE("OFF"))))
        return manscdp_int(0);
    v.has = manscdp_number(text, UINT32_MAX, &v.v);
    return v;
}

static unsigned word_of(struct slice text, const struct slice *words)
{
    for (unsigned i = 1; words[i].n; i++)
        if (slice_ieq(text, words[i]))
            return i;
    return 0;
}

static void read_value(struct reading *r, const struct manscdp_field *f,
                       void *out, struct slice text)
{
    struct manscdp_int number;
    enum manscdp_result result;
    unsigned word;

    if (f->type == MANSCDP_INT) {
        number = int_of(text, f->max);
        r->n_found += number.has;
        member_set(out, f->off, &number, sizeof(number));
    } else if (f->type == MANSCDP_WORD) {
        word = word_of(text, f->words);
        r->n_found += word != 0;
        member_set(out, f->off, &word, sizeof(word));
    } else if (f->type == MANSCDP_RESULT) {
        result = manscdp_result_parse(text);
        member_set(out, f->off, &result, sizeof(result));
    } else {
        if (f->type == MANSCDP_REAL)
            text = manscdp_real(text);
        if (f->type == MANSCDP_SECRET && r->is_answer)
            text = slice_of(NULL, 0);
        r->n_found += text.n > 0;
        member_set(out, f->off, &text, sizeof(text));
    }
}

static int read_shape(struct reading *r, const struct manscdp_shape *s,
                      void *out, const struct xml_node *node);

static int read_part(struct reading *r, const struct manscdp_field *f,
                     void *out, const struct xml_node *node)
{
    const struct xml_node *c = find(node, f->name, has_children);
    void *part;
    int err;

    if (!c)
        return 0;
    part = arena_alloc(r->arena, f->shape->size);
    if (!part)
        return GB_ENOMEM;
    err = read_shape(r, f->shape, part, c);
    r->n_found++;
    member_set(out, f->off, &part, sizeof(part));
    return err;
}

static size_t count_items(const struct manscdp_field *f,
                          const struct xml_node *first, node_test_fn *is_good)
{
    size_t n = 0;

    for (; first && n < f->max; first = xml_next_same(first))
        n += is_good(first);
    return n;
}

/* LIST, REPEAT and TEXTS: the good ones among first and its siblings. */
static int read_items(struct reading *r, const struct manscdp_field *f,
                      void *out, const struct xml_node *first)
{
    bool are_texts = f->type == MANSCDP_TEXTS;
    node_test_fn *is_good = are_texts ? has_text : has_children;
    size_t size = are_texts ? sizeof(struct slice) : f->shape->size;
    size_t n = count_items(f, first, is_good);
    char *items;

    if (!n)
        return 0;
    items = arena_alloc(r->arena, n * size);
    if (!items)
        return GB_ENOMEM;
    first = next_good(first, is_good);
    for (size_t i = 0; i < n; i++) {
        int err = 0;

        if (are_texts)
            memcpy(items + i * size, &first->text, size);
        else
            err = read_shape(r, f->shape, items + i * size, first);
        if (err)
            return err;
        first = next_good(xml_next_same(first), is_good);
    }
    r->n_found++;
    member_set(out, f->off, &items, sizeof(items));
    member_set(out, f->off_n, &n, sizeof(n));
    return 0;
}

static int read_field(struct reading *r, const struct manscdp_field *f,
                      void *out, const struct xml_node *node)
{
    const struct xml_node *c;

    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_REAL:
    case MANSCDP_SESSION:
    case MANSCDP_SECRET:
    case MANSCDP_METHODS:
    case MANSCDP_INT:
    case MANSCDP_WORD:
    case MANSCDP_RESULT:
        c = find(node, f->name, has_text);
        if (c)
            read_value(r, f, out, c->text);
        return 0;
    case MANSCDP_COUNT: /* what is there is counted */
        return 0;
    case MANSCDP_PART:
        return read_part(r, f, out, node);
    case MANSCDP_LIST:
    case MANSCDP_TEXTS:
        c = find(node, f->name, has_children);
        return c ? read_items(r, f, out, manscdp_first_item(f, c)) : 0;
    case MANSCDP_REPEAT:
        return read_items(r, f, out, xml_child(node, f->name));
    }
    return 0;
}

/* As deep as the tables are. */
static int read_shape(struct reading *r, const struct manscdp_shape *s,
                      void *out, const struct xml_node *node)
{
    int err = 0;

    for (size_t i = 0; i < s->n && !err; i++)
        err = read_field(r, &s->field[i], out, node);
    return err;
}

/* ExtraInfo, ExtralInfo, and Info where it is a text. */
static bool is_extra(const struct xml_node *node)
{
    return is_leaf(node) && (slice_ieq(node->name, SLICE("ExtraInfo")) ||
                             slice_ieq(node->name, SLICE("ExtralInfo")) ||
                             slice_ieq(node->name, SLICE("Info")));
}

static int read_extra(struct manscdp_head *h, const struct manscdp_msg *msg)
{
    struct slice text[MANSCDP_MAX_EXTENSIONS], *kept;
    size_t n = 0;

    for (const struct xml_node *c = msg->doc.root->child;
         c && n < MANSCDP_MAX_EXTENSIONS; c = c->next)
        if (is_extra(c))
            text[n++] = c->text;
    if (!n)
        return 0;
    kept = arena_alloc(msg->arena, n * sizeof(*kept));
    if (!kept)
        return GB_ENOMEM;
    memcpy(kept, text, n * sizeof(*kept));
    h->extra = kept;
    h->n_extra = n;
    return 0;
}

static void result_by_data(const struct manscdp_shape *s, void *out,
                           size_t n_found)
{
    static const enum manscdp_result good = MANSCDP_OK;

    for (size_t i = 0; i < s->n && n_found; i++)
        if (s->field[i].type == MANSCDP_RESULT &&
            member_result(out, &s->field[i]) == MANSCDP_ABSENT)
            member_set(out, s->field[i].off, &good, sizeof(good));
}

bool manscdp_body_is(const struct manscdp_body *b,
                     const struct manscdp_msg *msg)
{
    const struct manscdp_field *f = manscdp_field_of(b->shape, b->sub);

    if (b->root != msg->root || b->cmd != msg->cmd)
        return false;
    return !f || find(msg->doc.root, f->name,
                      f->type == MANSCDP_PART ? has_children : has_text);
}

int manscdp_shape_decode(const struct manscdp_shape *s, void *out,
                         const struct manscdp_msg *msg,
                         const struct xml_node *node)
{
    struct reading r = { .arena = msg->arena,
                         .is_answer = msg->root == MANSCDP_RESPONSE };

    memset(out, 0, s->size);
    return read_shape(&r, s, out, node);
}

int manscdp_body_decode(const struct manscdp_body *b, void *out,
                        const struct manscdp_msg *msg)
{
    struct manscdp_head head = { .sn = msg->sn, .device_id = msg->device_id };
    struct reading r = { .arena = msg->arena,
                         .is_answer = msg->root == MANSCDP_RESPONSE };
    int err;

    if (!manscdp_body_is(b, msg))
        return GB_ESYNTAX;
    memset(out, 0, b->shape->size);
    err = read_extra(&head, msg);
    if (!err)
        err = read_shape(&r, b->shape, out, msg->doc.root);
    if (err)
        return err;
    member_set(out, 0, &head, sizeof(head));
    if (r.is_answer)
        result_by_data(b->shape, out, r.n_found);
    return 0;
}
