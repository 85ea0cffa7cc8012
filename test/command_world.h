/* test/command_world.h - the API over a simulated device: commands as JSON in, the
 * device's answers as XML */
#ifndef TEST_COMMAND_WORLD_H
#define TEST_COMMAND_WORLD_H

#include "test/sim.h"

#include "app/http/api.h"
#include "app/http/body_read.h"
#include "app/platform/bodyjson.h"
#include "manscdp/bodies.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define NVR "34020000001180000001"
#define CAM "34020000001310010001"
#define SESSION "5f0c3e52-9f5b-4c7e-8a43-5d9d6f6a2b10"
#define WITH(cmd, params) \
    "{'cmd':'" cmd "','channel':'" CAM "','params':{" params "}}"
#define CONTROL(params) WITH("DeviceControl", params)
#define CONFIG(params) WITH("DeviceConfig", params)
#define DOWNLOAD(type) WITH("ConfigDownload", "'ConfigType':'" type "'")
#define ASKS(type) "<ConfigType>" type "</ConfigType>"

static struct sim s;
static struct http_app *app;
static char body[65536];

static inline struct gb_time app_now(void *ctx)
{
    (void)ctx;
    return s.now;
}

static inline void app_random(void *ctx, void *p, size_t n)
{
    (void)ctx;
    memset(p, 7, n);
}

static inline void app_touched(void *ctx)
{
    (void)ctx;
}

static inline int app_media(void *ctx, struct http_handover *h)
{
    (void)ctx;
    (void)h;
    return GB_ELIMIT;
}

static inline size_t app_addresses(void *ctx, struct gb_addr *out, size_t cap)
{
    (void)ctx;
    (void)out;
    (void)cap;
    return 0;
}

static inline struct sim_device *online(const char *version)
{
    struct http_app_config cfg = {
        .alloc = &gb_alloc_heap,
        .now = app_now,
        .random = app_random,
        .touched = app_touched,
        .on_media = app_media,
        .addresses = app_addresses,
        .version = "1",
        .server_id = SIM_ID,
        .realm = SIM_REALM,
        .device_password = SIM_PASSWORD,
    };
    struct sim_device *d;

    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, NVR, "192.168.1.10:5060", SIP_UDP);
    d->version = version;
    sim_channels(d, 1);
    sim_settle(&s);
    cfg.platform = s.p;
    assert_int_equal(http_app_new(&app, &cfg), 0);
    return d;
}

static inline void offline(void)
{
    http_app_free(app);
    sim_free(&s);
}

/* ' in text stands for ". */
static inline const char *quoted(char *out, size_t cap, const char *text)
{
    size_t n = 0;

    for (; text[n] && n + 1 < cap; n++)
        out[n] = text[n] == '\'' ? '"' : text[n];
    assert_false(text[n]);
    out[n] = '\0';
    return out;
}

/* The answer is in `body`. */
static inline unsigned ask(const char *method, const char *target,
                           const char *json)
{
    static struct http_head head;
    static char text[2048], sent[16384];
    struct http_request req = { .id = 1, .head = &head };
    struct http_response r;
    struct http_fault f;
    struct slice got;

    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method,
             target);
    assert_true(http_head_parse(&head, slice_str(text), &f) > 0);
    req.body = slice_str(quoted(sent, sizeof(sent), json));
    assert_int_equal(gb_addr_parse_ip(&req.remote, SLICE("192.0.2.9")), 0);
    http_response_init(&r, &gb_alloc_heap);
    http_app_request(app, &req, &r);
    got = r.fixed.n ? r.fixed : buf_view(&r.body);
    slice_copy(body, sizeof(body), got);
    http_response_fini(&r);
    return r.status;
}

static inline bool has(const char *text)
{
    char want[4096];

    quoted(want, sizeof(want), text);
    return slice_find_slice(slice_str(body), slice_str(want)) < strlen(body);
}

static inline void expect(const char *name, const char *text)
{
    if (!has(text))
        fail_msg("%s: no %s in\n%s", name, text, body);
}

static inline uint64_t last_id(void)
{
    struct platform_command c;

    assert_true(platform_command_before(s.p, 0, &c));
    return c.id;
}

static inline void get_command(void)
{
    char target[64];

    snprintf(target, sizeof(target), "/api/v1/commands/%llu",
             (unsigned long long)last_id());
    assert_int_equal(ask("GET", target, ""), 200);
}

static inline unsigned post(const char *json)
{
    return ask("POST", "/api/v1/devices/" NVR "/commands", json);
}

static inline uint32_t sn(void)
{
    struct platform_command c;

    assert_true(platform_command_view(s.p, last_id(), &c));
    return c.sn;
}

static inline void respond(struct sim_device *d, const char *cmd,
                           const char *inner)
{
    static char text[8192];

    snprintf(text, sizeof(text),
             "<?xml version=\"1.0\"?><Response><CmdType>%s</CmdType>"
             "<SN>%u</SN><DeviceID>" CAM "</DeviceID>%s</Response>",
             cmd, (unsigned)sn(), inner);
    sim_message(d, text);
    sim_run(&s, 50);
}

/* What stands behind DeviceID in the last body, without line ends. */
static inline const char *elements(const struct sim_device *d)
{
    static char out[4096];
    struct slice b = slice_str(d->last_body);
    size_t n = 0, end = b.n;

    b = slice_from(b, slice_find_slice(b, SLICE("</DeviceID>")) + 11);
    end = slice_find_slice(b, SLICE("</Control>"));
    if (end == b.n)
        end = slice_find_slice(b, SLICE("</Query>"));
    for (size_t i = 0; i < end; i++)
        if (b.p[i] != '\r' && b.p[i] != '\n')
            out[n++] = b.p[i];
    out[n] = '\0';
    return out;
}
#endif
