/* A URI that is accepted equals itself, its user survives decoding and
 * writing, and inside brackets it is read the same. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "sip/addr.h"

#define ROOM 65536

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char user[ROOM], again[ROOM], text[4 * ROOM];
    struct slice in = { (const char *)data, size }, plain, back;
    struct writer w = writer_of(text, sizeof(text));
    struct sip_uri u, v;
    struct sip_addr a;

    if (size > 8000 || sip_uri_parse(&u, in, NULL))
        return 0;
    must(sip_uri_eq(&u, &u));
    sip_addr_write(&w, in, SLICE("t"));
    must(w.err == 0);
    must(sip_addr_parse(&a, writer_slice(&w), NULL) == 0);
    must(slice_eq(a.uri.text, in) && slice_eq(a.tag, SLICE("t")));
    must(sip_uri_eq(&a.uri, &u));
    if (u.scheme == SIP_SCHEME_OTHER || u.user.n == 0)
        return 0;
    must(sip_uri_user(&u, user, sizeof(user), &plain));
    w = writer_of(text, sizeof(text));
    sip_uri_write(&w, plain, u.host);
    must(sip_uri_parse(&v, writer_slice(&w), NULL) == 0);
    must(sip_uri_user(&v, again, sizeof(again), &back));
    must(slice_eq(plain, back) && slice_eq(u.host, v.host));
    return 0;
}
