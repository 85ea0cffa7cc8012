#!/usr/bin/env python3
"""test/e2e/media_figures.py [PART...] - figures of live media, beside the floor under
a live server (tools/bench/livefloor.c) in the same run, before and after ours. The
pictures are encoded by ffmpeg for the run: 1080p25 H.264 of 4 Mbit/s, a key frame every two
seconds, with G.711A; ps.* of 10 s of H.265 of 2.5 Mbit/s with AAC too, and
with PEERS=1 beside libavformat's demuxer. Streams come through INVITEs answered by gbcam.

    ingest  live.ingest.percent/.x live.stream.mib: RTP over TCP, nobody watches
    view    live.out10.percent live.viewer.ms/.x live.viewer200.ms/.x live.viewer.kib: HTTP-FLV, at
            most 40 ms added (to sound, which goes out with the next picture), and 200 (delay=200)
    delay   live.delay.ms live.join.ms: a WebSocket viewer of a UDP stream"""
import bisect
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from figures import figure
from rig import BUILD, Cameras, Daemon, Failed, channel_id, cpu_s, rss_mib, started, wait_for

SAMPLES = 5
SECONDS = 20 # of the pictures
STREAMS = int(os.environ.get("STREAMS", "200"))
VIEWERS = int(os.environ.get("VIEWERS", "400"))
DEVICE = "34020000001180000001"
LIMITS = ["limits.unauthenticated_per_s=100000", "limits.unauthenticated_total_per_s=1000000",
          "limits.registers_per_s=1000000", "media.idle_stop_s=600"]


def encode(path, seconds=SECONDS):
    subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-f", "lavfi", "-i",
                    "testsrc2=s=1920x1080:r=25,noise=alls=12:allf=t", "-t", str(seconds), "-c:v", "libx264",
                    "-preset", "ultrafast", "-tune", "zerolatency", "-x264-params", "slices=1:sliced-threads=0",
                    "-b:v", "4M", "-maxrate", "4M", "-bufsize", "2M", "-pix_fmt", "yuv420p", "-g", "50", "-bf", "0",
                    "-f", "h264", path], check=True, timeout=150)


def encode265(path, seconds=2, times=5):
    """The same seconds again and again: it takes long."""
    subprocess.run(["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-f", "lavfi", "-i",
                    "testsrc2=s=1920x1080:r=25,noise=alls=12:allf=t", "-t", str(seconds), "-c:v", "libx265",
                    "-preset", "ultrafast", "-x265-params", "slices=1:keyint=50:bframes=0:log-level=error:"
                    "bitrate=2500:vbv-maxrate=2500:vbv-bufsize=1250", "-pix_fmt", "yuv420p", "-f", "hevc", path],
                   check=True, timeout=100)
    with open(path, "rb") as f:
        once = f.read()
    with open(path, "wb") as f:
        f.write(once * times)


def programs(media, temp):
    """ps.*: of these pictures, and of H.265."""
    other = os.path.join(temp, "h265.h265")
    encode265(other)
    peer = os.path.join(BUILD, "peer_lavf")
    for option, pictures, name in (("-m", media, "h264"), ("-5", other, "h265")):
        ps = os.path.join(temp, name + ".ps")
        subprocess.run([os.path.join(BUILD, "bench_ps"), option, pictures, "-o", ps], check=False, timeout=60)
        if os.environ.get("PEERS") == "1" and os.path.exists(peer):
            subprocess.run([peer, ps, name], check=False, timeout=60)


def raw(name, values, decimals=4):
    print(f"# {name} raw " + " ".join(f"{v:.{decimals}f}" for v in values), flush=True)


def percent_of(pid, streams, seconds=2):
    """SAMPLES times: percent of a core that a stream takes."""
    values = []
    for _ in range(SAMPLES):
        cpu, begin = cpu_s(pid), time.monotonic()
        time.sleep(seconds)
        values.append((cpu_s(pid) - cpu) / (time.monotonic() - begin) / streams * 100)
    return values


class Floor:
    def __init__(self, media, streams, merge_ms=0):
        self.proc = started(subprocess.Popen([os.path.join(BUILD, "livefloor"), media, str(streams), "120",
                                              str(merge_ms)], stdout=subprocess.PIPE, text=True))
        self.port = int(self.proc.stdout.readline())
        time.sleep(2)

    def close(self):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()


def floor_ingest(media):
    f = Floor(media, STREAMS)
    values = percent_of(f.proc.pid, STREAMS)
    f.close()
    return values


