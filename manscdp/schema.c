#include "manscdp/schema.h"

static const struct {
    struct slice name, spelling;
    unsigned ways; /* in which the spelling is written */
} spellings[] = {
#define X(name, spelling, ways)                                                \
    { SLICE_INIT(name), SLICE_INIT(spelling), MANSCDP_W_##ways },
    MANSCDP_SPELLING_MAP(X)
#undef X
};

#define N_SPELLINGS (sizeof(spellings) / sizeof(spellings[0]))

const struct manscdp_shape manscdp_no_elements = {
    NULL, 0, sizeof(struct manscdp_head)
};

/* ---- members --------------------------------------------------------------- */

/* Members are reached by memcpy: the table knows offsets, the struct types. */
static const void *at(const void *in, size_t off)
{
    return (const char *)in + off;
}

static void set(void *out, size_t off, const void *value, size_t n)
{
    memcpy((char *)out + off, value, n);
}

static struct slice text_at(const void *in, const struct manscdp_field *f)
{
    struct slice v;

    memcpy(&v, at(in, f->off), sizeof(v));
    return v;
}

static struct manscdp_int int_at(const void *in, const struct manscdp_field *f)
{
    struct manscdp_int v;

    memcpy(&v, at(in, f->off), sizeof(v));
    return v;
}

static unsigned word_at(const void *in, const struct manscdp_field *f)
{
    unsigned v;

    memcpy(&v, at(in, f->off), sizeof(v));
    return v;
}

static enum manscdp_result result_at(const void *in,
                                     const struct manscdp_field *f)
{
    enum manscdp_result v;

    memcpy(&v, at(in, f->off), sizeof(v));
    return v;
}

static const void *pointer_at(const void *in, const struct manscdp_field *f)
{
    const void *v;

    memcpy(&v, at(in, f->off), sizeof(v));
    return v;
}

static size_t count_at(const void *in, const struct manscdp_field *f)
{
    size_t v;

    memcpy(&v, at(in, f->off_n), sizeof(v));
    return v;
}

static struct slice result_word(enum manscdp_result r)
{
    return r == MANSCDP_ERROR ? SLICE("ERROR") : SLICE("OK");
}

void manscdp_field_get(struct manscdp_value *out,
                       const struct manscdp_field *f, const void *in)
{
    struct manscdp_value v = { 0 };

    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_REAL:
    case MANSCDP_SESSION:
    case MANSCDP_SECRET:
    case MANSCDP_METHODS:
        v.text = text_at(in, f);
        v.has = v.text.n > 0;
        break;
    case MANSCDP_INT:
        v.has = int_at(in, f).has;
        v.number = int_at(in, f).v;
        break;
    case MANSCDP_WORD:
        v.number = word_at(in, f);
        v.has = v.number != 0;
        v.text = f->words[v.number];
        break;
    case MANSCDP_RESULT:
        v.number = result_at(in, f);
        v.has = v.number != MANSCDP_ABSENT;
        v.text = result_word(result_at(in, f));
        break;
    case MANSCDP_COUNT:
        v.number = (uint32_t)count_at(in, f);
        v.has = true;
        break;
    case MANSCDP_PART:
        v.items = pointer_at(in, f);
        v.has = v.items != NULL;
        v.n = v.has;
        break;
    case MANSCDP_LIST:
    case MANSCDP_REPEAT:
    case MANSCDP_TEXTS:
        v.items = pointer_at(in, f);
        v.n = count_at(in, f);
        v.has = v.n > 0;
        break;
    }
    *out = v;
}

void manscdp_field_set(void *out, const struct manscdp_field *f,
                       const struct manscdp_value *v)
{
    struct manscdp_int number = { v->has, v->number };
    enum manscdp_result result = (enum manscdp_result)v->number;
    unsigned word = v->number;

    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_REAL:
    case MANSCDP_SESSION:
    case MANSCDP_SECRET:
    case MANSCDP_METHODS:
        set(out, f->off, &v->text, sizeof(v->text));
        break;
    case MANSCDP_INT:
        set(out, f->off, &number, sizeof(number));
        break;
    case MANSCDP_WORD:
        set(out, f->off, &word, sizeof(word));
        break;
    case MANSCDP_RESULT:
        set(out, f->off, &result, sizeof(result));
        break;
    case MANSCDP_COUNT:
        break;
    case MANSCDP_PART:
        set(out, f->off, &v->items, sizeof(v->items));
        break;
    case MANSCDP_LIST:
    case MANSCDP_REPEAT:
    case MANSCDP_TEXTS:
        set(out, f->off, &v->items, sizeof(v->items));
        set(out, f->off_n, &v->n, sizeof(v->n));
        break;
    }
}

