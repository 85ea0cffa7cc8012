/* manscdp/vocab.h - what the MANSCDP command set consists of
 * (GB/T 28181-2022 Annex A; command index over all editions)
 *
 * Roots, CmdTypes, their aliases and one row for each command: who sends it,
 * what carries it, in which editions it exists, whether a Response is due, how
 * long to wait, how several messages are merged, and which codec reads it. */
#ifndef MANSCDP_VOCAB_H
#define MANSCDP_VOCAB_H

#include "base/slice.h"

enum manscdp_edition {
    MANSCDP_2011, /* X-GB-Ver 1.0 */
    MANSCDP_2014, /* 1.1 */
    MANSCDP_2016, /* 2.0 */
    MANSCDP_2022, /* 3.0 */
    MANSCDP_EDITION_COUNT
};

/* Sets of editions. */
#define MANSCDP_E11 1u
#define MANSCDP_E14 2u
#define MANSCDP_E16 4u
#define MANSCDP_E22 8u
#define MANSCDP_EALL 15u
#define MANSCDP_ESINCE14 14u
#define MANSCDP_ESINCE16 12u
#define MANSCDP_EUNTIL16 7u
#define MANSCDP_E14_16 6u
#define MANSCDP_ENONE 0u

/* "1.0", "1.1", "2.0", "3.0". */
const char *manscdp_edition_ver(enum manscdp_edition e);

/* The edition of an X-GB-Ver value; a version between two counts as the lower
 * one, above all as 2022. false, *e untouched: not "m.n". */
bool manscdp_edition_by_ver(struct slice ver, enum manscdp_edition *e);
/* The same of what is written otherwise and can mean one thing alone: "3",
 * "V3.0", "3.0;x", "2022". */
bool manscdp_edition_by_odd_ver(struct slice ver, enum manscdp_edition *e);

#define MANSCDP_ROOT_MAP(X)                                                    \
    X(CONTROL,  "Control")                                                     \
    X(QUERY,    "Query")                                                       \
    X(NOTIFY,   "Notify")                                                      \
    X(RESPONSE, "Response")

enum manscdp_root {
    MANSCDP_ROOT_OTHER,
#define X(id, name) MANSCDP_##id,
    MANSCDP_ROOT_MAP(X)
#undef X
    MANSCDP_ROOT_COUNT
};

#define MANSCDP_CMD_MAP(X)                                                     \
    X(KEEPALIVE,           "Keepalive")                                        \
    X(DEVICE_STATUS,       "DeviceStatus")                                     \
    X(CATALOG,             "Catalog")                                          \
    X(DEVICE_INFO,         "DeviceInfo")                                       \
    X(RECORD_INFO,         "RecordInfo")                                       \
    X(ALARM,               "Alarm")                                            \
    X(CONFIG_DOWNLOAD,     "ConfigDownload")                                   \
    X(PRESET_QUERY,        "PresetQuery")                                      \
    X(MOBILE_POSITION,     "MobilePosition")                                   \
    X(HOME_POSITION_QUERY, "HomePositionQuery")                                \
    X(CRUISE_TRACK_LIST,   "CruiseTrackListQuery")                             \
    X(CRUISE_TRACK,        "CruiseTrackQuery")                                 \
    X(PTZ_POSITION,        "PTZPosition")                                      \
    X(SD_CARD_STATUS,      "SDCardStatus")                                     \
    X(DEVICE_CONTROL,      "DeviceControl")                                    \
    X(DEVICE_CONFIG,       "DeviceConfig")                                     \
    X(MEDIA_STATUS,        "MediaStatus")                                      \
    X(BROADCAST,           "Broadcast")                                        \
    X(SNAPSHOT_FINISHED,   "UploadSnapShotFinished")                           \
    X(VIDEO_UPLOAD,        "VideoUploadNotify")                                \
    X(UPGRADE_RESULT,      "DeviceUpgradeResult")

/* Other spellings on the wire; they count as equal (2014: PersetQuery). */
#define MANSCDP_ALIAS_MAP(X)                                                   \
    X(PRESET_QUERY,        "PersetQuery")                                      \
    X(HOME_POSITION_QUERY, "HomePosition")

