/* app/http/openapi.h - the description of the API (OpenAPI 3.1), made of the
 * route table and one table of objects */
#ifndef APP_HTTP_OPENAPI_H
#define APP_HTTP_OPENAPI_H

#include "app/http/buf.h"
#include "app/http/json.h"
#include "app/http/router.h"

void http_openapi_write(struct buf *out, const struct http_route *table,
                        size_t n, const char *version);

/* Members "Query.RecordInfo", "Control.DeviceControl.PTZCmd", "Response.…" of
 * an open object: the elements of every body that has a table, with the
 * editions that have them and those that demand them. */
void http_openapi_bodies(struct jw *j);

/* The fields of an object: "name:type …", where type is string, boolean,
 * integer, number, time (or null), strings (an array), object, or either with
 * '?' behind it: may be null or left out. NULL: no such object. */
const char *http_schema_fields(const char *name);
#endif
