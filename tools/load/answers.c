/* What a camera with one channel answers. */
#include "tools/load/load.h"

#include <stdio.h>
#include <string.h>

/* 200 to any request: the lines that every answer repeats. */
static void answer_ok(const struct load *l, const struct source *src,
                      struct slice bytes)
{
    static const char *const names[] = { "Via:", "From:", "Call-ID:", "CSeq:" };
    char text[2048];
    struct writer w = writer_of(text, sizeof(text));
    struct slice line;

    writer_str(&w, "SIP/2.0 200 OK\r\n");
    while (slice_cut(&bytes, '\n', &line) && line.n > 1) {
        for (size_t i = 0; i < 4; i++)
            if (slice_has_iprefix(line, slice_str(names[i])))
                writer_f(&w, "%.*s\n", SLICE_ARG(line));
        if (slice_has_iprefix(line, SLICE("To:")))
            writer_f(&w, "%.*s;tag=load\r\n", SLICE_ARG(slice_trim(line)));
    }
    writer_str(&w, "Content-Length: 0\r\n\r\n");
    load_send(l, src, &w);
}

/* What stands between <name> and the next '<'. */
static struct slice element(struct slice xml, const char *name)
{
    char tag[24];
    size_t at;

    snprintf(tag, sizeof(tag), "<%s>", name);
    at = slice_find_slice(xml, slice_str(tag));
    xml = slice_from(xml, at + strlen(tag));
    return slice_head(xml, slice_find(xml, '<'));
}

static void write_answer_body(struct writer *w, struct slice cmd,
                              struct slice sn, struct slice id)
{
    writer_f(w, "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<Response>\r\n"
                "<CmdType>%.*s</CmdType>\r\n<SN>%.*s</SN>\r\n"
                "<DeviceID>%.*s</DeviceID>\r\n",
             SLICE_ARG(cmd), SLICE_ARG(sn), SLICE_ARG(id));
    if (slice_eq(cmd, SLICE("Catalog")))
        writer_f(w, "<SumNum>1</SumNum>\r\n<DeviceList Num=\"1\">\r\n<Item>\r\n"
                    "<DeviceID>%.*s131%.*s</DeviceID>\r\n<Name>Camera 01</Name>"
                    "\r\n<Manufacturer>Load</Manufacturer>\r\n<Model>Load"
                    "</Model>\r\n<Owner>Owner</Owner>\r\n<CivilCode>340200"
                    "</CivilCode>\r\n<Address>Address</Address>\r\n<Parental>0"
                    "</Parental>\r\n<ParentID>%.*s</ParentID>\r\n<RegisterWay>1"
                    "</RegisterWay>\r\n<Secrecy>0</Secrecy>\r\n<Status>ON"
                    "</Status>\r\n</Item>\r\n</DeviceList>\r\n",
                 SLICE_ARG(slice_head(id, 10)), SLICE_ARG(slice_from(id, 13)),
                 SLICE_ARG(id));
    else
        writer_str(w, "<Result>OK</Result>\r\n<DeviceName>Camera</DeviceName>"
                      "\r\n<Manufacturer>Load</Manufacturer>\r\n<Model>Load"
                      "</Model>\r\n<Firmware>1.0</Firmware>\r\n<Channel>1"
                      "</Channel>\r\n");
    writer_str(w, "</Response>\r\n");
}

/* The Response of a device, once: lost is lost. */
static void answer_query(struct load *l, const struct source *src,
                         struct slice xml)
{
    struct slice cmd = element(xml, "CmdType"), id = element(xml, "DeviceID");
    char text[2048], buf[1200];
    struct writer w = writer_of(text, sizeof(text));
    struct writer body = writer_of(buf, sizeof(buf));

    if (id.n != 20 || (!slice_eq(cmd, SLICE("Catalog")) &&
                       !slice_eq(cmd, SLICE("DeviceInfo"))))
        return;
    write_answer_body(&body, cmd, element(xml, "SN"), id);
    l->answers++;
    writer_f(&w, "MESSAGE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;"
                 "branch=z9hG4bK-q%u\r\nFrom: <sip:%.*s@%s>;tag=q%u\r\n"
                 "To: <sip:%s@%s>\r\nCall-ID: q%u@%s\r\nCSeq: 1 MESSAGE\r\n"
                 "Max-Forwards: 70\r\nUser-Agent: sipload\r\n"
                 "Content-Type: Application/MANSCDP+xml\r\n"
                 "Content-Length: %zu\r\n\r\n",
             l->o.server_id, l->o.realm, l->o.tcp ? "TCP" : "UDP", src->local,
             l->answers, SLICE_ARG(id), l->o.realm, l->answers, l->o.server_id,
             l->o.realm, l->answers, src->local, body.len);
    writer_slice_put(&w, writer_slice(&body));
    load_send(l, src, &w);
}

void load_on_request(struct load *l, const struct source *src,
                       struct slice bytes)
{
    if (slice_has_prefix(bytes, SLICE("ACK ")))
        return;
    l->asked++;
    l->asked_ns = load_now_ns();
    answer_ok(l, src, bytes);
    if (slice_has_prefix(bytes, SLICE("MESSAGE ")))
        answer_query(l, src,
                     slice_from(bytes, slice_find_slice(bytes,
                                                        SLICE("\r\n\r\n"))));
}
