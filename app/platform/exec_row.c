#include "app/platform/exec_row.h"

static bool parse_kinds(struct slice words, unsigned *kinds)
{
    struct slice one;
    bool more = true;

    *kinds = 0;
    if (slice_eq(words, SLICE("all"))) {
        *kinds = (1u << HOOKS_TEST) - 1;
        return true;
    }
    while (more) {
        enum hooks_kind k;

        more = slice_cut(&words, '+', &one);
        k = hooks_kind_by_name(one);
        if (k >= HOOKS_TEST)
            return false;
        *kinds |= 1u << k;
    }
    return true;
}

bool exec_row_parse(struct slice row, unsigned *kinds, struct slice *command)
{
    struct slice words, rest, one;
    unsigned n = 0;

    row = slice_trim(row);
    if (row.n > EXEC_ROW_MAX || !slice_cut(&row, ' ', &words) ||
        !parse_kinds(words, kinds))
        return false;
    *command = rest = slice_trim(row);
    while (rest.n) {
        slice_cut(&rest, ' ', &one);
        n += one.n > 0;
    }
    return command->n && command->p[0] == '/' && n <= EXEC_ARGS_MAX;
}
