#!/usr/bin/env python3
"""test/e2e/capacity.py [PART...] - how much this machine carries, and what gives way first: make capacity.

reconnect-udp  20,000 devices come back at once, over UDP, after they have lost power; then once more
reconnect-tcp  8,000 of them over TCP, each on a connection of its own
catalogs       300 devices of 100 channels send their catalogs at the same time
alarms         500 devices send an alarm a second each
viewers        500 viewers that read a few bytes a second, and one that reads
slowloris      300 connections to each TCP port that say a byte a second
connections    as many connections a second as there can be, to each TCP port
ports          more sessions than there are media ports

Each prints what the daemon took: CPU, and RSS as a curve, from its start to a while after the end; it must come to
rest. DEVICES_UDP, DEVICES_TCP and VIEWERS make it larger or smaller. All of it is on loopback."""
import contextlib
import os
import resource
import socket
import subprocess
import sys
import threading
import time

from flv_reader import Reader
from rig import (
    BUILD, Cameras, Daemon, Failed, channel_id, check_picture, cpu_s, expect, rss_mib, run_one, system, wait_for)

DEVICES_UDP = int(os.environ.get("DEVICES_UDP", "20000"))
DEVICES_TCP = int(os.environ.get("DEVICES_TCP", "8000"))
VIEWERS = int(os.environ.get("VIEWERS", "500"))
DEVICE = "34020000001180000001"
SLOW_CONNECTIONS = 300
FLOOD_S = 5
REST_MIB = 8  # what may come after the load is over
PARTS = {}


def part(fn):
    PARTS[fn.__name__.replace("_", "-")] = fn
    return fn


