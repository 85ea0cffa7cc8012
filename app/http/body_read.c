#include "app/http/body_read.h"

#include "base/writer.h"
#include "manscdp/config.h"
#include "manscdp/control.h"
#include "manscdp/ptz.h"

#include <jansson.h>

#define REAL_MAX 1e12
#define REAL_TEXT 40 /* bytes of a decimal number */

struct reader {
    struct arena *a;
    unsigned way;
    struct body_fault *fault;
    char path[BODY_PATH_MAX];
    struct writer at; /* where we are, in path */
};

/* ---- refusals -------------------------------------------------------------- */

static int refuse(struct reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Where it is, as far as there is room for it beside what is wrong. */
static int refuse(struct reader *r, const char *fmt, ...)
{
    struct writer w = writer_of(r->fault->text, sizeof(r->fault->text) - 1);
    char what[sizeof(r->fault->text)];
    struct writer t = writer_of(what, sizeof(what) - 1);
    va_list ap;

    va_start(ap, fmt);
    writer_vf(&t, fmt, ap);
    va_end(ap);
    writer_slice_put(&w, slice_head(writer_slice(&r->at), w.cap - t.len));
    writer_slice_put(&w, writer_slice(&t));
    r->fault->text[w.len] = '\0';
    return GB_ESYNTAX;
}

/* Into an element; leave with what it gave. A path that is too long ends. */
static size_t enter(struct reader *r, struct slice name)
{
    size_t len = r->at.len;

    if (len)
        writer_char(&r->at, '.');
    writer_slice_put(&r->at, name);
    r->at.err = 0;
    return len;
}

static size_t enter_item(struct reader *r, size_t i)
{
    size_t len = r->at.len;

    writer_f(&r->at, "[%zu]", i);
    r->at.err = 0;
    return len;
}

static void leave(struct reader *r, size_t len)
{
    r->at.len = len;
}

/* The names that s has in this edition, ", " between them. */
static struct slice names_of(const struct reader *r,
                             const struct manscdp_shape *s, char *buf,
                             size_t cap)
{
    struct writer w = writer_of(buf, cap);

    for (size_t i = 0; i < s->n; i++) {
        size_t len = w.len;

        if (!(s->field[i].editions & r->way) ||
            s->field[i].type == MANSCDP_RESULT)
            continue;
        if (w.len)
            writer_str(&w, ", ");
        writer_slice_put(&w, manscdp_field_name(&s->field[i], r->way));
        if (w.err)
            w.len = len;
    }
    return w.len ? writer_slice(&w) : SLICE("none");
}

static int refuse_name(struct reader *r, const struct manscdp_shape *s)
{
    char names[300];

    return refuse(r, ": no such element; allowed: %.*s",
                  SLICE_ARG(names_of(r, s, names, sizeof(names))));
}

static int refuse_edition(struct reader *r, const struct manscdp_shape *s)
{
    char names[260];

    return refuse(r, ": not in the edition of this device; allowed: %.*s",
                  SLICE_ARG(names_of(r, s, names, sizeof(names))));
}

/* ---- values ----------------------------------------------------------------- */

/* A text, or a whole number as one. */
static int read_text(struct reader *r, const json_t *v, struct slice *out)
{
    if (json_is_integer(v)) {
        char buf[24];
        struct writer w = writer_of(buf, sizeof(buf));

        writer_i64(&w, json_integer_value(v));
        return arena_slice(r->a, writer_slice(&w), out) ? 0 : GB_ENOMEM;
    }
    *out = slice_of(json_string_value(v), json_string_length(v));
    if (!json_is_string(v))
        return refuse(r, ": a text is wanted");
    if (out->n > BODY_TEXT_MAX)
        return refuse(r, ": at most %u bytes", BODY_TEXT_MAX);
    for (size_t i = 0; i < out->n; i++)
        if ((unsigned char)out->p[i] < 0x20)
            return refuse(r, ": control characters are not allowed");
    return 0;
}

static int read_int(struct reader *r, const struct manscdp_field *f,
                    const json_t *v, uint32_t *out)
{
    json_int_t n = json_integer_value(v);
    struct slice digits = slice_of(json_string_value(v),
                                   json_string_length(v));
    bool good = json_is_integer(v) && n >= f->min && n <= f->max;

    if (good) {
        *out = (uint32_t)n;
    } else if (json_is_boolean(v) && f->max == 1) {
        good = true;
        *out = json_is_true(v);
    } else if (json_is_string(v)) {
        good = slice_u32(digits, f->max, out) && *out >= f->min;
    }
    if (good)
        return 0;
    if (f->max == UINT32_MAX)
        return refuse(r, ": a whole number from %u is wanted", f->min);
    return refuse(r, ": a whole number from %u to %u is wanted", f->min,
                  f->max);
}

static bool has_exponent(struct slice s)
{
    return slice_find(s, 'e') < s.n || slice_find(s, 'E') < s.n;
}

/* Written without an exponent: not every device reads one. */
static int read_real(struct reader *r, const json_t *v, struct slice *out)
{
    double d = json_number_value(v);
    char buf[REAL_TEXT];
    struct writer w = writer_of(buf, sizeof(buf));

    bool text;

    *out = slice_of(json_string_value(v), json_string_length(v));
    text = json_is_string(v) && out->n < REAL_TEXT && slice_double(*out, &d);
    if (text && !has_exponent(*out))
        return 0;
    if (!(text || json_is_number(v)) || !(d > -REAL_MAX && d < REAL_MAX))
        return refuse(r, ": a decimal number is wanted");
    writer_f(&w, "%.6f", d);
    while (w.len && w.p[w.len - 1] == '0')
        w.len--;
    if (w.len && w.p[w.len - 1] == '.')
        w.len--;
    return arena_slice(r->a, writer_slice(&w), out) ? 0 : GB_ENOMEM;
}

static int read_word(struct reader *r, const struct manscdp_field *f,
                     const json_t *v, uint32_t *out)
{
    struct slice text = slice_of(json_string_value(v), json_string_length(v));
    char buf[160];
    struct writer w = writer_of(buf, sizeof(buf));

    for (unsigned i = 1; f->words[i].n; i++) {
        if (json_is_string(v) && slice_ieq(text, f->words[i])) {
            *out = i;
            return 0;
        }
        writer_str(&w, i > 1 ? ", " : "");
        writer_slice_put(&w, f->words[i]);
    }
    return refuse(r, ": one of %.*s is wanted", SLICE_ARG(writer_slice(&w)));
}

/* 0 to 7, "25" or "2/5". */
static int check_methods(struct reader *r, struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!(text.p[i] >= '0' && text.p[i] <= '7') &&
            !(text.p[i] == '/' && i && i + 1 < text.n))
            return refuse(r, ": methods 0 to 7 are wanted, several joined by "
                             "'/'");
    return 0;
}

