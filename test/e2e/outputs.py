#!/usr/bin/env python3
"""test/e2e/outputs.py [NAME...] - what the daemon gives besides FLV and fMP4: the program stream as it came,
HLS, the newest key frame, go2rtc's dialect. Judged against what the device sent, by a reader of our own and by
ffmpeg.

BUILD names the folder of the programs, SLOW stretches the time limits."""
import json
import re
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from foreign_bed import camera, start, stop, urls
from foreign_device import Call
from foreign_judge import Heard, grab, judge
from foreign_media import Clip, Media, add_clip, run
from rig import HANG_S, SLOW, Cameras, Daemon, Failed, Watch, expect, wait_for

TESTS = []


def test(fn):
    TESTS.append((fn.__name__, fn))
    return fn


def keep_what_is_sent():
    """Each Media remembers its program stream."""
    packets = Media.packets

    def kept(self, data, pts):
        self.ps = getattr(self, "ps", b"") + data
        packets(self, data, pts)
    Media.packets = kept


def sent_by(dev):
    return dev.medias[-1].ps


def key_packs(ps, codec):
    """Where packs begin that hold a key frame: Media puts system header and map there."""
    at, out = ps.find(b"\0\0\1\xba"), []
    while at >= 0:
        if ps.find(b"\0\0\1\xbb", at, at + 40) >= 0:
            out.append(at)
        at = ps.find(b"\0\0\1\xba", at + 4)
    return out


def same_bytes(d, transport, codec, audio, seconds=2.5, **stream):
    with camera(d) as dev:
        dev.call = Call(stream=dict(codec=codec, audio=audio, **stream))
        u = urls(start(d, dev, transport))
        late = []
        data, _ = grab(u["ps"], seconds)
        second = threading.Thread(target=lambda: late.append(grab(u["ps"], 0.3)[0]))
        second.start()
        second.join()
        sent = sent_by(dev)
        for got in (data, late[0]):
            at = sent.find(got[:2000])
            expect(len(got) > 2000 and at >= 0, f"{len(got)} bytes that were not sent so")
            expect(sent[at:at + len(got)] == got, "not the bytes of the device")
            expect(at in key_packs(sent, codec), f"begins at {at}, where no key frame is")
        stop(d, dev)


@test
def ps_is_what_the_device_sent(d):
    same_bytes(d, "udp", "h264", "alaw", reorder=0.05, dup=0.05)
    same_bytes(d, "tcp-passive", "h265", "aac", marker="never", size=333)


@test
def ps_of_a_codec_that_nobody_reads(d):
    # SVAC, and an audio of its own: only the map says so, and the bytes hold no NAL unit
    made = Clip.__new__(Clip)
    made.codec, made.late = "h264", [0] * 25
    made.units = [(bytes([7 + i]) * 3000, i == 0, []) for i in range(25)]
    add_clip("h264-svac", made)
    with camera(d) as dev:
        dev.call = Call(stream=dict(codec="h264-svac", declared=0x80, audio="alaw", audio_type=0x93))
        u = urls(start(d, dev))
        data, _ = grab(u["ps"], 2)
        sent = sent_by(dev)
        at = sent.find(data[:2000])
        expect(at in key_packs(sent, "svac"), f"begins at {at}")
        expect(sent[at:at + len(data)] == data, "not the bytes of the device")
        a = d.call("GET", u["flv"][len(d.base):])
        expect(a.status == 409 and a.json["code"] == "codec-unsupported" and ".ps" in a.json["hint"], a.body)
        stop(d, dev)


def fetch(url):
    with urllib.request.urlopen(url, timeout=HANG_S) as r:
        expect(r.headers["Access-Control-Allow-Origin"] == "*", f"CORS: {r.headers}")
        return r.read(), r.headers["Content-Type"]


class Playlist:
    """What a player reads of it, by RFC 8216."""

    def __init__(self, url):
        text, kind = fetch(url)
        expect(kind == "application/vnd.apple.mpegurl", kind)
        self.lines = text.decode().split("\n")
        expect(self.lines[0] == "#EXTM3U" and self.lines[-1] == "", text)
        self.segments, self.maps, init, took = [], [], None, None
        for line in self.lines:
            name, _, value = line.partition(":")
            if name == "#EXT-X-TARGETDURATION":
                self.target = int(value)
            elif name == "#EXT-X-MEDIA-SEQUENCE":
                self.first = int(value)
            elif name == "#EXT-X-MAP":
                init = urllib.parse.urljoin(url, re.fullmatch('URI="(.*)"', value)[1])
                self.maps.append(init)
            elif name == "#EXTINF":
                took = float(value.rstrip(","))
                expect(round(took) <= self.target, f"{took} s, target {self.target}")
            elif line and line[0] != "#":
                self.segments.append((init, urllib.parse.urljoin(url, line), took))
        expect(self.segments, text)


