"""test/e2e/page_devices.py - cases of page.py: devices that are added beforehand, what
they are asked to report, and everything else that the standard lets one ask."""
import json
import time

from rig import Cameras, Failed, channel_id, wait_for

DEVICE = "34020000001180000055"
PASSWORD = "of-its-own"
CHOOSE = "const s = document.querySelector(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('change'))"


def added_beforehand(b, d):
    """With a password of its own, which nobody else has; and many of them as CSV. Returns its camera, let in."""
    b.run("location.hash = '#/home'")
    wait_for("the form", lambda: b.run("return document.querySelector('#view-home details [data-t=enrolAdd]')"))
    b.run("""document.querySelector('#view-home details').open = true;
        const i = document.querySelectorAll('#view-home details input'); i[0].value = arguments[0]; i[1].value = 'barn'; i[2].value = arguments[1];
        i[0].form.requestSubmit();""", DEVICE, PASSWORD)
    wait_for("it is known", lambda: [x for x in d.devices() if x["id"] == DEVICE and x["name"] == "barn" and x["has_password"]])
    b.run("""const file = document.querySelector('#view-home input[type=file]'), data = new DataTransfer();
        data.items.add(new File(['id,name\\n34020000001180000056,yard\\n12,bad\\n'], 'x.csv')); file.files = data.files; file.dispatchEvent(new Event('change'))""")
    wait_for("what came of the file", lambda: "Added: 1, changed: 0, refused: 1. line 3" in b.run("return document.querySelector('#view-home details').textContent"))
    d.call("DELETE", "/api/v1/devices/34020000001180000056")
    b.shot("enrol")
    cam = Cameras(d, "--edition", "3.0", device=DEVICE, password=PASSWORD)
    wait_for("its catalog", lambda: any(x["id"] == DEVICE and x["channels"] for x in d.online()))
    return cam


def subscribed(b, d):
    """Switched on, till when; and off."""
    row = "[...document.querySelector('#view-settings [data-kind=catalog]').cells].map((c) => c.textContent)"
    b.run(f"location.hash = '#/settings/{DEVICE}'")
    wait_for("its settings", lambda: b.run("return document.querySelector('#view-settings .card input')?.value") == "barn")
    if "online: registered" not in b.run("return document.querySelector('#view-settings .card').textContent"):
        raise Failed("it does not say that it is online")
    b.run("document.querySelector('#view-settings [data-kind]').closest('details').open = true")
    wait_for("that it is not", lambda: "not subscribed" in b.run(f"return {row}"))
    b.run(CHOOSE, "#view-settings [data-kind=catalog] select", "600")
    wait_for("that it is", lambda: (got := b.run(f"return {row}"))[2] == "subscribed" and got[3], timeout=30)
    if d.get(f"/api/v1/devices/{DEVICE}")["subscribe"] != {"catalog": 600, "alarm": None, "position": None, "ptz": None}:
        raise Failed("the policy is another one")
    b.run(CHOOSE, "#view-settings [data-kind=catalog] select", "false")
    wait_for("that it is no more", lambda: "not subscribed" in b.run(f"return {row}"), timeout=30)


def changed_meanwhile(b, d):
    """Somebody else was faster: it is said, nothing is overwritten, and it can be read again."""
    d.call("PATCH", f"/api/v1/devices/{DEVICE}", {"name": "stable"})
    b.run("const i = document.querySelector('#view-settings .card input'); i.value = 'byre'; i.form.requestSubmit()")
    wait_for("the refusal", lambda: "has been changed" in b.run("return document.querySelector('#view-settings > .hint').textContent"))
    if d.get(f"/api/v1/devices/{DEVICE}")["name"] != "stable":
        raise Failed("it was overwritten")
    b.run("document.querySelector('#view-settings > [data-t=readAgain]').click()")
    wait_for("what it is now", lambda: b.run("return document.querySelector('#view-settings .card input').value") == "stable")
    b.run("document.querySelector('#view-settings .card [data-t=dropPassword]').click()")
    wait_for("no password of its own", lambda: not d.get(f"/api/v1/devices/{DEVICE}")["has_password"])


