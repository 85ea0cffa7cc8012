/* sip/cseq */
#include "test/support.h"

#include "sip/cseq.h"

static void values(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        uint32_t number;
        enum sip_method method;
    } cases[] = {
        { "plain", S("1 REGISTER"), 0, 1, SIP_METHOD_REGISTER },
        { "zero", S("0 INVITE"), 0, 0, SIP_METHOD_INVITE },
        { "largest", S("2147483647 BYE"), 0, 2147483647u, SIP_METHOD_BYE },
        { "leading zeros", S("0009 INVITE"), 0, 9, SIP_METHOD_INVITE },
        { "folded", S(" 9\r\n  INVITE "), 0, 9, SIP_METHOD_INVITE },
        { "unknown method", S("5 NEWMETHOD"), 0, 5, SIP_METHOD_OTHER },
        { "largest read", S("4294967295 BYE"), 0, 4294967295u,
          SIP_METHOD_BYE },
        { "zeros beyond ten digits", S("000000000004294967295 BYE"), 0,
          4294967295u, SIP_METHOD_BYE },
        { "too large", S("4294967296 BYE"), GB_ERANGE, 0, 0 },
        { "wraps 32 bits", S("4294967297 BYE"), GB_ERANGE, 0, 0 },
        { "wraps 64 bits", S("36893488147419103232 BYE"), GB_ERANGE, 0, 0 },
        { "no method", S("7"), GB_ESYNTAX, 0, 0 },
        { "no method but blank", S("7 "), GB_ESYNTAX, 0, 0 },
        { "no number", S("BYE"), GB_ESYNTAX, 0, 0 },
        { "no blank", S("7BYE"), GB_ESYNTAX, 0, 0 },
        { "sign", S("-1 BYE"), GB_ESYNTAX, 0, 0 },
        { "hex", S("0x1 BYE"), GB_ESYNTAX, 0, 0 },
        { "two methods", S("1 BYE BYE"), GB_ESYNTAX, 0, 0 },
        { "nothing", S(""), GB_ESYNTAX, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_cseq got = { 0 };
        int err = sip_cseq_parse(&got, guarded(cases[i].in), NULL);

        if (err != cases[i].err || got.number != cases[i].number ||
            got.method != cases[i].method)
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
    }
}

static void writes(void **state)
{
    struct sip_cseq c = { 2147483647u, SIP_METHOD_MESSAGE, S("") }, back;
    char buf[64];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    sip_cseq_write(&w, &c);
    assert_true(slice_eq(writer_slice(&w),
                         SLICE("CSeq: 2147483647 MESSAGE\r\n")));
    assert_int_equal(sip_cseq_parse(&back, slice_of(buf + 6, w.len - 6),
                                    NULL), 0);
    assert_int_equal(back.number, c.number);
    c.method = SIP_METHOD_OTHER;
    c.method_name = SLICE("A\r\nX: y");
    sip_cseq_write(&w, &c);
    assert_int_equal(w.err, GB_ESYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
