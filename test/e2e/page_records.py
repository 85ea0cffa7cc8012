"""test/e2e/page_records.py - for page.py: alarms, and recordings of cameras and of this server."""
import re
import signal
import time

from browser import read_clock
from page_rig import press
from rig import Failed, Watch, wait_for


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


def apart(a, b):
    """Of two places in the clip, the shorter way round."""
    return (a - b + PHASE_S / 2) % PHASE_S - PHASE_S / 2


def phase(b, told):
    """Where the picture stands in the clip against where the server says that it plays: as a rule, since either comes
    late at times."""
    seen = []
    for _ in range(7):
        got = wait_for("a picture", lambda: read_clock(b))
        seen.append((got["frame"] / 25 - told()[0]["position_s"]) % PHASE_S)
        time.sleep(0.3)
    return min(seen, key=lambda p: sum(abs(apart(p, q)) for q in seen))


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
    off = apart(phase(b, told), was)
    moved = told()[0]["position_s"] - at
    if abs(off) > 2:
        raise Failed(f"the picture is {off:.1f} s off its place after a seek of {moved:.1f} s")


def names(b, d):
    """A camera is told by its name, whether its device is open in the tree or not."""
    device, channel = "34020000001180000001", "34020000001310000001"
    name = d.get(f"/api/v1/devices/{device}/channels/{channel}")["name"]
    b.run(f"location.hash = '#/records/{device}/{channel}'; location.reload()")
    wait_for("its name", lambda: b.run("return document.querySelector('#view-records h1')?.textContent") == name)
    told = b.run_async("""const [device, channel, done] = arguments;
        import('/names.js').then(async ({ Names }) => {
          const [names, real] = [new Names({ find: () => null }), window.fetch];
          window.fetch = async () => new Response('', { status: 503 });
          const first = await names.of(device, channel);
          window.fetch = real;
          done([first, await names.of(device, channel)]);
        });""", device, channel)
    if told != ["", name]:
        raise Failed(f"a name that could not be asked for, and then could: {told}")
    b.run("location.hash = '#/alarms'")
    wait_for("that of an alarm", lambda: b.run("return document.querySelector('#view-alarms tbody b')?.textContent") == name)


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


def alarms(b, cam):
    """One that was there, one within a second of its coming, and a filter that leaves neither."""
    rows = lambda: b.run("return document.querySelectorAll('#view-alarms tbody tr').length")
    cam.proc.send_signal(signal.SIGUSR1)
    b.run("location.hash = '#/alarms'")
    wait_for("an alarm", lambda: rows() == 1)
    b.run("""window.waited = new Promise((done) => new MutationObserver(() => done(Date.now()))
        .observe(document.querySelector('#view-alarms tbody'), { childList: true }))""")
    time.sleep(1.2)  # two of one second are one told twice
    sent, watch = time.time(), Watch()
    cam.proc.send_signal(signal.SIGUSR1)
    came = b.run_async("window.waited.then(arguments[0])") / 1000 - sent
    if came > watch.slow() + watch.held_ms() / 1000:
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
    wait_for("both", lambda: rows() == 2)
    at = "return document.activeElement.closest('tr')?.dataset.id"
    b.run("window.old = document.querySelector('#view-alarms tbody button'); window.old.focus()")
    mine = b.run(at)
    time.sleep(1.2)
    cam.proc.send_signal(signal.SIGUSR1)
    wait_for("a third one", lambda: rows() == 3)
    wait_for("rows drawn anew", lambda: b.run("return !window.old.isConnected"), timeout=30)
    if not mine or b.run(at) != mine:
        raise Failed(f"the keyboard was at {mine}, and is at {b.run(at)} when an alarm has come")
    b.run("location.hash = '#/live'")


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
