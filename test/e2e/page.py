#!/usr/bin/env python3
"""test/e2e/page.py - the page in headless Chromium: log in, click a channel,
see the picture move, and through the other views. Arguments are names of cases:
those alone.

The clip draws its frame number as 32 black and white blocks: the test reads
them off the picture twice, so a frozen or torn picture fails."""
import base64
import contextlib
import http.server
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
import urllib.request

from browser import LISTEN, SHOTS, Browser, hears_the_tone, read_clock, theme
from page_contrast import contrast, keyboard
from page_devices import devices
from rig import SLOW, TOP, Cameras, Daemon, Failed, channel_id, free_port, wait_for

AAC_DEVICE = "34020000001180000007"
CHANNEL = "#tree [aria-level='2']"
AAC_ROW = f"document.querySelector('#tree [data-key^=\"{AAC_DEVICE}/\"]')"


def admin_password(d):
    return re.search(r"admin password\s+(\S+)", d.output()).group(1)


def log_in_as(b, name, password):
    wait_for("login form", lambda: b.run("return !document.getElementById('login').hidden"))
    b.run("document.getElementById('username').value = arguments[0]; document.getElementById('password').value = ''", name)
    b.type("#password", password)
    b.click("#login-form button")


def log_in(b, d, site):
    """The first run: what is told there is typed into a camera; two clicks, login and its channel, and there is its picture."""
    b.open(d.base + "/")
    wait_for("login form", lambda: b.run("return !document.getElementById('login').hidden"))
    if errors := b.log():
        raise Failed(f"on the console before anybody has logged in: {errors}")
    b.both("login")
    log_in_as(b, "admin", "not it")
    wait_for("refusal", lambda: b.run("return document.getElementById('login-error').textContent"))
    log_in_as(b, "admin", admin_password(d))
    wait_for("what to type", lambda: b.run("return document.querySelectorAll('#welcome:not([hidden]) code').length") >= 5)
    b.run("const s = document.querySelector('#welcome select'); s.value = 'dahua'; s.dispatchEvent(new Event('change'))")
    wait_for("the words of a maker", lambda: "Device No." in b.run("return document.getElementById('welcome').textContent"))
    b.both("welcome")
    with open(d.password_file) as f:
        if f.read().strip() not in b.run("return document.getElementById('welcome').textContent"):
            raise Failed("the password for cameras is not told")
    site.start()
    wait_for("tree", lambda: b.run("return document.querySelectorAll(arguments[0]).length", CHANNEL) == 2)
    wait_for("no more hints", lambda: b.run("return document.getElementById('welcome').hidden"))
    b.click(CHANNEL)
    wait_for("picture", lambda: read_clock(b), timeout=25)


def plays(b, d):
    b.click(CHANNEL)
    first = wait_for("picture", lambda: read_clock(b), timeout=25)
    time.sleep(2)
    second = wait_for("picture", lambda: read_clock(b))
    if second["time"] - first["time"] < 1:
        raise Failed(f"video time stands: {first} {second}")
    moved = (second["frame"] - first["frame"]) % 250
    if not 25 <= moved <= 125:
        raise Failed(f"the clock in the picture moved by {moved} frames: {first} {second}")
    figures = {k: b.run(f"return document.getElementById('f-{k}').textContent")
               for k in ("codec", "size", "bitrate", "delay", "over")}
    if not figures["codec"].startswith("avc1.") or figures["size"] != "640×360":
        raise Failed(f"figures: {figures}")
    if "kbit/s" not in figures["bitrate"] or "ms" not in figures["delay"]:
        raise Failed(f"figures: {figures}")
    told = b.run("return document.getElementById('urls').textContent")
    if not all(x in told for x in ("/index.m3u8?", ".ps?", ".flv?", "ws://", "/frame.mp4?")):
        raise Failed(f"addresses: {told}")
    b.shot("playing")
    print("        " + ", ".join(f"{k} {v}" for k, v in figures.items()))
    if b.run(LISTEN)["level"] > 0.01:
        raise Failed("it is not silent at the start")
    b.click("#sound")
    got = hears_the_tone(b)
    print(f"        level {got['level']:.2f}, {got['hz']:.0f} Hz")


def sub_stream(b):
    """Half the size, and sound as it was left."""
    b.run("const s = document.getElementById('stream'); s.value = 'sub'; s.dispatchEvent(new Event('change'))")
    wait_for("the sub-stream", lambda: b.run("return document.getElementById('video').videoWidth") == 320, timeout=25)
    hears_the_tone(b)
    b.run("const s = document.getElementById('stream'); s.value = 'main'; s.dispatchEvent(new Event('change'))")
    wait_for("the main stream", lambda: b.run("return document.getElementById('video').videoWidth") == 640, timeout=25)


def note_20_1_says_that_it_cannot_play(b):
    """A browser without the codec of the stream: it says so, and what to do."""
    b.run("""window.able = MediaSource.isTypeSupported;
        MediaSource.isTypeSupported = (c) => !/avc1/.test(c);""")
    choose = "const s = document.getElementById('stream'); s.value = '%s'; s.dispatchEvent(new Event('change'))"
    b.run(choose % "sub")
    wait_for("the reason", lambda: b.run("""return !document.getElementById('problem').hidden
        && /avc1/.test(document.getElementById('problem-evidence').textContent)
        && /sub stream/.test(document.getElementById('problem-hint').textContent)"""), timeout=25)
    b.run("MediaSource.isTypeSupported = window.able")
    b.run(choose % "main")
    wait_for("the picture again", lambda: b.run("return document.getElementById('video').videoWidth") == 640, timeout=25)


def aac(b, d):
    """Another camera, whose sound is AAC; sound stays on."""
    c = Cameras(d, "--audio", "aac", device=AAC_DEVICE)
    try:
        wait_for("its channel", lambda: b.run(f"return Boolean({AAC_ROW})"))
        b.run(f"{AAC_ROW}.click()")
        wait_for("AAC", lambda: "mp4a" in b.run("return document.getElementById('f-codec').textContent"), timeout=25)
        hears_the_tone(b)
    finally:
        c.close()


def begins_anew_when_nothing_is_drawn(b):
    """Media comes, and no picture is drawn: another connection after a while."""
    b.run("""const Old = WebSocket;
        window.opened = 0;
        window.WebSocket = class extends Old { constructor(url) { super(url); window.opened++; } };
        window.quality = HTMLVideoElement.prototype.getVideoPlaybackQuality;
        HTMLVideoElement.prototype.getVideoPlaybackQuality = () => ({ totalVideoFrames: 7 });""")
    wait_for("another connection", lambda: b.run("return window.opened") > 0, timeout=20)
    b.run("HTMLVideoElement.prototype.getVideoPlaybackQuality = window.quality")
    wait_for("the picture again", lambda: read_clock(b), timeout=25)


def note_20_7_asks_to_log_in_again(b, d):
    """The login is worth nothing any more, as after a restart, and the media end: no black picture, but
    the form; and behind it the picture. Of one who may only look the page asks for the media alone."""
    d.call("POST", "/api/v1/users", {"name": "lea", "password": "looks-on-1", "role": "viewer"})
    for name, password in (("lea", "looks-on-1"), ("admin", admin_password(d))):
        b.call("DELETE", b.session + "/cookie")
        for s in d.get("/api/v1/sessions")["items"]:
            d.stop_live(s["device"], s["channel"])
        wait_for("login form", lambda: b.run("return !document.getElementById('login').hidden"), timeout=25)
        log_in_as(b, name, password)
        wait_for("form gone", lambda: b.run("return document.getElementById('login').hidden"))
        wait_for(f"picture of {name}", lambda: read_clock(b), timeout=25)
    d.call("DELETE", "/api/v1/users/lea")


