"""test/e2e/page_whole.py - for page.py: what holds for every view: size, names, languages, a phone."""
import os
import time
import urllib.request

from browser import SHOTS, theme
from rig import HANG_S, TOP, Cameras, Failed, Watch, channel_id, wait_for


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
        took, watch = [], Watch()
        for _ in range(3):
            b.open("about:blank")
            b.open(d.base + "/#/home")
            took.append(wait_for("the tree", lambda: b.run(
                "const paint = performance.getEntriesByName('first-contentful-paint')[0], tree = performance.getEntriesByName('tree')[0];"
                "return document.readyState === 'complete' && paint && tree && [paint.startTime, tree.startTime].map(Math.round)")))
        slow, held_ms = watch.slow(), watch.held_ms()
    finally:
        c.close()
    for device in ids:
        d.call("DELETE", f"/api/v1/devices/{device}")
    wait_for("one device", lambda: b.run("return document.querySelectorAll('#tree .device').length") == 1)
    painted, tree = min(took)
    print(f"        painted after {painted} ms, with its tree after {tree} ms")
    if painted > 1000 * slow + held_ms or tree > 1500 * slow + held_ms:
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
        with urllib.request.urlopen(request, timeout=HANG_S) as r:
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
        if name == "live":
            ratio = b.run("const r = document.getElementById('screen').getBoundingClientRect(); return r.width / r.height")
            if not 1.5 < ratio < 2:
                wide.append(f"the picture: {ratio:.2f} times its height")
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
