#!/usr/bin/env python3
"""test/e2e/download.py [NAME...] - recordings of a camera as files: every picture of the range in order and none
twice, whatever broke in between, and ffmpeg has nothing to say about them. Pictures are told by their checksums."""
import os
import sys
import tempfile
import time
import urllib.request

from playback import CHANNEL, DEVICE, FPS, checksums, expect
from rig import SLOW, TOP, Tests, run_ffmpeg, run_tests, system, wait_for

DOWNLOAD = f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/download"
test = Tests()


def clip(codec):
    return checksums(run_ffmpeg("the clip", ["-i", f"{TOP}/test/data/clip/clock.{codec}"]))


def an_hour_ago():
    """Or a bit less: in the middle of a file of half an hour, where the clip begins anew."""
    return (int(time.time()) - 3600) // 1800 * 1800 + 600


def begin(d, seconds, start=None, **body):
    start = start or an_hour_ago()
    a = d.call("POST", DOWNLOAD, dict(start=start, end=start + seconds, **body))
    expect(a.status == 201 and a.json["state"] == "queued", f"POST download: {a.status} {a.body[:400]}")
    return a.json["id"]


def job(d, i):
    return d.get(f"/api/v1/downloads/{i}")


def over(d, i, state="done", seconds=40):
    wait_for("the end of the download", lambda: job(d, i)["ended_at"], seconds * SLOW)
    j = job(d, i)
    expect(j["state"] == state, f"{j['state']}: {j['evidence']}")
    return j


def running(d, i, percent):
    """It is so far, and not over; its session."""
    def look():
        j = job(d, i)
        expect(j["ended_at"] is None, f"over too early: {j}")
        return j["session"] if j["percent"] >= percent and j["session"] else None

    return wait_for(f"{percent} % of the download", look, 30 * SLOW)


def frames(data, fmt, tracks=None):
    """Times and checksums of what is seen and heard, in order; of PS what is seen: ffmpeg knows no G.711 there."""
    with tempfile.NamedTemporaryFile(suffix="." + fmt) as f:
        f.write(data)
        f.flush()
        lines = run_ffmpeg(f.name, ["-i", f.name, "-map", tracks or ("0:v" if fmt == "ps" else "0")])
    return [l for l in lines if not l.startswith("#")]


def pictures(j, seconds, codec):
    """Fetched by its link, without a token; those of the clip, no more and no less. The file."""
    with urllib.request.urlopen(j["file"], timeout=30) as r:
        data = r.read()
    expect(len(data) == j["bytes"], f"{len(data)} bytes of {j['bytes']}")
    expect(j["format"] == "ps" or data[-12:-8] == b"mfro", "no index of its key frames at the end")
    with tempfile.NamedTemporaryFile(suffix="." + j["format"]) as f:
        f.write(data)
        f.flush()
        ps = j["format"] == "ps"
        got = checksums(run_ffmpeg(f.name, ["-i", f.name, "-map", "0:v" if ps else "0"]))
    want = clip(codec)
    n = seconds * FPS
    wrong = next((i for i, c in enumerate(got) if c != want[i % len(want)]), len(got))
    expect(len(got) == n and wrong == n, f"{len(got)} pictures of {n}, the first wrong one is {wrong}")
    return data


def whole(codec, audio, **body):
    """As MP4 and as a program stream, at the same time."""
    with system("--codec", codec, "--audio", audio) as (d, _):
        ids = [begin(d, 20, format=fmt, speed=16, **body) for fmt in ("mp4", "ps")]
        for i in ids:
            j = over(d, i)
            expect(j["percent"] == 100 and j["sessions"] == 1 and j["gaps"] == [], j)
            data = pictures(j, 20, codec)
            if j["format"] == "mp4" or audio == "aac":
                expect(len(frames(data, j["format"], "0:a")) > 20 * 5, "no sound")
            a = d.call("GET", f"/api/v1/downloads/{i}/file", headers={"Range": "bytes=100-199"})
            expect(a.status == 206 and a.body == data[100:200], f"a range: {a.status}")
            expect(d.call("DELETE", f"/api/v1/downloads/{i}").status == 204, "DELETE")
        wait_for("their files are gone", lambda: not os.listdir(f"{d.dir}/data/downloads"))


@test
def h264_with_g711():
    whole("h264", "g711a")


@test
def h264_with_aac():
    whole("h264", "aac")


@test
def h265_with_g711():
    whole("h265", "g711u")


@test
def h265_with_aac_over_udp():
    whole("h265", "aac", transport="udp")


def broken(codec, audio, fmt):
    """Its session ends twice, and the process once: the file is that of an uninterrupted download."""
    with system("--codec", codec, "--audio", audio, "--retry", "1", "--keepalive", "2") as (d, _):
        start = an_hour_ago()
        i = begin(d, 60, start, format=fmt, speed=8)
        for percent in (20, 40):
            s = running(d, i, percent)
            expect(d.call("DELETE", f"/api/v1/sessions/{s}").status == 204, "DELETE session")
            wait_for("another session", lambda s=s: job(d, i)["session"] not in (None, s), 30 * SLOW)
        running(d, i, 60)
        time.sleep(1.5)  # what was told is given to the store within a second
        d.stored()
        d.kill()
        parts = os.listdir(f"{d.dir}/data/downloads")
        with open(f"{d.dir}/data/downloads/987654321.mp4.part", "wb") as f:
            f.write(b"of nobody")
        d.start()
        here = os.listdir(f"{d.dir}/data/downloads")
        expect("987654321.mp4.part" not in here and len(here) == len(parts) == 1, f"{parts} became {here}")
        j = over(d, i, seconds=60)
        expect(j["sessions"] >= 4 and j["gaps"] == [], j)
        resumed = pictures(j, 60, codec)
        other = over(d, begin(d, 60, start, format=fmt, speed=16), seconds=60)
        expect(other["sessions"] == 1, other)
        # not byte by byte: fragments have other numbers behind a restart, and a program stream one more map
        got, want = (frames(data, fmt) for data in (resumed, pictures(other, 60, codec)))
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), None)
        expect(at is None and len(got) == len(want),
               f"{len(got)} pictures and sounds, {len(want)} uninterrupted; the first that differs is {at}")


@test
def broken_mp4_is_whole():
    broken("h264", "aac", "mp4")


@test
def broken_ps_is_whole():
    broken("h265", "g711u", "ps")


@test
def cancelled_and_several():
    with system() as (d, _):
        ids = [begin(d, 600 + k, speed=4) for k in range(3)]
        for i in ids:
            running(d, i, 0.2)
        for i in ids:
            expect(d.call("DELETE", f"/api/v1/downloads/{i}").status == 204, "DELETE")
        wait_for("sessions end", lambda: not d.get("/api/v1/sessions")["items"])
        wait_for("their files are gone", lambda: not os.listdir(f"{d.dir}/data/downloads"))
        expect(d.get("/api/v1/downloads")["items"] == [], "downloads are left")


@test
def a_timeline_and_a_clock():
    with system() as (d, _):
        now = int(time.time())
        t = d.get(f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/timeline?start={now - 30 * 86400}&end={now}")
        expect(t["complete"] and t["items"] and t["items"][0]["source"] == "device", t)
        expect(t["gaps"], "nothing was recorded a month ago")
        clock = d.devices()[0]["clock"]
        expect(abs(clock["offset_s"]) < 3 and not clock["drifts"], clock)


if __name__ == "__main__":
    sys.exit(run_tests(test, 4))