/* Every type must be one that the edition answers. */
static int check_types(struct reader *r, struct slice rest)
{
    const struct manscdp_shape *s = manscdp_config_answer_body.shape;
    unsigned way = r->way << 4; /* of the answer */
    struct slice type;
    bool some = false;

    while (manscdp_config_type_next(&rest, &type)) {
        const struct manscdp_field *f = manscdp_field_of(s, type);

        some = true;
        if (!f || !(f->editions & way) || f->type == MANSCDP_RESULT) {
            char names[300];
            struct reader as = *r;

            as.way = way;
            return refuse(r, ": \"%.*s\" is not one of %.*s",
                          SLICE_ARG(slice_head(type, 40)),
                          SLICE_ARG(names_of(&as, s, names, sizeof(names))));
        }
    }
    return some ? 0 : refuse(r, ": a type is wanted");
}

/* What the kind of a text does not say. */
static int check_text(struct reader *r, const struct manscdp_field *f,
                      struct slice text)
{
    struct manscdp_ptz ptz;
    struct gb_diag diag = { 0, "" };

    if (f->type == MANSCDP_SESSION && !manscdp_session_is_good(text))
        return refuse(r, ": 32 to 128 of A-Z, a-z, 0-9 and '-' are wanted");
    if (f->type == MANSCDP_METHODS)
        return check_methods(r, text);
    if (slice_eq(f->name, SLICE("ConfigType")))
        return check_types(r, text);
    if (slice_eq(f->name, SLICE("PTZCmd")) &&
        manscdp_ptz_parse(&ptz, text, &diag) == GB_ESYNTAX)
        return refuse(r, ": %s", diag.why);
    return 0;
}

