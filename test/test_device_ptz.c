/* app/device/device_ptz: where the camera looks after so much time, what it
 * remembers; app/device/device_values: settings under failing memory */
#include "test/support.h"

#include "app/device/device_ptz.h"
#include "app/device/device_values.h"

#include <stdlib.h>

static const struct slice none = { NULL, 0 };

static bool order(struct device_ptz *z, struct manscdp_ptz c, uint64_t now_ms)
{
    return device_ptz_order(z, &gb_alloc_heap, &c, none, none, now_ms);
}

static void check(const struct device_ptz *z, uint64_t now_ms, double pan,
                  double tilt, double zoom)
{
    struct device_place at = device_ptz_place(z, now_ms);

    if (at.pan - pan > 0.01 || pan - at.pan > 0.01 || at.tilt - tilt > 0.01 ||
        tilt - at.tilt > 0.01 || at.zoom - zoom > 0.01 || zoom - at.zoom > 0.01)
        fail_msg("at %u: %f %f %f", (unsigned)now_ms, at.pan, at.tilt,
                 at.zoom);
}

#define MOVE(...) (struct manscdp_ptz){ .op = MANSCDP_PTZ_MOVE, __VA_ARGS__ }
#define DO(name, ...) (struct manscdp_ptz){ .op = MANSCDP_PTZ_##name, __VA_ARGS__ }

static void movement_and_its_limits(void **state)
{
    struct device_ptz z = { 0 };

    (void)state;
    check(&z, 0, 0, 0, 1);
    assert_true(order(&z, MOVE(.pan = 1, .pan_speed = 255), 1000));
    check(&z, 2000, 100, 0, 1);
    check(&z, 5000, 40, 0, 1); /* around */
    assert_true(order(&z, MOVE(.tilt = 1, .tilt_speed = 255), 5000));
    check(&z, 9000, 40, DEVICE_TILT_MIN, 1); /* up counts down */
    assert_true(order(&z, MOVE(.zoom = 1, .zoom_speed = 15, .pan = -1,
                               .pan_speed = 51), 9000));
    check(&z, 11000, 0, DEVICE_TILT_MIN, 11);
    check(&z, 20000, 180, DEVICE_TILT_MIN, DEVICE_ZOOM_MAX);
    assert_true(order(&z, MOVE(0), 11000));
    check(&z, 99000, 0, DEVICE_TILT_MIN, 11);
    device_ptz_look(&z, (struct device_place){ 400, -90, 0 }, 99000);
    check(&z, 99000, 360, DEVICE_TILT_MIN, 1); /* the limit */
    device_ptz_fini(&z, &gb_alloc_heap);
}

static void presets_in_order(void **state)
{
    static const uint8_t ids[] = { 200, 3, 255, 1, 3 };
    struct device_ptz z = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        device_ptz_look(&z, (struct device_place){ (double)i, 0, 2 }, 0);
        assert_true(order(&z, DO(PRESET_SET, .preset = ids[i]), 0));
    }
    assert_int_equal(z.n_presets, 4);
    for (size_t i = 1; i < z.n_presets; i++)
        assert_true(z.preset[i - 1].id < z.preset[i].id);
    assert_true(order(&z, DO(PRESET_CALL, .preset = 200), 5));
    check(&z, 9, 0, 0, 2);
    assert_true(order(&z, DO(PRESET_CALL, .preset = 3), 5));
    check(&z, 9, 4, 0, 2); /* it was set again */
    assert_false(order(&z, DO(PRESET_CALL, .preset = 4), 5));
    assert_true(order(&z, DO(PRESET_DELETE, .preset = 3), 5));
    assert_null(device_ptz_preset(&z, 3));
    assert_false(order(&z, DO(PRESET_DELETE, .preset = 3), 5));
    for (unsigned i = 1; i < 256; i++)
        assert_true(order(&z, DO(PRESET_SET, .preset = (uint8_t)i), 0));
    assert_int_equal(z.n_presets, 255);
    device_ptz_fini(&z, &gb_alloc_heap);
}

