/* manscdp/config.h - ConfigDownload and DeviceConfig: settings of a device,
 * read and written (GB/T 28181-2022 Annex A.2)
 *
 * A setting is a type: one element, the same in an answer and in a
 * DeviceConfig. Types join by '/' in a query and are answered one a message,
 * or all in one. */
#ifndef MANSCDP_CONFIG_H
#define MANSCDP_CONFIG_H

#include "manscdp/schema.h"

/* clang-format off */
#define MANSCDP_CONFIG_QUERY_MAP(X, T)                                         \
    X(T, TEXT, types, "ConfigType", ESINCE14, ESINCE14)

/* 2014 says all, 2016 four and the position, 2022 four, none of them a must.
 * Expiration: 3600 at least, in s. */
#define MANSCDP_BASIC_PARAM_MAP(X, T)                                          \
    X(T, TEXT, name, "Name", ESINCE14, A14_16)                                 \
    X(T, TEXT, device_id, "DeviceID", E14, A14)                                \
    X(T, TEXT, server_id, "SIPServerID", E14, A14)                             \
    X(T, TEXT, server_ip, "SIPServerIP", E14, A14)                             \
    X(T, TEXT, server_port, "SIPServerPort", E14, A14)                         \
    X(T, TEXT, domain, "DomainName", E14, A14)                                 \
    X(T, INT, expiration, "Expiration", ESINCE14, A14_16, 3600, UINT32_MAX)    \
    X(T, SECRET, password, "Password", R14, ENONE)                             \
    X(T, INT, heartbeat_s, "HeartBeatInterval", ESINCE14, A14_16, 1,           \
      UINT32_MAX)                                                              \
    X(T, INT, heartbeats, "HeartBeatCount", ESINCE14, A14_16, 1, UINT32_MAX)   \
    X(T, INT, position, "PositionCapability", A16, ENONE, 0, 2)                \
    X(T, REAL, longitude, "Longitude", A16, ENONE)                             \
    X(T, REAL, latitude, "Latitude", A16, ENONE)

/* Values joined by '/', codes of the f= line. */
#define MANSCDP_VIDEO_OPT_MAP(X, T)                                            \
    X(T, TEXT, formats, "VideoFormatOpt", A14, ENONE)                          \
    X(T, TEXT, resolutions14, "ResolutionOpt", A14, ENONE)                     \
    X(T, TEXT, frame_rates, "FrameRateOpt", A14, ENONE)                        \
    X(T, TEXT, bit_rate_types, "BitRateTypeOpt", A14, ENONE)                   \
    X(T, TEXT, bit_rates, "VideoBitRateOpt", A14, ENONE)                       \
    X(T, TEXT, speeds14, "DownloadSpeedOpt", A14, ENONE)                       \
    X(T, TEXT, speeds, "DownloadSpeed", ASINCE16, ENONE)                       \
    X(T, TEXT, resolutions, "Resolution", ASINCE16, ENONE)

#define MANSCDP_VIDEO_PARAM_MAP(X, T)                                          \
    X(T, TEXT, name, "StreamName", E14, E14)                                   \
    X(T, TEXT, format, "VideoFormat", E14, E14)                                \
    X(T, TEXT, resolution, "Resolution", E14, E14)                             \
    X(T, TEXT, frame_rate, "FrameRate", E14, E14)                              \
    X(T, TEXT, bit_rate_type, "BitRateType", E14, E14)                         \
    X(T, TEXT, bit_rate, "VideoBitRate", E14, E14)

#define MANSCDP_AUDIO_OPT_MAP(X, T)                                            \
    X(T, TEXT, formats, "AudioFormatOpt", A14, ENONE)                          \
    X(T, TEXT, bit_rates, "AudioBitRateOpt", A14, ENONE)                       \
    X(T, TEXT, sampling_rates, "SamplingRateOpt", A14, ENONE)

#define MANSCDP_AUDIO_PARAM_MAP(X, T)                                          \
    X(T, TEXT, name, "StreamName", E14, E14)                                   \
    X(T, TEXT, format, "AudioFormat", E14, E14)                                \
    X(T, TEXT, bit_rate, "AudioBitRate", E14, E14)                             \
    X(T, TEXT, sampling_rate, "SamplingRate", E14, E14)

