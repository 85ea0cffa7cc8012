/* The bodies of commands and of their answers as JSON schemas, from the tables
 * that read and write them. */
#include "app/http/openapi.h"

#include "manscdp/bodies.h"

static const char *const edition_names[MANSCDP_EDITION_COUNT] = {
    "2011", "2014", "2016", "2022"
};

static void members_write(struct jw *j, const struct manscdp_shape *s,
                          bool is_answer);

static void words_write(struct jw *j, const struct slice *words)
{
    jw_put_cstr(j, "type", "string");
    jw_key(j, "enum");
    jw_array(j);
    for (; words->n; words++)
        jw_str(j, *words);
    jw_end(j);
}

static void items_write(struct jw *j, const struct manscdp_field *f,
                        bool is_answer)
{
    jw_put_cstr(j, "type", "array");
    jw_put_u64(j, "maxItems", f->max);
    jw_key(j, "items");
    jw_object(j);
    if (f->type == MANSCDP_TEXTS)
        jw_put_cstr(j, "type", "string");
    else
        members_write(j, f->shape, is_answer);
    jw_end(j);
}

static void type_write(struct jw *j, const struct manscdp_field *f,
                       bool is_answer)
{
    static const struct slice results[] = { SLICE_INIT("OK"),
                                            SLICE_INIT("ERROR"), { 0 } };

    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_SESSION:
    case MANSCDP_METHODS:
        jw_put_cstr(j, "type", "string");
        break;
    case MANSCDP_SECRET:
        jw_put_cstr(j, "type", "string");
        jw_put_bool(j, "writeOnly", true);
        break;
    case MANSCDP_REAL:
        jw_put_cstr(j, "type", "number");
        break;
    case MANSCDP_INT:
        jw_put_cstr(j, "type", "integer");
        jw_put_u64(j, "minimum", f->min);
        jw_put_u64(j, "maximum", f->max);
        break;
    case MANSCDP_COUNT:
        jw_put_cstr(j, "type", "integer");
        break;
    case MANSCDP_WORD:
        words_write(j, f->words + 1);
        break;
    case MANSCDP_RESULT:
        words_write(j, results);
        break;
    case MANSCDP_PART:
        members_write(j, f->shape, is_answer);
        break;
    case MANSCDP_LIST:
    case MANSCDP_REPEAT:
    case MANSCDP_TEXTS:
        items_write(j, f, is_answer);
        break;
    }
}

/* The editions of a set of ways. */
static void editions_write(struct jw *j, const char *key, unsigned ways,
                           bool is_answer)
{
    jw_key(j, key);
    jw_array(j);
    for (unsigned e = 0; e < MANSCDP_EDITION_COUNT; e++)
        if (ways & MANSCDP_WAY(e, is_answer))
            jw_str(j, slice_str(edition_names[e]));
    jw_end(j);
}

static void field_write(struct jw *j, const struct manscdp_field *f,
                        bool is_answer)
{
    jw_key(j, f->name.p);
    jw_object(j);
    type_write(j, f, is_answer);
    editions_write(j, "x-editions", f->editions, is_answer);
    editions_write(j, "x-required-in", f->need, is_answer);
    jw_end(j);
}

static void members_write(struct jw *j, const struct manscdp_shape *s,
                          bool is_answer)
{
    const unsigned ways = is_answer ? MANSCDP_W_AALL
                                    : MANSCDP_W_EALL & ~MANSCDP_W_AALL;

    jw_put_cstr(j, "type", "object");
    jw_key(j, "properties");
    jw_object(j);
    for (size_t i = 0; i < s->n; i++)
        if (s->field[i].editions & ways)
            field_write(j, &s->field[i], is_answer);
    jw_end(j);
}

void http_openapi_bodies(struct jw *j)
{
    size_t n;
    const struct manscdp_body *const *b = manscdp_bodies(&n);

    for (; n; n--, b++) {
        char name[96];
        struct writer w = writer_of(name, sizeof(name) - 1);

        writer_f(&w, "%s.%s%s%.*s", manscdp_root_name((*b)->root),
                 manscdp_cmd_name((*b)->cmd), (*b)->sub.n ? "." : "",
                 SLICE_ARG((*b)->sub));
        name[w.len] = '\0';
        jw_key(j, name);
        jw_object(j);
        members_write(j, (*b)->shape, (*b)->root == MANSCDP_RESPONSE);
        jw_end(j);
    }
}