enum manscdp_cmd {
    MANSCDP_CMD_OTHER, /* kept by name: unknown is not an error */
#define X(id, name) MANSCDP_CMD_##id,
    MANSCDP_CMD_MAP(X)
#undef X
    MANSCDP_CMD_COUNT
};

/* Both ignore ASCII case and white space around; OTHER when unknown. */
enum manscdp_root manscdp_root_by_name(struct slice name);
enum manscdp_cmd manscdp_cmd_by_name(struct slice name);

/* NULL for OTHER and out of range. */
const char *manscdp_root_name(enum manscdp_root root);
const char *manscdp_cmd_name(enum manscdp_cmd cmd);

/* As an edition spells it: "PersetQuery" in 2014. */
const char *manscdp_cmd_name_in(enum manscdp_cmd cmd, enum manscdp_edition e);

/* Who starts it. */
enum manscdp_dir {
    MANSCDP_DOWN = 1, /* platform to device */
    MANSCDP_UP = 2,   /* device to platform */
    MANSCDP_BOTH = 3
};

/* What carries it: a set. */
enum manscdp_carrier {
    MANSCDP_BY_MESSAGE = 1,
    MANSCDP_BY_SUBSCRIBE = 2,
    MANSCDP_BY_NOTIFY = 4,
    MANSCDP_IN_DIALOG = 8 /* MESSAGE inside the INVITE dialog */
};

/* What comes back besides the SIP answer. */
enum manscdp_due {
    MANSCDP_NO_ANSWER,
    MANSCDP_ONE_RESPONSE,
    MANSCDP_MANY_RESPONSES, /* same SN, SumNum in all */
    MANSCDP_NOTIFY_FOLLOWS, /* a Notify in place of a Response */
    MANSCDP_RESPONSE_IF_MESSAGE /* not when a NOTIFY carried it */
};

/* By what the items of many messages are told apart. */
enum manscdp_merge {
    MANSCDP_MERGE_NONE,
    MANSCDP_MERGE_ITEM_ID, /* Catalog: Item/DeviceID */
    MANSCDP_MERGE_RECORD,  /* RecordInfo: DeviceID, start, end, path */
    MANSCDP_MERGE_ELEMENT, /* ConfigDownload: the element that was answered */
    MANSCDP_MERGE_PRESET,  /* PresetQuery: PresetID */
    MANSCDP_MERGE_TRACK,   /* CruiseTrackListQuery: Number */
    MANSCDP_MERGE_POINT    /* CruiseTrackQuery: place and values of a point */
};

/* Which pair of files reads and writes it. */
enum manscdp_codec {
    MANSCDP_CODEC_NOTIFY,  /* notify.h */
    MANSCDP_CODEC_CATALOG, /* catalog.h */
    MANSCDP_CODEC_DEVICE,  /* device.h */
    MANSCDP_CODEC_RECORD,  /* record.h */
    MANSCDP_CODEC_CONFIG,  /* config.h */
    MANSCDP_CODEC_PRESET,  /* preset.h */
    MANSCDP_CODEC_CONTROL, /* control.h, ptz.h */
    MANSCDP_CODEC_MEDIA,   /* media.h */
    MANSCDP_CODEC_FILTER   /* filter.h */
};

