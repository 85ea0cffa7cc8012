/* manscdp/item.h - one Item of a Catalog, from the bytes or from the tree
 *
 * A catalog is items of one shape, hundreds of them. From the bytes, the tags
 * that the item before had are compared with, one after the other; only what
 * differs is looked up. Both ways give the same item (test_hot, fuzz_hot). */
#ifndef MANSCDP_ITEM_H
#define MANSCDP_ITEM_H

#include "manscdp/catalog.h"
#include "manscdp/plain.h"

/* Reads the children of node into *it, which is cleared. Paths and lists of
 * extras go to a; when there is no room they are left out. */
void manscdp_item_read(struct manscdp_item *it, const struct xml_node *node,
                       struct arena *a);

/* An item that was read from the bytes. */
struct manscdp_kept_item {
    const struct manscdp_kept_item *next;
    struct manscdp_item item;
};

/* A tag that was met in an Item or in its Info, and what it means. */
struct manscdp_guess {
    char text[32]; /* "/Name>", as it was spelt */
    uint32_t mask; /* a bit for each byte of it */
    uint8_t n;     /* bytes of it */
    uint8_t kind;
    uint8_t key;    /* kind, and whether it was in an Info */
    uint8_t length; /* of the text that came last */
    bool in_info;
    uint8_t field; /* its number, and where it is in an item */
    uint16_t off;
    struct slice path; /* of an extra */
};

#define MANSCDP_GUESSES 64 /* tags of an item that are remembered */

/* The items of a message. Begin with manscdp_items_init. */
struct manscdp_items {
    const struct manscdp_kept_item *first, **link;
    uint32_t n;
    unsigned n_guesses;
    struct manscdp_guess guess[MANSCDP_GUESSES];
};

void manscdp_items_init(struct manscdp_items *list);

/* The two functions of a sink whose ctx is a struct manscdp_items. */
bool manscdp_items_are(const struct xml_node *root,
                       const struct xml_node *list);
bool manscdp_items_take(void *ctx, struct marks *m);
#endif
