/* app/trace/mask.h - secrets taken out of a SIP message, length kept
 *
 * Every octet of a secret becomes '*', so that offsets, Content-Length and a
 * capture's lengths stay what they were. Masked are: response and cnonce of
 * Authorization and Proxy-Authorization, rspauth of Authentication-Info, the
 * password of a SIP URI in the header block, and in the body the text of XML
 * elements and the values of attributes and key=value lines whose name holds
 * password, passwd or pwd. */
#ifndef APP_TRACE_MASK_H
#define APP_TRACE_MASK_H

#include <stddef.h>

/* In place. Any bytes are fine; what is malformed is masked too much rather
 * than too little. */
void trace_mask(char *p, size_t n);
#endif
