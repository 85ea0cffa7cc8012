#!/usr/bin/env python3
"""test/e2e/torture.py [NAME...] - every message of test/data/sip/torture to the
daemon's sockets: as a datagram, whole over TCP, and over TCP in two pieces cut at
every STEP-th byte (23; 1: at every one).

What the stack refuses by itself is answered as the table of test/torture.c says;
what it passes on is refused as a stranger's is; wherever it is cut the answers are
those of the whole. From names that are no ids nothing is answered at all, so they
are replaced by one."""
import glob
import os
import re
import socket
import sys
import time

from rig import HANG_S, TOP, Daemon, Failed

STEP = int(os.environ.get("STEP", "23"))
STRANGER = b"34020000001329000001"
ID = re.compile(rb"\d{20}$")
LIMITS = ["limits.unauthenticated_per_s=1000000", "limits.unauthenticated_total_per_s=1000000",
          "limits.registers_per_s=1000000"]
SENTINEL = (b"OPTIONS sip:34020000002000000001@3402000000 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKs%d\r\n"
            b"From: <sip:" + STRANGER + b"@3402000000>;tag=s\r\nTo: <sip:34020000002000000001@3402000000>\r\n"
            b"Call-ID: sentinel%d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


def table():
    """name: answers to a datagram, over a stream, and to what stands behind it."""
    with open(f"{TOP}/test/torture.c") as f:
        rows = re.findall(r'\{ "([a-z0-9-]+)", \w+, \d+, \{ (\d+), (\d+), (\d+) \}', f.read())
    return {name: tuple(map(int, r)) for name, *r in rows}


def spoken(message):
    """The message, its From (and the To of a REGISTER) an id where it is a name."""
    def put(m):
        return m[0] if ID.match(m[2]) or b"%" in m[2] else m[1] + STRANGER + m[3]

    for header in (rb"f", rb"from"):
        message = re.sub(rb"(?im)^(" + header + rb"[ \t]*:[^\r\n]*?sips?:)([^@;>\r\n\s]+)(@)", put, message)
    if message.startswith(b"REGISTER"):
        message = re.sub(rb"(?im)^((?:to|t)[ \t]*:[^\r\n]*?sips?:)([^@;>\r\n\s]+)(@)", put, message)
    return message


def statuses(data):
    return [int(s) for s in re.findall(rb"(?m)^SIP/2\.0 (\d{3})", data)]


class Peer:
    def __init__(self, d):
        self.to = ("127.0.0.1", d.sip)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(HANG_S)
        self.n = 0

    def datagram(self, message):
        """The statuses that came back before the answer to the next message."""
        self.n += 1
        self.udp.sendto(message, self.to)
        self.udp.sendto(SENTINEL % (self.n, self.n), self.to)
        got = []
        while True:
            answer = self.udp.recv(65536)
            if b"sentinel%d\r\n" % self.n in answer:
                return got
            got += statuses(answer)

    def stream(self, message, cut):
        """In two pieces, and then the end; what comes before the daemon ends too."""
        with socket.create_connection(self.to, timeout=HANG_S) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if 0 < cut < len(message):
                s.sendall(message[:cut])
                time.sleep(0.0003)  # it is read in two, as a rule
            try:
                s.sendall(message[cut:] if cut < len(message) else message)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed for the first piece: its answer is there
            data = b""
            try:
                while piece := s.recv(65536):
                    data += piece
            except ConnectionResetError:
                pass
            return statuses(data)


def fits(got, want):
    """What the stack says itself is exact; what it passes on is refused here."""
    if want == 0:
        return got == 0
    if want >= 400:
        return got == want
    return got in (200, 401, 403, 400, 404)  # 400: the registrar's


def check(peer, name, want):
    with open(f"{TOP}/test/data/sip/torture/{name}.sip", "rb") as f:
        message = spoken(f.read())
    got = peer.datagram(message)
    if len(got) > 1 or not fits((got + [0])[0], want[0]):
        raise Failed(f"as a datagram: {got}, the table says {want[0]}")
    whole = peer.stream(message, len(message))
    if len(whole) > 2 or not fits((whole + [0])[0], want[1]) or not fits((whole + [0, 0])[1], want[2]):
        raise Failed(f"over TCP: {whole}, the table says {want[1:]}")
    for cut in range(1, len(message), STEP):
        now = peer.stream(message, cut)
        if now != whole:
            raise Failed(f"cut at {cut}: {now}, and whole {whole}")
    return (len(message) - 1 + STEP - 1) // STEP


def main():
    wanted, rows = sys.argv[1:], table()
    files = sorted(os.path.basename(f)[:-4] for f in glob.glob(f"{TOP}/test/data/sip/torture/*.sip"))
    failed = cuts = 0
    begin = time.monotonic()
    d = Daemon(settings=LIMITS)
    try:
        peer = Peer(d)
        for name in files:
            if wanted and name not in wanted:
                continue
            try:
                cuts += check(peer, name, rows[name])
            except (Failed, OSError) as e:
                failed += 1
                print(f"FAILED  {name}: {e}", flush=True)
        if d.devices():
            raise Failed(f"devices: {d.devices()}")
    finally:
        d.close()
    print(f"{len(files)} messages, cut at {cuts} places, {failed} failed, {time.monotonic() - begin:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
