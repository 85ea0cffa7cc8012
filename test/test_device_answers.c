/* gbcam's device as the one that is asked and told: bodies in, bodies out,
 * against a server that takes everything. Virtual time. */
#include "test/device_rig.h"

static uint64_t subscribe(uint64_t known, const char *cmd, const char *id,
                          const char *rest, uint32_t expires)
{
    char body[1024];
    struct sip_subscribe q = {
        .r = { .peer = { .local = address(1), .remote = address(2) },
               .expires = expires },
        .event = SLICE("presence"),
    };

    snprintf(body, sizeof(body),
             "<Query><CmdType>%s</CmdType><SN>%u</SN><DeviceID>%s</DeviceID>%s"
             "</Query>", cmd, ++g.sn, id, rest);
    q.r.uri = SLICE("sip:" CAMERA "@192.0.2.2:5060");
    q.r.to = SLICE("sip:" CAMERA "@3402000000");
    q.r.from = SLICE("sip:" SERVER "@3402000000");
    q.r.contact = SLICE("sip:" SERVER "@192.0.2.1:5060");
    q.r.content_type = SLICE(SIP_TYPE_MANSCDP);
    q.r.body = slice_str(body);
    g.n_got = g.n_messages = g.status = 0;
    g.got[0] = '\0';
    assert_int_equal(sip_stack_subscribe(g.server, &q, g.now.mono_ms, &known),
                     0);
    run(1000);
    return known;
}

#define PTZ(hex) "<PTZCmd>" hex "</PTZCmd>"

/* One thing after the other, and what must come back of each. parts: what the
 * answers have, joined by ' '; a '!' before one: not. NULL: no message at all */
struct turn {
    const char *root, *cmd, *id, *rest;
    const char *parts;
    const char *done; /* NULL: whatever */
};

static void play(const struct turn *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct slice rest = slice_str(t[i].parts ? t[i].parts : ""), part;
        char sn[32], text[256];

        tell(t[i].root, t[i].cmd, t[i].id, t[i].rest);
        assert_int_equal(g.status, 200);
        snprintf(sn, sizeof(sn), "<SN>%u</SN>", g.sn);
        if (!t[i].parts != !g.n_messages ||
            (t[i].parts && !slice_eq(rest, SLICE("!")) && !has(sn)))
            fail_msg("%zu: %s %s: %s", i, t[i].cmd, t[i].rest, g.got);
        while (rest.n) {
            slice_cut(&rest, ' ', &part);
            slice_copy(text, sizeof(text), part);
            if (*text == '!' ? text[1] && has(text + 1) : !has(text))
                fail_msg("%zu: %s %s: %s in\n%s", i, t[i].cmd, t[i].rest,
                         text, g.got);
        }
        if (t[i].done && !slice_eq(slice_str(g.done), slice_str(t[i].done)))
            fail_msg("%zu: %s: %s", i, t[i].rest, g.done);
    }
}

#define QUERY(cmd, id, parts) { "Query", cmd, id, "", parts, NULL }
#define ASK(cmd, id, rest, parts) { "Query", cmd, id, rest, parts, NULL }
#define CONTROL(id, rest, parts, done)                                         \
    { "Control", "DeviceControl", id, rest, parts, done }
#define CONFIG(id, rest, parts)                                                \
    { "Control", "DeviceConfig", id, rest, parts, NULL }
#define OK "<Result>OK</Result>"
#define NO "<Result>ERROR</Result>"

static void what_it_is(void **state)
{
    static const struct turn turns[] = {
        QUERY("DeviceInfo", CAMERA,
              OK " <DeviceName>Cam< <Manufacturer>Acme< <Firmware>V1< "
                 "<Channel>2<"),
        QUERY("DeviceInfo", GATE, OK " <DeviceName>大门< <Channel>1<"),
        QUERY("DeviceInfo", "34020000001310009999", NO " !Acme"),
        QUERY("DeviceStatus", CAMERA,
              OK " <Online>ONLINE< <Record>OFF< !Alarmstatus"),
        QUERY("DeviceStatus", "34020000001310009999",
              NO " <Online>OFFLINE< <Status>ERROR<"),
        QUERY("Catalog", CAMERA, "<SumNum>2< " GATE " " YARD),
        QUERY("Catalog", YARD, "<SumNum>1< <Name>Yard< !大门"),
        QUERY("Catalog", "340200", "<SumNum>2< <DeviceID>340200<"),
        QUERY("Catalog", "350200", "<SumNum>0< !Item"),
        QUERY("Catalog", "34020000001310009999", "<SumNum>0< !Item"),
        QUERY("NoSuchQuery", CAMERA, NULL),
    };

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    play(turns, COUNT(turns));
    stop();
}

