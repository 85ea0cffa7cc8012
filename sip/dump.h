/* sip/dump.h - the parsed view of a message as text, with offsets: golden
 * files, traces, bug reports */
#ifndef SIP_DUMP_H
#define SIP_DUMP_H

#include "base/writer.h"
#include "sip/msg.h"

/* One line for each thing that was read: its name, offset and length in the
 * message, its text with octets outside printable ASCII as \xHH. err is what
 * sip_msg_parse returned; on an error the diagnosis comes first, then what was
 * read up to there. */
void sip_msg_dump(struct writer *w, const struct sip_msg *m, int err,
                  const struct gb_diag *diag);
#endif