/* Blocks of 32x32 pixels in raster order. */
#define MANSCDP_ROI_ITEM_MAP(X, T)                                             \
    X(T, INT, seq, "ROISeq", ESINCE14, ESINCE14, 1, 16)                        \
    X(T, INT, top_left, "TopLeft", ESINCE14, ESINCE14, 0, UINT32_MAX)          \
    X(T, INT, bottom_right, "BottomRight", ESINCE14, ESINCE14, 0, UINT32_MAX)  \
    X(T, INT, qp, "ROIQP", ESINCE14, ESINCE14, 0, 3)

#define MANSCDP_ROI_MAP(X, T)                                                  \
    X(T, INT, flag, "ROIFlag", ESINCE14, ESINCE14, 0, 1)                       \
    X(T, COUNT, item, "ROINumber", ESINCE14, ESINCE14)                         \
    X(T, REPEAT, item, "Item", ESINCE14, ENONE, manscdp_roi_item, 16)          \
    X(T, INT, background_qp, "BackGroundQP", E14_16, ENONE, 0, 3)              \
    X(T, INT, background_skip, "BackGroundSkipFlag", E14_16, ENONE, 0, 1)

#define MANSCDP_SVC_ENCODE_MAP(X, T)                                           \
    X(T, INT, space_mode, "SVCSpaceDomainMode", ESINCE14, ENONE, 0, 3)         \
    X(T, INT, time_mode, "SVCTimeDomainMode", ESINCE14, ENONE, 0, 3)           \
    X(T, TEXT, ssvc_ratio, "SSVCRatioValue", E22, ENONE)                       \
    X(T, INT, space_support, "SVCSpaceSupportMode", AALL, ENONE, 0, 3)         \
    X(T, INT, time_support, "SVCTimeSupportMode", AALL, ENONE, 0, 3)           \
    X(T, TEXT, ssvc_ratios, "SSVCRatioSupportList", A22, ENONE)

#define MANSCDP_ENCODE_WATCH_MAP(X, T)                                         \
    X(T, INT, time, "TimeFlag", ESINCE14, ENONE, 0, 1)                         \
    X(T, INT, osd, "OSDFlag", E22, ENONE, 0, 1)                                \
    X(T, INT, ai, "AIFlag", E22, ENONE, 0, 1)                                  \
    X(T, INT, gis, "GISFlag", E22, ENONE, 0, 1)                                \
    X(T, INT, event, "EventFlag", E14_16, ENONE, 0, 1)                         \
    X(T, INT, alert, "AlertFlag", E14_16, ENONE, 0, 1)

#define MANSCDP_ENCRYPT_MAP(X, T)                                              \
    X(T, INT, encryption, "EncryptionFlag", E14_16, ENONE, 0, 1)               \
    X(T, INT, authentication, "AuthenticationFlag", E14_16, ENONE, 0, 1)

#define MANSCDP_SVAC_AUDIO_MAP(X, T)                                           \
    X(T, INT, recognition, "AudioRecognitionFlag", ESINCE14, ENONE, 0, 1)

#define MANSCDP_SVAC_ENCODE_MAP(X, T)                                          \
    X(T, PART, roi, "ROIParam", ESINCE14, ENONE, manscdp_roi, LINES)           \
    X(T, PART, svc, "SVCParam", ESINCE14, ENONE, manscdp_svc_encode, LINES)    \
    X(T, PART, watch, "SurveillanceParam", ESINCE14, ENONE,                    \
      manscdp_encode_watch, LINES)                                             \
    X(T, PART, encrypt, "EncryptParam", E14_16, ENONE, manscdp_encrypt, LINES) \
    X(T, PART, audio, "AudioParam", ESINCE14, ENONE, manscdp_svac_audio, LINES)

#define MANSCDP_SVC_DECODE_MAP(X, T)                                           \
    X(T, INT, mode, "SVCSTMMode", ESINCE14, ENONE, 0, 3)                       \
    X(T, INT, space_support, "SVCSpaceSupportMode", AALL, ENONE, 0, 3)         \
    X(T, INT, time_support, "SVCTimeSupportMode", AALL, ENONE, 0, 3)

