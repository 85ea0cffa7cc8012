#!/usr/bin/env python3
"""test/e2e/playback.py [NAME...] - recordings of a camera through the API: every
picture of the range in order and none twice, its end, pause, seek, speed, and
what cameras do otherwise. Pictures are told by the checksums of the clip's."""
import concurrent.futures
import subprocess
import sys
import threading
import time
import urllib.request

from rig import HANG_S, SLOW, TOP, Tests, Watch, channel_id, expect, run_ffmpeg, run_tests, system, wait_for

DEVICE = "34020000001180000001"
CHANNEL = channel_id(DEVICE)
PLAYBACK = f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/playback"
FPS = 25
test = Tests()


def checksums(lines):
    """Of the pictures, in order."""
    kinds = {l.replace(":", " ").split()[1]: l.split()[-1] for l in lines if l.startswith("#media_type")}
    return [l.split(",")[5].strip() for l in lines if not l.startswith("#") and kinds[l.split(",")[0].strip()] == "video"]


def clip():
    return checksums(run_ffmpeg("the clip", ["-i", f"{TOP}/test/data/clip/clock.h264"]))


def begin(d, seconds, ago=3600, **body):
    """A playback of so many seconds, an hour ago. Returns its description."""
    start = (int(time.time()) - ago) // 10 * 10  # the clip begins anew there
    a = d.call("POST", PLAYBACK, dict(start=start, end=start + seconds, **body))
    expect(a.status == 201, f"POST playback: {a.status} {a.body[:400]}")
    return a.json


def session(d, p):
    a = d.call("GET", f"/api/v1/sessions/{p['session']}")
    return a.json if a.status == 200 else None


def control(d, p, want=200, **body):
    a = d.call("POST", f"/api/v1/sessions/{p['session']}/control", body)
    expect(a.status == want, f"{body}: {a.status} {a.body[:400]}")
    return a.json


def over(d, p, seconds=10):
    wait_for("the end of the session", lambda: session(d, p) is None, seconds)
    return f'"playback session stopped" session={p["session"]}' in d.log()


