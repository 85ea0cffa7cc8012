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

static void inside(struct slice s)
{
    require(s.n == 0 || (s.p >= all.p && s.p + s.n <= all.p + all.n));
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
    require(sip_via_parse(&back, writer_slice(&w), NULL) == 0);
    require(v.port == back.port && slice_eq(v.host, back.host));
    require(!v.has_rport || (back.rport == 5060 && back.received.n));
}

static void cseq(struct slice in)
{
    struct writer w = writer_of(text, sizeof(text));
    struct sip_cseq c, back;

    if (sip_cseq_parse(&c, in, NULL))
        return;
    sip_cseq_write(&w, &c);
    require(w.err == 0 && w.len > 8);
    require(sip_cseq_parse(&back, slice_of(text + 6, w.len - 8), NULL) == 0);
    require(c.number == back.number &&
         slice_eq(c.method_name, back.method_name));
}

/* A nonce of ours is good for him it was made for, then stale; any other is
 * foreign. */
static void nonce(struct slice theirs, struct slice whom)
{
    static const uint8_t secret[SIP_NONCE_KEY] = "0123456789abcde";
    struct sip_nonce_key key;
    char made[SIP_NONCE_LEN];
    struct slice ours = { made, sizeof(made) };
    uint64_t stamp = 0;

    sip_nonce_key_init(&key, secret);
    require(sip_nonce_check(theirs, &key, whom, 100000, 300, &stamp) ==
         SIP_NONCE_FOREIGN);
    sip_nonce_make(made, &key, whom, 100000, 7);
    require(sip_nonce_check(ours, &key, whom, 100300, 300, &stamp) ==
             SIP_NONCE_GOOD &&
         stamp == (UINT64_C(100000) << 16 | 7));
    require(sip_nonce_check(ours, &key, whom, 100301, 300, NULL) ==
         SIP_NONCE_STALE);
    require(sip_nonce_check(ours, &key, SLICE("another"), 100000, 300, NULL) ==
             SIP_NONCE_FOREIGN ||
         slice_eq(whom, SLICE("another")));
    made[SIP_NONCE_LEN - 1] ^= 1;
    require(sip_nonce_check(ours, &key, whom, 100000, 300, NULL) ==
         SIP_NONCE_FOREIGN);
}

static void credentials(struct slice in)
{
    uint8_t raw[SIP_HA1_RAW];
    struct sip_credentials c;
    struct sip_ha1 ha1, back;
    uint32_t nc;

    if (sip_credentials_parse(&c, in))
        return;
    inside(c.username);
    inside(c.response);
    nonce(c.nonce, c.username);
    require(!sip_nc_parse(c.nc, &nc) || nc > 0);
    sip_ha1_make(&ha1, c.alg, c.username, c.realm, SLICE("12345678"));
    (void)sip_digest_check(&c, SLICE("REGISTER"), &ha1);
    if (c.alg == SIP_DIGEST_OTHER)
        return;
    sip_ha1_pack(raw, &ha1);
    sip_ha1_unpack(&back, c.alg, raw);
    require(back.n == ha1.n && memcmp(back.hex, ha1.hex, ha1.n) == 0);
    require(sip_digest_by_word(sip_digest_name(c.alg)) == c.alg);
}

/* Without what ends a line, which is left out on writing. */
static bool is_writable(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
            return false;
    return true;
}

static void challenge_again(const struct sip_challenge *c)
{
    struct writer w = writer_of(text, sizeof(text));
    struct sip_challenge back;

    sip_challenge_write(&w, c->alg, c->realm, c->nonce, c->qop_auth, c->stale);
    if (c->alg == SIP_DIGEST_OTHER || w.err)
        return;
    require(sip_challenge_parse(&back, writer_slice(&w)) == 0);
    require(back.alg == c->alg && slice_eq(back.realm, c->realm) &&
         slice_eq(back.nonce, c->nonce) && back.qop_auth == c->qop_auth &&
         back.stale == c->stale);
}