/* AlerShowtFlag is how 2016 spells it. */
#define MANSCDP_DECODE_WATCH_MAP(X, T)                                         \
    X(T, INT, time, "TimeShowFlag", ESINCE14, ENONE, 0, 1)                     \
    X(T, INT, osd, "OSDShowFlag", E22, ENONE, 0, 1)                            \
    X(T, INT, ai, "AIShowFlag", E22, ENONE, 0, 1)                              \
    X(T, INT, gis, "GISShowFlag", E22, ENONE, 0, 1)                            \
    X(T, INT, event, "EventShowFlag", E14_16, ENONE, 0, 1)                     \
    X(T, INT, alert, "AlerShowtFlag", E14_16, ENONE, 0, 1)

#define MANSCDP_SVAC_DECODE_MAP(X, T)                                          \
    X(T, PART, svc, "SVCParam", ESINCE14, ENONE, manscdp_svc_decode, LINES)    \
    X(T, PART, watch, "SurveillanceParam", ESINCE14, ENONE,                    \
      manscdp_decode_watch, LINES)

/* Codes of the f= line; a bit rate (kbit/s) when it is constant. */
#define MANSCDP_VIDEO_ATTRIBUTE_MAP(X, T)                                      \
    X(T, INT, stream_number, "StreamNumber", E22, E22, 0, UINT32_MAX)          \
    X(T, TEXT, format, "VideoFormat", E22, E22)                                \
    X(T, TEXT, resolution, "Resolution", E22, E22)                             \
    X(T, TEXT, frame_rate, "FrameRate", E22, E22)                              \
    X(T, TEXT, bit_rate_type, "BitRateType", E22, E22)                         \
    X(T, TEXT, bit_rate, "VideoBitRate", E22, ENONE)

#define MANSCDP_TIME_SEGMENT_MAP(X, T)                                         \
    X(T, INT, start_hour, "StartHour", E22, E22, 0, 23)                        \
    X(T, INT, start_min, "StartMin", E22, E22, 0, 59)                          \
    X(T, INT, start_sec, "StartSec", E22, E22, 0, 59)                          \
    X(T, INT, stop_hour, "StopHour", E22, E22, 0, 23)                          \
    X(T, INT, stop_min, "StopMin", E22, E22, 0, 59)                            \
    X(T, INT, stop_sec, "StopSec", E22, E22, 0, 59)

#define MANSCDP_DAY_PLAN_MAP(X, T)                                             \
    X(T, INT, week_day, "WeekDayNum", E22, E22, 1, 7) /* 1: Monday */          \
    X(T, COUNT, segment, "TimeSegmentSumNum", E22, E22)                        \
    X(T, REPEAT, segment, "TimeSegment", E22, E22, manscdp_time_segment, 8)

#define MANSCDP_RECORD_PLAN_MAP(X, T)                                          \
    X(T, INT, enable, "RecordEnable", E22, E22, 0, 1)                          \
    X(T, COUNT, day, "RecordScheduleSumNum", E22, E22)                         \
    X(T, REPEAT, day, "RecordSchedule", E22, ENONE, manscdp_day_plan, 7)       \
    X(T, INT, stream_number, "StreamNumber", E22, E22, 0, UINT32_MAX)

#define MANSCDP_ALARM_RECORD_MAP(X, T)                                         \
    X(T, INT, enable, "RecordEnable", E22, E22, 0, 1)                          \
    X(T, INT, after_s, "RecordTime", E22, ENONE, 0, UINT32_MAX)                \
    X(T, INT, before_s, "PreRecordTime", E22, ENONE, 0, UINT32_MAX)            \
    X(T, INT, stream_number, "StreamNumber", E22, E22, 0, UINT32_MAX)

/* Point: "lx,ly,rx,ry" in pixels. */
#define MANSCDP_MASK_REGION_MAP(X, T)                                          \
    X(T, INT, seq, "Seq", E22, E22, 1, 4)                                      \
    X(T, TEXT, point, "Point", E22, E22)

#define MANSCDP_PICTURE_MASK_MAP(X, T)                                         \
    X(T, INT, on, "On", E22, E22, 0, 1)                                        \
    X(T, COUNT, region, "SumNum", E22, E22)                                    \
    X(T, LIST, region, "RegionList", E22, ENONE, manscdp_mask_region, "Item",  \
      LINES, 4)