def moves(b, d):
    """Hold to move: one order with the press, one to stop with the release."""
    b.run("document.getElementById('ptz').open = true")
    wait_for("presets", lambda: b.run("return document.querySelectorAll('#ptz .presets option').length") >= 16)
    press = "const e = document.querySelector('#ptz [data-action=left]'); e.setPointerCapture = () => {};" \
            "e.dispatchEvent(new PointerEvent(arguments[0], { pointerId: 1 }))"
    orders = lambda: [c for c in d.get("/api/v1/commands?cmd=PTZCmd")["items"]]
    b.run(press, "pointerdown")
    wait_for("the order", lambda: len(orders()) == 1)
    b.run(press, "pointerup")
    wait_for("the stop", lambda: len(orders()) == 2 and all(c["state"] == "arrived" for c in orders()))
    b.run("document.querySelector('#ptz .presets').value = '7'; document.querySelector('#ptz .keep').click()")
    wait_for("the preset", lambda: b.run("return document.querySelector('#ptz .presets option[value=\"7\"]').textContent.includes('●')"))
    gamepad(b, d)
    b.run("document.getElementById('ptz').scrollIntoView({ block: 'end' })")
    b.run("document.querySelector('#stage').scrollTop = 0")
    b.both("live")
    b.run("document.getElementById('ptz').open = false")


def gamepad(b, d):
    """A stick that is pushed moves as fast as it is, one that is let go stops; a button goes to the chosen preset."""
    count = lambda: d.get("/api/v1/commands?cmd=PTZCmd")["total"]  # one that is held is renewed: more may come
    b.run("""window.pad = { axes: [0, 0], buttons: Array.from({ length: 8 }, () => ({ value: 0, pressed: false })) };
        navigator.getGamepads = () => [window.pad];
        dispatchEvent(new Event('gamepadconnected'));""")
    for name, then in (("the stick's order", "axes[0] = 1"), ("the stick's stop", "axes[0] = 0.05"),
                       ("the trigger's order", "buttons[7].value = 0.5"), ("the trigger's stop", "buttons[7].value = 0"),
                       ("the button's preset", "buttons[0].pressed = true")):
        before = count()
        b.run(f"window.pad.{then}")
        wait_for(name, lambda: count() > before)
    b.run("window.pad.buttons[0].pressed = false; navigator.getGamepads = () => [null]")


def speaks(b, cam):
    """Held: the browser's microphone, which beeps, is heard at the camera; let go: the end."""
    b.run("document.getElementById('talk').open = true")
    press = "const e = document.querySelector('#talk .hold'); e.setPointerCapture = () => {};" \
            "e.dispatchEvent(new PointerEvent(arguments[0], { pointerId: 1 }))"
    b.run(press, "pointerdown")
    wait_for("its beep at the camera", lambda: 'msg="voice heard"' in cam.log())
    if "Speak" not in b.run("return document.querySelector('#talk .said').textContent"):
        raise Failed("the page does not say that it speaks")
    b.shot("talk")
    b.run(press, "pointerup")
    wait_for("the end", lambda: 'msg="voice ends"' in cam.log())
    b.run("document.getElementById('talk').open = false")


def recording(b, d):
    """The first piece of a day: plays, is paused, faster, elsewhere; then live again."""
    at = lambda: b.run("return document.querySelector('#past .at').textContent")
    told = lambda: [s["playback"] for s in d.get("/api/v1/sessions")["items"] if s["kind"] == "playback"]
    key = "document.querySelector('#past .bar').dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0] }))"
    b.run("""document.getElementById('past').open = true;
        const day = document.querySelector('#past .day');
        day.valueAsDate = new Date(Date.now() - 3600000 - new Date().getTimezoneOffset() * 60000);
        day.dispatchEvent(new Event('change'));""")
    wait_for("the day", lambda: b.run("return document.querySelectorAll('#past .bar i').length"))
    b.run(key, "Home")
    wait_for("the recording", lambda: read_clock(b) and at(), timeout=25)
    begun = at()
    wait_for("its time to go on", lambda: at() != begun)
    b.click("#past .pause")
    wait_for("a pause", lambda: told()[0]["paused"])
    b.click("#past .pause")
    wait_for("no pause", lambda: not told()[0]["paused"])
    b.run("const s = document.querySelector('#past .scale'); s.value = '4'; s.dispatchEvent(new Event('change'))")
    wait_for("its pace", lambda: told()[0]["scale"] == 4)
    before = told()[0]["position_s"]
    b.run(key, "ArrowRight")
    wait_for("a minute further", lambda: told()[0]["position_s"] >= before + 55)
    seek_changes_the_picture(b, told)
    b.shot("recording")
    b.click("#past .live")
    wait_for("no playback", lambda: not told())
    wait_for("the live picture", lambda: read_clock(b), timeout=25)
    b.run("document.getElementById('past').open = false")


PHASE_S = 10  # the clip begins anew


def phase(b, told):
    """Where the picture stands in the clip against where the server says that it plays."""
    got = wait_for("a picture", lambda: read_clock(b))
    return (got["frame"] / 25 - told()[0]["position_s"]) % PHASE_S


def seek_changes_the_picture(b, told):
    """A click half a clip off a whole number of clips: another picture, the one that belongs there."""
    b.run("const s = document.querySelector('#past .scale'); s.value = '1'; s.dispatchEvent(new Event('change'));"
          "const h = document.querySelector('#past .sight'); h.value = '1'; h.dispatchEvent(new Event('change'))")
    wait_for("its pace", lambda: told()[0]["scale"] == 1)
    time.sleep(2.5)
    was, at = phase(b, told), told()[0]["position_s"]
    b.run("""const bar = document.querySelector('#past .bar'); bar.setPointerCapture = () => {};
        const box = bar.getBoundingClientRect(), mark = bar.querySelector('b').getBoundingClientRect();
        const second = box.width / 3600;
        let x = mark.left + 120 * second;
        while (Math.abs((x - mark.left) / second % 10 - 5) > 2) x += 1;
        for (const kind of ['pointerdown', 'pointerup']) bar.dispatchEvent(new PointerEvent(kind, { pointerId: 1, clientX: x }));""")
    wait_for("the other place", lambda: told()[0]["position_s"] > at + 100)
    time.sleep(2.5)
    off = (phase(b, told) - was + PHASE_S / 2) % PHASE_S - PHASE_S / 2
    moved = told()[0]["position_s"] - at
    if abs(off) > 2:
        raise Failed(f"the picture is {off:.1f} s off its place after a seek of {moved:.1f} s")


