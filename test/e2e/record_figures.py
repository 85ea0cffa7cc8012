#!/usr/bin/env python3
"""test/e2e/record_figures.py - figures of what the server records, 50 streams of 1080p25 H.264, 4 Mbit/s with G.711A.

    rec.streams.percent     of a core a stream that is recorded, above the same one that is not
    rec.floor.percent       the same bytes written to the same disk, a file a stream and a write a second each
    rec.streams.x           the one to the other
    rec.start.ms            from the order to the first fragment in its file, of a stream that plays
    rec.list.ms             a page of a thousand files of the list, links signed: CPU of the server

The index itself is measured by bench_archive (rec.index.s)."""
import glob
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from figures import figure
from media_figures import LIMITS, cameras, encode, percent_of, play, raw
from rig import Daemon, Failed, cpu_s

STREAMS = int(os.environ.get("STREAMS", "50"))
BYTES_S = 4000000 // 8 + 8000
PAGES, PAGE, SEGMENT_S = 20, 1000, 600
DEVICE, CHANNEL = "34020000001180000001", "34020000001310000001"
SAMPLES = 5


def order(d, device, action):
    channel = d.channels(device)[0]["id"]
    a = d.call("POST", f"/api/v1/devices/{device}/channels/{channel}/record", {"action": action})
    if a.status != 200:
        raise Failed(f"{action} {device}: {a.status} {a.body[:300]}")
    return channel


def bytes_of(d):
    return sum(os.path.getsize(f) for f in glob.glob(f"{d.dir}/data/recordings/*/*/*/*.mp4"))


def floor_percent(directory, seconds=2):
    """Of a core a stream, only to hand its bytes to the disk."""
    block = bytes(BYTES_S)
    files = [os.open(f"{directory}/floor{i}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for i in range(STREAMS)]
    values = []
    for _ in range(SAMPLES):
        cpu = time.process_time()
        for _ in range(seconds):
            for f in files:
                os.write(f, block)
        values.append((time.process_time() - cpu) / seconds / STREAMS * 100)
    for i, f in enumerate(files):
        os.close(f)
        os.unlink(f"{directory}/floor{i}")
    return values


def start_ms(d, device):
    """Until its file has more than a head."""
    begun = time.monotonic()
    channel = order(d, device, "start")
    path = f"{d.dir}/data/recordings/{device}/{channel}/*/*.mp4"
    while not any(os.path.getsize(f) > 4096 for f in glob.glob(path)):
        if time.monotonic() - begun > 20:
            raise Failed(f"{device} is not recorded")
        time.sleep(0.002)
    return (time.monotonic() - begun) * 1000


def streams(media):
    d = Daemon(settings=LIMITS + ["record.segment_s=20"], media=4 * STREAMS + 8)
    c = cameras(d, media, STREAMS)
    ids = [x["id"] for x in d.devices()]
    play(d, ids, "tcp-passive")
    time.sleep(3)
    before = percent_of(d.proc.pid, STREAMS)
    starts = [start_ms(d, i) for i in ids[:SAMPLES]]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: order(d, i, "start"), ids[SAMPLES:]))
    time.sleep(3)
    floor = floor_percent(d.dir)
    size, begun = bytes_of(d), time.monotonic()
    during = percent_of(d.proc.pid, STREAMS)
    rate = (bytes_of(d) - size) / (time.monotonic() - begun) / STREAMS
    c.close()
    d.close()
    if rate < BYTES_S * 0.8:
        raise Failed(f"{rate:.0f} bytes a second and stream were recorded, {BYTES_S} came")
    raw("rec.ingest", before)
    raw("rec.recorded", during)
    raw("rec.floor", floor)
    raw("rec.start", starts, 0)
    value, limit = statistics.median(during) - statistics.median(before), statistics.median(floor)
    figure("rec.streams.percent", f"{value:.4f}", "%")
    figure("rec.floor.percent", f"{limit:.4f}", "%")
    figure("rec.streams.x", f"{value / limit:.2f}", "ratio")
    figure("rec.start.ms", f"{statistics.median(starts):.0f}", "ms")


def pages():
    """Rows are loaded at the start, then listed page by page."""
    d = Daemon()
    d.stop()
    begin = 1700000000
    with sqlite3.connect(glob.glob(f"{d.dir}/data/*.db")[0]) as db:
        db.executemany("INSERT INTO record VALUES(?, ?, ?, ?, ?, 2)",
                       ((DEVICE, CHANNEL, (begin + i * SEGMENT_S) * 1000, SEGMENT_S * 1000, BYTES_S * SEGMENT_S)
                        for i in range(PAGES * PAGE)))
    db.close()
    d.settings.append("record.days=0")
    d.start()
    values, cursor = [], ""
    while cursor is not None:
        cpu = cpu_s(d.proc.pid)
        a = d.get(f"/api/v1/records?device={DEVICE}&channel={CHANNEL}&limit={PAGE}{cursor}")
        values.append((cpu_s(d.proc.pid) - cpu) * 1000)
        if len(a["items"]) != PAGE:
            raise Failed(f"a page of {len(a['items'])}")
        cursor = f"&cursor={a['next']}" if a["next"] else None
    d.close()
    if len(values) != PAGES:
        raise Failed(f"{len(values)} pages of {PAGES}")
    raw("rec.list", values)
    figure("rec.list.ms", f"{statistics.median(values):.2f}", "ms")


def main():
    with tempfile.TemporaryDirectory() as t:
        media = os.path.join(t, "media.h264")
        encode(media)
        streams(media)
    pages()
    return 0


if __name__ == "__main__":
    sys.exit(main())
