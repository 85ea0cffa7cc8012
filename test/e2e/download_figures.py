#!/usr/bin/env python3
"""test/e2e/download_figures.py - figures of downloads from gbcam into files, over TCP and as fast as it sends.

    download.speed        MB/s of the file, 1080p25 H.264 of 4 Mbit/s with G.711A
    download.cpu          percent of a core a MB/s
    download.rss.mib      most memory while two hours of media come, above that before"""
import os
import sys
import tempfile
import time

from figures import figure
from media_figures import encode, raw
from playback import CHANNEL, DEVICE
from rig import Failed, cpu_s, rss_mib, system, wait_for

SAMPLES = 5
SPEED = 256


def begin(d, seconds):
    start = int(time.time()) - 86400
    a = d.call("POST", f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/download",
               {"start": start, "end": start + seconds, "speed": SPEED})
    if a.status != 201:
        raise Failed(f"POST download: {a.status} {a.body[:300]}")
    return a.json["id"]


def job(d, i):
    return d.get(f"/api/v1/downloads/{i}")


def one(d, seconds):
    """MB/s and CPU seconds a MB, from the first byte to the last one."""
    i = begin(d, seconds)
    wait_for("its first byte", lambda: job(d, i)["bytes"])
    first, cpu, begun = job(d, i)["bytes"], cpu_s(d.proc.pid), time.monotonic()
    last = (first, begun, cpu)
    while not job(d, i)["ended_at"]:
        n = job(d, i)["bytes"]
        if n > last[0]:
            last = (n, time.monotonic(), cpu_s(d.proc.pid))
        time.sleep(0.05)
    j = job(d, i)
    if j["state"] != "done":
        raise Failed(f"{j['state']}: {j['evidence']}")
    d.call("DELETE", f"/api/v1/downloads/{i}")
    mb = (last[0] - first) / 1e6
    return mb / (last[1] - begun), (last[2] - cpu) / mb


def two_hours(d):
    i = begin(d, 600)  # what is taken once
    wait_for("its end", lambda: job(d, i)["ended_at"])
    before, most = rss_mib(d.proc.pid), 0
    i = begin(d, 7200)
    while not job(d, i)["ended_at"]:
        most = max(most, rss_mib(d.proc.pid))
        time.sleep(0.1)
    j = job(d, i)
    if j["state"] != "done" or j["covered_s"] < 7190:
        raise Failed(f"{j['state']}, {j['covered_s']} s: {j['evidence']}")
    return most - before


def main():
    with tempfile.TemporaryDirectory() as t:
        media = os.path.join(t, "media.h264")
        encode(media)
        with system("--media", media) as (d, _):
            got = [one(d, 600) for _ in range(SAMPLES)]
    speeds, cpus = [g[0] for g in got], [100 * g[1] for g in got]
    raw("download.speed", speeds, 1)
    raw("download.cpu", cpus, 2)
    figure("download.speed", sorted(speeds)[SAMPLES // 2], "MB/s")
    figure("download.cpu", sorted(cpus)[SAMPLES // 2], "percent")
    with system() as (d, _):
        figure("download.rss.mib", two_hours(d), "MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
