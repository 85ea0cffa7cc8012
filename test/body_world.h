/* test/body_world.h - bodies read into memory that is at hand */
#ifndef TEST_BODY_WORLD_H
#define TEST_BODY_WORLD_H

#include "test/support.h"

#include "manscdp/bodies.h"
#include "manscdp/config.h"
#include "manscdp/control.h"
#include "manscdp/filter.h"
#include "manscdp/media.h"
#include "manscdp/record.h"

#include <stdio.h>
#include <stdlib.h>

#define SESSION "5f0c3e52-9f5b-4c7e-8a43-5d9d6f6a2b10"

static char memory[1 << 20], second[1 << 20], text[1 << 16];
static union {
    struct manscdp_config_answer config;
    char bytes[1024];
} value;

static inline int parse_in(char *room, struct manscdp_msg *m, struct slice in)
{
    static struct arena a[2];
    struct arena *at = &a[room == second];

    *at = arena_of(room, sizeof(memory));
    return manscdp_msg_parse(m, at, in, NULL, NULL);
}

static inline int parse(struct manscdp_msg *m, struct slice in)
{
    return parse_in(memory, m, in);
}

static inline const struct manscdp_body *body_of(const struct manscdp_msg *m)
{
    const struct manscdp_body *b = manscdp_body_of(m);

    assert_non_null(b);
    assert_true(b->shape->size <= sizeof(value));
    return b;
}
/* The standard's examples, in test/data/manscdp. */
static const struct {
    const char *name;
    enum manscdp_edition edition;
} examples[] = {
    { "record-query", MANSCDP_2016 },    { "record-answer", MANSCDP_2016 },
    { "config-answer", MANSCDP_2016 },   { "config-set", MANSCDP_2022 },
    { "presets", MANSCDP_2022 },         { "control-ptz", MANSCDP_2016 },
    { "control-alarm", MANSCDP_2016 },   { "control-zoom-in", MANSCDP_2016 },
    { "control-target", MANSCDP_2022 },  { "media-status", MANSCDP_2016 },
    { "broadcast", MANSCDP_2016 },       { "position-report", MANSCDP_2022 },
    { "upgrade-result", MANSCDP_2022 },  { "alarm-query", MANSCDP_2016 },
};

static inline struct slice example(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "test/data/manscdp/example-%s.xml", name);
    return read_file(path);
}
#endif
