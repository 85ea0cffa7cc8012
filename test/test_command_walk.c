/* Every row of the vocabulary that a platform may send, from the JSON of the
 * API to the bytes on the wire, and from the device's bytes to JSON. */
#include "test/command_world.h"

#define AREA "<Length>1920</Length><Width>1080</Width>" \
             "<MidPointX>960</MidPointX><MidPointY>540</MidPointY>" \
             "<LengthX>480</LengthX><LengthY>270</LengthY>"
#define AREA_JSON "{'Length':1920,'Width':1080,'MidPointX':960," \
                  "'MidPointY':540,'LengthX':480,'LengthY':270}"

/* ---- one walk a row ------------------------------------------------------------- */

/* answer NULL: no Response is due, 200 is all. */
static const struct walk {
    const char *name, *version, *json, *wire, *answer_cmd, *answer, *got;
} walks[] = {
    { "status", "2.0", WITH("DeviceStatus", ""), "", "DeviceStatus",
      "<Result>OK</Result><Online>OFFILE</Online><Status>OK</Status>"
      "<DeviceTime>2023-08-09T07:38:35</DeviceTime><Encode>ON</Encode>"
      "<Alarmstatus Num=\"1\"><Item><DeviceID>1</DeviceID>"
      "<StatusDutyStatus>ONDUTY</StatusDutyStatus></Item></Alarmstatus>"
      "<Vendor><A>1</A><A>2</A></Vendor>",
      "'DeviceID':'" CAM "','Result':'OK','Online':'OFFLINE','Status':'OK',"
      "'Encode':'ON','DeviceTime':'2023-08-09T07:38:35','Alarmstatus':["
      "{'DeviceID':'1','DutyStatus':'ONDUTY'}],"
      "'extra':{'Vendor':{'A':['1','2']}}}" },
    { "info", "2.0", WITH("DeviceInfo", ""), "", "DeviceInfo",
      "<Result>OK</Result><DeviceName>n</DeviceName><Model>m</Model>"
      "<MaxCamera>4</MaxCamera><Channel>4</Channel><Odd/>",
      "'DeviceName':'n','Result':'OK','Model':'m','MaxCamera':4,'Channel':4,"
      "'extra':{'Odd':''}}" },
    { "records", "2.0",
      WITH("RecordInfo", "'StartTime':'2023-08-09T00:00:00',"
                         "'EndTime':'2023-08-09T23:59:59','Secrecy':0,"
                         "'Type':'all'"),
      "<StartTime>2023-08-09T00:00:00</StartTime>"
      "<EndTime>2023-08-09T23:59:59</EndTime><Secrecy>0</Secrecy>"
      "<Type>all</Type>",
      "RecordInfo",
      "<Name>Gate 1</Name><SumNum>1</SumNum><RecordList Num=\"1\"><Item>"
      "<DeviceID>" CAM "</DeviceID><Name>Gate 1</Name>"
      "<FilePath>/rec/0001</FilePath><StartTime>2023-08-09T00:00:00"
      "</StartTime><EndTime>2023-08-09T00:29:59</EndTime><Secrecy>0</Secrecy>"
      "<Type>time</Type><FileSize>104857600</FileSize><X>y</X></Item>"
      "</RecordList>",
      "'Name':'Gate 1','SumNum':1,'RecordList':[{'DeviceID':'" CAM "',"
      "'Name':'Gate 1','FilePath':'/rec/0001','StartTime':"
      "'2023-08-09T00:00:00','EndTime':'2023-08-09T00:29:59','Secrecy':0,"
      "'Type':'time','FileSize':'104857600','extra':{'X':'y'}}]}" },
    { "records of 2022", "3.0",
      WITH("RecordInfo", "'AlarmMethod':'25','StreamNumber':1,"
                         "'StartTime':'a','EndTime':'b'"),
      "<StartTime>a</StartTime><EndTime>b</EndTime>"
      "<StreamNumber>1</StreamNumber><AlarmMethod>2/5</AlarmMethod>",
      "RecordInfo", "<SumNum>0</SumNum>", "'SumNum':0" },
    { "alarms", "2.0",
      WITH("Alarm", "'AlarmMethod':'2/5','StartAlarmPriority':1"),
      "<StartAlarmPriority>1</StartAlarmPriority>"
      "<AlarmMethod>25</AlarmMethod>", NULL, NULL, NULL },
    { "positions", "2.0", WITH("MobilePosition", "'Interval':5"),
      "<Interval>5</Interval>", NULL, NULL, NULL },
    { "presets", "2.0", WITH("PresetQuery", ""), "", "PresetQuery",
      "<SumNum>1</SumNum><PresetList Num=\"1\"><Item><PresetID>1</PresetID>"
      "<PresetName>\xe9\x97\xa8</PresetName></Item></PresetList>",
      "'SumNum':1,'PresetList':[{'PresetID':'1','PresetName':"
      "'\xe9\x97\xa8'}]}" },
    { "presets of 2014", "1.1", WITH("PresetQuery", ""), "", "PersetQuery",
      "<SumNum>1</SumNum><PresetList Num=\"1\"><Item><PresetID>1</PresetID>"
      "<PresetName>a</PresetName></Item></PresetList>",
      "'PresetList':[{'PresetID':'1','PresetName':'a'}]" },
    { "home position (field-note 11.5)", "3.0", WITH("HomePositionQuery", ""),
      "", "HomePosition",
      "<HomePosition><Enabled>1</Enabled><ResetTime>30</ResetTime>"
      "<PresetIndex>2</PresetIndex></HomePosition>",
      "'HomePosition':{'Enabled':1,'ResetTime':30,'PresetIndex':2}}" },
    { "track list", "3.0", WITH("CruiseTrackListQuery", ""), "",
      "CruiseTrackListQuery",
      "<SumNum>1</SumNum><CruiseTrackList Num=\"1\"><CruiseTrack>"
      "<Number>0</Number><Name>a</Name></CruiseTrack></CruiseTrackList>",
      "'SumNum':1,'CruiseTrackList':[{'Number':0,'Name':'a'}]}" },
    { "track", "3.0", WITH("CruiseTrackQuery", "'Number':0"),
      "<Number>0</Number>", "CruiseTrackQuery",
      "<Number>0</Number><Name>a</Name><SumNum>2</SumNum>"
      "<CruisePointList Num=\"2\"><CruisePoint><PresetIndex>1</PresetIndex>"
      "<StayTime>5</StayTime><Speed>7</Speed></CruisePoint><CruisePoint>"
      "<PresetIndex>1</PresetIndex><StayTime>5</StayTime><Speed>7</Speed>"
      "</CruisePoint></CruisePointList>",
      "'CruisePointList':[{'PresetIndex':1,'StayTime':5,'Speed':7},"
      "{'PresetIndex':1,'StayTime':5,'Speed':7}]}" },
    { "ptz position", "3.0", WITH("PTZPosition", ""), "", "PTZPosition",
      "<Pan>12.50</Pan><Tilt>-3</Tilt><Zoom>1.0</Zoom>",
      "'Pan':12.5,'Tilt':-3,'Zoom':1}" },
    { "cards", "3.0", WITH("SDCardStatus", ""), "", "SDCardStatus",
      "<SumNum>1</SumNum><SDCardStatusInfo Num=\"1\"><Item><ID>1</ID>"
      "<HddName>sd</HddName><Status>formatting</Status>"
      "<FormatProgress>50</FormatProgress><Capacity>9</Capacity>"
      "<FreeSpace>5</FreeSpace></Item></SDCardStatusInfo>",
      "'SDCardStatusInfo':[{'ID':1,'HddName':'sd','Status':'formatting',"
      "'FormatProgress':50,'Capacity':9,'FreeSpace':5}]}" },

    /* orders */
    { "ptz", "2.0",
      CONTROL("'PTZCmd':'A50F010A32320023','Info':{'ControlPriority':5}"),
      "<PTZCmd>A50F010A32320023</PTZCmd><Info><ControlPriority>5"
      "</ControlPriority></Info>", NULL, NULL, NULL },
    { "ptz of 2022", "3.0",
      CONTROL("'PTZCmdParams':{'PresetName':'door'},"
              "'PTZCmd':'A50F018100010037'"),
      "<PTZCmd>A50F018100010037</PTZCmd><PTZCmdParams><PresetName>door"
      "</PresetName></PTZCmdParams>", NULL, NULL, NULL },
    { "boot", "2.0", CONTROL("'TeleBoot':'Boot'"), "<TeleBoot>Boot</TeleBoot>",
      NULL, NULL, NULL },
    { "record", "3.0", CONTROL("'StreamNumber':1,'RecordCmd':'StopRecord'"),
      "<RecordCmd>StopRecord</RecordCmd><StreamNumber>1</StreamNumber>",
      "DeviceControl", "<Result>OK</Result>", "'Result':'OK'}" },
    { "guard", "2.0", CONTROL("'GuardCmd':'ResetGuard'"),
      "<GuardCmd>ResetGuard</GuardCmd>", "DeviceControl",
      "<Result>OK</Result><Info>free text</Info>",
      "'Result':'OK','extra':{'Info':'free text'}}" },
    { "alarm reset", "2.0",
      CONTROL("'AlarmCmd':'ResetAlarm','Info':{'AlarmMethod':'2',"
              "'AlarmType':'1'}"),
      "<AlarmCmd>ResetAlarm</AlarmCmd><Info><AlarmMethod>2</AlarmMethod>"
      "<AlarmType>1</AlarmType></Info>", "DeviceControl",
      "<Result>OK</Result>", "'Result':'OK'" },
    { "I-frame of 2016", "2.0", CONTROL("'IFrameCmd':'Send'"),
      "<IFameCmd>Send</IFameCmd>", NULL, NULL, NULL },
    { "I-frame of 2022", "3.0", CONTROL("'IFameCmd':'Send'"),
      "<IFrameCmd>Send</IFrameCmd>", NULL, NULL, NULL },
    { "drag zoom in", "2.0", CONTROL("'DragZoomIn':" AREA_JSON),
      "<DragZoomIn>" AREA "</DragZoomIn>", NULL, NULL, NULL },
    { "drag zoom out", "3.0", CONTROL("'DragZoomOut':" AREA_JSON),
      "<DragZoomOut>" AREA "</DragZoomOut>", NULL, NULL, NULL },
    { "home position set", "2.0",
      CONTROL("'HomePosition':{'PresetIndex':2,'Enabled':true,"
              "'ResetTime':'30'}"),
      "<HomePosition><Enabled>1</Enabled><ResetTime>30</ResetTime>"
      "<PresetIndex>2</PresetIndex></HomePosition>", "DeviceControl",
      "<Result>OK</Result>", "'Result':'OK'" },
    { "precise", "3.0",
      CONTROL("'PTZPreciseCtrl':{'Pan':12.5,'Tilt':-30,'Zoom':'1.5e0'}"),
      "<PTZPreciseCtrl><Pan>12.5</Pan><Tilt>-30</Tilt><Zoom>1.5</Zoom>"
      "</PTZPreciseCtrl>", NULL, NULL, NULL },
    { "format", "3.0", CONTROL("'FormatSDCard':0"),
      "<FormatSDCard>0</FormatSDCard>", NULL, NULL, NULL },
    { "target", "3.0",
      CONTROL("'TargetArea':" AREA_JSON ",'TargetTrack':'Manual',"
              "'DeviceID2':'34020000001320000002'"),
      "<TargetTrack>Manual</TargetTrack>"
      "<DeviceID2>34020000001320000002</DeviceID2><TargetArea>" AREA
      "</TargetArea>", NULL, NULL, NULL },
    { "upgrade", "3.0",
      CONTROL("'DeviceUpgrade':{'Firmware':'V2','FileURL':'http://a/b?c&d',"
              "'Manufacturer':'Acme','SessionID':'" SESSION "'}"),
      "<DeviceUpgrade><Firmware>V2</Firmware><FileURL>http://a/b?c&amp;d"
      "</FileURL><Manufacturer>Acme</Manufacturer><SessionID>" SESSION
      "</SessionID></DeviceUpgrade>", "DeviceControl",
      "<Result>OK</Result>", "'Result':'OK'" },
    { "vendor's elements", "2.0",
      "{'cmd':'DeviceControl','params':{'RecordCmd':'Record'},"
      "'extra':{'Mode':7,'List':{'Item':['a','b']}}}",
      "<RecordCmd>Record</RecordCmd><Mode>7</Mode><List><Item>a</Item>"
      "<Item>b</Item></List>", "DeviceControl", "<Result>OK</Result>",
      "'Result':'OK'" },
    { "vendor's command", "2.0",
      "{'cmd':'DeviceControl','extra':{'SubCmd':'SnapShot'}}",
      "<SubCmd>SnapShot</SubCmd>", NULL, NULL, NULL },

    /* settings, read and written: 2016 */
    { "basic read", "2.0", DOWNLOAD("BasicParam"), ASKS("BasicParam"),
      "ConfigDownload",
      "<Result>OK</Result><BasicParam><Name>Gate 1</Name>"
      "<Expiration>3600</Expiration><HeartBeatInterval>60"
      "</HeartBeatInterval><HeartBeatCount>3</HeartBeatCount>"
      "<PositionCapability>1</PositionCapability><Longitude>118.3"
      "</Longitude><Latitude>31.3</Latitude><Password>secret</Password>"
      "<Vendor>x</Vendor></BasicParam>",
      "'Result':'OK','BasicParam':{'Name':'Gate 1','Expiration':3600,"
      "'HeartBeatInterval':60,'HeartBeatCount':3,'PositionCapability':1,"
      "'Longitude':118.3,'Latitude':31.3,'extra':{'Vendor':'x'}}}" },
    { "basic set", "2.0",
      CONFIG("'BasicParam':{'HeartBeatCount':3,'Name':'\xe9\x97\xa8'}"),
      "<BasicParam><Name>\xc3\xc5</Name><HeartBeatCount>3</HeartBeatCount>"
      "</BasicParam>", "DeviceConfig", "<Result>OK</Result>",
      "'Result':'OK'" },
    { "video options", "2.0", DOWNLOAD("VideoParamOpt"),
      ASKS("VideoParamOpt"), "ConfigDownload",
      "<Result>OK</Result><VideoParamOpt><DownloadSpeed>1/2/4"
      "</DownloadSpeed><Resolution>5/6</Resolution></VideoParamOpt>",
      "'VideoParamOpt':{'DownloadSpeed':'1/2/4','Resolution':'5/6'}" },
    { "encoder read", "2.0", DOWNLOAD("SVACEncodeConfig"),
      ASKS("SVACEncodeConfig"), "ConfigDownload",
      "<Result>OK</Result><SVACEncodeConfig><ROIParam><ROIFlag>1</ROIFlag>"
      "<ROINumber>1</ROINumber><Item><ROISeq>1</ROISeq><TopLeft>2</TopLeft>"
      "<BottomRight>9</BottomRight><ROIQP>3</ROIQP></Item>"
      "<BackGroundQP>2</BackGroundQP></ROIParam></SVACEncodeConfig>",
      "'SVACEncodeConfig':{'ROIParam':{'ROIFlag':1,'ROINumber':1,'Item':["
      "{'ROISeq':1,'TopLeft':2,'BottomRight':9,'ROIQP':3}],"
      "'BackGroundQP':2}}" },
    { "encoder set", "2.0",
      CONFIG("'SVACEncodeConfig':{'EncryptParam':{'EncryptionFlag':1},"
             "'SVCParam':{'SVCSpaceDomainMode':2},"
             "'SurveillanceParam':{'AlertFlag':false,'TimeFlag':true}}"),
      "<SVACEncodeConfig><SVCParam><SVCSpaceDomainMode>2"
      "</SVCSpaceDomainMode></SVCParam><SurveillanceParam><TimeFlag>1"
      "</TimeFlag><AlertFlag>0</AlertFlag></SurveillanceParam>"
      "<EncryptParam><EncryptionFlag>1</EncryptionFlag></EncryptParam>"
      "</SVACEncodeConfig>", "DeviceConfig", "<Result>OK</Result>",
      "'Result':'OK'" },
    { "decoder read", "2.0", DOWNLOAD("SVACDecodeConfig"),
      ASKS("SVACDecodeConfig"), "ConfigDownload",
      "<Result>OK</Result><SVACDecodeConfig><SurveillanceParam>"
      "<AlertShowFlag>1</AlertShowFlag></SurveillanceParam>"
      "</SVACDecodeConfig>",
      "'SVACDecodeConfig':{'SurveillanceParam':{'AlerShowtFlag':1}}" },
    { "decoder set", "2.0",
      CONFIG("'SVACDecodeConfig':{'SurveillanceParam':{'AlertShowFlag':1}}"),
      "<SVACDecodeConfig><SurveillanceParam><AlerShowtFlag>1</AlerShowtFlag>"
      "</SurveillanceParam></SVACDecodeConfig>", "DeviceConfig",
      "<Result>OK</Result>", "'Result':'OK'" },

    /* 2022 */
    { "streams read", "3.0", DOWNLOAD("VideoParamAttribute"),
      ASKS("VideoParamAttribute"), "ConfigDownload",
      "<Result>OK</Result><VideoParamAttribute Num=\"1\"><Item>"
      "<StreamNumber>0</StreamNumber><VideoFormat>2</VideoFormat>"
      "<Resolution>6</Resolution><FrameRate>25</FrameRate>"
      "<BitRateType>1</BitRateType><VideoBitRate>2048</VideoBitRate></Item>"
      "</VideoParamAttribute>",
      "'VideoParamAttribute':[{'StreamNumber':0,'VideoFormat':'2',"
      "'Resolution':'6','FrameRate':'25','BitRateType':'1',"
      "'VideoBitRate':'2048'}]" },
    { "streams set", "3.0",
      CONFIG("'VideoParamAttribute':[{'BitRateType':2,'FrameRate':25,"
             "'Resolution':6,'VideoFormat':2,'StreamNumber':1}]"),
      "<VideoParamAttribute Num=\"1\"><Item><StreamNumber>1</StreamNumber>"
      "<VideoFormat>2</VideoFormat><Resolution>6</Resolution>"
      "<FrameRate>25</FrameRate><BitRateType>2</BitRateType></Item>"
      "</VideoParamAttribute>", "DeviceConfig", "<Result>OK</Result>",
      "'Result':'OK'" },
    { "plan read", "3.0", DOWNLOAD("VideoRecordPlan"),
      ASKS("VideoRecordPlan"), "ConfigDownload",
      "<Result>OK</Result><VideoRecordPlan><RecordEnable>1</RecordEnable>"
      "<RecordScheduleSumNum>1</RecordScheduleSumNum><RecordSchedule>"
      "<WeekDayNum>7</WeekDayNum><TimeSegmentSumNum>1</TimeSegmentSumNum>"
      "<TimeSegment><StartHour>8</StartHour><StartMin>0</StartMin>"
      "<StartSec>0</StartSec><StopHour>18</StopHour><StopMin>30</StopMin>"
      "<StopSec>0</StopSec></TimeSegment></RecordSchedule>"
      "<StreamNumber>0</StreamNumber></VideoRecordPlan>",
      "'VideoRecordPlan':{'RecordEnable':1,'RecordScheduleSumNum':1,"
      "'RecordSchedule':[{'WeekDayNum':7,'TimeSegmentSumNum':1,"
      "'TimeSegment':[{'StartHour':8,'StartMin':0,'StartSec':0,"
      "'StopHour':18,'StopMin':30,'StopSec':0}]}],'StreamNumber':0}" },
    { "plan set", "3.0",
      CONFIG("'VideoRecordPlan':{'StreamNumber':0,'RecordEnable':true,"
             "'RecordScheduleSumNum':1,'RecordSchedule':[{'WeekDayNum':7,"
             "'TimeSegment':[{'StartHour':8,'StartMin':0,'StartSec':0,"
             "'StopHour':18,'StopMin':30,'StopSec':0}]}]}"),
      "<VideoRecordPlan><RecordEnable>1</RecordEnable>"
      "<RecordScheduleSumNum>1</RecordScheduleSumNum><RecordSchedule>"
      "<WeekDayNum>7</WeekDayNum><TimeSegmentSumNum>1</TimeSegmentSumNum>"
      "<TimeSegment><StartHour>8</StartHour><StartMin>0</StartMin>"
      "<StartSec>0</StartSec><StopHour>18</StopHour><StopMin>30</StopMin>"
      "<StopSec>0</StopSec></TimeSegment></RecordSchedule>"
      "<StreamNumber>0</StreamNumber></VideoRecordPlan>", "DeviceConfig",
      "<Result>OK</Result>", "'Result':'OK'" },
    { "alarm record read", "3.0", DOWNLOAD("VideoAlarmRecord"),
      ASKS("VideoAlarmRecord"), "ConfigDownload",
      "<Result>OK</Result><VideoAlarmRecord><RecordEnable>0</RecordEnable>"
      "<StreamNumber>0</StreamNumber></VideoAlarmRecord>",
      "'VideoAlarmRecord':{'RecordEnable':0,'StreamNumber':0}" },
    { "alarm record set", "3.0",
      CONFIG("'VideoAlarmRecord':{'RecordEnable':1,'RecordTime':30,"
             "'PreRecordTime':5,'StreamNumber':0}"),
      "<VideoAlarmRecord><RecordEnable>1</RecordEnable>"
      "<RecordTime>30</RecordTime><PreRecordTime>5</PreRecordTime>"
      "<StreamNumber>0</StreamNumber></VideoAlarmRecord>", "DeviceConfig",
      "<Result>OK</Result>", "'Result':'OK'" },
    { "mask read", "3.0", DOWNLOAD("PictureMask"), ASKS("PictureMask"),
      "ConfigDownload",
      "<Result>OK</Result><PictureMask><On>1</On><SumNum>1</SumNum>"
      "<RegionList Num=\"1\"><Item><Seq>1</Seq><Point>1,2,3,4</Point></Item>"
      "</RegionList></PictureMask>",
      "'PictureMask':{'On':1,'SumNum':1,'RegionList':[{'Seq':1,"
      "'Point':'1,2,3,4'}]}" },
    { "mask set", "3.0",
      CONFIG("'PictureMask':{'On':0,'RegionList':[{'Seq':1,"
             "'Point':'1,2,3,4'}]}"),
      "<PictureMask><On>0</On><SumNum>1</SumNum><RegionList Num=\"1\"><Item>"
      "<Seq>1</Seq><Point>1,2,3,4</Point></Item></RegionList></PictureMask>",
      "DeviceConfig", "<Result>OK</Result>", "'Result':'OK'" },
    { "mirror read", "3.0", DOWNLOAD("FrameMirror"), ASKS("FrameMirror"),
      "ConfigDownload", "<Result>OK</Result><FrameMirror>3</FrameMirror>",
      "'FrameMirror':3}" },
    { "mirror set", "3.0", CONFIG("'FrameMirror':0"),
      "<FrameMirror>0</FrameMirror>", "DeviceConfig", "<Result>OK</Result>",
      "'Result':'OK'" },
    { "report read", "3.0", DOWNLOAD("AlarmReport"), ASKS("AlarmReport"),
      "ConfigDownload",
      "<Result>OK</Result><AlarmReport><MotionDetection>1</MotionDetection>"
      "<FieldDetection>0</FieldDetection></AlarmReport>",
      "'AlarmReport':{'MotionDetection':1,'FieldDetection':0}" },
    { "report set", "3.0",
      CONFIG("'AlarmReport':{'FieldDetection':1,'MotionDetection':0}"),
      "<AlarmReport><MotionDetection>0</MotionDetection><FieldDetection>1"
      "</FieldDetection></AlarmReport>", "DeviceConfig",
      "<Result>OK</Result>", "'Result':'OK'" },
    { "osd read", "3.0", DOWNLOAD("OSDConfig"), ASKS("OSDConfig"),
      "ConfigDownload",
      "<Result>OK</Result><OSDConfig><Length>704</Length><Width>576</Width>"
      "<TimeX>0</TimeX><TimeY>0</TimeY><SumNum>1</SumNum><Item><Text>a</Text>"
      "<X>1</X><Y>2</Y></Item></OSDConfig>",
      "'OSDConfig':{'Length':704,'Width':576,'TimeX':0,'TimeY':0,'SumNum':1,"
      "'Item':[{'Text':'a','X':1,'Y':2}]}" },
    { "osd set", "3.0",
      CONFIG("'OSDConfig':{'Length':704,'Width':576,'TimeX':0,'TimeY':0,"
             "'TimeType':1,'Item':[{'Text':'a','X':1,'Y':2}]}"),
      "<OSDConfig><Length>704</Length><Width>576</Width><TimeX>0</TimeX>"
      "<TimeY>0</TimeY><TimeType>1</TimeType><SumNum>1</SumNum><Item>"
      "<Text>a</Text><X>1</X><Y>2</Y></Item></OSDConfig>", "DeviceConfig",
      "<Result>OK</Result>", "'Result':'OK'" },
    { "snapshot read", "3.0", DOWNLOAD("SnapShotConfig"),
      ASKS("SnapShotConfig"), "ConfigDownload",
      "<Result>OK</Result><SnapShot><SnapNum>2</SnapNum><Interval>1"
      "</Interval><UploadURL>http://a</UploadURL><SessionID>" SESSION
      "</SessionID></SnapShot>",
      "'SnapShotConfig':{'SnapNum':2,'Interval':1,'UploadURL':'http://a',"
      "'SessionID':'" SESSION "'}" },
    { "snapshot set", "3.0",
      CONFIG("'SnapShotConfig':{'SnapNum':2,'Interval':1,'UploadURL':"
             "'http://192.0.2.1:8080/snap/upload?s=1','SessionID':'" SESSION
             "'}"),
      "<SnapShotConfig><SnapNum>2</SnapNum><Interval>1</Interval>"
      "<UploadURL>http://192.0.2.1:8080/snap/upload?s=1</UploadURL>"
      "<SessionID>" SESSION "</SessionID></SnapShotConfig>", "DeviceConfig",
      "<Result>OK</Result>", "'Result':'OK'" },

    /* 2014 */
    { "video of 2014", "1.1",
      CONFIG("'VideoParamConfig':[{'StreamName':'a','VideoFormat':'2',"
             "'Resolution':'5','FrameRate':'25','BitRateType':'1',"
             "'VideoBitRate':'2048'}]"),
      "<VideoParamConfig Num=\"1\"><Item><StreamName>a</StreamName>"
      "<VideoFormat>2</VideoFormat><Resolution>5</Resolution>"
      "<FrameRate>25</FrameRate><BitRateType>1</BitRateType>"
      "<VideoBitRate>2048</VideoBitRate></Item></VideoParamConfig>",
      "DeviceConfig", "<Result>OK</Result>", "'Result':'OK'" },
    { "audio of 2014", "1.1", DOWNLOAD("AudioParamOpt/AudioParamConfig"),
      ASKS("AudioParamOpt/AudioParamConfig"), "ConfigDownload",
      "<Result>OK</Result><AudioParamOpt><AudioFormatOpt>1</AudioFormatOpt>"
      "</AudioParamOpt><AudioParamConfig Num=\"1\"><Item><StreamName>a"
      "</StreamName><AudioFormat>1</AudioFormat></Item></AudioParamConfig>",
      "'AudioParamOpt':{'AudioFormatOpt':'1'},'AudioParamConfig':["
      "{'StreamName':'a','AudioFormat':'1'}]" },
    { "an element called otherwise", "2.0", DOWNLOAD("VideoParamOpt"),
      ASKS("VideoParamOpt"), "ConfigDownload",
      "<Result>OK</Result><Video><Resolution>5/6</Resolution></Video>",
      "'VideoParamOpt':{'Resolution':'5/6'}" },
};