def own_recording(b, d):
    """What this server has recorded, on the same bar: plays as slowly as it is told to, and is saved."""
    device, channel = "34020000001180000001", "34020000001310000001"
    b.run(f"location.hash = '#/live/{device}/{channel}'")
    b.run("document.getElementById('past').open = true;"
          "const day = document.querySelector('#past .day'); day.valueAsDate = new Date(Date.now() - new Date().getTimezoneOffset() * 60000);"
          "day.dispatchEvent(new Event('change'))")
    wait_for("a piece of it", lambda: b.run("return document.querySelectorAll('#past .bar i.ours').length"))
    b.run("const s = document.querySelector('#past .which'); s.value = 'ours'; s.dispatchEvent(new Event('change'));"
          "document.querySelector('#past .bar').dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }))")
    wait_for("its picture", lambda: b.run("return document.getElementById('video').src.includes('records.mp4')") and read_clock(b))
    b.run("const s = document.querySelector('#past .scale'); s.value = '0.25'; s.dispatchEvent(new Event('change'))")
    begun, when = read_clock(b)["time"], time.monotonic()
    time.sleep(2)
    rate = (read_clock(b)["time"] - begun) / (time.monotonic() - when)
    if not 0.1 < rate < 0.5:
        raise Failed(f"a quarter of the pace is {rate:.2f}")
    b.click("#past .pause")
    wait_for("a pause", lambda: b.run("return document.getElementById('video').paused"))
    b.run("window.saved = []; window.click = HTMLAnchorElement.prototype.click;"
          "HTMLAnchorElement.prototype.click = () => {}; window.make = URL.createObjectURL;"
          "URL.createObjectURL = (b) => { if (b.type === 'video/mp4') window.saved.push(b.size); return window.make.call(URL, b); }")
    b.click("#past .save")
    size = wait_for("the file", lambda: b.run("return window.saved")[0:1])[0]
    b.run("HTMLAnchorElement.prototype.click = window.click; URL.createObjectURL = window.make")
    if size < 20000:
        raise Failed(f"a file of {size} bytes")
    b.run("document.getElementById('past').scrollIntoView({ block: 'end' })")
    b.both("timeline")
    b.click("#past .live")
    wait_for("the live picture", lambda: not b.run("return document.getElementById('video').src.includes('records.mp4')") and read_clock(b), timeout=25)
    b.run("document.querySelector('#past .which').value = ''; document.getElementById('past').open = false")


def alarm_recording(b, d, cam):
    """An alarm leads to what was recorded when it came."""
    device, channel = "34020000001180000001", "34020000001310000001"
    record = f"/api/v1/devices/{device}/channels/{channel}/record"
    d.call("POST", record, {"action": "start"})
    wait_for("it records", lambda: d.get(record)["state"] == "recording", timeout=25)
    time.sleep(1)
    cam.proc.send_signal(signal.SIGUSR1)
    wait_for("the alarm with its recording", lambda: d.get("/api/v1/alarms")["items"][0]["recording"])
    time.sleep(2)
    d.call("POST", record, {"action": "stop"})
    b.run("location.hash = '#/alarms'")
    first = "document.querySelector('#view-alarms tbody .acts button[data-t=records]')"
    wait_for("a button", lambda: b.run("return " + first))
    b.both("alarms")
    b.run(first + ".click()")
    wait_for("its picture", lambda: b.run("return document.getElementById('video').src.includes('records.mp4')") and read_clock(b), timeout=25)
    b.run("location.hash = '#/home'; document.getElementById('past').open = false; document.querySelector('#past .which').value = ''")


def tours(b, d):
    """A cruise is made of a preset, and started; a gamepad's stick turns the camera as long as it is pushed."""
    device, channel = "34020000001180000001", "34020000001310000001"
    b.run(f"location.hash = '#/live/{device}/{channel}'; document.getElementById('ptz').open = true")
    count = lambda: len(d.get("/api/v1/commands?cmd=PTZCmd&limit=500")["items"])
    before = count()
    for key in ("cruiseAdd", "tourStart"):
        b.run("document.querySelector('#ptz .tours [data-t=' + arguments[0] + ']').click()", key)
    wait_for("both orders", lambda: count() == before + 2)
    bodies = b.run_async("""const done = arguments[0];
        import('/gamepad.js').then((m) => done([m.wish({ axes: [0.1, -0.1], buttons: [] }), m.wish({ axes: [1, 0], buttons: [] }),
        m.wish({ axes: [0, 0], buttons: [0, 0, 0, 0, 0, 0, { value: 0.5 }, { value: 0 }] })]));""")
    if bodies[0] is not None or bodies[1] != {"action": "move", "pan": 1, "tilt": 0, "zoom": 0, "pan_speed": 255} or bodies[2]["zoom"] != -1:
        raise Failed(f"gamepad: {bodies}")
    b.run("""window.stick = [-1, 0]; document.hasFocus = () => true;
        navigator.getGamepads = () => [{ axes: window.stick, buttons: [] }];
        window.dispatchEvent(new Event('gamepadconnected'));""")
    wait_for("the stick's order", lambda: count() == before + 3)
    b.run("window.stick = [0, 0]")
    wait_for("its stop", lambda: count() == before + 4)
    b.run("navigator.getGamepads = () => []; document.getElementById('ptz').open = false")


def access(b, d):
    """A viewer of one device is made, logs in, sees his picture and none of what is not his; a token is told once."""
    b.run("location.hash = '#/access'")
    wait_for("the admin", lambda: b.run("return document.querySelector('#view-access [data-id=admin]')"))
    b.run("""const f = document.querySelectorAll('#view-access section form')[0], i = f.querySelectorAll('input');
        i[0].value = 'lina'; i[1].value = 'yard-and-gate'; i[2].click(); i[3].value = arguments[0]; f.requestSubmit();""", "34020000001180000001")
    wait_for("her row", lambda: b.run("return document.querySelector('#view-access [data-id=lina] .wide')?.textContent") == "34020000001180000001")
    b.run("const f = document.querySelectorAll('#view-access section form')[2], i = f.querySelectorAll('input'); i[0].value = 'yard'; f.requestSubmit()")
    wait_for("the group", lambda: b.run("return document.querySelector('#view-access [data-id=yard]')"))
    b.run("document.querySelector('#view-access [data-id=yard] button').click()")
    b.run("const f = document.querySelectorAll('#view-access section form')[1]; f.querySelector('input').value = arguments[0]; f.requestSubmit()", "34020000001180000001")
    wait_for("its device", lambda: b.run("return document.querySelector('#view-access form [data-id=\"34020000001180000001\"]')"))
    b.run("""const f = document.querySelectorAll('#view-access section form')[3]; f.querySelector('input').value = 'robot';
        f.querySelector('.tools .tools input[type=checkbox]').click(); f.querySelector('.picks input[value=yard]').click(); f.requestSubmit()""")
    token = wait_for("the token", lambda: b.run("return document.querySelectorAll('#view-access .once')[0].textContent"))
    if d.call("GET", "/api/v1/me", token=False, headers={"Authorization": "Bearer " + token}).json["role"] != "viewer":
        raise Failed("the token is not a viewer's")
    if d.get("/api/v1/tokens")["items"][0]["scope"] != {"devices": [], "groups": ["yard"]}:
        raise Failed("the token's scope is not the group that was picked")
    b.both("access")
    b.run("location.hash = '#/audit'")
    paths = "return [...document.querySelectorAll('#view-audit tbody tr')].map((r) => r.cells[1].textContent + ' ' + r.cells[4].textContent + ' ' + r.cells[5].textContent)"
    wait_for("what was done", lambda: "admin POST /api/v1/users" in b.run(paths))
    b.both("audit")
    b.run("const i = document.querySelectorAll('#view-audit input')[1]; i.value = '/api/v1/tokens'; i.dispatchEvent(new Event('change'))")
    wait_for("the token's alone", lambda: b.run(paths) == ["admin POST /api/v1/tokens"])
    b.click("#logout")
    time.sleep(0.5)
    log_in_as(b, "lina", "yard-and-gate")
    wait_for("her views", lambda: b.run("return document.querySelectorAll('#views a').length") > 4)
    if b.run("return document.querySelectorAll('#views a[href^=\"#/audit\"], #views a[href^=\"#/outputs\"], #views a[href^=\"#/trace\"]').length"):
        raise Failed("a viewer is offered what is not his")
    wait_for("her tree", lambda: b.run("return document.querySelector(arguments[0]) !== null", CHANNEL))
    b.click(CHANNEL)
    wait_for("her picture", lambda: read_clock(b), timeout=25)
    if b.run("return getComputedStyle(document.getElementById('ptz')).display") != "none":
        raise Failed("a viewer is offered to move")
    b.shot("viewer")
    b.click("#logout")
    time.sleep(0.5)
    log_in_as(b, "admin", admin_password(d))
    wait_for("tree", lambda: b.run("return document.querySelectorAll(arguments[0]).length", CHANNEL) == 2)
    d.call("DELETE", "/api/v1/users/lina")
    d.call("DELETE", "/api/v1/tokens/robot")


