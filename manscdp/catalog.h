/* manscdp/catalog.h - Catalog: query, answers of many messages, notification
 * (GB/T 28181-2022 A.2.1.10, A.2.4.3, A.2.6.3, Annex J)
 *
 * All elements that any edition defines for an Item are fields here, as text
 * as it came; everything else is kept as a list of (path, text). Accessors
 * read the fields whose wording varies. */
#ifndef MANSCDP_CATALOG_H
#define MANSCDP_CATALOG_H

#include "manscdp/devid.h"
#include "manscdp/msg.h"

#define MANSCDP_MAX_EXTRAS 128 /* unknown elements kept of one item */

/* In the order on the wire. Editions: where the element is written; it is
 * read always. 0: kept, never written (a password goes nowhere). */
/* clang-format off */
#define MANSCDP_ITEM_MAP(X)                                                    \
    X(id,                     "DeviceID",                 ITEM, EALL)          \
    X(name,                   "Name",                     ITEM, EALL)          \
    X(manufacturer,           "Manufacturer",             ITEM, EALL)          \
    X(model,                  "Model",                    ITEM, EALL)          \
    X(owner,                  "Owner",                    ITEM, EUNTIL16)      \
    X(civil_code,             "CivilCode",                ITEM, EALL)          \
    X(block,                  "Block",                    ITEM, EALL)          \
    X(address,                "Address",                  ITEM, EALL)          \
    X(parental,               "Parental",                 ITEM, EALL)          \
    X(parent_id,              "ParentID",                 ITEM, EALL)          \
    X(safety_way,             "SafetyWay",                ITEM, EUNTIL16)      \
    X(register_way,           "RegisterWay",              ITEM, EALL)          \
    X(cert_num,               "CertNum",                  ITEM, EUNTIL16)      \
    X(certifiable,            "Certifiable",              ITEM, EUNTIL16)      \
    X(err_code,               "ErrCode",                  ITEM, EUNTIL16)      \
    X(end_time,               "EndTime",                  ITEM, EUNTIL16)      \
    X(security_level_code,    "SecurityLevelCode",        ITEM, E22)           \
    X(secrecy,                "Secrecy",                  ITEM, EALL)          \
    X(ip_address,             "IPAddress",                ITEM, EALL)          \
    X(port,                   "Port",                     ITEM, EALL)          \
    X(password,               "Password",                 ITEM, ENONE)         \
    X(status,                 "Status",                   ITEM, EALL)          \
    X(longitude,              "Longitude",                ITEM, EALL)          \
    X(latitude,               "Latitude",                 ITEM, EALL)          \
    X(business_group_id,      "BusinessGroupID",          ITEM, E22)           \
    X(ptz_type,               "PTZType",                  INFO, ESINCE14)      \
    X(position_type,          "PositionType",             INFO, E14_16)        \
    X(imaging_type,           "PhotoelectricImagingType", INFO, E22)           \
    X(capture_position_type,  "CapturePositionType",      INFO, E22)           \
    X(room_type,              "RoomType",                 INFO, ESINCE14)      \
    X(use_type,               "UseType",                  INFO, E14_16)        \
    X(supply_light_type,      "SupplyLightType",          INFO, ESINCE14)      \
    X(direction_type,         "DirectionType",            INFO, ESINCE14)      \
    X(resolution,             "Resolution",               INFO, ESINCE14)      \
    X(info_business_group_id, "BusinessGroupID",          INFO, E14_16)        \
    X(stream_number_list,     "StreamNumberList",         INFO, E22)           \
    X(download_speed,         "DownloadSpeed",            INFO, ESINCE16)      \
    X(svc_space_mode,         "SVCSpaceSupportMode",      INFO, ESINCE16)      \
    X(svc_time_mode,          "SVCTimeSupportMode",       INFO, ESINCE16)      \
    X(ssvc_ratio_list,        "SSVCRatioSupportList",     INFO, E22)           \
    X(mobile_device_type,     "MobileDeviceType",         INFO, E22)           \
    X(horizontal_angle,       "HorizontalFieldAngle",     INFO, E22)           \
    X(vertical_angle,         "VerticalFieldAngle",       INFO, E22)           \
    X(max_view_distance,      "MaxViewDistance",          INFO, E22)           \
    X(grassroots_code,        "GrassrootsCode",           INFO, E22)           \
    X(point_type,             "PointType",                INFO, E22)           \
    X(point_common_name,      "PointCommonName",          INFO, E22)           \
    X(mac,                    "MAC",                      INFO, E22)           \
    X(function_type,          "FunctionType",             INFO, E22)           \
    X(encode_type,            "EncodeType",               INFO, E22)           \
    X(install_time,           "InstallTime",              INFO, E22)           \
    X(management_unit,        "ManagementUnit",           INFO, E22)           \
    X(contact_info,           "ContactInfo",              INFO, E22)           \
    X(record_save_days,       "RecordSaveDays",           INFO, E22)           \
    X(industrial_class,       "IndustrialClassification", INFO, E22)
/* clang-format on */

enum manscdp_place { MANSCDP_IN_ITEM, MANSCDP_IN_INFO };

/* Events of a Catalog notification. */
#define MANSCDP_EVENT_MAP(X)                                                   \
    X(ON)                                                                      \
    X(OFF)                                                                     \
    X(VLOST)                                                                   \
    X(DEFECT)                                                                  \
    X(ADD)                                                                     \
    X(DEL)                                                                     \
    X(UPDATE)

