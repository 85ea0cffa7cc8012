/* A session of the simulated world, exported and run again: the platform
 * decides as it did, and the report reads as the golden file. */
#include "app/replay.h"
#include "app/trace/pcapng.h"
#include "test/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CAM "34020000001320000001"
#define CAM2 "34020000001320000002"

static struct trace *trace;
static struct sim sim;
static char file[4 << 20];

static void on_message(void *ctx, bool out, const struct sip_peer *peer,
                       struct slice bytes, struct gb_time now)
{
    (void)ctx;
    trace_put(trace, out ? TRACE_OUT : TRACE_IN, peer, bytes, now);
}

static void begin(void)
{
    const struct sim_options opt = { .config.auto_enrol = true,
                                     .on_message = on_message };
    const struct trace_config tc = { .alloc = &gb_alloc_heap, .id = SIM_ID };

    assert_int_equal(trace_new(&trace, &tc), 0);
    assert_true(sim_init(&sim, &opt));
}

/* What the API's trace.pcap would give. */
static struct slice export(const struct trace_query *q)
{
    static struct pcapng f;
    static uint64_t pos[10000];
    struct writer w = writer_of(file, sizeof(file));
    size_t n = trace_find(trace, q, pos, COUNT(pos), NULL);
    struct trace_item item;

    pcapng_init(&f);
    pcapng_begin(&w, "test");
    for (size_t i = 0; i < n; i++) {
        assert_true(trace_get(trace, pos[i], &item));
        pcapng_packet(&f, &w, &item);
    }
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static void end(void)
{
    sim_free(&sim);
    trace_free(trace);
}

static char *report(struct slice capture, struct replay_result *r, int want)
{
    char *text = NULL, why[256] = "";
    size_t n = 0;
    struct replay_options o = { .platform = { .auto_enrol = true,
                                              .timezone_min = 480 } };
    int err;

    o.out = open_memstream(&text, &n);
    assert_non_null(o.out);
    err = replay_run(&o, capture, r, why);
    fclose(o.out);
    if (err != want)
        fail_msg("%d %s", err, why);
    return text;
}

/* Registration, a wrong password, a catalog, a picture, its end, a stranger. */
static void a_day(void)
{
    struct sim_device *cam, *bad, *tcp;
    struct platform_session s;

    begin();
    cam = sim_add(&sim, CAM, "192.168.1.10", SIP_UDP);
    sim_channels(cam, 2);
    cam->keepalive_ms = 20000;
    bad = sim_add(&sim, CAM2, "192.168.1.11", SIP_UDP);
    bad->password = "wrong";
    tcp = sim_add(&sim, "34020000001320000003", "192.168.1.12", SIP_TCP);
    sim_channels(tcp, 1);
    sim_settle(&sim);
    s = sim_watch(&sim, cam, cam->channel[0], PLATFORM_UDP);
    sim_run(&sim, 5000);
    platform_session_stop(sim.p, s.id, sim.now);
    sim_run(&sim, 2000);
    s = sim_watch(&sim, tcp, tcp->channel[0], PLATFORM_TCP_PASSIVE);
    sim_run(&sim, 3000);
    sim_bye(tcp);
    sim_run(&sim, 2000);
    sim_keepalive(bad, NULL);
    sim_run(&sim, 60000);
    sim_unregister(cam);
    sim_run(&sim, 1000);
}

static void decides_as_it_did(void **state)
{
    const struct trace_query all = { 0 };
    struct replay_result r;
    char *text;

    (void)state;
    a_day();
    text = report(export(&all), &r, 0);
    if (r.differ || r.unanswered || r.same < 15)
        fail_msg("%s", text);
    expect_golden("test/data/trace/replay.txt", slice_str(text));
    free(text);
    text = report(export(&all), &r, 0); /* the same each time */
    expect_golden("test/data/trace/replay.txt", slice_str(text));
    free(text);
    end();
}

static bool has(const char *text, const char *what)
{
    return slice_find_slice(slice_str(text), slice_str(what)) < strlen(text);
}

/* The file begins in the middle: the device is taken for registered. */
static void from_the_middle(void **state)
{
    struct trace_query q = { .device = SLICE(CAM) };
    struct replay_result r;
    char *text;

    (void)state;
    a_day();
    q.after = 8;
    text = report(export(&q), &r, 0);
    if (r.differ || !has(text, "assumed: " CAM " had registered before"))
        fail_msg("%s", text);
    free(text);
    end();
}

/* What was answered otherwise is told. */
static void differences_are_told(void **state)
{
    const struct trace_query all = { 0 };
    static const char was[] = "SIP/2.0 200 OK", is[] = "SIP/2.0 488 NO";
    struct replay_result r;
    struct slice capture;
    size_t at = 0;
    char *text;

    (void)state;
    begin();
    sim_add(&sim, CAM, "192.168.1.10", SIP_UDP);
    sim_settle(&sim);
    capture = export(&all);
    while (at + sizeof(was) < capture.n && memcmp(file + at, was, 14))
        at++;
    assert_true(at + sizeof(was) < capture.n);
    memcpy(file + at, is, 14);
    text = report(capture, &r, 0);
    /* a 488 leaves the credentials as they are: we ask for ours */
    assert_true(r.differ >= 1);
    assert_true(has(text, "DIFFERS: recorded 488"));
    free(text);
    end();
}

static void no_capture(void **state)
{
    struct replay_result r;

    (void)state;
    free(report(slice_str("this is no capture"), &r, GB_ESYNTAX));
    free(report(slice_str(""), &r, GB_ESYNTAX));
}

/* A file that is too large is not taken for a shorter one. */
static void large_files_are_refused(void **state)
{
    char path[] = "/tmp/gb28181d-replay-XXXXXX", why[256] = "", *text = NULL;
    struct replay_options o = { .max_bytes = 1000 };
    int fd = mkstemp(path);
    size_t n = 0;

    (void)state;
    assert_int_equal(ftruncate(fd, 1000), 0);
    o.out = open_memstream(&text, &n);
    assert_int_equal(replay_file(&o, path, why), GB_ELIMIT);
    assert_non_null(strstr(why, "1000 bytes"));
    assert_int_equal(ftruncate(fd, 999), 0);
    assert_int_equal(replay_file(&o, path, why), GB_ESYNTAX); /* no capture */
    fclose(o.out);
    free(text);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_files_are_refused),
        cmocka_unit_test(decides_as_it_did),
        cmocka_unit_test(from_the_middle),
        cmocka_unit_test(differences_are_told),
        cmocka_unit_test(no_capture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
