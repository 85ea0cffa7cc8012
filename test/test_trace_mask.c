/* Masking: what goes, what stays, and that no offset moves. */
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/trace/mask.h"

#define HEAD "REGISTER sip:a@b SIP/2.0\r\n"

static void masks(void **state)
{
    static const struct {
        const char *name;
        struct slice in, out;
    } cases[] = {
        { "digest",
          S(HEAD "Authorization: Digest username=\"u\", realm=\"r\", "
                 "nonce=\"n\", uri=\"sip:a@b\", response=\"0123abcd\", "
                 "cnonce=\"xy\", nc=00000001\r\n\r\n"),
          S(HEAD "Authorization: Digest username=\"u\", realm=\"r\", "
                 "nonce=\"n\", uri=\"sip:a@b\", response=\"********\", "
                 "cnonce=\"**\", nc=00000001\r\n\r\n") },
        { "proxy, any case, blanks, no quotes",
          S(HEAD "PROXY-Authorization : Digest RESPONSE = abc,nc=1\r\n\r\n"),
          S(HEAD "PROXY-Authorization : Digest RESPONSE = ***,nc=1\r\n\r\n") },
        { "folded",
          S(HEAD "Authorization: Digest username=\"u\",\r\n response=\"abcd\""
                 "\r\nTo: x;response=stay\r\n\r\n"),
          S(HEAD "Authorization: Digest username=\"u\",\r\n response=\"****\""
                 "\r\nTo: x;response=stay\r\n\r\n") },
        { "the quote never ends",
          S(HEAD "Authorization: Digest response=\"abcd\r\n\r\n"),
          S(HEAD "Authorization: Digest response=\"*****\n\r\n") },
        { "a challenge stays",
          S("SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"r\", "
            "nonce=\"n\"\r\n\r\n"),
          S("SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"r\", "
            "nonce=\"n\"\r\n\r\n") },
        { "rspauth",
          S("SIP/2.0 200 OK\r\nAuthentication-Info: rspauth=\"ab\"\r\n\r\n"),
          S("SIP/2.0 200 OK\r\nAuthentication-Info: rspauth=\"**\"\r\n\r\n") },
        { "URI password",
          S("INFO sip:u:secret@h SIP/2.0\r\nTo: <sips:v:w@[::1]:5061>\r\n\r\n"),
          S("INFO sip:u:******@h SIP/2.0\r\nTo: <sips:v:*@[::1]:5061>\r\n\r\n") },
        { "no URI password",
          S("INFO sip:u@h:5060 SIP/2.0\r\nContact: <sip:10.0.0.1:5060>\r\n\r\n"),
          S("INFO sip:u@h:5060 SIP/2.0\r\nContact: <sip:10.0.0.1:5060>\r\n\r\n") },
        { "XML",
          S(HEAD "\r\n<a><Password>p&lt;w</Password><Name>n</Name></a>"),
          S(HEAD "\r\n<a><Password>******</Password><Name>n</Name></a>") },
        { "XML, longer name, attribute, CDATA",
          S(HEAD "\r\n<SIPPassWord a=\"b\"><![CDATA[<x>]]></SIPPassWord>"),
          S(HEAD "\r\n<SIPPassWord a=\"*\">***************</SIPPassWord>") },
        { "XML, empty element and attribute elsewhere",
          S(HEAD "\r\n<Password/><u pwd='1' name='2'/>"),
          S(HEAD "\r\n<Password/><u pwd='*' name='2'/>") },
        { "UTF-16 with a secret, little",
          S(HEAD "\r\n\xff\xfe<\0P\0w\0d\0>\0x\0"),
          S(HEAD "\r\n**************") },
        { "UTF-16 with a secret, big",
          S(HEAD "\r\n\0<\0P\0W\0D\0>\0x"), S(HEAD "\r\n************") },
        { "UTF-16 with a secret, big, and a Chinese letter behind it",
          S(HEAD "\r\n\0<\0P\0W\0D\x5b\x57\0>\0x"),
          S(HEAD "\r\n**************") },
        { "UTF-16 without", S(HEAD "\r\n\xff\xfe<\0P\0w\0>\0x\0"),
          S(HEAD "\r\n\xff\xfe<\0P\0w\0>\0x\0") },
        { "XML that ends early", S(HEAD "\r\n<Password>abc"),
          S(HEAD "\r\n<Password>***") },
        { "key and value", S(HEAD "\r\nuser=a&passwd=b c&x=1"),
          S(HEAD "\r\nuser=a&passwd=* c&x=1") },
        { "no empty line", S("<Password>abc</Password>"),
          S("<Password>***</Password>") },
        { "empty", S(""), S("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t n = cases[i].in.n;
        char *p = malloc(n + 1);

        assert_non_null(p);
        assert_int_equal(n, cases[i].out.n);
        slice_copy(p, n + 1, cases[i].in);
        trace_mask(p, n);
        if (!slice_eq(slice_of(p, n), cases[i].out))
            fail_msg("%s: %.*s", cases[i].name, (int)n, p);
        trace_mask(p, n); /* again: the same */
        assert_true(slice_eq(slice_of(p, n), cases[i].out));
        free(p);
        for (size_t k = 0; k < n; k++) { /* prefixes stay inside */
            p = malloc(k ? k : 1);
            assert_non_null(p);
            if (k)
                memcpy(p, cases[i].in.p, k);
            trace_mask(p, k);
            free(p);
        }
    }
}

/* Whatever comes, bytes only ever become stars. */
static void random_bytes(void **state)
{
    static const char pieces[][16] = { "<Password>", "</", "pwd=", "\"", "\r\n",
                                       "Authorization:", "response=", "sip:",
                                       "@", ":", "x", "\\", " ", "\r\n\r\n" };
    uint64_t seed = 11;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char p[256], q[256];
        size_t n = 0;

        while (n < 200) {
            const char *s = pieces[test_random(&seed) % COUNT(pieces)];

            memcpy(p + n, s, strlen(s));
            n += strlen(s);
        }
        memcpy(q, p, n);
        trace_mask(p, n);
        for (size_t i = 0; i < n; i++)
            assert_true(p[i] == q[i] || p[i] == '*');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks),
        cmocka_unit_test(random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
