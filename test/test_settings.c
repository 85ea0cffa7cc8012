/* What people set for devices and groups, against a real platform. */
#include "test/sim.h"

#include <stdio.h>

#include "manscdp/vocab.h"
#include "sip/digest.h"

static struct sim s;

static const char cam[] = "34020000001320000001";
static const char cam2[] = "34020000001320000002";

static int set(const char *id, struct platform_settings v)
{
    return platform_device_set(s.p, slice_str(id), &v, s.now);
}

static int group(const char *name, const char *password)
{
    struct slice p = slice_str(password);

    return platform_group_set(s.p, slice_str(name), password ? &p : NULL,
                              s.now);
}

static unsigned login(struct sim_device *d)
{
    sim_register(d);
    sim_run(&s, 10);
    return d->last_status;
}

static struct sim_device *begin(bool auto_enrol)
{
    struct sim_options o = { .config = { .auto_enrol = auto_enrol } };

    assert_true(sim_init(&s, &o));
    return sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
}

/* Its own password before its group's, that before the platform's; a change
 * counts at the next REGISTER, whatever was kept of the one before. */
static void note_1_16_passwords(void **state)
{
    struct sim_device *d = begin(true);
    struct platform_settings own = { .set = PLATFORM_SET_PASSWORD,
                                     .password = SLICE("own") };
    struct platform_settings in = { .set = PLATFORM_SET_GROUP,
                                    .group = SLICE("north") };

    (void)state;
    assert_int_equal(login(d), 200);
    assert_int_equal(group("north", "shared"), 0);
    assert_int_equal(set(cam, in), 0);
    assert_int_equal(login(d), 403);
    assert_true(text_has(s.log, "one of its own or of its group is set"));
    d->password = "shared";
    assert_int_equal(login(d), 200);
    assert_int_equal(login(d), 200); /* with the HA1 that is kept */
    assert_int_equal(group("north", "changed"), 0);
    assert_int_equal(login(d), 403);
    d->password = "changed";
    assert_int_equal(login(d), 200);
    assert_int_equal(set(cam, own), 0);
    assert_int_equal(login(d), 403);
    d->password = "own";
    assert_int_equal(login(d), 200);
    own.password = slice_of(NULL, 0);
    assert_int_equal(set(cam, own), 0);
    d->password = "changed";
    assert_int_equal(login(d), 200);
    assert_int_equal(platform_group_remove(s.p, SLICE("north"), s.now), 0);
    d->password = SIM_PASSWORD;
    assert_int_equal(login(d), 200);
    assert_int_equal(sim_view(&s, d).group.n, 0);
    assert_false(text_has(s.log, "shared"));
    assert_false(text_has(s.log, "changed\""));
    sim_free(&s);
}

static void added_by_hand(void **state)
{
    struct sim_device *d = begin(false);
    struct platform_settings own = {
        .set = PLATFORM_SET_PASSWORD | PLATFORM_SET_NAME,
        .password = SLICE("own"), .name = SLICE("Gate") };
    static const struct {
        const char *id;
        int err;
    } bad[] = {
        { "", GB_ESYNTAX }, { "100", GB_ESYNTAX }, { SIM_ID, GB_ESYNTAX },
        { "3402000000132000000a", GB_ESYNTAX }, { cam, GB_EEXIST },
    };

    (void)state;
    assert_int_equal(login(d), 403);
    assert_int_equal(platform_device_create(s.p, slice_str(cam), &own, s.now),
                     0);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (platform_device_create(s.p, slice_str(bad[i].id), &own, s.now) !=
            bad[i].err)
            fail_msg("%s", bad[i].id);
    assert_int_equal(login(d), 403); /* the platform's password is not its */
    d->password = "own";
    assert_int_equal(login(d), 200);
    assert_true(slice_eq(sim_view(&s, d).name, SLICE("Gate")));
    assert_true(sim_view(&s, d).has_password);
    assert_true(s.device_flags & PLATFORM_CHANGED_SETTINGS);
    sim_free(&s);
}

