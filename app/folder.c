#include "app/folder.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What to try; "" where the error says it all. */
static const char *advice(int error)
{
    switch (error) {
    case ENOENT:
        return ": the directory above it is missing, make it";
    case ENOTDIR:
        return ": something above it is a file";
    case EACCES:
    case EPERM:
        return ": give it to the user that gb28181d runs as";
    case EROFS:
        return ": mount it for writing";
    case ENOSPC:
    case EDQUOT:
        return ": make room there";
    default:
        return "";
    }
}

static int refuse(const char *path, const char *what, int error,
                  const char *setting, char why[static WHY_MAX])
{
    snprintf(why, WHY_MAX, "%.250s: %s: %s%s, or name another directory (%s)",
             path, what, strerror(error), advice(error), setting);
    return GB_EIO;
}

int folder_make(const char *path, const char *setting, char why[static WHY_MAX])
{
    struct stat st;

    if (mkdir(path, 0700) && errno != EEXIST)
        return refuse(path, "cannot be made", errno, setting, why);
    if (stat(path, &st))
        return refuse(path, "cannot be read", errno, setting, why);
    if (!S_ISDIR(st.st_mode)) {
        snprintf(why, WHY_MAX, "%.250s: a file is where a directory has to be: "
                               "move it away, or name another directory (%s)",
                 path, setting);
        return GB_EIO;
    }
    if (access(path, W_OK | X_OK))
        return refuse(path, "cannot be written into", errno, setting, why);
    return 0;
}

int folder_look(const char *path, const char *setting, char why[static WHY_MAX])
{
    const char *what = NULL;

    if (!folder_is_there(path))
        what = "there is no such directory";
    else if (access(path, R_OK | X_OK))
        what = "this user may not read it";
    if (!what)
        return 0;
    snprintf(why, WHY_MAX, "%.250s: %s: see to it, or name another one (%s)", path,
             what, setting);
    return GB_ENOENT;
}

bool folder_is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