/* clang-format off */
/*    root     cmd                  sub               dir   carriers                due                    editions  first  gap    merge    codec    clause */
#define MANSCDP_ROW_MAP(X)                                                     \
    X(NOTIFY,  KEEPALIVE,           "",               UP,   M,                      NO_ANSWER,             EALL,     0,     0,     NONE,    NOTIFY,  "4")    \
    X(QUERY,   DEVICE_STATUS,       "",               DOWN, M,                      ONE_RESPONSE,          EALL,     10000, 0,     NONE,    DEVICE,  "5.1")  \
    X(QUERY,   CATALOG,             "",               DOWN, M | S,                  MANY_RESPONSES,        EALL,     30000, 10000, ITEM_ID, CATALOG, "5.2")  \
    X(QUERY,   DEVICE_INFO,         "",               DOWN, M,                      ONE_RESPONSE,          EALL,     10000, 0,     NONE,    DEVICE,  "5.3")  \
    X(QUERY,   RECORD_INFO,         "",               DOWN, M,                      MANY_RESPONSES,        EALL,     30000, 5000,  RECORD,  RECORD,  "5.4")  \
    X(QUERY,   ALARM,               "",               DOWN, M | S,                  NOTIFY_FOLLOWS,        EALL,     10000, 0,     NONE,    FILTER,  "5.5")  \
    X(QUERY,   CONFIG_DOWNLOAD,     "",               DOWN, M,                      MANY_RESPONSES,        ESINCE14, 10000, 5000,  ELEMENT, CONFIG,  "5.6")  \
    X(QUERY,   PRESET_QUERY,        "",               DOWN, M,                      MANY_RESPONSES,        ESINCE14, 10000, 5000,  PRESET,  PRESET,  "5.7")  \
    X(QUERY,   MOBILE_POSITION,     "",               DOWN, M | S,                  NOTIFY_FOLLOWS,        ESINCE16, 10000, 0,     NONE,    FILTER,  "5.8")  \
    X(QUERY,   HOME_POSITION_QUERY, "",               DOWN, M,                      ONE_RESPONSE,          E22,      10000, 0,     NONE,    PRESET,  "5.9")  \
    X(QUERY,   CRUISE_TRACK_LIST,   "",               DOWN, M,                      MANY_RESPONSES,        E22,      10000, 5000,  TRACK,   PRESET,  "5.10") \
    X(QUERY,   CRUISE_TRACK,        "",               DOWN, M,                      MANY_RESPONSES,        E22,      10000, 5000,  POINT,   PRESET,  "5.10") \
    X(QUERY,   PTZ_POSITION,        "",               DOWN, M | S,                  ONE_RESPONSE,          E22,      10000, 0,     NONE,    PRESET,  "5.11") \
    X(QUERY,   SD_CARD_STATUS,      "",               DOWN, M,                      ONE_RESPONSE,          E22,      10000, 0,     NONE,    RECORD,  "5.12") \
    X(CONTROL, DEVICE_CONTROL,      "PTZCmd",         DOWN, M,                      NO_ANSWER,             EALL,     0,     0,     NONE,    CONTROL, "6.1")  \
    X(CONTROL, DEVICE_CONTROL,      "TeleBoot",       DOWN, M,                      NO_ANSWER,             EALL,     0,     0,     NONE,    CONTROL, "6.3")  \
    X(CONTROL, DEVICE_CONTROL,      "RecordCmd",      DOWN, M,                      ONE_RESPONSE,          EALL,     10000, 0,     NONE,    CONTROL, "6.5")  \
    X(CONTROL, DEVICE_CONTROL,      "GuardCmd",       DOWN, M,                      ONE_RESPONSE,          EALL,     10000, 0,     NONE,    CONTROL, "6.5")  \
    X(CONTROL, DEVICE_CONTROL,      "AlarmCmd",       DOWN, M,                      ONE_RESPONSE,          EALL,     10000, 0,     NONE,    CONTROL, "6.5")  \
    X(CONTROL, DEVICE_CONTROL,      "IFameCmd",       DOWN, M,                      NO_ANSWER,             E16,      0,     0,     NONE,    CONTROL, "6.6")  \
    X(CONTROL, DEVICE_CONTROL,      "IFrameCmd",      DOWN, M,                      NO_ANSWER,             E22,      0,     0,     NONE,    CONTROL, "6.6")  \
    X(CONTROL, DEVICE_CONTROL,      "DragZoomIn",     DOWN, M,                      NO_ANSWER,             ESINCE16, 0,     0,     NONE,    CONTROL, "6.6")  \
    X(CONTROL, DEVICE_CONTROL,      "DragZoomOut",    DOWN, M,                      NO_ANSWER,             ESINCE16, 0,     0,     NONE,    CONTROL, "6.6")  \
    X(CONTROL, DEVICE_CONTROL,      "HomePosition",   DOWN, M,                      ONE_RESPONSE,          ESINCE16, 10000, 0,     NONE,    CONTROL, "6.7")  \
    X(CONTROL, DEVICE_CONTROL,      "PTZPreciseCtrl", DOWN, M,                      NO_ANSWER,             E22,      0,     0,     NONE,    CONTROL, "6.8")  \
    X(CONTROL, DEVICE_CONTROL,      "FormatSDCard",   DOWN, M,                      NO_ANSWER,             E22,      0,     0,     NONE,    CONTROL, "6.8")  \
    X(CONTROL, DEVICE_CONTROL,      "TargetTrack",    DOWN, M,                      NO_ANSWER,             E22,      0,     0,     NONE,    CONTROL, "6.8")  \
    X(CONTROL, DEVICE_CONTROL,      "DeviceUpgrade",  DOWN, M,                      ONE_RESPONSE,          E22,      10000, 0,     NONE,    CONTROL, "6.9")  \
    X(CONTROL, DEVICE_CONFIG,       "",               DOWN, M,                      ONE_RESPONSE,          ESINCE14, 10000, 0,     NONE,    CONFIG,  "6.10") \
    X(NOTIFY,  ALARM,               "",               BOTH, M | N,                  RESPONSE_IF_MESSAGE,   EALL,     10000, 0,     NONE,    NOTIFY,  "7.1")  \
    X(NOTIFY,  MEDIA_STATUS,        "",               UP,   D,                      NO_ANSWER,             EALL,     0,     0,     NONE,    MEDIA,   "7.2")  \
    X(NOTIFY,  BROADCAST,           "",               DOWN, M,                      ONE_RESPONSE,          ESINCE14, 10000, 0,     NONE,    MEDIA,   "7.3")  \
    X(NOTIFY,  MOBILE_POSITION,     "",               UP,   N | M,                  NO_ANSWER,             ESINCE16, 0,     0,     NONE,    FILTER,  "7.4")  \
    X(NOTIFY,  CATALOG,             "",               UP,   N,                      NO_ANSWER,             EALL,     0,     0,     ITEM_ID, CATALOG, "8.4")  \
    X(NOTIFY,  PTZ_POSITION,        "",               UP,   N,                      NO_ANSWER,             E22,      0,     0,     NONE,    PRESET,  "8.6")  \
    X(NOTIFY,  SNAPSHOT_FINISHED,   "",               UP,   M,                      NO_ANSWER,             E22,      0,     0,     NONE,    MEDIA,   "7.5")  \
    X(NOTIFY,  VIDEO_UPLOAD,        "",               UP,   M,                      NO_ANSWER,             E22,      0,     0,     NONE,    MEDIA,   "7.6")  \
    X(NOTIFY,  UPGRADE_RESULT,      "",               UP,   M,                      NO_ANSWER,             E22,      0,     0,     NONE,    MEDIA,   "7.7")
/* clang-format on */

/* One command of the index. */
struct manscdp_row {
    enum manscdp_root root;
    enum manscdp_cmd cmd;
    struct slice sub; /* DeviceControl: the element that is the command */
    enum manscdp_dir dir;
    unsigned carriers; /* set of enum manscdp_carrier */
    enum manscdp_due due;
    unsigned editions;  /* set of MANSCDP_E.. */
    uint32_t first_ms;  /* wait for the first answer; 0: none is due */
    uint32_t gap_ms;    /* and from one message to the next; 0: only one */
    enum manscdp_merge merge;
    enum manscdp_codec codec;
    const char *clause; /* number in the index of commands */
};

/* The row of a command; sub is empty but for DeviceControl. NULL: none. */
const struct manscdp_row *manscdp_row_find(enum manscdp_root root,
                                           enum manscdp_cmd cmd,
                                           struct slice sub);

/* All rows, in the order of the index. */
const struct manscdp_row *manscdp_rows(size_t *n);
#endif
