#include "app/http/picture.h"

#define JPEG_HEAD slice_of("\xff\xd8\xff", 3)
#define JPEG_TAIL slice_of("\xff\xd9", 2)
#define PNG_HEAD slice_of("\x89PNG\r\n\x1a\n", 8)
#define PNG_TAIL slice_of("IEND\xae\x42\x60\x82", 8)
#define BOUNDARY_MAX 70 /* RFC 2046 §5.1.1 */
#define PADDING_MAX 64 /* bytes behind the end that some write */

static bool ends_with(struct slice s, struct slice tail)
{
    size_t from = s.n > tail.n + PADDING_MAX ? s.n - tail.n - PADDING_MAX : 0;

    s = slice_from(s, from);
    return slice_find_slice(s, tail) < s.n;
}

static bool is_picture(struct slice s, enum picture_kind *kind)
{
    if (slice_has_prefix(s, JPEG_HEAD)) {
        *kind = PICTURE_JPEG;
        return ends_with(slice_from(s, 3), JPEG_TAIL);
    }
    *kind = PICTURE_PNG;
    return slice_has_prefix(s, PNG_HEAD) && ends_with(s, PNG_TAIL);
}

/* The value of boundary=, without its quotes. */
static struct slice boundary_of(struct slice type)
{
    size_t at = slice_find_slice(type, SLICE("boundary="));
    struct slice b = slice_from(type, at + 9);

    if (at >= type.n)
        return SLICE("");
    if (b.n && b.p[0] == '"') {
        b = slice_from(b, 1);
        return slice_head(b, slice_find(b, '"'));
    }
    return slice_trim(slice_head(b, slice_find(b, ';')));
}

/* What lies behind the empty line of a part, up to the line of the next. */
static int find_part(struct slice body, struct slice boundary,
                     enum picture_kind *kind, struct slice *out)
{
    while (body.n) {
        size_t at = slice_find_slice(body, boundary);
        struct slice part = slice_from(body, at + boundary.n);
        size_t end = slice_find_slice(part, boundary);
        size_t head = slice_find_slice(slice_head(part, end),
                                       SLICE("\r\n\r\n"));

        if (at >= body.n)
            break;
        body = part;
        if (head + 4 > end)
            continue;
        part = slice_from(slice_head(part, end), head + 4);
        if (part.n >= 4 && part.p[part.n - 1] == '-') /* "\r\n--" */
            part = slice_head(part, part.n - 4);
        if (is_picture(part, kind)) {
            *out = part;
            return 0;
        }
    }
    return GB_EUNSUPPORTED;
}

int picture_find(struct slice body, struct slice content_type,
                 enum picture_kind *kind, struct slice *out)
{
    struct slice boundary;

    if (is_picture(body, kind)) {
        *out = body;
        return 0;
    }
    if (!slice_has_iprefix(content_type, SLICE("multipart/")))
        return GB_EUNSUPPORTED;
    boundary = boundary_of(content_type);
    return boundary.n && boundary.n <= BOUNDARY_MAX
               ? find_part(body, boundary, kind, out)
               : GB_EUNSUPPORTED;
}

void picture_channel(struct writer *w, struct slice channel)
{
    for (size_t i = 0; i < channel.n; i++) {
        char c = ascii_lower(channel.p[i]);

        writer_char(w, ascii_is_digit(c) || (c >= 'a' && c <= 'z')
                           ? channel.p[i]
                           : '_');
    }
}
