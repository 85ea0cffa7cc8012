/* manscdp/control.h - DeviceControl, one body for each command
 * (GB/T 28181-2022 Annex A.2.3)
 *
 * Which of them a message is, its row says: manscdp_control_row. The answer,
 * where one is due, is a manscdp_response. */
#ifndef MANSCDP_CONTROL_H
#define MANSCDP_CONTROL_H

#include "manscdp/preset.h"

enum { MANSCDP_RECORD_START = 1, MANSCDP_RECORD_STOP };
enum { MANSCDP_GUARD_SET = 1, MANSCDP_GUARD_RESET };
enum { MANSCDP_TRACK_AUTO = 1, MANSCDP_TRACK_MANUAL, MANSCDP_TRACK_STOP };

/* clang-format off */
#define MANSCDP_PTZ_PARAMS_MAP(X, T)                                           \
    X(T, TEXT, preset_name, "PresetName", E22, ENONE)                          \
    X(T, TEXT, track_name, "CruiseTrackName", E22, ENONE) /* <= 32 bytes */

#define MANSCDP_PTZ_INFO_MAP(X, T)                                             \
    X(T, INT, priority, "ControlPriority", EALL, ENONE, 0, UINT32_MAX)

/* manscdp/ptz.h writes and reads the eight bytes. */
#define MANSCDP_CONTROL_PTZ_MAP(X, T)                                          \
    X(T, TEXT, command, "PTZCmd", EALL, EALL)                                  \
    X(T, PART, params, "PTZCmdParams", E22, ENONE, manscdp_ptz_params, INLINE) \
    X(T, PART, info, "Info", EUNTIL16, ENONE, manscdp_ptz_info, INLINE)

#define MANSCDP_CONTROL_BOOT_MAP(X, T)                                         \
    X(T, WORD, boot, "TeleBoot", EALL, EALL, boot_words)

#define MANSCDP_CONTROL_RECORD_MAP(X, T)                                       \
    X(T, WORD, record, "RecordCmd", EALL, EALL, record_words)                  \
    X(T, INT, stream_number, "StreamNumber", E22, ENONE, 0, UINT32_MAX)

#define MANSCDP_CONTROL_GUARD_MAP(X, T)                                        \
    X(T, WORD, guard, "GuardCmd", EALL, EALL, guard_words)

#define MANSCDP_ALARM_RESET_INFO_MAP(X, T)                                     \
    X(T, METHODS, method, "AlarmMethod", ESINCE16, ENONE)                      \
    X(T, TEXT, type, "AlarmType", ESINCE16, ENONE)

#define MANSCDP_CONTROL_ALARM_MAP(X, T)                                        \
    X(T, WORD, reset, "AlarmCmd", EALL, EALL, alarm_words)                     \
    X(T, PART, info, "Info", ESINCE16, ENONE, manscdp_alarm_reset_info, INLINE)

#define MANSCDP_CONTROL_IFRAME_MAP(X, T)                                       \
    X(T, WORD, send, "IFrameCmd", ESINCE16, ESINCE16, iframe_words)

/* Pixels of the client's window, its origin at the top left. */
#define MANSCDP_AREA_MAP(X, T)                                                 \
    X(T, INT, length, "Length", ESINCE16, ESINCE16, 0, UINT32_MAX)             \
    X(T, INT, width, "Width", ESINCE16, ESINCE16, 0, UINT32_MAX)               \
    X(T, INT, mid_x, "MidPointX", ESINCE16, ESINCE16, 0, UINT32_MAX)           \
    X(T, INT, mid_y, "MidPointY", ESINCE16, ESINCE16, 0, UINT32_MAX)           \
    X(T, INT, length_x, "LengthX", ESINCE16, ESINCE16, 0, UINT32_MAX)          \
    X(T, INT, length_y, "LengthY", ESINCE16, ESINCE16, 0, UINT32_MAX)

#define MANSCDP_CONTROL_ZOOM_IN_MAP(X, T)                                      \
    X(T, PART, area, "DragZoomIn", ESINCE16, ESINCE16, manscdp_area, INLINE)

#define MANSCDP_CONTROL_ZOOM_OUT_MAP(X, T)                                     \
    X(T, PART, area, "DragZoomOut", ESINCE16, ESINCE16, manscdp_area, INLINE)

