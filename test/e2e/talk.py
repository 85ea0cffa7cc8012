#!/usr/bin/env python3
"""test/e2e/talk.py [NAME...] - speaking to devices: a tone goes in over a
WebSocket or as a recording, and its frequency and level are measured at the
camera, for broadcast and talk, PCMA, PCMU and PS, UDP and TCP both ways, in
either order of INVITE and Response; and what devices do otherwise."""
import base64
import concurrent.futures
import functools
import json
import math
import os
import re
import socket
import struct
import sys
import threading
import time
import urllib.error
import urllib.request

from rig import SLOW, Tests, Watch, channel_id, expect, run_tests, system, wait_for

DEVICE = "34020000001180000001"
CHANNEL = channel_id(DEVICE)
TALK = f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/talk"
HZ, LEVEL = 1000, -12.0  # the tone
test = Tests()


LEAD_S = 0.2  # less than what the server lets wait
MOST = 8      # times what is said, where the machine does not come to speak or listen


@functools.lru_cache
def a_second(rate, hz, dbfs):
    """It fits behind itself: hz is a whole number."""
    a = 32768 * 10 ** (dbfs / 20)
    return struct.pack(f"<{rate}h", *(round(a * math.sin(2 * math.pi * hz * i / rate)) for i in range(rate)))


