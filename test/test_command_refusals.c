/* Commands of the API that are refused, take more than one message, or come too
 * late. */
#include "test/command_world.h"

static const struct {
    const char *name, *json;
    unsigned status;
    const char *says;
} refusals[] = {
    { "no JSON", "{", 400, "object of cmd" },
    { "unknown command", "{'cmd':'Dance'}", 400,
      "cmd: one of DeviceStatus, Catalog, DeviceInfo, " },
    { "a notification", "{'cmd':'Keepalive'}", 400, "cmd: one of" },
    { "unknown element", WITH("RecordInfo", "'Strat':'x'"), 422,
      "Strat: no such element; allowed: StartTime, EndTime, FilePath, " },
    { "an element too many", WITH("DeviceStatus", "'A':1"), 422,
      "A: no such element; allowed: none" },
    { "missing", WITH("RecordInfo", "'StartTime':'x'"), 422,
      "EndTime is missing" },
    { "edition of an element",
      WITH("RecordInfo", "'StartTime':'x','EndTime':'y',"
                         "'StreamNumber':0"), 422,
      "StreamNumber: not in the edition of this device" },
    { "edition of a command", WITH("PTZPosition", ""), 422,
      "'code':'edition'" },
    { "range", CONTROL("'HomePosition':{'Enabled':1,'PresetIndex':256}"),
      422, "HomePosition.PresetIndex: a whole number from 0 to 255" },
    { "not whole", CONTROL("'HomePosition':{'Enabled':0.5}"), 422,
      "HomePosition.Enabled: a whole number from 0 to 1 is wanted" },
    { "negative", WITH("MobilePosition", "'Interval':-1"), 422,
      "Interval: a whole number from 1 is wanted" },
    { "too large", WITH("MobilePosition", "'Interval':4294967296"), 422,
      "Interval: a whole number" },
    { "no number", WITH("MobilePosition", "'Interval':'5s'"), 422,
      "Interval: a whole number" },
    { "no text", DOWNLOAD("x',") "", 400, "object" },
    { "text", WITH("ConfigDownload", "'ConfigType':[]"), 422,
      "ConfigType: a text is wanted" },
    { "type of settings", DOWNLOAD("BasicParam/Nonsense"), 422,
      "ConfigType: \\\"Nonsense\\\" is not one of BasicParam, "
      "VideoParamOpt, SVACEncodeConfig, SVACDecodeConfig" },
    { "edition of a type", DOWNLOAD("OSDConfig"), 422,
      "\\\"OSDConfig\\\" is not one of" },
    { "no type", DOWNLOAD("/"), 422, "ConfigType: a type is wanted" },
    { "word", CONTROL("'GuardCmd':'Guard'"), 422,
      "GuardCmd: one of SetGuard, ResetGuard is wanted" },
    { "no word", CONTROL("'GuardCmd':1"), 422, "GuardCmd: one of" },
    { "no control", CONTROL(""), 422,
      "params: one of PTZCmd, TeleBoot, RecordCmd, " },
    { "no such control", CONTROL("'Dance':1"), 422, "params: one of" },
    { "two controls",
      CONTROL("'GuardCmd':'SetGuard','RecordCmd':'Record'"), 422,
      "RecordCmd: one command at a time" },
    { "sum", CONTROL("'PTZCmd':'A50F010A32320024'"), 422,
      "PTZCmd: wrong sum" },
    { "no PTZ", CONTROL("'PTZCmd':'up'"), 422,
      "PTZCmd: not 16 hex digits" },
    { "empty part", CONTROL("'DragZoomIn':{}"), 422,
      "DragZoomIn.Length is missing" },
    { "no object", CONTROL("'DragZoomIn':5"), 422,
      "DragZoomIn: an object is wanted" },
    { "no settings", CONFIG(""), 422, "one type of settings at a time" },
    { "two settings",
      CONFIG("'BasicParam':{'Name':'a'},'SVACDecodeConfig':{}"), 422,
      "one type of settings at a time" },
    { "only read", CONFIG("'VideoParamOpt':{'Resolution':'5'}"), 422,
      "VideoParamOpt: not in the edition" },
    { "control characters", WITH("RecordInfo", "'Type':'a\\u0001'"), 422,
      "Type: control characters" },
    { "methods", WITH("Alarm", "'AlarmMethod':'2,5'"), 422,
      "AlarmMethod: methods 0 to 7 are wanted" },
    { "extra", "{'cmd':'DeviceStatus','extra':{'a b':1}}", 422,
      "extra.a b: no name of an element" },
    { "extra value", "{'cmd':'DeviceStatus','extra':{'a':true}}", 422,
      "extra.a: a text is wanted" },
    { "target", "{'cmd':'DeviceStatus','channel':"
                "'12345678901234567890123456789012345'}", 400,
      "'code':'bad-value'" },
};

