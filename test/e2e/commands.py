#!/usr/bin/env python3
"""test/e2e/commands.py [NAME...] - every row of the command table through the
API against gbcam, in every edition that has it: how its life ends, what comes
back, and that what was set is read back; then what becomes of it when the
camera deviates.

The rows are read from manscdp/vocab.h: a row without a case here fails."""
import http.server
import json
import re
import signal
import sys
import threading
import time

from rig import SLOW, TOP, Cameras, Daemon, Failed, Tests, channel_id, expect, run_tests, system, wait_for

DEVICE = "34020000001180000001"
CHANNEL = channel_id(DEVICE)
SESSION = "5f0c3e52-9f5b-4c7e-8a43-5d9d6f6a2b10"
EDITIONS = {"1.0": 1, "1.1": 2, "2.0": 4, "3.0": 8}  # bits of the rows
SETS = {"ENONE": 0, "E11": 1, "E14": 2, "E16": 4, "E22": 8, "EALL": 15, "ESINCE14": 14, "ESINCE16": 12,
        "EUNTIL16": 7, "E14_16": 6}
test = Tests()


def rows():
    """(root, CmdType, sub, direction, due, editions) of manscdp/vocab.h."""
    with open(f"{TOP}/manscdp/vocab.h") as f:
        text = f.read()
    names = dict(re.findall(r'X\((\w+),\s+"(\w+)"\)', text.split("MANSCDP_CMD_MAP(X)")[1].split("Other spellings")[0]))
    found = re.findall(r'X\((\w+),\s*(\w+),\s*"(\w*)",\s*(\w+),\s*[\w |]+,\s*(\w+),\s*(\w+),\s*\d+,', text)
    return [(root, names[cmd], sub, way, due, SETS[e]) for root, cmd, sub, way, due, e in found]


# ---- one command ---------------------------------------------------------------


def values(answer, key):
    """Everything that is called so, at any depth."""
    found = []
    if isinstance(answer, dict):
        for k, v in answer.items():
            found += ([v] if k == key else []) + values(v, key)
    elif isinstance(answer, list):
        for v in answer:
            found += values(v, key)
    return found


def same(got, want):
    try:
        return float(got) == float(want)
    except (TypeError, ValueError):
        return str(got) == str(want)


def send(d, cmd, params=None, channel=CHANNEL):
    body = {"cmd": cmd, "channel": channel}
    if params:
        body["params"] = params
    return d.call("POST", f"/api/v1/devices/{DEVICE}/commands", body)


def finished(d, command, timeout=20):
    def ask():
        c = d.get(f"/api/v1/commands/{command}")
        return c if c["final"] else None

    return wait_for(f"the end of command {command}", ask, timeout)


def run(d, cmd, params=None, channel=CHANNEL, state="answered", answer=(), timeout=20):
    """Sends it, and checks how it ends: its state, and (name, value) pairs of what came back."""
    a = send(d, cmd, params, channel)
    expect(a.status == 202, f"{cmd} {params}: {a.status} {a.body[:400]}")
    c = finished(d, a.json["id"], timeout)
    expect(c["state"] == state, f"{cmd} {params}: {c['state']}, not {state}: {c}")
    for name, value in answer:
        got = values(c["answer"], name)
        expect(any(same(g, value) for g in got), f"{cmd} {params}: {name} is {got}, not {value}: {c['answer']}")
    return c


def lacks(c, name):
    expect(not values(c["answer"], name), f"{name} is there: {c['answer']}")


# ---- what is sent for each row ----------------------------------------------------


def ptz(code):
    return {"PTZCmd": code}


AREA = {"Length": 1920, "Width": 1080, "MidPointX": 960, "MidPointY": 540, "LengthX": 480, "LengthY": 270}
DAY = {"StartTime": time.strftime("%Y-%m-%dT00:00:00", time.gmtime(time.time() - 86400)),
       "EndTime": time.strftime("%Y-%m-%dT23:59:59", time.gmtime(time.time() + 86400)), "Type": "all"}
