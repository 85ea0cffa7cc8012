"""test/e2e/shared.py - one media port for all sessions; run by run.py."""
import shutil
import socket
import subprocess
import tempfile
import threading

from cameras import at_the_same_time, daemon_with, device, live
from rig import EMULATED, HANG_S, Failed, Tests, decode, media_range, wait_for

test = Tests()


def even_port():
    """An even port that nobody else of this run is given, like the next one."""
    return media_range(2).start


def sessions(d):
    return d.get("/api/v1/sessions")["items"]


class Noise:
    """Strangers: datagrams of unknown SSRCs, connections that say nothing or nonsense."""

    def __init__(self, port):
        self.port, self.over = port, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.bind(("127.0.0.77", 0))
        held = []
        n = 0
        while not self.over:
            n += 1
            for k in range(50):
                u.sendto(b"\x80\x60" + n.to_bytes(6, "big") + (n * 50 + k).to_bytes(4, "big") + b"x" * 1000,
                         ("127.0.0.1", self.port))
            t = socket.socket()
            t.bind(("127.0.0.77", 0))
            try:
                t.connect(("127.0.0.1", self.port))
                t.send((b"", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x30\x80\x60" + n.to_bytes(10, "big"))[n % 3])
            except OSError:
                pass
            held.append(t)
            if len(held) > 200:
                held.pop(0).close()
            threading.Event().wait(0.01)
        for t in held:
            t.close()

    def stop(self):
        self.over = True
        self.thread.join()


@test
def shared_port_takes_every_session():
    """Two recorders with four channels over UDP and TCP on three loops, with strangers on the same port."""
    port = even_port()
    with daemon_with([(), ("--codec", "h265", "--audio", "aac")], channels=4,
                     settings=["media.mode=shared", f"media.shared_port={port}", "media.threads=3"]) as d:
        noise = Noise(port)
        try:
            jobs = []
            for n in (1, 2):
                for k, transport in enumerate(("udp", "tcp-passive", "udp", "tcp-passive")):
                    urls = live(d, n, k + 1, transport=transport)
                    jobs.append((f"{n}/{k + 1} over {transport}", lambda u=urls["fmp4"]: decode(u, 2)))
            got = sessions(d)
            if len(got) != 8 or any(s["port"] != port for s in got):
                raise Failed(f"ports: {[s['port'] for s in got]}, not {port}")
            if {s["transport"] for s in got} != {"udp", "tcp-passive"}:
                raise Failed([s["transport"] for s in got])
            at_the_same_time(jobs, workers=8)
        finally:
            noise.stop()
        if not d.metric("gb28181_rtp_unknown_total") or not d.metric("gb28181_media_connections_refused_total"):
            raise Failed("strangers are not counted")
        # qemu-user hands no packet filter to the kernel
        if d.metric("gb28181_rtp_passed_total") and not EMULATED:
            raise Failed("the kernel did not give each loop its own packets")


@test
def shared_port_and_odd_ssrcs():
    """An SSRC of the device's own in the answer, none there, another one or 0 in the packets: each plays, on the
    shared port or, where nothing tells it apart, on one of its own."""
    port = even_port()
    faults = ("other-y", "no-y", "short-y", "wrong-ssrc", "zero-ssrc", "zero-ssrc", "rtcp-muxed")
    with daemon_with([("--fault", f) for f in faults],
                     settings=["media.mode=shared", f"media.shared_port={port}", "media.threads=3"]) as d:
        at_the_same_time([(f, lambda n=n: decode(live(d, n + 1, transport="udp")["fmp4"], 1))
                          for n, f in enumerate(faults)], workers=8)
        got = {s["device"]: s["port"] for s in sessions(d)}
        for n, f in enumerate(faults):
            if "ssrc" not in f and got[device(n + 1)] != port:
                raise Failed(f"{f}: port {got[device(n + 1)]}")
        at_the_same_time([(f + " over TCP", lambda n=n: (d.stop_live(device(n + 1), d.channels(device(n + 1))[0]["id"]),
                                                         decode(live(d, n + 1, transport="tcp-passive")["fmp4"], 1)))
                          for n, f in enumerate(faults) if f in ("other-y", "no-y")], workers=2)


@test
def rtp_headers_are_in_the_capture():
    """First and last headers of sessions over UDP and TCP, those that have ended too, as tshark reads them."""
    if not shutil.which("tshark"):
        raise Failed("tshark is missing")
    with daemon_with([()], channels=2) as d:
        for k, transport in enumerate(("udp", "tcp-passive")):
            decode(live(d, 1, k + 1, transport=transport)["fmp4"], 2)
        ports = {s["port"] for s in sessions(d)}
        d.stop_live(device(1), d.channels(device(1))[0]["id"])
        wait_for("one is over", lambda: len(sessions(d)) == 1)
        pcap = d.call("GET", f"/api/v1/trace.pcap?device={device(1)}").body
        with tempfile.NamedTemporaryFile(suffix=".pcapng") as f:
            f.write(pcap)
            f.flush()
            p = subprocess.run(["tshark", "-r", f.name, "-Y", "rtp", "-T", "fields", "-e", "udp.dstport", "-e", "rtp.seq",
                                "-e", "rtp.ssrc", "-e", "rtp.p_type",
                                *sum((["-d", f"udp.port=={port},rtp"] for port in ports), [])], capture_output=True, timeout=HANG_S, check=True)
        rows = [line.split("\t") for line in p.stdout.decode().splitlines()]
        if {int(r[0]) for r in rows} != ports or any(r[3] != "96" for r in rows):
            raise Failed(f"{rows[:4]}, ports {ports}")
        for port in ports:
            seqs = [int(r[1]) for r in rows if int(r[0]) == port]
            if not 100 < len(seqs) <= 1000 or len({r[2] for r in rows if int(r[0]) == port}) != 1:
                raise Failed(f"port {port}: {len(seqs)} headers")


@test
def ports_of_their_own_then_the_shared_one():
    """media.mode=auto: while a tenth of the range is free."""
    port = even_port()
    first = even_port()
    with daemon_with([()], channels=4, settings=["media.mode=auto", f"media.shared_port={port}",
                                                 f"media.ports={first}-{first + 1}", "media.threads=2"]) as d:
        urls = [live(d, 1, k + 1, transport=t)["fmp4"] for k, t in enumerate(("udp", "udp", "tcp-passive"))]
        got = sorted(s["port"] for s in sessions(d))
        if got != sorted((first, port, port)):
            raise Failed(f"{got}: {first} and twice {port} expected")
        at_the_same_time([(u, lambda u=u: decode(u, 1)) for u in urls])
