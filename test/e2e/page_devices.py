"""test/e2e/page_devices.py - cases of page.py: devices that are added beforehand, what
they are asked to report, and everything else that the standard lets one ask."""
import json

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
    b.run("document.querySelector('#view-alarms .rules [data-id=gate] [data-t=change]').click();"
          "const i = document.querySelectorAll('#view-alarms .rules form :is(input, select)'); i[6].value = 3; i[0].form.requestSubmit()")
    wait_for("its preset", lambda: d.get("/api/v1/rules/gate")["preset"] == 3)
    if d.get("/api/v1/rules/gate")["when"] != {"device": DEVICE, "method": "5", "type": "2"}:
        raise Failed(f"{d.get('/api/v1/rules/gate')}")
    b.both("rules")
    b.run("window.confirm = () => true; document.querySelector('#view-alarms .rules [data-id=gate] [data-t=del]').click()")
    wait_for("it is gone", lambda: not d.get("/api/v1/rules")["items"])
    b.run("document.querySelector('#view-alarms .rules').open = false")


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
        rule(b, d)
        user_changed_meanwhile(b, d)
    finally:
        cam.close()
    d.call("DELETE", f"/api/v1/devices/{DEVICE}")
    wait_for("the others alone", lambda: b.run("return document.querySelectorAll('#tree .device').length") == 1)
    b.run("location.hash = '#/live'")
