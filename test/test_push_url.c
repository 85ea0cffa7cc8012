#include "test/support.h"

#include "app/media/push_url.h"

static void urls(void **state)
{
    static const struct {
        struct slice text;
        int err;
        bool rtmp;
        const char *host;
        unsigned port;
        const char *user, *password, *app, *key, *masked;
    } cases[] = {
        { S("rtsp://h/live/1"), 0, false, "h", 554, "", "", "", "",
          "rtsp://h/live/1" },
        { S("RTSP://u:p@h:8554/x"), 0, false, "h", 8554, "u", "p", "", "",
          "rtsp://u:***@h:8554/x" },
        { S("rtsp://u:p@ss:w@h/x"), 0, false, "h", 554, "u", "p@ss:w", "", "",
          "rtsp://u:***@h/x" },
        { S("rtsp://u@h/x"), 0, false, "h", 554, "u", "", "", "",
          "rtsp://u@h/x" },
        { S("rtmp://[2001:db8::1]:19350/app/key?a=b/c"), 0, true,
          "2001:db8::1", 19350, "", "", "app", "key?a=b/c",
          "rtmp://[2001:db8::1]:19350/app/key?a=b/c" },
        { S("rtmp://h/app/key"), 0, true, "h", 1935, "", "", "app", "key",
          "rtmp://h/app/key" },
        { S("rtmps://h/app/key"), 0, true, "h", 443, "", "", "app", "key",
          "rtmps://h/app/key" },
        { S("RTSPS://u:p@h/x"), 0, false, "h", 322, "u", "p", "", "",
          "rtsps://u:***@h/x" },
        { S("rtspx://h/x"), GB_ESYNTAX, false, "", 0, "", "", "", "", "" },
        { S("rtmp://u:p@h/app/key"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtmp://h/app"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtmp://h/app/"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtmp://h//key"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtsp://h"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtsp:///x"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtsp://h:0/x"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtsp://h:65536/x"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtsp://h:/x"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtsp://[::1/x"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtsp://[::1]5/x"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtsp://h/a b"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("rtsp://h/a\r\nb"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S("http://h/x"), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
        { S(""), GB_ESYNTAX, false, "", 0, "", "", "", "",
          "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct push_url u;
        char text[PUSH_URL_MAX];
        struct writer w = writer_of(text, sizeof(text));
        int err = push_url_parse(&u, guarded(cases[i].text));

        if (err != cases[i].err)
            fail_msg("%.*s: %d", SLICE_ARG(cases[i].text), err);
        push_url_mask(&w, cases[i].text);
        if (err) {
            assert_int_equal(w.len, 0);
            continue;
        }
        assert_int_equal(u.rtmp, cases[i].rtmp);
        assert_int_equal(u.tls, cases[i].masked[4] == 's');
        assert_int_equal(u.port, cases[i].port);
        expect_slice(u.host, cases[i].host);
        expect_slice(u.user, cases[i].user);
        expect_slice(u.password, cases[i].password);
        expect_slice(u.app, cases[i].app);
        expect_slice(u.key, cases[i].key);
        expect_slice(writer_slice(&w), cases[i].masked);
    }
}

static void too_long(void **state)
{
    char text[PUSH_URL_MAX + 1], *at = text + 11;
    struct push_url u;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "rtsp://h/", 9);
    assert_int_equal(push_url_parse(&u, slice_of(text, PUSH_URL_MAX)), 0);
    assert_int_equal(push_url_parse(&u, slice_of(text, sizeof(text))),
                     GB_ESYNTAX);
    memcpy(text, "rtsp://u:", 9);
    memcpy(at - 2 + PUSH_PASSWORD_MAX, "@h/x", 4);
    assert_int_equal(push_url_parse(&u, slice_of(text, 100)), 0);
    assert_int_equal(u.password.n, PUSH_PASSWORD_MAX);
    memcpy(at - 2 + PUSH_PASSWORD_MAX, "a@h/x", 5);
    assert_int_equal(push_url_parse(&u, slice_of(text, 100)), GB_ESYNTAX);
}

static void apart_and_joined(void **state)
{
    static const struct slice urls[] = {
        S("rtsp://u:p:@w@h:1/x"), S("rtsp://u@h/x"), S("rtsp://h/x"),
        S("rtsp://:p@h/x"), S("rtmp://h/app/key"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        char bare[PUSH_URL_MAX], whole[PUSH_URL_MAX];
        struct writer b = writer_of(bare, sizeof(bare));
        struct writer w = writer_of(whole, sizeof(whole));
        struct push_url u;

        assert_int_equal(push_url_parse(&u, urls[i]), 0);
        push_url_write(&b, &u, slice_of(NULL, 0));
        assert_int_equal(slice_find_slice(writer_slice(&b), SLICE("p:@w")),
                         b.len);
        push_url_write(&w, &u, u.password);
        assert_true(slice_eq(writer_slice(&w), urls[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(too_long),
        cmocka_unit_test(apart_and_joined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