static void pending_is_let_in(void **state)
{
    struct sim_device *d = begin(false), *e;
    struct platform_pending k;

    (void)state;
    e = sim_add(&s, cam2, "192.168.1.11:5060", SIP_UDP);
    login(d);
    login(e);
    assert_int_equal(platform_pending_accept(s.p, SLICE("x"), s.now),
                     GB_ENOENT);
    assert_int_equal(platform_pending_accept(s.p, slice_str(cam), s.now), 0);
    assert_int_equal(platform_pending_remove(s.p, slice_str(cam2), s.now), 0);
    assert_int_equal(platform_pending_remove(s.p, slice_str(cam2), s.now),
                     GB_ENOENT);
    assert_false(platform_pending_next(s.p, SLICE(""), &k));
    assert_int_equal(login(d), 200);
    assert_int_equal(login(e), 403);
    sim_free(&s);
}

static void policies(void **state)
{
    struct sim_device *d = begin(true);
    struct platform_settings v = { .set = PLATFORM_SET_DATE,
                                   .date = 1 + PLATFORM_DATE_OFF };

    (void)state;
    assert_int_equal(login(d), 200);
    assert_true(text_has(d->last_extra, "\r\nDate: "));
    assert_int_equal(set(cam, v), 0);
    assert_int_equal(login(d), 200);
    assert_false(text_has(d->last_extra, "\r\nDate: "));
    v.date = 1 + PLATFORM_DATE_UTC;
    assert_int_equal(set(cam, v), 0);
    assert_int_equal(login(d), 200);
    assert_true(text_has(d->last_extra, "\r\nDate: 2023-11-14T22:13:2"));

    d->version = "2.0";
    v = (struct platform_settings){ .set = PLATFORM_SET_EDITION,
                                    .edition = 1 + MANSCDP_2022 };
    assert_int_equal(set(cam, v), 0);
    assert_true(slice_eq(sim_view(&s, d).edition, SLICE("3.0")));
    assert_int_equal(login(d), 200);
    assert_true(slice_eq(sim_view(&s, d).edition, SLICE("3.0")));
    v.edition = 0;
    assert_int_equal(set(cam, v), 0);
    assert_int_equal(login(d), 200);
    assert_true(slice_eq(sim_view(&s, d).edition, SLICE("2.0")));

    v = (struct platform_settings){ .set = PLATFORM_SET_DIGEST,
                                    .digest = 1u << SIP_DIGEST_SHA256 };
    assert_int_equal(set(cam, v), 0);
    assert_int_equal(login(d), 200);
    assert_true(text_has(d->authorization, "algorithm=SHA-256"));
    sim_free(&s);
}

static void bad_values(void **state)
{
    static const struct platform_settings bad[] = {
        { .set = PLATFORM_SET_DATE, .date = 4 },
        { .set = PLATFORM_SET_EDITION, .edition = 5 },
        { .set = PLATFORM_SET_DIGEST, .digest = 1 },
        { .set = PLATFORM_SET_DIGEST, .digest = 1u << SIP_DIGEST_COUNT },
        { .set = PLATFORM_SET_MEDIA, .media = 4 },
        { .set = PLATFORM_SET_GROUP, .group = S("nobody") },
        { .set = PLATFORM_SET_PASSWORD, .password = S("a\nb") },
        { .set = PLATFORM_SET_NAME, .name = S("a\x7f") },
    };
    struct sim_device *d = begin(true);
    struct platform_settings none = { 0 };

    (void)state;
    login(d);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (set(cam, bad[i]) != GB_ESYNTAX)
            fail_msg("%zu", i);
    assert_int_equal(set(cam, none), 0);
    assert_int_equal(set(cam2, none), GB_ENOENT);
    sim_free(&s);
}

