/* manscdp/schema_int.h - what the files of bodies as tables share: schema.c
 * rows and their members, schema_read.c elements into structs, schema_fault.c
 * what an edition demands, schema_write.c structs into elements */
#ifndef MANSCDP_SCHEMA_INT_H
#define MANSCDP_SCHEMA_INT_H

#include "manscdp/schema.h"

/* ---- members ---------------------------------------------------------------
 * They are reached by memcpy: the table knows offsets, the struct types. */

static inline const void *member_at(const void *in, size_t off)
{
    return (const char *)in + off;
}

static inline void member_set(void *out, size_t off, const void *value,
                              size_t n)
{
    memcpy((char *)out + off, value, n);
}

static inline struct slice member_text(const void *in,
                                       const struct manscdp_field *f)
{
    struct slice v;

    memcpy(&v, member_at(in, f->off), sizeof(v));
    return v;
}

static inline struct manscdp_int member_int(const void *in,
                                            const struct manscdp_field *f)
{
    struct manscdp_int v;

    memcpy(&v, member_at(in, f->off), sizeof(v));
    return v;
}

static inline unsigned member_word(const void *in,
                                   const struct manscdp_field *f)
{
    unsigned v;

    memcpy(&v, member_at(in, f->off), sizeof(v));
    return v;
}

static inline enum manscdp_result member_result(const void *in,
                                                const struct manscdp_field *f)
{
    enum manscdp_result v;

    memcpy(&v, member_at(in, f->off), sizeof(v));
    return v;
}

static inline const void *member_pointer(const void *in,
                                         const struct manscdp_field *f)
{
    const void *v;

    memcpy(&v, member_at(in, f->off), sizeof(v));
    return v;
}

static inline size_t member_count(const void *in, const struct manscdp_field *f)
{
    size_t v;

    memcpy(&v, member_at(in, f->off_n), sizeof(v));
    return v;
}

/* ---- words and spellings -------------------------------------------------- */

struct manscdp_spelling {
    struct slice name, spelling;
    unsigned ways; /* in which the spelling is written */
};

enum {
#define X(...) +1
    MANSCDP_SPELLINGS = 0 MANSCDP_SPELLING_MAP(X)
#undef X
};

extern const struct manscdp_spelling manscdp_spellings[MANSCDP_SPELLINGS];

/* The spelling of a name that is written in a way. */
const char *manscdp_name_in(struct slice name, unsigned way);

struct slice manscdp_result_word(enum manscdp_result r);

/* The number that text begins with, a unit may stand behind it; empty: none.
 * Digits behind it make it another one: minutes, a comma. */
struct slice manscdp_real(struct slice text);

/* ---- what an edition demands ---------------------------------------------- */

static inline unsigned manscdp_way(const struct manscdp_dialect *d,
                                   const struct manscdp_body *b)
{
    return MANSCDP_WAY(d->edition, b->root == MANSCDP_RESPONSE);
}

/* Something of the member would be written in a way and read again; of a part:
 * of what is in it. */
bool manscdp_field_is_there(const struct manscdp_field *f, const void *in,
                            unsigned way);

/* The way has the element, and something is there or must be. */
bool manscdp_field_is_written(const struct manscdp_field *f, const void *in,
                              unsigned way);
#endif