def follow(url, seconds):
    """Like a player: every segment once, in order, behind its initialisation."""
    out, done, last, total, target = b"", set(), None, 0, None
    watch = Watch()
    while total < seconds:
        p = Playlist(url)
        expect(target in (None, p.target), "the target duration has changed")
        target = p.target
        for init, segment, took in p.segments:
            if segment in done:
                continue
            if init != last:
                out += fetch(init)[0]
                last = init
            data, kind = fetch(segment)
            expect(kind == "video/mp4", kind)
            out += data
            total += took
            done.add(segment)
        expect(watch.s() < (seconds + 15) * SLOW, f"{total:.1f} s of media only")
        time.sleep(0.3)
    return out, p


def hls(d, codec, audio, transport="udp", seconds=4):
    with camera(d) as dev:
        dev.call = Call(stream=dict(codec=codec, audio=audio))
        # cold: the playlist starts the session
        path = f"/live/{dev.id}/{dev.channel}/index.m3u8"
        a = d.call("GET", path)
        expect(a.status == 200, a.body)
        expect("?" not in a.body.decode(), "a signature where none was given")
        u = urls(start(d, dev, transport))
        expect("?t=" in u["hls"], u["hls"])
        data, p = follow(u["hls"], seconds)
        expect("#EXT-X-INDEPENDENT-SEGMENTS" in p.lines, p.lines)
        expect(all("?t=" in s for _, s, _ in p.segments), p.segments)
        sound = {"alaw": ("flac",), "aac": ("aac",)}[audio]
        judge(data, "fmp4", codec, seconds, exact=True, audio=sound)
        # nobody without the signature
        bare = p.segments[-1][1].split("?")[0]
        try:
            fetch(bare)
            raise Failed("a segment without a credential")
        except urllib.error.HTTPError as e:
            expect(e.code == 401, e.code)
        # and a real player
        out, err = run(["ffprobe", "-v", "error", "-read_intervals", "%+3", "-show_streams", "-show_packets", "-of",
                        "json", u["hls"]])
        expect(not err.strip(), f"ffprobe: {err[-600:]}")
        got = json.loads(out)
        kinds = {s["codec_type"]: s["codec_name"] for s in got["streams"]}
        expect(kinds == {"video": {"h264": "h264", "h265": "hevc"}[codec], "audio": sound[0]}, kinds)
        expect(sum(x["codec_type"] == "video" for x in got["packets"]) > 50, "few pictures")
        stop(d, dev)


@test
def hls_h264_g711(d):
    hls(d, "h264", "alaw")


@test
def hls_h265_g711(d):
    hls(d, "h265", "alaw", "tcp-passive")


@test
def hls_h264_aac(d):
    hls(d, "h264", "aac")


@test
def a_size_that_changes(d):
    """ffmpeg, and mpv with it, read the first initialisation segment alone: the pictures bring what has changed."""
    cam = Cameras(d, "--fault", "sps-change", "--no-audio", device="34020000001180000077")
    try:
        wait_for("the channel", lambda: d.call("GET", f"/api/v1/devices/{cam.device}/channels").status == 200 and
                 d.channels(cam.device))
        a = d.live(cam.device, d.channels(cam.device)[0]["id"])
        expect(a.status == 200, a.body)
        for kind in ("fmp4", "hls"):
            out, err = run(["ffprobe", "-v", "error", "-read_intervals", "%+5", "-show_entries", "frame=width,height",
                            "-of", "csv=p=0", a.json[kind]])
            expect(not err.strip(), f"{kind}: {err[-600:]}")
            expect({line.strip(b",").decode() for line in out.split()} >= {"640,360", "320,180"}, f"{kind}: {out[-300:]}")
        d.stop_live(cam.device, d.channels(cam.device)[0]["id"])
    finally:
        cam.close()


@test
def hls_stops_when_nobody_asks(d):
    """No viewer's socket tells that a player has gone: the playlist does."""
    own = Daemon(settings=["media.idle_stop_s=2"])
    try:
        stops_when_nobody_asks(own)
    finally:
        own.close()


def stops_when_nobody_asks(d):
    with camera(d) as dev:
        dev.call = Call()
        a = d.call("GET", f"/live/{dev.id}/{dev.channel}/index.m3u8")
        expect(a.status == 200, a.body)
        began = time.monotonic()
        dialog = list(dev.dialogs.values())[-1]
        wait_for("BYE", lambda: dialog.byes, 40)
        expect(15 < time.monotonic() - began, "stopped while the player may still be there")
        a = d.call("GET", f"/live/{dev.id}/{dev.channel}/seg_1.m4s")
        expect(a.status == 404 and a.json["code"] == "no-session", a.body)


@test
def one_key_frame(d):
    for codec, name in (("h264", "h264"), ("h265", "hevc")):
        with camera(d) as dev:
            dev.call = Call(stream=dict(codec=codec))
            u = urls(start(d, dev))
            data, kind = fetch(u["frame"])
            expect(kind == "video/mp4", kind)
            with tempfile.NamedTemporaryFile(suffix=".mp4") as f:
                f.write(data)
                f.flush()
                out, err = run(["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", f.name])
                expect(not err.strip(), f"ffprobe: {err[-400:]}")
                got = json.loads(out)["streams"]
                expect(len(got) == 1 and got[0]["codec_name"] == name and got[0]["width"] == 640 and
                       got[0]["nb_read_frames"] == "1", got)
            stop(d, dev)