static void walk(const struct walk *w)
{
    struct sim_device *d = online(w->version);
    unsigned status = post(w->json);

    d->info_mute = true;
    if (status != 202)
        fail_msg("%s: %u %s", w->name, status, body);
    sim_run(&s, 50);
    if (!slice_eq(slice_str(elements(d)), slice_str(w->wire)))
        fail_msg("%s: on the wire\n%s\nnot\n%s", w->name, elements(d),
                 w->wire);
    get_command();
    expect(w->name, "'state':'arrived'");
    if (w->answer) {
        expect(w->name, "'final':false");
        respond(d, w->answer_cmd, w->answer);
        sim_run(&s, 1100);
        get_command();
        expect(w->name, "'state':'answered'");
        expect(w->name, "'partial':false");
        expect(w->name, w->got);
    }
    expect(w->name, "'final':true");
    offline();
}

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(walks); i++)
        walk(&walks[i]);
}

/* No row of the vocabulary, and no type of settings, without a walk. */
static void no_row_is_left_out(void **state)
{
    size_t n;
    const struct manscdp_row *r = manscdp_rows(&n);

    (void)state;
    for (; n; n--, r++) {
        char text[80];
        bool found = r->cmd == MANSCDP_CMD_CATALOG || /* test_catalog_flow */
                     (r->root != MANSCDP_QUERY && r->root != MANSCDP_CONTROL);

        if (r->sub.n)
            snprintf(text, sizeof(text), "<%.*s>", SLICE_ARG(r->sub));
        else
            snprintf(text, sizeof(text), "'%s'", manscdp_cmd_name(r->cmd));
        for (size_t i = 0; i < COUNT(walks) && !found; i++) {
            struct slice in = slice_str(r->sub.n ? walks[i].wire
                                                 : walks[i].json);

            found = slice_find_slice(in, slice_str(text)) < in.n;
        }
        if (!found)
            fail_msg("nobody walks %s", text);
    }
}

