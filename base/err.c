#include "base/err.h"

const char *gb_strerror(int err)
{
    switch (err) {
    case GB_OK:
        return "ok";
#define X(id, text)                                                            \
    case GB_##id:                                                              \
        return text;
        GB_ERR_MAP(X)
#undef X
    default:
        return "unknown error";
    }
}

int gb_fail(struct gb_diag *diag, int err, size_t off, const char *why)
{
    if (diag) {
        diag->off = off;
        diag->why = why;
    }
    return err;
}
