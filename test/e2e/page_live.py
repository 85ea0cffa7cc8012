"""test/e2e/page_live.py - for page.py: the live picture and what is beside it, the wall, and why there is none."""
import re

from browser import LISTEN, hears_the_tone, read_clock
from page_rig import CHANNEL, admin_password, log_in_as
from rig import Cameras, Failed, wait_for

AAC_DEVICE = "34020000001180000007"
AAC_ROW = f"document.querySelector('#tree [data-key^=\"{AAC_DEVICE}/\"]')"


def plays(b, d):
    b.click(CHANNEL)
    first = wait_for("picture", lambda: read_clock(b), timeout=25)
    second = wait_for("video time that moves", lambda: (got := read_clock(b)) and got["time"] > first["time"] + 1.5 and got)
    # the picture moves as the time does
    off = (second["frame"] - first["frame"] - 25 * (second["time"] - first["time"]) + 125) % 250 - 125
    if abs(off) > 50:
        raise Failed(f"the clock in the picture is {off:.0f} frames off: {first} {second}")
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
    b.run("document.getElementById('to-device').click()")
    wait_for("its settings", lambda: b.run("return location.hash").startswith("#/settings/") and b.run("return document.querySelector('#view-settings .orders') !== null"))
    b.run("history.back()")
    wait_for("its picture again", lambda: read_clock(b), timeout=25)
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