OK = [("Result", "OK")]


def ask_status(d, _):
    run(d, "DeviceStatus", answer=[*OK, ("Online", "ONLINE"), ("Status", "OK")])


def ask_info(d, _):
    run(d, "DeviceInfo", channel=DEVICE, answer=[*OK, ("Manufacturer", "gbcam"), ("Model", "GBCAM-1")])


def ask_catalog(d, _):
    a = d.call("POST", f"/api/v1/devices/{DEVICE}/refresh")
    expect(a.status in (200, 202), f"refresh: {a.status} {a.body[:300]}")
    c = finished(d, a.json["id"])
    expect((c["state"], c["have"], c["sum"]) == ("answered", 1, 1), c)


def ask_records(d, _):
    c = run(d, "RecordInfo", DAY, answer=[("Type", "time"), ("Name", "大门 1-1")])
    expect(c["have"] == c["sum"] == 4 and c["messages"] == 4 and not c["partial"], c)


def ask_alarm(d, _):
    a = send(d, "Alarm", {"StartAlarmPriority": "0", "EndAlarmPriority": "0", "AlarmMethod": "0"})
    expect(a.status == 202, f"Alarm: {a.status} {a.body[:300]}")
    c = finished(d, a.json["id"])
    expect(c["state"] in ("arrived", "answered"), c)
    wait_for("the alarm again", lambda: len(d.get("/api/v1/alarms")["items"]) >= 1)


def ask_position(d, _):
    a = send(d, "MobilePosition", {"Interval": 5}, DEVICE)
    expect(a.status == 202, f"MobilePosition: {a.status} {a.body[:300]}")
    c = finished(d, a.json["id"])
    expect(c["state"] in ("arrived", "answered"), c)
    wait_for("a position", lambda: d.get("/api/v1/positions")["items"])


TYPES = {  # element of each type, the editions that have it, and something to set
    "BasicParam": (14, {"Name": "South", "HeartBeatInterval": 55}),
    "VideoParamOpt": (14, None),
    "VideoParamConfig": (2, [{"StreamName": "main", "VideoFormat": "2", "Resolution": "6", "FrameRate": "20",
                              "BitRateType": "1", "VideoBitRate": "1024"}]),
    "AudioParamOpt": (2, None),
    "AudioParamConfig": (2, [{"StreamName": "main", "AudioFormat": "1", "AudioBitRate": "8", "SamplingRate": "1"}]),
    "SVACEncodeConfig": (14, {"SVCParam": {"SVCSpaceDomainMode": 1}}),
    "SVACDecodeConfig": (14, {"SVCParam": {"SVCSTMMode": 2}}),
    "VideoParamAttribute": (8, [{"StreamNumber": 0, "VideoFormat": "5", "Resolution": "6", "FrameRate": "20",
                                 "BitRateType": "1", "VideoBitRate": "1024"}]),
    "VideoRecordPlan": (8, {"RecordEnable": 1, "StreamNumber": 0, "RecordSchedule": [
        {"WeekDayNum": 7, "TimeSegment": [{"StartHour": 1, "StartMin": 2, "StartSec": 3, "StopHour": 22,
                                           "StopMin": 33, "StopSec": 44}]}]}),
    "VideoAlarmRecord": (8, {"RecordEnable": 1, "RecordTime": 44, "PreRecordTime": 7, "StreamNumber": 0}),
    "PictureMask": (8, {"On": 1, "RegionList": [{"Seq": 1, "Point": "1,2,30,40"}]}),
    "FrameMirror": (8, 3),
    "AlarmReport": (8, {"MotionDetection": 0, "FieldDetection": 1}),
    "OSDConfig": (8, {"Length": 1920, "Width": 1080, "TimeX": 11, "TimeY": 12,
                      "Item": [{"Text": "南门", "X": 13, "Y": 14}]}),
    "SnapShotConfig": (8, {"SnapNum": 1, "Interval": 1, "UploadURL": "http://127.0.0.1:9/up", "SessionID": SESSION}),
}


