#include "manscdp/filter.h"

MANSCDP_BODY_OF(manscdp_alarm_query, MANSCDP_ALARM_QUERY_MAP, QUERY, ALARM,
                "");
MANSCDP_BODY_OF(manscdp_position_query, MANSCDP_POSITION_QUERY_MAP, QUERY,
                MOBILE_POSITION, "");
MANSCDP_SHAPE_OF(manscdp_position_item, MANSCDP_POSITION_ITEM_MAP);
MANSCDP_BODY_OF(manscdp_position_report, MANSCDP_POSITION_REPORT_MAP, NOTIFY,
                MOBILE_POSITION, "");

bool manscdp_methods_have(struct slice methods, uint32_t method)
{
    bool some = false;

    for (size_t i = 0; i < methods.n; i++) {
        if (!ascii_is_digit(methods.p[i]))
            continue;
        if (methods.p[i] == '0' ||
            (uint32_t)(methods.p[i] - '0') == method)
            return true;
        some = true;
    }
    return !some;
}
