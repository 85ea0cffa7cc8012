/* app/http/events.h - the last events, numbered, for server-sent events
 *
 * A ring bounded in entries and bytes. A reader keeps the number of the last
 * event it has and asks for the next; one that fell out of the ring (or comes
 * from before a restart) is told to start over. Nothing is queued per
 * reader. */
#ifndef APP_HTTP_EVENTS_H
#define APP_HTTP_EVENTS_H

#include "app/http/buf.h"

#define HTTP_EVENTS_MAX 1024
#define HTTP_EVENTS_BYTES (512u * 1024)
#define HTTP_EVENTS_LINGER_MS 60000
#define HTTP_EVENTS_STALE UINT64_MAX /* a number that gets a reset */

struct http_events;

/* boot tells this process from the one before: ids are "boot-number". */
int http_events_new(struct http_events **out, const struct gb_alloc *alloc,
                    uint64_t boot);
void http_events_free(struct http_events *e);

/* Numbers and keeps an event, of a device or (empty) of nobody; json has no line
 * breaks. One that there is no memory for counts as lost: readers get a reset. */
void http_events_push(struct http_events *e, const char *type,
                      struct slice device, struct slice json);
/* Whose the event behind seq is, "" for nobody's; false: http_events_next would
 * give none, or a reset. */
bool http_events_device(const struct http_events *e, uint64_t seq,
                        struct slice *device);
#define HTTP_EVENT_DEVICE_MAX 64

/* The number of the newest event, 0: none yet. */
uint64_t http_events_last(const struct http_events *e);

/* The number in a Last-Event-ID, HTTP_EVENTS_STALE if it is not of this
 * process. */
uint64_t http_events_parse_id(const struct http_events *e, struct slice id);

/* An event stream begins, ends. Events are wanted while there is one, and for
 * HTTP_EVENTS_LINGER_MS behind the last, in which it may come back. */
void http_events_join(struct http_events *e);
void http_events_leave(struct http_events *e, uint64_t now_ms);
bool http_events_wanted(const struct http_events *e, uint64_t now_ms);

/* In the place of an event that nobody wants: a reader with an older number
 * gets a reset. */
void http_events_skip(struct http_events *e);

/* Appends the event behind *seq as text/event-stream, *seq moved on; false:
 * none. */
bool http_events_next(const struct http_events *e, uint64_t *seq,
                      struct buf *out);
#endif
