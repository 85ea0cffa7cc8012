/* app/folder.h - a directory that the daemon writes into, or reads from */
#ifndef APP_FOLDER_H
#define APP_FOLDER_H

#include "app/why.h"

#include <stdbool.h>

/* Makes it (0700) where it is missing; there it has to be a directory that this
 * process can write into. setting: the key that names another one, for the sentence.
 * 0, or GB_EIO with *why: what is the matter, and what to try. */
int folder_make(const char *path, const char *setting, char why[static WHY_MAX]);
/* One that it reads from, and that nobody makes: 0, or GB_ENOENT with *why. */
int folder_look(const char *path, const char *setting, char why[static WHY_MAX]);
/* It is a directory, whether it can be written into or not. */
bool folder_is_there(const char *path);
#endif
