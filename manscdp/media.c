#include "manscdp/media.h"

MANSCDP_BODY_OF(manscdp_media_status, MANSCDP_MEDIA_STATUS_MAP, NOTIFY,
                MEDIA_STATUS, "");
MANSCDP_BODY_OF(manscdp_broadcast, MANSCDP_BROADCAST_MAP, NOTIFY, BROADCAST,
                "");
MANSCDP_BODY_OF(manscdp_snapshot_done, MANSCDP_SNAPSHOT_DONE_MAP, NOTIFY,
                SNAPSHOT_FINISHED, "");
MANSCDP_BODY_OF(manscdp_video_upload, MANSCDP_VIDEO_UPLOAD_MAP, NOTIFY,
                VIDEO_UPLOAD, "");
MANSCDP_BODY_OF(manscdp_upgrade_result, MANSCDP_UPGRADE_RESULT_MAP, NOTIFY,
                UPGRADE_RESULT, "");