static void guard_alarm_and_record(void **state)
{
    static const struct turn turns[] = {
        CONTROL(GATE, "<GuardCmd>SetGuard</GuardCmd>", OK, "GuardCmd;"),
        QUERY("DeviceStatus", CAMERA,
              "<Alarmstatus <Item><DeviceID>" GATE
              "</DeviceID><DutyStatus>ONDUTY<"),
        CONTROL(GATE, "<GuardCmd>ResetGuard</GuardCmd>", OK, "GuardCmd;"),
        QUERY("DeviceStatus", GATE, "<DutyStatus>OFFDUTY<"),
        CONTROL(GATE, "<GuardCmd>Dance</GuardCmd>", NO, "!GuardCmd;"),
        CONTROL("34020000001310009999", "<GuardCmd>SetGuard</GuardCmd>", NO,
                "!GuardCmd;"),
        CONTROL(YARD, "<RecordCmd>Record</RecordCmd>", OK, "RecordCmd;"),
        QUERY("DeviceStatus", YARD, "<Record>ON<"),
        CONTROL(YARD, "<RecordCmd>StopRecord</RecordCmd>", OK, "RecordCmd;"),
        QUERY("DeviceStatus", YARD, "<Record>OFF<"),
        ASK("RecordInfo", YARD,
            "<StartTime>2023-11-15T00:00:00</StartTime>"
            "<EndTime>2023-11-15T23:59:59</EndTime><Type>manual</Type>",
            "<SumNum>1< <Type>manual< <StartTime>2023-11-15T06:15:0"),
        CONTROL(CAMERA, "<AlarmCmd>ResetAlarm</AlarmCmd>", OK, "AlarmCmd;"),
        ASK("Alarm", CAMERA, "<AlarmMethod>0</AlarmMethod>", NULL),
    };

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    play(turns, COUNT(turns));
    stop();
}

static void alarms_once_more(void **state)
{
    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    assert_int_equal(device_alarm(g.d, 1, g.now), 0);
    run(100);
    tell("Query", "Alarm", CAMERA, "<AlarmMethod>2/5</AlarmMethod>");
    assert_int_equal(g.n_messages, 1);
    assert_true(has("<Notify>") && has(YARD) && has("<AlarmMethod>5<"));
    tell("Query", "Alarm", CAMERA, "<AlarmMethod>2</AlarmMethod>");
    assert_int_equal(g.n_messages, 0);
    tell("Query", "Alarm", GATE, "");
    assert_int_equal(g.n_messages, 0);
    stop();
}

static void presets_and_tracks(void **state)
{
    static const struct turn turns[] = {
        QUERY("PresetQuery", GATE,
              "<CmdType>PresetQuery< <SumNum>0<"),
        CONTROL(GATE, PTZ("A50F018100010037")
                "<PTZCmdParams><PresetName>door</PresetName></PTZCmdParams>",
                NULL, "PTZCmd;"),
        CONTROL(GATE, PTZ("A50F0181000A0040"), NULL, "PTZCmd;"),
        QUERY("PresetQuery", GATE,
              "<SumNum>2< <PresetID>1</PresetID><PresetName>door< "
              "<PresetID>10<"),
        QUERY("PresetQuery", YARD, "<SumNum>0<"),
        CONTROL(GATE, PTZ("A50F018300010039"), NULL, "PTZCmd;"),
        QUERY("PresetQuery", GATE, "<SumNum>1< !door"),
        CONTROL(GATE, PTZ("A50F018300010039"), NULL, "!PTZCmd;"),
        CONTROL(GATE, PTZ("A50F018400000038"), NULL, "!PTZCmd;"),
        CONTROL(GATE, PTZ("A50F01840103003D")
                "<PTZCmdParams><CruiseTrackName>round</CruiseTrackName>"
                "</PTZCmdParams>", NULL, "PTZCmd;"),
        CONTROL(GATE, PTZ("A50F0187011E005B"), NULL, "PTZCmd;"),
        CONTROL(GATE, PTZ("A50F018601050041"), NULL, "PTZCmd;"),
        QUERY("CruiseTrackListQuery", GATE,
              "<SumNum>1< <Number>1</Number><Name>round<"),
        ASK("CruiseTrackQuery", GATE, "<Number>1</Number>",
            "<SumNum>1< <Number>1< <PresetIndex>3< <StayTime>30< <Speed>5<"),
        ASK("CruiseTrackQuery", GATE, "<Number>7</Number>",
            "<SumNum>0< <Number>7< !CruisePoint"),
        CONTROL(GATE, PTZ("A50F01850100003B"), NULL, "PTZCmd;"),
        QUERY("CruiseTrackListQuery", GATE, "<SumNum>0< !CruiseTrackList>"),
    };

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    play(turns, COUNT(turns));
    stop();
}

