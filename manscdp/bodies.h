/* manscdp/bodies.h - every body that has a table, found by what it is
 *
 * Queries without elements of their own, answers with a Result alone and the
 * bodies of notify.h, catalog.h and device.h have none. */
#ifndef MANSCDP_BODIES_H
#define MANSCDP_BODIES_H

#include "manscdp/schema.h"

/* All of them. */
const struct manscdp_body *const *manscdp_bodies(size_t *n);

/* The table of a command, sub in any of its spellings; NULL: it has none. */
const struct manscdp_body *manscdp_body_for(enum manscdp_root root,
                                            enum manscdp_cmd cmd,
                                            struct slice sub);

/* What msg is, by root, CmdType and, for DeviceControl, its command. NULL:
 * none of the table. */
const struct manscdp_body *manscdp_body_of(const struct manscdp_msg *msg);
#endif
