/* manscdp/schema.h - bodies as tables: struct, reader and writer of one list
 *
 * A body is listed once, one row an element, in the order on the wire:
 *
 *     #define MANSCDP_HOME_MAP(X, T)
 *         X(T, INT, enabled,    "Enabled",   EALL, EALL,  0, 1)
 *         X(T, INT, reset_time, "ResetTime", EALL, ENONE, 0, MAX)
 *
 * MANSCDP_SHAPE makes the struct of it, MANSCDP_SHAPE_OF in one .c file the
 * table; MANSCDP_BODY and MANSCDP_BODY_OF do so for a whole body and give its
 * decode and encode. The columns are: kind, member, element, the editions in
 * which it is written, those in which it must be there, then what the kind
 * asks for. E.. names editions (vocab.h), R.. those of requests alone, A.. of
 * answers alone.
 *
 * Reading takes every spelling and every edition's elements in any order; what
 * cannot be a value of its kind is absent, but a number out of its range is
 * kept, for showing it. Writing is strict: order, spelling and set of elements
 * are the edition's, and a body that lacks what the edition demands, or has a
 * number out of range, is not written. */
#ifndef MANSCDP_SCHEMA_H
#define MANSCDP_SCHEMA_H

#include "manscdp/msg.h"

#define MANSCDP_MAX_EXTENSIONS 16 /* ExtraInfo texts kept of one body */
#define MANSCDP_MAX_NAME 63 /* bytes of an element's name that no table has */

/* A whole number; decimal fractions and units behind it are dropped. */
struct manscdp_int {
    bool has;
    uint32_t v;
};

static inline struct manscdp_int manscdp_int(uint32_t v)
{
    return (struct manscdp_int){ true, v };
}

enum manscdp_field_type {
    MANSCDP_TEXT,    /* slice; empty: absent */
    MANSCDP_REAL,    /* slice of a decimal number, as on the wire */
    MANSCDP_SESSION, /* slice: a SessionID */
    MANSCDP_SECRET,  /* slice; neither read from answers nor written there */
    MANSCDP_METHODS, /* slice: alarm methods, "2/5" since 2022, "25" before */
    MANSCDP_INT,
    MANSCDP_WORD,    /* unsigned: place in a list of words; 0: absent */
    MANSCDP_RESULT,  /* enum manscdp_result */
    MANSCDP_COUNT,   /* no member: how many of another row follow */
    MANSCDP_PART,    /* pointer to a struct; NULL: absent */
    MANSCDP_LIST,    /* pointer and n_..: elements in one with attribute Num */
    MANSCDP_REPEAT,  /* pointer and n_..: the element again and again */
    MANSCDP_TEXTS    /* pointer and n_.. of slices: elements in one */
};

enum manscdp_layout {
    MANSCDP_INLINE, /* children on the line of their parent */
    MANSCDP_LINES   /* each on a line of its own */
};

struct manscdp_shape;

struct manscdp_field {
    struct slice name; /* of the element */
    enum manscdp_field_type type;
    enum manscdp_layout layout;
    unsigned editions, need; /* sets of MANSCDP_WAY */
    size_t off, off_n;       /* of the member, and of its n_.. */
    uint32_t min, max;       /* of a number; max: of repeated elements too */
    const struct manscdp_shape *shape;
    const struct slice *words; /* from 1 on, an empty one at the end */
    struct slice item;         /* what a list consists of */
};

struct manscdp_shape {
    const struct manscdp_field *field;
    size_t n;
    size_t size; /* of the struct, in bytes */
};

/* How something is written: an edition, as a request or as an answer. */
#define MANSCDP_WAY(edition, is_answer)                                        \
    ((1u << (edition)) << ((is_answer) ? 4 : 0))

/* Sets of ways by the names in the rows. */
#define MANSCDP_W_ENONE 0u
#define MANSCDP_W_EALL 0xffu
#define MANSCDP_W_E11 0x11u
#define MANSCDP_W_E14 0x22u
#define MANSCDP_W_E16 0x44u
#define MANSCDP_W_E22 0x88u
#define MANSCDP_W_ESINCE14 0xeeu
#define MANSCDP_W_ESINCE16 0xccu
#define MANSCDP_W_EUNTIL16 0x77u
#define MANSCDP_W_E14_16 0x66u
#define MANSCDP_W_R14 0x02u
#define MANSCDP_W_A14 0x20u
#define MANSCDP_W_A16 0x40u
#define MANSCDP_W_A22 0x80u
#define MANSCDP_W_A14_16 0x60u
#define MANSCDP_W_AALL 0xf0u
#define MANSCDP_W_ASINCE16 0xc0u

