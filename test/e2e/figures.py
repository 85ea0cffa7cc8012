#!/usr/bin/env python3
"""test/e2e/figures.py - figures of the running daemon, one line each:
idle.rss.mib fleet1000.rss.mib live.first.ms. Medians where there are several."""
import statistics
import time
import urllib.request

from rig import Cameras, Daemon, channel_id, rss_mib, wait_for

DEVICE = "34020000001180000001"


def figure(name, value, unit):
    print(f"figure {name} {value} {unit}", flush=True)


def idle():
    values = []
    for _ in range(5):
        d = Daemon()
        time.sleep(1)
        values.append(rss_mib(d.proc.pid))
        d.close()
    figure("idle.rss.mib", f"{statistics.median(values):.1f}", "MiB")


def fleet(devices=1000, channels=4):
    d = Daemon(settings=["limits.unauthenticated_per_s=100000", "limits.unauthenticated_total_per_s=1000000",
                          "limits.registers_per_s=1000000"])
    before = rss_mib(d.proc.pid)
    c = Cameras(d, "--devices", str(devices), "--channels", str(channels), "--quiet", "--rate", "500")

    def complete():
        m = dict(line.rsplit(" ", 1) for line in d.call("GET", "/metrics").body.decode().splitlines()
                 if line and line[0] != "#")
        return (int(m['gb28181_devices{state="online"}']) == devices and
                int(m["gb28181_channels"]) == devices * channels and int(m["gb28181_catalogs_total"]) >= devices)

    begin = time.monotonic()
    wait_for("the fleet's catalogs", complete, timeout=120)
    print(f"# {devices} devices of {channels} channels: all catalogs after {time.monotonic() - begin:.1f} s")
    time.sleep(2)
    after = rss_mib(d.proc.pid)
    figure(f"fleet{devices}.rss.mib", f"{after:.1f}", "MiB")
    figure(f"fleet{devices}.device.bytes", f"{(after - before) * 1048576 / devices:.0f}", "B")
    c.close()
    d.close()


def first_byte():
    d = Daemon(settings=["media.idle_stop_s=1"])
    c = Cameras(d)
    wait_for("online", lambda: len(d.online()) == 1)
    wait_for("catalog", lambda: d.online()[0]["channels"] == 1)
    ch, values = channel_id(DEVICE), []
    for _ in range(15):
        req = urllib.request.Request(f"{d.base}/live/{DEVICE}/{ch}.flv", headers={"Authorization": "Bearer " + d.token})
        begin = time.monotonic()
        with urllib.request.urlopen(req, timeout=20) as r:
            data = b""
            # past the file header: type 9 is the first video tag
            while len(data) < 14 or 9 not in tag_types(data):
                data += r.read1(65536)
            values.append((time.monotonic() - begin) * 1000)
        d.stop_live(DEVICE, ch)
        wait_for("stop", lambda: not d.get("/api/v1/sessions")["items"])
    figure("live.first.ms", f"{statistics.median(values):.1f}", "ms")
    c.close()
    d.close()


def tag_types(data):
    at, types = 13, []
    while at + 11 <= len(data):
        types.append(data[at] & 0x1f)
        at += 11 + int.from_bytes(data[at + 1:at + 4], "big") + 4
    return types


if __name__ == "__main__":
    idle()
    first_byte()
    fleet()
