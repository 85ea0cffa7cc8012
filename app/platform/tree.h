/* app/platform/tree.h - the catalog of one device as a tree
 * (GB/T 28181-2022 Annex J; resolving ParentID, BusinessGroupID, CivilCode)
 *
 * Items are put and removed one by one, in any order; what hangs where is
 * worked out when somebody looks. Texts are copied. No clock, no I/O.
 *
 * Three arrangements lie over the same nodes, each a kind of edge:
 *
 *     region    region -> region by the code; the others by CivilCode
 *     business  group <- organisation <- organisation <- camera
 *     device    system <- recorder <- channel, by ParentID
 *
 * An item may hang in several places. What names itself, somebody unknown, or
 * closes a loop hangs at the top and is counted. */
#ifndef APP_PLATFORM_TREE_H
#define APP_PLATFORM_TREE_H

#include "base/alloc.h"
#include "manscdp/devid.h"

#define TREE_MAX_DEPTH 32   /* levels; deeper is taken for a fault */
#define TREE_MAX_PARENTS 16 /* of one item; further ones are left out */
#define TREE_TEXT_MAX 255   /* bytes of ParentID, CivilCode, BusinessGroupID */

enum tree_view {
    TREE_ALL,      /* as the sender arranges it; of the regions those that it
                      lists */
    TREE_REGION,   /* by place: regions that nobody lists are made up */
    TREE_BUSINESS, /* groups, organisations and what is in them */
    TREE_DEVICE,   /* systems, devices, channels */
    TREE_VIEWS
};

/* Empty texts: not told. */
struct tree_item {
    struct slice id, parent, civil_code, business_group;
};

struct tree_node {
    struct slice id; /* the tree's, until it changes */
    enum manscdp_kind kind;
    bool made_up;    /* a region that the device does not list */
    size_t n_children; /* in the view that was asked for */
};

struct tree_faults {
    uint32_t self, unknown, loops, deep; /* parents that were left out */
};

struct tree;

/* Who it is about, and who stands above all of it in many a ParentID. */
struct tree_roots {
    struct slice device;           /* the registered one */
    struct slice platform, domain; /* ours */
};
/* seed: 16 random bytes. 0 or GB_ENOMEM. */
int tree_new(struct tree **out, const struct gb_alloc *alloc,
             const struct tree_roots *roots, const void *seed);
void tree_free(struct tree *t);

/* Adds the item, or changes it. GB_ENOMEM: the tree is as it was. GB_ESYNTAX:
 * the id is none. */
int tree_put(struct tree *t, const struct tree_item *it);
/* An unknown id does nothing. */
void tree_remove(struct tree *t, struct slice id);
size_t tree_count(const struct tree *t); /* items, without regions made up */

/* The children of a node one by one, in the order region, system, group,
 * organisation, device, the rest, and then of ids. parent empty, or the device:
 * the top. *pos starts at 0. 0, GB_ENOENT (no such node, or at the end) or
 * GB_ENOMEM. */
int tree_child(struct tree *t, enum tree_view view, struct slice parent,
               size_t *pos, struct tree_node *out);
/* GB_ENOENT, GB_ENOMEM. */
int tree_find(struct tree *t, enum tree_view view, struct slice id,
              struct tree_node *out);
/* The i-th parent of a node in a view; GB_ENOENT: at the top, or no more. */
int tree_parent(struct tree *t, enum tree_view view, struct slice id, size_t i,
                struct slice *out);
/* 0 or GB_ENOMEM. */
int tree_faults(struct tree *t, struct tree_faults *out);

/* "安徽省" for 34; empty for what is no province (GB/T 2260). */
struct slice tree_province(struct slice code);
#endif