/* Other spellings of an element: all are read; the second column is written in
 * these ways in place of the first. */
#define MANSCDP_SPELLING_MAP(X)                                                \
    X("IFrameCmd",          "IFameCmd",          EUNTIL16)                     \
    X("ExtraInfo",          "Info",              EUNTIL16)                     \
    X("ExtraInfo",          "ExtralInfo",        ENONE)                        \
    X("SnapShotConfig",     "SnapShot",          A22)                          \
    X("IndistinctQuery",    "DistinctQuery",     ENONE)                        \
    X("StartAlarmPriority", "StartAlarmPrority", ENONE)                        \
    X("EndAlarmPriority",   "EndAlarmPrority",   ENONE)                        \
    X("StartAlarmTime",     "StartTime",         ENONE)                        \
    X("EndAlarmTime",       "EndTime",           ENONE)                        \
    X("AlerShowtFlag",      "AlertShowFlag",     ENONE)

/* What all bodies begin with. Texts of an extension (ExtraInfo, before 2022
 * Info) are vendors' own and stand at the end; queries have none. */
struct manscdp_head {
    uint32_t sn;
    struct slice device_id; /* empty: absent, as in Broadcast */
    const struct slice *extra;
    size_t n_extra;
    /* Siblings that no table has, written behind all else; never read. Their
     * names are written as they are. */
    const struct xml_node *more;
};

/* A body: the struct begins with its head. */
struct manscdp_body {
    enum manscdp_root root;
    enum manscdp_cmd cmd;
    struct slice sub; /* the element that makes it this command, or empty */
    const struct manscdp_shape *shape;
};

/* Root and CmdType are b's, and the element of its command is there and has
 * what makes it one: a value, or elements of its own. */
bool manscdp_body_is(const struct manscdp_body *b,
                     const struct manscdp_msg *msg);

/* Fills *out, of b->shape->size bytes: slices are the message's, what repeats
 * is put into its arena. 0; GB_ESYNTAX: msg is another command; GB_ENOMEM. An
 * answer without Result that has anything else is OK. */
int manscdp_body_decode(const struct manscdp_body *b, void *out,
                        const struct manscdp_msg *msg);

/* Appends one whole body. 0, the error of w, GB_EUNSUPPORTED: the edition has
 * no such command, or GB_ERANGE: see manscdp_body_fault; then nothing is
 * appended. */
int manscdp_body_encode(struct writer *w, const struct manscdp_dialect *d,
                        const struct manscdp_body *b, const void *in);

/* The first element that is missing or out of range in the dialect's edition;
 * empty: none. */
struct slice manscdp_body_fault(const struct manscdp_dialect *d,
                                const struct manscdp_body *b, const void *in);

/* A body without elements of its own, as most queries are: its struct is the
 * head alone. */
extern const struct manscdp_shape manscdp_no_elements;

/* ---- bodies of any kind: by their rows ------------------------------------ */

/* The member of one row. */
struct manscdp_value {
    bool has;
    uint32_t number;   /* INT, COUNT, WORD, RESULT */
    struct slice text; /* the texts, and the words of WORD and RESULT */
    const void *items; /* PART, LIST, REPEAT: structs of f->shape; TEXTS: slices */
    size_t n;          /* of items; PART: 1 */
};

void manscdp_field_get(struct manscdp_value *out,
                       const struct manscdp_field *f, const void *in);

/* Sets the member from what its kind has of *v: a number (and has), a text, or
 * items. COUNT has none. */
void manscdp_field_set(void *out, const struct manscdp_field *f,
                       const struct manscdp_value *v);

/* The row of an element in any of its spellings, without regard to case;
 * NULL: s has none. */
const struct manscdp_field *manscdp_field_of(const struct manscdp_shape *s,
                                             struct slice name);

