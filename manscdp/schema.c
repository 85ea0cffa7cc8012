#include "manscdp/schema_int.h"

const struct manscdp_spelling manscdp_spellings[MANSCDP_SPELLINGS] = {
#define X(name, spelling, ways)                                                \
    { SLICE_INIT(name), SLICE_INIT(spelling), MANSCDP_W_##ways },
    MANSCDP_SPELLING_MAP(X)
#undef X
};

const struct manscdp_shape manscdp_no_elements = {
    NULL, 0, sizeof(struct manscdp_head)
};

struct slice manscdp_result_word(enum manscdp_result r)
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
        v.text = member_text(in, f);
        v.has = v.text.n > 0;
        break;
    case MANSCDP_INT:
        v.has = member_int(in, f).has;
        v.number = member_int(in, f).v;
        break;
    case MANSCDP_WORD:
        v.number = member_word(in, f);
        v.has = v.number != 0;
        v.text = f->words[v.number];
        break;
    case MANSCDP_RESULT:
        v.number = member_result(in, f);
        v.has = v.number != MANSCDP_ABSENT;
        v.text = manscdp_result_word(member_result(in, f));
        break;
    case MANSCDP_COUNT:
        v.number = (uint32_t)member_count(in, f);
        v.has = true;
        break;
    case MANSCDP_PART:
        v.items = member_pointer(in, f);
        v.has = v.items != NULL;
        v.n = v.has;
        break;
    case MANSCDP_LIST:
    case MANSCDP_REPEAT:
    case MANSCDP_TEXTS:
        v.items = member_pointer(in, f);
        v.n = member_count(in, f);
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
        member_set(out, f->off, &v->text, sizeof(v->text));
        break;
    case MANSCDP_INT:
        member_set(out, f->off, &number, sizeof(number));
        break;
    case MANSCDP_WORD:
        member_set(out, f->off, &word, sizeof(word));
        break;
    case MANSCDP_RESULT:
        member_set(out, f->off, &result, sizeof(result));
        break;
    case MANSCDP_COUNT:
        break;
    case MANSCDP_PART:
        member_set(out, f->off, &v->items, sizeof(v->items));
        break;
    case MANSCDP_LIST:
    case MANSCDP_REPEAT:
    case MANSCDP_TEXTS:
        member_set(out, f->off, &v->items, sizeof(v->items));
        member_set(out, f->off_n, &v->n, sizeof(v->n));
        break;
    }
}

const struct manscdp_field *manscdp_field_of(const struct manscdp_shape *s,
                                             struct slice name)
{
    for (size_t i = 0; i < MANSCDP_SPELLINGS; i++)
        if (slice_ieq(manscdp_spellings[i].spelling, name))
            for (size_t k = 0; k < s->n; k++)
                if (slice_eq(s->field[k].name, manscdp_spellings[i].name))
                    return &s->field[k];
    for (size_t k = 0; k < s->n; k++)
        if (slice_ieq(s->field[k].name, name))
            return &s->field[k];
    return NULL;
}

const char *manscdp_name_in(struct slice name, unsigned way)
{
    for (size_t i = 0; i < MANSCDP_SPELLINGS; i++)
        if (manscdp_spellings[i].ways & way &&
            slice_eq(manscdp_spellings[i].name, name))
            return manscdp_spellings[i].spelling.p;
    return name.p;
}

struct slice manscdp_field_name(const struct manscdp_field *f, unsigned way)
{
    return slice_str(manscdp_name_in(f->name, way));
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

struct slice manscdp_real(struct slice text)
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

bool manscdp_field_is_said(const struct manscdp_field *f, const void *in)
{
    if (f->type == MANSCDP_PART)
        return member_pointer(in, f) != NULL;
    return manscdp_field_is_there(f, in, 0);
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

    member_set(out, f->off, member_at(from, f->off), size[f->type]);
    if (f->type == MANSCDP_LIST || f->type == MANSCDP_REPEAT ||
        f->type == MANSCDP_TEXTS)
        member_set(out, f->off_n, member_at(from, f->off_n), sizeof(size_t));
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
        else if (f->type == MANSCDP_PART &&
                 member_pointer(out, f) != member_pointer(from, f))
            manscdp_shape_fill(f->shape,
                               (void *)(uintptr_t)member_pointer(out, f),
                               member_pointer(from, f));
    }
}