def leaves(value, name=""):
    """(name, value) of everything that has no parts."""
    if isinstance(value, dict):
        return [x for k, v in value.items() for x in leaves(v, k)]
    if isinstance(value, list):
        return [x for v in value for x in leaves(v, name)]
    return [(name, value)]


def ask_config(d, bit):
    """Each type; then some at once."""
    have = [t for t, (editions, _) in TYPES.items() if editions & bit and t != "SnapShotConfig"]
    for t in have:
        c = run(d, "ConfigDownload", {"ConfigType": t}, answer=OK)
        expect(values(c["answer"], t), f"{t}: {c['answer']}")
    c = run(d, "ConfigDownload", {"ConfigType": "/".join(have[:3])})
    expect(c["messages"] == 3 and not c["partial"], c)


def set_config(d, bit):
    """What is set comes back, and the rest stays."""
    before = run(d, "ConfigDownload", {"ConfigType": "BasicParam"}, DEVICE)
    for t, (editions, value) in TYPES.items():
        if value is None or not editions & bit:
            continue
        channel = DEVICE if t == "BasicParam" else CHANNEL
        run(d, "DeviceConfig", {t: value}, channel, answer=OK)
        c = run(d, "ConfigDownload", {"ConfigType": t}, channel, answer=[*OK, *leaves(value, t)])
        if t == "BasicParam":
            for name in ("Expiration", "HeartBeatCount"):
                expect(values(c["answer"], name) == values(before["answer"], name), c["answer"])
    run(d, "DeviceInfo", channel=DEVICE, answer=[("DeviceName", "South")])


def ask_presets(d, bit):
    """Before 2022 nobody says how many there are, and an answer is over when nothing follows for 5 s: asked once."""
    run(d, "DeviceControl", ptz("A50F018100010037"), state="arrived")
    run(d, "DeviceControl", ptz("A50F0181000A0040"), state="arrived")
    if bit == 8:
        run(d, "PresetQuery", answer=[("PresetID", 1), ("PresetID", 10)])
    run(d, "DeviceControl", ptz("A50F018300010039"), state="arrived")
    c = run(d, "PresetQuery", answer=[("PresetID", 10)])
    expect(len(values(c["answer"], "PresetID")) == 1, c["answer"])


def set_home(d, bit):
    run(d, "DeviceControl", {"HomePosition": {"Enabled": 1, "ResetTime": 30, "PresetIndex": 7}}, answer=OK)
    if bit == 8:
        run(d, "HomePositionQuery", answer=[("Enabled", 1), ("ResetTime", 30), ("PresetIndex", 7)])


def ask_home(d, _):
    run(d, "HomePositionQuery")


def ask_tracks(d, _):
    run(d, "DeviceControl", {"PTZCmd": "A50F01840103003D", "PTZCmdParams": {"CruiseTrackName": "round"}},
        state="arrived")
    run(d, "DeviceControl", ptz("A50F0187011E005B"), state="arrived")
    run(d, "CruiseTrackListQuery", answer=[("SumNum", 1), ("Number", 1), ("Name", "round")])


def ask_track(d, _):
    run(d, "CruiseTrackQuery", {"Number": 1}, answer=[("PresetIndex", 3), ("StayTime", 30), ("Speed", 5)])


def ask_look(d, _):
    run(d, "PTZPosition", answer=[("HorizontalFieldAngle", 60)])


def ask_cards(d, _):
    run(d, "SDCardStatus", channel=DEVICE, answer=[("SumNum", 2), ("Status", "ok"), ("Capacity", 32768)])


def do_ptz(d, bit):
    run(d, "DeviceControl", ptz("A50F0101320000E8"), state="arrived")
    time.sleep(0.3)  # it moves meanwhile, and at its speed
    run(d, "DeviceControl", ptz("A50F0100000000B5"), state="arrived")
    if bit == 8:
        c = run(d, "PTZPosition")
        expect(float(values(c["answer"], "Pan")[0]) > 0, c["answer"])