/* The first item of this list, which is an element of f: a LIST or TEXTS. Most
 * lists consist of Item, and devices write that in the others, too. */
const struct xml_node *manscdp_first_item(const struct manscdp_field *f,
                                          const struct xml_node *list);

/* The name of an element as it is written in a way. */
struct slice manscdp_field_name(const struct manscdp_field *f, unsigned way);

/* One shape read from, or written into, an element of the caller's. */
int manscdp_shape_decode(const struct manscdp_shape *s, void *out,
                         const struct manscdp_msg *msg,
                         const struct xml_node *node);

/* What out does not say is taken over from `from`; parts that both have are
 * filled likewise, so those of out must be its own (as decoding makes them),
 * and those it took over are shared. Lists are whole: said or not. */
void manscdp_shape_fill(const struct manscdp_shape *s, void *out,
                        const void *from);

/* Of one field alone: something is said in it. */
bool manscdp_field_is_said(const struct manscdp_field *f, const void *in);

/* [A-Za-z0-9-], 32 to 128 of them. */
bool manscdp_session_is_good(struct slice id);

/* ---- making structs and tables of a list ----------------------------------- */

#define MANSCDP_MEMBER(T, kind, ...) MANSCDP_MEMBER_##kind(__VA_ARGS__)
#define MANSCDP_MEMBER_TEXT(m, ...) struct slice m;
#define MANSCDP_MEMBER_REAL(m, ...) struct slice m;
#define MANSCDP_MEMBER_SESSION(m, ...) struct slice m;
#define MANSCDP_MEMBER_SECRET(m, ...) struct slice m;
#define MANSCDP_MEMBER_METHODS(m, ...) struct slice m;
#define MANSCDP_MEMBER_INT(m, ...) struct manscdp_int m;
#define MANSCDP_MEMBER_WORD(m, ...) unsigned m;
#define MANSCDP_MEMBER_RESULT(m, ...) enum manscdp_result m;
#define MANSCDP_MEMBER_COUNT(m, ...)
#define MANSCDP_MEMBER_PART(m, el, e, need, type, layout) const struct type *m;
#define MANSCDP_MEMBER_LIST(m, el, e, need, type, ...)                         \
    const struct type *m;                                                      \
    size_t n_##m;
#define MANSCDP_MEMBER_REPEAT(m, el, e, need, type, ...)                       \
    const struct type *m;                                                      \
    size_t n_##m;
#define MANSCDP_MEMBER_TEXTS(m, ...)                                           \
    const struct slice *m;                                                     \
    size_t n_##m;

#define MANSCDP_SHAPE(tag, MAP)                                                \
    struct tag {                                                               \
        MAP(MANSCDP_MEMBER, tag)                                               \
    };                                                                         \
    extern const struct manscdp_shape tag##_shape

#define MANSCDP_BODY(tag, MAP)                                                 \
    struct tag {                                                               \
        struct manscdp_head head;                                              \
        MAP(MANSCDP_MEMBER, tag)                                               \
    };                                                                         \
    extern const struct manscdp_body tag##_body;                               \
    int tag##_decode(struct tag *out, const struct manscdp_msg *msg);          \
    int tag##_encode(struct writer *w, const struct manscdp_dialect *d,        \
                     const struct tag *in)

#define MANSCDP_FIELD(T, kind, ...) MANSCDP_FIELD_##kind(T, __VA_ARGS__)
#define MANSCDP_FIELD_BASE(T, kind, m, el, e, wanted)                          \
    .name = SLICE_INIT(el), .type = MANSCDP_##kind,                            \
    .editions = MANSCDP_W_##e, .need = MANSCDP_W_##wanted,                     \
    .off = offsetof(struct T, m)
#define MANSCDP_FIELD_TEXT(T, ...)                                             \
    { MANSCDP_FIELD_BASE(T, TEXT, __VA_ARGS__) },
#define MANSCDP_FIELD_REAL(T, ...)                                             \
    { MANSCDP_FIELD_BASE(T, REAL, __VA_ARGS__) },
#define MANSCDP_FIELD_SESSION(T, ...)                                          \
    { MANSCDP_FIELD_BASE(T, SESSION, __VA_ARGS__) },