class Listener(http.server.BaseHTTPRequestHandler):
    came = []

    def do_POST(self):
        self.came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def daemon_log(b, d):
    """Lines come by themselves, filtered by level and text, until it is paused."""
    b.run("location.hash = '#/log'")
    lines = "return [...document.querySelectorAll('.lines li')].map((l) => l.textContent)"
    wait_for("the log", lambda: b.run(lines))
    b.both("log")
    before = len(b.run(lines))
    os.kill(d.proc.pid, signal.SIGHUP)
    wait_for("a line of the reload", lambda: any("configuration" in l for l in b.run(lines)[before:]))
    b.run("const i = document.querySelector('#view-log input[type=search]'); i.value = 'Configuration'; i.dispatchEvent(new Event('input'))")
    wait_for("a filter by text", lambda: (got := b.run(lines)) and all("configuration" in l for l in got))
    b.run("const s = document.querySelector('#view-log select'); s.value = 'error'; s.dispatchEvent(new Event('change'))")
    wait_for("a filter by level", lambda: b.run(lines) == [])
    b.run("document.querySelector('#view-log select').value = 'debug'")
    b.run("const f = document.querySelector('#view-log input[type=checkbox]'); f.checked = false; f.dispatchEvent(new Event('change'))")
    b.run("location.hash = '#/home'")


def server(b, d):
    """A setting is changed, a bad one is told at its field, one that the command line has cannot be."""
    b.run("location.hash = '#/server'")
    at = "document.querySelector('#view-server [data-key=\"%s\"] %s')"
    wait_for("the settings", lambda: b.run("return " + at % ("record.days", "input")))
    b.both("server")
    edit = "const i = " + at % ("record.days", "input") + "; i.value = arguments[0]; i.form.requestSubmit();"
    b.run(edit, "-1")
    wait_for("what is wrong", lambda: "range" in b.run("return " + at % ("record.days", ".error") + ".textContent"))
    b.run(edit, "12")
    wait_for("that it is set", lambda: "set here" in b.run("return " + at % ("record.days", ".value") + ".textContent"))
    got = {s["key"]: s for s in d.get("/api/v1/settings")["items"]}
    if (got["record.days"]["value"], got["record.days"]["from"]) != ("12", "kept") or got["http.listen"]["from"] != "flag":
        raise Failed(f"{got['record.days']} {got['http.listen']}")
    with open(os.path.join(d.dir, "data", "settings.yml")) as f:
        if "days: '12'" not in f.read():
            raise Failed("it is not in the file")
    b.run("document.querySelectorAll('#view-server input[type=checkbox]')[0].click()")
    wait_for("all of them", lambda: b.run("return " + at % ("http.listen", "output")))
    if b.run("return " + at % ("sip.password", "output") + ".textContent") != "not shown":
        raise Failed("the password is shown")
    b.run(at % ("record.days", "button") + ".click()")
    wait_for("the default", lambda: b.run("return " + at % ("record.days", "input") + ".value") == "30")


def outputs(b, d):
    """A webhook is added and tested; a channel is pushed somewhere, and no more."""
    device, channel = "34020000001180000001", "34020000001310000001"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        b.run(f"location.hash = '#/outputs/{device}/{channel}'")
        wait_for("the form", lambda: b.run("return document.querySelector('#view-outputs form')?.hidden") is False)
        b.run("""const f = document.querySelectorAll('#view-outputs form')[1], i = f.querySelectorAll('input');
            i[0].value = 'log'; i[1].value = arguments[0]; f.requestSubmit();""", f"http://127.0.0.1:{server.server_port}/")
        wait_for("its secret", lambda: len(b.run("return document.querySelector('#view-outputs .once').textContent")) > 20)
        wait_for("its row", lambda: b.run("return document.querySelector('#view-outputs [data-id=log] [data-t=testHook]')"))
        b.run("document.querySelector('#view-outputs [data-id=log] [data-t=testHook]').click()")
        wait_for("the test event", lambda: any(e["event"] == "test" for e in Listener.came))
        b.run("const f = document.querySelectorAll('#view-outputs form')[0]; f.querySelector('textarea').value = arguments[0]; f.requestSubmit()",
              f"rtsp://127.0.0.1:{free_port()}/gate")
        wait_for("the push", lambda: b.run("return document.querySelectorAll('#view-outputs section:first-of-type tbody tr').length") == 1)
        b.both("outputs")
        press(b, "pushNone")
        wait_for("no push", lambda: not d.get("/api/v1/pushes")["items"])
        b.run("window.confirm = () => true; document.querySelector('#view-outputs [data-id=log] [data-t=del]').click()")
        wait_for("no webhook", lambda: not d.get("/api/v1/webhooks")["items"])
    finally:
        server.shutdown()
    b.run("location.hash = '#/live'")


TILE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def tiles(b, d):
    """Those in sight are asked for; what lies in the folder is drawn, the rest is not."""
    hrefs = b.run("return [...document.querySelectorAll('#view-map .tile')].map((i) => i.getAttribute('href'))")
    if not hrefs:
        raise Failed("no tile is wanted")
    path = os.path.join(d.dir, "tiles", *hrefs[0].split("/")[-3:])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(TILE)
    got = b.run_async("const done = arguments[1]; fetch(arguments[0], { cache: 'reload' }).then((r) => done([r.status, r.headers.get('Content-Type'), r.headers.get('Content-Length')]))", hrefs[0])
    if got != [200, "image/png", str(len(TILE))]:
        raise Failed(f"a tile: {got}")
    os.unlink(path)


def chart(b, d):
    """A device that reports where it is: on the map, in the table, and its track."""
    device = "34020000001180000033"
    c = Cameras(d, "--position", "1", device=device)
    try:
        wait_for("its position", lambda: d.get(f"/api/v1/positions?device={device}")["items"], timeout=30)
        b.run("location.hash = '#/map'")
        wait_for("its mark", lambda: b.run("return document.querySelectorAll('#view-map .place:not(.fixed)').length"))
        wait_for("its row, by its name", lambda: b.run("return document.querySelector('#view-map tbody b')?.textContent") == "gbcam")
        b.run("document.querySelector('#view-map [data-t=track]').click()")
        wait_for("it is chosen", lambda: b.run("return document.querySelectorAll('#view-map .place.chosen').length") == 1)
        tiles(b, d)
        lines = b.run("return document.querySelectorAll('#view-map .net').length")
        if lines < 3:
            raise Failed(f"{lines} lines of the net")
        if SHOTS:
            time.sleep(20)  # a way to be seen
        b.both("map")
    finally:
        c.close()
    d.call("DELETE", f"/api/v1/devices/{device}")
    wait_for("one device", lambda: b.run("return document.querySelectorAll('#tree .device').length") == 1)
    b.run("location.hash = '#/live'")


