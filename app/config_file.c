/* The configuration file: sections are mappings of keys; a key holds a scalar, a
 * list of scalars, or a list of one-level mappings whose values are joined by a
 * blank. Sections of type OPEN are checked for syntax only. */
#include "app/config_int.h"

#include <errno.h>
#include <yaml.h>

struct reading {
    yaml_parser_t parser;
    yaml_event_t ev;
    const char *path;
    struct config_value value[CONFIG_COUNT];
    bool seen[CONFIG_COUNT];
    bool seen_section[CONFIG_COUNT]; /* by the first key of each */
    struct config_error *e;
};

static int fault_at(struct reading *r, yaml_mark_t at, const char *what,
                    const char *why)
{
    return config_refuse(r->e, "%s:%zu:%zu: %s%s%s", r->path, at.line + 1,
                  at.column + 1, what, *what ? ": " : "", why);
}

static int next_event(struct reading *r)
{
    char hint[CONFIG_HINT_MAX];

    yaml_event_delete(&r->ev);
    if (yaml_parser_parse(&r->parser, &r->ev))
        return 0;
    memset(&r->ev, 0, sizeof(r->ev));
    return fault_at(r, r->parser.problem_mark, "",
                    config_yaml_fault(r->parser.problem ? r->parser.problem
                                                        : "not YAML", hint));
}

static struct slice scalar(const struct reading *r)
{
    return slice_of((const char *)r->ev.data.scalar.value,
                    r->ev.data.scalar.length);
}

static int skip_node(struct reading *r)
{
    int depth = 0, err;

    for (;;) {
        switch (r->ev.type) {
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
            if (++depth > 16)
                return fault_at(r, r->ev.start_mark, "", "nested too deep");
            break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            depth--;
            break;
        case YAML_ALIAS_EVENT:
            return fault_at(r, r->ev.start_mark, "", "aliases are not read");
        default:
            break;
        }
        if (depth == 0)
            return 0;
        err = next_event(r);
        if (err)
            return err;
    }
}

/* The next key of a mapping of what, or its end, which clears *more. why: it is
 * a fault when it is no key. */
static int next_key(struct reading *r, const char *what, const char *why,
                    bool *more)
{
    int err = next_event(r);

    if (err)
        return err;
    *more = r->ev.type != YAML_MAPPING_END_EVENT;
    if (*more && r->ev.type != YAML_SCALAR_EVENT)
        return fault_at(r, r->ev.start_mark, what, why);
    return 0;
}

/* { net: a, address: b } of network.advertise becomes "a b". */
static int read_map_item(struct reading *r, int k)
{
    static const struct slice field[2] = { SLICE_INIT("net"),
                                           SLICE_INIT("address") };
    char text[256], part[2][100] = { "", "" };
    bool more;
    int err;

    for (;;) {
        size_t i;

        err = next_key(r, config_keys[k].name, "bad mapping", &more);
        if (err)
            return err;
        if (!more)
            break;
        i = slice_eq(scalar(r), field[0]) ? 0
            : slice_eq(scalar(r), field[1]) ? 1 : 2;
        if (i == 2 || *part[i])
            return fault_at(r, r->ev.start_mark, config_keys[k].name,
                            "unknown or repeated field");
        err = next_event(r);
        if (err)
            return err;
        if (r->ev.type != YAML_SCALAR_EVENT ||
            !slice_copy(part[i], sizeof(part[i]), scalar(r)))
            return fault_at(r, r->ev.start_mark, config_keys[k].name, "bad value");
    }
    snprintf(text, sizeof(text), "%s %s", part[0], part[1]);
    return config_value_push(&r->value[k], slice_str(text)) ? 0 : GB_ENOMEM;
}

static int read_list(struct reading *r, int k)
{
    int err;

    for (;;) {
        err = next_event(r);
        if (err)
            return err;
        if (r->ev.type == YAML_SEQUENCE_END_EVENT)
            return 0;
        if (r->ev.type == YAML_SCALAR_EVENT) {
            if (!config_value_push(&r->value[k], scalar(r)))
                return GB_ENOMEM;
        } else if (r->ev.type == YAML_MAPPING_START_EVENT &&
                   config_keys[k].type == CONFIG_ADVERTISE) {
            err = read_map_item(r, k);
            if (err)
                return err;
        } else {
            return fault_at(r, r->ev.start_mark, config_keys[k].name,
                            "a list of plain values is needed");
        }
        if (r->value[k].n > CONFIG_MAX_ITEMS)
            return fault_at(r, r->ev.start_mark, config_keys[k].name,
                            "too many items");
    }
}

static int read_value(struct reading *r, int k)
{
    yaml_mark_t at = r->ev.start_mark;
    char hint[CONFIG_HINT_MAX];
    const char *fault;
    int err = 0;

    r->value[k].layer = CONFIG_FILE;
    if (r->ev.type == YAML_SCALAR_EVENT)
        err = config_value_push(&r->value[k], scalar(r)) ? 0 : GB_ENOMEM;
    else if (r->ev.type == YAML_SEQUENCE_START_EVENT)
        err = read_list(r, k);
    else
        err = fault_at(r, at, config_keys[k].name, "a value or a list is needed");
    if (err)
        return err;
    fault = config_value_fault(&config_keys[k], &r->value[k]);
    return fault ? fault_at(r, at, config_keys[k].name,
                            config_bounds(&config_keys[k], fault, hint))
                 : 0;
}

