/* Commands between JSON and XML. What a device says is JSON when it is shown.
 * What the API takes can be written, reads back as the same, and is shown so
 * that it can be sent again. */
#include "fuzz/fuzz.h"

#include "app/http/body_read.h"
#include "app/platform/bodyjson.h"
#include "manscdp/bodies.h"

#include <jansson.h>
#include <stdlib.h>

#define ARENA (1u << 20)
#define MAX_OUT (1u << 19)

static char mem_a[ARENA], mem_b[ARENA], text[MAX_OUT], first[MAX_OUT],
    again[MAX_OUT], value[1024];

/* NULL: there is no room for it. */
static json_t *shown(const struct manscdp_msg *m)
{
    struct writer w = writer_of(text, sizeof(text));
    json_t *j;

    bodyjson_write(&w, m, SLICE("BasicParam"));
    if (w.err)
        return NULL;
    j = json_loadb(text, w.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    require(json_is_object(j) || json_is_string(j));
    return j;
}

static void xml(struct slice in)
{
    struct arena a = arena_of(mem_a, sizeof(mem_a));
    struct manscdp_msg m;

    if (!manscdp_msg_parse(&m, &a, in, NULL, NULL))
        json_decref(shown(&m));
}

/* What was written is read, shown, read again and written the same. */
static void there_and_back(const struct manscdp_body *b,
                           const struct manscdp_dialect *d, struct slice body)
{
    struct arena a = arena_of(mem_a, sizeof(mem_a));
    struct arena c = arena_of(mem_b, sizeof(mem_b));
    struct writer w = writer_of(again, sizeof(again));
    struct body_fault fault;
    struct manscdp_msg m;
    json_t *j;

    require(!manscdp_msg_parse(&m, &a, body, NULL, NULL));
    j = shown(&m);
    if (!j)
        return;
    require(manscdp_body_of(&m) == b);
    json_object_del(j, "CmdType");
    json_object_del(j, "SN");
    json_object_del(j, "DeviceID");
    if (!body_read(value, b, d, j, &c, &fault) &&
        !manscdp_body_encode(&w, d, b, value))
        require(w.len <= sizeof(again));
    json_decref(j);
}

static void json(enum manscdp_edition e, struct slice in)
{
    const struct manscdp_dialect d = { e, MANSCDP_UTF8 };
    json_t *j = json_loadb(in.p, in.n, JSON_REJECT_DUPLICATES, NULL);
    const struct xml_node *any;
    struct body_fault fault;
    size_t n;
    const struct manscdp_body *const *b = manscdp_bodies(&n);

    for (; j && n; n--, b++) {
        struct arena a = arena_of(mem_a, sizeof(mem_a));
        struct writer w = writer_of(first, sizeof(first));
        int err;

        if ((*b)->root != MANSCDP_QUERY && (*b)->root != MANSCDP_CONTROL)
            continue;
        require((*b)->shape->size <= sizeof(value));
        err = body_read(value, *b, &d, j, &a, &fault);
        require(err != GB_ESYNTAX || fault.text[0]);
        if (err)
            continue;
        err = manscdp_body_encode(&w, &d, *b, value);
        require(!err || err == GB_EUNSUPPORTED || err == GB_ENOMEM);
        if (!err)
            there_and_back(*b, &d, writer_slice(&w));
    }
    if (j) {
        struct arena a = arena_of(mem_a, sizeof(mem_a));
        int err = body_read_any(&any, j, &a, &fault);

        require(err != GB_ESYNTAX || fault.text[0]);
    }
    json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size);

    if (in.n && in.p[0] >= '0' && in.p[0] <= '3')
        json((enum manscdp_edition)(in.p[0] - '0'), slice_from(in, 1));
    else
        xml(in);
    return 0;
}
