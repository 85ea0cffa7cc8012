/* The catalog of a device as a tree. One tree is kept, that of the device asked
 * for last; what main tells of its channels keeps it right. */
#include "app/http/api.h"

#include "app/platform/tree.h"

static const char *const view_words[TREE_VIEWS] = {
    [TREE_ALL] = "all",
    [TREE_REGION] = "region",
    [TREE_BUSINESS] = "business",
    [TREE_DEVICE] = "device",
};

void http_tree_drop(struct http_app *a)
{
    tree_free(a->tree);
    a->tree = NULL;
    a->tree_device[0] = '\0';
}

static int put_channel(struct http_app *a, const struct platform_channel *ch)
{
    const struct tree_item it = { ch->id, ch->parent, ch->civil_code,
                                  ch->business_group };

    return tree_put(a->tree, &it);
}

/* The tree of a device: the one that is there, or a new one. */
static int tree_open(struct http_app *a, struct slice device)
{
    const struct tree_roots roots = { device, slice_str(a->cfg.server_id),
                                      slice_str(a->cfg.realm) };
    struct platform_channel ch;
    struct slice after = { NULL, 0 };
    uint8_t seed[16];
    int err;

    if (a->tree && slice_eq(device, slice_str(a->tree_device)))
        return 0;
    http_tree_drop(a);
    a->cfg.random(a->cfg.ctx, seed, sizeof(seed));
    err = tree_new(&a->tree, a->cfg.alloc, &roots, seed);
    while (!err && platform_channel_next(a->cfg.platform, device, after, &ch)) {
        err = put_channel(a, &ch);
        after = ch.id;
    }
    if (err)
        http_tree_drop(a);
    else
        slice_copy(a->tree_device, sizeof(a->tree_device), device);
    return err;
}

void http_tree_changed(struct http_app *a, const struct platform_action *act)
{
    struct platform_channel ch;

    if (!a->tree || !slice_eq(act->device, slice_str(a->tree_device)))
        return;
    if (act->kind == PLATFORM_DEVICE_REMOVED)
        http_tree_drop(a);
    else if (act->kind == PLATFORM_CHANNEL_REMOVED)
        tree_remove(a->tree, act->channel);
    else if (platform_channel_view(a->cfg.platform, act->device, act->channel,
                                   &ch) &&
             put_channel(a, &ch))
        http_tree_drop(a); /* no memory: built anew when it is asked for */
}

/* ---- answers ------------------------------------------------------------------ */

static void parents_write(struct jw *j, struct http_app *a, enum tree_view view,
                          struct slice id)
{
    struct slice parent;

    jw_key(j, "parents");
    jw_array(j);
    for (size_t i = 0; !tree_parent(a->tree, view, id, i, &parent); i++)
        jw_str(j, parent);
    jw_end(j);
}

static void node_write(struct jw *j, struct http_app *a, enum tree_view view,
                       const struct tree_node *n)
{
    struct platform_channel ch = { 0 };
    bool listed = !n->made_up &&
                  platform_channel_view(a->cfg.platform,
                                        slice_str(a->tree_device), n->id, &ch);
    struct slice name = ch.name;

    if (!listed) {
        name = tree_province(n->id);
        if (!name.n)
            name = n->id;
    }
    jw_object(j);
    jw_put_str(j, "id", n->id);
    jw_put_str(j, "name", name);
    jw_put_cstr(j, "kind", manscdp_kind_name(n->kind));
    jw_put_bool(j, "listed", listed);
    jw_put_u64(j, "children", n->n_children);
    parents_write(j, a, view, n->id);
    if (listed) {
        jw_put_bool(j, "online", ch.on);
        jw_put_cstr(j, "observed", platform_observed_name(ch.observed));
    } else {
        jw_put_null(j, "online");
        jw_put_null(j, "observed");
    }
    jw_end(j);
}

static bool read_view(struct http_call *c, enum tree_view *view)
{
    char text[16];
    struct slice s;
    int err = http_query_get(c->head->query, SLICE("view"), text, sizeof(text),
                             &s);

    *view = TREE_ALL;
    if (err == GB_ENOENT)
        return true;
    for (unsigned i = 0; !err && i < TREE_VIEWS; i++) {
        if (slice_eq(s, slice_str(view_words[i]))) {
            *view = (enum tree_view)i;
            return true;
        }
    }
    http_answer_fail(c, 400, "bad-parameter",
                     "view is all, region, business or device");
    return false;
}

/* The children of ?parent=, or the top. The cursor counts edges of the parent,
 * which is good until the catalog changes. */
static void children_write(struct http_call *c, enum tree_view view,
                           struct slice parent, const struct http_page *page,
                           size_t pos)
{
    struct http_app *a = c->app;
    struct tree_faults f = { 0 };
    struct tree_node n;
    struct jw j = http_list_begin(c);
    uint64_t total = 0;
    uint32_t shown = 0;
    size_t at = 0, next = 0;
    char text[24];
    struct writer w = writer_of(text, sizeof(text));

    for (; !tree_child(a->tree, view, parent, &at, &n); total++) {
        if (at <= pos)
            continue;
        if (shown == page->limit)
            continue; /* the rest is only counted */
        node_write(&j, a, view, &n);
        shown++;
        next = at;
    }
    jw_end(&j);
    if (shown == page->limit && next < at)
        writer_u64(&w, next);
    http_put_next(&j, writer_slice(&w), total);
    tree_faults(a->tree, &f);
    jw_key(&j, "faults");
    jw_object(&j);
    jw_put_u64(&j, "self_parents", f.self);
    jw_put_u64(&j, "unknown_parents", f.unknown);
    jw_put_u64(&j, "loops", f.loops);
    jw_put_u64(&j, "too_deep", f.deep);
    jw_end(&j);
    jw_end(&j);
}

void http_get_tree(struct http_call *c)
{
    struct slice device = c->params.value[0], parent = { NULL, 0 };
    struct platform_device d;
    struct http_page page;
    struct tree_node n;
    enum tree_view view;
    uint64_t pos = 0;
    char text[HTTP_ID_MAX + 1];
    int err;

    if (!platform_device_view(c->app->cfg.platform, device, &d)) {
        http_answer_no_device(c);
        return;
    }
    if (!http_page_read(c, &page) || !read_view(c, &view))
        return;
    err = http_query_get(c->head->query, SLICE("parent"), text, sizeof(text),
                         &parent);
    if ((err && err != GB_ENOENT) ||
        (page.cursor.n && !slice_u64(page.cursor, UINT32_MAX, &pos))) {
        http_answer_fail(c, 400, "bad-parameter",
                         "parent is an id, cursor one that a list gave");
        return;
    }
    err = tree_open(c->app, device);
    if (!err && parent.n && !slice_eq(parent, device))
        err = tree_find(c->app->tree, view, parent, &n);
    if (err == GB_ENOENT)
        http_answer_missing(c, "node-unknown", "no such node in the catalog",
                            parent);
    else if (err)
        http_answer_fail(c, 503, NULL, gb_strerror(err));
    else
        children_write(c, view, parent, &page, (size_t)pos);
}
