/* app/sandbox.h - what the process gives up for good, before its threads start
 *
 * Another user than root, and a filter that refuses the system calls that this
 * program never makes: what breaks in cannot start a program with them. */
#ifndef APP_SANDBOX_H
#define APP_SANDBOX_H

#include "app/why.h"
#include "base/err.h"

#include <stdbool.h>

/* Becomes `user` (a name or a number), who is given the data directory with all
 * in it that root owns; made when it is not there. Of root's capabilities the
 * one to bind ports below 1024 stays. Nothing happens when it is `user` that
 * runs the process.
 *
 * 0; GB_ENOENT: there is no such user; GB_ESTATE: not started as root, or refused;
 * GB_EIO: no data directory can be there.
 * *why tells a person. */
int sandbox_become(const char *user, const char *data_dir, char why[static WHY_MAX]);

/* Refuses, with EPERM, to run programs, to fork, to trace, to mount, to load
 * code into the kernel and the like; threads and all else go on. Nothing that
 * is started later gets more rights than the process has. programs: those may
 * be run, and are behind the same filter.
 *
 * 0; GB_EUNSUPPORTED: not on this machine, or not in this build (*why). */
int sandbox_filter(bool programs, char why[static WHY_MAX]);
#endif
