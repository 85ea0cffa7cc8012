#include "app/platform/chinese_int.h"

#define GOT_MAX 8  /* '%' of a row */
#define DEPTH_MAX 4 /* texts inside texts */

/* The first row that fits counts: what is longer stands before what it begins
 * with. tools/chinese.py looks that every sentence of app/platform is there. */
static const struct chinese_row *const tables[] = {
    chinese_deviation, chinese_http, chinese_device,  chinese_session,
    chinese_voice,     chinese_job,  chinese_answer, chinese_request,
};

/* The text is the row's, with anything where that has '%'. Each piece of the row
 * is taken where it comes first, the last one at the end. */
static bool fits(const char *row, struct slice text, struct slice *got)
{
    struct slice rest = slice_str(row), piece;
    bool more = slice_cut(&rest, '%', &piece);

    if (!slice_has_prefix(text, piece))
        return false;
    if (!more)
        return text.n == piece.n;
    text = slice_from(text, piece.n);
    for (; more; got++) {
        size_t at;

        more = slice_cut(&rest, '%', &piece);
        if (!more) {
            if (text.n < piece.n)
                return false;
            at = text.n - piece.n;
            *got = slice_head(text, at);
            return slice_eq(slice_from(text, at), piece);
        }
        at = slice_find_slice(text, piece);
        if (at == text.n && piece.n)
            return false;
        *got = slice_head(text, at);
        text = slice_from(text, at + piece.n);
    }
    return true;
}

static const struct chinese_row *find(struct slice english, struct slice *got)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct chinese_row *r = tables[i]; r->english; r++)
            if ((*r->english == '%' || *r->english == *english.p) &&
                fits(r->english, english, got))
                return r;
    return NULL;
}

static bool put(struct writer *w, struct slice english, unsigned depth)
{
    struct slice got[GOT_MAX];
    const struct chinese_row *row = english.n ? find(english, got) : NULL;

    if (!row)
        return false;
    for (const char *s = row->chinese; *s; s++) {
        if (*s != '%') {
            writer_char(w, *s);
            continue;
        }
        s++;
        if (depth == DEPTH_MAX || !put(w, got[*s - '1'], depth + 1))
            writer_slice_put(w, got[*s - '1']);
    }
    return true;
}

bool chinese_write(struct writer *w, struct slice english)
{
    return put(w, english, 1);
}

struct slice chinese_of(char buf[static CHINESE_MAX], struct slice english)
{
    struct writer w = writer_of(buf, CHINESE_MAX);

    return chinese_write(&w, english) && !w.err ? writer_slice(&w)
                                                : slice_of(NULL, 0);
}