def do_record(d, _):
    run(d, "DeviceControl", {"RecordCmd": "Record"}, answer=OK)
    run(d, "DeviceStatus", answer=[("Record", "ON")])
    run(d, "DeviceControl", {"RecordCmd": "StopRecord"}, answer=OK)
    run(d, "DeviceStatus", answer=[("Record", "OFF")])
    run(d, "RecordInfo", {**DAY, "Type": "manual"}, answer=[("Type", "manual")])


def do_guard(d, _):
    for order, word in (("SetGuard", "ONDUTY"), ("ResetGuard", "OFFDUTY")):
        run(d, "DeviceControl", {"GuardCmd": order}, answer=OK)
        c = run(d, "DeviceStatus", channel=DEVICE)
        expect(word in str(c["answer"]), f"{word}: {c['answer']}")


def do_reset(d, _):
    """The alarm that ask_alarm saw goes on until then."""
    c = run(d, "DeviceStatus")
    expect("ALARM" in str(c["answer"]), c["answer"])
    run(d, "DeviceControl", {"AlarmCmd": "ResetAlarm"}, answer=OK)
    c = run(d, "DeviceStatus")
    expect("ALARM" not in str(c["answer"]), c["answer"])


def do_iframe(spelling):
    return lambda d, _: run(d, "DeviceControl", {spelling: "Send"}, state="arrived")


def do_zoom(name):
    def order(d, bit):
        run(d, "DeviceControl", {name: AREA}, state="arrived")
        if bit == 8:
            c = run(d, "PTZPosition")
            expect(float(values(c["answer"], "Zoom")[0]) == (4 if name == "DragZoomIn" else 1), c["answer"])

    return order


def do_precise(d, _):
    run(d, "DeviceControl", {"PTZPreciseCtrl": {"Pan": 120.5, "Tilt": 12, "Zoom": 2}}, state="arrived")
    run(d, "PTZPosition", answer=[("Pan", 120.5), ("Tilt", 12), ("Zoom", 2)])


def do_format(d, _):
    run(d, "DeviceControl", {"FormatSDCard": 1}, DEVICE, state="arrived")
    run(d, "SDCardStatus", channel=DEVICE, answer=[("Status", "formatting")])


def do_target(d, _):
    run(d, "DeviceControl", {"TargetTrack": "Manual", "DeviceID2": CHANNEL, "TargetArea": AREA}, state="arrived")


def again(d, before):
    """Registered once more."""
    wait_for("a new registration", lambda: d.devices()[0]["registered_at"] != before and d.online(), 30)


def do_upgrade(d, _):
    before = d.devices()[0]["registered_at"]
    run(d, "DeviceControl", {"DeviceUpgrade": {"Firmware": "V9", "FileURL": "http://127.0.0.1:9/f",
                                               "Manufacturer": "gbcam", "SessionID": SESSION}}, DEVICE, answer=OK)
    again(d, before)
    run(d, "DeviceInfo", channel=DEVICE, answer=[("Firmware", "V9")])


def do_boot(d, _):
    before = d.devices()[0]["registered_at"]
    run(d, "DeviceControl", {"TeleBoot": "Boot"}, DEVICE, state="arrived")
    again(d, before)


