/* fuzz/platform/sayings.h - what a device may say: bodies and SIP messages put
 * together from small tables, a number for each part
 *
 * `v` are eight numbers that choose among the parts; `more` is any text, written
 * where it may do most harm. */
#ifndef FUZZ_PLATFORM_SAYINGS_H
#define FUZZ_PLATFORM_SAYINGS_H

#include "base/writer.h"
#include "sip/msg.h"

#include <stdint.h>

#define SAYS_SERVER "34020000002000000001"
#define SAYS_REALM "3402000000"
#define SAYS_DEVICE "34020000001180000001"
#define SAYS_CHANNEL "3402000000131000000" /* and a digit */
#define SAYS_SESSION "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1" /* of orders */
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The number of the body that answers a query; false: there is none. */
bool says_response_to(struct slice cmd, uint8_t *which);
const char *says_who(unsigned n);
/* v: which, the list's four, name and kind, whose. */
void says_body(struct writer *w, uint32_t sn, const uint8_t *v,
               struct slice more);
/* v: media, setup, what follows, the address; y: the SSRC that was offered, or
 * empty. */
void says_sdp(struct writer *w, const uint8_t *v, struct slice y,
              struct slice more);

enum says_part { /* of a message */
    SAYS_NO_CONTACT = 1,
    SAYS_OTHER_TAG = 2,
    SAYS_NO_TAG = 4,
    SAYS_WRONG_CSEQ = 8,
    SAYS_CHALLENGE = 16,
    SAYS_WAIT = 32,
    SAYS_VERSION = 64,
    SAYS_ROUTE = 128,
};

/* An answer to a request. expires below 0: none. */
void says_answer(struct writer *w, const struct sip_msg *to, unsigned status,
                 unsigned parts, int expires, const char *type,
                 struct slice body);

/* A request of its own. Its call is number `call`; further are lines of the head;
 * to: the To of a dialog, or empty. */
struct says_request {
    const char *method, *from, *further, *type;
    unsigned call, branch, cseq, parts;
    struct slice to, call_id, from_text, body;
};
void says_request(struct writer *w, const struct says_request *q);
#endif
