/* app/platform/alarms.h - what AlarmMethod and AlarmType mean
 * (GB/T 28181-2022 A.2.5.3), in English and Chinese */
#ifndef APP_PLATFORM_ALARMS_H
#define APP_PLATFORM_ALARMS_H

#include "base/slice.h"

/* clang-format off */
/* Type 0: the method itself, which says all when no type is told. */
#define ALARM_NAME_MAP(X)                                                      \
    X(1, 0,  "phone",                "电话报警")                                \
    X(2, 0,  "device",               "设备报警")                                \
    X(2, 1,  "video loss",           "视频丢失报警")                            \
    X(2, 2,  "tamper",               "设备防拆报警")                            \
    X(2, 3,  "disk full",            "存储设备磁盘满报警")                      \
    X(2, 4,  "high temperature",     "设备高温报警")                            \
    X(2, 5,  "low temperature",      "设备低温报警")                            \
    X(3, 0,  "SMS",                  "短信报警")                                \
    X(4, 0,  "GPS",                  "GPS报警")                                 \
    X(5, 0,  "video",                "视频报警")                                \
    X(5, 1,  "manual alarm",         "人工视频报警")                            \
    X(5, 2,  "motion",               "运动目标检测报警")                        \
    X(5, 3,  "object left behind",   "遗留物检测报警")                          \
    X(5, 4,  "object removed",       "物体移除检测报警")                        \
    X(5, 5,  "tripwire",             "绊线检测报警")                            \
    X(5, 6,  "intrusion",            "入侵检测报警")                            \
    X(5, 7,  "wrong way",            "逆行检测报警")                            \
    X(5, 8,  "loitering",            "徘徊检测报警")                            \
    X(5, 9,  "flow statistics",      "流量统计报警")                            \
    X(5, 10, "density",              "密度检测报警")                            \
    X(5, 11, "video abnormal",       "视频异常检测报警")                        \
    X(5, 12, "fast movement",        "快速移动报警")                            \
    X(5, 13, "picture occluded",     "图像遮挡报警")                            \
    X(6, 0,  "fault",                "设备故障报警")                            \
    X(6, 1,  "disk failure",         "存储设备磁盘故障报警")                    \
    X(6, 2,  "fan failure",          "存储设备风扇故障报警")                    \
    X(7, 0,  "other",                "其他报警")
/* clang-format on */

struct alarm_name {
    const char *en, *zh; /* "" when the standard defines none */
};

/* Of the wire's texts: blanks around are ignored, of a combination ("2/5",
 * "25") the first counts. */
struct alarm_name alarm_method_name(struct slice method);
struct alarm_name alarm_type_name(struct slice method, struct slice type);
/* EventType of AlarmTypeParam, which the standard has for intrusion alone. */
struct alarm_name alarm_event_name(struct slice method, struct slice type,
                                   struct slice event);
#endif
