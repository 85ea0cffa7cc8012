#include "manscdp/preset.h"

MANSCDP_SHAPE_OF(manscdp_preset, MANSCDP_PRESET_MAP);
MANSCDP_BODY_OF(manscdp_presets, MANSCDP_PRESETS_MAP, RESPONSE, PRESET_QUERY,
                "");
MANSCDP_SHAPE_OF(manscdp_home, MANSCDP_HOME_MAP);
MANSCDP_BODY_OF(manscdp_home_answer, MANSCDP_HOME_ANSWER_MAP, RESPONSE,
                HOME_POSITION_QUERY, "");
MANSCDP_SHAPE_OF(manscdp_track, MANSCDP_TRACK_MAP);
MANSCDP_BODY_OF(manscdp_track_list, MANSCDP_TRACK_LIST_MAP, RESPONSE,
                CRUISE_TRACK_LIST, "");
MANSCDP_BODY_OF(manscdp_track_query, MANSCDP_TRACK_QUERY_MAP, QUERY,
                CRUISE_TRACK, "");
MANSCDP_SHAPE_OF(manscdp_track_point, MANSCDP_TRACK_POINT_MAP);
MANSCDP_BODY_OF(manscdp_track_answer, MANSCDP_TRACK_ANSWER_MAP, RESPONSE,
                CRUISE_TRACK, "");
MANSCDP_BODY_OF(manscdp_ptz_position, MANSCDP_PTZ_POSITION_MAP, RESPONSE,
                PTZ_POSITION, "");
MANSCDP_BODY_OF(manscdp_ptz_notify, MANSCDP_PTZ_POSITION_MAP, NOTIFY,
                PTZ_POSITION, "");
