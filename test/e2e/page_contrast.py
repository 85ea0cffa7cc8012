"""test/e2e/page_contrast.py - cases of page.py for who uses a keyboard alone, and for
who lets the system choose the colours (forced-colors)."""
from browser import emulate
from rig import Failed, wait_for


def press(b, key):
    b.call("POST", b.session + "/actions", {"actions": [{"type": "key", "id": "k", "actions": [
        {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}]})


def keyboard(b, d):
    """The first stop leads past the links; then a channel is chosen by keys alone."""
    b.open("about:blank")
    b.open(d.base + "/#/home")
    wait_for("the tree", lambda: b.run("return document.querySelector('#tree [tabindex=\"0\"]') !== null"))
    press(b, "\ue004")
    if b.run("return document.activeElement.id") != "skip":
        raise Failed(f"the first stop is {b.run('return document.activeElement.outerHTML')}")
    press(b, "\ue007")
    if b.run("return document.activeElement.id") != "stage":
        raise Failed("it does not lead to the view")
    b.run("document.querySelector('#tree [tabindex=\"0\"]').focus()")
    press(b, "\ue011")  # the first row, then its first channel
    press(b, "\ue015")
    press(b, "\ue007")
    wait_for("the channel", lambda: b.run("return location.hash.startsWith('#/live/') && document.querySelector('#tree [aria-selected=true]') !== null"))
    b.run("document.querySelector('#views [data-t=view_log]').focus()")
    press(b, "\ue007")
    wait_for("the log", lambda: b.run("return document.getElementById('view-log')?.hidden === false"))
    if b.run("return document.activeElement.dataset.t") != "view_log":
        raise Failed(f"who has chosen a view by keys is at {b.run('return document.activeElement.outerHTML.slice(0, 80)')}")
    b.run("history.back()")
    wait_for("the channel again", lambda: b.run("return document.getElementById('view-live')?.hidden === false"))


def contrast(b):
    """What is on, what is chosen and where one is can be seen without our colours."""
    b.run("location.hash = '#/live/34020000001180000001/34020000001310000001'")
    wait_for("it is chosen", lambda: b.run("return document.querySelector('#tree [aria-selected=true]') !== null"))
    emulate(b, "setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])
    try:
        got = b.run("""const of = (css) => getComputedStyle(document.querySelector(css)), dot = document.querySelector('#tree [aria-selected=false] .dot.on');
            const on = getComputedStyle(dot).backgroundColor; dot.classList.remove('on'); const off = getComputedStyle(dot).backgroundColor; dot.classList.add('on');
            return { on, off, chosen: of('#tree [aria-selected=true]').backgroundColor, other: of('#tree [aria-selected=false]').backgroundColor,
              here: of('#views [aria-current]').borderBottomStyle, there: of('#views a:not([aria-current])').borderBottomStyle };""")
        b.shot("contrast")
    finally:
        emulate(b, "setEmulatedMedia", features=[])
    if got["on"] == got["off"] or got["chosen"] == got["other"] or got["here"] == got["there"]:
        raise Failed(f"looks alike: {got}")