#define MANSCDP_FIELD_SECRET(T, ...)                                           \
    { MANSCDP_FIELD_BASE(T, SECRET, __VA_ARGS__) },
#define MANSCDP_FIELD_METHODS(T, ...)                                          \
    { MANSCDP_FIELD_BASE(T, METHODS, __VA_ARGS__) },
#define MANSCDP_FIELD_RESULT(T, ...)                                           \
    { MANSCDP_FIELD_BASE(T, RESULT, __VA_ARGS__) },
#define MANSCDP_FIELD_INT(T, m, el, e, wanted, lo, hi)                         \
    { MANSCDP_FIELD_BASE(T, INT, m, el, e, wanted), .min = lo, .max = hi },
#define MANSCDP_FIELD_WORD(T, m, el, e, wanted, list)                          \
    { MANSCDP_FIELD_BASE(T, WORD, m, el, e, wanted), .words = list },
#define MANSCDP_FIELD_COUNT(T, m, el, e, wanted)                               \
    { MANSCDP_FIELD_BASE(T, COUNT, m, el, e, wanted),                          \
      .off_n = offsetof(struct T, n_##m) },
#define MANSCDP_FIELD_PART(T, m, el, e, wanted, tag, how)                      \
    { MANSCDP_FIELD_BASE(T, PART, m, el, e, wanted),                           \
      .layout = MANSCDP_##how, .shape = &tag##_shape },
#define MANSCDP_FIELD_LIST(T, m, el, e, wanted, tag, each, how, hi)            \
    { MANSCDP_FIELD_BASE(T, LIST, m, el, e, wanted),                           \
      .off_n = offsetof(struct T, n_##m), .layout = MANSCDP_##how,             \
      .shape = &tag##_shape, .item = SLICE_INIT(each), .max = hi },
#define MANSCDP_FIELD_REPEAT(T, m, el, e, wanted, tag, hi)                     \
    { MANSCDP_FIELD_BASE(T, REPEAT, m, el, e, wanted),                         \
      .off_n = offsetof(struct T, n_##m), .shape = &tag##_shape,               \
      .item = SLICE_INIT(el), .max = hi },
#define MANSCDP_FIELD_TEXTS(T, m, el, e, wanted, each, how, hi)                \
    { MANSCDP_FIELD_BASE(T, TEXTS, m, el, e, wanted),                          \
      .off_n = offsetof(struct T, n_##m), .layout = MANSCDP_##how,             \
      .item = SLICE_INIT(each), .max = hi },

#define MANSCDP_FIELDS_OF(tag, MAP)                                            \
    static const struct manscdp_field tag##_fields[] = {                       \
        MAP(MANSCDP_FIELD, tag)                                                \
    }

#define MANSCDP_SHAPE_INIT(tag)                                                \
    {                                                                          \
        tag##_fields, sizeof(tag##_fields) / sizeof(tag##_fields[0]),          \
            sizeof(struct tag)                                                 \
    }

#define MANSCDP_SHAPE_OF(tag, MAP)                                             \
    MANSCDP_FIELDS_OF(tag, MAP);                                               \
    const struct manscdp_shape tag##_shape = MANSCDP_SHAPE_INIT(tag)

/* sub: the element that makes it this command; "" if root and cmd do. */
#define MANSCDP_BODY_OF(tag, MAP, root, cmd, sub)                              \
    MANSCDP_FIELDS_OF(tag, MAP);                                               \
    static const struct manscdp_shape tag##_shape = MANSCDP_SHAPE_INIT(tag);   \
    const struct manscdp_body tag##_body = { MANSCDP_##root,                   \
                                             MANSCDP_CMD_##cmd,                \
                                             SLICE_INIT(sub), &tag##_shape };  \
    int tag##_decode(struct tag *out, const struct manscdp_msg *msg)           \
    {                                                                          \
        return manscdp_body_decode(&tag##_body, out, msg);                     \
    }                                                                          \
    int tag##_encode(struct writer *w, const struct manscdp_dialect *d,        \
                     const struct tag *in)                                     \
    {                                                                          \
        return manscdp_body_encode(w, d, &tag##_body, in);                     \
    }                                                                          \
    _Static_assert(offsetof(struct tag, head) == 0, "the head is first")
#endif