static void refused(void **state)
{
    struct sim_device *d = online("2.0");
    unsigned before = d->messages;

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        unsigned status = post(refusals[i].json);

        if (status != refusals[i].status)
            fail_msg("%s: %u %s", refusals[i].name, status, body);
        expect(refusals[i].name, refusals[i].says);
    }
    sim_run(&s, 1000);
    assert_int_equal(d->messages, before); /* nothing has been sent */
    offline();
}

static void refused_in_2022(void **state)
{
    static const struct {
        const char *json, *says;
    } cases[] = {
        { CONFIG("'VideoRecordPlan':{'RecordEnable':1,'StreamNumber':0,"
                 "'RecordSchedule':[{'WeekDayNum':1,'TimeSegment':[]},"
                 "{'WeekDayNum':8}]}"),
          "VideoRecordPlan.RecordSchedule[1].WeekDayNum: a whole number from "
          "1 to 7" },
        { CONFIG("'VideoRecordPlan':{'RecordEnable':1,'StreamNumber':0,"
                 "'RecordSchedule':[{'WeekDayNum':1}]}"),
          "VideoRecordPlan.RecordSchedule[0].TimeSegment is missing" },
        { CONFIG("'PictureMask':{'On':1,'SumNum':2,'RegionList':[]}"),
          "PictureMask.SumNum: there are 0; it may be left out" },
        { CONFIG("'PictureMask':{'On':1,'RegionList':[{},{},{},{},{}]}"),
          "PictureMask.RegionList: at most 4 items" },
        { CONFIG("'PictureMask':{'On':1,'RegionList':{}}"),
          "PictureMask.RegionList: an array is wanted" },
        { CONFIG("'SnapShotConfig':{'SnapNum':1,'Interval':1,"
                 "'UploadURL':'http://a','SessionID':'short'}"),
          "SnapShotConfig.SessionID: 32 to 128" },
        { CONTROL("'PTZPreciseCtrl':{'Pan':'far'}"),
          "PTZPreciseCtrl.Pan: a decimal number is wanted" },
        { CONTROL("'PTZPreciseCtrl':{}"), "PTZPreciseCtrl is empty" },
        { CONTROL("'PTZCmd':'A50F0100000000B5','Info':{}"),
          "Info: not in the edition" },
    };

    (void)state;
    online("3.0");
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = post(cases[i].json);

        if (status != 422)
            fail_msg("%s: %u %s", cases[i].json, status, body);
        expect(cases[i].json, cases[i].says);
    }
    offline();
}

/* The request may name another edition than the device. */
static void edition_of_the_request(void **state)
{
    struct sim_device *d = online("2.0");

    (void)state;
    assert_int_equal(post("{'cmd':'DeviceControl','edition':'2022',"
                          "'params':{'IFrameCmd':'Send'}}"), 202);
    sim_run(&s, 50);
    assert_string_equal(elements(d), "<IFrameCmd>Send</IFrameCmd>");
    assert_int_equal(post("{'cmd':'PresetQuery','edition':'2014'}"), 202);
    sim_run(&s, 50);
    assert_true(slice_find_slice(slice_str(d->last_body),
                                 SLICE("PersetQuery")) < 200);
    assert_int_equal(post("{'cmd':'SDCardStatus','edition':'2022'}"), 202);
    assert_int_equal(post("{'cmd':'SDCardStatus','edition':'2025'}"), 400);
    offline();
}

