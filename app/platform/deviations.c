#include "app/platform/deviations.h"

#include "app/platform/core.h"

const char *deviation_text(enum deviation v)
{
    static const char *const texts[DEVIATION_COUNT] = {
#define X(id, text) text,
        DEVIATION_MAP(X)
#undef X
    };

    return texts[v];
}

void device_deviation_of(struct platform *p, struct device *d,
                         enum deviation v, struct slice detail,
                         const struct gb_addr *peer)
{
    char buf[LOG_TEXT_MAX], addr[GB_ADDR_TEXT_MAX];
    struct about *about = device_about_own(p, d);

    if (!about)
        return; /* it will do it again */
    about->deviations++;
    if (about->noted & 1ull << v)
        return;
    about->noted |= 1ull << v;
    platform_log_peer(p, PLATFORM_WARN,
                      "msg=\"%s\" device=%s peer=%s detail=\"%s\"",
                      deviation_text(v), d->id,
                      gb_addr_text(peer, addr), log_text(detail, buf));
}

void device_deviation(struct platform *p, struct device *d, enum deviation v,
                      struct slice detail)
{
    device_deviation_of(p, d, v, detail, &d->peer.remote);
}

void device_deviation_sip(struct platform *p, struct device *d,
                          const struct sip_msg *m)
{
    static const char *const what[] = { /* bits of enum sip_odd */
        "lines end in LF alone",
        "surplus blanks in the start line",
        "Request-URI in brackets",
        "From or To without brackets",
        "branch without z9hG4bK",
        "Content-Length is more than came",
        "Content-Length is less than the body",
        "no Content-Length",
        "bytes behind the body",
        "no Max-Forwards",
        "empty lines before the start line",
        "no Via",
        "a header that cannot be read",
    };
    char text[LOG_TEXT_MAX];
    struct writer w = writer_of(text, sizeof(text));
    unsigned i = 0;

    _Static_assert(1u << (sizeof(what) / sizeof(what[0]) - 1) == SIP_ODD_FAULT,
                   "each bit has its words");
    if (!m->odd)
        return;
    while (!(m->odd >> i & 1))
        i++;
    writer_f(&w, "%.*s%s: %s", SLICE_ARG(slice_head(m->method_name, 20)),
             m->is_request ? "" : " answered", what[i]);
    device_deviation(p, d, DEVIATION_ODD_SIP, writer_slice(&w));
}