CASES = {  # in the order in which they are walked
    ("QUERY", "DeviceStatus", ""): ask_status,
    ("QUERY", "Catalog", ""): ask_catalog,
    ("QUERY", "DeviceInfo", ""): ask_info,
    ("QUERY", "RecordInfo", ""): ask_records,
    ("QUERY", "Alarm", ""): ask_alarm,
    ("QUERY", "MobilePosition", ""): ask_position,
    ("QUERY", "ConfigDownload", ""): ask_config,
    ("CONTROL", "DeviceConfig", ""): set_config,
    ("QUERY", "PresetQuery", ""): ask_presets,
    ("QUERY", "HomePositionQuery", ""): ask_home,
    ("CONTROL", "DeviceControl", "HomePosition"): set_home,
    ("QUERY", "CruiseTrackListQuery", ""): ask_tracks,
    ("QUERY", "CruiseTrackQuery", ""): ask_track,
    ("QUERY", "PTZPosition", ""): ask_look,
    ("QUERY", "SDCardStatus", ""): ask_cards,
    ("CONTROL", "DeviceControl", "PTZCmd"): do_ptz,
    ("CONTROL", "DeviceControl", "RecordCmd"): do_record,
    ("CONTROL", "DeviceControl", "AlarmCmd"): do_reset,
    ("CONTROL", "DeviceControl", "GuardCmd"): do_guard,
    ("CONTROL", "DeviceControl", "IFameCmd"): do_iframe("IFameCmd"),
    ("CONTROL", "DeviceControl", "IFrameCmd"): do_iframe("IFrameCmd"),
    ("CONTROL", "DeviceControl", "DragZoomIn"): do_zoom("DragZoomIn"),
    ("CONTROL", "DeviceControl", "DragZoomOut"): do_zoom("DragZoomOut"),
    ("CONTROL", "DeviceControl", "PTZPreciseCtrl"): do_precise,
    ("CONTROL", "DeviceControl", "FormatSDCard"): do_format,
    ("CONTROL", "DeviceControl", "TargetTrack"): do_target,
    ("CONTROL", "DeviceControl", "DeviceUpgrade"): do_upgrade,
    ("CONTROL", "DeviceControl", "TeleBoot"): do_boot,
}
# ---- the walk -------------------------------------------------------------------------

ELSEWHERE = {  # rows that no request of the API sends, and where they are seen
    "Keepalive": "every_notice",
    "Alarm": "every_notice",
    "MediaStatus": "test/e2e/foreign.py: playback",
    "Broadcast": "no resource of the API sends it; test/test_device_answers.c",
    "MobilePosition": "every_notice",
    "Catalog": "every_notice",
    "PTZPosition": "nobody subscribes to it; test/test_device_answers.c",
    "UploadSnapShotFinished": "every_notice",
    "VideoUploadNotify": "every_notice",
    "DeviceUpgradeResult": "every_notice",
}


def walk(edition):
    bit = EDITIONS[edition]
    known = {(root, cmd, sub): editions for root, cmd, sub, _, _, editions in rows()}
    for root, cmd, sub in known:
        expect((root, cmd, sub) in CASES or (root == "NOTIFY" and cmd in ELSEWHERE), f"no case for {cmd} {sub}")
    with system("--edition", edition, "--records", "4", "--retry", "1", "--charset", "gb18030") as (d, c):
        c.proc.send_signal(signal.SIGUSR1)
        wait_for("an alarm", lambda: d.get("/api/v1/alarms")["items"])
        for row, case in CASES.items():
            if known[row] & bit:
                try:
                    case(d, bit)
                except Failed as e:
                    raise Failed(f"{edition} {row[1]} {row[2]}: {e}") from e