def tone(rate, seconds, start=0.0, hz=HZ, dbfs=LEVEL):
    """16 bit samples, little-endian."""
    first = 2 * (round(start * rate) % rate)
    n = 2 * round(seconds * rate)
    one = a_second(rate, hz, dbfs)
    return (one * ((first + n) // len(one) + 1))[first:first + n]


def wav(rate, seconds, tag=1, data=None):
    data = tone(rate, seconds) if data is None else data
    bits = 16 if tag == 1 else 8
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " +
            struct.pack("<IHHIIHH", 16, tag, 1, rate, rate * bits // 8, bits // 8, bits) +
            b"data" + struct.pack("<I", len(data)) + data)


class Speaker:
    """A page that speaks: a WebSocket and a thread that sends in real time, a little ahead of it: where the machine is
    busy, what is tested shall not run out of sound."""

    def __init__(self, d, path=TALK, rate=16000, piece_ms=20, origin=None, token=True, **query):
        q = "&".join(f"{k}={v}" for k, v in dict(rate=rate, **query).items())
        self.rate, self.piece_ms = rate, piece_ms
        self.sock = socket.create_connection((d.host, d.http), timeout=20 * SLOW)
        key = base64.b64encode(os.urandom(16)).decode()
        head = (f"GET {path}?{q} HTTP/1.1\r\nHost: {d.host}:{d.http}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n")
        if token:
            head += f"Authorization: Bearer {d.token}\r\n"
        if origin:
            head += f"Origin: {origin}\r\n"
        self.sock.sendall((head + "\r\n").encode())
        self.file = self.sock.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass
        self.texts, self.closed = [], None
        if self.status != 101:
            return
        self.stop = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        try:
            while True:
                b = self.file.read(2)
                if len(b) < 2:
                    break
                n = b[1] & 127
                if n == 126:
                    n = struct.unpack(">H", self.file.read(2))[0]
                data = self.file.read(n)
                if b[0] & 15 == 1:
                    self.texts.append(json.loads(data))
                elif b[0] & 15 == 9:
                    self.frame(10, data)
                elif b[0] & 15 == 8:
                    self.closed = struct.unpack(">H", data[:2])[0] if data else 1005
                    break
        except (OSError, ValueError):  # it was closed on our side
            pass
        self.closed = self.closed or 0

    def frame(self, opcode, data):
        mask = os.urandom(4)
        n = len(data)
        head = bytes([0x80 | opcode]) + (bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n))
        pad = (mask * (n // 4 + 1))[:n]
        self.sock.sendall(head + mask + (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(n, "big"))

    def state(self):
        return self.texts[-1].get("state") if self.texts else None

    def begins(self):
        wait_for("the voice goes out", lambda: self.state() in ("speaking", "failed") or self.closed is not None)
        expect(self.state() == "speaking", f"not speaking: {self.texts[-1:]} {self.closed}")
        return self

    def say(self, seconds, encode=None, enough=lambda: True):
        """For so long, and until it is enough. What the machine gave it no time for it does not make up for."""
        step, i = self.piece_ms / 1000, 0
        pieces = [tone(self.rate, step, i * step) for i in range(round(seconds / step))]
        if encode:
            pieces = [encode(p) for p in pieces]
        due = time.monotonic() - LEAD_S
        while i < len(pieces) or (i < MOST * len(pieces) and not enough()):
            self.frame(2, pieces[i % len(pieces)])
            i, now = i + 1, time.monotonic()
            due = max(due + step, now - LEAD_S)
            time.sleep(max(0, due - now))

    def close(self):
        try:
            self.frame(8, struct.pack(">H", 1000))
            self.reader.join(10 * SLOW)
        except OSError:
            pass
        self.sock.close()


HEARD = re.compile(r'msg="voice heard" device=(\d+) talk=(\d) transport=(\S+) codec=(\S+) ps=(\d) packets=(\d+) '
                   r'packet_ms=(\d+) lost=(\d+) jumps=(\d+) bad=(\d+) markers=(\d+) longest_ms=(\d+) '
                   r'hz=(\S+) dbfs=(\S+)')


def heard(c):
    names = "device talk transport codec ps packets packet_ms lost jumps bad markers longest_ms hz dbfs".split()
    return [dict(zip(names, m)) for m in HEARD.findall(c.log())]


def is_tone(c, n):
    """n - 1 half seconds of the tone as it is; in others the machine was too busy to speak."""
    good = [h for h in heard(c) if abs(float(h["hz"]) - HZ) <= 2 and abs(float(h["dbfs"]) - LEVEL) <= 0.5]
    return len(heard(c)) >= n and len(good) >= max(1, n - 1)


def check_tone(c, n=1, **want):
    """It has heard the tone; what else the camera saw."""
    wait_for(f"{n} half seconds of the tone", lambda: len(heard(c)) >= n, 6)
    expect(is_tone(c, n), f"tone: {heard(c)}")
    last = heard(c)[-1]
    for k, v in dict(lost=0, bad=0, **want).items():
        expect(last[k] == str(v), f"{k} is {last[k]}, not {v}: {last}")
    return last


def nothing_left(d):
    """No voice, port or dialog stays behind."""
    wait_for("nobody speaks", lambda: d.get("/api/v1/talk")["total"] == 0)
    expect(d.call("GET", TALK).status == 404, "GET talk")


def speak(d, c, n=3, seconds=2.2, encode=None, **query):
    s = Speaker(d, **query).begins()
    v = d.call("GET", TALK).json
    s.say(seconds, encode, lambda: is_tone(c, n))
    s.close()
    wait_for("its end at the camera", lambda: 'msg="voice ends"' in c.log())
    nothing_left(d)
    return v


@test
def broadcast_in_every_way():
    """Codec and packing, transport and who connects, order of INVITE and Response."""
    ways = [
        ((), dict(codec="PCMA", ps=0, transport="udp", packet_ms=40), dict(rate=48000, piece_ms=10)),
        (("voice-pcmu", "voice-first"), dict(codec="PCMU", ps=0, transport="udp"), dict(rate=44100)),
        (("voice-ps", "voice-no-response"), dict(codec="PCMA", ps=1, transport="udp"), dict(rate=16000)),
        (("voice-tcp", "voice-first"), dict(codec="PCMA", ps=0, transport="tcp-connect", packet_ms=100), {}),
        (("voice-tcp-passive",), dict(codec="PCMA", ps=0, transport="tcp-listen", packet_ms=100), dict(rate=22050)),
        (("voice-tcp", "voice-ps"), dict(codec="PCMA", ps=1, transport="tcp-connect"), dict(packet_ms=20)),
        (("voice-tcp-passive", "voice-pcmu"), dict(codec="PCMU", ps=0, transport="tcp-listen"), dict(rate=8000)),
    ]

    def one(way):
        faults, want, query = way
        with system(*(o for f in faults for o in ("--fault", f))) as (d, c):
            watch = Watch()
            v = speak(d, c, mode="broadcast", **query)
            got = check_tone(c, 3, talk=0, **want)
            expect(v["mode"] == "broadcast" and v["who"].startswith("admin"), v)
            expect(int(got["longest_ms"]) < 300 * watch.slow() + watch.held_ms(), f"pace: {got}")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one, ways))


def listen(d, path, n=2000):
    """The first bytes of what the camera says."""
    req = urllib.request.Request(d.base + path, headers={"Authorization": "Bearer " + d.token})
    with urllib.request.urlopen(req, timeout=15 * SLOW) as r:
        return r.read(n)


@test
def talk_in_every_way():
    """We invite; the camera's own sound comes back, over the same ports."""
    ways = [((), dict(codec="PCMA", transport="udp"), dict(transport="udp")),
            ((), dict(codec="PCMA", transport="tcp-connect"), dict(transport="tcp-passive", rate=48000)),
            ((), dict(codec="PCMA", transport="tcp-listen"), dict(transport="tcp-active")),
            (("voice-pcmu",), dict(codec="PCMU", transport="udp"), dict(transport="udp")),
            (("voice-avp",), dict(codec="PCMA", transport="udp"), dict(transport="tcp-passive")),
            (("voice-avp",), dict(codec="PCMA", transport="udp"), dict(transport="tcp-active"))]

    def one(way):
        faults, want, query = way
        with system(*(o for f in faults for o in ("--fault", f))) as (d, c):
            s = Speaker(d, mode="talk", **query).begins()
            own = []
            s.say(2.2, enough=lambda: is_tone(c, 3))
            wait_for("the camera's sound", lambda: d.call("GET", TALK).json["received"] > 20)
            v = wait_for("its codec", lambda: "711" in d.call("GET", TALK).json["audio"] and d.call("GET", TALK).json)
            own.append(listen(d, f"/session/{v['id']}.flv"))
            s.close()
            check_tone(c, 3, talk=1, **want)
            expect(len(own[0]) > 1000 and own[0].startswith(b"FLV"), f"listening: {own[0][:100]}")
            nothing_left(d)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one, ways))