def ordered(b, d):
    """A query with its answer, an order with numbers, one with a part that is left out, and pictures by the camera."""
    told = lambda: b.run("return document.querySelector('.orders .said, .orders .hint').textContent + ' ' + document.querySelector('.answer').textContent")
    send = "document.querySelector('.orders form').requestSubmit()"

    def choose(what, fields):
        b.run(CHOOSE, ".orders select", what)
        wait_for("its form", lambda: b.run("return document.querySelectorAll('.orders .plain :is(input, select)').length") == fields)

    b.run("document.querySelector('.orders').open = true")
    choose("q_SDCardStatus", 0)
    b.run(send)
    wait_for("its cards", lambda: "SD1" in told(), timeout=20)
    b.run(f"location.hash = '#/settings/{DEVICE}/{channel_id(DEVICE)}'")
    wait_for("a channel", lambda: b.run("return !document.querySelector('#view-settings option[value=q_SDCardStatus]') && !document.querySelector('#view-settings .answer').textContent"))
    b.run("document.querySelector('.orders').open = true")
    choose("c_HomePosition", 3)
    b.run("const i = document.querySelectorAll('.orders .plain :is(input, select)'); i[0].value = 1; i[1].value = 30; i[2].value = 4; " + send)
    wait_for("that it has taken it", lambda: "taken" in told(), timeout=20)
    choose("q_HomePositionQuery", 0)
    b.run(send)
    wait_for("what was set", lambda: "Preset Index4" in told(), timeout=20)
    choose("c_TargetTrack", 8)
    b.run("document.querySelector('.orders .plain select').value = 'Auto'; " + send)
    wait_for("that it has it", lambda: "answers nothing" in told(), timeout=20)
    sent = [c for c in d.get(f"/api/v1/commands?device={DEVICE}&cmd=TargetTrack")["items"]]
    if len(sent) != 1:
        raise Failed(f"orders: {json.dumps(sent)}")
    b.run("document.querySelector('#view-settings [data-t=photoTake]').closest('details').open = true; document.querySelector('#view-settings [data-t=photoTake]').click()")
    wait_for("its picture", lambda: b.run("return document.querySelector('#view-settings img')?.naturalWidth > 0"), timeout=20)
    b.click("#language")
    wait_for("it stays, in Chinese", lambda: b.run("return document.querySelector('#view-settings img')?.naturalWidth > 0 && document.querySelector('.answer').textContent === '' "
             "&& document.querySelector('#view-settings [data-t=photoTake]').closest('form').textContent.includes('已全部收到')"), timeout=10)
    b.click("#language")
    b.both("orders")


def seen(b, d):
    """When it came, and what it knows of the standard."""
    b.run(f"location.hash = '#/settings/{DEVICE}'")
    wait_for("the device", lambda: b.run("return document.querySelector('#view-settings .seen')?.hidden === false"))
    b.run("document.querySelector('#view-settings .seen').open = true")
    text = wait_for("its coming", lambda: (got := b.run("return document.querySelector('#view-settings .seen').textContent")) and "registered" in got and got)
    if "SDCardStatus" not in text:
        raise Failed(f"what it knows: {text}")


def rule(b, d):
    """One is made, changed with what its form has no field for, and removed."""
    b.run("location.hash = '#/alarms'")
    wait_for("the rules", lambda: b.run("return document.querySelector('#view-alarms .rules') !== null"))
    b.run("document.querySelector('#view-alarms .rules').open = true")
    wait_for("none", lambda: "no rules" in b.run("return document.querySelector('#view-alarms .rules .hint').textContent"))
    b.run("""const i = document.querySelectorAll('#view-alarms .rules :is(input, select)');
        i[0].value = 'gate'; i[1].value = arguments[0]; i[3].value = '5'; i[5].value = 30; i[0].form.requestSubmit()""", DEVICE)
    wait_for("it is there", lambda: b.run("return document.querySelector('#view-alarms .rules [data-id=gate]')"))
    d.call("PUT", "/api/v1/rules/gate", {"when": {"device": DEVICE, "method": "5", "type": "2"}, "record_s": 30})
    b.run("location.hash = '#/home'")
    b.run("location.hash = '#/alarms'")
    wait_for("its type", lambda: "· 2" in b.run("return document.querySelector('#view-alarms .rules [data-id=gate]').textContent"))
    b.run("document.querySelector('#view-alarms .rules [data-id=gate] [data-t=change]').click()")
    wait_for("its form", lambda: b.run("return document.querySelector('#view-alarms .rules form input').value") == "gate")
    b.run("const i = document.querySelectorAll('#view-alarms .rules form :is(input, select)'); i[6].value = 3; i[0].form.requestSubmit()")
    wait_for("its preset", lambda: d.get("/api/v1/rules/gate")["preset"] == 3)
    if d.get("/api/v1/rules/gate")["when"] != {"device": DEVICE, "method": "5", "type": "2"}:
        raise Failed(f"{d.get('/api/v1/rules/gate')}")
    b.run("""window.confirm = () => false; const i = document.querySelectorAll('#view-alarms .rules form :is(input, select)');
        i[0].value = 'gate'; i[6].value = 8; i[0].form.requestSubmit()""")
    time.sleep(0.3)
    if d.get("/api/v1/rules/gate")["preset"] != 3:
        raise Failed("another one of the same name took its place unasked")
    d.call("PUT", "/api/v1/rules/shed", {"preset": 4})  # the page has not seen it
    b.run("const i = document.querySelectorAll('#view-alarms .rules form :is(input, select)'); i[0].value = 'shed'; i[0].form.requestSubmit()")
    time.sleep(0.3)
    if d.get("/api/v1/rules/shed")["preset"] != 4:
        raise Failed("one that is not in the table was replaced unasked")
    d.call("DELETE", "/api/v1/rules/shed")
    b.run("document.querySelector('#view-alarms .rules form').reset()")
    b.both("rules")
    b.run("window.confirm = () => true; document.querySelector('#view-alarms .rules [data-id=gate] [data-t=del]').click()")
    wait_for("it is gone", lambda: not d.get("/api/v1/rules")["items"])
    b.run("document.querySelector('#view-alarms .rules').open = false")


