#include "fuzz/platform/sayings.h"

/* ---- MANSCDP ---------------------------------------------------------------- */

struct saying {
    const char *root, *cmd, *inner;
};

/* One without inner has what says_list writes. */
static const struct saying sayings[] = {
    { "Notify", "Keepalive", "<Status>OK</Status>" },
    { "Response", "Catalog", NULL },
    { "Response", "RecordInfo", NULL },
    { "Response", "DeviceInfo",
      "<Result>OK</Result><DeviceName>n</DeviceName><Manufacturer>m"
      "</Manufacturer><Model>o</Model><Firmware>V1</Firmware><Channel>4"
      "</Channel>" },
    { "Response", "DeviceStatus",
      "<Result>OK</Result><Online>ONLINE</Online><Status>OK</Status>"
      "<DeviceTime>2023-11-14T22:13:20</DeviceTime><Alarmstatus Num=\"1\"><Item>"
      "<DeviceID>" SAYS_CHANNEL "1</DeviceID><DutyStatus>ONDUTY</DutyStatus>"
      "</Item></Alarmstatus>" },
    { "Notify", "Alarm",
      "<AlarmPriority>1</AlarmPriority><AlarmMethod>2</AlarmMethod><AlarmTime>"
      "2023-11-14T22:13:20</AlarmTime>" },
    { "Notify", "Alarm",
      "<AlarmPriority>4</AlarmPriority><AlarmMethod>5</AlarmMethod><AlarmTime>"
      "2023-11-14T22:13:21.5</AlarmTime><AlarmDescription>d</AlarmDescription>"
      "<Longitude>121.5</Longitude><Latitude>31.2</Latitude><Info><AlarmType>6"
      "</AlarmType><AlarmTypeParam><EventType>1</EventType></AlarmTypeParam>"
      "</Info>" },
    { "Notify", "MediaStatus", "<NotifyType>121</NotifyType>" },
    { "Notify", "MobilePosition",
      "<Time>2023-11-14T22:13:20</Time><Longitude>121.5</Longitude><Latitude>31.2"
      "</Latitude><Speed>3.5</Speed><Direction>90</Direction><Altitude>4"
      "</Altitude>" },
    { "Notify", "Catalog", NULL },
    { "Response", "Broadcast", "<Result>OK</Result>" },
    { "Response", "Broadcast", "<Result>ERROR</Result><Reason>busy</Reason>" },
    { "Response", "DeviceControl", "<Result>OK</Result>" },
    { "Response", "DeviceControl", "<Result>ERROR</Result>" },
    { "Response", "DeviceConfig", "<Result>OK</Result>" },
    { "Response", "ConfigDownload",
      "<Result>OK</Result><BasicParam><Name>n</Name><Expiration>3600</Expiration>"
      "<HeartBeatInterval>60</HeartBeatInterval><HeartBeatCount>3"
      "</HeartBeatCount></BasicParam>" },
    { "Response", "PresetQuery",
      "<Result>OK</Result><SumNum>2</SumNum><PresetList Num=\"1\"><Item><PresetID>"
      "1</PresetID><PresetName>p</PresetName></Item></PresetList>" },
    { "Response", "HomePosition",
      "<Result>OK</Result><HomePosition><Enabled>1</Enabled><ResetTime>30"
      "</ResetTime><PresetIndex>1</PresetIndex></HomePosition>" },
    { "Response", "CruiseTrackListQuery",
      "<Result>OK</Result><SumNum>1</SumNum><CruiseTrackList Num=\"1\"><CruiseTrack>"
      "<Number>1</Number><Name>t</Name></CruiseTrack></CruiseTrackList>" },
    { "Response", "CruiseTrackQuery",
      "<Result>OK</Result><Number>1</Number><Name>t</Name><SumNum>1</SumNum>"
      "<CruisePointList Num=\"1\"><CruisePoint><PresetIndex>1</PresetIndex>"
      "<StayTime>5</StayTime><Speed>7</Speed></CruisePoint></CruisePointList>" },
    { "Response", "PTZPosition",
      "<Result>OK</Result><Pan>10.5</Pan><Tilt>2</Tilt><Zoom>1</Zoom>" },
    { "Notify", "PTZPosition", "<Pan>11.5</Pan><Tilt>3</Tilt><Zoom>2</Zoom>" },
    { "Response", "SDCardStatus",
      "<Result>OK</Result><SumNum>1</SumNum><SDCardStatusInfo Num=\"1\"><Item><ID>1"
      "</ID><HddName>h</HddName><Status>ok</Status><Capacity>64</Capacity>"
      "<FreeSpace>5</FreeSpace></Item></SDCardStatusInfo>" },
    { "Response", "Alarm", "<Result>OK</Result>" },
    { "Response", "MobilePosition", "<Result>OK</Result>" },
    { "Notify", "UploadSnapShotFinished",
      "<SessionID>" SAYS_SESSION "</SessionID><SnapShotList><SnapShotFileID>f1"
      "</SnapShotFileID></SnapShotList>" },
    { "Notify", "VideoUploadNotify", "<Time>2023-11-14T22:13:20</Time>" },
    { "Notify", "DeviceUpgradeResult",
      "<SessionID>" SAYS_SESSION "</SessionID><UpgradeResult>OK</UpgradeResult>"
      "<Firmware>V2</Firmware>" },
    { "Notify", "DeviceUpgradeResult",
      "<SessionID>" SAYS_SESSION "</SessionID><UpgradeResult>ERROR"
      "</UpgradeResult><UpgradeFailedReason>r</UpgradeFailedReason>" },
    { "Query", "Catalog", "" },
    { "Query", "DeviceInfo", "" },
    { "Control", "DeviceControl", "<GuardCmd>SetGuard</GuardCmd>" },
    { "Notify", "Broadcast",
      "<SourceID>" SAYS_DEVICE "</SourceID><TargetID>" SAYS_SERVER
      "</TargetID>" },
    { "Notify", "Odd", "" },
    { "Response", "Odd", "<Result>OK</Result>" },
};

