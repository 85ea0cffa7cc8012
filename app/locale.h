/* app/locale.h - the language of whoever has started this process */
#ifndef APP_LOCALE_H
#define APP_LOCALE_H

#include <stdbool.h>

/* The first of LC_ALL, LC_MESSAGES and LANG that says something begins with "zh":
 * help, and what is told at the start, is Chinese then. The log stays as it is. */
bool locale_is_chinese(void);
#endif
