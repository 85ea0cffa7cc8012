#!/usr/bin/env python3
"""test/e2e/flood.py - 20,000 messages a second of garbage and of REGISTERs
without credentials, for FLOOD_S seconds (5), first from strangers' addresses,
then from the cameras' own.

Every registered camera stays online and keeps being answered, its stream has
no gap, and memory stays capped. RATE is the number a second."""
import multiprocessing
import os
import random
import socket
import sys
import threading
import time
import urllib.request

from rig import SERVER_ID, Failed, Watch, channel_id, cpu_s, rss_mib, system, wait_for

SECONDS = float(os.environ.get("FLOOD_S", "5"))
RATE = int(os.environ.get("RATE", "20000"))
DEVICE = "34020000001180000001"
CAMERAS = 4
KEEPALIVE_S = 2
MAX_GAP_MS = 200        # between two pictures of 40 ms, as they were taken
MAX_PAUSE_S = 2.0       # between two that arrive: the flood has a core of its own
MAX_GROWTH_MIB = 96     # the pools and their limits, docs/limits.md
STRANGERS = 200         # addresses, 127.0.0.2 and on
PACE_S = 0.005
BURST_S = 4 * PACE_S
SERIAL = 9              # digits


def register(n, device, host):
    return (f"REGISTER sip:{SERVER_ID}@3402000000 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:5060;rport;branch=z9hG4bKflood{n}\r\n"
            f"From: <sip:{device}@3402000000>;tag=f{n}\r\nTo: <sip:{device}@3402000000>\r\n"
            f"Call-ID: flood{n}@{host}\r\nCSeq: 1 REGISTER\r\nContact: <sip:{device}@{host}:5060>\r\n"
            "Max-Forwards: 70\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n").encode()


def other(method, n, host):
    return (f"{method} sip:{SERVER_ID}@3402000000 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:5060;rport;branch=z9hG4bKflood{method}{n}\r\n"
            f"From: <sip:100@{host}>;tag=f{n}\r\nTo: <sip:{SERVER_ID}@3402000000>\r\n"
            f"Call-ID: flood{method}{n}@{host}\r\nCSeq: 1 {method}\r\nContact: <sip:100@{host}:5060>\r\n"
            "Max-Forwards: 70\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n").encode()


def one_message(r, n, host):
    """Half are REGISTERs, of unknown ids and of the cameras'; a quarter is
    what scanners send; a quarter is no SIP at all, or cut or damaged."""
    kind = r.randrange(16)
    if kind < 5:
        return register(n, f"34020000001329{r.randrange(10**6):06d}", host)
    if kind < 8:
        return register(n, DEVICE[:-1] + str(1 + r.randrange(CAMERAS)), host)
    if kind < 12:
        return other(r.choice(("OPTIONS", "INVITE", "SUBSCRIBE", "MESSAGE", "BYE", "FOO")), n, host)
    if kind < 14:
        return r.randbytes(r.randrange(1, 1400))
    m = bytearray(register(n, DEVICE, host))
    if kind == 14:
        return bytes(m[:r.randrange(len(m))])
    for _ in range(8):
        m[r.randrange(len(m))] = r.randrange(256)
    return bytes(m)


def flood(port, hosts, seconds, seed, sent):
    """A process of its own: so many a second, whatever comes back."""
    r = random.Random(seed)
    socks, messages = [], []
    for host in hosts:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((host, 0))
        s.connect(("127.0.0.1", port))
        s.setblocking(False)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        socks.append(s)
    # made before: while it sends, it only sends
    for n in range(20000):
        m = bytearray(one_message(r, "#" * SERIAL, hosts[n % len(hosts)]))
        at, where = 0, []
        while (at := m.find(b"#" * SERIAL, at)) >= 0:
            where.append(at)
            at += SERIAL
        messages.append((m, where))
    begin, n = time.monotonic(), 0
    while (t := time.monotonic() - begin) < seconds:
        # what it had no time for is not made up for at once: who reads had none either
        for _ in range(min(int(t * RATE) - n, int(BURST_S * RATE))):
            m, where = messages[n % len(messages)]
            for at in where:  # no two have one branch, tag or Call-ID
                m[at:at + SERIAL] = b"%09d" % n
            try:
                socks[n % len(socks)].send(m)
            except OSError:
                pass
            n += 1
        time.sleep(PACE_S)
    sent.value = n


class Watcher(threading.Thread):
    """Reads an FLV stream and keeps the timestamps of its pictures."""

    def __init__(self, d, channel):
        super().__init__(daemon=True)
        self.url = f"{d.base}/live/{DEVICE}/{channel}.flv"
        self.token = d.token
        self.stamps, self.walls, self.error, self.stop = [], [], None, False

    def run(self):
        try:
            req = urllib.request.Request(self.url, headers={"Authorization": "Bearer " + self.token})
            with urllib.request.urlopen(req, timeout=30) as f:
                f.read(13)
                while not self.stop:
                    head = f.read(11)
                    if len(head) < 11:
                        raise Failed("the stream ended")
                    body = f.read(int.from_bytes(head[1:4], "big") + 4)
                    if head[0] & 0x1f == 9 and body[1] == 1:  # video, and no decoder configuration
                        self.stamps.append(int.from_bytes(head[4:7], "big") | head[7] << 24)
                        self.walls.append(time.monotonic())
        except Exception as e:
            self.error = e


