/* manscdp/preset.h - where a camera looks: presets, home position, cruise
 * tracks, position (GB/T 28181-2022 Annex A.2)
 *
 * The queries of presets, home position, track list and position have no
 * elements of their own: manscdp_query_encode writes them. */
#ifndef MANSCDP_PRESET_H
#define MANSCDP_PRESET_H

#include "manscdp/schema.h"

#define MANSCDP_MAX_PRESETS 255u
#define MANSCDP_MAX_TRACKS 256u

/* clang-format off */
#define MANSCDP_PRESET_MAP(X, T)                                               \
    X(T, TEXT, id, "PresetID", EALL, EALL) /* 1 to 255 */                      \
    X(T, TEXT, name, "PresetName", EALL, EALL)

#define MANSCDP_PRESETS_MAP(X, T)                                              \
    X(T, INT, sum_num, "SumNum", E22, E22, 0, UINT32_MAX)                      \
    X(T, LIST, preset, "PresetList", EALL, EALL, manscdp_preset, "Item",       \
      INLINE, MANSCDP_MAX_PRESETS)

/* Of control and answer alike; the last two not when it is disabled. */
#define MANSCDP_HOME_MAP(X, T)                                                 \
    X(T, INT, enabled, "Enabled", EALL, EALL, 0, 1)                            \
    X(T, INT, reset_time, "ResetTime", EALL, ENONE, 0, UINT32_MAX) /* s */     \
    X(T, INT, preset, "PresetIndex", EALL, ENONE, 0, 255)

#define MANSCDP_HOME_ANSWER_MAP(X, T)                                          \
    X(T, PART, home, "HomePosition", E22, ENONE, manscdp_home, INLINE)

#define MANSCDP_TRACK_MAP(X, T)                                                \
    X(T, INT, number, "Number", E22, E22, 0, UINT32_MAX) /* 0: the first */    \
    X(T, TEXT, name, "Name", E22, ENONE)

#define MANSCDP_TRACK_LIST_MAP(X, T)                                           \
    X(T, INT, sum_num, "SumNum", E22, E22, 0, UINT32_MAX)                      \
    X(T, LIST, track, "CruiseTrackList", E22, ENONE, manscdp_track,            \
      "CruiseTrack", INLINE, MANSCDP_MAX_TRACKS)

#define MANSCDP_TRACK_QUERY_MAP(X, T)                                          \
    X(T, INT, number, "Number", E22, E22, 0, UINT32_MAX)

#define MANSCDP_TRACK_POINT_MAP(X, T)                                          \
    X(T, INT, preset, "PresetIndex", E22, E22, 0, 255)                         \
    X(T, INT, stay_time, "StayTime", E22, E22, 0, UINT32_MAX) /* s */          \
    X(T, INT, speed, "Speed", E22, E22, 1, 15)

#define MANSCDP_TRACK_ANSWER_MAP(X, T)                                         \
    X(T, INT, number, "Number", E22, E22, 0, UINT32_MAX)                       \
    X(T, TEXT, name, "Name", E22, ENONE)                                       \
    X(T, INT, sum_num, "SumNum", E22, E22, 0, UINT32_MAX)                      \
    X(T, LIST, point, "CruisePointList", E22, ENONE, manscdp_track_point,      \
      "CruisePoint", INLINE, MANSCDP_MAX_PRESETS)

/* Degrees and metres. Pan 0 to 360 clockwise seen from above, Tilt down. */
#define MANSCDP_PTZ_POSITION_MAP(X, T)                                         \
    X(T, REAL, pan, "Pan", E22, ENONE)                                         \
    X(T, REAL, tilt, "Tilt", E22, ENONE)                                       \
    X(T, REAL, zoom, "Zoom", E22, ENONE)                                       \
    X(T, REAL, horizontal_angle, "HorizontalFieldAngle", E22, ENONE)           \
    X(T, REAL, vertical_angle, "VerticalFieldAngle", E22, ENONE)               \
    X(T, REAL, max_view_distance, "MaxViewDistance", E22, ENONE)
/* clang-format on */

MANSCDP_SHAPE(manscdp_preset, MANSCDP_PRESET_MAP);
MANSCDP_BODY(manscdp_presets, MANSCDP_PRESETS_MAP);
MANSCDP_SHAPE(manscdp_home, MANSCDP_HOME_MAP);
MANSCDP_BODY(manscdp_home_answer, MANSCDP_HOME_ANSWER_MAP);
MANSCDP_SHAPE(manscdp_track, MANSCDP_TRACK_MAP);
MANSCDP_BODY(manscdp_track_list, MANSCDP_TRACK_LIST_MAP);
MANSCDP_BODY(manscdp_track_query, MANSCDP_TRACK_QUERY_MAP);
MANSCDP_SHAPE(manscdp_track_point, MANSCDP_TRACK_POINT_MAP);
MANSCDP_BODY(manscdp_track_answer, MANSCDP_TRACK_ANSWER_MAP);
MANSCDP_BODY(manscdp_ptz_position, MANSCDP_PTZ_POSITION_MAP); /* answer */
MANSCDP_BODY(manscdp_ptz_notify, MANSCDP_PTZ_POSITION_MAP);
#endif
