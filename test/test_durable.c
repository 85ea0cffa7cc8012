/* app/net/durable: the name is another one, or there is a reason. What a loss of
 * power leaves: test/e2e/faults.py. */
#include "app/net/durable.h"
#include "test/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void renames(void **state)
{
    char dir[] = "/tmp/gb28181-durable-XXXXXX", here[200];
    static char endless[2000];

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(close(creat("a", 0600)), 0);
    assert_int_equal(durable_rename("a", "b"), 0); /* here */
    assert_int_equal(access("b", F_OK), 0);
    assert_int_equal(durable_rename("b", "./c"), 0);
    assert_int_equal(access("c", F_OK), 0);
    assert_int_equal(durable_rename("nothing", "d"), ENOENT);
    assert_int_equal(durable_rename("c", "no/where"), ENOENT);
    memset(endless, 'x', sizeof(endless) - 1);
    endless[1500] = '/';
    assert_int_equal(durable_rename("c", endless), ENAMETOOLONG);
    assert_int_equal(access("c", F_OK), 0);
    assert_int_equal(unlink("c"), 0);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
