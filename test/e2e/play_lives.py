#!/usr/bin/env python3
"""test/e2e/play_lives.py - LIVES playbacks and downloads (24) at random, WORKERS at a time (12): sought, paused, faster
and slower, watched in any format or by nobody, cut, cancelled, refused, of cameras that say nothing, fall silent or end
by MediaStatus, by BYE or not at all. Behind them there are as many descriptors as before, no port is lent, no session is
left, and memory (without the trace, which fills for hours) has not grown since half of them were over.
SEED repeats a run's choices.

    LIVES=1000 python3 test/e2e/play_lives.py"""
import collections
import concurrent.futures
import contextlib
import os
import random
import sys
import threading
import time
import urllib.request

from rig import SLOW, Cameras, Daemon, Failed, channel_id, rss_mib, run_tests, wait_for

LIVES = int(os.environ.get("LIVES", "24"))
WORKERS = int(os.environ.get("WORKERS", "12"))
SEED = int(os.environ.get("SEED", str(int(time.time()))))
WARM = 6  # descriptors that each loop takes once, in a run so short that it may still do so
MAX_MIB = 4.0  # what memory may grow by over the second half: large pages, arenas, SQLite's cache
TRANSPORTS = ("udp", "tcp-passive", "tcp-active")
KINDS = ((), ("--fault", "no-status"), ("--fault", "own-status"), ("--fault", "bye-at-end"), ("--fault", "silent"),
         ("--fault", "falls-silent"), ("--fault", "no-scale", "--fault", "no-seek"), ("--refuse", "486"))


SENDS = (0, 1, 2, 3, 6)  # those of them that send what is asked for


def device(n):
    return f"34020000001180000{n + 1:03d}"


def descriptors(d):
    return len(os.listdir(f"/proc/{d.proc.pid}/fd"))


class Viewer(threading.Thread):
    """Reads until the end, or for a while."""

    def __init__(self, url, seconds):
        super().__init__(daemon=True)
        self.url, self.end = url, time.monotonic() + seconds
        self.start()

    def run(self):
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url, timeout=20 * SLOW) as r:
            while time.monotonic() < self.end and r.read1(65536):
                pass


class Life:
    def __init__(self, d, number, told):
        self.d, self.r, self.told = d, random.Random(SEED * 100003 + number), told
        self.kind = self.r.randrange(len(KINDS))
        self.path = f"/api/v1/devices/{device(self.kind)}/channels/{channel_id(device(self.kind))}"

    def note(self, what):
        self.told[what] += 1

    def post(self, what, seconds, **body):
        start = int(time.time()) - self.r.randrange(3600, 40000)
        return self.d.call("POST", f"{self.path}/{what}", dict(body, start=start, end=start + seconds), timeout=60)

    def run(self):
        (self.download if self.r.random() < 0.3 else self.play)()

    def play(self):
        seconds = self.r.choice((2, 4, 600))
        a = self.post("playback", seconds, transport=self.r.choice(TRANSPORTS))
        if a.status != 201:
            if a.status not in (409, 502, 503, 504):
                raise Failed(f"POST playback: {a.status} {a.body[:300]}")
            self.note(f"playback failed: {a.json.get('step') or a.json.get('code')}")
            return
        p = a.json
        viewers = [Viewer(p[self.r.choice(("flv", "fmp4", "ts"))], self.r.choice((0.3, 2, 60)))
                   for _ in range(self.r.choice((0, 1, 1, 2)))]
        for _ in range(self.r.randrange(5)):
            time.sleep(self.r.random() * 0.6)
            self.control(p["session"])
        end = self.r.choice(("stopped", "left", "over" if seconds < 600 else "stopped"))
        s = self.d.call("GET", f"/api/v1/sessions/{p['session']}")
        if end != "stopped" and s.status == 200 and s.json["playback"]["paused"]:
            end = "stopped while paused"  # else it waits for somebody to come back, for five minutes
        if end.startswith("stopped"):
            self.d.call("DELETE", f"/api/v1/sessions/{p['session']}")
        self.note(f"playback {end}")
        for v in viewers:
            if end == "left":
                v.end = 0
            v.join(60 * SLOW)
            if v.is_alive():
                raise Failed(f"a viewer of session {p['session']} has no end")
        if not end.startswith("stopped") and self.r.random() < 0.5:
            wait_for(f"the end of session {p['session']}",
                     lambda: self.d.call("GET", f"/api/v1/sessions/{p['session']}").status == 404, 40)

    def control(self, session):
        body = self.r.choice(({"action": "pause"}, {"action": "resume"},
                              {"action": "seek", "position_s": self.r.randrange(3)},
                              {"action": "scale", "scale": self.r.choice((0.25, 0.5, 1, 2, 4, 8, -1))}))
        a = self.d.call("POST", f"/api/v1/sessions/{session}/control", body)
        if a.status >= 500 and a.status not in (502, 504):
            raise Failed(f"{body}: {a.status} {a.body[:300]}")
        self.note(f"{body['action']} {a.status}")

    def download(self):
        seconds = self.r.choice((4, 600))
        a = self.post("download", seconds, format=self.r.choice(("mp4", "ps")), speed=self.r.choice((4, 16)))
        if a.status != 201:
            raise Failed(f"POST download: {a.status} {a.body[:300]}")
        job = f"/api/v1/downloads/{a.json['id']}"
        time.sleep(self.r.random() * 2)
        if self.r.random() < 0.5:  # its session breaks
            s = self.d.get(job)["session"]
            if s:
                self.d.call("DELETE", f"/api/v1/sessions/{s}")
                self.note("download broken")
        end = "cancelled"
        if seconds < 600 and self.kind in SENDS and self.r.random() < 0.7:
            wait_for("the end of " + job, lambda: self.d.get(job)["ended_at"], 60)
            end = self.d.get(job)["state"]
        self.note(f"download {end}")
        if self.d.call("DELETE", job).status != 204:
            raise Failed(f"DELETE {job}")


