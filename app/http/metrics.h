/* app/http/metrics.h - lines of Prometheus text (format 0.0.4) */
#ifndef APP_HTTP_METRICS_H
#define APP_HTTP_METRICS_H

#include "app/http/buf.h"

/* "# HELP" and "# TYPE" of a metric; its samples follow. What ends with _total is a
 * counter, everything else a gauge. */
void http_metric(struct buf *b, const char *name, const char *help);
/* The same with its only sample. */
void http_metric_one(struct buf *b, const char *name, const char *help,
                     uint64_t v);
#endif