#define MANSCDP_ALARM_REPORT_MAP(X, T)                                         \
    X(T, INT, motion, "MotionDetection", E22, E22, 0, 1)                       \
    X(T, INT, field, "FieldDetection", E22, E22, 0, 1)

#define MANSCDP_OSD_TEXT_MAP(X, T)                                             \
    X(T, TEXT, text, "Text", E22, E22) /* 32 characters */                     \
    X(T, INT, x, "X", E22, E22, 0, UINT32_MAX)                                 \
    X(T, INT, y, "Y", E22, E22, 0, UINT32_MAX)

/* TimeType: 0 "YYYY-MM-DD HH:MM:SS", 1 with Chinese words. */
#define MANSCDP_OSD_MAP(X, T)                                                  \
    X(T, INT, length, "Length", E22, E22, 0, UINT32_MAX)                       \
    X(T, INT, width, "Width", E22, E22, 0, UINT32_MAX)                         \
    X(T, INT, time_x, "TimeX", E22, E22, 0, UINT32_MAX)                        \
    X(T, INT, time_y, "TimeY", E22, E22, 0, UINT32_MAX)                        \
    X(T, INT, time_enable, "TimeEnable", E22, ENONE, 0, 1)                     \
    X(T, INT, time_type, "TimeType", E22, ENONE, 0, 1)                         \
    X(T, INT, text_enable, "TextEnable", E22, ENONE, 0, 1)                     \
    X(T, COUNT, text, "SumNum", E22, E22)                                      \
    X(T, REPEAT, text, "Item", E22, ENONE, manscdp_osd_text, 8)

#define MANSCDP_SNAPSHOT_MAP(X, T)                                             \
    X(T, INT, number, "SnapNum", E22, E22, 1, 10)                              \
    X(T, INT, interval_s, "Interval", E22, E22, 1, UINT32_MAX)                 \
    X(T, TEXT, url, "UploadURL", E22, E22)                                     \
    X(T, SESSION, session, "SessionID", E22, E22)

/* Every type, its editions as a DeviceConfig (R) or in both (E); those that
 * are only read are A. FrameMirror: 0 off, 1 horizontal, 2 vertical, 3 both.
 * SnapShotConfig is SnapShot in an answer. */
#define MANSCDP_CONFIG_TYPES(X, T)                                             \
    X(T, PART, basic_param, "BasicParam", ESINCE14, ENONE,                     \
      manscdp_basic_param, LINES)                                              \
    X(T, PART, video_opt, "VideoParamOpt", AALL, ENONE, manscdp_video_opt,     \
      LINES)                                                                   \
    X(T, LIST, video_param, "VideoParamConfig", E14, ENONE,                    \
      manscdp_video_param, "Item", LINES, 16)                                  \
    X(T, PART, audio_opt, "AudioParamOpt", A14, ENONE, manscdp_audio_opt,      \
      LINES)                                                                   \
    X(T, LIST, audio_param, "AudioParamConfig", E14, ENONE,                    \
      manscdp_audio_param, "Item", LINES, 16)                                  \
    X(T, PART, svac_encode, "SVACEncodeConfig", ESINCE14, ENONE,               \
      manscdp_svac_encode, LINES)                                              \
    X(T, PART, svac_decode, "SVACDecodeConfig", ESINCE14, ENONE,               \
      manscdp_svac_decode, LINES)                                              \
    X(T, LIST, video_attribute, "VideoParamAttribute", E22, ENONE,             \
      manscdp_video_attribute, "Item", LINES, 16)                              \
    X(T, PART, record_plan, "VideoRecordPlan", E22, ENONE,                     \
      manscdp_record_plan, LINES)                                              \
    X(T, PART, alarm_record, "VideoAlarmRecord", E22, ENONE,                   \
      manscdp_alarm_record, LINES)                                             \
    X(T, PART, picture_mask, "PictureMask", E22, ENONE, manscdp_picture_mask,  \
      LINES)                                                                   \
    X(T, INT, frame_mirror, "FrameMirror", E22, ENONE, 0, 3)                   \
    X(T, PART, alarm_report, "AlarmReport", E22, ENONE, manscdp_alarm_report,  \
      LINES)                                                                   \
    X(T, PART, osd, "OSDConfig", E22, ENONE, manscdp_osd, LINES)               \
    X(T, PART, snapshot, "SnapShotConfig", E22, ENONE, manscdp_snapshot, LINES)

