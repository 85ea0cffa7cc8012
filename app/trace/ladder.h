/* app/trace/ladder.h - messages as a ladder in a terminal
 *
 *        time  34020000001320000001                         platform
 *      +0.000  |------------------ REGISTER 1 ------------------->|
 *      +0.001  |<-------- 401 Unauthorized (REGISTER 1) ----------|
 *
 * One column a device, in the order in which they appear, the platform at the
 * right. No line is wider than the terminal: what a message has to say and
 * does not fit into its arrow goes on below it. */
#ifndef APP_TRACE_LADDER_H
#define APP_TRACE_LADDER_H

#include "base/slice.h"
#include "base/writer.h"

#include <stdint.h>

#define LADDER_DEVICES 6      /* columns; further devices share the last */
#define LADDER_ID_MAX 32
#define LADDER_WIDTH_MIN 60
#define LADDER_WIDTH_MAX 240
#define LADDER_ROW_MAX 8192   /* bytes that one call may write */

struct ladder_config {
    unsigned width; /* columns of the terminal */
    bool colour;    /* ANSI colours by kind of answer */
    bool chinese;   /* headings */
};

struct ladder {
    struct ladder_config cfg;
    char device[LADDER_DEVICES][LADDER_ID_MAX + 1];
    size_t n_devices;
    bool more;        /* a further device came: the last column is "others" */
    bool headed;      /* the heading stands above the rows */
    int64_t start_ms; /* of the first row; 0: none yet */
};

struct ladder_item {
    int64_t utc_ms;
    bool out;              /* by the platform */
    struct slice device;
    struct slice method;
    unsigned status;       /* 0: a request */
    struct slice reason, cmd;
    uint32_t cseq, count;
};

void ladder_init(struct ladder *l, const struct ladder_config *cfg);

/* Gives a device its column before the heading is written. */
void ladder_party(struct ladder *l, struct slice device);

/* The row (or rows) of one message, behind the heading when that is due: at the
 * first, and when a device has appeared. */
void ladder_row(struct ladder *l, struct writer *w,
                const struct ladder_item *item);
#endif
