#include "manscdp/config.h"

MANSCDP_BODY_OF(manscdp_config_query, MANSCDP_CONFIG_QUERY_MAP, QUERY,
                CONFIG_DOWNLOAD, "");
MANSCDP_SHAPE_OF(manscdp_basic_param, MANSCDP_BASIC_PARAM_MAP);
MANSCDP_SHAPE_OF(manscdp_video_opt, MANSCDP_VIDEO_OPT_MAP);
MANSCDP_SHAPE_OF(manscdp_video_param, MANSCDP_VIDEO_PARAM_MAP);
MANSCDP_SHAPE_OF(manscdp_audio_opt, MANSCDP_AUDIO_OPT_MAP);
MANSCDP_SHAPE_OF(manscdp_audio_param, MANSCDP_AUDIO_PARAM_MAP);
MANSCDP_SHAPE_OF(manscdp_roi_item, MANSCDP_ROI_ITEM_MAP);
MANSCDP_SHAPE_OF(manscdp_roi, MANSCDP_ROI_MAP);
MANSCDP_SHAPE_OF(manscdp_svc_encode, MANSCDP_SVC_ENCODE_MAP);
MANSCDP_SHAPE_OF(manscdp_encode_watch, MANSCDP_ENCODE_WATCH_MAP);
MANSCDP_SHAPE_OF(manscdp_encrypt, MANSCDP_ENCRYPT_MAP);
MANSCDP_SHAPE_OF(manscdp_svac_audio, MANSCDP_SVAC_AUDIO_MAP);
MANSCDP_SHAPE_OF(manscdp_svac_encode, MANSCDP_SVAC_ENCODE_MAP);
MANSCDP_SHAPE_OF(manscdp_svc_decode, MANSCDP_SVC_DECODE_MAP);
MANSCDP_SHAPE_OF(manscdp_decode_watch, MANSCDP_DECODE_WATCH_MAP);
MANSCDP_SHAPE_OF(manscdp_svac_decode, MANSCDP_SVAC_DECODE_MAP);
MANSCDP_SHAPE_OF(manscdp_video_attribute, MANSCDP_VIDEO_ATTRIBUTE_MAP);
MANSCDP_SHAPE_OF(manscdp_time_segment, MANSCDP_TIME_SEGMENT_MAP);
MANSCDP_SHAPE_OF(manscdp_day_plan, MANSCDP_DAY_PLAN_MAP);
MANSCDP_SHAPE_OF(manscdp_record_plan, MANSCDP_RECORD_PLAN_MAP);
MANSCDP_SHAPE_OF(manscdp_alarm_record, MANSCDP_ALARM_RECORD_MAP);
MANSCDP_SHAPE_OF(manscdp_mask_region, MANSCDP_MASK_REGION_MAP);
MANSCDP_SHAPE_OF(manscdp_picture_mask, MANSCDP_PICTURE_MASK_MAP);
MANSCDP_SHAPE_OF(manscdp_alarm_report, MANSCDP_ALARM_REPORT_MAP);
MANSCDP_SHAPE_OF(manscdp_osd_text, MANSCDP_OSD_TEXT_MAP);
MANSCDP_SHAPE_OF(manscdp_osd, MANSCDP_OSD_MAP);
MANSCDP_SHAPE_OF(manscdp_snapshot, MANSCDP_SNAPSHOT_MAP);
MANSCDP_BODY_OF(manscdp_config_answer, MANSCDP_CONFIG_ANSWER_MAP, RESPONSE,
                CONFIG_DOWNLOAD, "");
MANSCDP_BODY_OF(manscdp_config_set, MANSCDP_CONFIG_TYPES, CONTROL,
                DEVICE_CONFIG, "");

bool manscdp_config_type_next(struct slice *rest, struct slice *type)
{
    while (rest->n) {
        struct slice head;

        slice_cut(rest, '/', &head);
        *type = slice_trim(head);
        if (type->n)
            return true;
    }
    return false;
}

static bool is_common(const struct xml_node *node)
{
    static const struct slice names[] = {
        SLICE_INIT("CmdType"),   SLICE_INIT("SN"),
        SLICE_INIT("DeviceID"),  SLICE_INIT("Result"),
        SLICE_INIT("ExtraInfo"), SLICE_INIT("ExtralInfo"),
        SLICE_INIT("Info"),      SLICE_INIT("Reason")
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_ieq(node->name, names[i]))
            return true;
    return false;
}

/* The element that must be meant by type though it is elsewhere, or called
 * otherwise; NULL: none. */
static const struct xml_node *meant(const struct xml_node *root,
                                    struct slice type)
{
    const struct xml_node *c = xml_find(root, type);

    if (c)
        return c;
    for (c = root->child; c && (is_common(c) || !c->child); c = c->next)
        ;
    return c;
}

/* The table's name of a type, or an empty slice: the ones that are numbers
 * are never nested. */
static struct slice known(struct slice type)
{
    const struct manscdp_shape *s = manscdp_config_set_body.shape;

    for (size_t i = 0; i < s->n; i++)
        if (slice_ieq(s->field[i].name, type))
            return s->field[i].name;
    return slice_of(NULL, 0);
}

static bool has_type(const struct manscdp_config_answer *a)
{
    return a->basic_param || a->video_opt || a->video_param || a->audio_opt ||
           a->audio_param || a->svac_encode || a->svac_decode ||
           a->video_attribute || a->record_plan || a->alarm_record ||
           a->picture_mask || a->frame_mirror.has || a->alarm_report ||
           a->osd || a->snapshot;
}

int manscdp_config_answer_decode_as(struct manscdp_config_answer *out,
                                    const struct manscdp_msg *msg,
                                    struct slice type)
{
    int err = manscdp_config_answer_decode(out, msg);
    struct slice name = known(slice_trim(type));
    const struct xml_node *c;
    struct manscdp_config_answer a;
    struct xml_node renamed, root;

    if (err || has_type(out) || !name.n)
        return err;
    c = meant(msg->doc.root, name);
    if (!c)
        return 0;
    renamed = *c; /* read as if it stood below the root by its own name */
    renamed.name = name;
    renamed.next = NULL;
    root = (struct xml_node){ .child = &renamed };
    err = manscdp_shape_decode(manscdp_config_answer_body.shape, &a, msg,
                               &root);
    if (err || !has_type(&a))
        return err;
    a.head = out->head;
    a.result = out->result == MANSCDP_ABSENT ? MANSCDP_OK : out->result;
    *out = a;
    return 0;
}