/* ---- there and back ------------------------------------------------------------------ */

/* What is shown of a body can be sent as one: JSON and back makes the same
 * bytes. */
static void shown_and_sent_again(void **state)
{
    static char memory[1 << 18], room[1 << 16], first[8192], second[8192],
        text[8192];
    unsigned n = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(walks); i++) {
        const struct walk *w = &walks[i];
        bool is_config = slice_find_slice(slice_str(w->json),
                                          SLICE("DeviceConfig")) < 60;
        bool is_control = slice_find_slice(slice_str(w->json),
                                           SLICE("DeviceControl")) < 60;
        struct manscdp_dialect d = { MANSCDP_2016, MANSCDP_GB2312 };
        struct arena a = arena_of(memory, sizeof(memory));
        struct arena b = arena_of(room, sizeof(room));
        struct writer out = writer_of(text, sizeof(text) - 1);
        struct writer w1 = writer_of(first, sizeof(first));
        struct writer w2 = writer_of(second, sizeof(second));
        const struct manscdp_body *body_;
        struct body_fault fault;
        struct manscdp_msg m;
        char xml[4096];
        void *in;
        json_t *j;

        assert_true(manscdp_edition_by_ver(slice_str(w->version), &d.edition));
        if (!is_config && !is_control)
            continue;
        snprintf(xml, sizeof(xml), "<Control><CmdType>%s</CmdType>%s</Control>",
                 is_config ? "DeviceConfig" : "DeviceControl", w->wire);
        assert_int_equal(manscdp_msg_parse(&m, &a, slice_str(xml), NULL, NULL),
                         0);
        body_ = manscdp_body_of(&m);
        if (!body_)
            continue; /* a vendor's */
        in = arena_alloc(&a, body_->shape->size);
        assert_int_equal(manscdp_body_decode(body_, in, &m), 0);
        assert_int_equal(manscdp_body_encode(&w1, &d, body_, in), 0);
        bodyjson_write(&out, &m, SLICE(""));
        assert_int_equal(out.err, 0);
        j = json_loadb(text, out.len, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(j);
        json_object_del(j, "CmdType");
        json_object_del(j, "extra");
        if (body_read(in, body_, &d, j, &b, &fault))
            fail_msg("%s: %s", w->name, fault.text);
        assert_int_equal(manscdp_body_encode(&w2, &d, body_, in), 0);
        if (!slice_eq(writer_slice(&w1), writer_slice(&w2)))
            fail_msg("%s: %.*s", w->name, (int)w2.len, second);
        json_decref(j);
        n++;
    }
    assert_true(n >= 24);
}