def counters(d):
    lines = d.call("GET", "/metrics").body.decode().splitlines()
    return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")}


def check_streams(watchers, what, watch, slow):
    most = min(MAX_PAUSE_S * slow, SECONDS / 2) + watch.held_ms() / 1000  # the flood is no longer than it
    for w in watchers:
        if w.error:
            raise Failed(f"{what}: {w.url}: {w.error}")
        gaps = [b - a for a, b in zip(w.stamps, w.stamps[1:])]
        came = sum(at >= watch.begun for at in w.walls)
        if came < SECONDS * 25 * 0.8 / slow:
            raise Failed(f"{what}: {w.url}: {came} pictures in {SECONDS:.0f} s")
        if max(gaps) > MAX_GAP_MS * slow or min(gaps) < 0:
            at = gaps.index(max(gaps))
            raise Failed(f"{what}: {w.url}: a gap of {max(gaps)} ms after picture {at}")
        pause = max(b - a for a, b in zip(w.walls, w.walls[1:]))
        print(f"# {what}: longest pause of the stream {pause * 1000:.0f} ms")
        if pause > most:
            raise Failed(f"{what}: {w.url}: nothing for {pause:.1f} s")


def under_flood(d, c, hosts, what):
    before = rss_mib(d.proc.pid)
    watchers = [Watcher(d, channel_id(DEVICE, n)) for n in (1, 2)]
    for w in watchers:
        w.start()
    wait_for("streams", lambda: all(len(w.stamps) > 25 or w.error for w in watchers))
    watch = Watch()
    cpu, begin, first = cpu_s(d.proc.pid), time.monotonic(), counters(d)
    sent = multiprocessing.Value("q", 0)
    p = multiprocessing.Process(target=flood, args=(d.sip, hosts, SECONDS, len(hosts), sent))
    p.start()
    p.join()
    elapsed, slow = time.monotonic() - begin, watch.slow()
    for w in watchers:
        w.stop = True
    after = rss_mib(d.proc.pid)
    now = counters(d)
    n = {k: now[k] - first[k] for k in ("gb28181_sip_datagrams_total", "gb28181_sip_received_total",
                                        "gb28181_sip_kernel_drops_total", "gb28181_keepalives_total")}
    arrived, drops = n["gb28181_sip_datagrams_total"], n["gb28181_sip_kernel_drops_total"]
    print(f"# {what}: {sent.value / SECONDS:.0f} messages a second for {SECONDS:.0f} s, {arrived:.0f} arrived ({drops:.0f} did "
          f"not), {n['gb28181_sip_received_total']:.0f} read, RSS {before:.1f} to {after:.1f} MiB, "
          f"CPU {(cpu_s(d.proc.pid) - cpu) / elapsed * 100:.0f} %, {sum(len(w.stamps) for w in watchers)} pictures")
    name = what.replace(" ", "_")
    print(f"figure flood.{name}.rss.mib {after:.1f} MiB")
    print(f"figure flood.{name}.cpu.percent {(cpu_s(d.proc.pid) - cpu) / elapsed * 100:.1f} %", flush=True)
    if sent.value < 0.9 * RATE * SECONDS:
        print(f"# the generator reached only {sent.value / SECONDS:.0f} a second")
    if arrived < 0.8 * sent.value / slow:  # then it proves little
        raise Failed(f"{what}: {arrived:.0f} of {sent.value} messages reached the daemon")
    if "device offline" in d.log():
        raise Failed(f"{what}: a camera went offline")
    if len(d.online()) != CAMERAS:
        raise Failed(f"{what}: {len(d.online())} of {CAMERAS} cameras are online")
    check_streams(watchers, what, watch, slow)
    check_keepalives(c, n["gb28181_keepalives_total"], elapsed / slow, what)
    if after - before > MAX_GROWTH_MIB:
        raise Failed(f"{what}: RSS grew from {before:.1f} to {after:.1f} MiB")


def check_keepalives(c, n, seconds, what):
    """They were heard while it lasted, and their answers too: gbcam says when
    three in a row have none, and registers anew."""
    due = max(CAMERAS * (seconds / KEEPALIVE_S - 1), 1)  # where the first one fell
    if n < 0.7 * due:
        raise Failed(f"{what}: {n:.0f} keepalives of {due:.0f} were heard")
    lost = [line for line in c.log().splitlines() if "not answered" in line or "does not answer" in line]
    if lost:
        raise Failed(f"{what}: {lost[-1]}")


def main():
    failed = 0
    for hosts, what in (([f"127.0.0.{2 + i}" for i in range(STRANGERS)], "strangers"),
                        (["127.0.0.1"] * 8, "own address")):
        begin = time.monotonic()
        try:
            with system("--keepalive", str(KEEPALIVE_S), devices=CAMERAS, channels=2) as (d, c):
                for n, transport in ((1, "udp"), (2, "tcp-passive")):
                    a = d.live(DEVICE, channel_id(DEVICE, n), transport=transport)
                    if a.status != 200:
                        raise Failed(f"live over {transport}: {a.status}")
                under_flood(d, c, hosts, what)
            print(f"ok      flood from {what}  {time.monotonic() - begin:.1f} s", flush=True)
        except Failed as e:
            failed += 1
            print(f"FAILED  flood from {what}: {e}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
