/* app/platform/bodyjson.h - a body as JSON, by its codec
 *
 *     <Response>… <HomePosition><Enabled>1</Enabled><X>y</X></HomePosition>
 *     {…,"HomePosition":{"Enabled":1,"extra":{"X":"y"}}}
 *
 * Elements have the names of the standard, however they were spelt. Numbers
 * are numbers, words and times texts; a list is an array of its items, under
 * its own name. What no table has is kept under "extra", where it stood. */
#ifndef APP_PLATFORM_BODYJSON_H
#define APP_PLATFORM_BODYJSON_H

#include "base/writer.h"
#include "manscdp/msg.h"

/* types: what a ConfigDownload asked for ("BasicParam/OSDConfig"), else empty.
 * Uses msg->arena; when that is full, and for bodies without a codec, elements
 * are written as they are (xmljson.h). Errors stay in w. */
void bodyjson_write(struct writer *w, const struct manscdp_msg *msg,
                    struct slice types);
#endif