class Viewer(threading.Thread):
    """Reads it to its end. ffmpeg then reads what it has read: an HTTP answer without a length has no end that
    ffmpeg would not complain of."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.data = url, b""
        self.start()

    def run(self):
        with urllib.request.urlopen(self.url, timeout=30 * SLOW) as r:
            while True:
                some = r.read1(65536)
                if not some:
                    break
                self.data += some

    def pictures(self, timeout=40):
        self.join(timeout * SLOW)
        expect(not self.is_alive(), f"{self.url}: no end")
        return checksums(run_ffmpeg(self.url, ["-i", "-", "-map", "0:v"], stdin=self.data))


def all_of_it(transport, fmt):
    with system() as (d, _):
        want = clip()
        p = begin(d, 8, transport=transport)
        expect(p["playback"]["kind"] == "playback", p)
        got = Viewer(p[fmt]).pictures()
        expect(over(d, p), "the session failed:\n" + d.log()[-800:])
        n = 8 * FPS
        expect(got == [want[i % len(want)] for i in range(n)],
               f"{len(got)} pictures of {n}, the first wrong one is "
               f"{next((i for i, c in enumerate(got) if c != want[i % len(want)]), len(got))}")


@test
def all_of_it_udp():
    all_of_it("udp", "flv")


@test
def all_of_it_tcp_passive():
    all_of_it("tcp-passive", "fmp4")


@test
def all_of_it_tcp_active():
    all_of_it("tcp-active", "flv")


@test
def all_of_it_hls():
    """ffmpeg comes once more for the playlist when the recording has ended: the last segment and the end are told.
    Later it is gone."""
    with system() as (d, _):
        want = clip()
        p = begin(d, 8)
        got = checksums(run_ffmpeg(p["hls"], ["-live_start_index", "0", "-i", p["hls"], "-map", "0:v"]))
        expect(got == [want[i % len(want)] for i in range(8 * FPS)], f"{len(got)} pictures of {8 * FPS}")
        expect(over(d, p), "the session failed:\n" + d.log()[-800:])
        with urllib.request.urlopen(p["hls"]) as r:
            expect(r.read().endswith(b"\n#EXT-X-ENDLIST\n"), "no end")
        path = p["hls"][p["hls"].index("/session/"):]
        wait_for("the end of HLS", lambda: d.call("GET", path, token=False).status == 404, 40)


@test
def it_begins_where_it_was_asked_to():
    """Whoever takes his time sees the first picture all the same, and every one behind it: one that reads nothing
    for some groups of pictures, ffmpeg, which has its own pace and is silent at the end of the chunks, RTSP, and
    the program stream."""
    def one(key, *options):
        p = begin(d, 10)
        time.sleep(5)  # two key frames and more
        url = p["flv"].replace(".flv", ".ps") if key == "ps" else p[key]
        return checksums(run_ffmpeg(url, [*options, "-i", url, "-map", "0:v"]))

    with (system("--sessions", "8", settings=["media.idle_stop_s=20"]) as (d, _),
          concurrent.futures.ThreadPoolExecutor(4) as pool):
        want = clip()
        want = [want[i % len(want)] for i in range(10 * FPS)]
        ways = (("flv",), ("fmp4",), ("rtsp", "-rtsp_transport", "tcp"), ("ps", "-f", "mpeg"))
        for way, got in zip(ways, pool.map(lambda w: one(*w), ways)):
            expect(got == want, f"{way[0]}: {len(got)} pictures of {len(want)}, the first is number "
                                f"{want.index(got[0]) if got and got[0] in want else None}")
        p = begin(d, 600)
        no = subprocess.run(["ffprobe", "-v", "error", p["rtsp"].replace(str(p["session"]), "1")],
                            capture_output=True, text=True, timeout=HANG_S)
        expect("401" in no.stderr, "a signature is that of its session: " + no.stderr)


@test
def what_is_recorded_is_listed_and_played():
    with system("--items", "2") as (d, _):
        now = int(time.time())
        path = f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/recordings"
        r = d.get(f"{path}?start={now - 4 * 3600}&end={now}")
        starts = [i["start"] for i in r["items"]]
        expect(r["complete"] and len(starts) >= 7 and starts == sorted(starts), r)
        expect(d.get(f"{path}?start={now - 400 * 86400}&end={now - 399 * 86400}")["items"] == [], "nothing then")
        a = d.call("POST", PLAYBACK, {"start": starts[0], "end": starts[0][:17] + "03Z"})
        expect(a.status == 201, a.body)
        expect(len(Viewer(a.json["flv"]).pictures()) == 3 * FPS, "pictures of three seconds")


@test
def seek_lands_on_the_key_frame():
    with system() as (d, _):
        want = clip()
        p = begin(d, 600)
        v = Viewer(p["flv"])
        wait_for("pictures", lambda: v.data)
        time.sleep(2)
        s = control(d, p, action="seek", position_s=300.5)
        wait_for("position behind 300 s", lambda: 300 <= session(d, p)["playback"]["position_s"] < 310)
        control(d, p, action="seek", position_s=10)
        wait_for("position behind 10 s", lambda: 9 <= session(d, p)["playback"]["position_s"] < 20)
        time.sleep(1)
        d.call("DELETE", f"/api/v1/sessions/{p['session']}")
        got = v.pictures()
        index = {c: i for i, c in enumerate(want)}
        at = [index[c] for c in got]  # KeyError: a picture that is none of the clip
        jumps = [b for a, b in zip(at, at[1:]) if b != (a + 1) % len(want)]
        gop = 50
        expect(s["playback"]["kind"] == "playback" and len(jumps) == 2, f"{len(jumps)} jumps: {jumps}")
        for got_at, asked in zip(jumps, (300.5, 10)):
            n = int(asked * FPS)
            expect(0 <= (n - got_at) % len(want) < gop, f"picture {got_at} for {asked} s of {len(want)}")


def stays(d, p, seconds):
    """No packet comes for so long."""
    before = session(d, p)["packets"]
    time.sleep(seconds)
    return session(d, p)["packets"] == before


@test
def pause_and_resume():
    with system() as (d, _):
        p = begin(d, 600)
        v = Viewer(p["fmp4"])
        time.sleep(1)
        s = control(d, p, action="pause")
        expect(s["playback"]["paused"], s)
        wait_for("no more packets", lambda: stays(d, p, 2))  # what the platform knows is a second old
        after = session(d, p)
        expect(after["state"] == "playing", after)
        expect(not control(d, p, action="resume")["playback"]["paused"], "paused")
        wait_for("packets", lambda: session(d, p)["packets"] > after["packets"])
        d.call("DELETE", f"/api/v1/sessions/{p['session']}")
        expect(len(v.pictures()) >= FPS, "pictures")


@test
def four_times_as_fast():
    with system() as (d, _):
        p = begin(d, 600)
        v = Viewer(p["flv"])
        time.sleep(1)
        expect(control(d, p, action="scale", scale=4)["playback"]["scale"] == 4, "scale")
        time.sleep(1.2)

        def position():
            return session(d, p)["playback"]["position_s"]

        at, watch, t = position(), Watch(), time.monotonic()
        wait_for("24 s more", lambda: position() >= at + 24)
        went = (position() - at) / (time.monotonic() - t)
        expect(max(2.5 / watch.slow(), 1.5) < went < 5.5, f"{went:.1f} times as fast")
        d.call("DELETE", f"/api/v1/sessions/{p['session']}")
        expect(len(v.pictures()) > 10 * FPS, "pictures")


@test
def backwards():
    """Key frames, the later one first, at their pace; to the beginning, and ahead again."""
    with system("--fault", "one-reverse") as (d, _):
        want, gop = clip(), 25
        p = begin(d, 600)
        v = Viewer(p["flv"])
        time.sleep(1)
        expect(control(d, p, action="scale", scale=-4)["playback"]["scale"] == -1, "the speed that it has")
        d.call("DELETE", f"/api/v1/sessions/{p['session']}")
    with system() as (d, _):
        p = begin(d, 600)
        v = Viewer(p["flv"])
        time.sleep(1)
        control(d, p, action="seek", position_s=100)
        wait_for("position behind 100 s", lambda: session(d, p)["playback"]["position_s"] >= 100)
        expect(control(d, p, action="scale", scale=-8)["playback"]["scale"] == -8, "scale")
        wait_for("position before 80 s", lambda: session(d, p)["playback"]["position_s"] < 80)
        control(d, p, action="scale", scale=1)
        wait_for("ahead again", lambda: len(v.data) and session(d, p)["playback"]["scale"] == 1)
        time.sleep(1)
        d.call("DELETE", f"/api/v1/sessions/{p['session']}")
        index = {c: i for i, c in enumerate(want)}
        at = [index[c] for c in v.pictures()]
        turns = [i for i, (a, b) in enumerate(zip(at, at[1:])) if (a - b) % len(want) == gop and b % gop == 0]
        expect(len(turns) >= 8 and turns == list(range(turns[0], turns[0] + len(turns))), f"{turns} of {at}")
        expect(all(b == (a + 1) % len(want) for a, b in zip(at[turns[-1] + 2:], at[turns[-1] + 3:])), "ahead again")


@test
def cameras_that_end_otherwise():
    def one(fault):
        with system("--fault", fault) as (d, _):
            p = begin(d, 4)
            watch = Watch()
            Viewer(p["flv"]).pictures()
            expect(over(d, p, 15), f"{fault}: failed\n" + d.log()[-800:])
            expect(watch.s() < 14 * SLOW, f"{fault}: it took long")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one, ("no-status", "own-status", "bye-at-end")))


@test
def the_rest_follows():
    """Field-note 9.4: MediaStatus or BYE behind each file of eight seconds; whoever watches sees all of the range in
    one connection, every picture once."""
    def one(transport, fmt, *faults):
        options = [o for f in ("ends-early", *faults) for o in ("--fault", f)]
        with system(*options) as (d, _):
            p = begin(d, 24, transport=transport)
            got = Viewer(p[fmt]).pictures(60)
            expect(over(d, p, 15), f"{transport} {faults}: failed\n" + d.log()[-800:])
            expect(d.log().count("the rest of a recording is asked for") == 2, d.log()[-2000:])
            expect(got == [want[i % len(want)] for i in range(24 * FPS)],
                   f"{transport} {faults}: {len(got)} pictures of {24 * FPS}")

    want = clip()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda a: one(*a), (("udp", "flv"), ("tcp-passive", "fmp4"), ("udp", "flv", "bye-at-end"))))


@test
def what_is_refused():
    with system("--fault", "no-scale", "--fault", "no-seek") as (d, _):
        p = begin(d, 600)
        control(d, p, want=502, action="scale", scale=2)
        control(d, p, want=502, action="scale", scale=-1)
        control(d, p, want=502, action="seek", position_s=30)
        control(d, p, want=400, action="seek", position_s=601)
        control(d, p, action="pause")
        d.call("DELETE", f"/api/v1/sessions/{p['session']}")
        start = int(time.time()) - 90 * 86400
        a = d.call("POST", PLAYBACK, {"start": start, "end": start + 60})
        expect(a.status == 502 and a.json["step"] == "answer" and "404" in a.json["evidence"]
               and "record" in a.json["hint"], a.body)
    faults = ("no-pause", "whole-scale", "scale-ignored", "no-download", "no-tcp")
    with system(*(o for f in faults for o in ("--fault", f))) as (d, _):
        p = begin(d, 600, transport="tcp-passive")  # which is refused: then over UDP
        Viewer(p["flv"])
        control(d, p, want=502, action="pause")
        expect(control(d, p, action="scale", scale=2)["playback"]["scale"] == 2, "as 2 after 2.0 was refused")
        wait_for("it is seen that nothing is faster",
                 lambda: 0.8 < session(d, p)["playback"].get("measured_scale", 0) < 1.2)
        start = int(time.time()) - 3600
        a = d.call("POST", PLAYBACK.replace("playback", "download"), {"start": start, "end": start + 60})
        i = f"/api/v1/downloads/{a.json['id']}"
        wait_for("the refusal of a download", lambda: "488" in d.get(i)["evidence"])


if __name__ == "__main__":
    sys.exit(run_tests(test, 4))