static void where_it_looks(void **state)
{
    static const struct turn turns[] = {
        QUERY("PTZPosition", GATE, "<Pan>0.00< <Tilt>0.00< <Zoom>1.00<"),
        CONTROL(GATE, "<PTZPreciseCtrl><Pan>120.5</Pan><Tilt>200</Tilt>"
                "<Zoom>4</Zoom></PTZPreciseCtrl>", NULL, "PTZPreciseCtrl;"),
        QUERY("PTZPosition", GATE, "<Pan>120.50< <Tilt>90.00< <Zoom>4.00<"),
        QUERY("PTZPosition", YARD, "<Pan>0.00<"),
        CONTROL(GATE, "<PTZPreciseCtrl><Pan>180</Pan><Tilt>0</Tilt><Zoom>1"
                "</Zoom></PTZPreciseCtrl>", NULL, NULL),
        CONTROL(GATE, "<DragZoomIn><Length>1920</Length><Width>1080</Width>"
                "<MidPointX>1920</MidPointX><MidPointY>540</MidPointY>"
                "<LengthX>480</LengthX><LengthY>270</LengthY></DragZoomIn>",
                NULL, "DragZoomIn;"),
        QUERY("PTZPosition", GATE, "<Pan>210.00< <Tilt>0.00< <Zoom>4.00<"),
        CONTROL(GATE, "<DragZoomOut><Length>1920</Length><Width>1080</Width>"
                "<MidPointX>960</MidPointX><MidPointY>540</MidPointY>"
                "<LengthX>960</LengthX><LengthY>540</LengthY></DragZoomOut>",
                NULL, "DragZoomOut;"),
        QUERY("PTZPosition", GATE, "<Pan>210.00< <Zoom>2.00<"),
        QUERY("HomePositionQuery", GATE,
              "<CmdType>HomePositionQuery< !<HomePosition>"),
        CONTROL(GATE, "<HomePosition><Enabled>1</Enabled><ResetTime>30"
                "</ResetTime><PresetIndex>7</PresetIndex></HomePosition>", OK,
                "HomePosition;"),
        QUERY("HomePositionQuery", GATE,
              "<Enabled>1< <ResetTime>30< <PresetIndex>7<"),
        CONTROL(GATE, "<HomePosition><Enabled>0</Enabled></HomePosition>", OK,
                NULL),
        QUERY("HomePositionQuery", GATE, "<Enabled>0< !PresetIndex"),
        CONTROL(GATE, "<TargetTrack>Auto</TargetTrack>", NULL,
                "TargetTrack;"),
        CONTROL(GATE, "<TargetTrack>Manual</TargetTrack>", NULL,
                "!TargetTrack;"),
        CONTROL(GATE, "<IFrameCmd>Send</IFrameCmd>", NULL, "IFrameCmd;"),
        CONTROL(GATE, "<IFameCmd>Send</IFameCmd>", NULL, ""),
    };

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    play(turns, COUNT(turns));
    stop();
}

static void cards(void **state)
{
    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    tell("Query", "SDCardStatus", CAMERA, "");
    assert_true(has("<SumNum>2<") && has("<FreeSpace>20480<"));
    assert_int_equal(text_count(g.got, "<Status>ok<"), 2);
    tell("Control", "DeviceControl", CAMERA, "<FormatSDCard>2</FormatSDCard>");
    assert_int_equal(g.n_messages, 0);
    tell("Query", "SDCardStatus", CAMERA, "");
    assert_int_equal(text_count(g.got, "<Status>formatting<"), 1);
    assert_true(has("<FormatProgress>50<"));
    run(2000);
    tell("Query", "SDCardStatus", CAMERA, "");
    assert_int_equal(text_count(g.got, "<Status>ok<"), 2);
    assert_int_equal(text_count(g.got, "<FreeSpace>32768<"), 1);
    tell("Control", "DeviceControl", CAMERA, "<FormatSDCard>3</FormatSDCard>");
    assert_string_equal(g.done, "!FormatSDCard;");
    stop();
}

static void recordings(void **state)
{
#define DAY(type)                                                              \
    "<StartTime>2023-11-14T00:00:00</StartTime>"                               \
    "<EndTime>2023-11-16T00:00:00</EndTime><Secrecy>0</Secrecy>" type
    static const struct turn turns[] = {
        ASK("RecordInfo", GATE, DAY("<Type>all</Type>"),
            "<SumNum>4< <Type>time< <StartTime>2023-11-15T04:00:00< "
            "<EndTime>2023-11-15T05:59:59< <Name>大门<"),
        ASK("RecordInfo", GATE, DAY("<Type>alarm</Type>"),
            "<SumNum>0< !RecordList"),
        ASK("RecordInfo", GATE,
            "<StartTime>2023-11-15T05:10:00</StartTime>"
            "<EndTime>2023-11-15T05:40:00</EndTime>",
            "<SumNum>2< <StartTime>2023-11-15T05:00:00< !T04:30:00 "
            "<EndTime>2023-11-15T05:59:59<"),
        ASK("RecordInfo", GATE,
            "<StartTime>2024-11-15T05:10:00</StartTime>"
            "<EndTime>2024-11-15T05:40:00</EndTime>", "<SumNum>0<"),
        ASK("RecordInfo", "34020000001310009999", DAY(""), "<SumNum>0<"),
    };

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    play(turns, COUNT(turns));
    tell("Query", "RecordInfo", GATE, DAY(""));
    assert_int_equal(g.n_messages, 4); /* one item a message */
    assert_int_equal(text_count(g.got, "<RecordList Num=\"1\">"), 4);
    stop();
#undef DAY
}

