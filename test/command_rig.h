/* test/command_rig.h - a recorder with one channel, orders to it, and its
 * answers */
#ifndef TEST_COMMAND_RIG_H
#define TEST_COMMAND_RIG_H

#include "test/sim.h"

#include "manscdp/bodies.h"

#include <stdio.h>

#define NVR "34020000001180000001"
#define CAM "34020000001310010001"

static struct sim s;

static inline struct sim_device *online(const struct sim_options *o)
{
    struct sim_device *d;

    assert_true(sim_init(&s, o));
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
    sim_channels(d, 1);
    sim_settle(&s);
    return d;
}

/* A plain element. */
struct element {
    struct slice name, value;
};

static char memory[1 << 16];

static inline int order_in(unsigned edition, const char *cmd,
                    const struct element *e, uint64_t *id)
{
    bool is_order = slice_has_prefix(slice_str(cmd), SLICE("DeviceC"));
    const char *root = is_order ? "Control" : "Query";
    struct arena a = arena_of(memory, sizeof(memory));
    struct platform_order o = { .device = SLICE(NVR),
                                .edition = edition,
                                .root = is_order ? MANSCDP_CONTROL
                                                 : MANSCDP_QUERY,
                                .cmd = manscdp_cmd_by_name(slice_str(cmd)) };
    static char text[1500];
    struct manscdp_msg m;
    int n = snprintf(text, sizeof(text), "<%s><CmdType>%s</CmdType>", root,
                     cmd);

    if (e)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "<%.*s>%.*s</%.*s>",
                      SLICE_ARG(e->name), SLICE_ARG(e->value),
                      SLICE_ARG(e->name));
    snprintf(text + n, sizeof(text) - (size_t)n, "</%s>", root);
    assert_int_equal(manscdp_msg_parse(&m, &a, slice_str(text), NULL, NULL),
                     0);
    o.body = manscdp_body_of(&m);
    if (o.body) {
        o.in = arena_alloc(&a, o.body->shape->size);
        assert_int_equal(manscdp_body_decode(o.body, o.in, &m), 0);
    }
    return platform_command_send(s.p, &o, s.now, id);
}

static inline int order(const char *cmd, const struct element *e, uint64_t *id)
{
    return order_in(0, cmd, e, id);
}

static inline struct platform_command view(uint64_t id)
{
    struct platform_command c;

    assert_true(platform_command_view(s.p, id, &c));
    return c;
}

static inline uint64_t query(const char *cmd)
{
    uint64_t id = 0;

    assert_int_equal(order(cmd, NULL, &id), 0);
    return id;
}

static inline void respond(struct sim_device *d, const char *cmd, uint32_t sn,
                    const char *inner)
{
    char body[1500];

    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Response><CmdType>%s</CmdType>"
             "<SN>%u</SN><DeviceID>" NVR "</DeviceID>%s</Response>",
             cmd, (unsigned)sn, inner);
    sim_message(d, body);
}

/* The n-th of three presets. */
static inline void preset(struct sim_device *d, uint32_t sn, unsigned n)
{
    char text[300];

    snprintf(text, sizeof(text),
             "<SumNum>3</SumNum><PresetList Num=\"1\"><Item><PresetID>%u"
             "</PresetID><PresetName>p</PresetName></Item></PresetList>", n);
    respond(d, "PresetQuery", sn, text);
}

static inline void expect_state(uint64_t id, enum platform_command_state want)
{
    struct platform_command c = view(id);

    if (c.state != want)
        fail_msg("it is %s, not %s: %.*s",
                 platform_command_state_name(c.state),
                 platform_command_state_name(want), SLICE_ARG(c.evidence));
}

static inline bool says(struct slice s_, const char *text)
{
    return slice_find_slice(s_, slice_str(text)) < s_.n;
}
#endif
