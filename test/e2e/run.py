#!/usr/bin/env python3
"""test/e2e/run.py [NAME...] - the program as a user meets it: the daemon and
gbcam on loopback, with authentication on, judged by ffprobe.

BUILD names the folder of the programs, SLOW stretches the time limits."""
import base64
import concurrent.futures
import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import backup
import cameras
import lives
import metrics
import proxied
import recipes
import shared
import wvp
from rig import (
    BUILD, HANG_S, SLOW, Cameras, Daemon, Failed, Tests, Watch, channel_id, check_picture, expect, free_port, probe,
    run_tests, started, system, wait_for, wait_for_end)

DEVICE = "34020000001180000001"
TLS = "-notls" not in BUILD  # the build under test has it
test = Tests(backup.test + cameras.test + shared.test + lives.test + metrics.test + wvp.test + recipes.test + proxied.test)


def tracks_of(fmt):
    """No player knows G.711 in a transport stream: it is left out."""
    return ("video",) if fmt == "ts" else ("audio", "video")


def play(d, transport, formats, codec, seconds=5):
    ch = channel_id(DEVICE)
    a = d.live(DEVICE, ch, transport=transport)
    expect(a.status == 200, f"live over {transport}: {a.status} {a.body[:400]}")
    urls = a.json["urls"] if "urls" in a.json else a.json
    with concurrent.futures.ThreadPoolExecutor() as pool:  # the formats at a time
        for done in [pool.submit(check_picture, urls[f], codec, seconds=seconds, tracks=tracks_of(f))
                     for f in formats]:
            done.result()
    s = [s for s in d.get("/api/v1/sessions")["items"] if s["channel"] == ch]
    expect(s and s[0]["transport"] == transport, f"session says {s}")
    d.stop_live(DEVICE, ch)
    wait_for("session is gone", lambda: not d.get("/api/v1/sessions")["items"])


@test
def h264_one_loop_tcp_signalling():
    with system("--transport", "tcp", settings=["media.threads=1"]) as (d, _):
        play(d, "tcp-passive", ("flv",), "h264", seconds=3)
        play(d, "udp", ("fmp4",), "h264", seconds=3)