enum manscdp_event {
    MANSCDP_EVENT_NONE, /* not a notification; or none said: UPDATE or ADD */
#define X(id) MANSCDP_EVENT_##id,
    MANSCDP_EVENT_MAP(X)
#undef X
    MANSCDP_EVENT_COUNT
};

const char *manscdp_event_name(enum manscdp_event e); /* NULL for NONE */
enum manscdp_event manscdp_event_by_name(struct slice name);

/* An element that no edition defines. */
struct manscdp_extra {
    struct slice path; /* "StreamNum", "Info/CameraType" */
    struct slice value;
};

/* One node of a catalog. Fields are UTF-8, trimmed; empty: absent. */
struct manscdp_item {
#define X(member, element, place, editions) struct slice member;
    MANSCDP_ITEM_MAP(X)
#undef X
    enum manscdp_event event;
    const struct manscdp_extra *extra;
    size_t n_extras;
};

/* Table of the fields, for stores, JSON and upstreams. */
struct manscdp_item_field {
    const char *member;   /* "civil_code" */
    struct slice element; /* "CivilCode" */
    enum manscdp_place place;
    unsigned editions; /* set of MANSCDP_E.. */
    size_t off;        /* of the slice in struct manscdp_item */
};
const struct manscdp_item_field *manscdp_item_fields(size_t *n);

static inline struct slice
manscdp_item_get(const struct manscdp_item *it,
                 const struct manscdp_item_field *f)
{
    return *(const struct slice *)(const void *)((const char *)it + f->off);
}

/* Status: ON, OK, empty are on; all else is off. */
bool manscdp_item_is_on(const struct manscdp_item *it);

/* Parental is 1. Ids and children decide first: field devices lie here. */
bool manscdp_item_is_parent(const struct manscdp_item *it);

/* WGS-84 degrees; false: none, zero, or out of range. */
bool manscdp_item_position(const struct manscdp_item *it, double *longitude,
                           double *latitude);

/* The first of the PTZ types, 1 to 7; 0: unknown (offer PTZ all the same). */
unsigned manscdp_item_ptz_type(const struct manscdp_item *it);

/* By the id; unknown types are a channel when Parental is 0 or an element of
 * Info is there. */
enum manscdp_kind manscdp_item_kind(const struct manscdp_item *it);

/* Takes the next id off a ParentID list joined by '/': trimmed, never empty.
 * false at the end. Own id and duplicates are the caller's business. */
bool manscdp_parent_next(struct slice *rest, struct slice *id);

/* Query Catalog. */
struct manscdp_catalog_query {
    uint32_t sn;
    struct slice device_id;
    struct slice start_time, end_time; /* empty: no limit */
};

int manscdp_catalog_query_decode(struct manscdp_catalog_query *out,
                                 const struct manscdp_msg *msg);
int manscdp_catalog_query_encode(struct writer *w,
                                 const struct manscdp_dialect *d,
                                 const struct manscdp_catalog_query *q);

/* One message of an answer (Response), or a notification (Notify; in 2011 a
 * Response whose items have an Event). */
struct manscdp_catalog {
    uint32_t sn;
    struct slice device_id;
    bool is_notify;
    bool has_sum_num;
    uint32_t sum_num; /* of all messages; believe it with care */
    uint32_t n_items; /* items in this message, counted */
    uint32_t n_broken; /* items that could not be read at all */
    struct slice status; /* of a notification */
    /* of manscdp_catalog_next: read already, or still in the tree */
    const struct manscdp_kept_item *next_kept;
    const struct xml_node *next_item;
};

int manscdp_catalog_decode(struct manscdp_catalog *out,
                           const struct manscdp_msg *msg);

/* Gives the items one by one; false at the end. An item without DeviceID is
 * given too, with an empty id (it counts for SumNum). *it lives as long as the
 * message and what is in a, which grows by the extras alone: when there is no
 * room for them they are left out, not the item. An answer to a query may say
 * an Event as well: it means nothing there (but in 2011, see above). */
bool manscdp_catalog_next(struct manscdp_catalog *c, struct manscdp_item *it,
                          struct arena *a);

/* The same without copying what is there already: the item, which may be
 * *room, or NULL at the end. */
const struct manscdp_item *manscdp_catalog_each(struct manscdp_catalog *c,
                                                struct manscdp_item *room,
                                                struct arena *a);

/* Writing, piece by piece: begin, any number of items, end. num: how many
 * items follow in this message; 0 writes no list (2011: an empty one). */
void manscdp_catalog_put_begin(struct xml_out *x, struct writer *w,
                               const struct manscdp_dialect *d,
                               const struct manscdp_catalog *c, uint32_t num);

/* The fields of the edition that are not empty, in order; Event first when
 * there is one (of ON, OFF, VLOST, DEFECT, DEL: id and event alone). Extras
 * are written only if with_extras. */
void manscdp_catalog_put_item(struct xml_out *x,
                              const struct manscdp_dialect *d,
                              const struct manscdp_item *it, bool with_extras);
void manscdp_catalog_put_end(struct xml_out *x,
                             const struct manscdp_dialect *d,
                             const struct manscdp_catalog *c, uint32_t num);

/* One whole message with n items. sn, device_id, sum_num and is_notify of c
 * count. 0 or the error of w. */
int manscdp_catalog_encode(struct writer *w, const struct manscdp_dialect *d,
                           const struct manscdp_catalog *c,
                           const struct manscdp_item *items, size_t n);
#endif
