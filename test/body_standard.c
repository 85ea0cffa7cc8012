#include "test/body_standard.h"

#include "manscdp/xml.h"

#include <stdio.h>

/* One element: where it stands, its type, and the editions (1: 2011 to
 * 4: 2022) in which it may and in which it must stand there. Rows of a body
 * follow each other in the order on the wire. Types: s text, i whole number,
 * r real number, t time, n id, o ON or OFF, k OK or ERROR, b 0 or 1, S
 * SessionID, p has parts, l has parts and says how many in Num. */
static const struct line {
    const char *body, *path;
    char type;
    const char *in, *must;
} lines[] = {
    { "Notify Keepalive", "Status", 'k', "1234", "1234" },
    { "Notify Keepalive", "Info", 'p', "1234", "" },
    { "Notify Keepalive", "Info/DeviceID", 'n', "1234", "" },

    { "Response DeviceStatus", "Result", 'k', "1234", "1234" },
    { "Response DeviceStatus", "Online", 's', "1234", "1234" },
    { "Response DeviceStatus", "Status", 'k', "1234", "1234" },
    { "Response DeviceStatus", "Reason", 's', "1234", "" },
    { "Response DeviceStatus", "Encode", 'o', "1234", "" },
    { "Response DeviceStatus", "Record", 'o', "1234", "" },
    { "Response DeviceStatus", "DeviceTime", 't', "1234", "" },
    { "Response DeviceStatus", "Alarmstatus", 'l', "1234", "" },
    { "Response DeviceStatus", "Alarmstatus/Item", 'p', "1234", "" },
    { "Response DeviceStatus", "Alarmstatus/Item/DeviceID", 'n', "1234",
      "1234" },
    { "Response DeviceStatus", "Alarmstatus/Item/Status", 's', "1", "1" },
    { "Response DeviceStatus", "Alarmstatus/Item/StatusDutyStatus", 's', "2",
      "2" },
    { "Response DeviceStatus", "Alarmstatus/Item/DutyStatus", 's', "34",
      "34" },

    { "Query Catalog", "StartTime", 't', "1234", "" },
    { "Query Catalog", "EndTime", 't', "1234", "" },

#define CATALOG(root, in, event)                                               \
    { root " Catalog", "SumNum", 'i', in, in },                                \
    { root " Catalog", "DeviceList", 'l', in, "" },                            \
    { root " Catalog", "DeviceList/Item", 'p', in, "" },                       \
    { root " Catalog", "DeviceList/Item/DeviceID", 'n', in, in },              \
    { root " Catalog", "DeviceList/Item/Event", 's', event, "" },              \
    { root " Catalog", "DeviceList/Item/Name", 's', in, "" },                  \
    { root " Catalog", "DeviceList/Item/Manufacturer", 's', in, "" },          \
    { root " Catalog", "DeviceList/Item/Model", 's', in, "" },                 \
    { root " Catalog", "DeviceList/Item/Owner", 's', "123", "" },              \
    { root " Catalog", "DeviceList/Item/CivilCode", 's', in, "" },             \
    { root " Catalog", "DeviceList/Item/Block", 's', in, "" },                 \
    { root " Catalog", "DeviceList/Item/Address", 's', in, "" },               \
    { root " Catalog", "DeviceList/Item/Parental", 'i', in, "" },              \
    { root " Catalog", "DeviceList/Item/ParentID", 's', in, "" },              \
    { root " Catalog", "DeviceList/Item/SafetyWay", 'i', "123", "" },          \
    { root " Catalog", "DeviceList/Item/RegisterWay", 'i', in, "" },           \
    { root " Catalog", "DeviceList/Item/CertNum", 's', "123", "" },            \
    { root " Catalog", "DeviceList/Item/Certifiable", 'i', "123", "" },        \
    { root " Catalog", "DeviceList/Item/ErrCode", 'i', "123", "" },            \
    { root " Catalog", "DeviceList/Item/EndTime", 't', "123", "" },            \
    { root " Catalog", "DeviceList/Item/SecurityLevelCode", 's', "4", "" },    \
    { root " Catalog", "DeviceList/Item/Secrecy", 'i', in, "" },               \
    { root " Catalog", "DeviceList/Item/IPAddress", 's', in, "" },             \
    { root " Catalog", "DeviceList/Item/Port", 'i', in, "" },                  \
    { root " Catalog", "DeviceList/Item/Status", 'o', in, "" },                \
    { root " Catalog", "DeviceList/Item/Longitude", 'r', in, "" },             \
    { root " Catalog", "DeviceList/Item/Latitude", 'r', in, "" },              \
    { root " Catalog", "DeviceList/Item/BusinessGroupID", 'n', "4", "" },      \
    { root " Catalog", "DeviceList/Item/Info", 'p', "234", "" },               \
    INFO(root, "PTZType", 's', "234"),                                         \
    INFO(root, "PhotoelectricImagingType", 's', "4"),                          \
    INFO(root, "CapturePositionType", 's', "4"),                               \
    INFO(root, "PositionType", 'i', "23"),                                     \
    INFO(root, "RoomType", 'i', "234"), INFO(root, "UseType", 'i', "23"),      \
    INFO(root, "SupplyLightType", 'i', "234"),                                 \
    INFO(root, "DirectionType", 'i', "234"),                                   \
    INFO(root, "Resolution", 's', "234"),                                      \
    INFO(root, "BusinessGroupID", 'n', "23"),                                  \
    INFO(root, "StreamNumberList", 's', "4"),                                  \
    INFO(root, "DownloadSpeed", 's', "34"),                                    \
    INFO(root, "SVCSpaceSupportMode", 'i', "34"),                              \
    INFO(root, "SVCTimeSupportMode", 'i', "34"),                               \
    INFO(root, "SSVCRatioSupportList", 's', "4"),                              \
    INFO(root, "MobileDeviceType", 'i', "4"),                                  \
    INFO(root, "HorizontalFieldAngle", 'r', "4"),                              \
    INFO(root, "VerticalFieldAngle", 'r', "4"),                                \
    INFO(root, "MaxViewDistance", 'r', "4"),                                   \
    INFO(root, "GrassrootsCode", 's', "4"),                                    \
    INFO(root, "PointType", 'i', "4"),                                         \
    INFO(root, "PointCommonName", 's', "4"), INFO(root, "MAC", 's', "4"),      \
    INFO(root, "FunctionType", 's', "4"), INFO(root, "EncodeType", 's', "4"),  \
    INFO(root, "InstallTime", 't', "4"),                                       \
    INFO(root, "ManagementUnit", 's', "4"),                                    \
    INFO(root, "ContactInfo", 's', "4"),                                       \
    INFO(root, "RecordSaveDays", 'i', "4"),                                    \
    INFO(root, "IndustrialClassification", 's', "4")
#define INFO(root, name, type, in)                                             \
    { root " Catalog", "DeviceList/Item/Info/" name, type, in, "" }
    CATALOG("Response", "1234", "1"),
    CATALOG("Notify", "234", "234"),

    { "Response DeviceInfo", "DeviceName", 's', "234", "" },
    { "Response DeviceInfo", "Result", 'k', "1234", "1234" },
    { "Response DeviceInfo", "DeviceType", 's', "123", "" },
    { "Response DeviceInfo", "Manufacturer", 's', "1234", "" },
    { "Response DeviceInfo", "Model", 's', "1234", "" },
    { "Response DeviceInfo", "Firmware", 's', "1234", "" },
    { "Response DeviceInfo", "MaxCamera", 'i', "123", "" },
    { "Response DeviceInfo", "MaxAlarm", 'i', "123", "" },
    { "Response DeviceInfo", "Channel", 'i', "1234", "" },

    { "Query RecordInfo", "StartTime", 't', "1234", "34" },
    { "Query RecordInfo", "EndTime", 't', "1234", "34" },
    { "Query RecordInfo", "FilePath", 's', "1234", "" },
    { "Query RecordInfo", "Address", 's', "1234", "" },
    { "Query RecordInfo", "Secrecy", 'i', "1234", "" },
    { "Query RecordInfo", "Type", 's', "1234", "" },
    { "Query RecordInfo", "RecorderID", 's', "1234", "" },
    { "Query RecordInfo", "IndistinctQuery", 's', "234", "" },
    { "Query RecordInfo", "StreamNumber", 'i', "4", "" },
    { "Query RecordInfo", "AlarmMethod", 's', "4", "" },
    { "Query RecordInfo", "AlarmType", 's', "4", "" },

    { "Response RecordInfo", "Name", 's', "1234", "1234" },
    { "Response RecordInfo", "SumNum", 'i', "1234", "1234" },
    { "Response RecordInfo", "RecordList", 'l', "1234", "1" },
    { "Response RecordInfo", "RecordList/Item", 'p', "1234", "" },
    { "Response RecordInfo", "RecordList/Item/DeviceID", 'n', "1234", "1234" },
    { "Response RecordInfo", "RecordList/Item/Name", 's', "1234", "1234" },
    { "Response RecordInfo", "RecordList/Item/FilePath", 's', "1234", "" },
    { "Response RecordInfo", "RecordList/Item/Address", 's', "1234", "" },
    { "Response RecordInfo", "RecordList/Item/StartTime", 't', "1234", "" },
    { "Response RecordInfo", "RecordList/Item/EndTime", 't', "1234", "" },
    { "Response RecordInfo", "RecordList/Item/Secrecy", 'i', "1234", "1234" },
    { "Response RecordInfo", "RecordList/Item/Type", 's', "1234", "" },
    { "Response RecordInfo", "RecordList/Item/RecorderID", 's', "1234", "" },
    { "Response RecordInfo", "RecordList/Item/FileSize", 's', "34", "" },
    { "Response RecordInfo", "RecordList/Item/RecordLocation", 'n', "4", "" },
    { "Response RecordInfo", "RecordList/Item/StreamNumber", 'i', "4", "" },

    { "Query Alarm", "StartAlarmPriority", 's', "1234", "" },
    { "Query Alarm", "EndAlarmPriority", 's', "1234", "" },
    { "Query Alarm", "AlarmMethod", 's', "1234", "" },
    { "Query Alarm", "AlarmType", 's', "34", "" },
    { "Query Alarm", "StartAlarmTime", 't', "1234", "" },
    { "Query Alarm", "EndAlarmTime", 't', "1234", "" },

    { "Query ConfigDownload", "ConfigType", 's', "234", "234" },

    { "Response PresetQuery", "SumNum", 'i', "4", "4" },
    { "Response PresetQuery", "PresetList", 'l', "234", "234" },
    { "Response PresetQuery", "PresetList/Item", 'p', "234", "" },
    { "Response PresetQuery", "PresetList/Item/PresetID", 's', "234", "234" },
    { "Response PresetQuery", "PresetList/Item/PresetName", 's', "234",
      "234" },

    { "Query MobilePosition", "Interval", 'i', "34", "" },

    { "Response HomePositionQuery", "HomePosition", 'p', "4", "" },
    { "Response HomePositionQuery", "HomePosition/Enabled", 'b', "4", "4" },
    { "Response HomePositionQuery", "HomePosition/ResetTime", 'i', "4", "" },
    { "Response HomePositionQuery", "HomePosition/PresetIndex", 'i', "4", "" },

    { "Response CruiseTrackListQuery", "SumNum", 'i', "4", "4" },
    { "Response CruiseTrackListQuery", "CruiseTrackList", 'l', "4", "" },
    { "Response CruiseTrackListQuery", "CruiseTrackList/CruiseTrack", 'p',
      "4", "" },
    { "Response CruiseTrackListQuery", "CruiseTrackList/CruiseTrack/Number",
      'i', "4", "4" },
    { "Response CruiseTrackListQuery", "CruiseTrackList/CruiseTrack/Name",
      's', "4", "" },

    { "Query CruiseTrackQuery", "Number", 'i', "4", "4" },
    { "Response CruiseTrackQuery", "Number", 'i', "4", "4" },
    { "Response CruiseTrackQuery", "Name", 's', "4", "" },
    { "Response CruiseTrackQuery", "SumNum", 'i', "4", "4" },
    { "Response CruiseTrackQuery", "CruisePointList", 'l', "4", "" },
#define POINT(name, type, in, must)                                            \
    { "Response CruiseTrackQuery", "CruisePointList/CruisePoint" name, type,   \
      in, must }
    POINT("", 'p', "4", ""),
    POINT("/PresetIndex", 'i', "4", "4"),
    POINT("/StayTime", 'i', "4", "4"),
    POINT("/Speed", 'i', "4", "4"),

#define LOOKS(root)                                                            \
    { root " PTZPosition", "Pan", 'r', "4", "" },                              \
    { root " PTZPosition", "Tilt", 'r', "4", "" },                             \
    { root " PTZPosition", "Zoom", 'r', "4", "" },                             \
    { root " PTZPosition", "HorizontalFieldAngle", 'r', "4", "" },             \
    { root " PTZPosition", "VerticalFieldAngle", 'r', "4", "" },               \
    { root " PTZPosition", "MaxViewDistance", 'r', "4", "" }
    LOOKS("Response"),
    LOOKS("Notify"),

    { "Response SDCardStatus", "SumNum", 'i', "4", "4" },
    { "Response SDCardStatus", "SDCardStatusInfo", 'l', "4", "" },
    { "Response SDCardStatus", "SDCardStatusInfo/Item", 'p', "4", "" },
    { "Response SDCardStatus", "SDCardStatusInfo/Item/ID", 'i', "4", "4" },
    { "Response SDCardStatus", "SDCardStatusInfo/Item/HddName", 's', "4",
      "4" },
    { "Response SDCardStatus", "SDCardStatusInfo/Item/Status", 's', "4", "4" },
    { "Response SDCardStatus", "SDCardStatusInfo/Item/FormatProgress", 'i',
      "4", "" },
    { "Response SDCardStatus", "SDCardStatusInfo/Item/Capacity", 'i', "4",
      "4" },
    { "Response SDCardStatus", "SDCardStatusInfo/Item/FreeSpace", 'i', "4",
      "4" },

    /* one command in each; what belongs to it follows it */
#define ORDER(path, type, in, must)                                            \
    { "Control DeviceControl", path, type, in, must }
    ORDER("PTZCmd", 's', "1234", ""),
    ORDER("PTZCmdParams", 'p', "4", ""),
    ORDER("PTZCmdParams/PresetName", 's', "4", ""),
    ORDER("PTZCmdParams/CruiseTrackName", 's', "4", ""),
    ORDER("TeleBoot", 's', "1234", ""),
    ORDER("RecordCmd", 's', "1234", ""),
    ORDER("StreamNumber", 'i', "4", ""),
    ORDER("GuardCmd", 's', "1234", ""),
    ORDER("AlarmCmd", 's', "1234", ""),
    ORDER("Info", 'p', "1234", ""),
    ORDER("Info/ControlPriority", 'i', "123", ""),
    ORDER("Info/AlarmMethod", 's', "34", ""),
    ORDER("Info/AlarmType", 's', "34", ""),
    ORDER("IFameCmd", 's', "3", ""),
    ORDER("IFrameCmd", 's', "4", ""),
#define BOX(name, in)                                                          \
    ORDER(name, 'p', in, ""), ORDER(name "/Length", 'i', in, in),              \
        ORDER(name "/Width", 'i', in, in),                                     \
        ORDER(name "/MidPointX", 'i', in, in),                                 \
        ORDER(name "/MidPointY", 'i', in, in),                                 \
        ORDER(name "/LengthX", 'i', in, in),                                   \
        ORDER(name "/LengthY", 'i', in, in)
    BOX("DragZoomIn", "34"),
    BOX("DragZoomOut", "34"),
    ORDER("HomePosition", 'p', "34", ""),
    ORDER("HomePosition/Enabled", 'b', "34", "34"),
    ORDER("HomePosition/ResetTime", 'i', "34", ""),
    ORDER("HomePosition/PresetIndex", 'i', "34", ""),
    ORDER("PTZPreciseCtrl", 'p', "4", ""),
    ORDER("PTZPreciseCtrl/Pan", 'r', "4", ""),
    ORDER("PTZPreciseCtrl/Tilt", 'r', "4", ""),
    ORDER("PTZPreciseCtrl/Zoom", 'r', "4", ""),
    ORDER("FormatSDCard", 'i', "4", ""),
    ORDER("TargetTrack", 's', "4", ""),
    ORDER("DeviceID2", 'n', "4", ""),
    BOX("TargetArea", "4"),
    ORDER("DeviceUpgrade", 'p', "4", ""),
    ORDER("DeviceUpgrade/Firmware", 's', "4", "4"),
    ORDER("DeviceUpgrade/FileURL", 's', "4", "4"),
    ORDER("DeviceUpgrade/Manufacturer", 's', "4", "4"),
    ORDER("DeviceUpgrade/SessionID", 'S', "4", "4"),

    /* settings: the same read and written, but for what each has alone */
#define BOTH(path, type, in, must)                                             \
    { "Control DeviceConfig", path, type, in, must },                          \
    { "Response ConfigDownload", path, type, in, must }
#define READ(path, type, in, must)                                             \
    { "Response ConfigDownload", path, type, in, must }
#define SET(path, type, in, must)                                              \
    { "Control DeviceConfig", path, type, in, must }
    READ("Result", 'k', "234", "234"),
    BOTH("BasicParam", 'p', "234", ""),
    SET("BasicParam/Name", 's', "234", ""),
    READ("BasicParam/Name", 's', "234", "23"),
    SET("BasicParam/DeviceID", 'n', "2", ""),
    READ("BasicParam/DeviceID", 'n', "2", "2"),
    SET("BasicParam/SIPServerID", 'n', "2", ""),
    READ("BasicParam/SIPServerID", 'n', "2", "2"),
    SET("BasicParam/SIPServerIP", 's', "2", ""),
    READ("BasicParam/SIPServerIP", 's', "2", "2"),
    SET("BasicParam/SIPServerPort", 'i', "2", ""),
    READ("BasicParam/SIPServerPort", 'i', "2", "2"),
    SET("BasicParam/DomainName", 's', "2", ""),
    READ("BasicParam/DomainName", 's', "2", "2"),
    SET("BasicParam/Expiration", 'i', "234", ""),
    READ("BasicParam/Expiration", 'i', "234", "23"),
    SET("BasicParam/Password", 's', "2", ""), /* never read back by us */
    SET("BasicParam/HeartBeatInterval", 'i', "234", ""),
    READ("BasicParam/HeartBeatInterval", 'i', "234", "23"),
    SET("BasicParam/HeartBeatCount", 'i', "234", ""),
    READ("BasicParam/HeartBeatCount", 'i', "234", "23"),
    READ("BasicParam/PositionCapability", 'i', "3", ""),
    READ("BasicParam/Longitude", 'r', "3", ""),
    READ("BasicParam/Latitude", 'r', "3", ""),
    READ("VideoParamOpt", 'p', "234", ""),
    READ("VideoParamOpt/VideoFormatOpt", 's', "2", ""),
    READ("VideoParamOpt/ResolutionOpt", 's', "2", ""),
    READ("VideoParamOpt/FrameRateOpt", 's', "2", ""),
    READ("VideoParamOpt/BitRateTypeOpt", 's', "2", ""),
    READ("VideoParamOpt/VideoBitRateOpt", 's', "2", ""),
    READ("VideoParamOpt/DownloadSpeedOpt", 's', "2", ""),
    READ("VideoParamOpt/DownloadSpeed", 's', "34", ""),
    READ("VideoParamOpt/Resolution", 's', "34", ""),
    BOTH("VideoParamConfig", 'l', "2", ""),
    BOTH("VideoParamConfig/Item", 'p', "2", ""),
    BOTH("VideoParamConfig/Item/StreamName", 's', "2", "2"),
    BOTH("VideoParamConfig/Item/VideoFormat", 's', "2", "2"),
    BOTH("VideoParamConfig/Item/Resolution", 's', "2", "2"),
    BOTH("VideoParamConfig/Item/FrameRate", 's', "2", "2"),
    BOTH("VideoParamConfig/Item/BitRateType", 's', "2", "2"),
    BOTH("VideoParamConfig/Item/VideoBitRate", 's', "2", "2"),
    READ("AudioParamOpt", 'p', "2", ""),
    READ("AudioParamOpt/AudioFormatOpt", 's', "2", ""),
    READ("AudioParamOpt/AudioBitRateOpt", 's', "2", ""),
    READ("AudioParamOpt/SamplingRateOpt", 's', "2", ""),
    BOTH("AudioParamConfig", 'l', "2", ""),
    BOTH("AudioParamConfig/Item", 'p', "2", ""),
    BOTH("AudioParamConfig/Item/StreamName", 's', "2", "2"),
    BOTH("AudioParamConfig/Item/AudioFormat", 's', "2", "2"),
    BOTH("AudioParamConfig/Item/AudioBitRate", 's', "2", "2"),
    BOTH("AudioParamConfig/Item/SamplingRate", 's', "2", "2"),
#define SVAC "SVACEncodeConfig"
    BOTH(SVAC, 'p', "234", ""),
    BOTH(SVAC "/ROIParam", 'p', "234", ""),
    BOTH(SVAC "/ROIParam/ROIFlag", 'b', "234", "34"),
    BOTH(SVAC "/ROIParam/ROINumber", 'i', "234", "34"),
    BOTH(SVAC "/ROIParam/Item", 'p', "234", ""),
    BOTH(SVAC "/ROIParam/Item/ROISeq", 'i', "234", "34"),
    BOTH(SVAC "/ROIParam/Item/TopLeft", 'i', "234", "34"),
    BOTH(SVAC "/ROIParam/Item/BottomRight", 'i', "234", "34"),
    BOTH(SVAC "/ROIParam/Item/ROIQP", 'i', "234", "34"),
    BOTH(SVAC "/ROIParam/BackGroundQP", 'i', "23", ""),
    BOTH(SVAC "/ROIParam/BackGroundSkipFlag", 'b', "23", ""),
    BOTH(SVAC "/SVCParam", 'p', "234", ""),
    BOTH(SVAC "/SVCParam/SVCSpaceDomainMode", 'i', "234", ""),
    BOTH(SVAC "/SVCParam/SVCTimeDomainMode", 'i', "234", ""),
    BOTH(SVAC "/SVCParam/SSVCRatioValue", 's', "4", ""),
    READ(SVAC "/SVCParam/SVCSpaceSupportMode", 'i', "234", ""),
    READ(SVAC "/SVCParam/SVCTimeSupportMode", 'i', "234", ""),
    READ(SVAC "/SVCParam/SSVCRatioSupportList", 's', "4", ""),
    BOTH(SVAC "/SurveillanceParam", 'p', "234", ""),
    BOTH(SVAC "/SurveillanceParam/TimeFlag", 'b', "234", ""),
    BOTH(SVAC "/SurveillanceParam/OSDFlag", 'b', "4", ""),
    BOTH(SVAC "/SurveillanceParam/AIFlag", 'b', "4", ""),
    BOTH(SVAC "/SurveillanceParam/GISFlag", 'b', "4", ""),
    BOTH(SVAC "/SurveillanceParam/EventFlag", 'b', "23", ""),
    BOTH(SVAC "/SurveillanceParam/AlertFlag", 'b', "23", ""),
    BOTH(SVAC "/EncryptParam", 'p', "23", ""),
    BOTH(SVAC "/EncryptParam/EncryptionFlag", 'b', "23", ""),
    BOTH(SVAC "/EncryptParam/AuthenticationFlag", 'b', "23", ""),
    BOTH(SVAC "/AudioParam", 'p', "234", ""),
    BOTH(SVAC "/AudioParam/AudioRecognitionFlag", 'b', "234", ""),
#undef SVAC
#define SVAC "SVACDecodeConfig"
    BOTH(SVAC, 'p', "234", ""),
    BOTH(SVAC "/SVCParam", 'p', "234", ""),
    BOTH(SVAC "/SVCParam/SVCSTMMode", 'i', "234", ""),
    READ(SVAC "/SVCParam/SVCSpaceSupportMode", 'i', "234", ""),
    READ(SVAC "/SVCParam/SVCTimeSupportMode", 'i', "234", ""),
    BOTH(SVAC "/SurveillanceParam", 'p', "234", ""),
    BOTH(SVAC "/SurveillanceParam/TimeShowFlag", 'b', "234", ""),
    BOTH(SVAC "/SurveillanceParam/OSDShowFlag", 'b', "4", ""),
    BOTH(SVAC "/SurveillanceParam/AIShowFlag", 'b', "4", ""),
    BOTH(SVAC "/SurveillanceParam/GISShowFlag", 'b', "4", ""),
    BOTH(SVAC "/SurveillanceParam/EventShowFlag", 'b', "23", ""),
    BOTH(SVAC "/SurveillanceParam/AlerShowtFlag", 'b', "23", ""), /* sic */
#undef SVAC
    BOTH("VideoParamAttribute", 'l', "4", ""),
    BOTH("VideoParamAttribute/Item", 'p', "4", ""),
    BOTH("VideoParamAttribute/Item/StreamNumber", 'i', "4", "4"),
    BOTH("VideoParamAttribute/Item/VideoFormat", 's', "4", "4"),
    BOTH("VideoParamAttribute/Item/Resolution", 's', "4", "4"),
    BOTH("VideoParamAttribute/Item/FrameRate", 's', "4", "4"),
    BOTH("VideoParamAttribute/Item/BitRateType", 's', "4", "4"),
    BOTH("VideoParamAttribute/Item/VideoBitRate", 's', "4", ""),
#define PLAN "VideoRecordPlan"
#define DAY PLAN "/RecordSchedule"
    BOTH(PLAN, 'p', "4", ""),
    BOTH(PLAN "/RecordEnable", 'b', "4", "4"),
    BOTH(PLAN "/RecordScheduleSumNum", 'i', "4", "4"),
    BOTH(DAY, 'p', "4", ""),
    BOTH(DAY "/WeekDayNum", 'i', "4", "4"),
    BOTH(DAY "/TimeSegmentSumNum", 'i', "4", "4"),
    BOTH(DAY "/TimeSegment", 'p', "4", "4"),
    BOTH(DAY "/TimeSegment/StartHour", 'i', "4", "4"),
    BOTH(DAY "/TimeSegment/StartMin", 'i', "4", "4"),
    BOTH(DAY "/TimeSegment/StartSec", 'i', "4", "4"),
    BOTH(DAY "/TimeSegment/StopHour", 'i', "4", "4"),
    BOTH(DAY "/TimeSegment/StopMin", 'i', "4", "4"),
    BOTH(DAY "/TimeSegment/StopSec", 'i', "4", "4"),
    BOTH(PLAN "/StreamNumber", 'i', "4", "4"),
    BOTH("VideoAlarmRecord", 'p', "4", ""),
    BOTH("VideoAlarmRecord/RecordEnable", 'b', "4", "4"),
    BOTH("VideoAlarmRecord/RecordTime", 'i', "4", ""),
    BOTH("VideoAlarmRecord/PreRecordTime", 'i', "4", ""),
    BOTH("VideoAlarmRecord/StreamNumber", 'i', "4", "4"),
    BOTH("PictureMask", 'p', "4", ""),
    BOTH("PictureMask/On", 'b', "4", "4"),
    BOTH("PictureMask/SumNum", 'i', "4", "4"),
    BOTH("PictureMask/RegionList", 'l', "4", ""),
    BOTH("PictureMask/RegionList/Item", 'p', "4", ""),
    BOTH("PictureMask/RegionList/Item/Seq", 'i', "4", "4"),
    BOTH("PictureMask/RegionList/Item/Point", 's', "4", "4"),
    BOTH("FrameMirror", 'i', "4", ""),
    BOTH("AlarmReport", 'p', "4", ""),
    BOTH("AlarmReport/MotionDetection", 'b', "4", "4"),
    BOTH("AlarmReport/FieldDetection", 'b', "4", "4"),
    BOTH("OSDConfig", 'p', "4", ""),
    BOTH("OSDConfig/Length", 'i', "4", "4"),
    BOTH("OSDConfig/Width", 'i', "4", "4"),
    BOTH("OSDConfig/TimeX", 'i', "4", "4"),
    BOTH("OSDConfig/TimeY", 'i', "4", "4"),
    BOTH("OSDConfig/TimeEnable", 'b', "4", ""),
    BOTH("OSDConfig/TimeType", 'b', "4", ""),
    BOTH("OSDConfig/TextEnable", 'b', "4", ""),
    BOTH("OSDConfig/SumNum", 'i', "4", "4"),
    BOTH("OSDConfig/Item", 'p', "4", ""),
    BOTH("OSDConfig/Item/Text", 's', "4", "4"),
    BOTH("OSDConfig/Item/X", 'i', "4", "4"),
    BOTH("OSDConfig/Item/Y", 'i', "4", "4"),
#define SHOTS(how, name)                                                       \
    how(name, 'p', "4", ""), how(name "/SnapNum", 'i', "4", "4"),              \
        how(name "/Interval", 'i', "4", "4"),                                  \
        how(name "/UploadURL", 's', "4", "4"),                                 \
        how(name "/SessionID", 'S', "4", "4")
    SHOTS(SET, "SnapShotConfig"),
    SHOTS(READ, "SnapShot"), /* sic */

    { "Notify Alarm", "AlarmPriority", 's', "1234", "1234" },
    { "Notify Alarm", "AlarmMethod", 's', "1234", "1234" },
    { "Notify Alarm", "AlarmTime", 't', "1234", "1234" },
    { "Notify Alarm", "AlarmDescription", 's', "1234", "" },
    { "Notify Alarm", "Longitude", 'r', "1234", "" },
    { "Notify Alarm", "Latitude", 'r', "1234", "" },
    { "Notify Alarm", "Info", 'p', "34", "" },
    { "Notify Alarm", "Info/AlarmType", 'i', "34", "34" },
    { "Notify Alarm", "Info/AlarmTypeParam", 'p', "34", "" },
    { "Notify Alarm", "Info/AlarmTypeParam/EventType", 'i', "34", "" },

    { "Notify MediaStatus", "NotifyType", 's', "1234", "1234" },
    { "Notify Broadcast", "SourceID", 'n', "234", "234" },
    { "Notify Broadcast", "TargetID", 'n', "234", "234" },

    { "Notify MobilePosition", "Time", 't', "34", "34" },
    { "Notify MobilePosition", "Longitude", 'r', "3", "3" },
    { "Notify MobilePosition", "Latitude", 'r', "3", "3" },
    { "Notify MobilePosition", "Speed", 'r', "3", "" },
    { "Notify MobilePosition", "Direction", 'r', "3", "" },
    { "Notify MobilePosition", "Altitude", 'r', "3", "" },
    { "Notify MobilePosition", "SumNum", 'i', "4", "4" },
    { "Notify MobilePosition", "DeviceList", 'l', "4", "" },
#define PLACE(name, type, must)                                                \
    { "Notify MobilePosition", "DeviceList/Item" name, type, "4", must }
    PLACE("", 'p', ""),
    PLACE("/DeviceID", 'n', "4"),
    PLACE("/CaptureTime", 't', "4"),
    PLACE("/Longitude", 'r', "4"),
    PLACE("/Latitude", 'r', "4"),
    PLACE("/Speed", 'r', ""),
    PLACE("/Direction", 'r', ""),
    PLACE("/Altitude", 'r', ""),
    PLACE("/Height", 'r', ""),

    { "Notify UploadSnapShotFinished", "SessionID", 'S', "4", "4" },
    { "Notify UploadSnapShotFinished", "SnapShotList", 'p', "4", "4" },
    { "Notify UploadSnapShotFinished", "SnapShotList/SnapShotFileID", 's',
      "4", "" },
    { "Notify VideoUploadNotify", "Time", 't', "4", "4" },
    { "Notify VideoUploadNotify", "Longitude", 'r', "4", "" },
    { "Notify VideoUploadNotify", "Latitude", 'r', "4", "" },
    { "Notify DeviceUpgradeResult", "SessionID", 'S', "4", "4" },
    { "Notify DeviceUpgradeResult", "UpgradeResult", 'k', "4", "4" },
    { "Notify DeviceUpgradeResult", "Firmware", 's', "4", "4" },
    { "Notify DeviceUpgradeResult", "UpgradeFailedReason", 's', "4", "" },

    { "Response Alarm", "Result", 'k', "1234", "1234" },
    { "Response DeviceControl", "Result", 'k', "1234", "1234" },
    { "Response DeviceConfig", "Result", 'k', "234", "234" },
    { "Response Broadcast", "Result", 'k', "234", "234" },
};

