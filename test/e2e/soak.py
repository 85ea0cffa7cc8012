#!/usr/bin/env python3
"""test/e2e/soak.py - streams, viewers and session lives for SOAK_S seconds (3600): make soak.

STREAMS cameras (100 a core, 200 at most) are watched by as many viewers who come and go, whose sessions end by BYE, by
the API and by silence; one in ten is recorded all the time, in files of a minute. At the end: no registration was
lost, no picture stood still for whoever watched, no file is damaged, and memory did not grow: the slope over the
second half, by least squares, of RSS without the trace is printed and bounded. The trace (trace.memory_mib) takes
memory for hours, 64 KiB at a time, until it is full."""
import os
import random
import subprocess
import sys
import threading
import time

from flv_reader import Reader
from rig import SLOW, Failed, channel_id, media_range, rss_mib, run_tests, system, wait_for

SOAK_S = float(os.environ.get("SOAK_S", "3600"))
STREAMS = int(os.environ.get("STREAMS", str(min(200, 100 * os.cpu_count()))))
SEED = int(os.environ.get("SEED", str(int(time.time()))))
FIRST = "34020000001180000001"
SEGMENT_S = 60
SAMPLE_S = 2
STALL_S = 10        # nothing for a viewer: a fault
MAX_MIB_HOUR = 4.0  # what a run of an hour may grow
NOISE_MIB = 6.0     # and any run: arenas, caches that fill


def device_id(n):
    return FIRST[:-4] + f"{n:04d}"


def channel_of(n):
    """The only one of camera n."""
    return channel_id(FIRST, n)


def slope(points):
    """Least squares, in units of y for one of x."""
    n = len(points)
    mx, my = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    var = sum((x - mx) ** 2 for x, _ in points)
    return sum((x - mx) * (y - my) for x, y in points) / var if var else 0.0


class Viewer(threading.Thread):
    """Watches one camera after another, in any format, for a while each."""

    def __init__(self, d, seed):
        super().__init__(daemon=True)
        self.d, self.r = d, random.Random(seed)
        self.over, self.watched, self.pictures, self.faults = False, 0, 0, []

    def run(self):
        while not self.over:
            n = self.r.randrange(1, STREAMS + 1)
            try:
                self.watch(device_id(n), channel_of(n))
            except Exception as e:
                if not self.over:
                    self.faults.append(f"camera {n}: {e}")
                    time.sleep(1)

    def watch(self, device, channel):
        a = self.d.call("POST", f"/api/v1/devices/{device}/channels/{channel}/live",
                        {"transport": self.r.choice(("udp", "tcp-passive", "tcp-active"))}, timeout=30)
        if a.status != 200:
            raise Failed(f"live: {a.status} {a.body[:200]}")
        reader = Reader(a.json["flv"])
        end, last = time.monotonic() + self.r.choice((0.5, 3, 10, 40)), time.monotonic()
        try:
            while time.monotonic() < end and not self.over:
                reader.tag()
                self.pictures += 1
                now = time.monotonic()
                if now - last > STALL_S * SLOW:
                    raise Failed(f"nothing for {now - last:.0f} s")
                last = now
        finally:
            reader.close()
        self.watched += 1
        if self.r.random() < 0.2:  # whoever else watches is cut
            self.d.stop_live(device, channel)


def is_cut(fault):
    """Another viewer has stopped the session."""
    return any(x in fault for x in ("the stream has ended", "live: 4", "live: 503", "HTTP Error 409"))


def streams(d):
    return len(d.get("/api/v1/sessions?limit=1000")["items"])


def check_recordings(d):
    """Every closed file is read to its end without a word."""
    n = 0
    for i in range(1, STREAMS + 1, 10):
        for s in d.get(f"/api/v1/records?device={device_id(i)}&channel={channel_of(i)}&limit=1000")["items"]:
            if s["open"]:
                continue
            p = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets",
                                s["file"]], capture_output=True, timeout=60, check=False)
            if p.returncode or p.stderr:
                raise Failed(f"recording {s}: {p.stderr[-300:]}")
            n += 1
    return n


def soak():
    # The shared port of the defaults may be another program's: no session would have a port then but the first thirty.
    settings = (f"record.segment_s={SEGMENT_S}", "media.idle_stop_s=15", f"media.shared_port={media_range(2).start}")
    with system("--keepalive", "10", devices=STREAMS, device=device_id(1), settings=settings) as (d, _):
        for i in range(1, STREAMS + 1, 10):
            a = d.call("PUT", f"/api/v1/devices/{device_id(i)}/channels/{channel_of(i)}/record", {"mode": "always"})
            if a.status != 200:
                raise Failed(f"record: {a.status} {a.body[:300]}")
        viewers = [Viewer(d, SEED + i) for i in range(max(8, STREAMS))]
        for v in viewers:
            v.start()
        begin, points = time.monotonic(), []
        while (t := time.monotonic() - begin) < SOAK_S:
            time.sleep(SAMPLE_S)
            trace = d.metric("gb28181_trace_bytes") / 1048576
            points.append((t, rss_mib(d.proc.pid) - trace))
            watched = sum(v.watched for v in viewers)
            if len(points) % max(1, int(SOAK_S / SAMPLE_S / 20)) == 0:
                print(f"# {t:6.0f} s  RSS {points[-1][1] + trace:.1f} MiB, trace {trace:.1f}  "
                      f"{len(d.online())} online  {streams(d)} streams  {watched} sessions watched", flush=True)
        for v in viewers:
            v.over = True
        for v in viewers:
            v.join(20)
        online = len(d.online())
        faults = [f for v in viewers for f in v.faults if not is_cut(f)]
        cut = sum(len(v.faults) for v in viewers) - len(faults)
        half = points[len(points) // 2:]
        growth = slope(half)
        wait_for("the sessions end", lambda: streams(d) <= (STREAMS + 9) // 10, 40)
        files = check_recordings(d)
        print(f"figure soak.sessions {sum(v.watched for v in viewers)}")
        print(f"figure soak.tags {sum(v.pictures for v in viewers)}")
        print(f"figure soak.cut {cut}")
        print(f"figure soak.recordings {files}")
        print(f"figure soak.rss.mib {points[-1][1] + trace:.1f}")
        print(f"figure soak.trace.mib {trace:.1f}")
        print(f"figure soak.rss.slope {growth * 3600:.2f} MiB an hour, without the trace")
        if "device offline" in d.log() or online != STREAMS:
            raise Failed(f"{online} of {STREAMS} online")
        if "no RTP port is free" in d.log():
            raise Failed("too few ports: what was measured is not what this is for")
        if faults:
            raise Failed(f"{len(faults)} viewers were not served: {faults[:5]}")
        span = half[-1][0] - half[0][0]
        if growth * span > NOISE_MIB and growth * 3600 > MAX_MIB_HOUR:
            raise Failed(f"RSS grows by {growth * 3600:.1f} MiB an hour")


if __name__ == "__main__":
    print(f"# {STREAMS} streams, {SOAK_S:.0f} s, SEED={SEED}", flush=True)
    sys.exit(run_tests([soak], 1))