static void cruises_and_scans(void **state)
{
    struct device_ptz z = { 0 };

    (void)state;
    for (uint8_t i = 1; i <= 2; i++) {
        device_ptz_look(&z, (struct device_place){ i * 10.0, 0, 1 }, 0);
        order(&z, DO(PRESET_SET, .preset = i), 0);
    }
    assert_false(order(&z, DO(CRUISE_START, .group = 4), 0));
    assert_false(order(&z, DO(CRUISE_DELETE, .group = 4), 0));
    assert_true(order(&z, DO(CRUISE_ADD, .group = 4, .preset = 1), 0));
    assert_true(order(&z, DO(CRUISE_ADD, .group = 4, .preset = 2), 0));
    assert_true(order(&z, DO(CRUISE_DWELL, .group = 4, .value = 3), 0));
    assert_true(order(&z, DO(CRUISE_START, .group = 4), 1000));
    check(&z, 1000, 10, 0, 1);
    check(&z, 4000, 20, 0, 1);
    check(&z, 7500, 10, 0, 1);
    assert_true(order(&z, MOVE(0), 4500));
    check(&z, 60000, 20, 0, 1); /* it stays there */
    assert_true(order(&z, DO(CRUISE_DELETE, .group = 4, .preset = 2), 0));
    assert_false(order(&z, DO(CRUISE_DELETE, .group = 4, .preset = 2), 0));
    for (unsigned i = 0; i < DEVICE_MAX_POINTS - 1; i++)
        assert_true(order(&z, DO(CRUISE_ADD, .group = 4, .preset = 1), 0));
    assert_false(order(&z, DO(CRUISE_ADD, .group = 4, .preset = 1), 0));
    for (uint8_t i = 5; i < 4 + DEVICE_MAX_TRACKS; i++)
        assert_true(order(&z, DO(CRUISE_SPEED, .group = i, .value = 9), 0));
    assert_false(order(&z, DO(CRUISE_SPEED, .group = 99, .value = 9), 0));
    assert_true(order(&z, DO(CRUISE_DELETE, .group = 4), 0));
    assert_null(device_ptz_track(&z, 4));
    device_ptz_look(&z, (struct device_place){ 350, 0, 1 }, 0);
    order(&z, DO(SCAN_LEFT, .group = 1), 0);
    device_ptz_look(&z, (struct device_place){ 10, 0, 1 }, 0);
    order(&z, DO(SCAN_RIGHT, .group = 1), 0);
    order(&z, DO(SCAN_SPEED, .group = 1, .value = 10), 0);
    order(&z, DO(SCAN_START, .group = 1), 0);
    check(&z, 0, 10, 0, 1);
    check(&z, 1500, 355, 0, 1);
    check(&z, 3000, 0, 0, 1); /* on its way back */
    device_ptz_fini(&z, &gb_alloc_heap);
}

static void without_memory(void **state)
{
    struct slice text = SLICE(
        "<Control><CmdType>DeviceConfig</CmdType><SN>1</SN><DeviceID>3"
        "</DeviceID><FrameMirror>1</FrameMirror></Control>");
    struct manscdp_basic_param basic = {
        .name = SLICE("n"), .expiration = { true, 3600 },
        .heartbeat_s = { true, 60 }, .heartbeats = { true, 3 },
    };
    struct device_values v = { 0 };
    struct device_ptz z = { 0 };
    struct failing_alloc f;
    struct manscdp_msg m;
    char *room = malloc(1 << 18), *first = malloc(1 << 14);
    struct arena a = arena_of(first, 1 << 14), b;
    const struct manscdp_ptz set = DO(PRESET_SET, .preset = 1);
    size_t cap = 0;
    int err;

    (void)state;
    failing_alloc_init(&f, 1);
    assert_false(device_ptz_order(&z, &f.alloc, &set, none, none, 0));
    assert_int_equal(z.n_presets, 0);
    assert_int_equal(manscdp_msg_parse(&m, &a, text, NULL, NULL), 0);
    do {
        cap += 512;
        assert_true(cap < 1 << 18);
        b = arena_of(room, cap);
        m.arena = &b;
        failing_alloc_init(&f, 0);
        err = device_values_set(&v, &f.alloc, &b, &basic, MANSCDP_2022, &m);
        assert_true(err == 0 || err == GB_ENOMEM);
        assert_int_equal(v.text != NULL, err == 0);
    } while (err);
    device_values_fini(&v, &f.alloc);
    assert_int_equal(f.live, 0);
    failing_alloc_init(&f, 1);
    b = arena_of(room, 1 << 18);
    assert_int_equal(device_values_set(&v, &f.alloc, &b, &basic,
                                       MANSCDP_2022, &m), GB_ENOMEM);
    assert_null(v.text);
    free(room);
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(movement_and_its_limits),
        cmocka_unit_test(presets_in_order),
        cmocka_unit_test(cruises_and_scans),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