static void says_catalog_item(struct writer *w, const struct saying *s,
                                     unsigned n, const uint8_t *v)
{
    static const char *const events[] = {
        "ON", "OFF", "VLOST", "DEFECT", "ADD", "DEL", "UPDATE", "?",
    };
    static const char *const more[] = {
        "", "<ParentID>" SAYS_DEVICE "</ParentID>", "<Parental>1</Parental>",
        "<Info><PTZType>1</PTZType><DownloadSpeed>1/2/4</DownloadSpeed></Info>",
        "<Longitude>121.5</Longitude><Latitude>31.2</Latitude>",
        "<Status>OFF</Status>", "<BusinessGroupID>1</BusinessGroupID>",
    };

    writer_f(w, "<Item><DeviceID>" SAYS_CHANNEL "%u</DeviceID>", n % 10);
    if (s->root[0] == 'N')
        writer_f(w, "<Event>%s</Event>", events[v[3] % COUNT_OF(events)]);
    writer_f(w, "<Name>%u</Name>%s</Item>", v[4],
             more[v[5] % COUNT_OF(more)]);
}

static void says_record_item(struct writer *w, unsigned n,
                                    const uint8_t *v)
{
    unsigned at = n * 10 + v[4] % 10;

    writer_f(w,
             "<Item><DeviceID>" SAYS_CHANNEL "1</DeviceID><Name>r</Name>"
             "<StartTime>2023-11-14T22:%02u:00</StartTime><EndTime>"
             "2023-11-14T22:%02u:%02u</EndTime><Type>time</Type></Item>",
             at % 60, (at + v[5] % 20) % 60, v[3] % 60);
}

/* SumNum, and as many items as are said. */
static void says_list(struct writer *w, const struct saying *s,
                             const uint8_t *v)
{
    bool records = s->cmd[0] == 'R';
    const char *list = records ? "RecordList" : "DeviceList";
    unsigned n = v[2] / 16 % 6;

    writer_f(w, "<SumNum>%u</SumNum><%s Num=\"%u\">", v[1] % 8, list, n);
    for (unsigned i = 0; i < n; i++)
        if (records)
            says_record_item(w, i + v[2] % 16, v);
        else
            says_catalog_item(w, s, i + v[2] % 16, v);
    writer_f(w, "</%s>", list);
}

const char *says_who(unsigned n)
{
    static const char *const ids[] = {
        SAYS_DEVICE, SAYS_CHANNEL "1", SAYS_CHANNEL "2", SAYS_SERVER,
        "34020000001180000002", "", "1",
    };

    return ids[n % COUNT_OF(ids)];
}

void says_body(struct writer *w, uint32_t sn, const uint8_t *v,
                             struct slice more)
{
    const struct saying *s = &sayings[v[0] % COUNT_OF(sayings)];

    writer_f(w,
             "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<%s>\r\n<CmdType>%s"
             "</CmdType>\r\n<SN>%u</SN>\r\n<DeviceID>%s</DeviceID>\r\n",
             s->root, s->cmd, (unsigned)sn, says_who(v[6]));
    if (s->inner)
        writer_str(w, s->inner);
    else
        says_list(w, s, v);
    writer_slice_put(w, more);
    writer_f(w, "\r\n</%s>\r\n", s->root);
}

bool says_response_to(struct slice cmd, uint8_t *which)
{
    for (*which = 0; *which < COUNT_OF(sayings); ++*which)
        if (sayings[*which].root[0] == 'R' &&
            slice_eq(slice_str(sayings[*which].cmd), cmd))
            return true;
    return false;
}

/* ---- SDP -------------------------------------------------------------------- */

