/* app/http/picture: bodies as cameras upload them. */
#include "app/http/picture.h"
#include "test/support.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JPEG "\xff\xd8\xff\xe0 picture \xff\xd9"
#define PNG "\x89PNG\r\n\x1a\n....IEND\xae\x42\x60\x82"
#define FORM "multipart/form-data; boundary=x1"

static void bodies(void **state)
{
    static const struct {
        const char *name;
        struct slice body, type;
        int err;
        enum picture_kind kind;
        struct slice want;
    } cases[] = {
        { "raw", S(JPEG), S("image/jpeg"), 0, PICTURE_JPEG, S(JPEG) },
        { "another type", S(JPEG), S("text/plain"), 0, PICTURE_JPEG, S(JPEG) },
        { "png", S(PNG), S(""), 0, PICTURE_PNG, S(PNG) },
        { "bytes behind it", S(JPEG "\r\n"), S(""), 0, PICTURE_JPEG,
          S(JPEG "\r\n") },
        { "a form", S("--x1\r\nContent-Disposition: form-data; name=\"file\"\r\n"
                      "\r\n" JPEG "\r\n--x1--\r\n"), S(FORM), 0, PICTURE_JPEG,
          S(JPEG) },
        { "its second part", S("--x1\r\nA: b\r\n\r\n123\r\n--x1\r\nA: b\r\n\r\n"
                               PNG "\r\n--x1--"), S(FORM), 0, PICTURE_PNG,
          S(PNG) },
        { "quoted boundary", S("--x1\r\n\r\n\r\n" JPEG "\r\n--x1--"),
          S("Multipart/Form-Data; boundary=\"x1\"; a=b"), GB_EUNSUPPORTED, 0,
          { 0 } },
        { "quoted boundary, well", S("--x1\r\nA: b\r\n\r\n" JPEG "\r\n--x1--"),
          S("Multipart/Form-Data; boundary=\"x1\"; a=b"), 0, PICTURE_JPEG,
          S(JPEG) },
        { "a form without end", S("--x1\r\nA: b\r\n\r\n" JPEG), S(FORM), 0,
          PICTURE_JPEG, S(JPEG) },
        { "no boundary", S("--x1\r\n\r\n" JPEG "\r\n--x1--"),
          S("multipart/form-data"), GB_EUNSUPPORTED, 0, { 0 } },
        { "cut", S("\xff\xd8\xff\xe0 pict"), S(""), GB_EUNSUPPORTED, 0, { 0 } },
        { "nothing", S(""), S("image/jpeg"), GB_EUNSUPPORTED, 0, { 0 } },
        { "a page", S("<html>\xff\xd8\xff\xd9"), S("image/jpeg"),
          GB_EUNSUPPORTED, 0, { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum picture_kind kind;
        struct slice got = { NULL, 0 };
        int err = picture_find(guarded(cases[i].body), guarded(cases[i].type),
                               &kind, &got);

        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
        if (!err && (kind != cases[i].kind || !slice_eq(got, cases[i].want)))
            fail_msg("%s: %zu bytes", cases[i].name, got.n);
    }
}

/* A prefix is no picture, and never read past. */
static void prefixes(void **state)
{
    static const struct slice form =
        S("--x1\r\nA: b\r\n\r\n" JPEG "\r\n--x1--\r\n");

    (void)state;
    for (size_t n = 0; n < form.n; n++) {
        enum picture_kind kind;
        struct slice got;

        if (!picture_find(guarded(slice_head(form, n)), SLICE(FORM), &kind,
                          &got))
            assert_true(n >= form.n - 10 - 2 && got.n >= sizeof(JPEG) - 1);
    }
}

/* A hostile form of many empty parts is read once, not once a part. */
static double seconds_of(size_t n)
{
    char *body = malloc(n);
    enum picture_kind kind;
    struct slice got;
    clock_t begin;

    assert_non_null(body);
    for (size_t i = 0; i < n; i++)
        body[i] = i % 2 ? '\r' : 'a';
    begin = clock();
    assert_int_equal(picture_find(slice_of(body, n),
                                  SLICE("multipart/form-data; boundary=a"),
                                  &kind, &got),
                     GB_EUNSUPPORTED);
    free(body);
    return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

static void many_parts(void **state)
{
    (void)state;
    assert_true(seconds_of(4u << 20) < 5); /* it would be hours */
}

static void a_channel_names_no_directory(void **state)
{
    char text[64];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    picture_channel(&w, SLICE("../..\\etc/passwd\x01:34Zz"));
    assert_true(slice_eq(writer_slice(&w), SLICE("______etc_passwd__34Zz")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(many_parts),
        cmocka_unit_test(a_channel_names_no_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
