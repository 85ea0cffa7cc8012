/* app/device/answer.h - the SDP that a camera answers with, as the standard has
 * it (GB/T 28181-2022 Annex G) and as cameras write it */
#ifndef APP_DEVICE_ANSWER_H
#define APP_DEVICE_ANSWER_H

#include "app/device/faults.h"
#include "sdp/offer.h"

/* Appends the answer to the offer's section m with the faults of f. Errors stay
 * in w. */
void answer_write(struct writer *w, const struct device_faults *f,
                  const struct sdp *offer, const struct sdp_media *m,
                  const struct sdp_answer *a);
#endif