bool body_standard_among(const char *editions, char edition)
{
    struct slice s = slice_str(editions);

    return slice_find(s, edition) < s.n;
}

/* ---- types ------------------------------------------------------------------ */

static bool is_digits(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]))
            return false;
    return s.n > 0;
}

/* "2023-08-09T07:38:35" */
static bool is_time(struct slice s)
{
    static const struct slice form = S("dddd-dd-ddTdd:dd:dd");

    for (size_t i = 0; s.n == form.n && i < s.n; i++)
        if (form.p[i] == 'd' ? !ascii_is_digit(s.p[i])
                             : s.p[i] != form.p[i])
            return false;
    return s.n == form.n;
}

static bool is_type(char type, const struct xml_node *node)
{
    struct slice s = node->text;
    double v;

    switch (type) {
    case 'i':
        return is_digits(s);
    case 'b':
        return slice_eq(s, SLICE("0")) || slice_eq(s, SLICE("1"));
    case 'r':
        return slice_double(s, &v);
    case 't':
        return is_time(s);
    case 'n':
        return is_digits(s) &&
               (s.n == 2 || s.n == 4 || s.n == 6 || s.n == 8 || s.n == 20);
    case 'o':
        return slice_eq(s, SLICE("ON")) || slice_eq(s, SLICE("OFF"));
    case 'k':
        return slice_eq(s, SLICE("OK")) || slice_eq(s, SLICE("ERROR"));
    case 'S':
        return s.n >= 32 && s.n <= 128;
    case 'p':
    case 'l':
        return s.n == 0;
    default:
        return node->child == NULL;
    }
}

