/* app/platform/chinese.h - what went wrong, in Chinese
 *
 * Evidence and hints are written in English, where they are found. Here is a table
 * of their sentences. '%' in a row stands for anything; "%1" in the Chinese one is
 * the first of these, itself in Chinese where the table has it. */
#ifndef APP_PLATFORM_CHINESE_H
#define APP_PLATFORM_CHINESE_H

#include "base/slice.h"
#include "base/writer.h"

#define CHINESE_MAX 768 /* bytes that hold what any text of the platform becomes */

/* Appends the whole text in Chinese. false: the table does not have it, and
 * nothing is written. What does not fit sets w->err. */
bool chinese_write(struct writer *w, struct slice english);
/* The same in buf; empty: there are no words for it. */
struct slice chinese_of(char buf[static CHINESE_MAX], struct slice english);
#endif