static void groups(void **state)
{
    struct platform_group g;
    struct platform_settings in = { .set = PLATFORM_SET_GROUP,
                                    .group = SLICE("b") };
    struct sim_device *d = begin(true);

    (void)state;
    login(d);
    assert_int_equal(group("", NULL), GB_ESYNTAX);
    assert_int_equal(group("a/b", NULL), GB_ESYNTAX);
    assert_int_equal(group("b", NULL), 0);
    assert_int_equal(group("a", "x"), 0);
    assert_int_equal(group("c", NULL), 0);
    assert_int_equal(set(cam, in), 0);
    assert_true(platform_group_next(s.p, slice_of(NULL, 0), &g));
    assert_true(slice_eq(g.name, SLICE("a")) && g.has_password);
    assert_true(platform_group_next(s.p, g.name, &g));
    assert_true(slice_eq(g.name, SLICE("b")) && g.n_devices == 1);
    assert_true(platform_group_next(s.p, g.name, &g));
    assert_false(platform_group_next(s.p, SLICE("c"), &g));
    sim_run(&s, 10);
    assert_int_equal(s.actions[PLATFORM_GROUP_CHANGED], 3);
    assert_int_equal(group("a", "y"), 0);
    assert_int_equal(platform_group_remove(s.p, SLICE("a"), s.now), 0);
    assert_int_equal(platform_group_remove(s.p, SLICE("a"), s.now), GB_ENOENT);
    assert_int_equal(group("d", NULL), 0);
    assert_int_equal(platform_group_remove(s.p, SLICE("b"), s.now), 0);
    sim_run(&s, 10);
    assert_int_equal(s.actions[PLATFORM_GROUP_REMOVED], 2);
    assert_int_equal(s.actions[PLATFORM_GROUP_CHANGED], 4);
    sim_free(&s);
}

static void restored(void **state)
{
    struct sim_device *d = begin(false);
    struct platform_saved_device saved = { .id = { cam, 20 } };
    struct platform_settings v = {
        .set = ~0u, .group = SLICE("north"), .name = SLICE("Gate"),
        .media = PLATFORM_TCP_PASSIVE };
    struct platform_settings back;

    (void)state;
    assert_int_equal(platform_restore_group(s.p, SLICE("north"),
                                            SLICE("shared"), NULL, s.now), 0);
    assert_int_equal(platform_restore_device(s.p, &saved, s.now), 0);
    assert_int_equal(platform_restore_settings(s.p, slice_str(cam), &v, s.now),
                     0);
    sim_run(&s, 10);
    assert_int_equal(s.actions[PLATFORM_GROUP_CHANGED], 0);
    assert_int_equal(s.actions[PLATFORM_DEVICE_CHANGED], 0);
    /* the rest of it counts; the store is told, or a later group of this name
     * would find a member */
    v.group = SLICE("long gone");
    assert_int_equal(platform_restore_settings(s.p, slice_str(cam), &v, s.now),
                     0);
    sim_run(&s, 10);
    assert_int_equal(s.actions[PLATFORM_DEVICE_CHANGED], 1);
    assert_true(s.device_flags & PLATFORM_CHANGED_SETTINGS);
    assert_true(platform_device_settings(s.p, slice_str(cam), &back));
    assert_true(slice_eq(back.group, SLICE("north")));
    assert_true(slice_eq(back.name, SLICE("Gate")));
    assert_int_equal(back.media, PLATFORM_TCP_PASSIVE);
    assert_true(slice_eq(platform_group_password(s.p, SLICE("north")),
                         SLICE("shared")));
    d->password = "shared";
    assert_int_equal(login(d), 200);
    sim_free(&s);
}

/* A group that could not have its password is not there. */
static void group_and_member(void)
{
    const struct platform_settings v = {
        .set = PLATFORM_SET_PASSWORD | PLATFORM_SET_NAME | PLATFORM_SET_GROUP,
        .password = SLICE("own"), .name = SLICE("Gate"),
        .group = SLICE("north") };
    struct platform_group g;
    int err = group("north", "shared");

    assert_true((err == 0) ==
                (platform_group_view(s.p, SLICE("north"), &g) &&
                 g.has_password));
    assert_int_equal(platform_group_view(s.p, SLICE("north"), &g), err == 0);
    platform_device_create(s.p, slice_str(cam), &v, s.now);
    set(cam, v);
    sim_run(&s, 10);
    platform_group_remove(s.p, SLICE("north"), s.now);
}

static void without_memory(void **state)
{
    (void)state;
    sim_without_memory(&s, group_and_member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_1_16_passwords),
        cmocka_unit_test(added_by_hand),
        cmocka_unit_test(pending_is_let_in),
        cmocka_unit_test(policies),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(groups),
        cmocka_unit_test(restored),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
