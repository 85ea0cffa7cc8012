/* REGISTER and keepalive of a device. */
#include "tools/load/load.h"

#include <stdio.h>

struct source *load_source_of(struct load *l, uint32_t device)
{
    return &l->source[device % l->o.sources];
}

void load_write_id(struct writer *w, const struct load *l, uint32_t device)
{
    writer_slice_put(w, slice_head(slice_str(l->o.server_id), 10));
    writer_str(w, "132");
    writer_u64_pad(w, l->o.first + device, 7);
}

static void write_head(struct load *l, struct writer *w, const struct slot *s,
                       const char *method, bool to_server)
{
    const struct load_device *d = &l->device[s->device];
    const char *local = load_source_of(l, s->device)->local;

    writer_f(w, "%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch="
                "z9hG4bK-%u-%u\r\nFrom: <sip:",
             method, l->o.server_id, l->o.realm, l->o.tcp ? "TCP" : "UDP",
             local, (unsigned)(s - l->slot), s->generation);
    load_write_id(w, l, s->device);
    writer_f(w, "@%s>;tag=8363%u\r\nTo: <sip:", l->o.realm, s->device);
    if (to_server)
        writer_str(w, l->o.server_id);
    else
        load_write_id(w, l, s->device);
    /* one Call-ID for all registrations of a device, RFC 3261 §10.2 */
    writer_f(w, "@%s>\r\nCall-ID: %c%u@%s\r\nCSeq: %u %s\r\n"
                "Max-Forwards: 70\r\nUser-Agent: sipload\r\n",
             l->o.realm, to_server ? 'm' : 'r', s->device, local, d->cseq,
             method);
}

static void write_authorization(struct load *l, struct writer *w,
                                uint32_t device)
{
    struct load_device *d = &l->device[device];
    char id[24], uri[128], nc[12], hex[SIP_DIGEST_HEX];
    struct writer wid = writer_of(id, sizeof(id));
    struct sip_credentials c = { .alg = SIP_DIGEST_MD5 };
    size_t n;

    load_write_id(&wid, l, device);
    snprintf(uri, sizeof(uri), "sip:%s@%s", l->o.server_id, l->o.realm);
    c.nonce = slice_of(d->nonce, d->nonce_len);
    c.uri = slice_str(uri);
    if (d->qop) {
        snprintf(nc, sizeof(nc), "%08x", ++d->nc);
        c.qop = SLICE("auth");
        c.cnonce = SLICE("0a4f113b");
        c.nc = slice_str(nc);
    }
    n = sip_digest_compute(&c, SLICE("REGISTER"), &d->ha1, hex);
    writer_f(w, "Authorization: Digest username=\"%.*s\", realm=\"%s\", "
                "nonce=\"%.*s\", uri=\"%s\", response=\"%.*s\", algorithm=MD5",
             SLICE_ARG(writer_slice(&wid)), l->o.realm, SLICE_ARG(c.nonce), uri,
             (int)n, hex);
    if (d->qop)
        writer_f(w, ", qop=auth, nc=%s, cnonce=\"%.*s\"", nc,
                 SLICE_ARG(c.cnonce));
    writer_str(w, "\r\n");
}

void load_write_register(struct load *l, struct slot *s, struct writer *w)
{
    write_head(l, w, s, "REGISTER", false);
    writer_str(w, "Contact: <sip:");
    load_write_id(w, l, s->device);
    writer_f(w, "@%s>\r\n", load_source_of(l, s->device)->local);
    if (s->authorized)
        write_authorization(l, w, s->device);
    writer_f(w, "Expires: %u\r\nContent-Length: 0\r\n\r\n", l->o.expires_s);
}

void load_write_keepalive(struct load *l, struct slot *s, struct writer *w)
{
    char text[256];
    struct writer body = writer_of(text, sizeof(text));

    writer_f(&body, "<?xml version=\"1.0\" encoding=\"GB2312\" ?>\r\n<Notify>"
                    "\r\n<CmdType>Keepalive</CmdType>\r\n<SN>%u</SN>\r\n"
                    "<DeviceID>",
             l->device[s->device].cseq);
    load_write_id(&body, l, s->device);
    writer_str(&body, "</DeviceID>\r\n<Status>OK</Status>\r\n</Notify>\r\n");
    write_head(l, w, s, "MESSAGE", true);
    writer_f(w, "Content-Type: Application/MANSCDP+xml\r\n"
                "Content-Length: %zu\r\n\r\n", body.len);
    writer_slice_put(w, writer_slice(&body));
}
