/* The plain reader of XML and the general one give the same tree for what the
 * plain one reads. */
#include "fuzz/fuzz.h"

#include "manscdp/xml.h"

#include <stdlib.h>

#define ARENA (1u << 20)

static char mem_a[ARENA], mem_b[ARENA];

static void same(const struct xml_node *a, const struct xml_node *b)
{
    for (; a && b; a = a->next, b = b->next) {
        require(slice_eq(a->name, b->name) && slice_eq(a->text, b->text));
        require(a->n_attrs == b->n_attrs);
        for (unsigned i = 0; i < a->n_attrs; i++)
            require(slice_eq(a->attrs[i].name, b->attrs[i].name) &&
                 slice_eq(a->attrs[i].value, b->attrs[i].value));
        same(a->child, b->child);
    }
    require(!a && !b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size);
    struct arena a = arena_of(mem_a, sizeof(mem_a));
    struct arena b = arena_of(mem_b, sizeof(mem_b));
    struct xml_limits general = { .general = true };
    struct xml_doc x, y;

    if (xml_parse(&x, &a, in, NULL, NULL))
        return 0;
    require(xml_parse(&y, &b, in, &general, NULL) == 0);
    require(x.charset == y.charset && x.salvaged == y.salvaged);
    require(x.repaired == y.repaired);
    same(x.root, y.root);
    return 0;
}