/* JSON that is cut anywhere, and memory that ends anywhere: a refusal. */
static void short_of_memory(void **state)
{
    static const char json[] =
        "{\"VideoRecordPlan\":{\"RecordEnable\":1,\"RecordSchedule\":["
        "{\"WeekDayNum\":1,\"TimeSegment\":[{\"StartHour\":1,\"StartMin\":2,"
        "\"StartSec\":3,\"StopHour\":4,\"StopMin\":5,\"StopSec\":6}]}],"
        "\"StreamNumber\":0}}";
    static const char vendor[] = "{\"a\":{\"b\":[1,\"2\",{\"c\":\"\"}]}}";
    static const struct manscdp_dialect d = { MANSCDP_2022, MANSCDP_GB2312 };
    const struct manscdp_body *b = manscdp_body_for(
        MANSCDP_CONTROL, MANSCDP_CMD_DEVICE_CONFIG, SLICE(""));
    json_t *j = json_loads(json, 0, NULL), *v = json_loads(vendor, 0, NULL);
    static char room[8192], out[1024];
    const struct xml_node *first;
    struct body_fault fault;
    unsigned failed = 0;

    (void)state;
    assert_true(b->shape->size <= sizeof(out));
    for (size_t cap = 0; cap <= sizeof(room); cap += 16) {
        struct arena a = arena_of(room, cap);
        int err = body_read(out, b, &d, j, &a, &fault);

        assert_true(!err || err == GB_ENOMEM);
        failed += err != 0;
        a = arena_of(room, cap);
        err = body_read_any(&first, v, &a, &fault);
        assert_true(!err || err == GB_ENOMEM);
    }
    assert_in_range(failed, 4, 100);
    assert_true(slice_eq(first->name, SLICE("a")));
    assert_true(slice_eq(first->child->text, SLICE("1")));
    assert_true(slice_eq(first->child->next->next->child->name, SLICE("c")));
    json_decref(j);
    json_decref(v);
}

/* Deeper than any vendor goes. */
static void too_deep(void **state)
{
    static char room[8192];
    struct arena a = arena_of(room, sizeof(room));
    const struct xml_node *first;
    struct body_fault fault;
    json_t *j = json_string("x");

    (void)state;
    for (unsigned i = 0; i < BODY_DEPTH_MAX + 1; i++)
        j = json_pack("{s:o}", "a", j);
    assert_int_equal(body_read_any(&first, j, &a, &fault), 0);
    j = json_pack("{s:o}", "a", j);
    a = arena_of(room, sizeof(room));
    assert_int_equal(body_read_any(&first, j, &a, &fault), GB_ESYNTAX);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(no_row_is_left_out),
        cmocka_unit_test(shown_and_sent_again),
        cmocka_unit_test(short_of_memory),
        cmocka_unit_test(too_deep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