static void settings(void **state)
{
    static const struct turn turns[] = {
        ASK("ConfigDownload", CAMERA, "<ConfigType>BasicParam</ConfigType>",
            OK " <Name>Cam< <Expiration>86400< <HeartBeatInterval>60< "
               "<HeartBeatCount>3< !Password"),
        CONFIG(CAMERA, "<BasicParam><Name>South</Name><HeartBeatInterval>30"
               "</HeartBeatInterval></BasicParam>", OK),
        ASK("ConfigDownload", CAMERA, "<ConfigType>BasicParam</ConfigType>",
            "<Name>South< <Expiration>86400< <HeartBeatInterval>30<"),
        QUERY("DeviceInfo", CAMERA, "<DeviceName>South<"),
        CONFIG(GATE, "<OSDConfig><Length>1920</Length><Width>1080</Width>"
               "<TimeX>1</TimeX><TimeY>2</TimeY><Item><Text>门</Text><X>3</X>"
               "<Y>4</Y></Item></OSDConfig>", OK),
        ASK("ConfigDownload", GATE, "<ConfigType>OSDConfig</ConfigType>",
            OK " <Length>1920< <TimeEnable>1< <SumNum>1< <Text>门< <Y>4<"),
        ASK("ConfigDownload", YARD, "<ConfigType>OSDConfig</ConfigType>",
            OK " <Length>640< <SumNum>0<"),
        CONFIG(GATE, "<FrameMirror>2</FrameMirror>", OK),
        ASK("ConfigDownload", GATE, "<ConfigType>FrameMirror</ConfigType>",
            "<FrameMirror>2< !OSDConfig"),
        CONFIG(GATE, "<FrameMirror>9</FrameMirror>", NO),
        CONFIG(GATE, "<VideoParamOpt><Resolution>9</Resolution>"
               "</VideoParamOpt>", NO),
        CONFIG(GATE, "", NO),
        ASK("ConfigDownload", GATE, "<ConfigType>FrameMirror</ConfigType>",
            "<FrameMirror>2<"),
        ASK("ConfigDownload", GATE, "<ConfigType>SnapShotConfig</ConfigType>",
            NO),
        ASK("ConfigDownload", GATE, "<ConfigType>NoSuch</ConfigType>", NO),
        ASK("ConfigDownload", GATE, "<ConfigType>VideoParamOpt</ConfigType>",
            OK " <Resolution>4/5/6<"),
        CONFIG(GATE, "<SnapShotConfig><SnapNum>2</SnapNum><Interval>1"
               "</Interval><UploadURL>http://192.0.2.9/u</UploadURL>"
               "<SessionID>" SESSION "</SessionID></SnapShotConfig>", OK),
        ASK("ConfigDownload", GATE, "<ConfigType>SnapShotConfig</ConfigType>",
            OK " <SnapShot> " SESSION),
    };

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    play(turns, COUNT(turns));
    run(2500); /* the snapshots are taken */
    assert_int_equal(g.uploads, 2);
    assert_false(has("<CmdType>UploadSnapShotFinished<"));
    device_uploaded(g.d, 1, g.now);
    run(500);
    assert_true(has("<CmdType>UploadSnapShotFinished<") && has(SESSION));
    assert_int_equal(text_count(g.got, "<SnapShotFileID>" CAMERA "02"), 1);
    tell("Query", "ConfigDownload", GATE,
         "<ConfigType>BasicParam/VideoParamOpt/FrameMirror/NoSuch"
         "</ConfigType>");
    assert_int_equal(g.n_messages, 4);
    assert_int_equal(text_count(g.got, NO), 1);
    stop();
}

