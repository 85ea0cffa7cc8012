/* app/platform/exec_row.h - a row of exec.run: which events a program is run for */
#ifndef APP_PLATFORM_EXEC_ROW_H
#define APP_PLATFORM_EXEC_ROW_H

#include "app/platform/hooks.h"

#define EXEC_PROGRAMS_MAX 16 /* rows of exec.run */
#define EXEC_ARGS_MAX 16     /* words of one row */
#define EXEC_ROW_MAX 1024    /* bytes of one */

/* "KIND+KIND PROGRAM [ARG ...]", or "all PROGRAM ...": the kinds as bits; the
 * program is a path from / on. Blanks part words; nothing is quoted. false: it is
 * not such a row. */
bool exec_row_parse(struct slice row, unsigned *kinds, struct slice *command);
#endif