/* ---- one body ---------------------------------------------------------------- */

struct check {
    const char *file;
    char body[64], edition;
};

static const struct line *line_of(const struct check *c, const char *path)
{
    for (size_t i = 0; i < COUNT(lines); i++)
        if (slice_eq(slice_str(lines[i].body), slice_str(c->body)) &&
            slice_eq(slice_str(lines[i].path), slice_str(path)))
            return &lines[i];
    return NULL;
}

/* 2016 alone writes it small in DeviceStatus. */
static void check_num(const struct check *c, const struct xml_node *node,
                      const char *path)
{
    bool small = c->edition == '3' &&
                 slice_eq(node->name, SLICE("Alarmstatus"));
    size_t n = 0;
    uint32_t num;

    for (const struct xml_node *k = node->child; k; k = k->next)
        n++;
    if (node->n_attrs != 1 ||
        !slice_eq(node->attrs[0].name, small ? SLICE("num") : SLICE("Num")) ||
        !slice_u32(node->attrs[0].value, 10000, &num) || num != n)
        fail_msg("%s: %s: Num", c->file, path);
}

static void check_must(const struct check *c, const struct xml_node *node,
                       const char *path)
{
    struct slice own = slice_str(path);

    for (size_t i = 0; i < COUNT(lines); i++) {
        struct slice p = slice_str(lines[i].path);

        if (!slice_eq(slice_str(lines[i].body), slice_str(c->body)) ||
            !body_standard_among(lines[i].must, c->edition))
            continue;
        if (own.n && (!slice_has_prefix(p, own) || p.n <= own.n ||
                      p.p[own.n] != '/'))
            continue;
        p = slice_from(p, own.n ? own.n + 1 : 0);
        if (slice_find(p, '/') == p.n && !xml_child(node, p))
            fail_msg("%s: %s is missing", c->file, lines[i].path);
    }
}

