/* manscdp/filter.h - what a subscription or a query of events asks for, and
 * the reports of positions
 * (GB/T 28181-2022 Annex A.2) */
#ifndef MANSCDP_FILTER_H
#define MANSCDP_FILTER_H

#include "manscdp/schema.h"

#define MANSCDP_POSITION_INTERVAL_S 5 /* when none is said */

/* clang-format off */
/* Priorities: 0 all, 1 (highest) to 4, both ends count. */
#define MANSCDP_ALARM_QUERY_MAP(X, T)                                          \
    X(T, TEXT, start_priority, "StartAlarmPriority", EALL, ENONE)              \
    X(T, TEXT, end_priority, "EndAlarmPriority", EALL, ENONE)                  \
    X(T, METHODS, method, "AlarmMethod", EALL, ENONE)                          \
    X(T, TEXT, type, "AlarmType", ESINCE16, ENONE)                             \
    X(T, TEXT, start_time, "StartAlarmTime", EALL, ENONE)                      \
    X(T, TEXT, end_time, "EndAlarmTime", EALL, ENONE)

#define MANSCDP_POSITION_QUERY_MAP(X, T)                                       \
    X(T, INT, interval, "Interval", ESINCE16, ENONE, 1, UINT32_MAX) /* s */

#define MANSCDP_POSITION_ITEM_MAP(X, T)                                        \
    X(T, TEXT, device_id, "DeviceID", E22, E22)                                \
    X(T, TEXT, time, "CaptureTime", E22, E22)                                  \
    X(T, REAL, longitude, "Longitude", E22, E22)                               \
    X(T, REAL, latitude, "Latitude", E22, E22)                                 \
    X(T, REAL, speed, "Speed", E22, ENONE) /* km/h */                          \
    X(T, REAL, direction, "Direction", E22, ENONE) /* from north, clockwise */ \
    X(T, REAL, altitude, "Altitude", E22, ENONE) /* m */                       \
    X(T, REAL, height, "Height", E22, ENONE) /* m above the ground */

/* One position in 2016, a list of them since; both are read always. */
#define MANSCDP_POSITION_REPORT_MAP(X, T)                                      \
    X(T, TEXT, time, "Time", ESINCE16, ESINCE16)                               \
    X(T, REAL, longitude, "Longitude", E16, E16)                               \
    X(T, REAL, latitude, "Latitude", E16, E16)                                 \
    X(T, REAL, speed, "Speed", E16, ENONE)                                     \
    X(T, REAL, direction, "Direction", E16, ENONE)                             \
    X(T, REAL, altitude, "Altitude", E16, ENONE)                               \
    X(T, INT, sum_num, "SumNum", E22, E22, 0, UINT32_MAX)                      \
    X(T, LIST, item, "DeviceList", E22, ENONE, manscdp_position_item, "Item",  \
      LINES, MANSCDP_MAX_POSITIONS)
/* clang-format on */

#define MANSCDP_MAX_POSITIONS 10000u

MANSCDP_BODY(manscdp_alarm_query, MANSCDP_ALARM_QUERY_MAP);
MANSCDP_BODY(manscdp_position_query, MANSCDP_POSITION_QUERY_MAP);
MANSCDP_SHAPE(manscdp_position_item, MANSCDP_POSITION_ITEM_MAP);
MANSCDP_BODY(manscdp_position_report, MANSCDP_POSITION_REPORT_MAP);

/* Whether an alarm of that method (1 to 7) is asked for by methods: empty and
 * 0 ask for all, "25" and "2/5" for both. */
bool manscdp_methods_have(struct slice methods, uint32_t method);
#endif