/* The other side's proof, where qop asks for one, is what we check. */
static void proof(const struct sip_challenge *c, const struct sip_answer *a,
                  const struct sip_credentials *r, const struct sip_ha1 *ha1)
{
    static char info[4096];
    struct writer w = writer_of(info, sizeof(info));
    struct sip_auth_info i;

    if (sip_auth_info_write(&w, r, ha1, SLICE("next")))
        return;
    sip_auth_info_parse(&i, writer_slice(&w));
    require(slice_eq(i.nextnonce, SLICE("next")) && i.rspauth.n == ha1->n);
    require(sip_auth_info_check(&i, c, a));
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
        !is_writable(c.nonce))
        return;
    challenge_again(&c);
    if (sip_answer_write(&w, &c, &answer))
        return;
    require(sip_credentials_parse(&r, writer_slice(&w)) == 0);
    sip_ha1_make(&ha1, r.alg, answer.username, c.realm, answer.password);
    require(sip_digest_check(&r, answer.method, &ha1));
    proof(&c, &answer, &r, &ha1);
}

/* "Authentication-Info" of anybody: slices of it, and no proof of his. */
static void auth_info(struct slice in)
{
    const struct sip_challenge c = { .alg = SIP_DIGEST_MD5, .qop_auth = true,
                                     .realm = SLICE_INIT("r"),
                                     .nonce = SLICE_INIT("n") };
    const struct sip_answer a = { .cnonce = SLICE_INIT("0a4f113b"), .nc = 1 };
    struct sip_auth_info i;

    sip_auth_info_parse(&i, in);
    inside(i.nextnonce);
    inside(i.rspauth);
    inside(i.nc);
    require(sip_auth_info_check(&i, &c, &a) == (i.rspauth.n == 0));
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
    require(sip_date_parse(writer_slice(&w), SIP_BEIJING_S, &back) == 0);
    require(ms == back);
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
            require(!sip_contact_q(&a, &q) || q <= 1000);
        }
    }
}

static void subject_again(const struct sip_subject *s)
{
    struct writer w = writer_of(text, sizeof(text));
    struct sip_subject back;

    if (!is_writable(s->sender) || !is_writable(s->sender_seq) ||
        !is_writable(s->receiver) || !is_writable(s->receiver_seq))
        return;
    sip_subject_write(&w, s);
    require(w.err == 0);
    sip_subject_parse(&back, writer_slice(&w));
    require(slice_eq(s->sender, back.sender) &&
         slice_eq(s->sender_seq, back.sender_seq) &&
         slice_eq(s->receiver, back.receiver) &&
         slice_eq(s->receiver_seq, back.receiver_seq));
}

static void others(struct slice in)
{
    struct sip_subject s;
    struct sip_event_value e;
    struct sip_subscription_state st;
    struct sip_retry_after after;
    struct sip_ctype c;
    uint32_t n;
    size_t from = 0, end = 0;

    sip_subject_parse(&s, in);
    inside(s.receiver_seq);
    subject_again(&s);
    (void)sip_content_of_type(in);
    if (sip_event_parse(&e, in) == 0)
        inside(e.id);
    if (sip_subscription_state_parse(&st, in) == 0)
        inside(st.reason);
    if (sip_ctype_parse(&c, in) == 0)
        inside(c.params);
    if (sip_retry_after_read(&after, in) == 0) {
        require(sip_retry_after_parse(in, &n) && n == after.after_s);
        inside(after.comment);
    }
    for (size_t i = 0; i <= in.n && !end; i++)
        end = sip_xml_end_from(slice_head(in, i), &from);
    require(end == sip_xml_end(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct slice) = {
        via, cseq, credentials, challenge, date, addr, others, auth_info,
    };

    if (size == 0 || size > 9000)
        return 0;
    all = slice_of((const char *)data + 1, size - 1);
    kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))](all);
    return 0;
}