def wall(b, d):
    """Two channels in the cells of four, by click and by dragging; one moved, one pictured; all of it is there again
    after a reload, and nothing is fetched once another view is shown."""
    b.run("location.hash = '#/wall'")
    wait_for("four cells", lambda: b.run("return document.querySelectorAll('.wall .cell').length") == 4)
    b.click(CHANNEL)
    b.run("""const data = new DataTransfer();
        document.querySelectorAll(arguments[0])[1].dispatchEvent(new DragEvent('dragstart', { dataTransfer: data, bubbles: true }));
        document.querySelectorAll('.cell')[3].dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }));""", CHANNEL)
    moving = "return [...document.querySelectorAll('.cell video')].map((v) => v.videoWidth > 0 && v.currentTime > 0)"
    wait_for("two pictures", lambda: b.run(moving) == [True, False, False, True], timeout=25)
    saved = b.run("""window.saved = []; window.click = HTMLAnchorElement.prototype.click;
        HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); };
        document.querySelector('.cell [data-t=snapshot]').click();""")
    saved = wait_for("a snapshot", lambda: b.run("return window.saved")[0:1])
    if not re.fullmatch(r"\d{20}-[\d-]+\.jpg", saved[0]):
        raise Failed(f"snapshot: {saved}")
    b.run("HTMLAnchorElement.prototype.click = window.click")
    b.both("wall")
    b.run("document.querySelector('.sizes [data-n=\"9\"]').click(); location.reload()")
    wait_for("the same after a reload", lambda: b.run(moving) == [True, False, False, True] + [False] * 5, timeout=25)
    b.run("location.hash = '#/live'")
    wait_for("nothing is fetched", lambda: not [s for s in d.get("/api/v1/sessions")["items"] if s["consumers"]])
    b.run("document.querySelector('#view-wall [data-t=removeAll]').click()")


def alarms(b, cam):
    """One that was there, one within a second of its coming, and a filter that leaves neither."""
    rows = lambda: b.run("return document.querySelectorAll('#view-alarms tbody tr').length")
    cam.proc.send_signal(signal.SIGUSR1)
    b.run("location.hash = '#/alarms'")
    wait_for("an alarm", lambda: rows() == 1)
    b.run("""window.waited = new Promise((done) => new MutationObserver(() => done(Date.now()))
        .observe(document.querySelector('#view-alarms tbody'), { childList: true }))""")
    time.sleep(1.2)  # two of one second are one told twice
    sent = time.time()
    cam.proc.send_signal(signal.SIGUSR1)
    came = b.run_async("window.waited.then(arguments[0])") / 1000 - sent
    if came > 1 * SLOW:
        raise Failed(f"the alarm is on the page after {came:.2f} s")
    print(f"        an alarm is on the page after {came:.2f} s")
    text = b.run("return document.querySelector('#view-alarms tbody tr').textContent")
    if "大门 1-1" not in text or "motion" not in text.lower():
        raise Failed(f"alarm: {text}")
    pick = "const s = document.querySelectorAll('#view-alarms select')[0]; s.value = arguments[0]; s.dispatchEvent(new Event('change'))"
    b.run(pick, "1")
    wait_for("none by telephone", lambda: rows() == 0)
    b.run(pick, "5")
    wait_for("both by video", lambda: rows() == 2)
    press(b, "acknowledge")
    wait_for("who has seen to it", lambda: "admin" in b.run("return document.querySelector('#view-alarms tbody tr').cells[6].textContent"))
    state = pick.replace("select')[0]", "select')[2]")
    b.run(state, "false")
    wait_for("the open one", lambda: rows() == 1)
    if len(b.run_async("const done = arguments[0]; fetch(document.querySelector('#view-alarms a[download]').href).then((r) => r.text()).then(done)")
           .strip().splitlines()) != 2:
        raise Failed("the export is not what is shown")
    b.run(state, "")
    b.run("location.hash = '#/live'")


def press(b, key):
    """A button of the view that is shown, by the key of its text."""
    b.run("document.querySelector('.view:not([hidden]) [data-t=' + arguments[0] + ']').click()", key)


def records(b, d):
    """Started and stopped by hand, its file played; then a plan, which the daemon has as it was painted."""
    device, channel = "34020000001180000001", "34020000001310000001"
    path = f"/api/v1/devices/{device}/channels/{channel}/record"
    b.run(f"location.hash = '#/records/{device}/{channel}'")
    wait_for("the view", lambda: b.run("return document.querySelector('#view-records .state')?.textContent"))
    press(b, "startRecord")
    wait_for("a recording", lambda: d.get(path)["state"] == "recording", timeout=25)
    time.sleep(2.5)
    wait_for("the button to stop", lambda: b.run("return Boolean(document.querySelector('#view-records [data-t=stopRecord]'))"))
    press(b, "stopRecord")
    wait_for("its file", lambda: b.run("return document.querySelectorAll('#view-records [data-t=del]:not([disabled])').length"))
    press(b, "play")
    wait_for("its picture", lambda: b.run("return document.querySelector('video.file').videoWidth") == 640)
    day = (time.gmtime().tm_wday + 3) % 7  # in no zone today: it shall not begin
    b.run("""const mode = document.querySelector('#view-records select'); mode.value = 'plan'; mode.dispatchEvent(new Event('change'));
        const row = document.querySelector('.plan tbody').rows[arguments[0]], cell = (i) => row.cells[i + 1];
        cell(16).dispatchEvent(new PointerEvent('pointerdown', { bubbles: true, cancelable: true }));
        for (let i = 17; i < 36; i++) cell(i).dispatchEvent(new PointerEvent('pointerover', { bubbles: true }));
        window.dispatchEvent(new PointerEvent('pointerup'));""", day)
    b.shot("records")
    press(b, "save")
    wait_for("the plan", lambda: d.get(path)["mode"] == "plan")
    plan = ["0" * 48] * 7
    plan[day] = "0" * 16 + "1" * 20 + "0" * 12
    if d.get(path)["plan"] != plan:
        raise Failed(f"plan: {d.get(path)['plan']}")
    b.both("records")
    d.call("PUT", path, {"mode": "off"})
    if not re.search(r"^gb28181_recorded_segments 1$", d.call("GET", "/metrics").body.decode(), re.M):
        raise Failed("the figures have no file of a recording")


