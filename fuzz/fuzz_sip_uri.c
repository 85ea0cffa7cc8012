/* A URI that is accepted equals itself, its user survives decoding and
 * writing, and inside brackets it is read the same. "SIP:" is no plain form
 * (sip/plain.h) and means what "sip:" means. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "sip/addr.h"

#define ROOM 65536

static void other_case(struct slice in)
{
    static char other[ROOM];
    struct slice out = { other, in.n };
    struct sip_uri u, v;
    struct gb_diag d = { 0, "" }, e = { 0, "" };
    int err;

    if (!slice_has_prefix(in, SLICE("sip:")))
        return;
    memcpy(other, in.p, in.n);
    memcpy(other, "SIP", 3);
    err = sip_uri_parse(&u, in, &d);
    require(err == sip_uri_parse(&v, out, &e) && d.off == e.off);
    require(err || (slice_eq(u.user, v.user) && slice_eq(u.host, v.host) &&
                 slice_eq(u.params, v.params) && u.port == v.port &&
                 slice_eq(u.headers, v.headers) &&
                 slice_eq(u.password, v.password)));
}

/* Two URIs, a blank between them: equal both ways or neither. */
static void two(struct slice in)
{
    struct sip_uri u, v;
    struct slice first;

    if (slice_cut(&in, ' ', &first) && !sip_uri_parse(&u, first, NULL) &&
        !sip_uri_parse(&v, in, NULL))
        require(sip_uri_eq(&u, &v) == sip_uri_eq(&v, &u));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char user[ROOM], again[ROOM], text[4 * ROOM];
    struct slice in = { (const char *)data, size }, plain, back;
    struct writer w = writer_of(text, sizeof(text));
    struct sip_uri u, v;
    struct gb_addr at;
    struct sip_addr a;

    if (size > 8000)
        return 0;
    other_case(in);
    two(in);
    if (sip_uri_parse(&u, in, NULL))
        return 0;
    require(sip_uri_eq(&u, &u));
    sip_addr_write(&w, in, SLICE("t"));
    require(w.err == 0);
    require(sip_addr_parse(&a, writer_slice(&w), NULL) == 0);
    require(slice_eq(a.uri.text, in) && slice_eq(a.tag, SLICE("t")));
    require(sip_uri_eq(&a.uri, &u));
    if (sip_uri_addr(&u, 5060, &at) == 0)
        require(at.port == (u.port ? u.port : 5060));
    require(!sip_uri_is_loose(&u) || u.params.n);
    require(u.scheme == SIP_SCHEME_TEL ? sip_uri_number(&u).n > 0
                                    : sip_uri_number(&u).n == 0);
    if (!sip_uri_is_sip(&u) || u.user.n == 0)
        return 0;
    require(sip_uri_user(&u, user, sizeof(user), &plain));
    w = writer_of(text, sizeof(text));
    sip_uri_write(&w, plain, u.host);
    require(sip_uri_parse(&v, writer_slice(&w), NULL) == 0);
    require(sip_uri_user(&v, again, sizeof(again), &back));
    require(slice_eq(plain, back) && slice_eq(u.host, v.host));
    return 0;
}
