#include "sip/cseq.h"

int sip_cseq_parse(struct sip_cseq *out, struct slice value,
                   struct gb_diag *diag)
{
    struct slice v = slice_trim(value);
    struct sip_cseq c = { 0, SIP_METHOD_OTHER, { NULL, 0 } };
    size_t n = 0;

    while (n < v.n && ascii_is_digit(v.p[n]))
        n++;
    if (n == 0 || n == v.n || !ascii_is_space(v.p[n]))
        return gb_fail(diag, GB_ESYNTAX, n, "number of CSeq");
    if (!slice_u32(slice_head(v, n), SIP_CSEQ_MAX, &c.number))
        return gb_fail(diag, GB_ERANGE, 0, "number of CSeq too large");
    c.method_name = slice_trim(slice_from(v, n));
    if (!sip_is_token(c.method_name))
        return gb_fail(diag, GB_ESYNTAX, n, "method of CSeq");
    c.method = sip_method_lookup(c.method_name);
    *out = c;
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