def form_of_rule(b):
    b.run("document.querySelector('#view-alarms .rules [data-id=yard] [data-t=change]').click()")
    wait_for("its form", lambda: b.run("return document.querySelector('#view-alarms .rules form input').value") == "yard")


def form_of_push(b):
    b.run(f"location.hash = '#/outputs/{DEVICE}/{channel_id(DEVICE)}'")
    wait_for("its address", lambda: "rtmp" in b.run("return document.querySelector('#view-outputs textarea').value"))


def form_of_recorder(b):
    b.run(f"location.hash = '#/records/{DEVICE}/{channel_id(DEVICE)}'")
    wait_for("its mode", lambda: b.run("return document.querySelector('#view-records form select').value") == "alarm")


def form_of_server(b):
    b.run("location.hash = '#/server'")
    wait_for("its form", lambda: b.run("return document.getElementById('set-ptz.hold_s')?.value") == "5")


def others_are_faster(b, d):
    """Forms of the other views that somebody fills while another one changes what they are of."""
    channel = f"/api/v1/devices/{DEVICE}/channels/{channel_id(DEVICE)}"
    settings = lambda: {s["key"]: s["value"] for s in d.get("/api/v1/settings")["items"]}
    d.call("PUT", "/api/v1/rules/yard", {"preset": 1})
    d.call("PUT", channel + "/push", {"urls": ["rtmp://127.0.0.1:9/a/k"]})
    d.call("PUT", channel + "/record", {"mode": "alarm", "alarm_s": 20})
    d.call("PATCH", "/api/v1/settings", {"ptz.hold_s": 5})
    b.run("location.hash = '#/alarms'")
    wait_for("the rules", lambda: b.run("return document.querySelector('#view-alarms .rules') !== null"))
    b.run("document.querySelector('#view-alarms .rules').open = true")
    wait_for("the rule", lambda: b.run("return document.querySelector('#view-alarms .rules [data-id=yard]')"))
    for view, form, fill, change, now in (
            ("alarms", form_of_rule, "document.querySelectorAll('#view-alarms .rules form :is(input, select)')[6].value = 9",
             ("PUT", "/api/v1/rules/yard", {"preset": 2}), lambda: d.get("/api/v1/rules/yard")["preset"] == 2),
            ("outputs", form_of_push, "document.querySelector('#view-outputs textarea').value = 'rtmp://127.0.0.1:9/b/k'",
             ("PUT", channel + "/push", {"urls": ["rtmp://127.0.0.1:9/c/k"]}), lambda: d.get(channel + "/push")["items"][0]["url"].endswith("/c/k")),
            ("records", form_of_recorder, "document.querySelector('#view-records form input[type=number]').value = 60",
             ("PUT", channel + "/record", {"mode": "alarm", "alarm_s": 40}), lambda: d.get(channel + "/record")["alarm_s"] == 40),
            ("server", form_of_server, "document.getElementById('set-ptz.hold_s').value = 7",
             ("PATCH", "/api/v1/settings", {"ptz.hold_s": 9}), lambda: settings()["ptz.hold_s"] == "9")):
        form(b)
        d.call(*change)
        b.run(fill + f"; document.querySelector('#view-{view} form:has([type=submit])').requestSubmit()")
        wait_for(f"{view}: the refusal", lambda: "has been changed" in b.run(
            f"return [...document.querySelectorAll('#view-{view} [role=status]')].map((e) => e.textContent).join()"))
        if not now():
            raise Failed(f"{view}: it was overwritten")
        again = f"document.querySelector('#view-{view} [data-t=readAgain]')"
        b.run(again + ".click()")
        wait_for(f"{view}: it is read again", lambda: b.run(f"return {again}.hidden"))
        b.run(f"document.querySelector('#view-{view} form:has([type=submit])').requestSubmit()")
        wait_for(f"{view}: what was read is saved", lambda: b.run(
            f"return [...document.querySelectorAll('#view-{view} [role=status]')].some((e) => ['Saved.', 'Nothing was changed.'].includes(e.textContent))"))
    d.call("DELETE", "/api/v1/rules/yard")
    d.call("DELETE", channel + "/push")
    d.call("PUT", channel + "/record", {"mode": "off"})
    d.call("PATCH", "/api/v1/settings", {"ptz.hold_s": None})