const struct manscdp_field *manscdp_field_of(const struct manscdp_shape *s,
                                             struct slice name)
{
    for (size_t i = 0; i < N_SPELLINGS; i++)
        if (slice_ieq(spellings[i].spelling, name))
            for (size_t k = 0; k < s->n; k++)
                if (slice_eq(s->field[k].name, spellings[i].name))
                    return &s->field[k];
    for (size_t k = 0; k < s->n; k++)
        if (slice_ieq(s->field[k].name, name))
            return &s->field[k];
    return NULL;
}

const struct xml_node *manscdp_first_item(const struct manscdp_field *f,
                                          const struct xml_node *list)
{
    const struct xml_node *n = xml_child(list, f->item);

    return n || f->type != MANSCDP_LIST ? n : xml_child(list, SLICE("Item"));
}

bool manscdp_session_is_good(struct slice id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = ascii_lower(id.p[i]);

        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-')
            return false;
    }
    return id.n >= 32 && id.n <= 128;
}

/* ---- reading --------------------------------------------------------------- */

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

    for (size_t i = 0; i < N_SPELLINGS && !c; i++)
        if (slice_eq(spellings[i].name, name))
            c = next_good(xml_child(node, spellings[i].spelling), is_good);
    return c;
}

/* The number that text begins with, a unit may stand behind it; empty: none.
 * Digits behind it make it another one: minutes, a comma. */
static struct slice real_of(struct slice text)
{
    size_t n = text.n && (text.p[0] == '-' || text.p[0] == '+');
    double v;

    while (n < text.n && (ascii_is_digit(text.p[n]) || text.p[n] == '.'))
        n++;
    n = slice_exponent(text, n);
    for (size_t i = n; i < text.n; i++)
        if (ascii_is_digit(text.p[i]))
            return slice_of(NULL, 0);
    text = slice_head(text, n);
    return slice_double(text, &v) ? text : slice_of(NULL, 0);
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
        set(out, f->off, &number, sizeof(number));
    } else if (f->type == MANSCDP_WORD) {
        word = word_of(text, f->words);
        r->n_found += word != 0;
        set(out, f->off, &word, sizeof(word));
    } else if (f->type == MANSCDP_RESULT) {
        result = manscdp_result_parse(text);
        set(out, f->off, &result, sizeof(result));
    } else {
        if (f->type == MANSCDP_REAL)
            text = real_of(text);
        if (f->type == MANSCDP_SECRET && r->is_answer)
            text = slice_of(NULL, 0);
        r->n_found += text.n > 0;
        set(out, f->off, &text, sizeof(text));
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
    set(out, f->off, &part, sizeof(part));
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
    set(out, f->off, &items, sizeof(items));
    set(out, f->off_n, &n, sizeof(n));
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
            result_at(out, &s->field[i]) == MANSCDP_ABSENT)
            set(out, s->field[i].off, &good, sizeof(good));
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
    set(out, 0, &head, sizeof(head));
    if (r.is_answer)
        result_by_data(b->shape, out, r.n_found);
    return 0;
}

static bool is_there(const struct manscdp_field *f, const void *in,
                     unsigned way);

/* ---- filling up -------------------------------------------------------------- */

bool manscdp_field_is_said(const struct manscdp_field *f, const void *in)
{
    if (f->type == MANSCDP_PART)
        return pointer_at(in, f) != NULL;
    return is_there(f, in, 0);
}