def downloads(b, d):
    """What is dragged over in the timeline is fetched, shown with its progress, and removed."""
    b.run("location.hash = '#/live/34020000001180000001/34020000001310000001'")
    b.run("document.getElementById('past').open = true")
    day = "const i = document.querySelector('#past .day'); i.valueAsDate = new Date(Date.now() - 86400000); i.dispatchEvent(new Event('change'))"
    b.run(day)
    wait_for("the day", lambda: b.run("return document.querySelectorAll('#past .bar i').length"))
    b.run("""const bar = document.querySelector('#past .bar'); bar.setPointerCapture = () => {};
        const box = bar.getBoundingClientRect(), mark = bar.querySelector('i').getBoundingClientRect();
        const at = (x) => ({ pointerId: 1, clientX: x });
        bar.dispatchEvent(new PointerEvent('pointerdown', at(mark.left + 1)));
        bar.dispatchEvent(new PointerEvent('pointermove', at(mark.left + 7)));
        bar.dispatchEvent(new PointerEvent('pointerup', at(mark.left + 7)));
        document.querySelector('#past .get').click();""")
    wait_for("the view", lambda: b.run("return document.querySelector('#view-downloads form')"))
    b.run("""const [from, until] = document.querySelectorAll('#view-downloads input');
        until.value = new Date(Date.parse(from.value + 'Z') + 20000).toISOString().slice(0, 19);
        document.querySelector('#view-downloads form').requestSubmit();""")
    wait_for("its file", lambda: b.run("return document.querySelector('#view-downloads [data-t=toFile]')"), timeout=40)
    b.both("downloads")
    size = b.run_async("fetch(document.querySelector('#view-downloads [data-t=toFile]').href).then((r) => r.blob()).then((x) => arguments[0](x.size))")
    if size < 10000:
        raise Failed(f"a file of {size} bytes")
    b.run("window.confirm = () => true")
    press(b, "del")
    wait_for("no download", lambda: not d.get("/api/v1/downloads")["items"])
    b.run("document.getElementById('past').open = false; location.hash = '#/live'")


def settings(b, d):
    """Every type of its edition is asked for; a number of one is changed, and the device tells it so from then on."""
    device = "34020000001180000001"
    b.run(f"location.hash = '#/settings/{device}'")
    done = "return [...document.querySelectorAll('#view-settings details')].map((x) => [x.dataset.type, x.dataset.state])"
    wait_for("every type", lambda: (b.run(done) or [[0, None]])[-1][1], timeout=40)
    forms = [n for n, state in b.run(done) if state == "form"]
    if "BasicParam" not in forms or len(forms) < 2:
        raise Failed(f"types: {b.run(done)}")
    b.run("""const box = document.querySelector('[data-type=BasicParam]'); box.open = true;
        const input = box.querySelector('[title=HeartBeatInterval] + input'); input.value = 45;
        box.querySelector('form').requestSubmit();""")
    wait_for("its word", lambda: "taken" in b.run("return document.querySelector('[data-type=BasicParam] .said')?.textContent ?? ''"))
    b.shot("settings")
    told = d.get(f"/api/v1/devices/{device}/config?type=BasicParam&wait=10")["answer"][0]["BasicParam"]["HeartBeatInterval"]
    b.both("settings")
    if told != 45:
        raise Failed(f"the device tells {told}")
    b.run("""const name = document.querySelector('#view-settings .card input'); name.value = 'yard';
        document.querySelector('#view-settings .card form').requestSubmit();""")
    wait_for("its name in the tree", lambda: "yard" in b.run("return document.querySelector('#tree .device').textContent"))
    d.call("PATCH", f"/api/v1/devices/{device}", {"name": None})
    print(f"        {len(forms)} forms: {', '.join(forms)}")
    b.run("location.hash = '#/live'")


def trace(b, d):
    """The ladder of a device; one of its calls alone, with its text; what comes while it is looked at; the capture."""
    device = "34020000001180000001"
    steps = lambda: b.run("return [...document.querySelectorAll('.ladder .what')].map((x) => x.textContent)")
    b.run(f"location.hash = '#/trace/{device}'")
    wait_for("its registration", lambda: "REGISTER" in steps())
    d.call("GET", f"/api/v1/devices/{device}/config?type=BasicParam&wait=5")
    wait_for("a query that was sent meanwhile", lambda: "MESSAGE ConfigDownload" in steps())
    before = len(steps())
    b.run("[...document.querySelectorAll('.ladder .what')].find((x) => x.textContent === 'REGISTER').closest('button').click()")
    text = b.run("return document.querySelector('.message').textContent")
    if "REGISTER sip:" not in text or "Call-ID:" not in text:
        raise Failed(f"text: {text[:300]}")
    b.shot("trace")
    beside = b.run("const s = document.getElementById('stage'); return s.scrollHeight - s.clientHeight")
    if beside > 0:
        raise Failed(f"the view scrolls by {beside} beside its ladder")
    b.both("trace")
    press(b, "thisCall")
    wait_for("its call alone", lambda: steps() and len(steps()) < before and set(steps()) <= {"REGISTER", "401 Unauthorized", "200 OK"})
    size = b.run_async("fetch(document.querySelector('#view-trace a').href).then((r) => r.arrayBuffer()).then((x) => arguments[0](new Uint32Array(x)[0]))")
    if size != 0x0A0D0D0A:
        raise Failed(f"no pcapng: {size:#x}")
    b.run("location.hash = '#/live'")


def home(b, d):
    """Counts; one that knocked with a wrong password, and is accepted; first run to picture is one click further."""
    device = "34020000001180000077"
    c = Cameras(d, password="not-it", device=device)
    try:
        b.run("location.hash = '#/home'")
        wait_for("who waits", lambda: b.run("return Boolean(document.querySelector('#view-home [data-id=\"" + device + "\"]'))"), timeout=25)
        tiles = b.run("return document.querySelector('.tiles').textContent")
        if "1 / 1" not in tiles:
            raise Failed(f"counts: {tiles}")
        b.run("document.querySelector('#view-home .title button').click()")
        wait_for("the hints", lambda: "34020000002000000001" in b.run("return document.getElementById('welcome').textContent"))
        b.both("home")
        b.run("document.querySelector('#view-home .title button').click()")
        press(b, "accept")
        wait_for("a device", lambda: [x for x in d.devices() if x["id"] == device])
    finally:
        c.close()
    d.call("DELETE", f"/api/v1/devices/{device}")
    wait_for("one device in the tree", lambda: b.run("return document.querySelectorAll('#tree .device').length") == 1)
    b.run("location.hash = '#/live'")


def many(b, d):
    """A device of 2,000 channels: few rows are drawn, its last one is scrolled to and is found by name."""
    device, n = "34020000001180000009", 2000
    last = channel_id(device, n)
    c = Cameras(d, "--channels", str(n), "--items", "50", device=device)
    count = lambda: b.run("return document.querySelectorAll('#tree .row').length")
    seen = lambda: b.run("const l = document.getElementById('tree'); l.scrollTop = l.scrollHeight;"
                         "return Boolean(document.querySelector('[data-key=\"' + arguments[0] + '\"]'))", f"{device}/{last}")
    try:
        wait_for("its catalog", lambda: any(x["id"] == device and x["channels"] == n for x in d.devices()))
        wait_for("its row", lambda: b.run("return document.querySelector('[data-key=\"' + arguments[0] + '\"] .count')?.textContent", device) == str(n))
        wait_for("its last channel", seen)
        if count() > 80:
            raise Failed(f"{count()} rows are drawn")
        find = "const s = document.getElementById('search'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))"
        b.run(find, last)
        wait_for("what was searched for", lambda: b.run("return [...document.querySelectorAll('#tree .row')].map((r) => r.dataset.key)")
                 == [device, f"{device}/{last}"])
        b.run(find, "")
    finally:
        c.close()
    d.call("DELETE", f"/api/v1/devices/{device}")
    wait_for("the others", lambda: count() == 3)


