"""test/e2e/browser.py - Chromium without a window, driven by WebDriver to chromedriver,
with what a test sees and hears of the picture in it. Standard library only."""
import base64
import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from rig import SLOW, Failed, end, free_port, wait_for

SHOTS = os.environ.get("SHOTS")  # a folder for screenshots, where wanted


class Browser:
    def __init__(self):
        self.port = free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={self.port}", "--log-level=OFF"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.profile = tempfile.TemporaryDirectory(prefix="gb28181d-page-", ignore_cleanup_errors=True)
        wait_for("chromedriver", self.ready)
        args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--mute-audio",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en",
                "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
                "--autoplay-policy=no-user-gesture-required", "--window-size=1280,800",
                "--disable-dev-shm-usage", f"--user-data-dir={self.profile.name}"]
        r = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": args},
            "goog:loggingPrefs": {"browser": "INFO"}}}})
        self.session = "/session/" + r["sessionId"]

    def ready(self):
        try:
            return self.call("GET", "/status")["ready"]
        except OSError:
            return False

    def call(self, method, path, body=None):
        req = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(req, timeout=90 * SLOW) as r:
                return json.load(r)["value"]
        except urllib.error.HTTPError as e:
            raise Failed(f"{path}: {e.read()[:500]}") from None

    def open(self, url):
        self.call("POST", self.session + "/url", {"url": url})

    def run(self, script, *args):
        return self.call("POST", self.session + "/execute/sync", {"script": script, "args": list(args)})

    def run_async(self, script, *args):
        """The script calls its last argument with what it gives."""
        return self.call("POST", self.session + "/execute/async", {"script": script, "args": list(args)})

    def element(self, css):
        return next(iter(self.call("POST", self.session + "/element", {"using": "css selector", "value": css}).values()))

    def click(self, css):
        """Once more when the page has drawn it anew in between."""
        for last in (False, True):
            try:
                self.call("POST", f"{self.session}/element/{self.element(css)}/click", {})
                return
            except Failed as e:
                if last or "stale element" not in str(e):
                    raise

    def type(self, css, text):
        self.call("POST", f"{self.session}/element/{self.element(css)}/value", {"text": text})

    def shot(self, name):
        if SHOTS:
            os.makedirs(SHOTS, exist_ok=True)
            with open(os.path.join(SHOTS, name + ".png"), "wb") as f:
                f.write(base64.b64decode(self.call("GET", self.session + "/screenshot")))

    def both(self, name):
        """A view for the documents: English and dark, Chinese and light."""
        if not SHOTS:
            return
        for prefix, colours in (("en-", "dark"), ("zh-", "light")):
            theme(self, colours)
            time.sleep(1)
            self.shot(prefix + name)
            self.click("#language")
            time.sleep(1)
        theme(self, "")

    def log(self):
        return [e["message"] for e in self.call("POST", self.session + "/se/log", {"type": "browser"})]

    def close(self):
        try:
            self.call("DELETE", self.session)
        finally:
            end(self.driver)
            self.profile.cleanup()


READ_CLOCK = """
const v = document.getElementById('video');
if (!v || !v.videoWidth) return null;
const c = document.createElement('canvas');
c.width = v.videoWidth; c.height = v.videoHeight;
const g = c.getContext('2d', { willReadFrequently: true });
g.drawImage(v, 0, 0);
let n = 0;
for (let i = 0; i < 32; i++) {
  const p = g.getImageData(i * 20 + 10, 340, 1, 1).data;
  const light = (p[0] + p[1] + p[2]) / 3;
  if (light > 80 && light < 176) return { frame: -1, time: v.currentTime };
  n = n * 2 + (light >= 176 ? 1 : 0);
}
return { frame: n, time: v.currentTime, width: v.videoWidth, height: v.videoHeight };
"""


def read_clock(b):
    got = b.run(READ_CLOCK)
    return got if got and 0 <= got["frame"] < 250 else None


# What the ear would hear: the largest sample, and the pitch by its zero crossings.
LISTEN = """
const v = document.getElementById('video');
if (!window.ear) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  const source = context.createMediaElementSource(v);
  source.connect(analyser);
  source.connect(context.destination);
  window.ear = { context, analyser };
}
const { context, analyser } = window.ear;
const s = new Float32Array(analyser.fftSize);
analyser.getFloatTimeDomainData(s);
let level = 0, turns = 0;
for (let i = 0; i < s.length; i++) {
  level = Math.max(level, Math.abs(s[i]));
  if (i && (s[i - 1] < 0) !== (s[i] < 0)) turns++;
}
return { level, hz: turns / 2 * context.sampleRate / s.length, state: context.state, muted: v.muted };
"""


def hears_the_tone(b):
    """The camera's tone of 400 Hz, well above silence."""
    def heard():
        got = b.run(LISTEN)
        return got if got["level"] > 0.05 and 380 < got["hz"] < 420 else None

    try:
        return wait_for("the tone", heard, timeout=10)
    except Failed:
        raise Failed(f"no tone: {b.run(LISTEN)}") from None


def emulate(b, cmd, **params):
    b.call("POST", b.session + "/goog/cdp/execute", {"cmd": "Emulation." + cmd, "params": params})


def theme(b, name):
    emulate(b, "setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])
