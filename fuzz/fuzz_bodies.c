/* Bodies made of tables (manscdp/schema_read.c, manscdp/schema_write.c), and PTZCmd:
 * what is read can be written, and what was written reads back as the same, so that
 * it is written the same again. */
#include "fuzz/fuzz.h"

#include "manscdp/bodies.h"
#include "manscdp/config.h"
#include "manscdp/control.h"
#include "manscdp/ptz.h"

#include <stdlib.h>
#include <string.h>

#define ARENA (1u << 20)
#define MAX_OUT (1u << 19)

static char mem_a[ARENA], mem_b[ARENA], first[MAX_OUT], again[MAX_OUT];
static union {
    struct manscdp_config_answer config;
    char bytes[1024];
} a, b, c;

static void ptz(struct slice hex)
{
    enum manscdp_ptz_op op;
    struct manscdp_ptz x, y;
    char one[16], two[16];
    struct writer w = writer_of(one, sizeof(one));
    struct writer v = writer_of(two, sizeof(two));
    struct gb_diag diag = { 0 };

    if (manscdp_ptz_parse(&x, hex, &diag)) {
        require(diag.why != NULL);
        return;
    }
    require(manscdp_ptz_by_name(slice_str(manscdp_ptz_name(x.op)), &op) &&
         op == x.op);
    require(!manscdp_ptz_is_stop(&x) || x.op == MANSCDP_PTZ_MOVE ||
         x.op == MANSCDP_PTZ_LENS);
    require(manscdp_ptz_write(&w, &x) == 0 && w.len == sizeof(one));
    require(manscdp_ptz_parse(&y, writer_slice(&w), NULL) == 0);
    require(x.op == y.op && x.address == y.address && x.pan == y.pan &&
         x.tilt == y.tilt && x.zoom == y.zoom && x.focus == y.focus &&
         x.iris == y.iris && x.group == y.group && x.preset == y.preset &&
         x.value == y.value);
    require(manscdp_ptz_write(&v, &y) == 0);
    require(slice_eq(writer_slice(&w), writer_slice(&v)));
}

/* Texts that the way there and back leaves alone: the writer leaves control
 * characters out, and what is blank at an end is cut then. */
static bool is_plain(struct slice body)
{
    for (size_t i = 0; i < body.n; i++)
        if (((uint8_t)body.p[i] < 0x20 && !ascii_is_space(body.p[i])) ||
            body.p[i] == '&' || body.p[i] == '[' ||
            (uint8_t)body.p[i] == 0xef || (uint8_t)body.p[i] == 0x84)
            return false;
    return true;
}

static void empty_copy(void)
{
    memset(&c, 0, sizeof(c));
    memcpy(&c, &a, sizeof(struct manscdp_head));
}

/* Where nothing is said, all is taken over. */
static void filled(const struct manscdp_body *body,
                   const struct manscdp_dialect *d, struct slice want)
{
    struct writer w = writer_of(again, sizeof(again));

    empty_copy();
    manscdp_shape_fill(body->shape, &c, &a);
    manscdp_shape_fill(body->shape, &c, &a); /* and once is enough */
    require(manscdp_body_encode(&w, d, body, &c) == 0);
    require(slice_eq(writer_slice(&w), want));
}

/* A copy made field by field is written the same. */
static void copied(const struct manscdp_body *body,
                   const struct manscdp_dialect *d, struct slice want)
{
    struct writer w = writer_of(again, sizeof(again));
    struct manscdp_value v;

    empty_copy();
    for (size_t i = 0; i < body->shape->n; i++) {
        const struct manscdp_field *f = &body->shape->field[i];

        require(manscdp_field_of(body->shape, f->name) != NULL);
        manscdp_field_get(&v, f, &a);
        manscdp_field_set(&c, f, &v);
        require(manscdp_field_is_said(f, &a) == manscdp_field_is_said(f, &c));
    }
    require(manscdp_body_encode(&w, d, body, &c) == 0);
    require(slice_eq(writer_slice(&w), want));
}

