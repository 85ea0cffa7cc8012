/* Values of single headers: the first octet chooses which. Slices stay inside
 * the value, and what can be written again reads the same. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "sip/digest.h"
#include "sip/value.h"
#include "sip/xmlend.h"

static struct slice all;
static char text[256 * 1024];

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void inside(struct slice s)
{
    must(s.n == 0 || (s.p >= all.p && s.p + s.n <= all.p + all.n));
}

static void via(struct slice in)
{
    struct gb_addr source = { GB_IPV4, { 192, 0, 2, 1 }, 5060 };
    struct writer w = writer_of(text, sizeof(text));
    struct sip_via v, back;

    if (sip_via_parse(&v, in, NULL))
        return;
    inside(v.branch);
    inside(v.received);
    sip_via_write_echo(&w, &v, &source);
    must(sip_via_parse(&back, writer_slice(&w), NULL) == 0);
    must(v.port == back.port && slice_eq(v.host, back.host));
    must(!v.has_rport || (back.rport == 5060 && back.received.n));
}

static void cseq(struct slice in)
{
    struct writer w = writer_of(text, sizeof(text));
    struct sip_cseq c, back;

    if (sip_cseq_parse(&c, in, NULL))
        return;
    sip_cseq_write(&w, &c);
    must(w.err == 0 && w.len > 8);
    must(sip_cseq_parse(&back, slice_of(text + 6, w.len - 8), NULL) == 0);
    must(c.number == back.number &&
         slice_eq(c.method_name, back.method_name));
}

static void credentials(struct slice in)
{
    struct sip_credentials c;
    struct sip_ha1 ha1;

    if (sip_credentials_parse(&c, in))
        return;
    inside(c.username);
    inside(c.response);
    sip_ha1_make(&ha1, c.alg, c.username, c.realm, SLICE("12345678"));
    (void)sip_digest_check(&c, SLICE("REGISTER"), &ha1);
}

/* Without what ends a line, which is left out on writing. */
static bool is_writable(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
            return false;
    return true;
}

static void challenge(struct slice in)
{
    static const struct sip_answer answer = {
        .username = SLICE_INIT("34020000001320000001"),
        .password = SLICE_INIT("12345678"),
        .method = SLICE_INIT("REGISTER"),
        .uri = SLICE_INIT("sip:34020000002000000001@3402000000"),
        .cnonce = SLICE_INIT("0a4f113b"),
        .nc = 1,
    };
    struct writer w = writer_of(text, sizeof(text));
    struct sip_challenge c;
    struct sip_credentials r;
    struct sip_ha1 ha1;

    if (sip_challenge_parse(&c, in) || !is_writable(c.realm) ||
        !is_writable(c.nonce) || sip_answer_write(&w, &c, &answer))
        return;
    must(sip_credentials_parse(&r, writer_slice(&w)) == 0);
    sip_ha1_make(&ha1, r.alg, answer.username, c.realm, answer.password);
    must(sip_digest_check(&r, answer.method, &ha1));
}

static void date(struct slice in)
{
    struct writer w = writer_of(text, sizeof(text));
    int64_t ms, back;

    if (sip_date_parse(in, SIP_BEIJING_S, &ms) || ms < -SIP_BEIJING_S * 1000)
        return;
    sip_date_write(&w, ms, SIP_BEIJING_S);
    if (ms > INT64_C(253402271999999))
        return; /* year 10000 */
    must(sip_date_parse(writer_slice(&w), SIP_BEIJING_S, &back) == 0);
    must(ms == back);
}

static void addr(struct slice in)
{
    struct slice rest = in, elem;
    struct sip_addr a;
    unsigned q;

    while (sip_list_cut(&rest, &elem)) {
        inside(elem);
        if (sip_addr_parse(&a, elem, NULL) == 0) {
            inside(a.tag);
            inside(a.uri.host);
            must(!sip_contact_q(&a, &q) || q <= 1000);
        }
    }
}

static void others(struct slice in)
{
    struct sip_subject s;
    struct sip_event_value e;
    struct sip_subscription_state st;
    struct sip_ctype c;
    uint32_t n;
    size_t from = 0, end = 0;

    sip_subject_parse(&s, in);
    inside(s.receiver_seq);
    if (sip_event_parse(&e, in) == 0)
        inside(e.id);
    if (sip_subscription_state_parse(&st, in) == 0)
        inside(st.reason);
    if (sip_ctype_parse(&c, in) == 0)
        inside(c.params);
    (void)sip_retry_after_parse(in, &n);
    for (size_t i = 0; i <= in.n && !end; i++)
        end = sip_xml_end_from(slice_head(in, i), &from);
    must(end == sip_xml_end(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct slice) = {
        via, cseq, credentials, challenge, date, addr, others,
    };

    if (size == 0 || size > 9000)
        return 0;
    all = slice_of((const char *)data + 1, size - 1);
    kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))](all);
    return 0;
}