/* Every type can be read in the editions that have it, and in no other. */
static void every_type_of_every_edition(void **state)
{
    static const struct {
        const char *type, *editions;
    } types[] = {
        { "BasicParam", "234" },         { "VideoParamOpt", "234" },
        { "VideoParamConfig", "2" },     { "AudioParamOpt", "2" },
        { "AudioParamConfig", "2" },     { "SVACEncodeConfig", "234" },
        { "SVACDecodeConfig", "234" },   { "VideoParamAttribute", "4" },
        { "VideoRecordPlan", "4" },      { "VideoAlarmRecord", "4" },
        { "PictureMask", "4" },          { "FrameMirror", "4" },
        { "AlarmReport", "4" },          { "OSDConfig", "4" },
    };

    (void)state;
    for (unsigned e = MANSCDP_2011; e < MANSCDP_EDITION_COUNT; e++) {
        start((enum manscdp_edition)e, (struct device_faults){ 0 });
        for (size_t i = 0; i < COUNT(types); i++) {
            struct slice in = slice_str(types[i].editions);
            bool wanted = slice_find(in, (char)('1' + e)) < in.n;
            char rest[128], element[64];

            snprintf(rest, sizeof(rest), "<ConfigType>%s</ConfigType>",
                     types[i].type);
            snprintf(element, sizeof(element), "</%s>", types[i].type);
            tell("Query", "ConfigDownload", GATE, rest);
            if (e == MANSCDP_2011 ? g.n_messages != 0
                                  : has(element) != wanted ||
                                        has(OK) != wanted ||
                                        has(NO) == wanted)
                fail_msg("%s of %u: %s", types[i].type, e, g.got);
        }
        stop();
    }
}

