#include "manscdp/control.h"

static const struct slice boot_words[] = { { 0 }, SLICE_INIT("Boot"), { 0 } };
static const struct slice record_words[] = { { 0 },
                                             SLICE_INIT("Record"),
                                             SLICE_INIT("StopRecord"),
                                             { 0 } };
static const struct slice guard_words[] = { { 0 },
                                            SLICE_INIT("SetGuard"),
                                            SLICE_INIT("ResetGuard"),
                                            { 0 } };
static const struct slice alarm_words[] = { { 0 },
                                            SLICE_INIT("ResetAlarm"),
                                            { 0 } };
static const struct slice iframe_words[] = { { 0 },
                                             SLICE_INIT("Send"),
                                             { 0 } };
static const struct slice target_words[] = { { 0 },
                                             SLICE_INIT("Auto"),
                                             SLICE_INIT("Manual"),
                                             SLICE_INIT("Stop"),
                                             { 0 } };

MANSCDP_SHAPE_OF(manscdp_ptz_params, MANSCDP_PTZ_PARAMS_MAP);
MANSCDP_SHAPE_OF(manscdp_ptz_info, MANSCDP_PTZ_INFO_MAP);
MANSCDP_BODY_OF(manscdp_control_ptz, MANSCDP_CONTROL_PTZ_MAP, CONTROL,
                DEVICE_CONTROL, "PTZCmd");
MANSCDP_BODY_OF(manscdp_control_boot, MANSCDP_CONTROL_BOOT_MAP, CONTROL,
                DEVICE_CONTROL, "TeleBoot");
MANSCDP_BODY_OF(manscdp_control_record, MANSCDP_CONTROL_RECORD_MAP, CONTROL,
                DEVICE_CONTROL, "RecordCmd");
MANSCDP_BODY_OF(manscdp_control_guard, MANSCDP_CONTROL_GUARD_MAP, CONTROL,
                DEVICE_CONTROL, "GuardCmd");
MANSCDP_SHAPE_OF(manscdp_alarm_reset_info, MANSCDP_ALARM_RESET_INFO_MAP);
MANSCDP_BODY_OF(manscdp_control_alarm, MANSCDP_CONTROL_ALARM_MAP, CONTROL,
                DEVICE_CONTROL, "AlarmCmd");
MANSCDP_BODY_OF(manscdp_control_iframe, MANSCDP_CONTROL_IFRAME_MAP, CONTROL,
                DEVICE_CONTROL, "IFrameCmd");
MANSCDP_SHAPE_OF(manscdp_area, MANSCDP_AREA_MAP);
MANSCDP_BODY_OF(manscdp_control_zoom_in, MANSCDP_CONTROL_ZOOM_IN_MAP, CONTROL,
                DEVICE_CONTROL, "DragZoomIn");
MANSCDP_BODY_OF(manscdp_control_zoom_out, MANSCDP_CONTROL_ZOOM_OUT_MAP,
                CONTROL, DEVICE_CONTROL, "DragZoomOut");
MANSCDP_BODY_OF(manscdp_control_home, MANSCDP_CONTROL_HOME_MAP, CONTROL,
                DEVICE_CONTROL, "HomePosition");
MANSCDP_SHAPE_OF(manscdp_precise, MANSCDP_PRECISE_MAP);
MANSCDP_BODY_OF(manscdp_control_precise, MANSCDP_CONTROL_PRECISE_MAP, CONTROL,
                DEVICE_CONTROL, "PTZPreciseCtrl");
MANSCDP_BODY_OF(manscdp_control_format, MANSCDP_CONTROL_FORMAT_MAP, CONTROL,
                DEVICE_CONTROL, "FormatSDCard");
MANSCDP_BODY_OF(manscdp_control_target, MANSCDP_CONTROL_TARGET_MAP, CONTROL,
                DEVICE_CONTROL, "TargetTrack");
MANSCDP_SHAPE_OF(manscdp_upgrade, MANSCDP_UPGRADE_MAP);
MANSCDP_BODY_OF(manscdp_control_upgrade, MANSCDP_CONTROL_UPGRADE_MAP, CONTROL,
                DEVICE_CONTROL, "DeviceUpgrade");

const struct manscdp_row *manscdp_control_row(const struct manscdp_msg *msg)
{
    const struct xml_node *c = msg->doc.root->child;
    const struct manscdp_row *row = NULL;

    if (msg->root != MANSCDP_CONTROL || msg->cmd != MANSCDP_CMD_DEVICE_CONTROL)
        return NULL;
    for (; c && !row; c = c->next)
        row = manscdp_row_find(msg->root, msg->cmd, c->name);
    return row;
}