/* ---- elements ---------------------------------------------------------------- */

static int read_shape(struct reader *r, const struct manscdp_shape *s,
                      void *out, const json_t *o);

static int read_part(struct reader *r, const struct manscdp_field *f,
                     const json_t *v, struct manscdp_value *out)
{
    void *part = arena_alloc(r->a, f->shape->size);

    if (!part)
        return GB_ENOMEM;
    out->items = part;
    return read_shape(r, f->shape, part, v);
}

static int read_items(struct reader *r, const struct manscdp_field *f,
                      const json_t *v, struct manscdp_value *out)
{
    bool are_texts = f->type == MANSCDP_TEXTS;
    size_t size = are_texts ? sizeof(struct slice) : f->shape->size;
    size_t n = json_array_size(v);
    char *items;
    int err = 0;

    if (!json_is_array(v))
        return refuse(r, ": an array is wanted");
    if (n > f->max)
        return refuse(r, ": at most %u items", f->max);
    items = n ? arena_alloc(r->a, n * size) : NULL;
    if (n && !items)
        return GB_ENOMEM;
    for (size_t i = 0; i < n && !err; i++) {
        size_t len = enter_item(r, i);
        const json_t *item = json_array_get(v, i);
        struct slice text;

        if (are_texts) {
            err = read_text(r, item, &text);
            memcpy(items + i * size, &text, size);
        } else {
            err = read_shape(r, f->shape, items + i * size, item);
        }
        if (!err)
            leave(r, len);
    }
    out->items = items;
    out->n = n;
    return err;
}

static int read_value(struct reader *r, const struct manscdp_field *f,
                      const json_t *v, struct manscdp_value *out)
{
    int err;

    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_SESSION:
    case MANSCDP_SECRET:
    case MANSCDP_METHODS:
        err = read_text(r, v, &out->text);
        return err ? err : check_text(r, f, out->text);
    case MANSCDP_REAL:
        return read_real(r, v, &out->text);
    case MANSCDP_INT:
        return read_int(r, f, v, &out->number);
    case MANSCDP_WORD:
        return read_word(r, f, v, &out->number);
    case MANSCDP_PART:
        return read_part(r, f, v, out);
    case MANSCDP_LIST:
    case MANSCDP_REPEAT:
    case MANSCDP_TEXTS:
        return read_items(r, f, v, out);
    case MANSCDP_COUNT: /* compared when all is there */
        return 0;
    case MANSCDP_RESULT: /* of answers alone */
        break;
    }
    return refuse(r, ": not in a request");
}

static int read_member(struct reader *r, const struct manscdp_shape *s,
                       void *out, struct slice name, const json_t *v)
{
    const struct manscdp_field *f = manscdp_field_of(s, name);
    struct manscdp_value value = { .has = true };
    size_t len = enter(r, slice_head(name, 64));
    int err;

    if (!f)
        return refuse_name(r, s);
    if (!(f->editions & r->way))
        return refuse_edition(r, s);
    err = read_value(r, f, v, &value);
    if (err)
        return err;
    manscdp_field_set(out, f, &value);
    leave(r, len);
    return 0;
}

/* The value of an element in any of its spellings, NULL: it is not there. */
static const json_t *member_of(const struct manscdp_shape *s,
                               const struct manscdp_field *f, const json_t *o)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)o, key, v)
        if (manscdp_field_of(s, slice_str(key)) == f)
            return v;
    return NULL;
}

