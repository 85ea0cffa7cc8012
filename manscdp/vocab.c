#include "manscdp/vocab.h"

static const struct slice root_names[MANSCDP_ROOT_COUNT] = {
#define X(id, name) [MANSCDP_##id] = SLICE_INIT(name),
    MANSCDP_ROOT_MAP(X)
#undef X
};

static const struct slice cmd_names[MANSCDP_CMD_COUNT] = {
#define X(id, name) [MANSCDP_CMD_##id] = SLICE_INIT(name),
    MANSCDP_CMD_MAP(X)
#undef X
};

static const struct {
    enum manscdp_cmd cmd;
    struct slice name;
} aliases[] = {
#define X(id, name) { MANSCDP_CMD_##id, SLICE_INIT(name) },
    MANSCDP_ALIAS_MAP(X)
#undef X
};

#define M MANSCDP_BY_MESSAGE
#define S MANSCDP_BY_SUBSCRIBE
#define N MANSCDP_BY_NOTIFY
#define D MANSCDP_IN_DIALOG
static const struct manscdp_row rows[] = {
#define X(root, cmd, sub, dir, carriers, due, editions, first, gap, merge,     \
          codec, clause)                                                       \
    { MANSCDP_##root, MANSCDP_CMD_##cmd, SLICE_INIT(sub), MANSCDP_##dir,       \
      carriers, MANSCDP_##due, MANSCDP_##editions, first, gap,                 \
      MANSCDP_MERGE_##merge, MANSCDP_CODEC_##codec, clause },
    MANSCDP_ROW_MAP(X)
#undef X
};
#undef M
#undef S
#undef N
#undef D

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
    const char *ver;
    uint32_t number; /* major * 1000 + minor */
    uint32_t year;
} editions[MANSCDP_EDITION_COUNT] = {
    [MANSCDP_2011] = { "1.0", 1000, 2011 },
    [MANSCDP_2014] = { "1.1", 1001, 2014 },
    [MANSCDP_2016] = { "2.0", 2000, 2016 },
    [MANSCDP_2022] = { "3.0", 3000, 2022 },
};

const char *manscdp_edition_ver(enum manscdp_edition e)
{
    return editions[e].ver;
}

bool manscdp_edition_by_ver(struct slice ver, enum manscdp_edition *e)
{
    struct slice major;
    uint32_t a, b;

    ver = slice_trim(ver);
    if (!slice_cut(&ver, '.', &major) || !slice_u32(major, 999, &a) ||
        !slice_u32(ver, 999, &b))
        return false;
    *e = MANSCDP_2011;
    for (unsigned i = 0; i < MANSCDP_EDITION_COUNT; i++)
        if (a * 1000 + b >= editions[i].number)
            *e = (enum manscdp_edition)i;
    return true;
}

bool manscdp_edition_by_odd_ver(struct slice ver, enum manscdp_edition *e)
{
    struct slice rest = ver;
    uint32_t n;

    slice_cut(&rest, ';', &ver);
    ver = slice_trim(ver);
    if (ver.n && (ver.p[0] == 'V' || ver.p[0] == 'v'))
        ver = slice_from(ver, 1);
    if (!slice_u32(ver, 9999, &n))
        return manscdp_edition_by_ver(ver, e);
    for (unsigned i = 0; i < MANSCDP_EDITION_COUNT; i++)
        if (n == editions[i].year || n * 1000 == editions[i].number) {
            *e = (enum manscdp_edition)i;
            return true;
        }
    return false;
}

enum manscdp_root manscdp_root_by_name(struct slice name)
{
    name = slice_trim(name);
    for (unsigned i = 1; i < MANSCDP_ROOT_COUNT; i++)
        if (slice_ieq(name, root_names[i]))
            return (enum manscdp_root)i;
    return MANSCDP_ROOT_OTHER;
}

enum manscdp_cmd manscdp_cmd_by_name(struct slice name)
{
    name = slice_trim(name);
    for (unsigned i = 1; i < MANSCDP_CMD_COUNT; i++)
        if (slice_ieq(name, cmd_names[i]))
            return (enum manscdp_cmd)i;
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (slice_ieq(name, aliases[i].name))
            return aliases[i].cmd;
    return MANSCDP_CMD_OTHER;
}

const char *manscdp_root_name(enum manscdp_root root)
{
    return (unsigned)root < MANSCDP_ROOT_COUNT ? root_names[root].p : NULL;
}

const char *manscdp_cmd_name(enum manscdp_cmd cmd)
{
    return (unsigned)cmd < MANSCDP_CMD_COUNT ? cmd_names[cmd].p : NULL;
}

const char *manscdp_cmd_name_in(enum manscdp_cmd cmd, enum manscdp_edition e)
{
    if (cmd == MANSCDP_CMD_PRESET_QUERY && e == MANSCDP_2014)
        return "PersetQuery";
    return manscdp_cmd_name(cmd);
}

const struct manscdp_row *manscdp_row_find(enum manscdp_root root,
                                           enum manscdp_cmd cmd,
                                           struct slice sub)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].root == root && rows[i].cmd == cmd &&
            slice_ieq(rows[i].sub, sub))
            return &rows[i];
    return NULL;
}

const struct manscdp_row *manscdp_rows(size_t *n)
{
    *n = N_ROWS;
    return rows;
}