static void take_over(const struct manscdp_field *f, void *out,
                      const void *from)
{
    static const size_t size[] = {
        [MANSCDP_TEXT] = sizeof(struct slice),
        [MANSCDP_REAL] = sizeof(struct slice),
        [MANSCDP_SESSION] = sizeof(struct slice),
        [MANSCDP_SECRET] = sizeof(struct slice),
        [MANSCDP_METHODS] = sizeof(struct slice),
        [MANSCDP_INT] = sizeof(struct manscdp_int),
        [MANSCDP_WORD] = sizeof(unsigned),
        [MANSCDP_RESULT] = sizeof(enum manscdp_result),
        [MANSCDP_PART] = sizeof(void *),
        [MANSCDP_LIST] = sizeof(void *),
        [MANSCDP_REPEAT] = sizeof(void *),
        [MANSCDP_TEXTS] = sizeof(void *),
    };

    set(out, f->off, at(from, f->off), size[f->type]);
    if (f->type == MANSCDP_LIST || f->type == MANSCDP_REPEAT ||
        f->type == MANSCDP_TEXTS)
        set(out, f->off_n, at(from, f->off_n), sizeof(size_t));
}

void manscdp_shape_fill(const struct manscdp_shape *s, void *out,
                        const void *from)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct manscdp_field *f = &s->field[i];

        if (f->type == MANSCDP_COUNT || !manscdp_field_is_said(f, from))
            continue; /* a count is that of its list */
        if (!manscdp_field_is_said(f, out))
            take_over(f, out, from);
        else if (f->type == MANSCDP_PART && pointer_at(out, f) != pointer_at(from, f))
            manscdp_shape_fill(f->shape, (void *)(uintptr_t)pointer_at(out, f),
                               pointer_at(from, f));
    }
}

/* ---- what an edition demands ------------------------------------------------ */

static bool has_anything(const struct manscdp_shape *s, const void *in,
                         unsigned way);

/* Something of a text would be written and read again: of alarm methods the
 * digits alone, of others no control characters, and not only blanks. */
static bool text_is_there(const struct manscdp_field *f, const void *in)
{
    struct slice text = text_at(in, f);

    for (size_t i = 0; i < text.n; i++)
        if (f->type == MANSCDP_METHODS ? ascii_is_digit(text.p[i])
                                       : (uint8_t)text.p[i] > ' ')
            return true;
    return false;
}

static bool is_there(const struct manscdp_field *f, const void *in,
                     unsigned way)
{
    const void *part;

    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_REAL:
    case MANSCDP_SESSION:
    case MANSCDP_SECRET:
    case MANSCDP_METHODS:
        return text_is_there(f, in);
    case MANSCDP_INT:
        return int_at(in, f).has;
    case MANSCDP_WORD:
        return word_at(in, f) != 0;
    case MANSCDP_RESULT:
        return result_at(in, f) != MANSCDP_ABSENT;
    case MANSCDP_PART:
        part = pointer_at(in, f);
        return part && has_anything(f->shape, part, way);
    case MANSCDP_COUNT:
    case MANSCDP_LIST:
    case MANSCDP_REPEAT:
    case MANSCDP_TEXTS:
        return count_at(in, f) > 0;
    }
    return false;
}

/* Something of it would be written: an element without anything is none. */
static bool has_anything(const struct manscdp_shape *s, const void *in,
                         unsigned way)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->field[i].editions & way &&
            (s->field[i].need & way || is_there(&s->field[i], in, way)))
            return true;
    return false;
}

/* May be empty where it must be there: a name, a list; a Result is OK then. */
static bool may_be_empty(const struct manscdp_field *f)
{
    return f->type == MANSCDP_TEXT || f->type == MANSCDP_RESULT ||
           f->type == MANSCDP_LIST || f->type == MANSCDP_TEXTS ||
           f->type == MANSCDP_COUNT;
}

static struct slice fault_of(const struct manscdp_shape *s, const void *in,
                             unsigned way);

static struct slice fault_inside(const struct manscdp_field *f, const void *in,
                                 unsigned way)
{
    const char *items = pointer_at(in, f);
    size_t n = f->type == MANSCDP_PART ? 1 : count_at(in, f);
    struct slice fault = n > f->max && f->type != MANSCDP_PART
                             ? f->name
                             : slice_of(NULL, 0);

    if (f->type == MANSCDP_TEXTS)
        return fault;
    for (size_t i = 0; i < n && !fault.n; i++)
        fault = fault_of(f->shape, items + i * f->shape->size, way);
    return fault;
}

