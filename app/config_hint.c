/* What is told beside a fault of the configuration: the name that may have been
 * meant, the values that there are. */
#include "app/config_int.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 63
#define TYPOS 2 /* letters that are missing, too many or others */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Letters that have to be put in, left out or changed to make a of b. */
static unsigned distance(struct slice a, struct slice b)
{
    unsigned row[NAME_MAX_BYTES + 1];

    for (size_t j = 0; j <= b.n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; i < a.n; i++) {
        unsigned corner = row[0];

        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b.n; j++) {
            unsigned above = row[j + 1];

            row[j + 1] = least(corner + (a.p[i] != b.p[j]),
                               least(above, row[j]) + 1);
            corner = above;
        }
    }
    return row[b.n];
}

static struct slice section_of(const char *key)
{
    struct slice rest = slice_str(key), section;

    slice_cut(&rest, '.', &section);
    return section;
}

/* The nearest of all keys, or of all sections. */
static struct slice nearest(struct slice name, bool section)
{
    struct slice best = { NULL, 0 };
    unsigned far = TYPOS + 1;

    for (int k = 0; name.n <= NAME_MAX_BYTES && k < CONFIG_COUNT; k++) {
        struct slice key = section ? section_of(config_keys[k].name)
                                   : slice_str(config_keys[k].name);
        unsigned d = key.n <= NAME_MAX_BYTES ? distance(name, key) : far;

        if (d < far && d < key.n && d < name.n) {
            far = d;
            best = key;
        }
    }
    return best;
}

/* The one whose last word is the same, in another section; of several none. */
static struct slice elsewhere(struct slice name)
{
    size_t dot = slice_find(name, '.');
    struct slice last = slice_from(name, dot), found = { NULL, 0 };

    for (int k = 0; dot < name.n && k < CONFIG_COUNT; k++) {
        struct slice key = slice_str(config_keys[k].name);

        if (!slice_eq(slice_from(key, slice_find(key, '.')), last))
            continue;
        if (found.n)
            return (struct slice){ NULL, 0 };
        found = key;
    }
    return found;
}

const char *config_unknown(struct slice name, bool section,
                           char out[static CONFIG_HINT_MAX])
{
    struct slice meant = nearest(name, section);
    const char *what = section ? "no such section" : "no such setting";

    if (!meant.n && !section)
        meant = elsewhere(name);
    if (meant.n)
        snprintf(out, CONFIG_HINT_MAX, "%s: is %.*s meant?", what,
                 SLICE_ARG(meant));
    else
        snprintf(out, CONFIG_HINT_MAX, "%s: --print-config lists them", what);
    return out;
}

const char *config_bounds(const struct key_info *k, const char *fault,
                          char out[static CONFIG_HINT_MAX])
{
    if (k->choices)
        snprintf(out, CONFIG_HINT_MAX, "%s: %s", fault, k->choices);
    else if ((k->type == CONFIG_NUMBER || k->type == CONFIG_PERIOD) && k->max)
        snprintf(out, CONFIG_HINT_MAX, "%s: %u to %u", fault, k->min, k->max);
    else
        snprintf(out, CONFIG_HINT_MAX, "%s", fault);
    return out;
}

/* What libyaml says is of its scanner. */
const char *config_yaml_fault(const char *problem,
                              char out[static CONFIG_HINT_MAX])
{
    static const struct {
        const char *has, *hint;
    } hints[] = {
        { "UTF-8", "save the file as UTF-8" },
        { "cannot start any token", "indent with blanks, not with tabs, and put "
                                    "texts with special signs into quotes" },
        { "expected key", "lines of one section begin in the same column" },
        { "mapping values are not allowed", "is the line above complete, and is "
                                            "the indentation right?" },
        { "simple key", "is a ':' with a blank behind it missing?" },
    };

    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (!strstr(problem, hints[i].has))
            continue;
        snprintf(out, CONFIG_HINT_MAX, "%s: %s", problem, hints[i].hint);
        return out;
    }
    return problem;
}
