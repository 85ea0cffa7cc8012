/* The body of an upload: what is found lies inside it and is a picture by
 * itself. The first byte is the length of the Content-Type in front. */
#include "app/http/picture.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size), type, body, got, again;
    enum picture_kind kind, same;

    if (!size)
        return 0;
    type = slice_head(slice_from(in, 1), data[0]);
    body = slice_from(in, 1 + type.n);
    if (picture_find(body, type, &kind, &got))
        return 0;
    if (!got.n || got.p < body.p || got.p + got.n > body.p + body.n ||
        picture_find(got, SLICE(""), &same, &again) || same != kind ||
        again.n != got.n)
        abort();
    return 0;
}
