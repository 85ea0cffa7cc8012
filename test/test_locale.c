/* app/locale: whose language it is. */
#include "test/support.h"

#include <stdlib.h>

#include "app/locale.h"

static void put(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void the_first_that_says_something(void **state)
{
    static const struct {
        const char *all, *messages, *lang;
        bool chinese;
    } cases[] = {
        { NULL, NULL, NULL, false },
        { NULL, NULL, "zh_CN.UTF-8", true },
        { "", "", "zh_CN", true },
        { NULL, "zh_TW.UTF-8", "en_US.UTF-8", true },
        { NULL, "C", "zh_CN.UTF-8", false },
        { "zh", "C", "C", true },
        { "C.UTF-8", "zh", "zh", false },
        { "z", NULL, NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        put("LC_ALL", cases[i].all);
        put("LC_MESSAGES", cases[i].messages);
        put("LANG", cases[i].lang);
        if (locale_is_chinese() != cases[i].chinese)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_says_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
