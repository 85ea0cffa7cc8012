/* app/http/known.h - what a request names is known here
 *
 * The table of routes tells which parameters a path takes and which keys its body
 * has. One that is misspelt would be left out in silence: a list without its
 * filter, an order without what was meant. */
#ifndef APP_HTTP_KNOWN_H
#define APP_HTTP_KNOWN_H

#include "app/http/api.h"

/* Of paths below /api/v1 but those of media, whose players add things of their own.
 * Parameters that begin with '_' are let pass: pages add them against caches. So are
 * limit and cursor of any list.
 * false: 400 has been answered, with the name and what is allowed. */
bool http_known(struct http_call *c);
#endif
