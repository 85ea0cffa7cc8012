#include "manscdp/schema_int.h"

struct writing {
    struct xml_out x;
    unsigned way;
};

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
    put_shape(w, f->shape, member_pointer(in, f));
    xml_put_close(&w->x, name);
    leave_line(w, entered);
}

/* LIST and TEXTS: an element around them. */
static void put_list(struct writing *w, const struct manscdp_field *f,
                     const char *name, const void *in)
{
    bool entered = enter_line(w, f->layout);
    const char *items = member_pointer(in, f);
    size_t n = member_count(in, f);

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
    const char *name = manscdp_name_in(f->name, w->way);

    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_REAL:
    case MANSCDP_SESSION:
    case MANSCDP_SECRET:
        xml_put(&w->x, name, member_text(in, f));
        break;
    case MANSCDP_METHODS:
        put_methods(w, name, member_text(in, f));
        break;
    case MANSCDP_INT:
        xml_put_u32(&w->x, name, member_int(in, f).v);
        break;
    case MANSCDP_WORD:
        xml_put(&w->x, name, f->words[member_word(in, f)]);
        break;
    case MANSCDP_RESULT:
        xml_put(&w->x, name, manscdp_result_word(member_result(in, f)));
        break;
    case MANSCDP_COUNT:
        xml_put_u32(&w->x, name, (uint32_t)member_count(in, f));
        break;
    case MANSCDP_PART:
        put_part(w, f, name, in);
        break;
    case MANSCDP_LIST:
    case MANSCDP_TEXTS:
        put_list(w, f, name, in);
        break;
    case MANSCDP_REPEAT:
        for (size_t i = 0; i < member_count(in, f); i++)
            put_item(w, f, name,
                     (const char *)member_pointer(in, f) + i * f->shape->size);
        break;
    }
}

static void put_shape(struct writing *w, const struct manscdp_shape *s,
                      const void *in)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct manscdp_field *f = &s->field[i];

        if (manscdp_field_is_written(f, in, w->way))
            put_field(w, f, in);
    }
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
    struct slice sub =
        b->sub.n ? slice_str(manscdp_name_in(b->sub, way)) : b->sub;
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
    struct writing x = { .way = manscdp_way(d, b) };
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
        xml_put(&x.x, manscdp_name_in(SLICE("ExtraInfo"), x.way), h.extra[i]);
    put_more(&x, h.more);
    manscdp_put_end(&x.x, b->root);
    return w->err;
}