def paint(b, d):
    """A site of 100,000 channels: how long until the page is there, and its tree."""
    first = "34020000001180000201"
    ids = [first[:-3] + str(201 + i) for i in range(10)]
    c = Cameras(d, "--devices", "10", "--channels", "10000", "--items", "1000", "--quiet", "--transport", "tcp", device=first)
    try:
        wait_for("their catalogs", lambda: sum(x["channels"] for x in d.devices() if x["id"] in ids) == 100000, timeout=60)
        took = []
        for _ in range(3):
            b.open("about:blank")
            b.open(d.base + "/#/home")
            took.append(wait_for("the tree", lambda: b.run(
                "const paint = performance.getEntriesByName('first-contentful-paint')[0], tree = performance.getEntriesByName('tree')[0];"
                "return document.readyState === 'complete' && paint && tree && [paint.startTime, tree.startTime].map(Math.round)")))
    finally:
        c.close()
    for device in ids:
        d.call("DELETE", f"/api/v1/devices/{device}")
    wait_for("one device", lambda: b.run("return document.querySelectorAll('#tree .device').length") == 1)
    painted, tree = min(took)
    print(f"        painted after {painted} ms, with its tree after {tree} ms")
    if painted > 1000 * SLOW or tree > 1500 * SLOW:
        raise Failed(f"{took}")
    b.run("location.hash = '#/live'")


OF_CHANNEL = ("live", "records", "downloads", "settings", "trace", "outputs")
AXE = os.environ.get("AXE", os.path.join(TOP, "build", "axe.min.js"))  # tools/axe.sh fetches it

# What needs a name and has none; what is no heading of its view.
NAMELESS = """
const shown = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
const name = (e) => e.getAttribute('aria-label') || e.title || e.textContent.trim() || [...e.labels ?? []].map((l) => l.textContent.trim()).join('');
const nameless = [...document.querySelectorAll('button, input, select, textarea, a[href], summary, [role=slider], [role=tree], img:not([alt]), video[controls]')]
  .filter((e) => shown(e) && !(e.tagName === 'VIDEO' ? true : name(e))).map((e) => e.outerHTML.slice(0, 160));
const heads = [...document.querySelectorAll('h1')].filter(shown).length;
const mains = [...document.querySelectorAll('main')].filter(shown).length;
return { nameless, heads, mains };
"""
# Keys of texts that stand where their texts should
KEYS = """
return [...document.querySelectorAll('[data-t], [data-t-label]')].flatMap((e) => [[e.dataset.t, e.textContent], [e.dataset.tLabel, e.getAttribute('aria-label')]])
  .filter(([key, text]) => key === text && /[a-z].*[A-Z_]/.test(key)).map(([key]) => key);
"""
CHECK = """
const done = arguments[0];
axe.run({ resultTypes: ['violations'] }).then((r) => done(r.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
  .map((v) => `${v.impact} ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`)));
"""


def for_all(b, d):
    """Each view with everything open, dark and light: every control has a name, and axe-core, where it is there, finds
    nothing serious."""
    has_axe = os.path.exists(AXE)
    if has_axe:
        with open(AXE) as f:
            b.run(f.read())
    found = []
    for name in b.run("return [...document.querySelectorAll('#views a')].map((a) => a.hash.split('/')[1])"):
        at = "/34020000001180000001/34020000001310000001" if name in OF_CHANNEL else ""
        b.run(f"location.hash = '#/{name}{at}'")
        wait_for(name, lambda: b.run(f"return document.getElementById('view-{name}')?.hidden === false"))
        b.run("for (const e of document.querySelectorAll('.view:not([hidden]) details')) e.open = true")
        time.sleep(0.8)
        got = b.run(NAMELESS)
        found += [f"{name}: no name: {e}" for e in got["nameless"]]
        found += [f"{name}: no text: {k}" for k in b.run(KEYS)]
        if got["heads"] != 1 or got["mains"] != 1:
            found.append(f"{name}: {got['heads']} h1, {got['mains']} main")
        for colours in ("dark", "light") if has_axe else ():
            theme(b, colours)
            found += [f"{name}, {colours}: {v}" for v in b.run_async(CHECK)]
        b.run("for (const e of document.querySelectorAll('.view:not([hidden]) details')) e.open = false")
    theme(b, "")
    b.run("location.hash = '#/live'")
    print(f"        axe-core: {'run' if has_axe else 'not run, see tools/axe.sh'}")
    if found:
        raise Failed("\n".join(found))


def weight(d):
    """All files of the page as they are sent: gzipped, below 150 KB."""
    size = 0
    for name in os.listdir(os.path.join(TOP, "app", "web")):
        request = urllib.request.Request(f"{d.base}/{name}", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=10) as r:
            size += len(r.read())
    print(f"        {size / 1000:.1f} kB in all")
    if size >= 150000:
        raise Failed(f"{size} bytes")


