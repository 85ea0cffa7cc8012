/* manscdp/media.h - Notify bodies around media and uploads
 * (GB/T 28181-2022 Annex A.2.5: MediaStatus, Broadcast,
 * UploadSnapShotFinished, VideoUploadNotify, DeviceUpgradeResult) */
#ifndef MANSCDP_MEDIA_H
#define MANSCDP_MEDIA_H

#include "manscdp/schema.h"

#define MANSCDP_MEDIA_ENDED "121" /* NotifyType: the recording was sent */
#define MANSCDP_MAX_SNAPSHOTS 10u

/* clang-format off */
#define MANSCDP_MEDIA_STATUS_MAP(X, T)                                         \
    X(T, TEXT, type, "NotifyType", EALL, EALL)

/* Its head has no DeviceID; the answer has that of the target. */
#define MANSCDP_BROADCAST_MAP(X, T)                                            \
    X(T, TEXT, source_id, "SourceID", ESINCE14, ESINCE14)                      \
    X(T, TEXT, target_id, "TargetID", ESINCE14, ESINCE14)

#define MANSCDP_SNAPSHOT_DONE_MAP(X, T)                                        \
    X(T, SESSION, session, "SessionID", E22, E22)                              \
    X(T, TEXTS, file_id, "SnapShotList", E22, E22, "SnapShotFileID", LINES,    \
      MANSCDP_MAX_SNAPSHOTS)

#define MANSCDP_VIDEO_UPLOAD_MAP(X, T)                                         \
    X(T, TEXT, time, "Time", E22, E22)                                         \
    X(T, REAL, longitude, "Longitude", E22, ENONE)                             \
    X(T, REAL, latitude, "Latitude", E22, ENONE)

/* Reason, on ERROR: 01 download timed out, 02 package damaged, 03 system
 * fault, 99 other. */
#define MANSCDP_UPGRADE_RESULT_MAP(X, T)                                       \
    X(T, SESSION, session, "SessionID", E22, E22)                              \
    X(T, RESULT, result, "UpgradeResult", E22, E22)                            \
    X(T, TEXT, firmware, "Firmware", E22, E22)                                 \
    X(T, TEXT, reason, "UpgradeFailedReason", E22, ENONE)
/* clang-format on */

MANSCDP_BODY(manscdp_media_status, MANSCDP_MEDIA_STATUS_MAP);
MANSCDP_BODY(manscdp_broadcast, MANSCDP_BROADCAST_MAP);
MANSCDP_BODY(manscdp_snapshot_done, MANSCDP_SNAPSHOT_DONE_MAP);
MANSCDP_BODY(manscdp_video_upload, MANSCDP_VIDEO_UPLOAD_MAP);
MANSCDP_BODY(manscdp_upgrade_result, MANSCDP_UPGRADE_RESULT_MAP);
#endif
