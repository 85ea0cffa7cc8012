#include "app/locale.h"

#include "base/slice.h"

#include <stdlib.h>

bool locale_is_chinese(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *lang = getenv(names[i]);

        if (lang && *lang)
            return slice_has_prefix(slice_str(lang), SLICE("zh"));
    }
    return false;
}