class Receiver(http.server.BaseHTTPRequestHandler):
    """A webhook's; keeps what it is told in its server's list."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append(json.loads(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@test
def an_alarm_is_followed():
    """A rule: a recording, a preset, a call; not again at once; the same behind a restart."""
    receiver = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    receiver.told = []
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with system("--retry", "1", "--keepalive", "2") as (d, c):
        ch = channel_id(DEVICE)
        hook = {"name": "ops", "url": f"http://127.0.0.1:{receiver.server_port}/", "events": ["device"]}
        expect(d.call("POST", "/api/v1/webhooks", hook).status == 201, "webhook")
        rule = {"when": {"device": DEVICE, "method": "5"}, "at": {"channel": ch}, "record_s": 3, "preset": 7,
                "webhook": "ops", "every_s": 3600}
        a = d.call("PUT", "/api/v1/rules/gate", rule)
        expect(a.status == 201, a.body)
        d.stop()
        d.start()
        wait_for("online", lambda: len(d.online()) == 1)
        wait_for("catalog", lambda: d.online()[0]["channels"] == 1)
        alarms = 0
        for _ in range(2):
            c.proc.send_signal(signal.SIGUSR1)
            alarms += 1
            wait_for("an alarm", lambda: d.get("/api/v1/alarms")["total"] >= alarms)
            time.sleep(5.5)  # the same alarm again is none for so long
        wait_for("two heard", lambda: d.get("/api/v1/rules/gate")["held_back"] == 1)
        got = d.get("/api/v1/rules/gate")
        expect((got["followed"], got["failed"], got["why"]) == (1, 0, ""), got)
        expect([x["target"] for x in d.get("/api/v1/commands?cmd=PTZCmd")["items"]] == [ch], "one preset")
        told = [x for x in receiver.told if x["event"] == "rule"]
        expect([(x["data"]["rule"], x["data"]["alarm"]["device"]) for x in told] == [("gate", DEVICE)], receiver.told)

        def recorded():
            items = d.get(f"/api/v1/records?device={DEVICE}&channel={ch}")["items"]
            return [x for x in items if not x["open"]]

        wait_for("a recording", recorded, 20 * SLOW)
        expect(1500 < recorded()[0]["length_ms"] < 15000, recorded())
        expect(d.call("DELETE", "/api/v1/rules/gate").status == 204, "it goes")
        expect(d.get("/api/v1/rules")["items"] == [], "it is gone")
    receiver.shutdown()


@test
def every_row_of_2011():
    walk("1.0")


@test
def every_row_of_2014():
    walk("1.1")


@test
def every_row_of_2016():
    walk("2.0")


@test
def every_row_of_2022():
    walk("3.0")


def told(d, method, cmd):
    """It came by that method, and was answered with 200."""
    items = d.get(f"/api/v1/trace?device={DEVICE}&limit=500")["items"]
    came = [(m["call_id"], m["cseq"]) for m in items if m["direction"] == "in" and m["method"] == method and
            m["status"] == 0 and f"<CmdType>{cmd}<" in (m["text"] or "")]
    return any((m["call_id"], m["cseq"]) in came for m in items if m["direction"] == "out" and m["status"] == 200)


@test
def every_notice():
    with system("--edition", "3.0", "--offer-video", "2", "--flap", "2", "--alarm", "2", "--keepalive", "2",
                settings=["subscribe.catalog=600", "subscribe.position=600"]) as (d, _):
        upgrade = {"Firmware": "V9", "FileURL": "http://127.0.0.1:9/f", "Manufacturer": "gbcam", "SessionID": SESSION}
        run(d, "DeviceConfig", {"SnapShotConfig": TYPES["SnapShotConfig"][1]}, answer=OK)
        for method, cmd in (("MESSAGE", "Keepalive"), ("MESSAGE", "Alarm"), ("MESSAGE", "VideoUploadNotify"),
                            ("MESSAGE", "UploadSnapShotFinished"), ("NOTIFY", "Catalog"),
                            ("NOTIFY", "MobilePosition")):
            wait_for(f"{method} {cmd}", lambda m=method, c=cmd: told(d, m, c), 15)
        wait_for("a position", lambda: d.get("/api/v1/positions")["items"])
        wait_for("the channel to be off", lambda: not d.channels(DEVICE)[0]["online"])
        run(d, "DeviceControl", {"DeviceUpgrade": upgrade}, DEVICE, answer=OK)
        wait_for("the result of the upgrade", lambda: told(d, "MESSAGE", "DeviceUpgradeResult"), 15)


# ---- deviations --------------------------------------------------------------------------


@test
def what_is_refused_says_so():
    with system("--edition", "2.0", "--fault", "says-error", channels=0) as (d, _):
        c = run(d, "DeviceControl", {"GuardCmd": "SetGuard"}, state="refused")
        expect("ERROR" in c["evidence"], c)
        run(d, "ConfigDownload", {"ConfigType": "BasicParam"}, state="refused")


@test
def what_sip_refuses_says_so():
    with system("--edition", "2.0", "--refuse-message", "405", channels=0) as (d, _):
        c = run(d, "DeviceControl", {"GuardCmd": "SetGuard"}, state="refused")
        expect(c["sip_status"] == 405 and "405" in c["evidence"], c)


@test
def what_nobody_answers_is_silent():
    with system("--edition", "3.0", "--fault", "mute", channels=0) as (d, _):
        upgrade = {"Firmware": "V9", "FileURL": "http://127.0.0.1:9/f", "Manufacturer": "gbcam", "SessionID": SESSION}
        c = run(d, "DeviceControl", {"DeviceUpgrade": upgrade}, DEVICE, state="silent", timeout=30)
        expect(c["arrived_at"] and c["tries"] == 1, c)  # one that is not sent again


@test
def what_comes_late_is_kept():
    with system("--edition", "2.0", "--late", "1000") as (d, _):
        run(d, "DeviceControl", {"GuardCmd": "SetGuard"}, answer=OK)


TOLERATED = ("wrong-id", "dup-list", "own-sum", "one-config", "no-result", "other-edition", "also-answers",
             "false-charset", "lf-only", "attributes", "nested-status", "self-parent", "no-parent")


def tolerated(fault):
    """Answered all the same, and completely."""
    def check():
        with system("--edition", "2.0", "--fault", fault, "--records", "4") as (d, _):
            run(d, "DeviceInfo", channel=DEVICE, answer=[("Model", "GBCAM-1")])
            c = run(d, "RecordInfo", DAY, answer=[("Name", "大门 1-1")])
            expect(c["have"] == 4 and len(set(values(c["answer"], "FilePath"))) == 4, c)
            expect((fault == "own-sum") == ("counts itself" in c["evidence"]), c)
            run(d, "ConfigDownload", {"ConfigType": "BasicParam/VideoParamOpt"}, answer=[("HeartBeatCount", 3)])

    check.__name__ = "tolerated_" + fault.replace("-", "_")
    return check


test.extend(tolerated(fault) for fault in TOLERATED)


@test
def a_list_without_sum():
    """It is over when nothing has followed for a while."""
    with system("--edition", "2.0", "--fault", "no-sum", "--records", "4", channels=2) as (d, _):
        c = run(d, "RecordInfo", DAY)
        expect(c["have"] == 4, c)


@test
def an_ampersand_and_an_item_that_nobody_can_read():
    with system("--edition", "2.0", "--fault", "raw-ampersand") as (d, _):
        expect(d.channels(DEVICE)[0]["name"].startswith("A & B"), d.channels(DEVICE))
    d = Daemon()
    c = Cameras(d, "--channels", "3", "--fault", "bad-item")
    try:
        wait_for("two of three channels", lambda: d.devices() and len(d.channels(DEVICE)) == 2)
        wait_for("what is said of it", lambda: d.devices()[0]["catalog"] == "partial")
    finally:
        c.close()
        d.close()


@test
def what_has_no_result_is_refused_too():
    with system("--edition", "3.0", "--fault", "says-error", channels=0) as (d, _):
        for cmd in ("HomePositionQuery", "PTZPosition"):
            run(d, cmd, channel=DEVICE, state="refused")


@test
def home_position_by_another_name():
    with system("--edition", "3.0", "--fault", "home-alias") as (d, _):
        run(d, "HomePositionQuery")


@test
def a_short_list_is_partial():
    with system("--edition", "2.0", "--fault", "short-list", "--records", "3") as (d, _):
        c = run(d, "RecordInfo", DAY)
        expect(c["partial"] and (c["have"], c["sum"]) == (3, 4), c)


@test
def presets_one_by_one():
    with system("--edition", "3.0", "--preset-items", "1") as (d, _):
        for code in ("A50F018100010037", "A50F0181000A0040"):
            run(d, "DeviceControl", ptz(code), state="arrived")
        c = run(d, "PresetQuery", answer=[("PresetID", 1), ("PresetID", 10)])
        expect(c["messages"] == 2 and not c["partial"], c)


if __name__ == "__main__":
    sys.exit(run_tests(test, 12, order=lambda fn: fn.__name__.startswith("tolerated")))