@test
def a_recording_is_said():
    """POST of a WAV file: heard to its end, then the voice ends by itself."""
    def post(d, body, path=TALK, query=""):
        req = urllib.request.Request(d.base + path + query, data=body, method="POST",
                                     headers={"Authorization": "Bearer " + d.token, "Content-Type": "audio/wav"})
        try:
            with urllib.request.urlopen(req, timeout=30 * SLOW) as r:
                return r.status, json.loads(r.read())
        except urllib.error.HTTPError as e:
            return e.code, json.loads(e.read())

    with system("--devices", "3", devices=3) as (d, c):
        status, body = post(d, wav(44100, 1.6))
        expect(status == 201 and body["items"][0]["state"] == "speaking", f"{status} {body}")
        check_tone(c, 2)
        wait_for("its end", lambda: 'msg="voice ends"' in c.log())
        nothing_left(d)
        ids = [f"3402000000118{n:07d}" for n in (1, 2, 3)]
        status, body = post(d, wav(16000, 1.6), "/api/v1/talk", "?to=" + ",".join(f"{i}/{channel_id(i)}" for i in ids))
        expect(status == 201 and len(body["items"]) == 3, f"{status} {body}")
        wait_for("all three have heard it", lambda: {h["device"] for h in heard(c)} == set(ids))
        nothing_left(d)
        status, body = post(d, b"RIFF no")
        expect(status == 415 and "WAV" in body["detail"], f"{status} {body}")
        status, body = post(d, wav(16000, 1), query="?mode=shout")
        expect(status == 400, f"{status} {body}")


@test
def one_speaker_a_device():
    with system() as (d, c):
        s = Speaker(d, mode="broadcast").begins()
        other = Speaker(d)
        wait_for("the other is told", lambda: other.texts)
        expect(other.texts[0]["code"] == "somebody-speaks" and "admin" in other.texts[0]["evidence"], other.texts)
        a = d.call("POST", TALK, {"x": 1})  # no WAV file: refused for that
        expect(a.status == 415, a.body)
        expect(d.call("DELETE", TALK).status == 204, "DELETE")
        wait_for("the first is told", lambda: s.closed is not None)
        expect(s.texts[-1]["state"] == "over" and "stopped" in s.texts[-1]["evidence"], s.texts[-1])
        nothing_left(d)
        s = Speaker(d, max_s=1).begins()
        wait_for("the longest time", lambda: s.closed is not None)
        expect("longest" in s.texts[-1]["evidence"], s.texts[-1])
        s = Speaker(d).begins()
        s.sock.close()  # gone without a word
        s.file.close()
        nothing_left(d)
        for options, status in ((dict(token=False), 401), (dict(rate=4000), 400), (dict(coding="mp3"), 400)):
            expect(Speaker(d, **options).status == status, f"{options}: not {status}")
    with system(settings=("http.auth=false",)) as (d, c):
        expect(Speaker(d, token=False, origin="http://evil.example").status == 403, "a page of another origin speaks")
        Speaker(d, token=False, origin=d.base).begins().close()


