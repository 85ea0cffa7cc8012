/* manscdp/record.h - RecordInfo and SDCardStatus: what is recorded, on what
 * (GB/T 28181-2022 Annex A.2)
 *
 * An answer comes in many messages: see manscdp/assembly.h; SumNum is of all
 * of them. Records have no id: manscdp_record_key tells them apart. */
#ifndef MANSCDP_RECORD_H
#define MANSCDP_RECORD_H

#include "manscdp/schema.h"

#define MANSCDP_MAX_RECORDS 10000u /* of one message */
#define MANSCDP_MAX_CARDS 8u

/* clang-format off */
#define MANSCDP_RECORD_QUERY_MAP(X, T)                                         \
    X(T, TEXT, start_time, "StartTime", EALL, ESINCE16)                        \
    X(T, TEXT, end_time, "EndTime", EALL, ESINCE16)                            \
    X(T, TEXT, file_path, "FilePath", EALL, ENONE)                             \
    X(T, TEXT, address, "Address", EALL, ENONE)                                \
    X(T, INT, secrecy, "Secrecy", EALL, ENONE, 0, 1)                           \
    X(T, TEXT, type, "Type", EALL, ENONE) /* time, alarm, manual, all */       \
    X(T, TEXT, recorder_id, "RecorderID", EALL, ENONE)                         \
    X(T, TEXT, indistinct_query, "IndistinctQuery", ESINCE14, ENONE)           \
    X(T, INT, stream_number, "StreamNumber", E22, ENONE, 0, UINT32_MAX)        \
    X(T, METHODS, alarm_method, "AlarmMethod", E22, ENONE)                     \
    X(T, TEXT, alarm_type, "AlarmType", E22, ENONE)

#define MANSCDP_RECORD_ITEM_MAP(X, T)                                          \
    X(T, TEXT, device_id, "DeviceID", EALL, EALL)                              \
    X(T, TEXT, name, "Name", EALL, EALL)                                       \
    X(T, TEXT, file_path, "FilePath", EALL, ENONE)                             \
    X(T, TEXT, address, "Address", EALL, ENONE)                                \
    X(T, TEXT, start_time, "StartTime", EALL, ENONE)                           \
    X(T, TEXT, end_time, "EndTime", EALL, ENONE)                               \
    X(T, INT, secrecy, "Secrecy", EALL, EALL, 0, 1)                            \
    X(T, TEXT, type, "Type", EALL, ENONE)                                      \
    X(T, TEXT, recorder_id, "RecorderID", EALL, ENONE)                         \
    X(T, TEXT, file_size, "FileSize", ESINCE16, ENONE) /* bytes */             \
    X(T, TEXT, record_location, "RecordLocation", E22, ENONE)                  \
    X(T, INT, stream_number, "StreamNumber", E22, ENONE, 0, UINT32_MAX)

#define MANSCDP_RECORD_ANSWER_MAP(X, T)                                        \
    X(T, TEXT, name, "Name", EALL, EALL)                                       \
    X(T, INT, sum_num, "SumNum", EALL, EALL, 0, UINT32_MAX)                    \
    X(T, LIST, item, "RecordList", EALL, E11, manscdp_record_item, "Item",     \
      LINES, MANSCDP_MAX_RECORDS)

#define MANSCDP_CARD_MAP(X, T)                                                 \
    X(T, INT, id, "ID", E22, E22, 1, UINT32_MAX)                               \
    X(T, TEXT, name, "HddName", E22, E22)                                      \
    X(T, TEXT, status, "Status", E22, E22) /* ok, formatting, unformatted,     \
                                              idle, error */                   \
    X(T, INT, progress, "FormatProgress", E22, ENONE, 0, 100) /* percent */    \
    X(T, INT, capacity, "Capacity", E22, E22, 0, UINT32_MAX) /* MB */          \
    X(T, INT, free_space, "FreeSpace", E22, E22, 0, UINT32_MAX) /* MB */

#define MANSCDP_CARD_STATUS_MAP(X, T)                                          \
    X(T, INT, sum_num, "SumNum", E22, E22, 0, UINT32_MAX)                      \
    X(T, LIST, card, "SDCardStatusInfo", E22, ENONE, manscdp_card, "Item",     \
      INLINE, MANSCDP_MAX_CARDS)
/* clang-format on */

MANSCDP_BODY(manscdp_record_query, MANSCDP_RECORD_QUERY_MAP);
MANSCDP_SHAPE(manscdp_record_item, MANSCDP_RECORD_ITEM_MAP);
MANSCDP_BODY(manscdp_record_answer, MANSCDP_RECORD_ANSWER_MAP);
MANSCDP_SHAPE(manscdp_card, MANSCDP_CARD_MAP);
MANSCDP_BODY(manscdp_card_status, MANSCDP_CARD_STATUS_MAP);

/* Appends what tells a record from others: DeviceID, times, FilePath, Type. */
void manscdp_record_key(struct writer *w, const struct manscdp_record_item *r);
#endif