static bool is_open(struct slice section)
{
    int k = config_find_key(section);

    return k >= 0 && config_keys[k].type == CONFIG_OPEN;
}

static int read_section(struct reading *r, struct slice section)
{
    char name[128], hint[CONFIG_HINT_MAX];
    bool more;
    int err, k;

    if (r->ev.type == YAML_SCALAR_EVENT && scalar(r).n == 0)
        return 0; /* "record:" with nothing behind it */
    if (r->ev.type != YAML_MAPPING_START_EVENT)
        return fault_at(r, r->ev.start_mark, "", "a section is a mapping");
    for (;;) {
        err = next_key(r, "", "a key is needed", &more);
        if (err || !more)
            return err;
        snprintf(name, sizeof(name), "%.*s.%.*s", SLICE_ARG(section),
                 SLICE_ARG(scalar(r)));
        k = config_find_key(slice_str(name));
        if (k < 0)
            return fault_at(r, r->ev.start_mark, name,
                            config_unknown(slice_str(name), false, hint));
        if (r->seen[k])
            return fault_at(r, r->ev.start_mark, name, "set twice");
        r->seen[k] = true;
        err = next_event(r);
        if (!err)
            err = read_value(r, k);
        if (err)
            return err;
    }
}

/* The first key of a section, or -1. */
static int find_section(struct slice name)
{
    for (int i = 0; i < CONFIG_COUNT; i++) {
        struct slice full = slice_str(config_keys[i].name), head;

        slice_cut(&full, '.', &head);
        if (slice_eq(head, name))
            return i;
    }
    return -1;
}

static int read_sections(struct reading *r)
{
    char section[64], hint[CONFIG_HINT_MAX];
    bool more;
    int err, k;

    for (;;) {
        err = next_key(r, "", "no such section", &more);
        if (err || !more)
            return err;
        k = slice_copy(section, sizeof(section), scalar(r))
                ? find_section(slice_str(section)) : -1;
        if (k < 0)
            return fault_at(r, r->ev.start_mark, section,
                            config_unknown(slice_str(section), true, hint));
        if (r->seen_section[k])
            return fault_at(r, r->ev.start_mark, section, "stands twice");
        r->seen_section[k] = true;
        err = next_event(r);
        if (!err)
            err = is_open(slice_str(section))
                      ? skip_node(r) : read_section(r, slice_str(section));
        if (err)
            return err;
    }
}

static int read_document(struct reading *r)
{
    int err = next_event(r); /* stream start */

    if (!err)
        err = next_event(r);
    if (err || r->ev.type == YAML_STREAM_END_EVENT)
        return err; /* an empty file is a file of defaults */
    err = next_event(r);
    if (err)
        return err;
    if (r->ev.type == YAML_SCALAR_EVENT && scalar(r).n == 0)
        return 0;
    if (r->ev.type != YAML_MAPPING_START_EVENT)
        return fault_at(r, r->ev.start_mark, "", "the file is not a mapping");
    return read_sections(r);
}

/* A file that is read up to a limit; at the limit, reading fails. */
struct bounded {
    FILE *f;
    size_t left;
    int err; /* errno of what failed */
};

static int read_bounded(void *ctx, unsigned char *buf, size_t n, size_t *got)
{
    struct bounded *in = ctx;

    if (n > in->left)
        n = in->left;
    *got = fread(buf, 1, n, in->f);
    in->left -= *got;
    if (ferror(in->f))
        in->err = errno;
    return in->left > 0 && !in->err;
}

int config_read(struct config *c, const char *path, struct config_error *e)
{
    struct reading r = { .path = path, .e = e };
    FILE *f = fopen(path, "rb");
    struct bounded in = { f, CONFIG_MAX_FILE, 0 };
    int err;

    if (!f) {
        config_refuse(e, "%s: cannot be read: %s", path, strerror(errno));
        return GB_EIO;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        fclose(f);
        return GB_ENOMEM;
    }
    yaml_parser_set_input(&r.parser, read_bounded, &in);
    err = read_document(&r);
    if (err && in.left == 0)
        config_refuse(e, "%s: larger than %u bytes", path, CONFIG_MAX_FILE);
    if (err && in.err) /* a directory, for one */
        config_refuse(e, "%s: cannot be read: %s", path, strerror(in.err));
    yaml_event_delete(&r.ev);
    yaml_parser_delete(&r.parser);
    fclose(f);
    for (size_t i = 0; i < CONFIG_COUNT; i++) {
        if (!err && r.seen[i]) {
            config_value_clear(&c->value[i]);
            c->value[i] = r.value[i];
        } else {
            config_value_clear(&r.value[i]);
        }
    }
    return err;
}