/* Below node, whose path is given; its parts come in the order of the lines. */
static void check_parts(const struct check *c, const struct xml_node *node,
                        const struct xml_node *first, const char *path)
{
    const struct line *last = NULL;

    for (const struct xml_node *k = first; k; k = k->next) {
        char own[256];
        const struct line *l;

        snprintf(own, sizeof(own), "%s%s%.*s", path, *path ? "/" : "",
                 SLICE_ARG(k->name));
        l = line_of(c, own);
        if (!l || !body_standard_among(l->in, c->edition))
            fail_msg("%s: %s %s has no %s", c->file, c->body, path, own);
        if (l < last)
            fail_msg("%s: %s comes before %s", c->file, own, last->path);
        if (!is_type(l->type, k))
            fail_msg("%s: %s is %.*s", c->file, own, SLICE_ARG(k->text));
        if (l->type == 'l')
            check_num(c, k, own);
        if (l->type == 'l' || l->type == 'p')
            check_parts(c, k, k->child, own);
        last = l;
    }
    check_must(c, node, path);
}

/* CmdType, SN, DeviceID; a Broadcast has no DeviceID. */
static const struct xml_node *check_head(const struct check *c,
                                         const struct xml_node *root)
{
    static const struct slice head[] = { S("CmdType"), S("SN"),
                                         S("DeviceID") };
    bool is_call = slice_eq(slice_str(c->body), SLICE("Notify Broadcast"));
    const struct xml_node *k = root->child;

    for (size_t i = 0; i < (is_call ? 2 : 3); i++, k = k->next)
        if (!k || !slice_eq(k->name, head[i]))
            fail_msg("%s: no %s at its place", c->file, head[i].p);
    return k;
}

void body_standard_check(const char *file, struct slice in, char edition)
{
    static char memory[1 << 20];
    struct arena a = arena_of(memory, sizeof(memory));
    struct check c = { .file = file, .edition = edition };
    struct slice cmd, root;
    struct xml_doc doc;

    assert_int_equal(xml_parse(&doc, &a, in, NULL, NULL), 0);
    root = doc.root->name;
    cmd = xml_text(doc.root, SLICE("CmdType"));
    if (slice_eq(cmd, SLICE("PersetQuery"))) {
        assert_true(edition == '2');
        cmd = SLICE("PresetQuery");
    } else if (slice_eq(cmd, SLICE("PresetQuery"))) {
        assert_true(edition != '2');
    }
    snprintf(c.body, sizeof(c.body), "%.*s %.*s", SLICE_ARG(root),
             SLICE_ARG(cmd));
    check_parts(&c, doc.root, check_head(&c, doc.root), "");
}
