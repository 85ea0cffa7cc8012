/* app/config_int.h - what the files of the configuration share: config.c the table
 * and its values, config_file.c YAML, config_kept.c what people set while it
 * runs */
#ifndef APP_CONFIG_INT_H
#define APP_CONFIG_INT_H

#include "app/config.h"

struct key_info {
    const char *name;
    enum config_type type;
    const char *def, *choices;
    uint32_t min, max;
    bool hup;
    const char *help;
};
extern const struct key_info config_keys[CONFIG_COUNT];

int config_refuse(struct config_error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int config_find_key(struct slice name); /* -1: there is none */
bool config_is_list(enum config_type t);

/* false: no memory */
bool config_value_push(struct config_value *v, struct slice s);
bool config_value_of_text(struct config_value *v, const struct key_info *k,
                          struct slice s);
void config_value_clear(struct config_value *v);
/* NULL, or what is wrong with it. */
const char *config_value_fault(const struct key_info *k,
                               const struct config_value *v);

/* ---- config_hint.c: faults, with what is told beside them; in `out`, or static */
#define CONFIG_HINT_MAX 256
const char *config_unknown(struct slice name, bool section,
                           char out[static CONFIG_HINT_MAX]);
const char *config_bounds(const struct key_info *k, const char *fault,
                          char out[static CONFIG_HINT_MAX]);
const char *config_yaml_fault(const char *problem,
                              char out[static CONFIG_HINT_MAX]);
/* As YAML. */
void config_print_value(FILE *out, int k, const struct config_value *v);
#endif