static struct slice fault_in(const struct manscdp_field *f, const void *in,
                             unsigned way)
{
    bool good = true;
    uint32_t v;

    if (!(f->editions & way))
        return slice_of(NULL, 0);
    if (!is_there(f, in, way))
        return f->need & way && !may_be_empty(f) ? f->name : slice_of(NULL, 0);
    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_SECRET:
    case MANSCDP_METHODS:
    case MANSCDP_WORD:
    case MANSCDP_RESULT:
    case MANSCDP_COUNT:
        break;
    case MANSCDP_REAL:
        good = real_of(text_at(in, f)).n == text_at(in, f).n;
        break;
    case MANSCDP_SESSION:
        good = manscdp_session_is_good(text_at(in, f));
        break;
    case MANSCDP_INT:
        v = int_at(in, f).v;
        good = v >= f->min && v <= f->max;
        break;
    case MANSCDP_PART:
    case MANSCDP_LIST:
    case MANSCDP_REPEAT:
    case MANSCDP_TEXTS:
        return fault_inside(f, in, way);
    }
    return good ? slice_of(NULL, 0) : f->name;
}

static struct slice fault_of(const struct manscdp_shape *s, const void *in,
                             unsigned way)
{
    struct slice fault = slice_of(NULL, 0);

    for (size_t i = 0; i < s->n && !fault.n; i++)
        fault = fault_in(&s->field[i], in, way);
    return fault;
}

static unsigned way_of(const struct manscdp_dialect *d,
                       const struct manscdp_body *b)
{
    return MANSCDP_WAY(d->edition, b->root == MANSCDP_RESPONSE);
}

struct slice manscdp_body_fault(const struct manscdp_dialect *d,
                                const struct manscdp_body *b, const void *in)
{
    const struct manscdp_field *f = manscdp_field_of(b->shape, b->sub);

    /* a text may be empty, but not a command */
    return f && !is_there(f, in, way_of(d, b))
               ? f->name
               : fault_of(b->shape, in, way_of(d, b));
}

/* ---- writing ---------------------------------------------------------------- */

struct writing {
    struct xml_out x;
    unsigned way;
};

static const char *name_in(struct slice name, unsigned way)
{
    for (size_t i = 0; i < N_SPELLINGS; i++)
        if (spellings[i].ways & way && slice_eq(spellings[i].name, name))
            return spellings[i].spelling.p;
    return name.p;
}

/* Joined by '/' since 2022, digit beside digit before. */
static void put_methods(struct writing *w, const char *name, struct slice text)
{
    bool is_new = w->way & MANSCDP_W_E22;
    char buf[64];
    struct writer joined = writer_of(buf, sizeof(buf));

    for (size_t i = 0; i < text.n; i++) {
        if (!ascii_is_digit(text.p[i]))
            continue;
        if (is_new && joined.len)
            writer_char(&joined, '/');
        writer_char(&joined, text.p[i]);
    }
    xml_put(&w->x, name, joined.err ? text : writer_slice(&joined));
}

/* Everything until the matching leave is on one line; false: it was so. */
static bool enter_line(struct writing *w, enum manscdp_layout layout)
{
    if (layout == MANSCDP_LINES || w->x.is_inline)
        return false;
    xml_put_inline(&w->x, true);
    return true;
}

static void leave_line(struct writing *w, bool entered)
{
    if (entered)
        xml_put_inline(&w->x, false);
}

static void put_shape(struct writing *w, const struct manscdp_shape *s,
                      const void *in);

static void put_item(struct writing *w, const struct manscdp_field *f,
                     const char *name, const char *item)
{
    bool entered = enter_line(w, MANSCDP_INLINE);

    xml_put_open(&w->x, name);
    put_shape(w, f->shape, item);
    xml_put_close(&w->x, name);
    leave_line(w, entered);
}

static void put_part(struct writing *w, const struct manscdp_field *f,
                     const char *name, const void *in)
{
    bool entered = enter_line(w, f->layout);

    xml_put_open(&w->x, name);
    put_shape(w, f->shape, pointer_at(in, f));
    xml_put_close(&w->x, name);
    leave_line(w, entered);
}

/* LIST and TEXTS: an element around them. */
static void put_list(struct writing *w, const struct manscdp_field *f,
                     const char *name, const void *in)
{
    bool entered = enter_line(w, f->layout);
    const char *items = pointer_at(in, f);
    size_t n = count_at(in, f);

    if (f->type == MANSCDP_LIST)
        xml_put_open_num(&w->x, name, "Num", (uint32_t)n);
    else
        xml_put_open(&w->x, name);
    for (size_t i = 0; i < n; i++) {
        struct slice text;

        if (f->type == MANSCDP_LIST) {
            put_item(w, f, f->item.p, items + i * f->shape->size);
        } else {
            memcpy(&text, items + i * sizeof(text), sizeof(text));
            xml_put(&w->x, f->item.p, text);
        }
    }
    xml_put_close(&w->x, name);
    leave_line(w, entered);
}

