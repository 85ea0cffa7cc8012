#!/usr/bin/env python3
"""test/e2e/record.py [NAME...] - live streams recorded by the server: files that ffmpeg has nothing to say about, and
not one picture missing or doubled over their borders, whatever ends the process. Pictures are told by their
checksums."""
import concurrent.futures
import glob
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from playback import CHANNEL, DEVICE, FPS, Viewer, checksums, expect
from rig import HANG_S, TOP, Tests, Watch, run_ffmpeg, run_tests, system, wait_for

RECORD = f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/record"
RECORDS = f"/api/v1/records?device={DEVICE}&channel={CHANNEL}"
test = Tests()


def state(d):
    return d.get(RECORD)["state"]


def segments(d):
    return d.get(RECORDS + "&limit=1000")["items"]


def closed(d, n, seconds=40):
    """At least n segments are complete."""
    wait_for(f"{n} files", lambda: len([s for s in segments(d) if not s["open"]]) >= n, seconds)


def put(d, **body):
    a = d.call("PUT", RECORD, body)
    expect(a.status == 200, f"PUT record: {a.status} {a.body[:300]}")
    return a.json


def hand(d, action):
    a = d.call("POST", RECORD, {"action": action})
    expect(a.status == 200, f"{action}: {a.status} {a.body[:300]}")


def fetch(s):
    """By its link, without a token."""
    with urllib.request.urlopen(s["file"], timeout=30) as r:
        data = r.read()
    expect(len(data) == s["bytes"], f"{len(data)} bytes of {s['bytes']}")
    return data


def pictures(data):
    """Their checksums; a word of ffmpeg fails."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as f:
        f.write(data)
        f.flush()
        return checksums(run_ffmpeg(f.name, ["-i", f.name, "-map", "0"]))


def seamless(items, codec):
    """One segment begins where the last one ends, by the clock and by the pictures of the clip, which goes round."""
    clip = checksums(run_ffmpeg("the clip", ["-i", f"{TOP}/test/data/clip/clock.{codec}"]))
    got = []
    for s in items:
        here = pictures(fetch(s))
        expect(here, f"no picture in {s}")
        expect(abs(len(here) / FPS - s["length_ms"] / 1000) < 0.3, f"{len(here)} pictures, {s['length_ms']} ms")
        got += here
    at = clip.index(got[0])
    wrong = next((i for i, c in enumerate(got) if c != clip[(at + i) % len(clip)]), None)
    expect(wrong is None, f"picture {wrong} of {len(got)} is another one")
    for a, b in zip(items, items[1:]):
        expect(int(b["id"]) == int(a["id"]) + a["length_ms"], f"a gap between {a} and {b}")


def ffprobe(what, *more):
    p = subprocess.run(["ffprobe", "-v", "error", *more, "-show_entries",
                        "format=duration,start_time:stream=codec_type,start_time,nb_read_packets", "-of", "json", what], capture_output=True, timeout=HANG_S, check=False)
    expect(p.returncode == 0 and not p.stderr, f"ffprobe {what}: {p.stderr[-400:]}")
    return json.loads(p.stdout)


def by_playlist(url):
    """The pictures of a playlist, part by part, each behind its head; and how many borders it tells."""
    def ask(link, byterange=None):
        r = urllib.request.Request(urllib.parse.urljoin(url, link))
        if byterange:
            n, off = byterange.split("@")
            r.add_header("Range", f"bytes={off}-{int(off) + int(n) - 1}")
        with urllib.request.urlopen(r, timeout=30) as a:
            return a.read()

    with urllib.request.urlopen(url, timeout=30) as r:
        lines = r.read().decode().splitlines()
    expect(lines[0] == "#EXTM3U" and lines[-1] == "#EXT-X-ENDLIST", lines)
    got, head = [], None
    for line in lines:
        if line.startswith("#EXT-X-MAP:"):
            head = ask(*re.match(r'#EXT-X-MAP:URI="([^"]*)"(?:,BYTERANGE="([^"]*)")?', line).groups())
        elif line and not line.startswith("#"):
            got += pictures(head + ask(line))
    return got, lines.count("#EXT-X-DISCONTINUITY")


def exported(link, want, seconds):
    """These pictures as one MP4: from zero on, so long."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as f:
        with urllib.request.urlopen(link, timeout=30) as r:
            f.write(r.read())
            f.flush()
        got = checksums(run_ffmpeg(f.name, ["-i", f.name, "-map", "0"]))
        expect(got == want, f"{len(got)} pictures of {len(want)} in the export, or other ones")
        told = ffprobe(f.name)
        expect(abs(float(told["format"]["duration"]) - seconds) < 0.3, f"{told} is not {seconds} s")
        video = next(s for s in told["streams"] if s["codec_type"] == "video")
        expect(float(video["start_time"]) == 0, told)