/* What must be there, and what counts a list. */
static int check_member(struct reader *r, const struct manscdp_shape *s,
                        const struct manscdp_field *f, const void *in,
                        const json_t *o)
{
    const json_t *v = member_of(s, f, o);
    bool derived = f->type == MANSCDP_COUNT || f->type == MANSCDP_LIST ||
                   f->type == MANSCDP_TEXTS || f->type == MANSCDP_RESULT;
    struct manscdp_value value;

    if (!v && f->need & r->way && !derived) {
        enter(r, manscdp_field_name(f, r->way));
        return refuse(r, " is missing");
    }
    if (!v || f->type != MANSCDP_COUNT)
        return 0;
    manscdp_field_get(&value, f, in);
    if (json_is_integer(v) && json_integer_value(v) == (json_int_t)value.number)
        return 0;
    enter(r, f->name);
    return refuse(r, ": there are %u; it may be left out", value.number);
}

static int read_shape(struct reader *r, const struct manscdp_shape *s,
                      void *out, const json_t *o)
{
    const char *key;
    json_t *v;
    int err = 0;

    memset(out, 0, s->size);
    if (o && !json_is_object(o))
        return refuse(r, ": an object is wanted");
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        err = read_member(r, s, out, slice_str(key), v);
        if (err)
            return err;
    }
    for (size_t i = 0; i < s->n && !err; i++)
        err = check_member(r, s, &s->field[i], out, o);
    return err;
}

int body_read(void *out, const struct manscdp_body *b,
              const struct manscdp_dialect *d, const struct json_t *o,
              struct arena *a, struct body_fault *fault)
{
    struct reader r = { .a = a,
                        .way = MANSCDP_WAY(d->edition, false),
                        .fault = fault };
    struct slice bad;
    int err;

    r.at = writer_of(r.path, sizeof(r.path));
    fault->text[0] = '\0';
    err = read_shape(&r, b->shape, out, o);
    if (err)
        return err;
    bad = manscdp_body_fault(d, b, out); /* an empty part is none */
    if (!bad.n)
        return 0;
    enter(&r, bad);
    return refuse(&r, " is empty or not as the edition wants it");
}

/* ---- what no table has --------------------------------------------------------- */

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char l = ascii_lower(s.p[i]);

        if (!(l >= 'a' && l <= 'z') && l != '_' &&
            !(i && (ascii_is_digit(l) || l == '-' || l == '.')))
            return false;
    }
    return s.n && s.n <= MANSCDP_MAX_NAME;
}

struct siblings {
    const struct xml_node *first;
    struct xml_node *last;
};

static int read_elements(struct reader *r, struct siblings *to,
                         const json_t *o, unsigned depth);

static int add_element(struct reader *r, struct siblings *to,
                       struct slice name, const json_t *v, unsigned depth)
{
    struct xml_node *n = arena_alloc(r->a, sizeof(*n));
    struct siblings below = { 0 };
    int err;

    if (!n)
        return GB_ENOMEM;
    n->name = name;
    if (to->last)
        to->last->next = n;
    else
        to->first = n;
    to->last = n;
    if (!json_is_object(v))
        return read_text(r, v, &n->text);
    err = depth ? read_elements(r, &below, v, depth - 1)
                : refuse(r, ": at most %u elements inside each other",
                         BODY_DEPTH_MAX);
    n->child = below.first;
    return err;
}

static int read_elements(struct reader *r, struct siblings *to,
                         const json_t *o, unsigned depth)
{
    const char *key;
    json_t *v;
    int err;

    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        struct slice name = slice_str(key);
        size_t len = enter(r, slice_head(name, 64));
        size_t n = json_is_array(v) ? json_array_size(v) : 1;

        if (!is_name(name))
            return refuse(r, ": no name of an element");
        for (size_t i = 0; i < n; i++) {
            err = add_element(r, to, name,
                              json_is_array(v) ? json_array_get(v, i) : v,
                              depth);
            if (err)
                return err;
        }
        leave(r, len);
    }
    return 0;
}

int body_read_any(const struct xml_node **out, const struct json_t *o,
                  struct arena *a, struct body_fault *fault)
{
    struct reader r = { .a = a, .fault = fault };
    struct siblings all = { 0 };
    int err;

    r.at = writer_of(r.path, sizeof(r.path));
    fault->text[0] = '\0';
    enter(&r, SLICE("extra"));
    if (o && !json_is_object(o))
        return refuse(&r, ": an object is wanted");
    err = read_elements(&r, &all, o, BODY_DEPTH_MAX);
    *out = all.first;
    return err;
}
