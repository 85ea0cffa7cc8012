#include "app/device/device_values.h"

#define ANSWER (manscdp_config_answer_body.shape)
#define BEGIN                                                                  \
    "<Response><CmdType>ConfigDownload</CmdType><SN>1</SN>"                    \
    "<DeviceID>0</DeviceID><Result>OK</Result>"

/* A new camera, but for BasicParam. Each edition takes what it has. */
static const char as_new[] =
    BEGIN
    "<VideoParamOpt><VideoFormatOpt>2/5</VideoFormatOpt>"
    "<ResolutionOpt>4/5/6</ResolutionOpt><FrameRateOpt>25/15</FrameRateOpt>"
    "<BitRateTypeOpt>1/2</BitRateTypeOpt>"
    "<VideoBitRateOpt>512/1024/2048/4096</VideoBitRateOpt>"
    "<DownloadSpeedOpt>1/2/4</DownloadSpeedOpt>"
    "<DownloadSpeed>1/2/4</DownloadSpeed><Resolution>4/5/6</Resolution>"
    "</VideoParamOpt>"
    "<VideoParamConfig Num=\"1\"><Item><StreamName>main</StreamName>"
    "<VideoFormat>2</VideoFormat><Resolution>5</Resolution>"
    "<FrameRate>25</FrameRate><BitRateType>2</BitRateType>"
    "<VideoBitRate>2048</VideoBitRate></Item></VideoParamConfig>"
    "<AudioParamOpt><AudioFormatOpt>1</AudioFormatOpt>"
    "<AudioBitRateOpt>8</AudioBitRateOpt>"
    "<SamplingRateOpt>1</SamplingRateOpt></AudioParamOpt>"
    "<AudioParamConfig Num=\"1\"><Item><StreamName>main</StreamName>"
    "<AudioFormat>1</AudioFormat><AudioBitRate>8</AudioBitRate>"
    "<SamplingRate>1</SamplingRate></Item></AudioParamConfig>"
    "<SVACEncodeConfig><ROIParam><ROIFlag>0</ROIFlag>"
    "<BackGroundQP>0</BackGroundQP>"
    "<BackGroundSkipFlag>0</BackGroundSkipFlag></ROIParam>"
    "<SVCParam><SVCSpaceDomainMode>0</SVCSpaceDomainMode>"
    "<SVCTimeDomainMode>0</SVCTimeDomainMode>"
    "<SVCSpaceSupportMode>1</SVCSpaceSupportMode>"
    "<SVCTimeSupportMode>1</SVCTimeSupportMode></SVCParam>"
    "<SurveillanceParam><TimeFlag>0</TimeFlag><OSDFlag>0</OSDFlag>"
    "<AIFlag>0</AIFlag><GISFlag>0</GISFlag><EventFlag>0</EventFlag>"
    "<AlertFlag>0</AlertFlag></SurveillanceParam>"
    "<EncryptParam><EncryptionFlag>0</EncryptionFlag>"
    "<AuthenticationFlag>0</AuthenticationFlag></EncryptParam>"
    "<AudioParam><AudioRecognitionFlag>0</AudioRecognitionFlag></AudioParam>"
    "</SVACEncodeConfig>"
    "<SVACDecodeConfig><SVCParam><SVCSTMMode>0</SVCSTMMode>"
    "<SVCSpaceSupportMode>1</SVCSpaceSupportMode>"
    "<SVCTimeSupportMode>1</SVCTimeSupportMode></SVCParam>"
    "<SurveillanceParam><TimeShowFlag>0</TimeShowFlag>"
    "<OSDShowFlag>0</OSDShowFlag><AIShowFlag>0</AIShowFlag>"
    "<GISShowFlag>0</GISShowFlag><EventShowFlag>0</EventShowFlag>"
    "<AlerShowtFlag>0</AlerShowtFlag></SurveillanceParam></SVACDecodeConfig>"
    "<VideoParamAttribute Num=\"2\"><Item><StreamNumber>0</StreamNumber>"
    "<VideoFormat>2</VideoFormat><Resolution>5</Resolution>"
    "<FrameRate>25</FrameRate><BitRateType>2</BitRateType></Item>"
    "<Item><StreamNumber>1</StreamNumber><VideoFormat>2</VideoFormat>"
    "<Resolution>2</Resolution><FrameRate>15</FrameRate>"
    "<BitRateType>1</BitRateType><VideoBitRate>512</VideoBitRate></Item>"
    "</VideoParamAttribute>"
    "<VideoRecordPlan><RecordEnable>0</RecordEnable>"
    "<StreamNumber>0</StreamNumber></VideoRecordPlan>"
    "<VideoAlarmRecord><RecordEnable>0</RecordEnable>"
    "<RecordTime>30</RecordTime><PreRecordTime>5</PreRecordTime>"
    "<StreamNumber>0</StreamNumber></VideoAlarmRecord>"
    "<PictureMask><On>0</On></PictureMask><FrameMirror>0</FrameMirror>"
    "<AlarmReport><MotionDetection>1</MotionDetection>"
    "<FieldDetection>0</FieldDetection></AlarmReport>"
    "<OSDConfig><Length>640</Length><Width>360</Width><TimeX>8</TimeX>"
    "<TimeY>8</TimeY><TimeEnable>1</TimeEnable><TimeType>0</TimeType>"
    "<TextEnable>1</TextEnable></OSDConfig>"
    "</Response>";

