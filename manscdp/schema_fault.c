#include "manscdp/schema_int.h"

static bool has_anything(const struct manscdp_shape *s, const void *in,
                         unsigned way);

/* Something of a text would be written and read again: of alarm methods the
 * digits alone, of others no control characters, and not only blanks. */
static bool text_is_there(const struct manscdp_field *f, const void *in)
{
    struct slice text = member_text(in, f);

    for (size_t i = 0; i < text.n; i++)
        if (f->type == MANSCDP_METHODS ? ascii_is_digit(text.p[i])
                                       : (uint8_t)text.p[i] > ' ')
            return true;
    return false;
}

bool manscdp_field_is_there(const struct manscdp_field *f, const void *in,
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
        return member_int(in, f).has;
    case MANSCDP_WORD:
        return member_word(in, f) != 0;
    case MANSCDP_RESULT:
        return member_result(in, f) != MANSCDP_ABSENT;
    case MANSCDP_PART:
        part = member_pointer(in, f);
        return part && has_anything(f->shape, part, way);
    case MANSCDP_COUNT:
    case MANSCDP_LIST:
    case MANSCDP_REPEAT:
    case MANSCDP_TEXTS:
        return member_count(in, f) > 0;
    }
    return false;
}

/* Something of it would be written: an element without anything is none. */
static bool has_anything(const struct manscdp_shape *s, const void *in,
                         unsigned way)
{
    for (size_t i = 0; i < s->n; i++)
        if (manscdp_field_is_written(&s->field[i], in, way))
            return true;
    return false;
}

bool manscdp_field_is_written(const struct manscdp_field *f, const void *in,
                              unsigned way)
{
    return f->editions & way &&
           (f->need & way || manscdp_field_is_there(f, in, way));
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
    const char *items = member_pointer(in, f);
    size_t n = f->type == MANSCDP_PART ? 1 : member_count(in, f);
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
    if (!manscdp_field_is_there(f, in, way))
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
        good = manscdp_real(member_text(in, f)).n == member_text(in, f).n;
        break;
    case MANSCDP_SESSION:
        good = manscdp_session_is_good(member_text(in, f));
        break;
    case MANSCDP_INT:
        v = member_int(in, f).v;
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

struct slice manscdp_body_fault(const struct manscdp_dialect *d,
                                const struct manscdp_body *b, const void *in)
{
    const struct manscdp_field *f = manscdp_field_of(b->shape, b->sub);

    /* a text may be empty, but not a command */
    return f && !manscdp_field_is_there(f, in, manscdp_way(d, b))
               ? f->name
               : fault_of(b->shape, in, manscdp_way(d, b));
}