@test
def devices_that_refuse():
    """Each by the step that failed."""
    ways = [(("voice-error",), "accepted", "ERROR", 8), (("voice-silent",), "accepted", "neither", 25),
            (("voice-no-invite",), "invited", "not invited us", 25), (("voice-aac",), "offer", "PCMA", 8)]

    def one(way):
        faults, step, text, seconds = way
        with system(*(o for f in faults for o in ("--fault", f))) as (d, _):
            watch = Watch()
            s = Speaker(d, mode="broadcast")
            wait_for("its failure", lambda: s.closed is not None, 30)
            last = s.texts[-1]
            expect(last["state"] == "failed" and last["step"] == step and text in last["evidence"], last)
            expect(last["hint"] and s.closed == 1011, last)
            expect(watch.s() < seconds * SLOW, f"{faults}: took {watch.s():.1f} s")
            nothing_left(d)

    def otherwise(way):
        """These are spoken to all the same."""
        faults, mode, query = way
        with system(*(o for f in faults for o in ("--fault", f))) as (d, c):
            v = speak(d, c, **query)
            check_tone(c, 2)
            expect(v["mode"] == mode, v)

    def refused_talk(_):
        with system("--fault", "voice-no-talk") as (d, _):
            s = Speaker(d, mode="talk")
            wait_for("its failure", lambda: s.closed is not None)
            expect(s.texts[-1]["step"] == "answered" and s.texts[-1]["sip_status"] == 488, s.texts[-1])

    def hangs_up(_):
        with system("--fault", "voice-bye") as (d, _):
            s = Speaker(d, mode="broadcast").begins()
            wait_for("its BYE", lambda: s.closed is not None)
            expect("BYE" in s.texts[-1]["evidence"] and s.closed == 1000, s.texts[-1])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(one, w) for w in ways]
        jobs += [pool.submit(otherwise, w) for w in (
            (("voice-own-ids", "voice-no-y"), "broadcast", {}), (("voice-from-target",), "broadcast", {}),
            (("voice-type",), "broadcast", {}), (("voice-device-only",), "broadcast", {}), (("voice-error",), "talk", {}))]
        jobs += [pool.submit(refused_talk, 0), pool.submit(hangs_up, 0)]
        for j in jobs:
            j.result()


def order(d, **body):
    a = d.call("POST", f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/snapshot", body)
    expect(a.status == 202, f"POST snapshot: {a.status} {a.body[:300]}")
    return a.json


def snapshot(d, s):
    return d.get(f"/api/v1/snapshots/{s['session']}")


@test
def snapshots():
    """SnapShotConfig: the camera uploads, and what is no picture is refused."""
    def whole(options):
        with system("--edition", "3.0", *options) as (d, c):
            s = order(d, number=2)
            wait_for("both pictures", lambda: snapshot(d, s)["state"] == "finished"
                     and len(snapshot(d, s)["pictures"]) == 2, 15)
            got = snapshot(d, s)
            expect(got["announced"] == 2 and got["device"] == DEVICE, got)
            name = got["pictures"][0]["file"]
            a = wait_for("the file", lambda: (lambda a: a.status == 200 and a)(d.call("GET", f"/api/v1/pictures/{name}")))
            expect(a.body[:3] == b"\xff\xd8\xff" and a.body[-2:] == b"\xff\xd9", a.body[:20])
            expect(a.headers["Content-Type"] == "image/jpeg", a.headers)
            d.stop()
            d.start()
            expect(len(d.get("/api/v1/pictures")["items"]) == 2, "after a restart")
            expect(d.call("DELETE", f"/api/v1/pictures/{name}").status == 204, "DELETE")
            expect(len(d.get("/api/v1/pictures")["items"]) == 1, "one is deleted")

    def none(fault):
        with system("--edition", "3.0", "--fault", fault) as (d, c):
            s = order(d)
            wait_for("its notice", lambda: snapshot(d, s)["state"] == "partial", 25)
            expect(snapshot(d, s)["announced"] == 0 and not d.get("/api/v1/pictures")["items"], snapshot(d, s))
            a = d.call("POST", f"/snapshot/{s['session']}?t=1-0", token=False)
            expect(a.status in (401, 411), f"no signature: {a.status}")
            a = d.call("POST", f"/snapshot/{s['session']}", {"x": 1})
            expect(a.status in (404, 415), f"a token is no signature: {a.status}")

    def refused(_):
        with system() as (d, _):  # of 2016: it has no such order
            a = d.call("POST", f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/snapshot", {})
            expect(a.status == 409 and a.json["code"] == "edition", f"{a.status} {a.body}")
            expect(d.call("POST", f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/snapshot",
                          {"number": 11}).status == 400, "number")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(whole, ()), pool.submit(whole, ("--fault", "form-upload")),
                pool.submit(whole, ("--fault", "late-upload")), pool.submit(refused, 0)]
        jobs += [pool.submit(none, f) for f in ("no-upload", "wrong-upload", "large-upload")]
        for j in jobs:
            j.result()


if __name__ == "__main__":
    sys.exit(run_tests(test, 3))