def looks(b):
    """Every view in Chinese on a phone: nothing is wider than the screen."""
    names = b.run("return [...document.querySelectorAll('#views a')].map((a) => a.hash.split('/')[1])")
    b.click("#language")
    b.call("POST", b.session + "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride",
           "params": {"width": 390, "height": 780, "deviceScaleFactor": 1, "mobile": True}})
    wide = []
    for name in names:
        at = "/34020000001180000001/34020000001310000001" if name in OF_CHANNEL else ""
        b.run(f"location.hash = '#/{name}{at}'")
        wait_for(name, lambda: b.run(f"return document.getElementById('view-{name}')?.hidden === false"))
        if SHOTS:
            time.sleep(1.5)
        b.shot(f"phone-{name}")
        if b.run("return document.documentElement.scrollWidth > innerWidth || document.getElementById('stage').scrollWidth > innerWidth"):
            wide.append(name)
    b.call("POST", b.session + "/goog/cdp/execute", {"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}})
    b.click("#language")
    b.run("location.hash = '#/live'")
    if wide:
        raise Failed(f"wider than a phone: {wide}")


def language(b):
    missing = b.run_async("import('/i18n.js').then((m) => arguments[0](m.untranslated()))")
    if missing:
        raise Failed(f"texts of one language alone: {missing}")
    clashing = b.run_async("import('/i18n.js').then((m) => arguments[0](m.clashing))")
    if clashing:
        raise Failed(f"texts of two views under one key: {clashing}")
    b.run_async("""import('/i18n.js').then((m) => {
        const s = document.createElement('p'); s.id = 'said'; s.setAttribute('role', 'status'); s.textContent = m.t('saved');
        document.body.append(s); arguments[0](1); })""")
    b.click("#language")
    said = b.run("const s = document.getElementById('said'); s.remove(); return s.textContent")
    if said != "已保存。":
        raise Failed(f"what was said stays in the other language: {said}")
    if b.run("return document.getElementById('stop').textContent") != "停止":
        raise Failed("the page does not speak Chinese")
    b.shot("chinese")
    b.click("#language")


def doctor_finds_nothing(b):
    b.run("document.getElementById('doctor').open = true")
    b.click("#doctor .examine")
    wait_for("the chain", lambda: b.run("return document.querySelectorAll('#doctor .chain li.green').length") >= 12)
    red = b.run("return document.querySelectorAll('#doctor .chain li.red').length")
    b.run("document.getElementById('doctor').scrollIntoView()")
    b.run("document.getElementById('doctor').open = false")
    if red:
        raise Failed("a healthy camera has a red link")


def failure_is_named(b, d, cam):
    b.click("#stop")
    cam.kill()
    wait_for("stream is gone", lambda: not [s for s in d.get("/api/v1/sessions")["items"] if s["state"] != "failed"],
             timeout=30)
    b.click(CHANNEL)
    wait_for("problem", lambda: b.run("return !document.getElementById('problem').hidden"), timeout=25)
    title = b.run("return document.getElementById('problem-title').textContent")
    evidence = b.run("return document.getElementById('problem-evidence').textContent")
    bad = b.run("return document.querySelectorAll('#steps li.bad').length")
    if bad != 1 or not evidence:
        raise Failed(f"problem: {title} / {evidence}")
    wait_for("the doctor", lambda: b.run("return document.querySelector('#doctor .chain li.red .evidence')"))
    seen = b.run("return document.getElementById('problem').getBoundingClientRect().bottom < innerHeight && !document.getElementById('screen').offsetParent")
    if not seen:
        raise Failed("the reason is below what can be seen, or a black picture is above it")
    first = b.run("return document.querySelector('#doctor .chain li.red b').textContent")
    tries = b.run("return document.querySelectorAll('#doctor .chain li.red button').length")
    b.run("document.querySelector('#problem').scrollIntoView({block: 'end'})")
    b.both("doctor")
    if not first or not tries:
        raise Failed(f"doctor: {first}, {tries} remedies")
    b.click("#language")
    other = b.run("return document.getElementById('problem-title').textContent")
    texts = b.run("""return [...document.querySelectorAll('#problem-evidence, #problem-hint, #doctor .chain .red :is(.evidence, .hint)')]
        .map((e) => e.textContent)""")
    high = b.run("return document.documentElement.scrollHeight - innerHeight")
    b.click("#language")
    if other == title:
        raise Failed(f"in the other language it is still: {other}")
    if [x for x in texts if not re.search("[\u4e00-\u9fff]", x)]:
        raise Failed(f"it is not told in Chinese: {texts}")
    if high > 0:
        raise Failed(f"the page itself scrolls by {high} beside its view")
    print(f"        {title}; {evidence}")


def goes_on_trying(b, d):
    """A camera that sends nothing: what is known after ten seconds, and then what the server found out in the end."""
    device = "34020000001180000044"
    c = Cameras(d, "--fault", "silent", device=device)
    try:
        wait_for("its catalog", lambda: any(x["id"] == device and x["channels"] for x in d.online()))
        b.run(f"location.hash = '#/live/{device}/34020000001310000001'")
        now = "return document.getElementById('problem-now').textContent"
        wait_for("that it goes on", lambda: "goes on" in b.run(now), timeout=25)
        wait_for("its end", lambda: not b.run(now), timeout=25)
        evidence = b.run("return document.getElementById('problem-evidence').textContent")
        if "beyond" in evidence or not evidence:
            raise Failed(f"the last reason: {evidence}")
        print(f"        {evidence}")
    finally:
        c.close()
    d.call("DELETE", f"/api/v1/devices/{device}")
    b.run("location.hash = '#/live'")


def links_in_sight(b):
    """Each view can be reached by a mouse: no link is beside the window."""
    for width in (1440, 1024, 800):
        b.call("POST", b.session + "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": 768, "deviceScaleFactor": 1, "mobile": False}})
        hidden = b.run("""const nav = document.getElementById('views').getBoundingClientRect();
            return [...document.querySelectorAll('#views a')].filter((a) => a.getBoundingClientRect().right > nav.right + 1).map((a) => a.textContent)""")
        if hidden:
            raise Failed(f"at {width} out of sight: {hidden}")
    b.call("POST", b.session + "/goog/cdp/execute", {"cmd": "Emulation.clearDeviceMetricsOverride", "params": {}})


class Site:
    """One camera of two channels, as soon as it is started."""

    def __init__(self, d):
        self.d, self.cam = d, None

    def start(self):
        self.cam = Cameras(self.d, "--channels", "2")
        wait_for("catalog", lambda: any(x["channels"] == 2 for x in self.d.online()))

    def __getattr__(self, name):
        return getattr(self.cam, name)

    def close(self):
        if self.cam:
            self.cam.close()


def cases(b, d, cam):
    return (("log_in", lambda: log_in(b, d, cam)), ("plays", lambda: plays(b, d)), ("sub_stream", lambda: sub_stream(b)),
            ("codec_missing", lambda: note_20_1_says_that_it_cannot_play(b)),
            ("begins_anew", lambda: begins_anew_when_nothing_is_drawn(b)), ("logged_out", lambda: note_20_7_asks_to_log_in_again(b, d)), ("moves", lambda: moves(b, d)),
            ("speaks", lambda: speaks(b, cam)), ("doctor", lambda: doctor_finds_nothing(b)),
            ("recording", lambda: recording(b, d)),
            ("wall", lambda: wall(b, d)),
            ("alarms", lambda: alarms(b, cam)),
            ("trace", lambda: trace(b, d)), # while its registration is among the last messages
            ("records", lambda: records(b, d)), ("own_recording", lambda: own_recording(b, d)),
            ("alarm_recording", lambda: alarm_recording(b, d, cam)),
            ("tours", lambda: tours(b, d)), ("access", lambda: access(b, d)), ("log", lambda: daemon_log(b, d)), ("server", lambda: server(b, d)), ("outputs", lambda: outputs(b, d)),
            ("map", lambda: chart(b, d)), ("downloads", lambda: downloads(b, d)),
            ("settings", lambda: settings(b, d)), ("devices", lambda: devices(b, d)), ("keyboard", lambda: keyboard(b, d)), ("contrast", lambda: contrast(b)),
            ("home", lambda: home(b, d)), ("links", lambda: links_in_sight(b)), ("goes_on", lambda: goes_on_trying(b, d)),
            ("many", lambda: many(b, d)), ("paint", lambda: paint(b, d)),
            ("for_all", lambda: for_all(b, d)), ("weight", lambda: weight(d)), ("looks", lambda: looks(b)),
            ("language", lambda: language(b)), ("aac", lambda: aac(b, d)),
            ("failure_is_named", lambda: failure_is_named(b, d, cam)))


def main():
    passed = failed = 0
    directory = tempfile.TemporaryDirectory(prefix="gb28181d-page-")  # pylint: disable=consider-using-with
    d = Daemon(directory=directory.name, settings=[f"map.tiles={directory.name}/tiles"])
    cam = Site(d)
    with directory, contextlib.closing(d), contextlib.closing(cam):
        b = Browser()
        try:
            for name, fn in cases(b, d, cam):
                if sys.argv[1:] and name not in ("log_in", *sys.argv[1:]):
                    continue
                try:
                    fn()
                    passed += 1
                    print(f"ok      page: {name}", flush=True)
                except Failed as e:
                    failed += 1
                    b.shot("failed")
                    print(f"FAILED  page: {name}: {e}\n" + "\n".join(b.log()[-10:]), flush=True)
                    break
            errors = [m for m in b.log() if "401" not in m and "412" not in m and "api/v1/settings - Failed" not in m and "502" not in m and "504" not in m and "/api/v1/map/" not in m
                      and not re.search(r"/devices/3402000000118000020\d/tree.*404", m)]  # of paint's devices, just deleted
            if errors:
                failed += 1
                print("FAILED  page: errors on the console:\n" + "\n".join(errors[:10]))
        finally:
            b.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