static void editions_spell(void **state)
{
    static const struct {
        enum manscdp_edition edition;
        const char *query, *part, *frame;
    } cases[] = {
        { MANSCDP_2011, "PersetQuery", NULL, "" },
        { MANSCDP_2014, "PersetQuery", "<CmdType>PersetQuery<", "" },
        { MANSCDP_2016, "PresetQuery", "<CmdType>PresetQuery<", "IFameCmd;" },
        { MANSCDP_2022, "PresetQuery", "<SumNum>0<", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        start(cases[i].edition, (struct device_faults){ 0 });
        tell("Query", cases[i].query, GATE, "");
        if (cases[i].part ? !has(cases[i].part) : g.n_messages != 0)
            fail_msg("%zu: %s", i, g.got);
        tell("Control", "DeviceControl", GATE, "<IFameCmd>Send</IFameCmd>");
        assert_string_equal(g.done, cases[i].frame);
        tell("Query", "HomePositionQuery", GATE, "");
        assert_int_equal(g.n_messages, cases[i].edition == MANSCDP_2022);
        stop();
    }
}

static void upgrade_and_restart(void **state)
{
    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    tell("Control", "DeviceControl", CAMERA,
         "<DeviceUpgrade><Firmware>V2</Firmware><FileURL>http://a/f</FileURL>"
         "<Manufacturer>Acme</Manufacturer><SessionID>" SESSION
         "</SessionID></DeviceUpgrade>");
    assert_true(has(OK));
    run(2000);
    assert_false(device_is_online(g.d));
    run(4000);
    assert_true(device_is_online(g.d));
    assert_true(has("<CmdType>DeviceUpgradeResult<") && has(SESSION) &&
                has("<UpgradeResult>OK<") && has("<Firmware>V2<"));
    tell("Query", "DeviceInfo", CAMERA, "");
    assert_true(has("<Firmware>V2<"));
    tell("Control", "DeviceControl", GATE, "<TeleBoot>Boot</TeleBoot>");
    assert_true(device_is_online(g.d)); /* a channel cannot */
    tell("Control", "DeviceControl", CAMERA, "<TeleBoot>Boot</TeleBoot>");
    assert_int_equal(g.n_messages, 0);
    assert_false(device_is_online(g.d));
    run(4000);
    assert_true(device_is_online(g.d));
    stop();
}

static void upgrade_that_fails(void **state)
{
    (void)state;
    start(MANSCDP_2022, (struct device_faults){ .upgrade_fails = true });
    tell("Control", "DeviceControl", CAMERA,
         "<DeviceUpgrade><Firmware>V2</Firmware><FileURL>http://a/f</FileURL>"
         "<Manufacturer>Acme</Manufacturer><SessionID>" SESSION
         "</SessionID></DeviceUpgrade>");
    assert_true(has(OK));
    run(7000);
    assert_true(has("<UpgradeResult>ERROR<") && has("<Firmware>V1<") &&
                has("<UpgradeFailedReason>02<"));
    tell("Query", "DeviceInfo", CAMERA, "");
    assert_true(has("<Firmware>V1<"));
    stop();
}

/* Its loudspeaker is one of its channels, or the device; one at a time. */
static void broadcast_is_answered(void **state)
{
    static const char body[] = "<SourceID>" SERVER "</SourceID><TargetID>" GATE
                               "</TargetID>";

    (void)state;
    start(MANSCDP_2016, (struct device_faults){ 0 });
    tell("Notify", "Broadcast", "",
         "<SourceID>" SERVER "</SourceID><TargetID>34020000001370000077"
         "</TargetID>");
    assert_true(has("<CmdType>Broadcast<") && has(NO) &&
                has("34020000001370000077"));
    tell("Notify", "Broadcast", "", body);
    assert_true(has("<CmdType>Broadcast<") && has(OK) && has(GATE));
    assert_int_equal(g.voice.kind, DEVICE_DO_OPEN);
    assert_int_equal(g.voice.transport, DEVICE_UDP);
    tell("Notify", "Broadcast", "", body);
    assert_true(has(NO)); /* it is about to invite for the first */
    stop();
}

static void faults_of_answers(void **state)
{
    static const struct {
        const char *name;
        struct device_faults f;
        const char *cmd, *rest;
        size_t n_messages;
        const char *parts; /* as above */
    } cases[] = {
        { "mute", { .mute = true }, "DeviceInfo", "", 0, "" },
        { "says-error", { .says_error = true }, "DeviceInfo", "", 1, NO },
        { "says-error: list", { .says_error = true }, "Catalog", "", 1,
          "<SumNum>0<" },
        { "wrong-id", { .wrong_id = true }, "DeviceInfo", "", 1,
          "<DeviceID>" CAMERA "<" },
        { "dup-list", { .dup_list = true }, "RecordInfo",
          "<Type>all</Type>", 8, "" },
        { "short-list", { .short_list = true }, "RecordInfo",
          "<Type>all</Type>", 4, "<SumNum>5<" },
        { "own-sum", { .own_sum = true }, "RecordInfo", "<Type>all</Type>",
          4, "<SumNum>1< !<SumNum>4<" },
        { "one-config", { .one_config = true }, "ConfigDownload",
          "<ConfigType>BasicParam/FrameMirror</ConfigType>", 1,
          "<FrameMirror> <BasicParam>" },
        { "home-alias", { .home_alias = true }, "HomePositionQuery", "", 1,
          "<CmdType>HomePosition<" },
        { "no-result", { .no_result = true }, "DeviceInfo", "", 1,
          "!Result Acme" },
        { "other-edition", { .other_edition = true }, "DeviceInfo", "", 1,
          "<DeviceType> <MaxCamera>" },
        { "other-edition has it not", { .other_edition = true },
          "SDCardStatus", "", 1, "<SumNum>2<" },
        { "says-error: no Result", { .says_error = true },
          "HomePositionQuery", "", 1, NO },
        { "attributes", { .attributes = true }, "DeviceInfo", "", 1,
          "<Response CmdType=\"DeviceInfo\" SN= !<SN> !<CmdType> Acme" },
        { "no-sum", { .no_sum = true }, "RecordInfo", "<Type>all</Type>", 4,
          "!SumNum <RecordList" },
        { "self-parent", { .self_parent = true }, "Catalog", "", 1,
          "<ParentID>" GATE "<" },
        { "no-parent", { .no_parent = true }, "Catalog", "", 1,
          "!ParentID <Status>" },
        { "raw-ampersand", { .raw_ampersand = true }, "Catalog", "", 1,
          "<Name>A" },
        { "bad-item", { .bad_item = true }, "Catalog", "", 1,
          "!<Item><DeviceID> <Name>" },
        { "false-charset", { .false_charset = true }, "DeviceInfo", "", 1,
          "encoding=\"GB2312\" <DeviceName>大门<" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice rest = slice_str(cases[i].parts), part;
        char text[128];

        start(MANSCDP_2022, cases[i].f);
        tell("Query", cases[i].cmd, GATE, cases[i].rest);
        assert_int_equal(g.status, 200);
        if (g.n_messages != cases[i].n_messages)
            fail_msg("%s: %zu\n%s", cases[i].name, g.n_messages, g.got);
        while (rest.n) {
            slice_cut(&rest, ' ', &part);
            slice_copy(text, sizeof(text), part);
            if (*text == '!' ? has(text + 1) : !has(text))
                fail_msg("%s: %s\n%s", cases[i].name, text, g.got);
        }
        stop();
    }
}

static void faults_of_orders(void **state)
{
#define GUARD "<GuardCmd>SetGuard</GuardCmd>"
#define MOVE PTZ("A50F0101320000E8")
    static const struct {
        const char *name;
        struct device_faults f;
        const char *rest;
        const char *answer; /* NULL: none */
        const char *done;
    } cases[] = {
        { "mute", { .mute = true }, GUARD, NULL, "GuardCmd;" },
        { "says-error", { .says_error = true }, GUARD, NO, "!GuardCmd;" },
        { "says-error to a movement", { .says_error = true }, MOVE, NULL,
          "!PTZCmd;" },
        { "also-answers", { .also_answers = true }, MOVE, OK, "PTZCmd;" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        start(MANSCDP_2016, cases[i].f);
        tell("Control", "DeviceControl", GATE, cases[i].rest);
        if (cases[i].answer ? !has(cases[i].answer) : g.n_messages != 0)
            fail_msg("%s: %s", cases[i].name, g.got);
        assert_string_equal(g.done, cases[i].done);
        stop();
    }
}

static void wrong_sn(void **state)
{
    char sn[32];

    (void)state;
    start(MANSCDP_2016, (struct device_faults){ .wrong_sn = true });
    tell("Query", "DeviceInfo", GATE, "");
    snprintf(sn, sizeof(sn), "<SN>%u</SN>", g.sn);
    assert_int_equal(g.n_messages, 1);
    assert_false(has(sn));
    stop();
}

static void late_and_refused(void **state)
{
    (void)state;
    start(MANSCDP_2016, (struct device_faults){ .late_ms = 5000 });
    tell("Query", "DeviceInfo", GATE, "");
    assert_int_equal(g.status, 200);
    assert_int_equal(g.n_messages, 0);
    run(4500);
    assert_int_equal(g.n_messages, 1);
    for (unsigned i = 0; i < 40; i++) /* the oldest go */
        tell("Query", "DeviceInfo", GATE, "");
    stop(); /* with some that wait */
    start(MANSCDP_2016, (struct device_faults){ .refuse_message = 405 });
    tell("Query", "DeviceInfo", GATE, "");
    assert_int_equal(g.status, 405);
    assert_int_equal(g.n_messages, 0);
    stop();
}

static void subscribed_to_where_it_looks(void **state)
{
    uint64_t id;
    char sn[32];

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    id = subscribe(0, "PTZPosition", GATE, "", 600);
    assert_int_equal(g.status, 200);
    assert_int_equal(g.n_messages, 1); /* as it is */
    assert_true(has("<Notify>") && has("<Zoom>1.00<") && has(GATE));
    run(5000);
    assert_int_equal(g.n_messages, 1);
    tell("Control", "DeviceControl", YARD, PTZ("A50F0101320000E8"));
    run(2000);
    assert_int_equal(g.n_messages, 0); /* another channel */
    tell("Control", "DeviceControl", GATE, PTZ("A50F0101320000E8"));
    run(3000);
    assert_in_range(g.n_messages, 5, 9); /* while it moves */
    tell("Control", "DeviceControl", GATE, PTZ("A50F0100000000B5"));
    run(1000);
    assert_in_range(g.n_messages, 0, 1);
    id = subscribe(id, "PTZPosition", GATE, "", 600);
    snprintf(sn, sizeof(sn), "<SN>%u</SN>", g.sn);
    assert_true(g.n_messages == 1 && has(sn)); /* of the refresh */
    subscribe(id, "PTZPosition", GATE, "", 0);
    tell("Control", "DeviceControl", GATE, PTZ("A50F0101320000E8"));
    run(3000);
    assert_int_equal(g.n_messages, 0);
    stop();
}

static void subscribed_to_where_it_is(void **state)
{
    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    subscribe(0, "MobilePosition", CAMERA, "<Interval>2</Interval>", 600);
    assert_true(has("<DeviceList Num=\"1\">") && has("<Longitude>118.37") &&
                has("<Height>"));
    run(10000);
    assert_in_range(g.n_messages, 5, 7);
    g.n_got = 0;
    run(60000); /* the next side of the block */
    assert_true(has("<Direction>90<") || has("<Direction>180<"));
    assert_int_equal(device_report_position(g.d, g.now), 0);
    stop();
    start(MANSCDP_2016, (struct device_faults){ 0 });
    assert_int_equal(device_report_position(g.d, g.now), 0);
    run(100);
    assert_true(has("<Latitude>31.3") && !has("DeviceList"));
    assert_int_equal(device_offer_video(g.d, g.now), GB_EUNSUPPORTED);
    tell("Query", "MobilePosition", CAMERA, "");
    assert_int_equal(g.n_messages, 1);
    stop();
    start(MANSCDP_2022, (struct device_faults){ 0 });
    assert_int_equal(device_offer_video(g.d, g.now), 0);
    run(100);
    assert_true(has("<CmdType>VideoUploadNotify<") && has("<Longitude>"));
    stop();
}

static void subscribed_to_some_alarms(void **state)
{
    (void)state;
    start(MANSCDP_2016, (struct device_faults){ 0 });
    subscribe(0, "Alarm", YARD, "<AlarmMethod>25</AlarmMethod>", 600);
    g.n_got = g.n_messages = 0;
    assert_int_equal(device_alarm(g.d, 1, g.now), 0);
    run(200);
    assert_int_equal(device_counters(g.d)->notifies, 1);
    assert_int_equal(device_alarm(g.d, 0, g.now), 0); /* by MESSAGE */
    run(200);
    assert_int_equal(device_counters(g.d)->notifies, 1);
    assert_int_equal(g.n_messages, 2);
    subscribe(0, "Alarm", YARD, "<AlarmMethod>2</AlarmMethod>", 600);
    assert_int_equal(device_alarm(g.d, 1, g.now), 0);
    run(200);
    assert_int_equal(device_counters(g.d)->notifies, 1);
    subscribe(0, "Alarm", YARD,
              "<StartAlarmPriority>1</StartAlarmPriority>"
              "<EndAlarmPriority>2</EndAlarmPriority>", 600);
    assert_int_equal(device_alarm(g.d, 1, g.now), 0);
    run(200);
    assert_int_equal(device_counters(g.d)->notifies, 1);
    stop();
    start(MANSCDP_2016, (struct device_faults){ .guard_first = true });
    assert_int_equal(device_alarm(g.d, 0, g.now), GB_ESTATE);
    tell("Control", "DeviceControl", CAMERA, "<GuardCmd>SetGuard</GuardCmd>");
    assert_int_equal(device_alarm(g.d, 0, g.now), 0);
    tell("Control", "DeviceControl", GATE, "<GuardCmd>ResetGuard</GuardCmd>");
    assert_int_equal(device_alarm(g.d, 0, g.now), GB_ESTATE);
    assert_int_equal(device_alarm(g.d, 1, g.now), 0);
    stop();
}

static void latched_until_reset(void **state)
{
    (void)state;
    method = 2;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    assert_int_equal(device_alarm(g.d, 0, g.now), 0);
    run(100);
    assert_true(has("<AlarmMethod>2<") && !has("AlarmType"));
    assert_int_equal(device_alarm(g.d, 0, g.now), GB_ESTATE);
    assert_int_equal(device_alarm(g.d, 1, g.now), 0);
    tell("Query", "DeviceStatus", CAMERA, "");
    assert_int_equal(text_count(g.got, "<DutyStatus>ALARM<"), 2);
    tell("Control", "DeviceControl", GATE,
         "<AlarmCmd>ResetAlarm</AlarmCmd><Info><AlarmMethod>5</AlarmMethod>"
         "</Info>");
    assert_int_equal(device_alarm(g.d, 0, g.now), GB_ESTATE);
    tell("Control", "DeviceControl", GATE,
         "<AlarmCmd>ResetAlarm</AlarmCmd><Info><AlarmMethod>2/5</AlarmMethod>"
         "</Info>");
    tell("Query", "DeviceStatus", CAMERA, "");
    assert_int_equal(text_count(g.got, "<DutyStatus>ALARM<"), 1);
    assert_int_equal(device_alarm(g.d, 0, g.now), 0);
    stop();
    method = 0;
}

static void two_lists_at_once(void **state)
{
    struct sip_peer to = { .local = address(1), .remote = address(2) };

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    for (unsigned i = 0; i < 2; i++) {
        struct sip_request r = { .method = SIP_METHOD_MESSAGE, .peer = to,
                                 .expires = -1 };
        char body[256];
        uint64_t id;

        snprintf(body, sizeof(body),
                 "<Query><CmdType>%s</CmdType><SN>%u</SN><DeviceID>" CAMERA
                 "</DeviceID><Type>all</Type></Query>",
                 i ? "Catalog" : "RecordInfo", 100 + i);
        r.uri = SLICE("sip:" CAMERA "@192.0.2.2:5060");
        r.to = SLICE("sip:" CAMERA "@3402000000");
        r.from = SLICE("sip:" SERVER "@3402000000");
        r.content_type = SLICE(SIP_TYPE_MANSCDP);
        r.body = slice_str(body);
        assert_int_equal(sip_stack_request(g.server, &r, g.now.mono_ms, &id),
                         0);
    }
    run(1000);
    assert_int_equal(text_count(g.got, "<SN>100</SN>"), 4);
    assert_int_equal(text_count(g.got, "<SN>101</SN>"), 2);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_is),
        cmocka_unit_test(guard_alarm_and_record),
        cmocka_unit_test(alarms_once_more),
        cmocka_unit_test(presets_and_tracks),
        cmocka_unit_test(where_it_looks),
        cmocka_unit_test(cards),
        cmocka_unit_test(recordings),
        cmocka_unit_test(settings),
        cmocka_unit_test(every_type_of_every_edition),
        cmocka_unit_test(editions_spell),
        cmocka_unit_test(upgrade_and_restart),
        cmocka_unit_test(upgrade_that_fails),
        cmocka_unit_test(broadcast_is_answered),
        cmocka_unit_test(faults_of_answers),
        cmocka_unit_test(faults_of_orders),
        cmocka_unit_test(wrong_sn),
        cmocka_unit_test(late_and_refused),
        cmocka_unit_test(subscribed_to_where_it_looks),
        cmocka_unit_test(subscribed_to_where_it_is),
        cmocka_unit_test(subscribed_to_some_alarms),
        cmocka_unit_test(latched_until_reset),
        cmocka_unit_test(two_lists_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