#define MANSCDP_CONTROL_HOME_MAP(X, T)                                         \
    X(T, PART, home, "HomePosition", ESINCE16, ESINCE16, manscdp_home, INLINE)

/* Degrees; what lies out of range moves to the limit. */
#define MANSCDP_PRECISE_MAP(X, T)                                              \
    X(T, REAL, pan, "Pan", E22, ENONE)                                         \
    X(T, REAL, tilt, "Tilt", E22, ENONE)                                       \
    X(T, REAL, zoom, "Zoom", E22, ENONE)

#define MANSCDP_CONTROL_PRECISE_MAP(X, T)                                      \
    X(T, PART, to, "PTZPreciseCtrl", E22, E22, manscdp_precise, INLINE)

#define MANSCDP_CONTROL_FORMAT_MAP(X, T)                                       \
    X(T, INT, card, "FormatSDCard", E22, E22, 0, UINT32_MAX) /* 0: all */

#define MANSCDP_CONTROL_TARGET_MAP(X, T)                                       \
    X(T, WORD, track, "TargetTrack", E22, E22, target_words)                   \
    X(T, TEXT, panorama_id, "DeviceID2", E22, ENONE)                           \
    X(T, PART, area, "TargetArea", E22, ENONE, manscdp_area, INLINE)

#define MANSCDP_UPGRADE_MAP(X, T)                                              \
    X(T, TEXT, firmware, "Firmware", E22, E22)                                 \
    X(T, TEXT, url, "FileURL", E22, E22)                                       \
    X(T, TEXT, manufacturer, "Manufacturer", E22, E22)                         \
    X(T, SESSION, session, "SessionID", E22, E22)

#define MANSCDP_CONTROL_UPGRADE_MAP(X, T)                                      \
    X(T, PART, upgrade, "DeviceUpgrade", E22, E22, manscdp_upgrade, LINES)
/* clang-format on */

MANSCDP_SHAPE(manscdp_ptz_params, MANSCDP_PTZ_PARAMS_MAP);
MANSCDP_SHAPE(manscdp_ptz_info, MANSCDP_PTZ_INFO_MAP);
MANSCDP_BODY(manscdp_control_ptz, MANSCDP_CONTROL_PTZ_MAP);
MANSCDP_BODY(manscdp_control_boot, MANSCDP_CONTROL_BOOT_MAP);
MANSCDP_BODY(manscdp_control_record, MANSCDP_CONTROL_RECORD_MAP);
MANSCDP_BODY(manscdp_control_guard, MANSCDP_CONTROL_GUARD_MAP);
MANSCDP_SHAPE(manscdp_alarm_reset_info, MANSCDP_ALARM_RESET_INFO_MAP);
MANSCDP_BODY(manscdp_control_alarm, MANSCDP_CONTROL_ALARM_MAP);
MANSCDP_BODY(manscdp_control_iframe, MANSCDP_CONTROL_IFRAME_MAP);
MANSCDP_SHAPE(manscdp_area, MANSCDP_AREA_MAP);
MANSCDP_BODY(manscdp_control_zoom_in, MANSCDP_CONTROL_ZOOM_IN_MAP);
MANSCDP_BODY(manscdp_control_zoom_out, MANSCDP_CONTROL_ZOOM_OUT_MAP);
MANSCDP_BODY(manscdp_control_home, MANSCDP_CONTROL_HOME_MAP);
MANSCDP_SHAPE(manscdp_precise, MANSCDP_PRECISE_MAP);
MANSCDP_BODY(manscdp_control_precise, MANSCDP_CONTROL_PRECISE_MAP);
MANSCDP_BODY(manscdp_control_format, MANSCDP_CONTROL_FORMAT_MAP);
MANSCDP_BODY(manscdp_control_target, MANSCDP_CONTROL_TARGET_MAP);
MANSCDP_SHAPE(manscdp_upgrade, MANSCDP_UPGRADE_MAP);
MANSCDP_BODY(manscdp_control_upgrade, MANSCDP_CONTROL_UPGRADE_MAP);

/* The row of a DeviceControl by the element that is its command; NULL: none
 * of them is there, or msg is something else. */
const struct manscdp_row *manscdp_control_row(const struct manscdp_msg *msg);
#endif