static void put_field(struct writing *w, const struct manscdp_field *f,
                      const void *in)
{
    const char *name = name_in(f->name, w->way);

    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_REAL:
    case MANSCDP_SESSION:
    case MANSCDP_SECRET:
        xml_put(&w->x, name, text_at(in, f));
        break;
    case MANSCDP_METHODS:
        put_methods(w, name, text_at(in, f));
        break;
    case MANSCDP_INT:
        xml_put_u32(&w->x, name, int_at(in, f).v);
        break;
    case MANSCDP_WORD:
        xml_put(&w->x, name, f->words[word_at(in, f)]);
        break;
    case MANSCDP_RESULT:
        xml_put(&w->x, name, result_word(result_at(in, f)));
        break;
    case MANSCDP_COUNT:
        xml_put_u32(&w->x, name, (uint32_t)count_at(in, f));
        break;
    case MANSCDP_PART:
        put_part(w, f, name, in);
        break;
    case MANSCDP_LIST:
    case MANSCDP_TEXTS:
        put_list(w, f, name, in);
        break;
    case MANSCDP_REPEAT:
        for (size_t i = 0; i < count_at(in, f); i++)
            put_item(w, f, name,
                     (const char *)pointer_at(in, f) + i * f->shape->size);
        break;
    }
}

static void put_shape(struct writing *w, const struct manscdp_shape *s,
                      const void *in)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct manscdp_field *f = &s->field[i];

        if (f->editions & w->way && (f->need & w->way || is_there(f, in, w->way)))
            put_field(w, f, in);
    }
}

struct slice manscdp_field_name(const struct manscdp_field *f, unsigned way)
{
    return slice_str(name_in(f->name, way));
}

/* Elements that no table has. */
static void put_more(struct writing *w, const struct xml_node *n)
{
    for (; n; n = n->next) {
        char name[MANSCDP_MAX_NAME + 1];

        if (!slice_copy(name, sizeof(name), n->name)) {
            w->x.w->err = GB_ERANGE;
            return;
        }
        if (!n->child) {
            xml_put(&w->x, name, n->text);
            continue;
        }
        xml_put_open(&w->x, name);
        put_more(w, n->child);
        xml_put_close(&w->x, name);
    }
}

/* The edition has the command, by the rows of the vocabulary. Of a
 * DeviceControl without a command of ours only vendors know. */
static bool is_known(const struct manscdp_body *b,
                     const struct manscdp_dialect *d, unsigned way)
{
    struct slice sub = b->sub.n ? slice_str(name_in(b->sub, way)) : b->sub;
    size_t n;
    const struct manscdp_row *r = manscdp_rows(&n);

    for (size_t i = 0; i < n; i++)
        if (r[i].cmd == b->cmd && (slice_eq(r[i].sub, sub) || !sub.n) &&
            (r[i].root == b->root || b->root == MANSCDP_RESPONSE) &&
            r[i].editions >> d->edition & 1)
            return true;
    return false;
}

int manscdp_body_encode(struct writer *w, const struct manscdp_dialect *d,
                        const struct manscdp_body *b, const void *in)
{
    struct writing x = { .way = way_of(d, b) };
    struct manscdp_head h;

    memcpy(&h, in, sizeof(h));
    if (!w->err && !is_known(b, d, x.way))
        w->err = GB_EUNSUPPORTED;
    if (!w->err && manscdp_body_fault(d, b, in).n)
        w->err = GB_ERANGE;
    if (w->err)
        return w->err;
    manscdp_put_begin(&x.x, w, d, b->root, b->cmd, h.sn, h.device_id);
    put_shape(&x, b->shape, in);
    for (size_t i = 0; i < h.n_extra && b->root != MANSCDP_QUERY; i++)
        xml_put(&x.x, name_in(SLICE("ExtraInfo"), x.way), h.extra[i]);
    put_more(&x, h.more);
    manscdp_put_end(&x.x, b->root);
    return w->err;
}