def at_speed(hls, mp4, want, speed):
    """Every picture of all files in so much of the time, without sound: as one file and by the playlist."""
    mp4, hls = (f"{link}&speed={speed}" for link in (mp4, hls))
    exported(mp4, want, len(want) / FPS / speed)
    told = ffprobe(mp4)
    expect([s["codec_type"] for s in told["streams"]] == ["video"], told)
    expect(by_playlist(hls)[0] == want, f"other pictures by the playlist at {speed}")
    told = ffprobe(hls, "-count_packets")
    expect(abs(float(told["format"]["duration"]) - len(want) / FPS / speed) < 0.3, told)
    expect([s["nb_read_packets"] for s in told["streams"]] == [str(len(want))], f"{told}: not {len(want)} at {speed}")


def by_ffmpeg(hls, everything, least):
    """Its command line, which drops pictures whose times go back."""
    got = checksums(run_ffmpeg(hls, ["-i", hls, "-map", "0:v"]))
    expect(len(got) > least, f"{len(got)} pictures, not {least}")
    expect(got == everything[-len(got):], f"{len(got)} pictures by ffmpeg, and other ones")


def played(d, items):
    """The range of all files as a playlist and as one file; and from inside the second file to inside the third one."""
    def links(start, end):
        a = d.get(RECORDS + f"&start={start}&end={end}")
        return a["playlist"], a["export"]

    each = [pictures(fetch(s)) for s in items]
    everything = sum(each, [])
    first, last = int(items[0]["id"]), int(items[-1]["id"]) + items[-1]["length_ms"]
    hls, mp4 = links(first // 1000, last // 1000 + 1)
    exported(mp4, everything, len(everything) / FPS)
    # the first file has no sound while that is not known: another head, the only border
    got, borders = by_playlist(hls)
    expect(got == everything, "other pictures by the playlist")
    expect(borders <= (0 if items[0]["sound"] else 1), f"{borders} borders")
    hls, _ = links(int(items[1]["id"]) // 1000 + 1, last // 1000 + 1)
    by_ffmpeg(hls, everything, len(sum(each[2:], [])))
    hls, mp4 = links(first // 1000, last // 1000 + 1)
    for speed in (0.25, 16):
        at_speed(hls, mp4, everything, speed)
    told = ffprobe(hls, "-select_streams", "v", "-count_packets")
    expect(told["streams"][0]["nb_read_packets"] == str(len(everything)), f"{told}: not {len(everything)}")
    expect(abs(float(told["format"]["duration"]) - len(everything) / FPS) < 0.3, told)
    expect(d.call("GET", hls.replace("&end=", "&end=1")[len(d.base):], token=False).status == 401, "another range")
    # a hole: the second file is gone
    path = f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/records/"
    expect(d.call("DELETE", path + items[1]["id"]).status == 204, "DELETE")
    rest = each[0] + sum(each[2:], [])
    exported(mp4, rest, len(rest) / FPS)
    exported(mp4 + "&gaps=keep", rest, len(everything) / FPS)
    text = urllib.request.urlopen(hls, timeout=30).read().decode()
    expect(text.count("#EXT-X-DISCONTINUITY\n") == 1 + borders and text.count("#EXTINF") >= len(items) - 1, text)
    # from the key frame before a time on
    _, mp4 = links(int(items[2]["id"]) // 1000 + 1, last // 1000 + 1)
    with urllib.request.urlopen(mp4, timeout=30) as r:
        some = pictures(r.read())
    expect(some and some == everything[-len(some):] and len(some) >= len(sum(each[3:], [])), f"{len(some)} pictures")


def one_file(d, items):
    """The range of these files as one: their pictures, and sound."""
    first, last = int(items[0]["id"]) // 1000, (int(items[-1]["id"]) + items[-1]["length_ms"]) / 1000
    last = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(last)) + f".{round(last * 1000) % 1000:03}Z"
    want = sum((pictures(fetch(s)) for s in items), [])
    links = d.get(RECORDS + f"&start={first}&end={last}")
    exported(links["export"], want, len(want) / FPS)
    expect(len(ffprobe(links["export"])["streams"]) == 2, "no sound")
    got, _ = by_playlist(links["playlist"])
    expect(got == want, f"{len(got)} pictures of {len(want)}")


def by_hand(codec, audio):
    with system("--codec", codec, "--audio", audio, settings=("record.segment_s=2", "media.idle_stop_s=2")) as (d, _):
        expect(state(d) == "off", state(d))
        hand(d, "start")
        wait_for("it is recorded", lambda: state(d) == "recording", 20)
        expect([s["consumers"] for s in d.get("/api/v1/sessions")["items"]] == [1], "one session, one consumer")
        closed(d, 3)
        hand(d, "stop")
        wait_for("it is off", lambda: state(d) == "off")
        items = segments(d)
        expect(not any(s["open"] for s in items) and all(s["sound"] for s in items[1:]), items)
        seamless(items, codec)
        wait_for("the session ends", lambda: not d.get("/api/v1/sessions")["items"])
        a = d.call("GET", items[0]["file"][len(d.base):], headers={"Range": "bytes=100-199"})
        expect(a.status == 206 and len(a.body) == 100, f"a range: {a.status}")
        a = d.call("GET", items[0]["file"][len(d.base):].split("?")[0], token=False)
        expect(a.status == 401, f"without a signature: {a.status}")
        now = int(time.time())
        t = d.get(f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/timeline?start={now - 600}&end={now + 60}")
        expect([x for x in t["items"] if x["source"] == "server"], t)
        page = d.get(RECORDS + "&limit=1")
        expect(len(page["items"]) == 1 and page["next"] == items[1]["id"] and page["total"] == len(items), page)
        path = f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/records/"
        played(d, items)
        for s in segments(d):
            expect(d.call("DELETE", path + s["id"]).status == 204, "DELETE")
        expect(d.call("GET", path + items[0]["id"]).status == 404, "it is gone")
        wait_for("the files are gone", lambda: not glob.glob(f"{d.dir}/data/recordings/*"))


@test
def h264_with_g711():
    by_hand("h264", "g711a")


@test
def h265_with_aac():
    by_hand("h265", "aac")


@test
def killed_while_recording():
    """STREAMS (20) of them; of each at most what was not written within a second is lost: its file is repaired, listed, and
    recording goes on."""
    n = int(os.environ.get("STREAMS", "20"))
    with system("--keepalive", "2", "--retry", "1", "--devices", str(n), devices=n,
                settings=("record.segment_s=3600",), media=4 * n + 8) as (d, _):
        ids = [(x["id"], d.channels(x["id"])[0]["id"]) for x in d.devices()]
        each = [f"device={device}&channel={channel}" for device, channel in ids]

        def files(of):
            return d.get(f"/api/v1/records?{of}&limit=1000")["items"]

        def orders(mode):
            for device, channel in ids:
                a = d.call("PUT", f"/api/v1/devices/{device}/channels/{channel}/record", {"mode": mode})
                expect(a.status == 200, f"PUT record: {a.status} {a.body[:300]}")

        orders("always")
        wait_for("all are recorded", lambda: all(files(of) for of in each), 20)
        watch = Watch()
        time.sleep(4)
        killed_ms = time.time() * 1000
        d.kill()
        slow = watch.slow()
        d.start()
        wait_for("all are repaired", lambda: all(files(of) and not files(of)[0]["open"] for of in each))
        first = [files(of)[0] for of in each]
        lost = [killed_ms - int(s["id"]) - s["length_ms"] for s in first]
        expect(max(lost) < min(1500 * slow, 3500), f"{max(lost):.0f} ms are lost")  # of the 4 s above some are there
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda s: seamless([s], "h264"), first))
        wait_for("they go on", lambda: all(len(files(of)) == 2 for of in each), 40)
        orders("off")
        wait_for("they are off", lambda: not any(s["open"] for of in each for s in files(of)))
        seamless(files(each[0])[1:], "h264")


@test
def the_store_is_lost():
    """Recordings are found again by their files, with what the new store knows; a file that is written goes on."""
    with system("--keepalive", "2", "--retry", "1", "--audio", "g711a", settings=("record.segment_s=2",)) as (d, _):
        put(d, mode="always")
        closed(d, 3)
        d.kill()
        before = segments_of(d)
        for f in glob.glob(f"{d.dir}/data/gb28181d.db*"):
            os.unlink(f)
        for f in glob.glob(f"{d.dir}/data/recordings/*/*/*/*.mp4"):
            os.utime(f, (1.7e9, 1.7e9))  # nobody writes them
        d.start()
        wait_for("the device is back", lambda: d.devices() and d.channels(DEVICE), 30)
        put(d, mode="always")
        closed(d, len(before) + 2)
        wait_for("it is said", lambda: "recordings that the store did not know are found again" in d.log())
        found = [s for s in segments(d) if int(s["id"]) in before]
        expect(len(found) >= len(before) - 1, f"{len(found)} of {len(before)}")  # the last one may have had no picture
        expect(all(s["sound"] and not s["open"] for s in found), found)
        whole = {int(s["id"]): s for s in found}
        for at, size in before.items():
            if at in whole and at != max(before):
                expect(whole[at]["bytes"] == size and 1500 < whole[at]["length_ms"] < 4500, whole[at])
        put(d, mode="off")
        wait_for("it is off", lambda: not any(s["open"] for s in segments(d)))
        seamless(found, "h264")
        expect(d.log().count("are found again") == 1, d.log()[-2000:])


def segments_of(d):
    """{begin: bytes} of the files that lie there."""
    return {int(os.path.basename(f)[:-4]): os.path.getsize(f)
            for f in glob.glob(f"{d.dir}/data/recordings/*/*/*/*.mp4")}


def days(d, n):
    with open(f"{d.dir}/c.yml", "w") as f:
        f.write(f"record: {{ days: {n} }}\n")


@test
def stopped_while_recording():
    """SIGTERM closes the file: nothing is to be repaired."""
    with system("--keepalive", "2", "--retry", "1", "--codec", "h265", "--audio", "g711u") as (d, _):
        put(d, mode="always")
        wait_for("it is recorded", lambda: state(d) == "recording", 20)
        time.sleep(3)
        d.stop()
        old = (int(time.time()) - 10 * 86400) * 1000
        with sqlite3.connect(glob.glob(f"{d.dir}/data/*.db")[0]) as db:
            db.execute("INSERT INTO record VALUES(?, ?, ?, 1000, 1000, 0)", (DEVICE, CHANNEL, old))
        db.close()
        d.options = ["-c", f"{d.dir}/c.yml"]
        days(d, 30)
        d.start()
        expect("recording repaired" not in d.log(), d.log()[-2000:])
        expect(segments(d)[0]["id"] == str(old), segments(d))
        expect(not segments(d)[1]["open"], segments(d))
        seamless(segments(d)[1:2], "h265")
        one_file(d, segments(d)[1:2])
        days(d, 5)  # without a restart
        d.proc.send_signal(signal.SIGHUP)
        wait_for("what is older than that goes", lambda: segments(d)[0]["id"] != str(old))


@test
def a_full_disk_and_the_oldest_go():
    """What a file must not grow beyond ends the recording, not the stream, of which no picture is missing; it is
    tried again."""
    with system(settings=("record.segment_s=2",)) as (d, _):
        put(d, mode="always")
        closed(d, 2)
        live = d.live(DEVICE, CHANNEL).json
        viewer = Viewer(live["flv"])
        before = segments(d)
        limits = resource.prlimit(d.proc.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(d.proc.pid, resource.RLIMIT_FSIZE, (8192, limits[1]))
        wait_for("it says so", lambda: state(d) == "waiting" and d.get(RECORD)["why"], 20)
        resource.prlimit(d.proc.pid, resource.RLIMIT_FSIZE, limits)
        wait_for("the oldest went", lambda: before[0]["id"] not in [s["id"] for s in segments(d)])
        wait_for("it is recorded again", lambda: state(d) == "recording", 30)
        put(d, mode="off")
        wait_for("it is off", lambda: state(d) == "off")
        for s in segments(d):
            seamless([s], "h264")
        expect(d.call("DELETE", f"/api/v1/sessions/{live['session']}").status == 204, "DELETE session")
        clip = checksums(run_ffmpeg("the clip", ["-i", f"{TOP}/test/data/clip/clock.h264"]))
        got = viewer.pictures()
        at = clip.index(got[0])
        expect(got == [clip[(at + i) % len(clip)] for i in range(len(got))], f"a hole in {len(got)} live pictures")


@test
def a_disk_that_goes():
    """Two disks: the other one takes over, and what lies on both is one recording when it is back."""
    with system("--audio", "aac", settings=("record.segment_s=2", "record.dir=one,two")) as (d, _):
        wait_for("they are missed", lambda: d.log().count('"a disk of recordings is gone"') == 2)
        for name in ("one", "two"):
            os.mkdir(f"{d.dir}/{name}")
        wait_for("they are there", lambda: d.log().count('"a disk of recordings is good"') == 2, 20)
        put(d, mode="always")
        closed(d, 2)
        files = lambda n: sorted(os.path.basename(f) for f in glob.glob(f"{d.dir}/{n}/*/*/*/*.mp4"))
        used = min((n for n in ("one", "two") if files(n)), key=lambda n: files(n)[0])  # where the oldest one is
        other = "two" if used == "one" else "one"
        before = len(files(other))
        os.rename(f"{d.dir}/{used}", f"{d.dir}/away")
        wait_for("the other one is used", lambda: len(files(other)) > before, 30)
        expect(d.call("GET", segments(d)[0]["file"][len(d.base):]).status == 404, "a file that is away")
        os.rename(f"{d.dir}/away", f"{d.dir}/{used}")
        n = len([s for s in segments(d) if not s["open"]])
        closed(d, n + 1)
        put(d, mode="off")
        wait_for("it is off", lambda: state(d) == "off")
        one_file(d, segments(d))


if __name__ == "__main__":
    sys.exit(run_tests(test, 4))