@contextlib.contextmanager
def measured(d, name, rest_s=5):
    """RSS every half second, CPU, and whether both come to rest."""
    curve, over, pid = [], threading.Event(), d.proc.pid

    def sample():
        while not over.wait(0.5):
            curve.append(rss_mib(pid))

    begin, cpu, first = time.monotonic(), cpu_s(pid), rss_mib(pid)
    t = threading.Thread(target=sample, daemon=True)
    t.start()
    try:
        yield
        took, used, end = time.monotonic() - begin, cpu_s(pid) - cpu, rss_mib(pid)
        time.sleep(rest_s)
        idle = cpu_s(pid)
        time.sleep(2)
        idle = (cpu_s(pid) - idle) / 2
    finally:
        over.set()
        t.join()
    step = max(1, len(curve) // 16)
    print(f"# {name}: RSS {first:.1f} MiB, " + " ".join(f"{x:.1f}" for x in curve[::step]) + f" {curve[-1]:.1f}")
    print(f"figure capacity.{name}.s {took:.1f} s")
    print(f"figure capacity.{name}.cpu.s {used:.1f} s")
    print(f"figure capacity.{name}.rss.mib {max(curve):.1f} MiB", flush=True)
    expect(d.healthy(), "it answers")
    expect(curve[-1] <= end + REST_MIB, f"RSS goes on growing: {end:.1f} to {curve[-1]:.1f} MiB")
    expect(idle < 0.6, f"CPU of {idle * 100:.0f} % goes on")


def sipload(d, *options):
    """Its lines are printed; how many devices were online at most while it ran."""
    p = subprocess.Popen([os.path.join(BUILD, "sipload"), "--server", f"127.0.0.1:{d.sip}", "--password",
                          "@" + d.password_file, "--pid", str(d.proc.pid), *options], stdout=subprocess.PIPE, text=True)
    online = 0
    while p.poll() is None:
        time.sleep(0.05)
        online = max(online, d.metric('gb28181_devices{state="online"}'))
    out = p.stdout.read()
    print("".join(line + "\n" for line in out.splitlines() if line.startswith("# ") and " raw " not in line), end="")
    if p.returncode:
        raise Failed(f"sipload: {p.returncode}\n{out[-1500:]}")
    return online


def reconnect(transport, devices, sources):
    """All of them come within seconds, twice: when nobody is known, and when all are."""
    settings = [f"limits.devices={devices + 1}", "limits.registers_per_s=1000000",
                "limits.unauthenticated_per_s=1000000", "limits.unauthenticated_total_per_s=1000000", "log.level=warn"]
    d = Daemon(settings=settings)
    try:
        for what, phase in (("first", "contact,settle"), ("again", "login,keepalive")):
            with measured(d, f"reconnect.{transport}.{what}"):
                online = sipload(d, "--transport", transport, "--devices", str(devices), "--count", str(devices),
                                 "--sources", str(sources), "--addresses", "250", "--run", phase, "--window", "256")
            print(f"figure capacity.reconnect.{transport}.{what}.online {online:.0f}")
            expect(online == devices, f"{online:.0f} of {devices} are online")
    finally:
        d.close()


@part
def reconnect_udp():
    reconnect("udp", DEVICES_UDP, 64)


@part
def reconnect_tcp():
    reconnect("tcp", DEVICES_TCP, DEVICES_TCP)


@part
def catalogs():
    n, channels = 300, 100
    d = Daemon(settings=["log.level=warn"])
    c = None
    try:
        with measured(d, "catalogs"):
            c = Cameras(d, "--devices", str(n), "--channels", str(channels), "--rate", "100000", "--quiet")
            wait_for("all channels", lambda: d.metric("gb28181_channels") == n * channels, timeout=120)
    finally:
        if c:
            c.close()
        d.close()


@part
def alarms():
    with system("--alarm", "1", "--quiet", devices=500, settings=("log.level=warn",)) as (d, _):
        before = d.metric("gb28181_alarms_total")
        with measured(d, "alarms"):
            time.sleep(15)
        n = d.metric("gb28181_alarms_total") - before
        print(f"figure capacity.alarms.per.s {n / 22:.0f}")
        expect(n > 500 * 10, f"{n:.0f} alarms in 22 s")
        expect(len(d.online()) == 500, "all are online")


@part
def viewers():
    """A window of a few KiB that nobody empties: they are cut, and nobody else sees it."""
    with system(channels=4) as (d, _):
        urls = [d.live(DEVICE, channel_id(DEVICE, n), transport="udp").json["flv"] for n in range(1, 5)]
        good = [Reader(u) for u in urls]
        with measured(d, "viewers"):
            slow = []
            for i in range(VIEWERS):
                s = socket.socket()
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                s.connect((d.host, d.http))
                path = "/" + urls[i % 4].split("/", 3)[3]
                s.sendall(f"GET {path} HTTP/1.1\r\nHost: {d.host}\r\n\r\n".encode())
                slow.append(s)
            gaps, end = [0.0] * 4, time.monotonic() + 25
            while time.monotonic() < end:
                for i, reader in enumerate(good):
                    one = time.monotonic()
                    reader.tag()
                    gaps[i] = max(gaps[i], time.monotonic() - one)
            print(f"# the longest pause of those who read: {max(gaps):.2f} s")
            expect(max(gaps) < 2, f"a pause of {max(gaps):.1f} s")
            left = d.metric("gb28181_viewers")
            print(f"figure capacity.viewers.left {left:.0f}")
            expect(left <= 8, f"{left:.0f} viewers are still there")
            for s in slow:
                s.close()
            for reader in good:
                reader.close()


def tcp_ports(d):
    """Of everything that listens; a media port is there while its session waits for a connection."""
    return {"sip": d.sip, "http": d.http, "rtsp": d.rtsp}


def half_requests(d):
    """What each port is told, a byte at a time, and never to its end."""
    long = b"X-A: " + b"a" * 2000
    return {"sip": b"REGISTER sip:1@2 SIP/2.0\r\n" + long, "http": b"GET /healthz HTTP/1.1\r\n" + long,
            "rtsp": b"OPTIONS * RTSP/1.0\r\n" + long, "https": bytes.fromhex("160301020001") + b"\0" * 2000}


@part
def slowloris():
    with system("--keepalive", "2") as (d, _):
        reader = Reader(d.live(DEVICE, channel_id(DEVICE), transport="udp").json["flv"])
        ports = {**tcp_ports(d), "https": d.http}
        held = []
        with measured(d, "slowloris", rest_s=10):
            for name, text in half_requests(d).items():
                for i in range(SLOW_CONNECTIONS):
                    with contextlib.suppress(OSError):  # no source has more than it may
                        held.append([socket.create_connection((d.host, ports[name]), 2, (f"127.0.2.{1 + i % 4}", 0)),
                                     text, 0, name])
            end = time.monotonic() + 25
            while time.monotonic() < end:
                for h in held:
                    if h[0] is None:
                        continue
                    try:
                        h[0].send(h[1][h[2]:h[2] + 1])
                        h[2] += 1
                    except OSError:
                        h[0].close()
                        h[0] = None
                one = time.monotonic()
                expect(d.healthy() and len(d.online()) == 1, "a user is served")
                reader.tag()
                expect(time.monotonic() - one < 3, "in time")
                time.sleep(0.5)
            for name in ports:
                n = sum(1 for h in held if h[0] is not None and h[3] == name)
                print(f"figure capacity.slowloris.{name}.left {n}")
            for h in held:
                if h[0]:
                    h[0].close()
        reader.close()


@part
def connections():
    with system("--keepalive", "2") as (d, _):
        reader = Reader(d.live(DEVICE, channel_id(DEVICE), transport="udp").json["flv"])
        for name, port in tcp_ports(d).items():
            with measured(d, f"connections.{name}"):
                n, worst, end = 0, 0.0, time.monotonic() + FLOOD_S
                while time.monotonic() < end:
                    for _ in range(50):
                        with contextlib.suppress(OSError), socket.socket() as s:
                            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                            s.connect((d.host, port))
                            n += 1
                    one = time.monotonic()
                    reader.tag()
                    worst = max(worst, time.monotonic() - one)
                print(f"# {name}: {n / FLOOD_S:.0f} connections a second, the picture paused for {worst:.2f} s")
                expect(worst < 2, f"{name}: the picture stood still for {worst:.1f} s")
        with contextlib.suppress(OSError):
            reader.close()
        expect("device offline" not in d.log(), "the camera is kept")


@part
def ports():
    def live(n):
        return d.live(DEVICE[:-2] + f"{n:02d}", channel_id(DEVICE, n), transport="udp")

    with system("--quiet", "--keepalive", "5", devices=40, media=40,
                settings=("media.mode=dedicated", "media.idle_stop_s=2")) as (d, _):
        answers = [live(n) for n in range(1, 41)]
        good = [a for a in answers if a.status == 200]
        bad = {(a.status, a.json["code"]) for a in answers if a.status != 200}
        print(f"# 20 pairs of ports: {len(good)} of 40 sessions, the others {bad}")
        expect(len(good) >= 18 and bad and all(status in (503, 409) for status, _ in bad), f"{len(good)} sessions, {bad}")
        check_picture(good[0].json["flv"], "h264", seconds=2)
        wait_for("they end", lambda: not d.get("/api/v1/sessions")["items"], timeout=30)
        wait_for("the ports have rested", timeout=90, fn=lambda: not any(
            d.metric(f'gb28181_media_ports{{state="{s}"}}') for s in ("lent", "resting")))
        a = live(40)
        expect(a.status == 200, f"afterwards: {a.status} {a.body[:300]}")


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"# {os.cpu_count()} processors, {hard} descriptors", flush=True)
    named = [n for n in sys.argv[1:] if n != "all"] or list(PARTS)
    results = [run_one(PARTS[n]) for n in named]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