def rest(d):
    """Nothing is going on."""
    try:
        wait_for("all sessions are over", lambda: not d.get("/api/v1/sessions")["items"], 40)
    except Failed as e:
        raise Failed(f"{e}: {d.get('/api/v1/sessions')['items']}") from e
    wait_for("no port is lent", lambda: d.metric('gb28181_media_ports{state="lent"}') == 0, 10)
    time.sleep(2)  # connections of viewers
    return descriptors(d), rss_mib(d.proc.pid) - d.metric("gb28181_trace_bytes") / 1048576


def lives(d, numbers, told):
    def one(n):
        life = Life(d, n, told)
        try:
            life.run()
        except Exception as e:
            raise Failed(f"life {n} of {' '.join(KINDS[life.kind]) or 'a good camera'}: {e}") from e

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, numbers))
    return rest(d)


def random_lives():
    told = collections.Counter()
    d = Daemon(settings=["media.idle_stop_s=1"], media=100 + min(LIVES * 4, 2000))
    cameras = []
    try:
        cameras = [Cameras(d, "--sessions", "16", "--quiet", *k, device=device(n)) for n, k in enumerate(KINDS)]
        wait_for("all are online", lambda: len(d.online()) == len(KINDS))
        wait_for("catalogs", lambda: all(x["channels"] == 1 for x in d.online()))
        half = LIVES // 2
        fds, rss = lives(d, range(half), told)
        print(f"# {half} lives: {fds} descriptors, {rss:.1f} MiB", flush=True)
        fds_after, rss_after = lives(d, range(half, LIVES), told)
        print(f"# {LIVES} lives: {fds_after} descriptors, {rss_after:.1f} MiB")
        print("# " + ", ".join(f"{n} {what}" for what, n in sorted(told.items())))
        most = fds + (0 if LIVES >= 400 else WARM)
        wait_for(f"no more than the {most} descriptors of before", lambda: descriptors(d) <= most, 30)
        if rss_after > rss + MAX_MIB and LIVES >= 400:
            raise Failed(f"{rss:.1f} MiB became {rss_after:.1f}")
        if os.listdir(f"{d.dir}/data/downloads"):
            raise Failed("files of downloads are left")
    except Exception:
        print("---- daemon log ----\n" + d.log()[-3000:])
        raise
    finally:
        for c in cameras:
            c.close()
        d.close()


if __name__ == "__main__":
    print(f"# {LIVES} lives, SEED={SEED}", flush=True)
    sys.exit(run_tests([random_lives], 1))
