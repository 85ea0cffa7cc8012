/* ps/dump.h - a program stream as text, for people and for golden files
 *
 * First the elements with their offsets, as the lengths say; then what the
 * demuxer makes of them: streams, access units, counters. */
#ifndef PS_DUMP_H
#define PS_DUMP_H

#include "base/alloc.h"
#include "base/writer.h"

/* Appends the lines; errors stay in w (GB_ENOMEM also when alloc gives
 * nothing). Where the elements end too early, "skip" lines tell. */
void ps_dump(struct writer *w, struct slice stream,
             const struct gb_alloc *alloc);
#endif
