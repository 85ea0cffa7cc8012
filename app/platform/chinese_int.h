/* app/platform/chinese_int.h - the sentences, by who says them; see chinese.h */
#ifndef APP_PLATFORM_CHINESE_INT_H
#define APP_PLATFORM_CHINESE_INT_H

#include "app/platform/chinese.h"

struct chinese_row {
    const char *english, *chinese; /* NULL in the row behind the last */
};

extern const struct chinese_row chinese_device[], chinese_session[],
    chinese_voice[], chinese_job[], chinese_answer[], chinese_http[],
    chinese_request[], chinese_deviation[];
#endif
