/* app/http/body_read.h - bodies of commands out of JSON, by their tables
 *
 *     {"HomePosition":{"Enabled":1,"ResetTime":30}}
 *
 * The names are those of the standard's elements, in any spelling. A number is
 * a number or its digits, 0 and 1 may be false and true; a word is one of the
 * standard's; a list is an array. What counts a list (SumNum) may be left out.
 * Every refusal names the element and says what is allowed. */
#ifndef APP_HTTP_BODY_READ_H
#define APP_HTTP_BODY_READ_H

#include "base/arena.h"
#include "manscdp/schema.h"

#define BODY_TEXT_MAX 1024  /* bytes of one text */
#define BODY_DEPTH_MAX 8    /* elements inside each other that no table has */
#define BODY_PATH_MAX 160   /* bytes of "VideoRecordPlan.RecordSchedule[0]" */

struct json_t; /* of jansson */

struct body_fault {
    char text[480]; /* a sentence with a NUL; "" when there was none */
};

/* Reads o, an object or NULL, into out, of b->shape->size bytes, for what the
 * edition of d has. Texts are borrowed from o, the rest is in a.
 *
 * 0; GB_ESYNTAX, *fault says what is wrong; GB_ENOMEM. */
int body_read(void *out, const struct manscdp_body *b,
              const struct manscdp_dialect *d, const struct json_t *o,
              struct arena *a, struct body_fault *fault);

/* Any elements: texts, numbers, objects of them, arrays for several of one
 * name. *out: the first sibling, NULL: o is empty or NULL. As body_read. */
int body_read_any(const struct xml_node **out, const struct json_t *o,
                  struct arena *a, struct body_fault *fault);
#endif
