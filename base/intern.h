/* base/intern.h - texts that many objects share, each kept once
 *
 * A hundred thousand cameras have a handful of makers, models and firmwares.
 * Who takes a text counts as its holder; it goes with the last of them. */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include "base/map.h"

struct intern {
    struct map texts;
};

/* seed: see map_init. 0 or GB_ENOMEM. */
int intern_init(struct intern *t, const struct gb_alloc *alloc,
                const void *seed);
/* What is still held goes too. */
void intern_fini(struct intern *t);

/* A kept text. */
struct interned;

/* The one that equals s; NULL when there is no memory or s is empty. It is good
 * until intern_drop. */
const struct interned *intern_take(struct intern *t, struct slice s);

/* Has a NUL behind it. Empty of NULL. */
struct slice intern_text(const struct interned *x);

/* NULL is fine. */
void intern_drop(struct intern *t, const struct interned *x);
#endif