static void settings_by_one_message_each(void **state)
{
    static const char plan[] =
        "<Result>OK</Result><FrameMirror>1</FrameMirror>";
    static const char report[] =
        "<Result>OK</Result><AlarmReport><MotionDetection>1"
        "</MotionDetection></AlarmReport>";
    struct sim_device *d = online("3.0");

    (void)state;
    assert_int_equal(post(DOWNLOAD("FrameMirror/AlarmReport")), 202);
    sim_run(&s, 50);
    respond(d, "ConfigDownload", plan);
    get_command();
    expect("one of two", "'state':'arrived'");
    expect("one of two", "'have':1,'sum':2");
    respond(d, "ConfigDownload", plan); /* again: counted once */
    respond(d, "ConfigDownload", report);
    get_command();
    expect("both", "'state':'answered','final':true,'partial':false");
    /* one is refused, one is silent */
    assert_int_equal(post(DOWNLOAD("FrameMirror/AlarmReport/OSDConfig")), 202);
    sim_run(&s, 50);
    respond(d, "ConfigDownload", "<Result>ERROR</Result>");
    respond(d, "ConfigDownload", report);
    get_command();
    expect("waits for the third", "'final':false");
    sim_run(&s, 20000);
    get_command();
    expect("partial", "'state':'answered','final':true,'partial':true");
    expect("partial", "'have':1,'sum':3");
    expect("partial",
           "'evidence':'refused or not answered: FrameMirror, OSDConfig'");
    /* all are */
    assert_int_equal(post(DOWNLOAD("FrameMirror/OSDConfig")), 202);
    sim_run(&s, 50);
    respond(d, "ConfigDownload", "<Result>ERROR</Result>");
    respond(d, "ConfigDownload", "<Result>ERROR</Result>");
    get_command();
    expect("refused", "'state':'refused','final':true");
    /* and the only one is */
    assert_int_equal(post(DOWNLOAD("FrameMirror")), 202);
    sim_run(&s, 50);
    respond(d, "ConfigDownload",
            "<Result>ERROR</Result><Reason>no</Reason>");
    get_command();
    expect("refused", "'state':'refused','final':true");
    expect("refused", "Result ERROR: no");
    offline();
}

/* Points of a track in two messages, and one that does not come. */
static void tracks_in_parts(void **state)
{
    struct sim_device *d = online("3.0");

    (void)state;
    assert_int_equal(post(WITH("CruiseTrackListQuery", "")), 202);
    sim_run(&s, 50);
    respond(d, "CruiseTrackListQuery",
            "<SumNum>3</SumNum><CruiseTrackList Num=\"2\">"
            "<CruiseTrack><Number>0</Number></CruiseTrack>"
            "<CruiseTrack><Number>1</Number></CruiseTrack>"
            "</CruiseTrackList>");
    get_command();
    expect("two of three", "'state':'arrived'");
    expect("two of three", "'have':2,'sum':3");
    sim_run(&s, 20000);
    get_command();
    expect("two of three", "'state':'answered','final':true,'partial':true");
    expect("two of three", "1 of 3 items are missing");
    offline();
}

/* Silence, a refusal by SIP, and the answer that comes late. */
static void late(void **state)
{
    struct sim_device *d = online("3.0");

    (void)state;
    assert_int_equal(post(DOWNLOAD("FrameMirror")), 202);
    sim_run(&s, 60000);
    get_command();
    expect("silent", "'state':'silent','final':true");
    respond(d, "ConfigDownload",
            "<Result>OK</Result><FrameMirror>1</FrameMirror>");
    get_command();
    expect("late", "'state':'answered'");
    expect("late", "'late':true");
    expect("late", "'FrameMirror':1");
    d->query_refused = true;
    assert_int_equal(post(WITH("PTZPosition", "")), 202);
    sim_run(&s, 1000);
    get_command();
    expect("refused", "'state':'refused','final':true");
    expect("refused", "SIP 404");
    d->query_refused = false;
    assert_int_equal(post(WITH("Catalog", "")), 202);
    get_command();
    expect("catalog", "'cmd':'Catalog'");
    sim_unregister(d);
    sim_run(&s, 100);
    assert_int_equal(post(WITH("PTZPosition", "")), 409);
    assert_int_equal(ask("POST", "/api/v1/devices/x/commands",
                         "{'cmd':'DeviceStatus'}"), 404);
    offline();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
        cmocka_unit_test(refused_in_2022),
        cmocka_unit_test(edition_of_the_request),
        cmocka_unit_test(settings_by_one_message_each),
        cmocka_unit_test(tracks_in_parts),
        cmocka_unit_test(late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
