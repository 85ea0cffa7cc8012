/* app/store: what somebody set, and was told is kept, is on the disk before that is
 * told; what devices make waits for the journal's own time. */
#include "test/store_world.h"

#include <stdatomic.h>

static atomic_uint syncs; /* of the store's thread */

/* In place of those of the system: SQLite calls one or the other. */
int fsync(int fd)
{
    (void)fd;
    atomic_fetch_add(&syncs, 1);
    return 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

static const struct slice name = SLICE_INIT("front");

static void put_hook(struct store *s)
{
    const struct store_hook h = { .name = name, .url = SLICE("http://a/"),
                                  .sealed = SLICE("x") };

    store_put_hook(s, &h);
}

static void remove_hook(struct store *s)
{
    store_remove_hook(s, name);
}

static void put_group(struct store *s)
{
    const struct platform_policy none = { .s = { 0 } };

    store_put_group(s, name, SLICE("x"), &none);
}

static void put_rule(struct store *s)
{
    const struct store_rule r = { .name = name, .lines = SLICE("preset=1\n") };

    store_put_rule(s, &r);
}

static void add_position(struct store *s)
{
    const struct platform_position p = { .device = name, .channel = name };

    store_add_position(s, &p);
}

static void on_the_disk_when_it_is_told(void **state)
{
    static const struct {
        const char *what;
        void (*change)(struct store *s);
        bool promised;
    } cases[] = {
        { "a position", add_position, false },
        { "a group", put_group, true },
        { "a rule", put_rule, true },
        { "a webhook", put_hook, true },
        { "a webhook that goes", remove_hook, true },
        { "another position", add_position, false },
    };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    add_position(s); /* the journal's head */
    store_flush(s);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        atomic_store(&syncs, 0);
        cases[i].change(s);
        store_flush(s);
        if ((atomic_load(&syncs) > 0) != cases[i].promised)
            fail_msg("%s: %u", cases[i].what, atomic_load(&syncs));
    }
    store_close(s);
    remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_the_disk_when_it_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
