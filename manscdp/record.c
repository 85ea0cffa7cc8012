#include "manscdp/record.h"

MANSCDP_BODY_OF(manscdp_record_query, MANSCDP_RECORD_QUERY_MAP, QUERY,
                RECORD_INFO, "");
MANSCDP_SHAPE_OF(manscdp_record_item, MANSCDP_RECORD_ITEM_MAP);
MANSCDP_BODY_OF(manscdp_record_answer, MANSCDP_RECORD_ANSWER_MAP, RESPONSE,
                RECORD_INFO, "");
MANSCDP_SHAPE_OF(manscdp_card, MANSCDP_CARD_MAP);
MANSCDP_BODY_OF(manscdp_card_status, MANSCDP_CARD_STATUS_MAP, RESPONSE,
                SD_CARD_STATUS, "");

void manscdp_record_key(struct writer *w, const struct manscdp_record_item *r)
{
    const struct slice part[] = { r->device_id, r->start_time, r->end_time,
                                  r->file_path, r->type };

    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        if (i)
            writer_char(w, '|');
        writer_slice_put(w, part[i]);
    }
}