def cameras(d, media, n, *options):
    c = Cameras(d, "--devices", str(n), "--media", media, "--quiet", "--rate", "200", *options)
    wait_for("cameras are online", lambda: len(d.online()) == n, timeout=60)
    wait_for("catalogs", lambda: all(x["channels"] == 1 for x in d.online()), timeout=60)
    return c


def play(d, ids, transport):
    def one(device):
        a = d.live(device, d.channels(device)[0]["id"], transport=transport)
        if a.status not in (200, 201, 202):
            raise Failed(f"live {device}: {a.status} {a.body[:700]}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, ids))


def came(d):
    """When, and the bytes of RTP so far."""
    for line in d.call("GET", "/metrics").body.decode().splitlines():
        if line.startswith("gb28181_rtp_bytes_total "):
            return time.monotonic(), float(line.split()[1])
    raise Failed("no count of RTP bytes")


def rate_of(begin, end, media):
    """What came of what the streams have, 1: all of it. A machine that is too busy sends less, and
    that is cheap to receive."""
    per_s = (end[1] - begin[1]) / (end[0] - begin[0]) / STREAMS
    return per_s / (os.path.getsize(media) / SECONDS)


def ingest(media):
    before = floor_ingest(media)
    d = Daemon(settings=LIMITS, media=4 * STREAMS + 8)
    c = cameras(d, media, STREAMS)
    ids = [x["id"] for x in d.devices()]
    idle = rss_mib(d.proc.pid)
    play(d, ids, "tcp-passive")
    time.sleep(5)
    begin = came(d)
    ours = percent_of(d.proc.pid, STREAMS)
    rate = rate_of(begin, came(d), media)
    rss = rss_mib(d.proc.pid)
    n = len(d.get("/api/v1/sessions?limit=500")["items"])
    c.close()
    d.close()
    after = floor_ingest(media)
    if n != STREAMS:
        raise Failed(f"{n} sessions of {STREAMS} were there")
    print(f"# live.ingest: {rate * 100:.0f} % of the bytes of the streams came in time")
    if rate < 0.9:
        raise Failed("the cameras were too slow, this is no figure")
    raw("live.ingest.limit", before + after)
    raw("live.ingest", ours)
    limit, value = statistics.median(before + after), statistics.median(ours)
    figure("live.ingest.percent", f"{value:.4f}", "%")
    figure("live.ingest.limit.percent", f"{limit:.4f}", "%")
    figure("live.ingest.x", f"{value / limit:.2f}", "ratio")
    figure("live.stream.mib", f"{(rss - idle) / STREAMS:.2f}", "MiB")


def watch(port, path, token, n, pid):
    """SAMPLES times: ms of CPU a viewer-second. The viewers got what was sent."""
    p = subprocess.run([os.path.join(BUILD, "viewers"), str(port), path, token, str(n), str(pid), "2", str(SAMPLES)],
                       check=False, capture_output=True, text=True, timeout=60)
    if p.returncode:
        raise Failed(f"{n} viewers of {path}: {p.stderr.strip()}")
    lines = [[float(x) for x in line.split()] for line in p.stdout.splitlines()]
    for ms, mean, least in lines:
        if least < mean * 0.7 or mean < 300000:
            print(f"# {path}: a viewer got {least:.0f} B/s, all of them {mean:.0f} in the mean ({ms:.3f} ms)")
    return [line[0] for line in lines]


def floor_watch(media, merge_ms):
    f = Floor(media, 1, merge_ms)
    values = watch(f.port, "/", "-", VIEWERS, f.proc.pid)
    f.close()
    return values


def view(media):
    floors = {ms: floor_watch(media, ms) for ms in (38, 200)}
    d = Daemon(settings=LIMITS)
    c = cameras(d, media, 1)
    play(d, [DEVICE], "tcp-passive")
    idle = rss_mib(d.proc.pid)
    path = f"/live/{DEVICE}/{channel_id(DEVICE)}.flv"
    ten = watch(d.http, path, d.token, 10, d.proc.pid)
    ours = {38: watch(d.http, path, d.token, VIEWERS, d.proc.pid)}
    figure("live.viewer.kib", f"{(rss_mib(d.proc.pid) - idle) * 1024 / VIEWERS:.1f}", "KiB")
    ours[200] = watch(d.http, path + "?delay=200", d.token, VIEWERS, d.proc.pid)
    c.close()
    d.close()
    raw("live.out10", ten)
    figure("live.out10.percent", f"{statistics.median(ten):.3f}", "%")
    for ms, name in ((38, "live.viewer"), (200, "live.viewer200")):
        both = floors[ms] + floor_watch(media, ms)
        raw(f"{name}.limit", both)
        raw(name, ours[ms])
        limit, value = statistics.median(both), statistics.median(ours[ms])
        figure(f"{name}.ms", f"{value:.3f}", "ms")
        figure(f"{name}.limit.ms", f"{limit:.3f}", "ms")
        figure(f"{name}.x", f"{value / limit:.2f}", "ratio")


def open_ws(d, path):
    s = socket.create_connection(("127.0.0.1", d.http), timeout=10)
    s.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{d.http}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
               f"Authorization: Bearer {d.token}\r\n\r\n").encode())
    return s


