#include "manscdp/bodies.h"

#include "manscdp/config.h"
#include "manscdp/control.h"
#include "manscdp/filter.h"
#include "manscdp/media.h"
#include "manscdp/preset.h"
#include "manscdp/record.h"

static const struct manscdp_body *const bodies[] = {
    &manscdp_record_query_body,    &manscdp_record_answer_body,
    &manscdp_card_status_body,     &manscdp_config_query_body,
    &manscdp_config_answer_body,   &manscdp_config_set_body,
    &manscdp_presets_body,         &manscdp_home_answer_body,
    &manscdp_track_list_body,      &manscdp_track_query_body,
    &manscdp_track_answer_body,    &manscdp_ptz_position_body,
    &manscdp_ptz_notify_body,      &manscdp_control_ptz_body,
    &manscdp_control_boot_body,    &manscdp_control_record_body,
    &manscdp_control_guard_body,   &manscdp_control_alarm_body,
    &manscdp_control_iframe_body,  &manscdp_control_zoom_in_body,
    &manscdp_control_zoom_out_body, &manscdp_control_home_body,
    &manscdp_control_precise_body, &manscdp_control_format_body,
    &manscdp_control_target_body,  &manscdp_control_upgrade_body,
    &manscdp_media_status_body,    &manscdp_broadcast_body,
    &manscdp_snapshot_done_body,   &manscdp_video_upload_body,
    &manscdp_upgrade_result_body,  &manscdp_alarm_query_body,
    &manscdp_position_query_body,  &manscdp_position_report_body,
};

#define N_BODIES (sizeof(bodies) / sizeof(bodies[0]))

const struct manscdp_body *const *manscdp_bodies(size_t *n)
{
    *n = N_BODIES;
    return bodies;
}

const struct manscdp_body *manscdp_body_for(enum manscdp_root root,
                                            enum manscdp_cmd cmd,
                                            struct slice sub)
{
    for (size_t i = 0; i < N_BODIES; i++) {
        const struct manscdp_body *b = bodies[i];
        const struct manscdp_field *f = manscdp_field_of(b->shape, sub);

        if (b->root == root && b->cmd == cmd &&
            slice_eq(b->sub, sub.n && f ? f->name : sub))
            return b;
    }
    return NULL;
}

const struct manscdp_body *manscdp_body_of(const struct manscdp_msg *msg)
{
    for (size_t i = 0; i < N_BODIES; i++)
        if (manscdp_body_is(bodies[i], msg))
            return bodies[i];
    return NULL;
}