@test
def tls_signalling():
    port = free_port()
    listen = f"sip.tls_listen=127.0.0.1:{port}"
    d = Daemon(settings=[listen])
    try:
        for f in ("tls.crt", "tls.key"):
            mode = os.stat(f"{d.dir}/data/{f}").st_mode & 0o777
            expect(mode == 0o600, f"{f} has mode {mode:o}")
        # trusts the certificate of the first start, which names the address
        c = Cameras(d, "--transport", "tls", "--ca", f"{d.dir}/data/tls.crt", "--retry", "1", server_port=port)
        wait_for("online", lambda: len(d.online()) == 1)
        wait_for("catalog", lambda: d.online()[0]["channels"] == 1)
        expect(d.online()[0]["transport"] == "tls", d.online())
        play(d, "udp", ("fmp4",), "h264", seconds=3)
        play(d, "tcp-passive", ("flv",), "h264", seconds=3)
        # an unknown authority is refused, and both logs say at which step
        with open(f"{d.dir}/other.crt", "w") as f:
            f.write(make_certificate())
        other = Cameras(d, "--transport", "tls", "--ca", f"{d.dir}/other.crt", "--retry", "1", server_port=port,
                        device="34020000001180000002")
        wait_for("refusal", lambda: "TLS certificate of 127.0.0.1" in other.log())
        wait_for("alert", lambda: "TLS handshake with 127.0.0.1" in d.log())
        other.close()
        expect([x["id"] for x in d.devices()] == [DEVICE], d.devices())
        # neither plain SIP nor silence on the TLS port harms the others
        with socket.create_connection(("127.0.0.1", port)) as plain, socket.create_connection(("127.0.0.1", port)):
            plain.sendall(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
            plain.settimeout(HANG_S)
            while plain.recv(1000):
                pass
        expect(len(d.online()) == 1, "still online")
        # the certificate stays, and the device comes back to it
        with open(f"{d.dir}/data/tls.crt", "rb") as f:
            before = f.read()
        d.kill()
        d.start()
        wait_for("online again", lambda: len(d.online()) == 1 and d.online()[0]["transport"] == "tls")
        with open(f"{d.dir}/data/tls.crt", "rb") as f:
            expect(f.read() == before, "the certificate changed with the restart")
        play(d, "udp", ("fmp4",), "h264", seconds=2)
        c.close()
    finally:
        d.close()


def make_certificate():
    """A certificate of somebody else: that of another daemon."""
    d = Daemon(settings=[f"sip.tls_listen=127.0.0.1:{free_port()}"])
    try:
        with open(f"{d.dir}/data/tls.crt") as f:
            return f.read()
    finally:
        d.close()


@test
def ipv6():
    with system(host="::1") as (d, _):
        play(d, "udp", ("fmp4",), "h264", seconds=3)
        play(d, "tcp-passive", ("flv",), "h264", seconds=3)


class AnyAddress(Daemon):
    """SIP on all addresses of the machine, as it comes: each device is told the one that it talks to."""

    def start(self):
        self.settings = [f"sip.listen={'[::]' if ':' in self.host else '0.0.0.0'}:{self.sip}"]
        super().start()


@test
def any_address():
    for host in ("127.0.0.1", "::1"):
        d = AnyAddress(host)
        try:
            c = Cameras(d, device="34020000001180000001")
            try:
                wait_for("catalog", lambda d=d: [x["channels"] for x in d.online()] == [1])
                play(d, "udp", ("fmp4",), "h264", seconds=3)
            finally:
                c.close()
        finally:
            d.close()


def rtsp_decode(url, transport, codec, seconds=3, rate=8000):
    """ffmpeg decodes picture and sound, and has nothing to complain about."""
    p = subprocess.run(["ffmpeg", "-v", "warning", "-nostdin", "-rtsp_transport", transport, "-i", url,
                        "-t", str(seconds), "-map", "0", "-f", "framecrc", "-"],
                       capture_output=True, text=True, timeout=HANG_S, check=False)
    # it tries one port of its own after another
    said = [l for l in p.stderr.splitlines() if l.strip() and "bind failed: Address already in use" not in l]
    expect(p.returncode == 0 and not said, f"{url} over {transport}: {p.returncode} {said}")
    lines = [l for l in p.stdout.splitlines() if l and l[0] != "#"]
    expect(codec in ("h264", "h265") and "rawvideo" in p.stdout and "pcm" in p.stdout, p.stdout[:400])
    pictures = sum(l.startswith("0,") for l in lines)
    samples = sum(int(l.split(",")[3]) for l in lines if l.startswith("1,"))
    expect(abs(pictures - 25 * seconds) <= 4, f"{transport}: {pictures} pictures in {seconds} s")
    expect(abs(samples - rate * seconds) <= rate / 5, f"{transport}: {samples} samples in {seconds} s")


def consumers(d):
    return [s["consumers"] for s in d.get("/api/v1/sessions")["items"]]


class Rtsp:
    """A client by hand."""

    def __init__(self, d, path):
        self.url = f"rtsp://{d.bracketed}:{d.rtsp}/{path}"
        self.sock = socket.create_connection((d.host, d.rtsp), timeout=HANG_S)
        self.cseq, self.session, self.rest = 0, None, b""

    def ask(self, method, url=None, **fields):
        self.cseq += 1
        text = f"{method} {url or self.url} RTSP/1.0\r\nCSeq: {self.cseq}\r\n"
        if self.session:
            text += f"Session: {self.session}\r\n"
        text += "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n"
        self.sock.sendall(text.encode())
        return self.answer()

    def answer(self):
        """(status, reason, head); interleaved frames before it are passed over."""
        while True:
            if self.rest[:1] == b"$" and len(self.rest) >= 4:
                n = 4 + int.from_bytes(self.rest[2:4], "big")
                if len(self.rest) >= n:
                    self.rest = self.rest[n:]
                    continue
            elif b"\r\n\r\n" in self.rest:
                head, _, rest = self.rest.partition(b"\r\n\r\n")
                head = head.decode()
                n = re.search(r"Content-Length: (\d+)", head)
                n = int(n.group(1)) if n else 0
                if len(rest) >= n:
                    self.rest = rest[n:]
                    m = re.match(r"RTSP/1.0 (\d+) ([^\r]*)", head)
                    expect(f"CSeq: {self.cseq}\r" in head, head)
                    s = re.search(r"Session: ([^;\r]+)", head)
                    self.session = s.group(1) if s else self.session
                    return int(m.group(1)), m.group(2), head
            got = self.sock.recv(65536)
            expect(got, f"connection closed; {self.rest[:200]}")
            self.rest += got

    def play(self, transport, tracks=2):
        expect(self.ask("DESCRIBE")[0] == 200, "DESCRIBE")
        base = self.url.split("?")[0]
        for t in range(tracks):
            s = self.ask("SETUP", f"{base}/trackID={t}", Transport=transport(t))
            expect(s[0] == 200, f"SETUP: {s}")
        s = self.ask("PLAY", base + "/")
        expect(s[0] == 200 and "RTP-Info" in s[2], f"PLAY: {s}")


@test
def rtsp_h264():
    with system() as (d, _):
        url = d.live(DEVICE, channel_id(DEVICE)).json["rtsp"]
        expect(url.startswith(f"rtsp://127.0.0.1:{d.rtsp}/{DEVICE}/") and "?t=" in url, url)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            ways = [("tcp", url), ("udp", url)] + [("tcp", url.replace("rtsp:", "rtsps:"))] * TLS
            for done in [pool.submit(rtsp_decode, u, t, "h264") for t, u in ways]:
                done.result()
        wait_for("nobody watches", lambda: consumers(d) == [0])


def gst_decode(url, protocol, want=41):
    """GStreamer's client: pictures and sound come out of its decoders."""
    count = "identity silent=false name={} ! fakesink sync=false"
    p = started(subprocess.Popen(["timeout", "-k", "5", "-s", "INT", str(HANG_S), "gst-launch-1.0", "-v", "rtspsrc",
                                  f"location={url}", f"protocols={protocol}", "name=s",
                                  *"s. ! rtph264depay ! h264parse ! avdec_h264 !".split(),
                                  *count.format("video").split(), *"s. ! rtppcmadepay ! alawdec !".split(),
                                  *count.format("sound").split()],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    came, last = {"video": 0, "sound": 0}, ""
    for last in p.stdout:
        for track in came:
            came[track] += f"{track}: last-message = chain" in last
        if "ERROR" in last or min(came.values()) >= want:
            break
    p.terminate()
    p.communicate()
    expect(min(came.values()) >= want and "ERROR" not in last, f"{url} over {protocol}: {came} {last[-600:]}")


@test
def rtsp_gstreamer():
    if not shutil.which("gst-launch-1.0"):
        print("        no gst-launch-1.0")
        return
    with system() as (d, _):
        url = d.live(DEVICE, channel_id(DEVICE)).json["rtsp"]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for done in [pool.submit(gst_decode, url, protocol) for protocol in ("tcp", "udp")]:
                done.result()


@test
def rtsp_h265_and_the_sub_stream():
    with system("--codec", "h265") as (d, _):
        # started by the request itself; the channel alone is enough; the token is a password under any name
        ch = channel_id(DEVICE)
        url = f"rtsp://me:{d.token}@127.0.0.1:{d.rtsp}/{ch}"
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for done in [pool.submit(rtsp_decode, url, "tcp", "h265"), pool.submit(rtsp_decode, url, "udp", "h265"),
                         pool.submit(rtsp_decode, url + "?stream=sub", "udp", "h265")]:
                done.result()
        expect(sorted(s["stream"] for s in d.get("/api/v1/sessions")["items"]) == ["main", "sub"], "two sessions")


@test
def rtsp_over_ipv6_with_aac():
    with system("--audio", "aac", host="::1") as (d, _):
        url = d.live(DEVICE, channel_id(DEVICE)).json["rtsp"]
        expect(url.startswith(f"rtsp://[::1]:{d.rtsp}/"), url)
        rtsp_decode(url, "udp", "h264", seconds=2, rate=16000)
        rtsp_decode(url, "tcp", "h264", seconds=2, rate=16000)


def tcp_channels(first=0):
    return lambda t: f"RTP/AVP/TCP;unicast;interleaved={first + 2 * t}-{first + 2 * t + 1}"


def rtsp_path(d):
    return d.live(DEVICE, channel_id(DEVICE)).json["rtsp"].split("/", 3)[3]


def no_rtsp_is_left(d):
    for name in ("viewers", "connections"):  # the socket's end comes a turn after the session's
        wait_for(f"no RTSP {name}", lambda name=name: d.metric(f"gb28181_rtsp_{name}") == 0)


@test
def rtsp_ends_free_the_session():
    with system() as (d, _):
        path = rtsp_path(d)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(HANG_S)
        port = udp.getsockname()[1]
        ways = {"interleaved": tcp_channels(), "own channels": tcp_channels(6),
                "udp": lambda t: f"RTP/AVP;unicast;client_port={port + 2 * t}-{port + 2 * t + 1}"}
        for name, transport in ways.items():
            for how in ("TEARDOWN", "disconnect"):
                c = Rtsp(d, path)
                c.play(transport)
                expect(consumers(d) == [1], f"{name}: one consumer: {consumers(d)}")
                if name == "udp":
                    expect(udp.recv(2000)[0] == 0x80, "RTP over UDP")
                else:
                    c.ask("GET_PARAMETER")
                if name == "own channels":
                    while len(c.rest) < 4:
                        c.rest += c.sock.recv(65536)
                    expect(c.rest[0] == 0x24 and 6 <= c.rest[1] <= 9, f"channel {c.rest[:4]}")
                if how == "TEARDOWN":
                    expect(c.ask("TEARDOWN")[0] == 200, "TEARDOWN")
                    while c.sock.recv(65536):
                        pass
                c.sock.close()
                wait_for(f"{name}, {how}: nobody watches", lambda: consumers(d) == [0])
        no_rtsp_is_left(d)


@test
def rtsp_another_stream_on_the_connection():
    with system() as (d, _):
        c = Rtsp(d, rtsp_path(d))
        for url, want in ((c.url, [1]), (c.url.replace("?", "?stream=sub&"), [0, 1]), (c.url, [0, 1])):
            s = c.ask("DESCRIBE", url)
            expect(s[0] == 200 and sorted(consumers(d)) == want, f"{url}: {s} {consumers(d)}")
        c.sock.close()
        wait_for("nobody watches", lambda: consumers(d) == [0, 0])
        no_rtsp_is_left(d)


@test
def rtsp_says_bye():
    """A session that is stopped, to who has paused and gone on."""
    with system() as (d, _):
        c = Rtsp(d, rtsp_path(d))
        c.play(tcp_channels())
        expect(c.ask("PAUSE")[0] == 200 and c.ask("PLAY")[0] == 200, "PAUSE and PLAY")
        c.rest = b""
        d.stop_live(DEVICE, channel_id(DEVICE))
        got = b""
        while True:  # to its end: a BYE for each track is the last
            more = c.sock.recv(65536)
            if not more:
                break
            got = (got + more)[-64:]
        expect(got[-8:-6] == b"\x81\xcb", f"no BYE: {got.hex()}")
        wait_for("the session is gone", lambda: not consumers(d))
        no_rtsp_is_left(d)


@test
def rtsp_refuses_with_a_reason():
    with system("--fault", "silent") as (d, _):
        ch = channel_id(DEVICE)
        basic = lambda word: "Basic " + base64.b64encode(f"x:{word}".encode()).decode()
        c = Rtsp(d, f"{DEVICE}/{ch}")
        s = c.ask("DESCRIBE")
        expect(s[0] == 401 and "Digest realm" in s[2] and "Basic realm" in s[2], f"without a password: {s}")
        s = c.ask("DESCRIBE", Authorization=basic(d.token), url=f"rtsp://h/{DEVICE}/34020000001310009999")
        expect(s[0] in (404, 502, 504), f"no such channel: {s}")
        s = c.ask("DESCRIBE", Authorization=basic(d.token), url="rtsp://h/34020000001310009999")
        expect(s[0] == 404 and "no such" in s[1], f"channel of nobody: {s}")
        s = c.ask("DESCRIBE", Authorization=basic(d.token))
        expect(s[0] == 504 and len(s[1]) > 20, f"a device that sends nothing: {s}")
        expect(c.ask("PLAY")[0] == 454, "PLAY of nothing")
        wait_for("nothing is held", lambda: sum(consumers(d)) == 0)
        for _ in range(5):
            s = c.ask("DESCRIBE", Authorization=basic("guess"))
            expect(s[0] == 401, f"a wrong password: {s}")
        s = c.ask("DESCRIBE", Authorization=basic(d.token))
        expect(s[0] == 403 and "Retry-After" in s[2], f"after five guesses: {s}")


@test
def catalogs_in_gb2312_and_utf8():
    for charset in ("gb2312", "utf-8"):
        with system("--charset", charset, channels=4) as (d, _):
            names = sorted(c["name"] for c in d.channels(DEVICE))
            expect(names == ["大门 1-1", "大门 1-2", "大门 1-3", "大门 1-4"], f"{charset}: {names}")
            dev = d.get(f"/api/v1/devices/{DEVICE}")
            wait_for("DeviceInfo", lambda: d.get(f"/api/v1/devices/{DEVICE}")["manufacturer"] == "gbcam")
            expect(dev["transport"].lower() == "udp", dev)


@test
def restart_loses_no_device():
    with system("--keepalive", "2", devices=4, channels=2) as (d, _):
        d.stored()
        d.kill()
        d.start()
        listed = d.devices()
        expect(len(listed) == 4, f"{len(listed)} devices after the restart")
        expect(all(x["channels"] == 2 for x in listed), "channels after the restart")
        wait_for("all online again", lambda: len(d.online()) == 4, timeout=15)


@test
def settings_are_answered_when_they_are_stored():
    """2xx means that it outlives a kill. A disk that refuses is told; what it refused is tried again."""
    d = Daemon()
    path = f"/api/v1/devices/{DEVICE}"
    try:
        a = d.call("POST", "/api/v1/devices", {"id": DEVICE, "name": "first"})
        expect(a.status == 201, f"{a.status} {a.body[:300]}")
        d.kill()
        d.start()
        expect(d.get(path)["name"] == "first", d.get(path))
        # no file may grow beyond 4 KiB: not a page fits
        limits = resource.prlimit(d.proc.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(d.proc.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
        a = d.call("PATCH", path, {"name": "second"})
        expect(a.status == 503 and a.json["code"] == "not-stored" and a.json["step"] == "store",
               f"{a.status} {a.body[:300]}")
        expect(d.get(path)["name"] == "second", "it is in force")
        a = d.call("POST", "/api/v1/groups", {"name": "north", "password": "s3cret"})
        expect(a.status == 503, f"{a.status} {a.body[:300]}")
        expect("store cannot be written" in d.log(), d.log()[-1000:])
        resource.prlimit(d.proc.pid, resource.RLIMIT_FSIZE, limits)
        a = d.call("PATCH", path, {"group": "north"})
        expect(a.status == 200, f"{a.status} {a.body[:300]}")
        expect("store is written again" in d.log(), d.log()[-1000:])
        d.kill()
        d.start()
        expect(d.get(path)["name"] == "second" and d.get(path)["group"] == "north", d.get(path))
        expect(d.get("/api/v1/groups/north")["has_password"], "the group's password")
        expect(d.call("DELETE", path).status == 204, "deleted")
        d.kill()
        d.start()
        expect(d.call("GET", path).status == 404, "and gone")
    finally:
        d.close()


def watched(d):
    """A live session with somebody who keeps watching; close what is returned."""
    a = d.live(DEVICE, channel_id(DEVICE), transport="udp")
    expect(a.status == 200, f"{a.status} {a.body[:300]}")
    r = urllib.request.urlopen(a.json["flv"], timeout=20 * SLOW)
    expect(r.read(3) == b"FLV", "FLV")
    return r


@test
def killed_while_playing():
    """The camera goes on sending; the next process ends that, by a BYE."""
    with system("--keepalive", "2") as (d, c), contextlib.closing(watched(d)):
        wait_for("the stream", lambda: "stream begins" in c.log())
        d.stored()
        d.kill()
        time.sleep(0.5)
        expect("stream ends" not in c.log(), "nobody has told the camera")
        d.start()
        wait_for("the BYE", lambda: "stream ends" in c.log(), timeout=10)
        wait_for("online again", lambda: len(d.online()) == 1, timeout=15)
        play(d, "udp", ("fmp4",), "h264", seconds=2)


@test
def stopped_while_playing():
    """SIGTERM waits for the answer to its BYE, here from a camera that is busy."""
    with system("--keepalive", "2") as (d, c), contextlib.closing(watched(d)):
        wait_for("the stream", lambda: "stream begins" in c.log())
        c.proc.send_signal(signal.SIGSTOP)
        try:
            d.proc.send_signal(signal.SIGTERM)
            time.sleep(1.5)
            expect(d.proc.poll() is None, "it waits for the answer")
        finally:
            c.proc.send_signal(signal.SIGCONT)
        wait_for("the BYE", lambda: "stream ends" in c.log(), timeout=5)
        expect(wait_for_end(d.proc, 5) == 0, "a clean end")


@test
def stopped_without_an_answer():
    """Nobody answers the BYE: the end comes all the same, and the next process
    sends another one."""
    with system("--keepalive", "2") as (d, c), contextlib.closing(watched(d)):
        wait_for("the stream", lambda: "stream begins" in c.log())
        port = int(d.get(f"/api/v1/devices/{DEVICE}")["address"].rpartition(":")[2])
        c.kill()
        watch = Watch()
        d.stop()
        expect(watch.s() < 8 * SLOW, "it ends in time")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", port))
            s.settimeout(HANG_S)
            d.start()
            got = s.recv(65536)
            while not got.startswith(b"BYE "):
                got = s.recv(65536)


@test
def second_viewer_and_a_stalled_one():
    """Who comes later sees exactly a picture and a sound; who does not read is
    cut, and harms nobody."""
    with system() as (d, _), contextlib.closing(watched(d)):
        url = d.live(DEVICE, channel_id(DEVICE)).json["flv"]
        host, port, path = d.host, d.http, re.sub(r"^https?://[^/]+", "", url)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as lazy:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.connect((host, port))
            lazy.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            expect(b" 200 " in lazy.recv(512), "the lazy viewer gets in")

            def viewers():
                return re.search(r"^gb28181_viewers (\d+)", d.call("GET", "/metrics").body.decode(), re.M).group(1)

            wait_for("two viewers", lambda: viewers() == "2", timeout=5)
            check_picture(url, "h264")
            wait_for("the lazy one is cut", lambda: viewers() == "1", timeout=60)
            check_picture(url, "h264", seconds=2)


@test
def wrong_password_is_never_a_device():
    d = Daemon()
    try:
        c = Cameras(d, "--retry", "1", password="not the password")
        wait_for("refusals", lambda: re.search(r"refused", c.log()))
        expect(d.devices() == [], f"{d.devices()}")
        pending = d.get("/api/v1/pending")["items"]
        expect([p["id"] for p in pending] == [DEVICE], f"pending: {pending}")
        c.close()
    finally:
        d.close()


@test
def passwords_of_devices_and_groups():
    d = Daemon(settings=["sip.auto_enrol=false"])
    try:
        a = d.call("POST", "/api/v1/groups", {"name": "north", "password": "group-secret"})
        expect(a.status == 201, f"group: {a.status} {a.body}")
        a = d.call("POST", "/api/v1/devices", {"id": DEVICE, "password": "own-secret", "group": "north"})
        expect(a.status == 201 and b"secret" not in a.body, f"device: {a.status} {a.body}")
        c = Cameras(d, "--retry", "1", password="own-secret")
        wait_for("online with its own password", lambda: len(d.online()) == 1)
        c.close()
        a = d.call("PATCH", f"/api/v1/devices/{DEVICE}", {"password": None, "name": "Gate"})
        expect(a.status == 200, f"patch: {a.status} {a.body}")
        d.kill()  # what was answered is stored
        for name in os.listdir(os.path.join(d.dir, "data")):
            if os.path.isdir(os.path.join(d.dir, "data", name)):
                continue
            with open(os.path.join(d.dir, "data", name), "rb") as f:
                text = f.read()
            expect(b"group-secret" not in text and b"own-secret" not in text, f"a password lies open in {name}")
        d.start()
        dev = d.get(f"/api/v1/devices/{DEVICE}")
        expect(dev["name"] == "Gate" and dev["group"] == "north" and not dev["has_password"], f"restored: {dev}")
        c = Cameras(d, "--retry", "1", password="group-secret")
        wait_for("online with the password of its group", lambda: len(d.online()) == 1)
        c.close()
    finally:
        d.close()


@test
def a_pending_device_is_let_in():
    d = Daemon(settings=["sip.auto_enrol=false", "sip.digest=sha256", "sip.qop=true"])
    try:
        c = Cameras(d, "--retry", "1")
        wait_for("it knocks", lambda: [p["id"] for p in d.get("/api/v1/pending")["items"]] == [DEVICE])
        expect(d.devices() == [], "nobody let it in yet")
        a = d.call("POST", f"/api/v1/pending/{DEVICE}/accept")
        expect(a.status == 201, f"accept: {a.status} {a.body}")
        wait_for("online", lambda: len(d.online()) == 1)
        expect(d.get("/api/v1/pending")["items"] == [], "no longer pending")
        c.close()
    finally:
        d.close()


@test
def scanners_hear_nothing():
    d = Daemon()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for user, agent in (("100", "x"), (DEVICE, "friendly-scanner")):
                s.sendto(f"OPTIONS sip:{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;"
                         f"branch=z9hG4bK{user};rport\r\nFrom: <sip:{user}@1.1.1.1>;tag=1\r\n"
                         f"To: <sip:{user}@1.1.1.1>\r\nCall-ID: {user}\r\nCSeq: 1 OPTIONS\r\n"
                         f"User-Agent: {agent}\r\nContent-Length: 0\r\n\r\n".encode(), ("127.0.0.1", d.sip))
            wait_for("both are counted", lambda: d.metric("gb28181_scanners_total") == 2)
            s.settimeout(0.5)
            try:
                raise Failed(f"a scanner was answered: {s.recv(2000)}")
            except TimeoutError:
                pass
    finally:
        d.close()


def failing(options, statuses, steps, transport="udp", settings=()):
    with system(*options, settings=settings) as (d, _):
        a = d.live(DEVICE, channel_id(DEVICE), transport=transport)
        expect(a.status in statuses, f"{options}: {a.status} {a.body[:500]}")
        p = a.json
        expect(p.get("step") in steps, f"{options}: step {p.get('step')}: {p}")
        expect(p.get("evidence") and p.get("hint"), f"{options}: {p}")
        wait_for("everything is freed", lambda: not [s for s in d.get("/api/v1/sessions")["items"]
                                                     if s["state"] not in ("failed",)])
        return p


@test
def refused_invite_names_the_step():
    failing(["--refuse", "403"], (502,), ("answer",))
    failing(["--refuse", "486"], (502, 409), ("answer",))


@test
def unanswered_invite_names_the_step():
    failing(["--fault", "deaf"], (504,), ("answer",))


@test
def unheard_answers():
    """Field-note 5.3: no answer comes, and RTP with our SSRC does: it is shown, and the session tells of it."""
    for transport in ("udp", "tcp-passive"):
        with system("--fault", "unheard") as (d, _):
            a = d.live(DEVICE, channel_id(DEVICE), transport=transport)
            expect(a.status == 200, f"{transport}: {a.status} {a.body[:400]}")
            check_picture(a.json["flv"], "h264", seconds=3)
            told = d.get("/api/v1/sessions")["items"][0]
            expect(told["state"] == "playing" and "taken for one" in told["evidence"], told)
            expect("evidence_zh" in told, told)


@test
def silent_device_names_the_step():
    failing(["--fault", "silent"], (504,), ("packet",))
    failing(["--fault", "silent"], (504,), ("connect", "packet"), transport="tcp-passive")


@test
def unknown_device_and_channel():
    with system() as (d, _):
        a = d.live("34020000001180009999", "34020000001310009999")
        expect(a.status == 404, f"{a.status} {a.body[:300]}")
        expect(a.headers["Content-Type"].startswith("application/problem+json"), a.headers)


@test
def odd_catalogs_are_tolerated():
    with system("--fault", "dup-catalog", channels=5) as (d, _):
        expect(len(d.channels(DEVICE)) == 5, "duplicates")
    with system("--fault", "short-catalog", channels=3) as (d, _):
        expect(len(d.channels(DEVICE)) == 3, "short")


@test
def loss_and_reordering():
    with system("--loss", "3", "--reorder", "2", "--duplicate", "1") as (d, _):
        a = d.live(DEVICE, channel_id(DEVICE), transport="udp")
        expect(a.status == 200, f"{a.status} {a.body[:300]}")
        urls = a.json["urls"] if "urls" in a.json else a.json
        check_picture(urls["fmp4"], "h264", seconds=8, slack=0.5)
        s = d.get("/api/v1/sessions")["items"][0]
        expect(s["lost"] > 0, f"no loss counted: {s}")


@test
def idle_streams_stop_and_start_again():
    with system(settings=["media.idle_stop_s=2"]) as (d, _):
        ch = channel_id(DEVICE)
        for _ in range(2):
            url = d.live(DEVICE, ch).json
            url = (url["urls"] if "urls" in url else url)["fmp4"]
            probe(url, 1)
            d.stop_live(DEVICE, ch)
            wait_for("idle stop", lambda: not d.get("/api/v1/sessions")["items"])
        # the first GET of a stream starts it by itself
        path = re.sub(r"^https?://[^/]+", "", url)
        probe(d.base + path, 1)
        wait_for("idle stop", lambda: not d.get("/api/v1/sessions")["items"])


@test
def media_urls_need_their_signature():
    with system() as (d, _):
        ch = channel_id(DEVICE)
        for path in (f"/live/{DEVICE}/{ch}.flv", f"/live/{DEVICE}/{ch}.mp4", f"/live/{DEVICE}/{ch}.flv?t=1.aaaa",
                     f"/live/{DEVICE}/{ch}/frame.mp4", f"/live/{ch}/frame.mp4", "/api/v1/devices", "/metrics"):
            a = d.call("GET", path, token=False)
            expect(a.status == 401, f"{path}: {a.status}")
        expect(d.call("GET", "/healthz", token=False).status == 200, "healthz")
        expect(b"gb28181_devices" in d.call("GET", "/metrics").body, "metrics")


@test
def login_with_the_printed_password():
    d = Daemon()
    try:
        password = re.search(r"admin password\s+(\S+)", d.output()).group(1)
        a = d.call("POST", "/api/v1/login", {"password": "wrong"}, token=False)
        expect(a.status in (401, 403), f"wrong password: {a.status}")
        a = d.call("POST", "/api/v1/login", {"password": password}, token=False)
        expect(a.status in (200, 204), f"login: {a.status} {a.body[:200]}")
        cookie = a.headers["Set-Cookie"]
        expect("HttpOnly" in cookie and "SameSite=Strict" in cookie, cookie)
        a = d.call("GET", "/api/v1/devices", token=False, headers={"Cookie": cookie.split(";")[0]})
        expect(a.status == 200, f"with the cookie: {a.status}")
    finally:
        d.close()


@test
def the_password_that_was_set_is_the_one_that_is_told():
    """Not the file of the one that would be made."""
    d = Daemon(settings=["sip.password=12345678"])
    try:
        expect(re.search(r"password +12345678", d.output()), d.output())
        d.stop()
        d.start()
        told = d.output().rsplit("SIP server ID", 1)[1]
        expect("in sip.password" in told and "device-password" not in told, told)
    finally:
        d.close()


@test
def alarms_arrive():
    with system("--alarm", "1") as (d, _):
        items = wait_for("an alarm", lambda: d.get("/api/v1/alarms")["items"])
        expect(items[0]["device"] == DEVICE, items[0])


@test
def alarm_on_demand():
    with system() as (d, c):
        expect(d.get("/api/v1/alarms")["items"] == [], "none before")
        c.proc.send_signal(signal.SIGUSR1)
        wait_for("the alarm", lambda: d.get("/api/v1/alarms")["items"])


@test
def restart_over_tcp():
    """Cameras connect again soon, without --retry."""
    with system("--transport", "tcp") as (d, c), contextlib.closing(watched(d)):
        wait_for("the stream", lambda: "stream begins" in c.log())
        d.stored()
        d.kill()
        d.start()
        wait_for("online again", lambda: len(d.online()) == 1, timeout=15)
        wait_for("the end of the old stream", lambda: "stream ends" in c.log(), timeout=5)


@test
def garbage_does_no_harm():
    with system("--keepalive", "2") as (d, _):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for i in range(300):
                s.sendto(bytes((i * 7 + k * 13) & 0xff for k in range(i)), ("127.0.0.1", d.sip))
            s.sendto(b"REGISTER sip:x SIP/2.0\r\n" + b"Via: SIP/2.0/UDP h\r\n" * 2000 + b"\r\n", ("127.0.0.1", d.sip))
        with socket.create_connection(("127.0.0.1", d.sip)) as s:
            s.sendall(b"\x00\x01\x02" * 30000)
        with socket.create_connection(("127.0.0.1", d.http)) as s:
            s.sendall(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000)
        kinds = ("bad SIP message", "SIP connection cut", "bad HTTP request")
        wait_for("all of it is told", lambda: all(f'msg="{kind}"' in d.log() for kind in kinds))
        time.sleep(2)
        expect(len(d.online()) == 1, "device is still online")
        for kind in kinds:
            n = d.log().count(f'msg="{kind}"')
            expect(n == 1, f"{kind}: {n} lines")
        play(d, "udp", ("fmp4",), "h264", seconds=2)


@test
def command_line():
    exe = f"{BUILD}/gb28181d"

    def run(*args):
        return subprocess.run([exe, *args], capture_output=True, text=True, timeout=HANG_S, check=False)

    expect(run("--version").stdout.startswith("gb28181d "), "--version")
    expect(run("--help").returncode == 0, "--help")
    for odd in ("--no-such", "what"):
        r = run(odd)
        expect(r.returncode == 64 and odd in r.stderr and len(r.stderr.splitlines()) == 2, r)
    for asked in ("--help", "--version", "--print-config", "--check"):
        with open("/dev/full", "w") as full:
            r = subprocess.run([exe, asked], stdout=full, stderr=subprocess.PIPE, text=True, timeout=HANG_S, check=False)
        expect(r.returncode == 74 and "No space left" in r.stderr, r)
    r = run("-s", "no.such=1", "-t")
    expect(r.returncode == 78 and "no.such" in r.stderr, r)
    r = run("-s", "media.ports=9", "--check")
    expect(r.returncode == 78 and "media.ports" in r.stderr, r)
    r = run("-s", "tls.cert=/tmp/x.crt", "-t")
    expect(r.returncode == 78 and "tls.key" in r.stderr, r)
    r = run("-s", "sip.tls_listen=127.0.0.1:5061", "-t")
    expect((r.returncode == 0) == TLS and (TLS or "has no TLS" in r.stderr), r)
    r = run("--print-config")
    expect("sip:" in r.stdout and r.returncode == 0, "--print-config")
    with tempfile.TemporaryDirectory() as dir_:
        conf = os.path.join(dir_, "c.yml")
        with open(conf, "w") as f:
            f.write("server: { id: 34020000002000000001 }\nsip: { listen: 127.0.0.1:5060, bad: 1 }\n")
        r = run("-c", conf, "-t")
        expect(r.returncode == 78 and ":2:" in r.stderr and "sip.bad" in r.stderr, r)
        with open(conf, "w") as f:
            f.write("# a comment\n" * 200000)
        r = run("-c", conf, "-t")
        expect(r.returncode == 78 and "larger than" in r.stderr, r)
        r = run("-c", dir_, "-t")
        expect(r.returncode == 78 and "directory" in r.stderr, r)


@test
def sighup_takes_over_what_it_can():
    d = Daemon()
    try:
        conf = f"{d.dir}/c.yml"

        def write(text):
            with open(conf, "w") as f:
                f.write(text)

        d.stop()
        write("media: { idle_stop_s: 5 }\n")
        d.options = ["-c", conf]
        d.start()
        write("media: { idle_stop_s: 7 }\nsip: { date: off }\nlimits: { devices: 10 }\n")
        d.proc.send_signal(signal.SIGHUP)
        wait_for("reload", lambda: "configuration reloaded" in d.log())
        expect('msg="setting changed" key=sip.date' in d.log(), d.log())
        expect('needs a restart" key=limits.devices' in d.log(), d.log())
        write("nonsense: 1\n")
        d.proc.send_signal(signal.SIGHUP)
        wait_for("refusal", lambda: "configuration not reloaded" in d.log())
        expect(d.healthy(), "still there")
    finally:
        d.close()


LONG = ("odd_", "silent_device", "h264_", "h265_", "second_viewer")


if __name__ == "__main__":
    # six at a time: each has a daemon and ports of its own, and nearly all of their time is waiting
    sys.exit(run_tests(test, 6, order=lambda fn: not fn.__name__.startswith(LONG)))
