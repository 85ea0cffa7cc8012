#include "sip/cseq.h"

int sip_cseq_parse(struct sip_cseq *out, struct slice value,
                   struct gb_diag *diag)
{
    struct slice v = slice_trim(value);
    struct slice name;
    enum sip_method method;
    uint64_t number = 0;
    size_t n = 0;

    for (; n < v.n && ascii_is_digit(v.p[n]); n++)
        if (number <= UINT32_MAX)
            number = number * 10 + (uint64_t)(v.p[n] - '0');
    if (n == 0 || n == v.n || !ascii_is_space(v.p[n]))
        return gb_fail(diag, GB_ESYNTAX, n, "number of CSeq");
    if (number > UINT32_MAX)
        return gb_fail(diag, GB_ERANGE, 0, "number of CSeq too large");
    name = slice_trim(slice_of(v.p + n + 1, v.n - n - 1));
    method = sip_method_lookup(name);
    if (method == SIP_METHOD_OTHER && !sip_is_token(name))
        return gb_fail(diag, GB_ESYNTAX, n, "method of CSeq");
    *out = (struct sip_cseq){ (uint32_t)number, method, name };
    return 0;
}

void sip_cseq_write(struct writer *w, const struct sip_cseq *cseq)
{
    struct slice name = cseq->method ? sip_method_name(cseq->method)
                                     : cseq->method_name;

    if (!sip_is_token(name)) {
        if (!w->err)
            w->err = GB_ESYNTAX;
        return;
    }
    writer_str(w, "CSeq: ");
    writer_u64(w, cseq->number);
    writer_char(w, ' ');
    writer_slice_put(w, name);
    writer_str(w, "\r\n");
}
