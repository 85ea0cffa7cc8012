/* Character sets: whatever the bytes are, decoding gives UTF-8 within its
 * bound, and that survives the way to GB 18030 and back, and to UTF-8: all but
 * the six private characters that have no code in GB 18030. */
#include "fuzz/fuzz.h"

#include "manscdp/text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_IN 4096

static bool has_a_codeless(struct slice text)
{
    static const struct slice codeless[] = {
        SLICE_INIT("\xee\xa0\x96"), SLICE_INIT("\xee\xa0\x97"),
        SLICE_INIT("\xee\xa0\x98"), SLICE_INIT("\xee\xa0\xb1"),
        SLICE_INIT("\xee\xa0\xbb"), SLICE_INIT("\xee\xa1\x95"),
    };

    for (size_t i = 0; i < sizeof(codeless) / sizeof(codeless[0]); i++)
        if (memmem(text.p, text.n, codeless[i].p, codeless[i].n))
            return true;
    return false;
}

static void there_and_back(struct slice text, enum manscdp_charset via)
{
    static char wire[4 * MAX_IN], back[8 * MAX_IN];
    struct writer w = writer_of(wire, MANSCDP_TEXT_ENCODED_MAX(text.n));
    struct writer v = writer_of(back, sizeof(back));

    manscdp_text_encode(&w, text, via);
    require(!w.err);
    manscdp_text_decode(&v, writer_slice(&w), via);
    require(!v.err);
    if (via == MANSCDP_GB18030 && has_a_codeless(text))
        return;
    if (via != MANSCDP_GB2312 && !slice_has_prefix(text, SLICE("\xef\xbb\xbf")))
        require(slice_eq(writer_slice(&v), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[2 * MAX_IN + 8];
    struct slice in = slice_of((const char *)data, size);
    size_t room = MANSCDP_TEXT_DECODED_MAX(size);

    if (size > MAX_IN)
        return 0;
    for (unsigned how = 0; how < 5; how++) {
        struct writer w = writer_of(text, room);

        if (how == 3)
            manscdp_text_decode_mixed(&w, in);
        else if (how == 4)
            manscdp_text_decode_wide(&w, in);
        else
            manscdp_text_decode(&w, in,
                                how == 0   ? MANSCDP_UTF8
                                : how == 1 ? MANSCDP_GB18030
                                           : manscdp_text_detect(in));
        require(!w.err && manscdp_text_is_utf8(writer_slice(&w)));
        there_and_back(writer_slice(&w), MANSCDP_GB18030);
        there_and_back(writer_slice(&w), MANSCDP_UTF8);
        there_and_back(writer_slice(&w), MANSCDP_GB2312);
    }
    return 0;
}
