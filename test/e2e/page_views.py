"""test/e2e/page_views.py - for page.py: the views of a site and of the server."""
import base64
import http.server
import json
import os
import signal
import threading
import time

from browser import SHOTS, read_clock
from page_rig import CHANNEL, admin_password, log_in_as, press
from rig import Cameras, Failed, free_port, wait_for


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
    """A device that reports where it is: on the map, in the table, and its track. A second one is at the same place."""
    device = "34020000001180000033"
    c = Cameras(d, "--position", "1", "--devices", "2", device=device)
    try:
        wait_for("its position", lambda: d.get(f"/api/v1/positions?device={device}")["items"], timeout=30)
        b.run("location.hash = '#/map'")
        wait_for("its mark", lambda: b.run("return document.querySelectorAll('#view-map .place:not(.fixed)').length"))
        wait_for("its row, by its name", lambda: b.run("return document.querySelector('#view-map tbody b')?.textContent") == "gbcam")
        wait_for("two names, neither on the other", lambda: b.run("""
            const [p, q] = [...document.querySelectorAll('#view-map .place:not(.fixed) text')].map((x) => x.getBoundingClientRect());
            return q && (p.right <= q.left || q.right <= p.left || p.bottom <= q.top + 4 || q.bottom <= p.top + 4);"""))
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
    for gone in (device, "34020000001180000034"):
        d.call("DELETE", f"/api/v1/devices/{gone}")
    wait_for("one device", lambda: b.run("return document.querySelectorAll('#tree .device').length") == 1)
    b.run("location.hash = '#/live'")


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
