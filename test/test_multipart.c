/* sip/multipart: parts by boundary */
#include "test/support.h"

#include "base/writer.h"
#include "sip/msg.h"
#include "sip/multipart.h"

#define TYPE "multipart/mixed;boundary=b1"

/* "type|body" of each part, then how it ended. */
static void describe(struct writer *w, struct slice type, struct slice body)
{
    struct sip_multipart walk;
    struct sip_part part;
    int err = sip_multipart_init(&walk, type, body);

    if (err) {
        writer_str(w, "no");
        return;
    }
    while ((err = sip_multipart_next(&walk, &part)) == 0) {
        writer_char(w, '[');
        writer_slice_put(w, part.type);
        writer_char(w, '|');
        writer_slice_put(w, part.body);
        writer_char(w, ']');
    }
    writer_str(w, err == GB_ENOENT    ? "end"
                  : err == GB_ESYNTAX ? "broken"
                                      : "limit");
}

static void walks(void **state)
{
    static const struct {
        const char *name;
        struct slice type, body;
        const char *want;
    } cases[] = {
        { "two parts", S(TYPE),
          S("--b1\r\nContent-Type: a/b\r\n\r\none\r\n--b1\r\nc: c/d\r\n\r\n"
            "two\r\nlines\r\n--b1--\r\n"),
          "[a/b|one][c/d|two\r\nlines]end" },
        { "no head, no body", S(TYPE), S("--b1\r\n\r\n--b1\r\n\r\n\r\n--b1--"),
          "[|][|]end" },
        { "head alone", S(TYPE), S("--b1\r\nContent-Type: a/b\r\n\r\n--b1--"),
          "[a/b|]end" },
        { "preamble, epilogue, blanks", S(TYPE),
          S("for old readers\r\n--b1 \t\r\n\r\nx\r\n--b1--  \r\nbye --b1\r\n"),
          "[|x]end" },
        { "LF only", S(TYPE), S("--b1\nContent-Type: a/b\n\nx\n--b1--\n"),
          "[a/b|x]end" },
        { "quoted boundary, case, parameters",
          S("Multipart/Related; type=x; BOUNDARY=\"b (1)\""),
          S("--b (1)\r\n\r\nx\r\n--b (1)--"), "[|x]end" },
        { "longer names and other hyphens are text", S(TYPE),
          S("--b1\r\n\r\n--b12\r\n-b1\r\n--b1x--\r\n x--b1\r\n--b1--"),
          "[|--b12\r\n-b1\r\n--b1x--\r\n x--b1]end" },
        { "folded type", S(TYPE),
          S("--b1\r\nContent-Type: a/b;\r\n x=1\r\n\r\nx\r\n--b1--"),
          "[a/b;\r\n x=1|x]end" },
        { "not closed", S(TYPE), S("--b1\r\n\r\nx\r\n--b1\r\n\r\ny\r\n"),
          "[|x]broken" },
        { "head without end", S(TYPE), S("--b1\r\nContent-Type: a\r\n--b1--"),
          "broken" },
        { "bad head", S(TYPE), S("--b1\r\nnonsense\r\n\r\nx\r\n--b1--"),
          "broken" },
        { "closed at once", S(TYPE), S("--b1--\r\n"), "end" },
        { "no delimiter", S(TYPE), S("nothing"), "no" },
        { "empty", S(TYPE), S(""), "no" },
        { "no boundary", S("multipart/mixed"), S("--b1--"), "no" },
        { "empty boundary", S("multipart/mixed;boundary="), S("----"), "no" },
        { "blank at the end of it", S("multipart/mixed;boundary=\"b \""),
          S("--b --"), "no" },
        { "open quote", S("multipart/mixed;boundary=\"b1"), S("--b1--"),
          "no" },
        { "other type", S("text/plain;boundary=b1"), S("--b1--"), "no" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[512];
        struct writer w = writer_of(text, sizeof(text) - 1);

        describe(&w, guarded(cases[i].type), guarded(cases[i].body));
        text[w.len] = '\0';
        if (w.err || strcmp(text, cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].name, text);
    }
}

/* NUL, CR, LF and what looks nearly like a delimiter stay in a body. */
static void binary(void **state)
{
    static const struct slice body = S("--b1\r\nContent-Transfer-Encoding: "
                                       "binary\r\n\r\n\0\r\n\r\n--\n\xff--b1"
                                       "\r\n--b1--");
    static const struct slice want = S("\0\r\n\r\n--\n\xff--b1");
    struct sip_multipart w;
    struct sip_part part;

    (void)state;
    assert_int_equal(sip_multipart_init(&w, SLICE(TYPE), body), 0);
    assert_int_equal(sip_multipart_next(&w, &part), 0);
    assert_true(slice_eq(part.body, want));
    assert_true(slice_eq(part.encoding, SLICE("binary")));
    assert_int_equal(sip_multipart_next(&w, &part), GB_ENOENT);
    assert_int_equal(sip_multipart_next(&w, &part), GB_ENOENT);
}

static void limits(void **state)
{
    char text[1024], type[128];
    struct writer w = writer_of(text, sizeof(text));
    struct sip_part part;

    (void)state;
    for (unsigned i = 0; i <= SIP_MAX_PARTS; i++)
        writer_str(&w, "--b1\r\n\r\nx\r\n");
    writer_str(&w, "--b1--");
    assert_int_equal(sip_multipart_find(SLICE(TYPE), writer_slice(&w),
                                        SIP_CONTENT_SDP, &part), GB_ELIMIT);
    for (unsigned n = SIP_MAX_BOUNDARY; n <= SIP_MAX_BOUNDARY + 1; n++) {
        struct sip_multipart walk;
        struct writer t = writer_of(type, sizeof(type));

        w = writer_of(text, sizeof(text));
        writer_str(&t, "multipart/mixed;boundary=");
        writer_str(&w, "--");
        for (unsigned i = 0; i < n; i++) {
            writer_char(&t, 'a');
            writer_char(&w, 'a');
        }
        writer_str(&w, "--");
        assert_int_equal(sip_multipart_init(&walk, writer_slice(&t),
                                            writer_slice(&w)),
                         n > SIP_MAX_BOUNDARY ? GB_ESYNTAX : 0);
    }
}

static void finds(void **state)
{
    static const struct slice body =
        S("--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
          "--b1\r\nContent-Type: Application/MANSCDP+xml\r\n"
          "Content-Transfer-Encoding: base64\r\n\r\nPD94bWw=\r\n"
          "--b1\r\nContent-Type: Application/MANSCDP+xml\r\n\r\n<Notify/>\r\n"
          "--b1--\r\n");
    struct sip_part part;

    (void)state;
    assert_int_equal(sip_multipart_find(SLICE(TYPE), body,
                                        SIP_CONTENT_MANSCDP, &part), 0);
    assert_true(slice_eq(part.body, SLICE("<Notify/>")));
    assert_int_equal(sip_multipart_find(SLICE(TYPE), body, SIP_CONTENT_SDP,
                                        &part), GB_ENOENT);
    /* Every cut: never more than there is, and the XML only when it is all
     * there. */
    for (size_t n = 0; n < body.n; n++) {
        int err = sip_multipart_find(SLICE(TYPE), guarded(slice_head(body, n)),
                                     SIP_CONTENT_MANSCDP, &part);

        if (err == 0)
            assert_true(slice_eq(part.body, SLICE("<Notify/>")));
        else
            assert_int_equal(err, GB_ESYNTAX);
    }
}

static void torture(void *ctx, const char *path, struct slice bytes)
{
    static struct sip_msg m;
    struct sip_multipart w;
    struct sip_part part;

    if (!strstr(path, "mpart01"))
        return;
    assert_int_equal(sip_msg_parse(&m, bytes, SIP_DATAGRAM, NULL), 0);
    assert_int_equal(sip_multipart_init(&w,
                                        sip_msg_value(&m,
                                                      SIP_HDR_CONTENT_TYPE),
                                        m.body), 0);
    assert_int_equal(sip_multipart_next(&w, &part), 0);
    assert_true(slice_eq(part.type, SLICE("text/plain")));
    assert_int_equal(sip_multipart_next(&w, &part), 0);
    assert_true(slice_find(part.body, '\0') < part.body.n);
    assert_int_equal(sip_multipart_next(&w, &part), GB_ENOENT);
    ++*(unsigned *)ctx;
}

static void mpart01(void **state)
{
    unsigned found = 0;

    (void)state;
    each_file("test/data/sip/torture", ".sip", torture, &found);
    assert_int_equal(found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks),  cmocka_unit_test(binary),
        cmocka_unit_test(limits), cmocka_unit_test(finds),
        cmocka_unit_test(mpart01),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