void says_sdp(struct writer *w, const uint8_t *v, struct slice y,
                            struct slice more)
{
    static const char *const media[] = {
        "m=video 6000 RTP/AVP 96\r\na=rtpmap:96 PS/90000\r\n",
        "m=video 6000 TCP/RTP/AVP 96\r\na=rtpmap:96 PS/90000\r\n",
        "m=video 0 RTP/AVP 96\r\n",
        "m=audio 6002 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n",
        "m=audio 6002 TCP/RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n",
        "m=audio 6002 RTP/AVP 0 8 96\r\na=rtpmap:96 PS/90000\r\n",
        "m=video 6000 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\n",
        "m=audio 0 RTP/AVP 8\r\nm=video 6000 RTP/AVP 96\r\n",
        "",
    };
    static const char *const setup[] = {
        "", "a=setup:active\r\n", "a=setup:passive\r\n",
        "a=setup:active\r\na=connection:new\r\n", "a=setup:actpass\r\n",
    };
    static const char *const further[] = {
        "a=sendonly\r\n", "a=recvonly\r\n", "a=sendrecv\r\n",
        "a=filesize:1000000\r\n", "a=downloadspeed:4\r\n", "a=inactive\r\n",
        "b=AS:1000\r\n",
    };
    static const char *const ip[] = { "192.168.1.10", "10.0.0.1", "0.0.0.0",
                                      "224.0.0.1", "127.0.0.1" };

    writer_f(w,
             "v=0\r\no=%s 0 0 IN IP4 192.168.1.10\r\ns=Play\r\nc=IN IP4 %s\r\n"
             "t=0 0\r\n%s%s%s",
             says_who(v[3] / 8), ip[v[3] % COUNT_OF(ip)],
             media[v[0] % COUNT_OF(media)], setup[v[1] % COUNT_OF(setup)],
             further[v[2] % COUNT_OF(further)]);
    if (y.n)
        writer_f(w, "y=%.*s\r\n", SLICE_ARG(y));
    writer_slice_put(w, more);
}

/* ---- SIP -------------------------------------------------------------------- */

static void says_rest(struct writer *w, unsigned parts,
                             const char *type, struct slice body)
{
    if (!(parts & SAYS_NO_CONTACT))
        writer_str(w, "Contact: <sip:" SAYS_DEVICE "@192.168.1.10:5060>\r\n");
    if (parts & SAYS_WAIT)
        writer_str(w, "Retry-After: 5\r\n");
    if (parts & SAYS_VERSION)
        writer_str(w, "X-GB-Ver: 3.0\r\n");
    if (parts & SAYS_ROUTE)
        writer_str(w, "Record-Route: <sip:192.168.1.9;lr>\r\n");
    if (body.n)
        writer_f(w, "Content-Type: %s\r\n", type);
    writer_f(w, "Content-Length: %zu\r\n\r\n", body.n);
    writer_slice_put(w, body);
}

void says_answer(struct writer *w, const struct sip_msg *to,
                               unsigned status, unsigned parts, int expires,
                               const char *type, struct slice body)
{
    writer_f(w, "SIP/2.0 %u Said\r\n", status);
    for (const struct sip_field *f = sip_msg_field(to, SIP_HDR_VIA); f;
         f = sip_field_next(to, f))
        writer_f(w, "Via: %.*s\r\n", SLICE_ARG(f->value));
    writer_f(w, "From: %.*s\r\nTo: %.*s", SLICE_ARG(to->from.text),
             SLICE_ARG(to->to.text));
    if (!to->to.tag.n && !(parts & SAYS_NO_TAG))
        writer_f(w, ";tag=d%u", parts & SAYS_OTHER_TAG ? 2u : 1u);
    writer_f(w, "\r\nCall-ID: %.*s\r\nCSeq: %u %.*s\r\n",
             SLICE_ARG(to->call_id),
             (unsigned)to->cseq.number + (parts & SAYS_WRONG_CSEQ ? 1 : 0),
             SLICE_ARG(to->method_name));
    if (parts & SAYS_CHALLENGE)
        writer_str(w, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
    if (expires >= 0)
        writer_f(w, "Expires: %d\r\n", expires);
    says_rest(w, parts, type, body);
}

void says_request(struct writer *w, const struct says_request *q)
{
    writer_f(w,
             "%s sip:" SAYS_SERVER "@" SAYS_REALM " SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 192.168.1.10:5060;rport;branch=z9hG4bKd%u\r\n",
             q->method, q->branch);
    if (q->from_text.n)
        writer_f(w, "From: %.*s", SLICE_ARG(q->from_text));
    else
        writer_f(w, "From: <sip:%s@" SAYS_REALM ">", q->from);
    if (slice_find_slice(q->from_text, SLICE(";tag=")) >= q->from_text.n)
        writer_f(w, ";tag=d%u", q->parts & SAYS_OTHER_TAG ? 2u : 1u);
    if (q->to.n)
        writer_f(w, "\r\nTo: %.*s\r\n", SLICE_ARG(q->to));
    else
        writer_str(w, "\r\nTo: <sip:" SAYS_SERVER "@" SAYS_REALM ">\r\n");
    if (q->call_id.n)
        writer_f(w, "Call-ID: %.*s\r\n", SLICE_ARG(q->call_id));
    else
        writer_f(w, "Call-ID: c%u\r\n", q->call);
    writer_f(w, "CSeq: %u %s\r\nMax-Forwards: 70\r\n%s", q->cseq, q->method,
             q->further);
    says_rest(w, q->parts, q->type, q->body);
}