def delays(d, camera, stamps, path, seconds=10):
    """ms from the last packet of a picture to the first byte behind it."""
    s, arrivals, stop = open_ws(d, path), [], threading.Event()
    s.settimeout(0.5)

    def read():
        while not stop.is_set():
            try:
                if not s.recv(1 << 20):
                    return
            except TimeoutError:
                continue
            arrivals.append(time.monotonic_ns())
    t = threading.Thread(target=read)
    t.start()
    time.sleep(seconds)
    camera.proc.send_signal(signal.SIGSTOP)
    time.sleep(1)
    camera.proc.send_signal(signal.SIGCONT)
    frozen = time.monotonic_ns() - 500_000_000
    stop.set()
    t.join()
    s.close()
    with open(stamps) as f:
        sent = [int(line) for line in f.read().split("\n")[:-1]]
    arrivals = [a for a in arrivals if a < frozen]
    first = arrivals[0] + 1_000_000_000 # behind the burst of the cache
    values = []
    for at, following in zip(sent, sent[1:]):
        i = bisect.bisect_left(arrivals, at - 1_000_000)
        if at >= first and i < len(arrivals) and arrivals[i] < following:
            values.append(max(0, arrivals[i] - at) / 1e6)
    # a server that waits for the successor would show the last picture late
    last = (arrivals[-1] - max(x for x in sent if x < frozen)) / 1e6
    return values, last


def joins(d, path, n=15):
    """ms from the connection to the first picture: a tag of type 9 in a message."""
    values = []
    for _ in range(n):
        begin = time.monotonic()
        s, data = open_ws(d, path), b""
        while b"\r\n\r\n" not in data:
            data += s.recv(65536)
        while len(data) < 20000: # the head and tracks are small: this is the key frame
            data += s.recv(65536)
        values.append((time.monotonic() - begin) * 1000)
        s.close()
        time.sleep(0.13)
    return values


def delay(media):
    d = Daemon(settings=LIMITS)
    stamps = os.path.join(d.dir, "stamps")
    c = cameras(d, media, 1, "--stamps", stamps)
    play(d, [DEVICE], "udp")
    time.sleep(3)
    path = f"/live/{DEVICE}/{channel_id(DEVICE)}.flv"
    joined = joins(d, path)
    values, last = delays(d, c, stamps, path)
    c.close()
    d.close()
    raw("live.join", joined, 1)
    figure("live.join.ms", f"{statistics.median(joined):.1f}", "ms")
    if len(values) < 100:
        raise Failed(f"only {len(values)} pictures were seen to come")
    print(f"# live.delay: {len(values)} pictures, 95th percentile {statistics.quantiles(values, n=20)[-1]:.2f} ms, "
          f"the last one before silence {last:.2f} ms")
    figure("live.delay.ms", f"{statistics.median(values) + (40 if last > 100 else 0):.2f}", "ms")


def main():
    parts = {"delay": delay, "view": view, "ingest": ingest}
    failed = False
    with tempfile.TemporaryDirectory(prefix="gb28181d-media-") as temp:
        media = os.environ.get("MEDIA") or os.path.join(temp, "h264.h264")
        if not os.path.exists(media):
            encode(media)
        try:
            programs(media, temp)
        except (OSError, subprocess.SubprocessError) as e:
            print(f"# ps: FAILED: {e}")
            failed = True
        for name in sys.argv[1:] or parts:
            try:
                parts[name](media)
            except (Failed, OSError, subprocess.SubprocessError, ValueError) as e:
                print(f"# {name}: FAILED: {e}")
                failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
