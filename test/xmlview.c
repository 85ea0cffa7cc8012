#include "test/xmlview.h"

static void view(struct writer *w, const struct xml_node *node, unsigned depth)
{
    for (; node; node = depth ? node->next : NULL) {
        for (unsigned i = 0; i < depth; i++)
            writer_str(w, "  ");
        writer_slice_put(w, node->name);
        for (unsigned i = 0; i < node->n_attrs; i++)
            writer_f(w, " @%.*s='%.*s'", SLICE_ARG(node->attrs[i].name),
                     SLICE_ARG(node->attrs[i].value));
        if (node->text.n)
            writer_f(w, " '%.*s'", SLICE_ARG(node->text));
        writer_char(w, '\n');
        view(w, node->child, depth + 1);
    }
}

void xmlview_write(struct writer *w, const struct xml_doc *doc)
{
    writer_f(w, "charset %s%s%s", manscdp_charset_name(doc->charset),
             doc->repaired ? " repaired" : "",
             doc->salvaged ? " salvaged" : "");
    if (doc->n_broken)
        writer_f(w, " broken %u at %zu", doc->n_broken, doc->broken_off);
    writer_char(w, '\n');
    view(w, doc->root, 0);
}
