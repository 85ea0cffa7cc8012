/* app/device/device_values.h - what a DeviceConfig sets and a ConfigDownload
 * reads back (GB/T 28181-2022 A.2.3.2, A.2.6.9)
 *
 * The settings that differ from a new camera's are kept as the text of one
 * answer that has them all. */
#ifndef APP_DEVICE_DEVICE_VALUES_H
#define APP_DEVICE_DEVICE_VALUES_H

#include "base/alloc.h"
#include "manscdp/config.h"

#define DEVICE_VALUES_BYTES 16384 /* of the text, at most */

struct device_values {
    char *text; /* NULL: as new. Own memory */
    size_t n;
};

void device_values_fini(struct device_values *s,
                          const struct gb_alloc *alloc);

/* What is set, in *out, as far as the edition has it; room is for all it
 * points to, and basic for what only the owner knows; it may be changed. 0 or
 * GB_ENOMEM. */
int device_values_read(const struct device_values *s, struct arena *room,
                         struct manscdp_basic_param *basic,
                         struct manscdp_config_answer *out);

/* Carries out a DeviceConfig: what it does not say stays as it was. 0;
 * GB_EUNSUPPORTED: no type of it can be set in this edition; GB_ERANGE: a value
 * that cannot be; GB_ENOMEM. Then nothing has changed. */
int device_values_set(struct device_values *s,
                        const struct gb_alloc *alloc, struct arena *room,
                        struct manscdp_basic_param *basic,
                        enum manscdp_edition edition,
                        const struct manscdp_msg *order);

/* The field of a type by its ConfigType, in the table of answers: a bit of a
 * set; 0: the edition has no such type. */
uint32_t device_values_type(struct slice name, enum manscdp_edition e);

/* Only that type of all. The result is OK if there is anything to say. */
void device_values_pick(const struct manscdp_config_answer *all,
                          uint32_t type, struct manscdp_config_answer *out);
#endif
