#include "sip/tally.h"

#include "base/scan.h"

static const uint16_t status_of[SIP_TALLY_CODES] = {
#define X(code, text) [SIP_TALLY_##code] = code,
    SIP_STATUS_MAP(X)
#undef X
};

static enum sip_tally_code code_of(unsigned status)
{
    switch (status) {
    case 0:
        return SIP_TALLY_REQUEST;
#define X(code, text)                                                          \
    case code:                                                                 \
        return SIP_TALLY_##code;
        SIP_STATUS_MAP(X)
#undef X
    default: /* the classes are all listed; 1xx is 183 */
        return code_of(status < 200   ? 183
                       : status < 700 ? status / 100 * 100
                                      : 600);
    }
}

void sip_tally_add(struct sip_tally *t, enum sip_tally_way way,
                   enum sip_method method, unsigned status)
{
    t->n[way][method < SIP_METHOD_COUNT ? method : SIP_METHOD_OTHER]
        [code_of(status)]++;
}

static enum sip_method word_of(struct slice s, char end)
{
    return sip_method_lookup(slice_head(s, scan_char(s.p, s.n, end)));
}

/* The method behind "CSeq: 7 "; OTHER when there is none. */
static enum sip_method cseq_method(struct slice bytes)
{
    size_t n;

    while ((n = scan_char(bytes.p, bytes.n, '\n')) < bytes.n) {
        bytes = slice_from(bytes, n + 1);
        if (bytes.n < 6 || memcmp(bytes.p, "CSeq: ", 6) != 0)
            continue;
        bytes = slice_from(bytes, 6);
        return word_of(slice_from(bytes, scan_char(bytes.p, bytes.n, ' ') + 1),
                       '\r');
    }
    return SIP_METHOD_OTHER;
}

void sip_tally_written(struct sip_tally *t, struct slice bytes)
{
    uint32_t status = 0;

    if (!slice_has_prefix(bytes, SLICE("SIP/2.0 "))) {
        sip_tally_add(t, SIP_TALLY_OUT, word_of(bytes, ' '), 0);
        return;
    }
    slice_u32(slice_head(slice_from(bytes, 8), 3), 999, &status);
    sip_tally_add(t, SIP_TALLY_OUT, cseq_method(bytes), status);
}

bool sip_tally_next(const struct sip_tally *t, size_t *k,
                    struct sip_tally_row *row)
{
    const size_t per_way = SIP_METHOD_COUNT * SIP_TALLY_CODES;

    for (; *k < SIP_TALLY_WAYS * per_way; ++*k) {
        size_t method = *k % per_way / SIP_TALLY_CODES;
        size_t code = *k % SIP_TALLY_CODES;

        row->n = t->n[*k / per_way][method][code];
        if (!row->n)
            continue;
        row->way = (enum sip_tally_way)(*k / per_way);
        row->method = (enum sip_method)method;
        row->status = status_of[code];
        ++*k;
        return true;
    }
    return false;
}