#define MANSCDP_CONFIG_ANSWER_MAP(X, T)                                        \
    X(T, RESULT, result, "Result", ESINCE14, ESINCE14)                         \
    MANSCDP_CONFIG_TYPES(X, T)
/* clang-format on */

MANSCDP_BODY(manscdp_config_query, MANSCDP_CONFIG_QUERY_MAP);
MANSCDP_SHAPE(manscdp_basic_param, MANSCDP_BASIC_PARAM_MAP);
MANSCDP_SHAPE(manscdp_video_opt, MANSCDP_VIDEO_OPT_MAP);
MANSCDP_SHAPE(manscdp_video_param, MANSCDP_VIDEO_PARAM_MAP);
MANSCDP_SHAPE(manscdp_audio_opt, MANSCDP_AUDIO_OPT_MAP);
MANSCDP_SHAPE(manscdp_audio_param, MANSCDP_AUDIO_PARAM_MAP);
MANSCDP_SHAPE(manscdp_roi_item, MANSCDP_ROI_ITEM_MAP);
MANSCDP_SHAPE(manscdp_roi, MANSCDP_ROI_MAP);
MANSCDP_SHAPE(manscdp_svc_encode, MANSCDP_SVC_ENCODE_MAP);
MANSCDP_SHAPE(manscdp_encode_watch, MANSCDP_ENCODE_WATCH_MAP);
MANSCDP_SHAPE(manscdp_encrypt, MANSCDP_ENCRYPT_MAP);
MANSCDP_SHAPE(manscdp_svac_audio, MANSCDP_SVAC_AUDIO_MAP);
MANSCDP_SHAPE(manscdp_svac_encode, MANSCDP_SVAC_ENCODE_MAP);
MANSCDP_SHAPE(manscdp_svc_decode, MANSCDP_SVC_DECODE_MAP);
MANSCDP_SHAPE(manscdp_decode_watch, MANSCDP_DECODE_WATCH_MAP);
MANSCDP_SHAPE(manscdp_svac_decode, MANSCDP_SVAC_DECODE_MAP);
MANSCDP_SHAPE(manscdp_video_attribute, MANSCDP_VIDEO_ATTRIBUTE_MAP);
MANSCDP_SHAPE(manscdp_time_segment, MANSCDP_TIME_SEGMENT_MAP);
MANSCDP_SHAPE(manscdp_day_plan, MANSCDP_DAY_PLAN_MAP);
MANSCDP_SHAPE(manscdp_record_plan, MANSCDP_RECORD_PLAN_MAP);
MANSCDP_SHAPE(manscdp_alarm_record, MANSCDP_ALARM_RECORD_MAP);
MANSCDP_SHAPE(manscdp_mask_region, MANSCDP_MASK_REGION_MAP);
MANSCDP_SHAPE(manscdp_picture_mask, MANSCDP_PICTURE_MASK_MAP);
MANSCDP_SHAPE(manscdp_alarm_report, MANSCDP_ALARM_REPORT_MAP);
MANSCDP_SHAPE(manscdp_osd_text, MANSCDP_OSD_TEXT_MAP);
MANSCDP_SHAPE(manscdp_osd, MANSCDP_OSD_MAP);
MANSCDP_SHAPE(manscdp_snapshot, MANSCDP_SNAPSHOT_MAP);
MANSCDP_BODY(manscdp_config_answer, MANSCDP_CONFIG_ANSWER_MAP);
MANSCDP_BODY(manscdp_config_set, MANSCDP_CONFIG_TYPES);

/* Takes the next type off a ConfigType joined by '/': trimmed, not empty.
 * false at the end. */
bool manscdp_config_type_next(struct slice *rest, struct slice *type);

/* Reads an answer as manscdp_config_answer_decode does; when none of the types
 * is where it should be, but one type was asked for, it is looked for deeper
 * and then under whatever name the first element has that is not common. type
 * may be empty. */
int manscdp_config_answer_decode_as(struct manscdp_config_answer *out,
                                    const struct manscdp_msg *msg,
                                    struct slice type);
#endif
