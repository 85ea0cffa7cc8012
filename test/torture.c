#include "test/torture.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/frame.h"
#include "sip/msg.h"

#define DIR "test/data/sip/torture/"

const struct torture_case torture_cases[] = {
    { "wsinv", 0, 0, { 481, 481, 0 }, { 481, 481, 0 } },
    { "wsinv-lf", 0, 0, { 481, 481, 0 }, { 481, 481, 0 } },
    { "intmeth", 0, 0, { 501, 501, 0 }, { 501, 501, 0 } },
    { "esc01", 0, 0, { 200, 200, 0 }, { 403, 403, 0 } }, /* escaped: no id */
    { "escnull", 0, 0, { 200, 200, 0 }, { 403, 403, 0 } }, /* likewise */
    { "esc02", 0, 0, { 501, 501, 0 }, { 501, 501, 0 } },
    { "lwsdisp", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "longreq", 0, 0, { 200, 200, 0 }, { 404, 404, 0 } },
    /* the INVITE behind is of nobody */
    { "dblreq", 0, 0, { 200, 200, 200 }, { 401, 401, 403 } },
    { "semiuri", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "transports", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    /* no part that we read */
    { "mpart01", 0, 0, { 200, 200, 0 }, { 415, 415, 0 } },
    { "mpart-xml", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "unreason", 0, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    { "noreason", 0, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    { "noreason-nosp", 0, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    /* read; who is that? */
    { "badinv01", 0, 0, { 200, 200, 0 }, { 404, 404, 0 } },
    /* a stream waits for the rest */
    { "clerr", GB_ERANGE, 400, { 400, 0, 0 }, { 400, 0, 0 } },
    { "clerr-xml-closed", 0, 0, { 200, 0, 0 }, { 200, 0, 0 } }, /* likewise */
    /* likewise */
    { "clerr-xml-open", GB_ERANGE, 400, { 400, 0, 0 }, { 400, 0, 0 } },
    /* a stream ends where it says */
    { "clsmall-xml", 0, 0, { 200, 200, 0 }, { 200, 400, 0 } },
    { "clsmall-text", 0, 0, { 200, 200, 0 }, { 415, 415, 0 } }, /* not XML */
    { "clspaces", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "nolength-udp", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "ncl", GB_ERANGE, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "scalar02", GB_ERANGE, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "scalar02-maxfwd", GB_ERANGE, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "scalar02-expires", 0, 0, { 200, 200, 0 }, { 401, 401, 0 } },
    { "scalarlg", GB_ERANGE, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    { "quotbal", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ltgtruri", 0, 0, { 200, 200, 0 }, { 404, 404, 0 } },
    { "lwsruri", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "lwsstart", 0, 0, { 200, 200, 0 }, { 404, 404, 0 } },
    { "trws", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "escruri", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "baddate", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    /* the registrar refuses its Contact */
    { "regbadct", 0, 0, { 200, 200, 0 }, { 400, 400, 0 } },
    { "badaspec", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "baddn", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "badvers", GB_EUNSUPPORTED, 505, { 505, 505, 0 }, { 505, 505, 0 } },
    { "lowvers", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "mismatch01", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "mismatch02", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "bigcode", GB_ERANGE, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    { "badbranch", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "insuf", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "insuf-novia", GB_ESYNTAX, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    { "unkscm", GB_EUNSUPPORTED, 416, { 416, 416, 0 }, { 416, 416, 0 } },
    { "novelsc", GB_EUNSUPPORTED, 416, { 416, 416, 0 }, { 416, 416, 0 } },
    { "unksm2", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "bext01", 0, 0, { 420, 420, 0 }, { 420, 420, 0 } },
    { "invut", 0, 0, { 415, 415, 0 }, { 415, 415, 0 } }, /* not SDP */
    { "regaut01", 0, 0, { 200, 200, 0 }, { 401, 401, 0 } },
    { "multi01", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "twice-cseq", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "twice-call-id", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "twice-to", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "twice-from", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "twice-max-forwards", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "mcl01", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "mcl01-equal", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "bcast", 0, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    { "zeromf", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "cparam01", 0, 0, { 200, 200, 0 }, { 401, 401, 0 } },
    { "cparam02", 0, 0, { 200, 200, 0 }, { 401, 401, 0 } },
    { "regescrt", 0, 0, { 200, 200, 0 }, { 401, 401, 0 } },
    { "sdp01", 0, 0, { 406, 406, 0 }, { 406, 406, 0 } }, /* accepts no SDP */
    /* no Content-Length: answered, then closed */
    { "inv2543", 0, 0, { 200, 400, 0 }, { 404, 400, 0 } },
    { "ipv6-good", 0, 0, { 200, 200, 0 }, { 401, 401, 0 } },
    { "ipv6-bad", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "port-ambiguous", 0, 0, { 200, 200, 0 }, { 401, 401, 0 } },
    { "port-unambiguous", 0, 0, { 200, 200, 0 }, { 401, 401, 0 } },
    /* BYE of nothing: see stack_refuse.c */
    { "via-received-param-with-delim", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "via-received-param-no-delim", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "ipv6-in-sdp", 0, 0, { 200, 200, 0 }, { 404, 404, 0 } },
    /* BYE of nothing: see stack_refuse.c */
    { "mult-ip-in-header", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "mult-ip-in-sdp", 0, 0, { 200, 200, 0 }, { 404, 404, 0 } },
    { "ipv4-mapped-ipv6", 0, 0, { 200, 200, 0 }, { 404, 404, 0 } },
    { "ipv6-bug-abnf-3-colons", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ipv6-correct-abnf-2-colons", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "ipv6-any", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "ipv6-loopback", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "ipv6-upper", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "ipv6-zone", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ipv6-nine-groups", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ipv6-two-gaps", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ipv6-five-digits", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ipv6-no-bracket", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ipv6-empty-port", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ipv6-port-zero", GB_ERANGE, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ipv6-port-large", GB_ERANGE, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "ipv6-port-letter", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "fold-first", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "bare-cr", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "nocolon", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "toomany", GB_ELIMIT, 513, { 513, 513, 0 }, { 513, 513, 0 } },
    { "uritoolong", GB_ELIMIT, 414, { 414, 414, 0 }, { 414, 414, 0 } },
    { "bodytoolarge", GB_ELIMIT, 413, { 413, 413, 0 }, { 413, 413, 0 } },
    { "ack-broken", GB_ESYNTAX, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    { "star-to", GB_ESYNTAX, 400, { 400, 400, 0 }, { 400, 400, 0 } },
    { "leading-crlf", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "http", GB_ESYNTAX, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    { "keepalive", GB_ENOENT, 0, { 0, 0, 0 }, { 0, 0, 0 } },
    { "wvp-branch", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
    { "nospace", 0, 0, { 200, 200, 0 }, { 200, 200, 0 } },
};

const size_t torture_n_cases = COUNT(torture_cases);

struct slice torture_load(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), DIR "%s.sip", name);
    return read_file(path);
}

void torture_let_go(struct slice s)
{
    free((void *)(uintptr_t)s.p);
}

static void count_one(void *ctx, const char *path, struct slice bytes)
{
    (void)path;
    (void)bytes;
    ++*(size_t *)ctx;
}

size_t torture_n_files(void)
{
    size_t files = 0;

    each_file(DIR, ".sip", count_one, &files);
    return files;
}

void torture_expect_datagram(const char *name,
                             const struct torture_expect *want,
                             const struct torture_answers *a)
{
    if (a->status[0] != want->datagram || a->n > 1)
        fail_msg("%s: %zu answers, %u", name, a->n, a->status[0]);
}

void torture_expect_stream(const char *name, const struct torture_expect *want,
                           size_t cut_at, const struct torture_answers *a)
{
    if (a->status[0] != want->stream || a->status[1] != want->second ||
        a->n > 2)
        fail_msg("%s cut at %zu: %zu answers, %u %u", name, cut_at, a->n,
                 a->status[0], a->status[1]);
}

/* It is well formed only where what it repeats is. */
void torture_read(struct slice written)
{
    static struct sip_msg m;

    (void)sip_msg_parse(&m, guarded(written), SIP_STREAM, NULL);
}

void torture_note(struct torture_answers *a, struct slice answer)
{
    uint32_t status = 0;

    assert_true(a->n < TORTURE_MAX_ANSWERS);
    assert_true(slice_has_prefix(answer, SLICE("SIP/2.0 ")));
    assert_true(slice_u32(slice_head(slice_from(answer, 8), 3), 699, &status));
    a->status[a->n++] = status;
    torture_read(answer);
}

/* Takes out of the stream what is whole. false: it was closed. */
static bool cut_out(struct sip_frame *f, struct slice in, size_t *used,
                    torture_fn *fn, struct torture_answers *a)
{
    struct sip_cut cut;

    for (;;) {
        int err = sip_frame_next(f, slice_from(in, *used), &cut);

        *used += cut.used;
        if (err == GB_EAGAIN)
            return true;
        if (cut.bytes.n && (err || cut.kind == SIP_CUT_MESSAGE))
            fn(cut.bytes, a);
        if (err)
            return false;
    }
}

void torture_stream(struct slice in, size_t at, torture_fn *fn,
                    struct torture_answers *a)
{
    struct sip_frame f;
    size_t used = 0;

    sip_frame_init(&f);
    if (cut_out(&f, slice_head(in, at), &used, fn, a))
        cut_out(&f, in, &used, fn, a);
}