/* What no table has, taken from the message, goes along behind all else. */
static void with_more(const struct manscdp_msg *m,
                      const struct manscdp_dialect *d,
                      const struct manscdp_body *body)
{
    struct arena arena = arena_of(mem_b, sizeof(mem_b));
    struct writer w = writer_of(again, sizeof(again));
    const struct xml_node *n = m->doc.root->child;
    struct manscdp_head head;
    struct manscdp_msg back;

    while (n && (manscdp_field_of(body->shape, n->name) ||
                 slice_ieq(n->name, SLICE("CmdType")) ||
                 slice_ieq(n->name, SLICE("SN")) ||
                 slice_ieq(n->name, SLICE("DeviceID"))))
        n = n->next;
    if (!n)
        return;
    memcpy(&c, &a, sizeof(c));
    memcpy(&head, &c, sizeof(head));
    head.more = n;
    memcpy(&c, &head, sizeof(head));
    if (manscdp_body_encode(&w, d, body, &c))
        return;
    require(manscdp_msg_parse(&back, &arena, writer_slice(&w), NULL, NULL) == 0);
    require(!back.doc.salvaged && back.sn == m->sn);
}

static void body(const struct manscdp_msg *m, const struct manscdp_dialect *d,
                 bool plain)
{
    const struct manscdp_body *body = manscdp_body_of(m);
    struct arena arena = arena_of(mem_b, sizeof(mem_b));
    struct writer w = writer_of(first, sizeof(first));
    struct writer v = writer_of(again, sizeof(again));
    struct manscdp_msg n;

    if (!body || manscdp_body_decode(body, &a, m))
        return;
    require(body->shape->size <= sizeof(a));
    if (manscdp_body_encode(&w, d, body, &a)) {
        require(w.err != GB_ERANGE || manscdp_body_fault(d, body, &a).n);
        return;
    }
    require(manscdp_msg_parse(&n, &arena, writer_slice(&w), NULL, NULL) == 0);
    require(!n.doc.salvaged && n.root == m->root && n.cmd == m->cmd &&
         n.sn == m->sn);
    copied(body, d, writer_slice(&w));
    filled(body, d, writer_slice(&w));
    /* characters of two bytes alone are taken for GB 18030 whatever is said */
    if (!plain || (n.doc.charset == MANSCDP_GB18030 &&
                   manscdp_text_is_utf8(writer_slice(&w))))
        return;
    require(manscdp_body_decode(body, &b, &n) == 0);
    require(manscdp_body_encode(&v, d, body, &b) == 0);
    require(slice_eq(writer_slice(&w), writer_slice(&v)));
    with_more(m, d, body);
}

/* An answer for one type, which may stand elsewhere or be called otherwise:
 * what is found at its own place is not looked for. */
static void config_of_type(const struct manscdp_msg *m, unsigned which)
{
    const struct manscdp_shape *s = manscdp_config_set_body.shape;
    struct manscdp_config_answer answer, plain;
    struct slice type = s->field[which % s->n].name;
    int err = manscdp_config_answer_decode(&plain, m);

    require(err == manscdp_config_answer_decode_as(&answer, m, type) || !err);
    require(err || plain.result == MANSCDP_ABSENT ||
         plain.result == answer.result);
}

/* What is asked for at once. */
static void config_types(const struct manscdp_msg *m)
{
    struct slice rest = xml_text(m->doc.root, SLICE("ConfigType")), type;

    while (manscdp_config_type_next(&rest, &type))
        require(type.n && slice_find(type, '/') == type.n);
    require(rest.n == 0);
}

/* Of each body, what its row says is what it is. */
static void rows(const struct manscdp_msg *m)
{
    const struct manscdp_row *row = manscdp_control_row(m);
    const struct manscdp_body *of = manscdp_body_of(m);

    require(!row || (m->root == MANSCDP_CONTROL && row->root == m->root));
    require(!of || manscdp_body_for(of->root, of->cmd, of->sub) == of);
}

/* The first byte: edition, character set; 8: the rest is a PTZCmd; the rest:
 * the type of which a configuration is an answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_of(mem_a, sizeof(mem_a));
    struct manscdp_dialect d;
    struct manscdp_msg m;
    struct slice in;

    if (!size || size > 65536)
        return 0;
    in = slice_of((const char *)data + 1, size - 1);
    if (data[0] & 8) {
        ptz(in);
        return 0;
    }
    d.edition = data[0] & 3;
    d.charset = data[0] & 4 ? MANSCDP_UTF8 : MANSCDP_GB18030;
    if (manscdp_msg_parse(&m, &arena, in, NULL, NULL))
        return 0;
    body(&m, &d, is_plain(in));
    rows(&m);
    config_types(&m);
    config_of_type(&m, data[0] >> 4);
    return 0;
}