void device_values_fini(struct device_values *s,
                          const struct gb_alloc *alloc)
{
    gb_put(alloc, s->text);
    *s = (struct device_values){ 0 };
}

/* ---- reading -------------------------------------------------------------- */

static int read_text(struct arena *room, struct slice text,
                     struct manscdp_config_answer *out)
{
    struct manscdp_msg m;
    int err = manscdp_msg_parse(&m, room, text, NULL, NULL);

    return err ? err : manscdp_shape_decode(ANSWER, out, &m, m.doc.root);
}

int device_values_read(const struct device_values *s, struct arena *room,
                         struct manscdp_basic_param *basic,
                         struct manscdp_config_answer *out)
{
    struct manscdp_config_answer fresh, own = { .basic_param = basic };
    int err = read_text(room, slice_str(as_new), &fresh);

    *out = (struct manscdp_config_answer){ 0 };
    if (!err && s && s->text)
        err = read_text(room, slice_of(s->text, s->n), out);
    if (err)
        return err;
    manscdp_shape_fill(ANSWER, out, &own);
    manscdp_shape_fill(ANSWER, out, &fresh);
    return 0;
}

uint32_t device_values_type(struct slice name, enum manscdp_edition e)
{
    for (size_t i = 1; i < ANSWER->n; i++) /* the first is the Result */
        if (slice_ieq(ANSWER->field[i].name, name) &&
            ANSWER->field[i].editions & MANSCDP_WAY(e, true))
            return 1u << i;
    return 0;
}

void device_values_pick(const struct manscdp_config_answer *all,
                          uint32_t type, struct manscdp_config_answer *out)
{
    *out = (struct manscdp_config_answer){ .result = MANSCDP_ERROR };
    for (size_t i = 1; i < ANSWER->n; i++) {
        const struct manscdp_shape one = { &ANSWER->field[i], 1,
                                           ANSWER->size };

        if (!(type & 1u << i) || !manscdp_field_is_said(one.field, all))
            continue;
        manscdp_shape_fill(&one, out, all);
        out->result = MANSCDP_OK;
    }
}

/* ---- setting -------------------------------------------------------------- */

/* The order sets something, and nothing that cannot be set. */
static bool is_settable(const struct manscdp_config_answer *order,
                        enum manscdp_edition e)
{
    const struct manscdp_shape *set = manscdp_config_set_body.shape;
    size_t n = 0;

    for (size_t i = 1; i < ANSWER->n; i++) {
        if (!manscdp_field_is_said(&ANSWER->field[i], order))
            continue;
        if (!(set->field[i - 1].editions & MANSCDP_WAY(e, false)))
            return false;
        n++;
    }
    return n > 0;
}

static int keep(struct device_values *s, const struct gb_alloc *alloc,
                struct slice text)
{
    char *copy = gb_get(alloc, text.n);

    if (!copy)
        return GB_ENOMEM;
    memcpy(copy, text.p, text.n);
    gb_put(alloc, s->text);
    *s = (struct device_values){ copy, text.n };
    return 0;
}

int device_values_set(struct device_values *s,
                        const struct gb_alloc *alloc, struct arena *room,
                        struct manscdp_basic_param *basic,
                        enum manscdp_edition edition,
                        const struct manscdp_msg *order)
{
    const struct manscdp_dialect d = { edition, MANSCDP_UTF8 };
    struct manscdp_config_answer next, now;
    struct writer w;
    int err = manscdp_shape_decode(ANSWER, &next, order, order->doc.root);

    if (err)
        return err;
    if (!is_settable(&next, edition))
        return GB_EUNSUPPORTED;
    err = device_values_read(s, room, basic, &now);
    if (err)
        return err;
    manscdp_shape_fill(ANSWER, &next, &now);
    next.head = (struct manscdp_head){ .sn = 1, .device_id = SLICE("0") };
    w = writer_of(arena_alloc(room, DEVICE_VALUES_BYTES),
                  DEVICE_VALUES_BYTES);
    if (!w.p)
        return GB_ENOMEM;
    err = manscdp_config_answer_encode(&w, &d, &next);
    return err ? err : keep(s, alloc, writer_slice(&w));
}