def socket_of(url):
    """A WebSocket: (send text, next message as (opcode, bytes))."""
    at = urllib.parse.urlsplit(url)
    s = socket.create_connection((at.hostname, at.port), HANG_S)
    s.sendall(f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Protocol: mse, x\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    f = s.makefile("rb")
    expect(f.readline().startswith(b"HTTP/1.1 101"), "no upgrade")
    head = list(iter(lambda: f.readline().strip(), b""))
    expect(b"Sec-WebSocket-Protocol: mse" in head, f"no protocol: {head}")

    def send(message):
        p = json.dumps(message).encode()
        expect(len(p) < 65536, "too long for this")
        head = bytes((0x81, 0x80 | len(p))) if len(p) < 126 else bytes((0x81, 0xfe)) + len(p).to_bytes(2, "big")
        s.sendall(head + bytes(4) + p)

    def receive():
        b = f.read(2)
        n = b[1] & 127
        n = int.from_bytes(f.read({126: 2, 127: 8}[n]), "big") if n > 125 else n
        return b[0] & 15, f.read(n)
    return send, receive, s


# what go2rtc's player element sends first, in Chromium
CHROMIUM = "avc1.640029,avc1.64002A,avc1.640033,hvc1.1.6.L153.B0,mp4a.40.2,mp4a.40.5,flac,opus"


@test
def go2rtc_player(d):
    with camera(d) as dev:
        dev.call = Call(stream=dict(audio="alaw"))
        u = urls(start(d, dev))
        # it asks for all that it knows; an SDP of Chromium is that long
        offer = {"type": "webrtc/offer", "value": "v=0\r\n" + "a=candidate:1 1 udp 2122260223 192.0.2.1 50000\r\n" * 180}
        for codecs, told, first in ((CHROMIUM, "flac", True), (CHROMIUM.replace(",flac", ""), None, False)):
            send, receive, s = socket_of(u["mse"])
            wishes = [offer, {"type": "mse", "value": codecs}]
            for w in wishes if first else wishes[::-1]:
                send(w)
            send({"type": "webrtc/candidate", "value": ""})
            texts, early = [], []
            while len(texts) < 2:
                op, p = receive()
                (texts if op == 1 else early).append(p)
            m = [json.loads(x) for x in texts]
            refusal = next(x for x in m if x["type"] == "error")
            expect("webrtc/offer" in refusal["value"], m)
            m = next(x for x in m if x["type"] == "mse")
            expect(not first or not early, "pictures before their codecs")
            mime = re.fullmatch('video/mp4; codecs="(avc1\\.[0-9A-F]{6})(,flac)?"', m["value"])
            expect(mime and bool(mime[2]) == bool(told), f"{m} for {codecs}")
            op, data = (2, b"".join(early)) if early else receive()
            expect(op == 2 and data[4:8] == b"ftyp" and (b"fLaC" in data) == bool(told), data[:40])
            heard = Heard()
            while heard.more() < 2:
                op, more = receive()
                expect(op == 2 and more[4:8] == b"moof", more[:40])
                data += more
            s.close()
            judge(data, "fmp4", "h264", 2, audio=told and (told,))
        send, receive, s = socket_of(u["mse"])
        send({"type": "mse", "value": "hvc1.1.6.L153.B0,flac"})
        op, text = receive()
        expect(json.loads(text)["type"] == "error" and "avc1" in text.decode(), text)
        s.close()
        stop(d, dev)


@test
def a_delay_that_the_viewer_chose(d):
    """Fewer, larger pieces; the pictures are the same."""
    with camera(d) as dev:
        dev.call = Call()
        u = urls(start(d, dev))
        watch, times = Watch(), {}
        for query in ("", "&delay=200"):
            with urllib.request.urlopen(u["flv"] + query, timeout=HANG_S) as r:
                got, seen, heard = b"", [], Heard()
                while heard.more() < 3:
                    got += r.read1(1 << 20)
                    seen.append(time.monotonic())
            judge(got, "flv", "h264", 3)
            steps = sorted(b - a for a, b in zip(seen[2:], seen[3:]))
            times[query] = steps[len(steps) // 2]
        expect(times[""] < 0.1 * watch.slow() and 0.16 < times["&delay=200"] < 0.4 * watch.slow(), times)
        stop(d, dev)


def main():
    wanted = sys.argv[1:]
    keep_what_is_sent()
    d = Daemon(settings=["media.threads=3"])
    failed = []

    def one(name, fn):
        try:
            fn(d)
            print(f"ok      {name}", flush=True)
        except Exception as e:  # the others are of interest, too
            failed.append(name)
            print(f"FAILED  {name}: {type(e).__name__}: {e}", flush=True)
    try:
        chosen = [t for t in TESTS if not wanted or t[0] in wanted]
        chosen.sort(key=lambda t: t[0] != "hls_stops_when_nobody_asks")  # the longest first; it mostly waits
        with ThreadPoolExecutor(3) as pool:
            for name, fn in chosen:
                pool.submit(one, name, fn)
        if failed:
            print(d.log()[-3000:])
    finally:
        d.close()
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