def policies(b, d):
    """What is offered to a device and taken of it; what a group's devices are asked to report. A password is kept that is not named."""
    about = lambda: d.get(f"/api/v1/devices/{DEVICE}")
    b.run(f"location.hash = '#/settings/{DEVICE}'")
    wait_for("its settings", lambda: b.run("return document.querySelector('#view-settings .card fieldset input') !== null"))
    b.run("document.querySelectorAll('#view-settings .card fieldset input')[1].click();"
          "document.querySelectorAll('#view-settings .card form select')[5].value = 'ignore';"
          "document.querySelector('#view-settings .card form').requestSubmit()")
    wait_for("both are set", lambda: about()["digest"] == ["SHA-256"] and about()["require"] == "ignore")
    wait_for("it is said", lambda: b.run("return document.querySelector('#view-settings > .hint').textContent") == "Saved.")
    b.both("settings-of-device")
    b.run("document.querySelector('#view-settings .card fieldset input:checked').click();"
          "document.querySelectorAll('#view-settings .card form select')[5].value = 'refuse';"
          "document.querySelector('#view-settings .card form').requestSubmit()")
    wait_for("as configured again", lambda: about()["digest"] == [] and about()["require"] == "refuse")
    d.call("POST", "/api/v1/groups", {"name": "shed", "password": "shed-of-all"})
    group = lambda: d.get("/api/v1/groups/shed")
    form = "[...document.querySelectorAll('#view-access form')].find((f) => f.querySelector('[data-kind=alarm]'))"
    b.run("location.hash = '#/access'")
    wait_for("the group", lambda: b.run("return document.querySelector('#view-access [data-id=shed]') !== null"))

    def change(script):
        b.run("document.querySelector('#view-access [data-id=shed] [data-t=change]').click()")
        wait_for("its form", lambda: b.run(f"return {form}.querySelector('input').value") == "shed")
        wait_for("what to go on with", lambda: b.run(f"return document.activeElement === {form}.querySelectorAll('input')[1]"))
        b.run(f"const f = {form}; {script}; f.requestSubmit()")

    change("f.querySelector('[data-kind=alarm]').value = '3600'; f.querySelector('[data-kind=catalog]').value = 'false'")
    wait_for("its policy", lambda: group()["subscribe"] == {"catalog": False, "alarm": 3600, "position": None, "ptz": None})
    if not group()["has_password"]:
        raise Failed("its password has gone")
    b.both("groups")
    change("f.querySelector('[data-kind=catalog]').value = ''; f.querySelector('[type=checkbox]').click()")
    wait_for("its password is gone", lambda: not group()["has_password"] and group()["subscribe"]["catalog"] is None)
    d.call("DELETE", "/api/v1/groups/shed")


def user_changed_meanwhile(b, d):
    """The same of a user: his role is not set back by who has read him before."""
    d.call("POST", "/api/v1/users", {"name": "olga", "password": "reads-on-2", "role": "viewer"})
    b.run("location.hash = '#/access'")
    wait_for("her row", lambda: b.run("return document.querySelector('#view-access [data-id=olga] [data-t=change]')"))
    b.run("document.querySelector('#view-access [data-id=olga] [data-t=change]').click()")
    wait_for("her form", lambda: b.run("return document.querySelector('#view-access section form input').value") == "olga")
    d.call("PATCH", "/api/v1/users/olga", {"role": "operator"})
    b.run("document.querySelector('#view-access section form').requestSubmit()")
    wait_for("the refusal", lambda: "has been changed" in b.run("return document.querySelector('#view-access section .hint').textContent"))
    if d.get("/api/v1/users/olga")["role"] != "operator":
        raise Failed("her role was set back")
    d.call("DELETE", "/api/v1/users/olga")


def devices(b, d):
    cam = added_beforehand(b, d)
    try:
        subscribed(b, d)
        changed_meanwhile(b, d)
        ordered(b, d)
        seen(b, d)
        policies(b, d)
        rule(b, d)
        others_are_faster(b, d)
        user_changed_meanwhile(b, d)
    finally:
        cam.close()
    d.call("DELETE", f"/api/v1/devices/{DEVICE}")
    wait_for("the others alone", lambda: b.run("return document.querySelectorAll('#tree .device').length") == 1)
    b.run("location.hash = '#/live'")
