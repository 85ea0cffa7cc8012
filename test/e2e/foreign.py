#!/usr/bin/env python3
"""test/e2e/foreign.py [NAME...] - the daemon against a device that shares no
code with it: SIP, digest, MANSCDP, program stream and RTP are written here
again from the standard, with the deviations that real devices show. What comes
out is compared picture by picture with the clip that went in.

BUILD names the folder of the programs, SLOW stretches the time limits, SHARDS
is how many daemons the tests are shared among, each with an interpreter of its
own, WORKERS how many run at once on each, -v prints the messages of tests that
fail."""
import contextlib
import hashlib
import json
import os
import queue
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from rig import SERVER_ID, SLOW, TOP, Daemon, Failed, check_picture, wait_for

REALM = SERVER_ID[:10]
WORKERS = int(os.environ.get("WORKERS", "6"))
SHARDS = int(os.environ.get("SHARDS", "2"))
TESTS = []


def expect(ok, what):
    if not ok:
        raise Failed(what)


def test(fn):
    TESTS.append((fn.__name__, fn))
    return fn


def case(name, fn, *args, **kw):
    TESTS.append((name, lambda d: fn(d, *args, **kw)))


# ---------------------------------------------------------------- SIP

COMPACT = {"Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Contact": "m", "Content-Length": "l",
           "Content-Type": "c", "Subject": "s", "Supported": "k"}


class Msg:
    def __init__(self, raw, addr=None):
        self.raw, self.addr, self.at = raw, addr, time.monotonic()
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.start = lines[0]
        self.headers = []
        for l in lines[1:]:
            name, colon, value = l.partition(":")
            if not colon:
                raise Failed(f"the platform sent a header without colon: {l!r}")
            self.headers.append((name, value.strip()))
        first = self.start.split(" ")
        self.status = int(first[1]) if first[0] == "SIP/2.0" else 0
        self.method = "" if self.status else first[0]
        self.uri = "" if self.status else first[1]

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name, default=""):
        return (self.all(name) or [default])[0]

    @property
    def branch(self):
        m = re.search(r";branch=([^;,\s]+)", self.get("Via"))
        return m.group(1) if m else ""

    @property
    def cseq(self):
        return int(self.get("CSeq").split()[0])

    def tag(self, name):
        m = re.search(r">.*;tag=([^;\s]+)", self.get(name))
        return m.group(1) if m else ""


def lint_request(m, server):
    """What must hold for everything that the platform sends."""
    bad = []

    def need(ok, what):
        if not ok:
            bad.append(what)
    head = m.raw.partition(b"\r\n\r\n")[0]
    need(b"\n" not in head.replace(b"\r\n", b""), "bare LF in the header block")
    need(re.fullmatch(r"[A-Z]+ sip:\S+ SIP/2\.0", m.start), f"request line {m.start!r}")
    names = [n.lower() for n, _ in m.headers]
    for n in ("via", "from", "to", "call-id", "cseq", "max-forwards"):
        need(names.count(n) == 1, f"{names.count(n)} {n} headers")
    via = m.get("Via")
    proto = "TCP" if m.addr is None else "UDP"
    need(via.startswith(f"SIP/2.0/{proto} {server}"), f"Via {via!r}")
    need(re.search(r";branch=z9hG4bK[\w.~-]+", via), f"Via branch {via!r}")
    if proto == "UDP":
        need(re.search(r";rport(;|$)", via), f"Via without rport {via!r}")
        if m.method != "MESSAGE" or len(m.raw) < 1300:
            need(len(m.raw) <= 1500, f"{len(m.raw)} bytes over UDP")
    need(m.get("CSeq").split()[1:] == [m.method], f"CSeq {m.get('CSeq')!r}")
    need(0 < m.cseq < 2**31, f"CSeq {m.cseq}")
    need(re.fullmatch(rf"<sip:{SERVER_ID}@[\w.:\[\]]+>;tag=[\w.-]+", m.get("From")), f"From {m.get('From')!r}")
    need(re.match(r"(\"[^\"]*\" ?)?<sip:", m.get("To")), f"To {m.get('To')!r}")
    need(m.get("Max-Forwards") == "70", f"Max-Forwards {m.get('Max-Forwards')!r}")
    need(m.get("Content-Length", "none") == str(len(m.body)),
         f"Content-Length {m.get('Content-Length')!r} for {len(m.body)} bytes")
    need(bool(m.body) == bool(m.get("Content-Type")), "Content-Type without a body or the reverse")
    if m.method in ("INVITE", "SUBSCRIBE"):
        c = m.get("Contact")
        want = rf"<sip:{SERVER_ID}@{re.escape(server)}(;transport=tcp)?>"
        need(re.fullmatch(want, c), f"Contact {c!r}")
    if m.method == "INVITE":
        bad += lint_offer(m)
    if m.method == "MESSAGE":
        need(m.get("Content-Type").lower() == "application/manscdp+xml", f"Content-Type {m.get('Content-Type')!r}")
        need(not m.tag("To"), "MESSAGE outside a dialog with a To tag")
        text = m.body.decode("gb18030")
        need(re.match(r'<\?xml version="1\.0"( encoding="(GB2312|GB18030|UTF-8)")?\?>\r?\n<(Query|Control|Notify|Response)>',
                      text), f"body {text[:80]!r}")
        need(re.search(r"<(Query|Control|Notify|Response)>\s*<CmdType>\w+</CmdType>\s*<SN>\d+</SN>\s*<DeviceID>\d+</DeviceID>",
                       text), f"first children: {text[:200]!r}")
    return bad


def lint_offer(m):
    bad = []

    def need(ok, what):
        if not ok:
            bad.append(what)
    need(m.get("Content-Type").lower() == "application/sdp", f"Content-Type {m.get('Content-Type')!r}")
    need(m.body.endswith(b"\r\n") and not m.body.endswith(b"\r\n\r\n"), "SDP does not end with one CRLF")
    lines = m.body.decode("latin-1").split("\r\n")[:-1]
    need(all(re.fullmatch(r"[a-z]=\S.*", l) for l in lines), f"SDP lines {lines}")
    order = "".join(l[0] for l in lines)
    need(re.fullmatch(r"vosu?ctm(a+)yf?", order), f"SDP order {order}")
    sdp = {l[0]: l[2:] for l in lines if l[0] != "a"}
    attrs = [l[2:] for l in lines if l[0] == "a"]
    need(sdp["v"] == "0" and sdp["s"] == "Play" and sdp["t"] == "0 0", f"v/s/t {sdp}")
    need(re.fullmatch(rf"{SERVER_ID} \d+ \d+ IN IP4 127\.0\.0\.1", sdp["o"]), f"o={sdp['o']}")
    need(sdp["c"] == "IN IP4 127.0.0.1", f"c={sdp['c']}")
    media = re.fullmatch(r"video (\d+) ((?:TCP/)?RTP/AVP) (\d+(?: \d+)*)", sdp["m"])
    need(media, f"m={sdp['m']}")
    if media:
        port = int(media.group(1))
        tcp = media.group(2).startswith("TCP")
        need(port % 2 == 0 or port == 9, f"port {port} is odd")
        need("96" in media.group(3).split(), "96 is not offered")
        for pt in media.group(3).split():
            if int(pt) >= 96:
                need(any(a.startswith(f"rtpmap:{pt} ") for a in attrs), f"no rtpmap for {pt}")
        need("rtpmap:96 PS/90000" in attrs, f"rtpmap {attrs}")
        setup = [a for a in attrs if a.startswith("setup:")]
        need(len(setup) == (1 if tcp else 0), f"setup {setup}")
        need(("connection:new" in attrs) == tcp, f"connection {attrs}")
    need(attrs[0] == "recvonly", f"direction {attrs}")
    need(re.fullmatch(r"0" + SERVER_ID[3:8] + r"\d{4}", sdp["y"]), f"y={sdp['y']}")
    subject = m.get("Subject")
    user = re.match(r"sip:(\d+)@", m.uri)
    need(user and subject == f"{user.group(1)}:{sdp['y']},{SERVER_ID}:{subject.rpartition(':')[2]}"
         and re.fullmatch(r"\d{1,20}", subject.rpartition(":")[2]), f"Subject {subject!r} for {m.uri}")
    need(user and re.match(rf"<sip:{user.group(1)}@", m.get("To")), f"To {m.get('To')!r}")
    need(not m.tag("To"), "To tag in the first INVITE")
    return bad


def plain(start, headers, body):
    return (start + "\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers) + "\r\n").encode("latin-1") + body


def lf_only(start, headers, body):
    return plain(start, headers, b"").replace(b"\r\n", b"\n") + body


def lower_names(start, headers, body):
    return plain(start, [(n.lower(), v) for n, v in headers], body)


def compact_names(start, headers, body):
    return plain(start, [(COMPACT.get(n, n), v) for n, v in headers], body)


def space_before_colon(start, headers, body):
    return plain(start, [(n + " ", v) for n, v in headers], body)


def no_space_after_colon(start, headers, body):
    return plain(start, headers, b"").replace(b": ", b":") + body


def folded(start, headers, body):
    return plain(start, [(n, re.sub(r", |(?<=\S);(?=tag|branch|rport)", lambda x: x.group().rstrip() + "\r\n\t"
                                    if x.group() == ", " else "\r\n " + x.group(), v)) for n, v in headers], body)


def alphabetical(start, headers, body):
    via = [h for h in headers if h[0] == "Via"]
    return plain(start, sorted(h for h in headers if h[0] != "Via") + via, body)


def md5(s):
    return hashlib.md5(s.encode()).hexdigest()


def digest(challenge, user, password, uri, qop=False, quoted=False, sess=False, commas=", ", stale_nonce=None):
    def field(n):
        m = re.search(rf'{n}="?([^",]+)"?', challenge)
        return m.group(1) if m else None
    realm, nonce = field("realm"), stale_nonce or field("nonce")
    ha1, ha2 = md5(f"{user}:{realm}:{password}"), md5(f"REGISTER:{uri}")
    cnonce, nc = "0a4f113b", "00000001"
    if sess:
        ha1 = md5(f"{ha1}:{nonce}:{cnonce}")
    if qop:
        response = md5(f"{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}")
    else:
        response = md5(f"{ha1}:{nonce}:{ha2}")
    parts = [f'username="{user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"', f'response="{response}"']
    alg = "MD5-sess" if sess else "MD5"
    parts.append(f'algorithm="{alg}"' if quoted else f"algorithm={alg}")
    if qop or sess:
        parts.append(f'cnonce="{cnonce}"')
    if qop:
        parts += ['qop="auth"', f'nc="{nc}"'] if quoted else ["qop=auth", f"nc={nc}"]
    if field("opaque"):
        parts.append(f'opaque="{field("opaque")}"')
    return "Digest " + commas.join(parts)


# ---------------------------------------------------------------- MANSCDP

def xml(text, encoding="gb2312", declared="GB2312", head=True):
    if head:
        text = f'<?xml version="1.0" encoding="{declared}"?>\r\n' + text
    return text.encode(encoding)


def item(ident, name, parent, **more):
    fields = {"DeviceID": ident, "Name": name, "Manufacturer": "Foreign", "Model": "F-1", "Owner": "0",
              "CivilCode": "340200", "Address": "somewhere", "Parental": "0", "ParentID": parent, "SafetyWay": "0",
              "RegisterWay": "1", "Secrecy": "0", "Status": "ON", **more}
    return "<Item>\r\n" + "".join(f"<{n}>{v}</{n}>\r\n" for n, v in fields.items() if v is not None) + "</Item>\r\n"


def catalog(dev, sn, items, total, num=None):
    return (f"<Response>\r\n<CmdType>Catalog</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n"
            f"<SumNum>{total}</SumNum>\r\n<DeviceList Num=\"{len(items) if num is None else num}\">\r\n"
            + "".join(items) + "</DeviceList>\r\n</Response>\r\n")


def one_channel(dev, sn, _):
    return [xml(catalog(dev, sn, [item(dev.channel, dev.name, dev.id)], 1))]


def info_answer(dev, sn, _):
    return [xml(f"<Response>\r\n<CmdType>DeviceInfo</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n"
                "<DeviceName>异国设备</DeviceName>\r\n<Result>OK</Result>\r\n<Manufacturer>外厂</Manufacturer>\r\n"
                "<Model>F-1</Model>\r\n<Firmware>V9.9</Firmware>\r\n<Channel>1</Channel>\r\n</Response>\r\n")]


def status_answer(dev, sn, _):
    return [xml(f"<Response>\r\n<CmdType>DeviceStatus</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n"
                "<Result>OK</Result>\r\n<Online>ONLINE</Online>\r\n<Status>OK</Status>\r\n</Response>\r\n")]


# ---------------------------------------------------------------- the device

_count = [0]
_count_lock = threading.Lock()


def rand():
    return random.randrange(10**9, 10**10)


class Device:
    """One device on a loopback address of its own."""

    def __init__(self, d, tcp=False, ip=None, edition=None, serial=None):
        with _count_lock:
            _count[0] += 1
            n = _count[0]
        n = serial or n
        self.d, self.tcp, self.edition = d, tcp, edition
        self.id = f"34020000001180{n:06d}"
        self.channel = f"34020000001310{n:06d}"
        self.name = f"东门 {n}"
        self.ip = ip or f"127.9.{n // 200}.{n % 200 + 1}"
        self.password = open(d.password_file).read().strip()
        self.server = f"127.0.0.1:{d.sip}"
        self.inbox, self.requests, self.lint, self.log = [], [], [], []
        self.cond = threading.Condition()
        self.commands = {"Catalog": one_channel, "DeviceInfo": info_answer, "DeviceStatus": status_answer}
        self.call = Call()
        self.dialogs = {}
        self.medias = []
        self.on = {}
        self.closed = False
        self.cut = False
        self.lost = None
        self.sn = 0
        self.callid, self.regseq, self.challenge = f"{rand()}@{self.ip}", 0, None
        self.jobs = queue.Queue()
        self.open()
        threading.Thread(target=self.work, daemon=True).start()

    def open(self):
        if self.tcp:
            sock = socket.create_connection(("127.0.0.1", self.d.sip), 5, (self.ip, 0))
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            sock.bind((self.ip, 0))
        self.sock = sock  # bound: another thread may send at once
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.read, args=(self.sock,), daemon=True).start()

    def reopen(self, ip=None):
        old = self.sock
        self.ip = ip or self.ip
        self.open()
        return old

    def lose(self):
        """The connection breaks; what was being answered over it cannot be."""
        self.lost = self.sock
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def close(self):
        self.closed = True
        for m in self.medias:
            m.stop()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.jobs.put(None)

    @property
    def at(self):
        return f"{self.ip}:{self.port}"

    # receiving

    def read(self, sock):
        data = b""
        while not self.closed:
            try:
                if self.tcp:
                    got = sock.recv(65536)
                    if not got:
                        return
                    data += got
                    data = self.split(data)
                else:
                    got, addr = sock.recvfrom(65535)
                    if got.strip(b"\r\n\0"):
                        self.take(got, addr)
            except OSError:
                return
            except Exception as e:  # a fault of the platform or of this file: the test must say it
                self.lint.append(f"{type(e).__name__}: {e}")
                traceback.print_exc()

    def split(self, data):
        while True:
            data = data.lstrip(b"\r\n")
            end = data.find(b"\r\n\r\n")
            if end < 0:
                return data
            m = re.search(rb"\r\nContent-Length: *(\d+)", data[:end], re.I)
            size = int(m.group(1)) if m else 0
            if len(data) < end + 4 + size:
                return data
            self.take(data[:end + 4 + size], None)
            data = data[end + 4 + size:]

    def take(self, raw, addr):
        self.log.append((time.monotonic(), "<", raw))
        m = Msg(raw, addr)
        if addr and addr != ("127.0.0.1", self.d.sip):
            self.lint.append(f"datagram from {addr}")
        if m.method:
            self.lint += [f"{m.method}: {x}" for x in lint_request(m, self.server)]
        with self.cond:
            (self.requests if m.method else self.inbox).append(m)
            self.cond.notify_all()
        if m.method:
            hook = self.on.get(m.method, getattr(self, "on_" + m.method.lower(), None))
            if hook:
                hook(m)
            else:
                self.reply(m, 200)

    def work(self):
        while True:
            job = self.jobs.get()
            if job is None:
                return
            sock = self.sock
            try:
                job()
            except Exception as e:
                if not self.closed and sock is not self.lost:
                    self.lint.append(f"{type(e).__name__}: {e}")

    def wait(self, what, pred, timeout=5, box="inbox"):
        end = time.monotonic() + timeout * SLOW
        with self.cond:
            while True:
                for m in getattr(self, box):
                    if pred(m):
                        return m
                left = end - time.monotonic()
                if left <= 0:
                    raise Failed(f"{self.id}: no {what}")
                self.cond.wait(left)

    def wait_request(self, method, pred=lambda m: True, timeout=5):
        return self.wait(method, lambda m: m.method == method and pred(m), timeout, "requests")

    # sending

    def send(self, raw, sock=None):
        self.log.append((time.monotonic(), ">", raw))
        sock = sock or self.sock
        if not self.tcp:
            sock.sendto(raw, ("127.0.0.1", self.d.sip))
        elif self.cut:
            for i in range(len(raw)):
                sock.sendall(raw[i:i + 1])
        else:
            sock.sendall(raw)

    def reply(self, m, status, reason="Whatever", headers=(), body=b"", tag=None, to=None):
        h = [("Via", v) for v in m.all("Via")]
        to = to or m.get("To")
        if tag and ";tag=" not in to:
            to += ";tag=" + tag
        h += [("From", m.get("From")), ("To", to), ("Call-ID", m.get("Call-ID")), ("CSeq", m.get("CSeq")),
              *headers, ("Content-Length", str(len(body)))]
        self.send(plain(f"SIP/2.0 {status} {reason}", h, body))

    def headers(self, method, to, callid=None, cseq=1, extra=(), via="", host=None):
        proto = "TCP" if self.tcp else "UDP"
        host = host or REALM
        return [("Via", via or f"SIP/2.0/{proto} {self.at};rport;branch=z9hG4bK{rand()}"),
                ("From", f"<sip:{self.id}@{host}>;tag={rand()}"), ("To", f"<sip:{to}@{host}>"),
                ("Call-ID", callid or f"{rand()}@{self.ip}"), ("CSeq", f"{cseq} {method}"), *extra]

    def ask(self, raw, timeout=5, sock=None, repeat=True):
        """Sends a request; its final answer, checked against it."""
        text = raw.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").replace(b"\r", b"").decode("latin-1")
        head = text.partition("\n\n")[0]

        def mine(name, brief):
            return [x.strip() for x in re.findall(rf"(?im)^(?:{name}|{brief})\s*:\s*(.*)$", head)]
        callid, cseq, vias = mine("Call-ID", "i")[0], mine("CSeq", "cseq")[0], mine("Via", "v")
        branch = re.search(r"branch=([^;,\s]+)", vias[0]).group(1)

        def is_mine(m):
            return m.status >= 200 and m.get("Call-ID") == callid and m.get("CSeq") == cseq and m.branch == branch
        with self.cond:
            self.inbox = [m for m in self.inbox if not is_mine(m)]
        for tries in range(3 if repeat and not self.tcp else 1):
            self.send(raw, sock)
            try:
                m = self.wait(f"answer to {head.splitlines()[0]}", is_mine, 1 + 2 * tries if repeat and not self.tcp else timeout)
                break
            except Failed:
                if tries == 2 or not repeat or self.tcp:
                    raise
        if len(m.all("Via")) != len(vias):
            self.lint.append(f"answer has {len(m.all('Via'))} Via of {len(vias)}")
        for n, b in (("From", "f"), ("To", "t")):
            sent = mine(n, b)[0]
            got = m.get(n)
            # blanks where lines were folded do not count
            if not re.sub(r"\s+", "", got).startswith(re.sub(r"\s+", "", sent)):
                self.lint.append(f"answer's {n} is {got!r}, sent was {sent!r}")
        if "tag=" not in m.get("To"):
            self.lint.append("final answer without To tag")
        if m.get("Content-Length", "none") != str(len(m.body)):
            self.lint.append(f"answer's Content-Length {m.get('Content-Length')!r}")
        return m

    def message(self, body, render=plain, drop=(), length=None, ctype="Application/MANSCDP+xml", sock=None, headers=None,
                cseq=20, repeat=True):
        h = headers or self.headers("MESSAGE", SERVER_ID, cseq=cseq)
        h = h + [("Max-Forwards", "70"), ("Content-Type", ctype),
                 ("Content-Length", str(len(body) if length is None else length))]
        h = [x for x in h if x[0] not in drop]
        return self.ask(render(f"MESSAGE sip:{SERVER_ID}@{self.server} SIP/2.0", h, body), sock=sock, repeat=repeat)

    def keepalive_body(self, status="<Status>OK</Status>\r\n", eol="\r\n"):
        self.sn += 1
        return xml(f"<Notify>\r\n<CmdType>Keepalive</CmdType>\r\n<SN>{self.sn}</SN>\r\n<DeviceID>{self.id}</DeviceID>\r\n"
                   f"{status}</Notify>\r\n".replace("\r\n", eol))

    def keepalive(self, status="<Status>OK</Status>\r\n", **kw):
        return self.message(self.keepalive_body(status), **kw)

    def register_raw(self, authorization=None, render=plain, expires=3600, edit=None, uri=None, via="", host=None, cseq=None,
                     contact=None):
        if cseq is None:
            self.regseq += 1
            cseq = self.regseq
        h = self.headers("REGISTER", self.id, self.callid, cseq, via=via, host=host)
        contact = contact or f"<sip:{self.id}@{self.at}>"
        h += [("Contact", contact), ("Max-Forwards", "70"), ("User-Agent", "Foreign IPC"), ("Content-Length", "0")]
        if expires is not None:
            h.append(("Expires", str(expires)))
        if self.edition:
            h.append(("X-GB-Ver", self.edition))
        if authorization:
            h.append(("Authorization", authorization))
        if edit:
            h = edit(h)
        return render(f"REGISTER {uri or f'sip:{SERVER_ID}@{REALM}'} SIP/2.0", h, b"")

    def register(self, password=None, user=None, digest_uri=None, cseq=None, auth=None, sock=None, **kw):
        """The flow of two requests; its last answer."""
        a = self.ask(self.register_raw(cseq=cseq, **kw), sock=sock)
        expect(a.status == 401, f"first REGISTER: {a.start}")
        ch = a.get("WWW-Authenticate")
        expect(re.match(rf'Digest .*realm="{REALM}"', ch) and "nonce=" in ch, f"challenge {ch!r}")
        self.challenge = ch
        value = digest(ch, user or self.id, password or self.password, digest_uri or f"sip:{SERVER_ID}@{REALM}", **(auth or {}))
        self.authorization = value
        return self.ask(self.register_raw(value, cseq=None if cseq is None else cseq + 1, **kw), sock=sock)

    # requests of the platform

    def on_message(self, m):
        self.reply(m, 200)
        text = m.body.decode("gb18030")
        cmd = re.search(r"<CmdType>(\w+)</CmdType>", text).group(1)
        sn = re.search(r"<SN>(\d+)</SN>", text).group(1)
        fn = self.commands.get(cmd)
        if fn and ("<Query>" in text or "<Control>" in text):
            self.jobs.put(lambda: [self.message(b) for b in fn(self, sn, text)])

    def on_options(self, m):
        self.reply(m, 200, tag="opt")

    def on_subscribe(self, m):
        self.reply(m, 200, tag=str(rand()), headers=[("Expires", m.get("Expires")), ("Event", m.get("Event"))])

    def on_invite(self, m):
        dlg = self.dialogs.get(m.get("Call-ID"))
        if dlg and dlg.invite.branch == m.branch:
            dlg.repeats += 1
            if m.raw != dlg.invite.raw:
                self.lint.append("INVITE repeated with other bytes")
            if dlg.last:
                self.send(dlg.last)
            return
        dlg = Dialog(self, m, self.call)
        self.dialogs[m.get("Call-ID")] = dlg
        threading.Thread(target=dlg.guard, args=(dlg.answer,), daemon=True).start()

    def on_ack(self, m):
        dlg = self.dialogs.get(m.get("Call-ID"))
        if not dlg:
            self.lint.append("ACK outside a dialog")
            return
        dlg.ack(m)

    def on_bye(self, m):
        dlg = self.dialogs.get(m.get("Call-ID"))
        self.reply(m, 200 if dlg else 481)
        if dlg:
            dlg.bye(m)

    def on_cancel(self, m):
        dlg = self.dialogs.get(m.get("Call-ID"))
        self.reply(m, 200, tag=dlg.tag if dlg else None)
        if dlg:
            if m.branch != dlg.invite.branch or m.cseq != dlg.invite.cseq or m.uri != dlg.invite.uri:
                self.lint.append("CANCEL does not match its INVITE")
            dlg.cancelled = True
            dlg.remember(487, "Request Terminated", (), b"")


class Call:
    """How the device answers an INVITE, and what it sends."""

    def __init__(self, **kw):
        self.provisional = ()       # status codes in front
        self.provisional_sdp = False
        self.delay = 0.0            # before the final answer
        self.status = 200
        self.deaf = False           # no answer at all
        self.late = None            # seconds after which a final answer comes anyway
        self.copies = 1             # of the 200
        self.y = "echo"
        self.sdp = None             # changes the lines of the answer
        self.eol = "\r\n"
        self.setup = "complement"
        self.proto = "echo"
        self.to = None              # changes the To of the answer
        self.tag = True
        self.contact = None
        self.headers = None
        self.media = True
        self.transport = None       # what is really used, whatever the answer says
        self.early = False          # media or connection before the 200
        self.listen_late = False    # the listener opens only after the ACK
        self.stream = {}
        self.__dict__.update(kw)


class Dialog:
    def __init__(self, dev, invite, call):
        self.dev, self.invite, self.call = dev, invite, call
        self.tag = f"{rand():x}"
        self.last, self.repeats, self.acks, self.byes = None, 0, [], []
        self.status = 0
        self.cancelled = False
        self.media = None
        self.listener = None
        self.to = None
        lines = invite.body.decode("latin-1").split("\r\n")
        self.offer = {l[0]: l[2:] for l in lines if l}
        self.attrs = [l[2:] for l in lines if l[:2] == "a="]
        self.rtp = int(self.offer["m"].split()[1])
        self.tcp = "TCP" in self.offer["m"]
        self.setup = next((a[6:] for a in self.attrs if a.startswith("setup:")), None)
        self.host = self.offer["c"].split()[2]
        self.y = self.offer["y"]

    def guard(self, fn):
        try:
            fn()
        except Exception as e:
            if not self.dev.closed:
                self.dev.lint.append(f"{type(e).__name__}: {e}")
                traceback.print_exc()

    def answer(self):
        c, dev = self.call, self.dev
        for p in c.provisional:
            if c.provisional_sdp and p != 100:
                dev.reply(self.invite, p, "Progress", tag=self.tag, body=self.body(),
                          headers=[("Content-Type", "application/sdp")])
            else:
                dev.reply(self.invite, p, "Progress", tag=self.tag if p != 100 else None)
        if c.deaf:
            return
        time.sleep(c.delay)
        if self.cancelled and c.late is None:
            return
        if c.status >= 300:
            self.remember(c.status, "Refused", (), b"")
            return
        way = c.transport or (("tcp-" + self.setup) if self.tcp else "udp")
        self.way = way
        if way == "tcp-active":
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((dev.ip, 0))
            if not c.listen_late:
                self.listener.listen(2)
            self.local = self.listener.getsockname()[1]
        else:
            self.local = 10032
        if c.early and c.media:
            self.start()
        body = self.body()
        contact = c.contact or f"<sip:{dev.id}@{dev.at}>"
        h = [("Contact", contact)] if contact != "none" else []
        h += c.headers or [("Content-Type", "application/sdp")]
        self.remember(200, "OK", h, body)
        for _ in range(c.copies - 1):
            time.sleep(0.05)
            dev.send(self.last)

    def remember(self, status, reason, headers, body):
        """Sends a final answer and keeps it for repeated INVITEs."""
        m, c = self.invite, self.call
        to = m.get("To")
        if c.to:
            to = c.to(to)
        if c.tag:
            to += ";tag=" + self.tag
        self.to = to
        self.status = status
        self.contact = dict(headers).get("Contact")
        h = [("Call-ID", m.get("Call-ID")), *headers, ("CSeq", m.get("CSeq")), ("From", m.get("From")), ("To", to)]
        h += [("Via", v) for v in m.all("Via")] + [("Content-Length", str(len(body)))]
        self.last = plain(f"SIP/2.0 {status} {reason}", h, body)
        self.dev.send(self.last)

    def body(self):
        c, dev = self.call, self.dev
        proto = {"echo": self.offer["m"].split()[2]}.get(c.proto, c.proto)
        pt = c.stream.get("pt", 96)
        lines = ["v=0", f"o={dev.channel} 0 0 IN IP4 {dev.ip}", "s=Play", "i=VCam Live Video", f"c=IN IP4 {dev.ip}", "t=0 0",
                 f"m=video {getattr(self, 'local', 10032)} {proto} {pt}", "a=sendonly", f"a=rtpmap:{pt} PS/90000",
                 "a=streamprofile:0", "a=streamnumber:0"]
        if self.tcp:
            setup = {"complement": {"active": "passive", "passive": "active"}[self.setup], "same": self.setup,
                     "none": None}[c.setup]
            if setup:
                lines += [f"a=setup:{setup}", "a=connection:new"]
        y = {"echo": self.y, "none": None, "nine": self.y[1:]}.get(c.y, c.y)
        if y is not None:
            lines.append("y=" + y)
        lines.append("f=v/0/0/0/0/0a/0/0/0")
        if c.sdp:
            lines = c.sdp(lines)
        return (c.eol.join(lines) + c.eol).encode()

    def ack(self, m):
        self.acks.append(m)
        dev, inv = self.dev, self.invite
        bad = []
        if m.cseq != inv.cseq:
            bad.append(f"CSeq {m.cseq}, INVITE's was {inv.cseq}")
        if m.get("From") != inv.get("From"):
            bad.append(f"From {m.get('From')!r}")
        if m.get("To") != self.to:
            bad.append(f"To {m.get('To')!r}, the answer's was {self.to!r}")
        if m.body:
            bad.append("a body")
        if self.status < 300:
            self.target(m, bad)
            if m.branch == inv.branch:
                bad.append("branch of the INVITE")
        else:
            if m.branch != inv.branch:
                bad.append("ACK to a refusal with another branch")
            if m.uri != inv.uri:
                bad.append(f"Request-URI {m.uri}")
        dev.lint += [f"ACK: {x}" for x in bad]
        if self.status < 300 and self.call.media and not self.media:
            self.start()

    def target(self, m, bad):
        c = self.contact or ""
        uri = re.search(r"<([^>]+)>", c)
        uri = uri.group(1) if uri else c.partition(";")[0]
        if c and "0.0.0.0" not in c and m.uri != uri:
            bad.append(f"Request-URI {m.uri}, the Contact was {c}")

    def bye(self, m):
        bad = []
        if self.status < 300:
            self.target(m, bad)
        if m.cseq <= self.invite.cseq:
            bad.append(f"CSeq {m.cseq}")
        if m.get("From") != self.invite.get("From") or m.get("To") != self.to:
            bad.append(f"From/To {m.get('From')!r} {m.get('To')!r}")
        if not self.acks:
            bad.append("before the ACK")
        self.dev.lint += [f"BYE: {x}" for x in bad]
        self.byes.append(m)
        if self.media:
            self.media.stop()

    def start(self):
        self.media = Media(self)
        self.dev.medias.append(self.media)
        self.media.start()

    def hang_up(self):
        """BYE of the device in this dialog."""
        m, dev = self.invite, self.dev
        h = [("Via", f"SIP/2.0/{'TCP' if dev.tcp else 'UDP'} {dev.at};rport;branch=z9hG4bK{rand()}"), ("From", self.to),
             ("To", m.get("From")), ("Call-ID", m.get("Call-ID")), ("CSeq", "2 BYE"), ("Max-Forwards", "70"),
             ("Content-Length", "0")]
        return dev.ask(plain(f"BYE sip:{SERVER_ID}@{dev.server} SIP/2.0", h, b""))


# ---------------------------------------------------------------- media

def annexb(data, codec):
    """The access units of a clip: bytes, whether key, slices."""
    at = [m.start() for m in re.finditer(b"\0\0\x01", data)]
    out, lead = [], b""
    for i, k in enumerate(at):
        nal = data[k + 3:at[i + 1]].rstrip(b"\0") if i + 1 < len(at) else data[k + 3:]
        kind = nal[0] & 31 if codec == "h264" else nal[0] >> 1 & 63
        coded = b"\0\0\0\1" + nal
        if not (kind in (1, 5) if codec == "h264" else kind < 32):
            lead += coded
        elif nal[1 if codec == "h264" else 2] & 0x80:
            out.append((lead + coded, kind == 5 if codec == "h264" else 16 <= kind < 24, [nal]))
            lead = b""
        else:
            out[-1] = (out[-1][0] + lead + coded, out[-1][1], out[-1][2] + [nal])
            lead = b""
    return out


class Clip:
    """A clip in a loop; late: by how many pictures each is shown later than
    it is sent."""

    def __init__(self, data, codec, late=None):
        self.codec = codec
        self.units = annexb(data, codec)
        self.late = late or [0] * len(self.units)
        expect(len(self.late) == len(self.units), f"{len(self.units)} units, {len(self.late)} times")
        self.number = {tuple(u[2]): i for i, u in enumerate(self.units)}
        expect(len(self.number) == len(self.units), "two pictures are the same")


# made when asked for: B pictures, several slices, fields, open groups of pictures
MADE = {
    "h264-b": ("h264", ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-b_strategy", "0", "-g", "25"]),
    "h264-slices": ("h264", ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "0", "-x264-params", "slices=4"]),
    "h265-b": ("h265", ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                        "keyint=25:min-keyint=25:bframes=3:b-adapt=0:open-gop=0:repeat-headers=1:log-level=error"]),
}
CLIPS = {}  # name: its lock, and the clip once it is there; one being made holds up nobody who sends another
CLIPS_LOCK = threading.Lock()


def clip_of(name):
    with CLIPS_LOCK:
        lock, made = CLIPS.setdefault(name, (threading.Lock(), []))
    with lock:
        if not made:
            made.append(make_clip(name) if name in MADE else read_clip(name))
        return made[0]


def add_clip(name, clip):
    with CLIPS_LOCK:
        CLIPS[name] = threading.Lock(), [clip]


def read_clip(name):
    with open(f"{TOP}/test/data/clip/clock.{name}", "rb") as f:
        return Clip(f.read(), name)


def make_clip(name):
    codec, options = MADE[name]
    with tempfile.TemporaryDirectory() as at:
        mp4 = at + "/clip.mp4"
        _, err = run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=640x360:r=25", "-t", "4", "-pix_fmt", "yuv420p",
                      *options, mp4])
        out, _ = run(["ffprobe", "-v", "error", "-show_entries", "packet=pts,dts,duration", "-of", "json", mp4])
        times = json.loads(out)["packets"]
        expect(times, f"{name}: {err}")
        es, _ = run(["ffmpeg", "-v", "error", "-i", mp4, "-c", "copy", "-bsf:v", {"h264": "h264", "h265": "hevc"}[codec]
                     + "_mp4toannexb", "-f", {"h264": "h264", "h265": "hevc"}[codec], "-"])
    step = times[0]["duration"]
    return Clip(es, codec, [round((p["pts"] - times[0]["dts"]) / step) - i for i, p in enumerate(times)])


def stamp(prefix, t):
    t &= (1 << 33) - 1
    return bytes((prefix << 4 | (t >> 30 & 7) << 1 | 1, t >> 22 & 255, (t >> 15 & 127) << 1 | 1, t >> 7 & 255, (t & 127) << 1 | 1))


def crc32_mpeg(data):
    crc = 0xffffffff
    for b in data:
        crc ^= b << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04c11db7 if crc & 0x80000000 else crc << 1) & 0xffffffff
    return crc


def pack_header(t, stuffing=b"", ext=0):
    t &= (1 << 33) - 1
    v = 1 << 46 | (t >> 30 & 7) << 43 | 1 << 42 | (t >> 15 & 0x7fff) << 27 | 1 << 26 | (t & 0x7fff) << 11 | 1 << 10 | ext << 1 | 1
    rate = 6000
    return (b"\0\0\1\xba" + v.to_bytes(6, "big") + (rate << 2 | 3).to_bytes(3, "big")
            + bytes((0xf8 | len(stuffing),)) + stuffing)


SYSTEM_HEADER = b"\0\0\1\xbb" + struct.pack(">H", 12) + bytes((0x80, 0x2e, 0xe1, 0x04, 0xe1, 0x7f, 0xe0, 0xe0, 0x80, 0xc0, 0xc0, 0x08))


def psm(entries, short_map=False, crc="good"):
    body = b""
    for kind, ident, desc in entries:
        body += bytes((kind, ident)) + struct.pack(">H", len(desc)) + desc
    map_len = 4 * len(entries) if short_map else len(body)
    info = b""
    data = (b"\0\0\1\xbc" + struct.pack(">H", 10 + len(info) + len(body)) + b"\xe0\xff" + struct.pack(">H", len(info)) + info
            + struct.pack(">H", map_len) + body)
    c = crc32_mpeg(data).to_bytes(4, "big")
    return data + {"good": c, "reversed": c[::-1], "zero": b"\0\0\0\0"}[crc]


def pes(ident, payload, pts=None, length=None, stuffing=0, dts=None):
    opt = b""
    flags = 0
    if pts is not None:
        flags = 0xc0 if dts is not None else 0x80
        opt = stamp(3 if dts is not None else 2, pts) + (stamp(1, dts) if dts is not None else b"")
    opt += b"\xff" * stuffing
    n = 3 + len(opt) + len(payload)
    expect(n <= 65535 or length is not None, "PES too long")
    return b"\0\0\1" + bytes((ident,)) + struct.pack(">H", n if length is None else length) + bytes((0x8c if flags else 0x88, flags, len(opt))) + opt + payload


def alaw(x):
    sign = 0x80 if x >= 0 else 0
    x = min(abs(int(x)), 32635)
    if x >= 256:
        e = x.bit_length() - 8
        v = e << 4 | (x >> (e + 3)) & 15
    else:
        v = x >> 4
    return (v | sign) ^ 0x55


def ulaw(x):
    sign = 0x80 if x < 0 else 0
    x = min(abs(int(x)), 32635) + 132
    e = x.bit_length() - 8
    return ~(sign | e << 4 | (x >> (e + 3)) & 15) & 255


_wave = [int(8000 * (((i * 440 * 4 // 8000) % 4 in (0, 1)) * 2 - 1)) for i in range(8000)]
ALAW, ULAW = bytes(alaw(x) for x in _wave), bytes(ulaw(x) for x in _wave)
_aac = []


def aac_frames():
    """ADTS frames, 1024 samples at 16 kHz each."""
    with _count_lock:
        if not _aac:
            data = subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:r=16000:d=8", "-c:a", "aac", "-b:a",
                                   "32k", "-f", "adts", "-"], capture_output=True, check=True, timeout=30).stdout
            at = 0
            while at + 7 <= len(data):
                n = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
                _aac.append(data[at:at + n])
                at += n
    return _aac


class Media(threading.Thread):
    """Sends one stream until told to stop."""

    DEFAULTS = dict(codec="h264", psm="good", system=True, declared=None, audio=None, audio_type=None, video=True, cut=None,
                    length=None, per_nal=False, repeat_pts=False, private=False, first=0, pt=96, ssrc="y", marker="last",
                    extension=False, padding=False, csrc=False, loss=0.0, reorder=0.0, dup=0.0, size=1400, packs=True,
                    pack_per_pes=False, stuffing=b"", bare_pack=False, zeros=0, junk=None, bytewise=False, short_map=False,
                    crc="good", stop_after=None, pes_stuffing=0, no_pts=False, base=900000, audio_pts="90k", ts="pts",
                    fin_after=None, reconnect_at=None, dollar=False, port_hop=None, ext_scr=0, seq=None,
                    video_after=0, units=1, params="always", start3=False, aud=False, jump_at=None, jump=0, seq_restart=None,
                    ssrc_change=None, source=None, pcma=False, length_off=0, one_size=None)

    def __init__(self, dlg):
        super().__init__(daemon=True)
        self.dlg, self.o = dlg, type("O", (), {**self.DEFAULTS, **dlg.call.stream})
        unknown = set(dlg.call.stream) - set(self.DEFAULTS)
        expect(not unknown, f"unknown stream options {unknown}")
        self.stopped = threading.Event()
        self.ended = threading.Event()
        self.sock = None
        self.seq = self.o.seq if self.o.seq is not None else random.randrange(65536)
        y = int(dlg.y if dlg.call.y in ("echo", "none", "nine") else dlg.call.y)
        self.ssrc = {"y": y, "offer": int(dlg.y)}.get(self.o.ssrc, self.o.ssrc)
        self.rng = random.Random(7)
        self.held = None
        self.sent = 0
        self.error = None
        self.run_of, self.begins = b"", []

    def stop(self):
        self.stopped.set()

    def run(self):
        try:
            self.connect()
            self.loop()
        except OSError as e:
            self.error = e
        finally:
            with contextlib.suppress(OSError, AttributeError):
                self.sock.close()
            if self.dlg.listener:
                self.dlg.listener.close()
            self.ended.set()

    def connect(self):
        dlg = self.dlg
        way = dlg.way
        if way == "udp":
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind((self.o.source or dlg.dev.ip, 0))
        elif way == "tcp-passive":
            self.sock = socket.create_connection((dlg.host, dlg.rtp), 5, (dlg.dev.ip, 0))
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            if dlg.call.listen_late:
                time.sleep(0.7)
                dlg.listener.listen(2)
            dlg.listener.settimeout(8 * SLOW)
            self.sock, _ = dlg.listener.accept()
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def loop(self):
        o, clip = self.o, clip_of(self.o.codec)
        begin = time.monotonic()
        n = 0
        while not self.stopped.is_set():
            due = begin + n * 0.04
            wait = due - time.monotonic()
            if wait > 0 and self.stopped.wait(wait):
                return
            if o.stop_after is not None and n >= o.stop_after * 25:
                self.stopped.wait()
                return
            if o.fin_after is not None and n >= o.fin_after * 25:
                return
            if o.reconnect_at is not None and n == o.reconnect_at * 25:
                self.sock.close()
                time.sleep(0.1)
                self.connect()
            if o.port_hop is not None and n == o.port_hop * 25:
                old = self.sock
                self.connect()
                old.close()
            if o.seq_restart is not None and n == o.seq_restart * 25:
                self.seq = 0
            if o.ssrc_change is not None and n == o.ssrc_change * 25:
                self.ssrc, self.seq = self.ssrc ^ 0x5a5a5a, 0
            i = (n + o.first) % len(clip.units)
            pts = o.base + (n + clip.late[i]) * 3600
            if o.jump_at is not None and n >= o.jump_at * 25:
                pts += o.jump
            if n % o.units:
                n += 1
                continue
            data = self.frame(clip.units, i, pts, n)
            if data:
                self.packets(data, pts)
            if o.pcma:
                p = struct.pack(">BBHII", 0x80, 8, self.seq, n * 320 & 0xffffffff, self.ssrc) + ALAW[n * 320 % 8000:][:320]
                self.seq = (self.seq + 1) & 0xffff
                self.put(p)
            n += 1

    def frame(self, clip, i, pts, n):
        o = self.o
        codec = o.codec[:4]
        au, key, _ = clip[i]
        for k in range(1, o.units):
            au += clip[(i + k) % len(clip)][0]
        if o.aud:
            au = (b"\0\0\0\1\x09\xf0" if codec == "h264" else b"\0\0\0\1\x46\x01\x50") + au
        if o.params == "once" and key and n:
            au = b"".join(b"\0\0\0\1" + x for x in au.split(b"\0\0\0\1")[1:]
                          if (x[0] & 31 not in (7, 8) if codec == "h264" else x[0] >> 1 & 63 not in (32, 33, 34)))
        if o.start3:
            au = au.replace(b"\0\0\0\1", b"\0\0\1") + bytes(5)
        out = b""
        if o.video and n >= o.video_after * 25:
            if o.bare_pack:
                out += b"\0\0\1\xba"
            elif o.packs:
                out += pack_header(pts, o.stuffing, o.ext_scr)
            if key and o.system:
                out += SYSTEM_HEADER
            if o.psm and (key if o.psm != "once" else n == 0):
                out += self.map()
            out += self.video(au, pts)
        elif o.packs and o.audio:
            out += pack_header(pts)
            if n % 25 == 0 and o.psm:
                out += self.map()
        if o.private:
            trap = b"\0\0\0\1\0\0\1\xba\0\0\1\xe0\0\0\1\xc0" + bytes(60)
            out += pes(0xbd, trap, pts) + b"\0\0\1\xbf" + struct.pack(">H", 20) + b"\0\0\1\xba" * 5 + b"\0\0\1\xf0\0\4abcd"
        out += self.sound(pts, n)
        return out

    def map(self):
        o = self.o
        kind = o.declared if o.declared is not None else {"h264": 0x1b, "h265": 0x24}[o.codec[:4]]
        desc = b"\x42\x0e\x07\x10\x10\xea\x0a\x00\x05\xa0\x11\x30\x00\x00\x1c\x21" if o.short_map else b""
        entries = [(kind, 0xe0, desc)]
        if o.audio:
            t = o.audio_type if o.audio_type is not None else {"alaw": 0x90, "ulaw": 0x91, "aac": 0x0f}[o.audio]
            entries.append((t, 0xc0, b"\x43\x02\x00\x00" if o.short_map else b""))
        return psm(entries, o.short_map, o.crc)

    def video(self, au, pts):
        o = self.o
        if o.one_size:
            return self.units_of_one_size(au, pts)
        if o.per_nal:
            parts = [b"\0\0\0\1" + x for x in au.split(b"\0\0\0\1") if x]
        else:
            parts = [au]
        size = o.cut or 65000
        parts = [p[k:k + size] for p in parts for k in range(0, len(p), size)]
        out = b""
        for k, p in enumerate(parts):
            if k and o.pack_per_pes:
                out += pack_header(pts)
            with_pts = (k == 0 or o.repeat_pts) and not o.no_pts
            packet = pes(0xe0, p, pts if with_pts else None, o.length, o.pes_stuffing)
            if o.length_off:
                told = struct.unpack(">H", packet[4:6])[0] + o.length_off
                packet = packet[:4] + struct.pack(">H", told % 65536) + packet[6:]
            out += bytes(o.zeros) + packet
        return out

    def units_of_one_size(self, data, pts):
        """As MPEG muxers cut: all pictures are one run of bytes, in PES of one size, and the time of a PES is that of
        the first picture that begins in it. What does not fill one waits."""
        self.begins.append((len(self.run_of), pts))
        self.run_of += data
        out, size = b"", self.o.one_size
        while len(self.run_of) >= size:
            first = next((t for at, t in self.begins if at < size), None)
            out += pack_header(pts) + pes(0xe0, self.run_of[:size], first)
            self.begins = [(at - size, t) for at, t in self.begins if at >= size]
            self.run_of = self.run_of[size:]
        return out

    def sound(self, pts, n):
        o = self.o
        if not o.audio:
            return b""
        if o.audio == "aac":
            frames, step = aac_frames(), 1024 * 90000 // 16000
            lo, hi = -(-n * 3600 // step), -(-(n + 1) * 3600 // step)
            if lo == hi:
                return b""
            return pes(0xc0, b"".join(frames[k % len(frames)] for k in range(lo, hi)), o.base + lo * step)
        src = ALAW if o.audio == "alaw" else ULAW
        at = n * 320 % 8000
        apts = o.base + n * 320 if o.audio_pts == "8k" else None if o.audio_pts == "none" else pts
        return pes(0xc0, src[at:at + 320], apts)

    def packets(self, data, pts):
        o = self.o
        chunks = [data[i:i + o.size] for i in range(0, len(data), o.size)]
        for i, chunk in enumerate(chunks):
            last = i + 1 == len(chunks)
            mark = {"last": last, "never": False, "always": True}[o.marker]
            b0, extra, tail = 0x80, b"", b""
            if o.csrc:
                b0 |= 2
                extra += b"\1\2\3\4\5\6\7\x08"
            if o.extension:
                b0 |= 0x10
                extra += b"\xab\xcd\0\2" + b"\0\0\1\xba\0\0\1\xe0"
            if o.padding:
                b0 |= 0x20
                tail = b"\0\0\0\0\0\0\0\x08"
            ts = {"pts": pts, "zero": 0, "ms": pts // 90, "packet": self.sent * 3600}[o.ts]
            p = struct.pack(">BBHII", b0, (0x80 if mark else 0) | o.pt, self.seq, ts & 0xffffffff, self.ssrc) + extra + chunk + tail
            self.seq = (self.seq + 1) & 0xffff
            self.put(p)

    def put(self, p):
        o = self.o
        self.sent += 1
        if self.rng.random() < o.loss:
            return
        if self.dlg.way == "udp":
            out = [p]
            if self.held is not None:
                out = [p, self.held]
                self.held = None
            elif self.rng.random() < o.reorder:
                self.held = p
                return
            if o.junk == "rtcp" and self.sent % 20 == 0:
                out.append(struct.pack(">BBHIIIIII", 0x80, 200, 6, self.ssrc, 0xe0000000, 0, 0, self.sent, self.sent * 1400)
                           + struct.pack(">BBHIBB", 0x81, 202, 2, self.ssrc, 1, 0) + b"\0\0")
            if o.junk == "garbage" and self.sent % 5 == 0:
                out += [self.rng.randbytes(900), b"", b"\x80", b"\0" * 50]
            if self.rng.random() < o.dup:
                out.append(out[0])
            for x in out:
                self.sock.sendto(x, (self.dlg.host, self.dlg.rtp))
            return
        framed = (b"$\0" if o.dollar else b"") + struct.pack(">H", len(p)) + p
        if o.junk == "truncate" and self.sent > 60 and self.sent % 40 == 0:
            framed = framed[:len(framed) // 2]
        elif o.junk == "garbage" and self.sent > 60 and self.sent % 40 == 0:
            framed += self.rng.randbytes(700)
        elif o.junk == "null":
            framed += b"\0\0"
        elif o.junk == "rtcp" and self.sent % 10 == 0:
            sr = struct.pack(">BBHIIIIII", 0x80, 200, 6, self.ssrc, 0xe0000000, 0, 0, self.sent, self.sent * 1400)
            framed += struct.pack(">H", len(sr)) + sr
        if o.bytewise and self.sent < 25:
            for i in range(len(framed)):
                self.sock.sendall(framed[i:i + 1])
        else:
            self.sock.sendall(framed)


# ---------------------------------------------------------------- judging

def grab(url, seconds, at_least=0):
    """What a viewer receives in `seconds`, and whether the stream ended."""
    out, end = bytearray(), None
    limit = time.monotonic() + (seconds + 12) * SLOW
    with urllib.request.urlopen(url, timeout=25 * SLOW) as r:
        while time.monotonic() < limit:
            got = r.read1(65536)
            if not got:
                return bytes(out), True
            out += got
            now = time.monotonic()
            if end is None:
                end = now + seconds
            if now >= end:
                break
    return bytes(out), False


def whole(data, fmt):
    """Cuts behind the last complete tag or fragment."""
    if fmt == "flv":
        at = 13
        while at + 15 <= len(data):
            n = int.from_bytes(data[at + 1:at + 4], "big")
            if at + 15 + n > len(data):
                break
            expect(int.from_bytes(data[at + 11 + n:at + 15 + n], "big") == n + 11, f"FLV: PreviousTagSize at {at}")
            at += 15 + n
        return data[:at]
    at = good = 0
    while at + 8 <= len(data):
        n, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
        expect(n >= 8, f"MP4: box of {n} bytes at {at}")
        if at + n > len(data):
            break
        at += n
        if kind in (b"moov", b"mdat"):
            good = at
    return data[:good]


def flv_tags(data):
    """(type, ms, body) of each."""
    at = 13
    while at + 15 <= len(data):
        n = int.from_bytes(data[at + 1:at + 4], "big")
        yield data[at], int.from_bytes(data[at + 4:at + 7], "big") | data[at + 7] << 24, data[at + 11:at + 11 + n]
        at += 15 + n


def flv_h265(data):
    """H.265 in FLV (codec id 12), which libavformat 5 cannot read: Annex B and
    what ffprobe would have told of it."""
    es, stamps, configs = b"", {}, 0
    for kind, ms, body in flv_tags(data):
        if kind == 8:
            expect(body[0] >> 4 == 7, f"flv: sound format {body[0] >> 4}")
            stamps.setdefault("audio", []).append(ms / 1000)
        if kind != 9:
            continue
        expect(body[0] & 15 == 12 and body[0] >> 4 in (1, 2) and body[1] in (0, 1), f"flv: video tag {body[:5].hex()}")
        if body[1] == 0:
            rec, configs = body[5:], configs + 1
            expect(rec[0] == 1 and rec[21] & 3 == 3, f"hvcC: {rec[:23].hex()}")
            at, kinds = 23, []
            for _ in range(rec[22]):
                kinds.append(rec[at] & 63)
                count, at = int.from_bytes(rec[at + 1:at + 3], "big"), at + 3
                for _ in range(count):
                    n = int.from_bytes(rec[at:at + 2], "big")
                    es += b"\0\0\0\1" + rec[at + 2:at + 2 + n]
                    at += 2 + n
            expect(kinds == [32, 33, 34] and at == len(rec), f"hvcC: arrays {kinds}, {len(rec) - at} bytes behind")
            continue
        at = 5
        while at < len(body):
            n = int.from_bytes(body[at:at + 4], "big")
            expect(n and at + 4 + n <= len(body), "flv: NAL unit beyond its tag")
            nal = body[at + 4:at + 4 + n]
            if (nal[0] >> 1 & 63) in (19, 20, 21):
                expect(body[0] >> 4 == 1, "flv: key picture in a tag that is none")
            es += b"\0\0\0\1" + nal
            at += 4 + n
        stamps.setdefault("video", []).append(ms / 1000)
    expect(configs == 1, f"flv: {configs} sequence headers")
    streams = [{"codec_type": "video", "codec_name": "hevc", "width": 640, "height": 360}]
    if "audio" in stamps:
        streams.append({"codec_type": "audio", "codec_name": "pcm_alaw"})
    return es, {"streams": streams, "packets": [{"codec_type": k, "dts_time": t} for k, v in stamps.items() for t in v]}


def run(args, data=None):
    p = subprocess.run(args, input=data, capture_output=True, timeout=30 * SLOW, check=False)
    return p.stdout, p.stderr.decode(errors="replace")


def judge(data, fmt, codec, seconds=2, exact=True, audio=None, video=True, least=0.6, bad=0):
    """The streams, their timestamps, and each picture against the clip."""
    data = whole(data, fmt)
    clip = clip_of(codec)
    codec = clip.codec
    with tempfile.NamedTemporaryFile(suffix="." + {"flv": "flv", "fmp4": "mp4"}[fmt]) as f:
        f.write(data)
        f.flush()
        es = None
        if fmt == "flv" and codec == "h265" and video:
            es, got = flv_h265(data)
        else:
            out, err = run(["ffprobe", "-v", "error", "-show_streams", "-show_packets", "-of", "json", f.name])
            expect(not err.strip(), f"{fmt}: ffprobe: {err[-400:]}")
            got = json.loads(out)
        if fmt == "flv":
            expect(all(ms == 0 for kind, ms, _ in flv_tags(data) if kind == 18), "flv: metadata that is not of time 0")
        kinds = {s["codec_type"]: s for s in got["streams"]}
        stamps = {}
        for p in got["packets"]:
            stamps.setdefault(p["codec_type"], []).append(float(p["dts_time"]))
        for kind, times in stamps.items():
            for a, b in zip(times, times[1:]):
                if b <= a and kind == "video" and not bad or b < a:
                    raise Failed(f"{fmt}: {kind} timestamp {b} behind {a}")
        if audio:
            expect("audio" in kinds, f"{fmt}: no audio, only {list(kinds)}")
            expect(kinds["audio"]["codec_name"] in audio, f"{fmt}: audio is {kinds['audio']['codec_name']}")
            expect(len(stamps.get("audio", [])) > 8 * seconds * least, f"{fmt}: {len(stamps.get('audio', []))} audio packets")
        if not video:
            expect("video" not in kinds or not stamps.get("video"), f"{fmt}: video where none was sent")
            return got
        expect("video" in kinds, f"{fmt}: no video, only {list(kinds)}")
        v = kinds["video"]
        name = {"h264": "h264", "h265": "hevc"}[codec]
        expect((v["codec_name"], v["width"], v["height"]) == (name, 640, 360), f"{fmt}: {v['codec_name']} {v.get('width')}")
        if es is None:
            bsf = {"h264": "h264_mp4toannexb", "h265": "hevc_mp4toannexb"}[codec]
            es, err = run(["ffmpeg", "-v", "error", "-i", f.name, "-map", "0:v:0", "-c", "copy", "-bsf:v", bsf, "-f",
                           name, "-"])
            expect(bad or not err.strip(), f"{fmt}: ffmpeg: {err[-400:]}")
    seen, total = [], len(clip.units)
    for _, key, slices in annexb(es, codec):
        i = clip.number.get(tuple(slices))
        if i is None and bad:
            bad -= 1
            continue
        expect(i is not None, f"{fmt}: a picture of {[len(n) for n in slices]} bytes that was never sent, behind {len(seen)} "
               "good ones")
        expect(seen or key, f"{fmt}: begins with picture {i}, not a key frame")
        seen.append(i)
    expect(len(seen) >= 25 * seconds * least, f"{fmt}: {len(seen)} pictures in {seconds} s")
    if exact:
        for a, b in zip(seen, seen[1:]):
            expect(b == (a + 1) % total, f"{fmt}: picture {b} behind {a}")
        t = stamps["video"]
        if least == 0.6:
            steps = sorted(y - x for x, y in zip(t, t[1:]))
            expect(abs(steps[len(steps) // 2] - 0.04) < 0.003, f"{fmt}: {steps[len(steps) // 2]:.3f} s between pictures")
            expect(abs(t[-1] - t[0] - 0.04 * (len(t) - 1)) < 0.25, f"{fmt}: {len(t)} pictures take {t[-1] - t[0]:.2f} s")
            shown = [float(p["pts_time"]) for p in got["packets"] if p["codec_type"] == "video" and "pts_time" in p]
            for k, at in enumerate(shown):
                want = k + clip.late[seen[k]] - clip.late[seen[0]]
                expect(abs(at - shown[0] - want * 0.04) < 0.25 if any(clip.late) is False else
                       abs(at - shown[0] - want * 0.04) < 0.005, f"{fmt}: picture {k} is shown at {at - shown[0]:.3f} s, "
                       f"not {want * 0.04:.3f}")
    return got


def urls(answer):
    j = answer.json
    return j.get("urls", j)


@contextlib.contextmanager
def camera(d, tcp=False, register=None, channels=True, **kw):
    dev = Device(d, tcp, **kw)
    try:
        a = dev.register(**(register or {}))
        expect(a.status == 200, f"REGISTER: {a.start}")
        if channels:
            d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
            wait_for("channel", lambda: any(c["id"] == dev.channel for c in d.channels(dev.id)), 12)
        yield dev
        # what was wrong in the messages themselves
        expect(not dev.lint, "; ".join(dict.fromkeys(dev.lint)))
    except Exception:
        if "-v" in sys.argv:
            t0 = dev.log[0][0] if dev.log else 0
            print(f"---- {dev.id}")
            for t, way, raw in dev.log[-60:]:
                print(f"{way} {t - t0:.3f}\n" + raw.decode("gb18030", "replace").replace("\r", ""))
        raise
    finally:
        dev.close()


def start(d, dev, transport="udp", **body):
    a = d.live(dev.id, dev.channel, transport=transport, **body)
    expect(a.status == 200, f"live over {transport}: {a.status} {a.body.decode()[:500]}")
    return a


def stop(d, dev):
    n = len(dev.dialogs)
    d.stop_live(dev.id, dev.channel)
    wait_for("BYE", lambda: all(g.byes or not 200 <= g.status < 300 for g in dev.dialogs.values()), 5)
    return n


def live(d, stream=None, transport="udp", codec=None, formats=("flv",), seconds=2, exact=True, audio=None, video=True,
         least=0.6, bad=0, check=None, edition=None, tcp=False, api_audio=None, start_seconds=None, **call):
    """One device, one stream, judged."""
    stream = dict(stream or {})
    codec = codec or stream.get("codec", "h264")
    clip_of(codec)  # made before anybody waits for it
    with camera(d, tcp, edition=edition) as dev:
        dev.call = Call(stream=stream, **call)
        t = time.monotonic()
        a = start(d, dev, transport)
        took = time.monotonic() - t
        u = urls(a)
        for f in formats:
            data, _ = grab(u[f], seconds)
            judge(data, f, codec, seconds, exact, audio and (audio if f == "flv" else (*audio, "flac")), video, least, bad)
        if start_seconds:
            expect(took < start_seconds * SLOW, f"the picture took {took:.1f} s")
        if check:
            check(d, dev, a)
        stop(d, dev)


def refused(d, transport="udp", statuses=(502, 504, 409), steps=("answer",), evidence=None, check=None, limit=14, **call):
    """One device that does not play; the API must say which link is broken."""
    with camera(d) as dev:
        dev.call = Call(**call)
        t = time.monotonic()
        a = d.live(dev.id, dev.channel, transport=transport)
        took = time.monotonic() - t
        expect(a.status in statuses, f"{a.status} {a.body.decode()[:400]}")
        p = a.json
        expect(p.get("step") in steps, f"step {p.get('step')!r}: {p}")
        expect(p.get("evidence") and p.get("hint"), f"no evidence or hint: {p}")
        if evidence:
            expect(evidence in json.dumps(p), f"{evidence} is not named: {p}")
        expect(took < limit * SLOW, f"took {took:.1f} s")
        if check:
            check(d, dev, a)
        wait_for("session is over", lambda: not [s for s in d.get("/api/v1/sessions?limit=500")["items"]
                                                 if s["device"] == dev.id and s["state"] != "failed"], 6)
        # the device must be playable afterwards
        dev.call = Call()
        start(d, dev, "udp")
        stop(d, dev)


# ---------------------------------------------------------------- registration

def registers(d, edition=None, **kw):
    with camera(d, channels=False, register=kw, edition=edition) as dev:
        got = wait_for("online", lambda: [x for x in d.devices() if x["id"] == dev.id and x["online"]])[0]
        expect(got["address"] == dev.at, f"address {got['address']}, we are {dev.at}")
        expect(dev.keepalive().status == 200, "keepalive")


def drop(*names):
    return lambda h: [x for x in h if x[0] not in names]


def subst(name, fn):
    return lambda h: [(n, fn(v) if n == name else v) for n, v in h]


def bare_addresses(h):
    return [(n, re.sub(r"[<>]", "", v) if n in ("From", "To", "Contact") else v) for n, v in h]


def with_route(h):
    return h + [("Route", f"<sip:{re.search(r'sip:(.*?)@', dict(h)['To']).group(1)}@127.0.0.1:5060;lr>")]


def two_vias(h):
    return h[:1] + [("Via", "SIP/2.0/UDP 10.1.1.1:5060;branch=z9hG4bK77")] + h[1:]


case("register_plain", registers)
case("register_lower_case_names", registers, render=lower_names)
case("register_compact_names", registers, render=compact_names)
case("register_lf_only", registers, render=lf_only)
case("register_folded", registers, render=folded)
case("register_space_before_colon", registers, render=space_before_colon)
case("register_no_space_after_colon", registers, render=no_space_after_colon)
case("register_bare_addresses", registers, edit=bare_addresses)
case("register_alphabetical_route", registers, render=alphabetical, edit=with_route)
case("register_expires_in_contact", registers, expires=None, edit=subst("Contact", lambda v: v + ";expires=3600"))
case("register_no_expires", registers, expires=None)
case("register_no_max_forwards", registers, edit=drop("Max-Forwards", "Content-Length", "User-Agent"))
case("register_qop", registers, auth=dict(qop=True))
case("register_qop_quoted", registers, auth=dict(qop=True, quoted=True, commas=","))
case("register_md5_sess", registers, auth=dict(sess=True, qop=True))
case("register_uri_differs", registers, uri=f"sip:{SERVER_ID}@127.0.0.1:5060", digest_uri="sip:3402000000")
case("register_two_vias", registers, edit=two_vias)
case("register_host_127", registers, host="127.0.0.1:80")
case("register_sip_instance", registers,
     edit=subst("Contact", lambda v: v[:-1] + ';transport=udp>;+sip.instance="<urn:uuid:c781fa55-35ba-11ee-895d-0826ae3b6a2b>"'))
case("register_lower_case_digest", registers, edit=subst("Authorization", lambda v: v.replace("Digest ", "digest  ")))
case("register_upper_case_response", registers,
     edit=subst("Authorization", lambda v: re.sub(r'response="(\w+)"', lambda m: f'response="{m.group(1).upper()}"', v)))
case("register_contact_without_user", registers, edit=subst("Contact", lambda v: re.sub(r"sip:\d+@", "sip:", v)))
case("register_no_contact", registers, edit=drop("Contact"))
case("register_display_names", registers, edit=lambda h: [(n, '"摄像机 <1>" '.encode().decode("latin-1") + v if n in ("From", "To") else v) for n, v in h])
case("register_edition_2022", registers, edition="3.0")


@test
def register_no_rport(d):
    for via in (":5060;branch=z9hG4bK.a.b{0}", ";branch={0}", ":9;wlsscid=1;branch=1231335{0}"):
        dev = Device(d)
        try:
            a = dev.ask(dev.register_raw(via=f"SIP/2.0/UDP {dev.ip}" + via.format(rand())))
            expect(a.status == 401, a.start)
            auth = digest(a.get("WWW-Authenticate"), dev.id, dev.password, "sip:x")
            a = dev.ask(dev.register_raw(auth, via=f"sip/2.0/udp {dev.ip}" + via.format(rand())))
            expect(a.status == 200, a.start)
        finally:
            dev.close()


@test
def register_answer_is_complete(d):
    with camera(d, channels=False, edition="3.0") as dev:
        a = dev.register()
        expect(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?", a.get("Date")), f"Date {a.get('Date')!r}")
        t = time.mktime(time.strptime(a.get("Date")[:19], "%Y-%m-%dT%H:%M:%S")) - time.mktime(time.gmtime())
        expect(abs(t - 8 * 3600) < 5, f"Date is {t} s from UTC")
        expect(re.match(rf"<sip:{dev.id}@{re.escape(dev.at)}>", a.get("Contact")), f"Contact {a.get('Contact')!r}")
        expect(a.get("Expires") == "3600" or ";expires=3600" in a.get("Contact"), f"Expires {a.get('Expires')!r}")
        expect(re.fullmatch(r"\d\.\d", a.get("X-GB-Ver")), f"X-GB-Ver {a.get('X-GB-Ver')!r}")
        via = a.get("Via")
        expect(f";rport={dev.port}" in via and f";received={dev.ip}" in via, f"Via {via!r}")


@test
def register_expires_clamped(d):
    with camera(d, channels=False) as dev:
        for asked in (60, 30, 0x7fffffff, 4294967295, 99999999999):
            a = dev.register(expires=asked)
            granted = a.get("Expires")
            if asked < 60 and a.status == 423:
                expect(a.get("Min-Expires"), "423 without Min-Expires")
                continue
            expect(a.status == 200 and granted.isdigit() and 30 <= int(granted) <= 7 * 86400, f"{asked}: {a.start} {granted}")


@test
def register_constant_cseq_after_reboot(d):
    with camera(d, channels=False, register=dict(cseq=1)) as dev:
        for _ in range(2):
            a = dev.register(cseq=1)
            expect(a.status == 200, f"second life: {a.start}")
        a = dev.register(cseq=7)
        a = dev.register(cseq=3)
        expect(a.status == 200, f"going down: {a.start}")


@test
def register_refresh_with_old_authorization(d):
    with camera(d, channels=False) as dev:
        a = dev.ask(dev.register_raw(dev.authorization))
        expect(a.status == 200, f"old Authorization: {a.start}")
        n = len([m for m in dev.requests if b"<CmdType>Catalog" in m.body])
        time.sleep(0.5)
        # qop with the same nc again
        a = dev.register(auth=dict(qop=True))
        a = dev.ask(dev.register_raw(dev.authorization))
        expect(a.status in (200, 401), f"same nc: {a.start}")
        if a.status == 401:
            expect("stale=true" in a.get("WWW-Authenticate").replace('"', "").lower(), "401 without stale")
        expect(n <= 1, f"{n} catalog queries")


@test
def register_retransmitted(d):
    with camera(d, channels=False) as dev:
        raw = dev.register_raw(dev.authorization)
        a = dev.ask(raw)
        b = dev.ask(raw)
        expect(a.raw == b.raw, f"two answers: {a.raw!r} {b.raw!r}")


@test
def register_unknown_nonce(d):
    dev = Device(d)
    try:
        a = dev.ask(dev.register_raw())
        old = digest(a.get("WWW-Authenticate"), dev.id, dev.password, "sip:x", stale_nonce="6fe9ba44a76be22a")
        a = dev.ask(dev.register_raw(old))
        expect(a.status == 401, f"unknown nonce: {a.start}")
        expect(dev.register().status == 200, "after it")
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def register_wrong_password(d):
    dev = Device(d)
    try:
        for _ in range(2):
            a = dev.register(password="not it")
            expect(a.status in (401, 403), a.start)
        expect(not [x for x in d.devices() if x["id"] == dev.id], "listed as device")
        expect(dev.keepalive().status in (401, 403), "keepalive of a stranger")
        a = d.call("GET", f"/api/v1/devices/{dev.id}")
        expect(a.status == 404, f"GET device: {a.status}")
        expect(dev.register().status == 200, "right password afterwards")
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def register_without_authorization(d):
    dev = Device(d)
    try:
        for _ in range(3):
            a = dev.ask(dev.register_raw())
            expect(a.status == 401, a.start)
        expect(not [x for x in d.devices() if x["id"] == dev.id], "listed as device")
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def register_basic_and_capability(d):
    dev = Device(d)
    try:
        for value in ("Basic YWJjOmRlZg==", 'Capability algorithm="A:RSA/ECB/PKCS1;H:SHA1;S:DES/ECB/PKCS5"', "Digest", "Digest ,,,"):
            a = dev.ask(dev.register_raw(value))
            expect(a.status in (400, 401), f"{value}: {a.start}")
        expect(dev.register().status == 200, "afterwards")
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def unregister(d):
    with camera(d, channels=False) as dev:
        a = dev.register(expires=0)
        expect(a.status == 200 and a.get("Expires", "0") == "0", f"{a.start} {a.get('Expires')}")
        wait_for("offline", lambda: not d.get(f"/api/v1/devices/{dev.id}")["online"], 3)
        expect(dev.keepalive().status in (401, 403), "keepalive after it")
        expect(dev.register().status == 200, "back")
        a = dev.ask(dev.register_raw(expires=None, edit=subst("Contact", lambda v: "*")))
        expect(a.status == 400, f"Contact * without Expires: {a.start}")  # RFC 3261 §10.3
        a = dev.register(expires=0, edit=subst("Contact", lambda v: "*"))
        expect(a.status == 200, f"Contact *: {a.start}")
        wait_for("offline", lambda: not d.get(f"/api/v1/devices/{dev.id}")["online"], 3)


@test
def register_moves(d):
    with camera(d) as dev:
        first = dev.reopen()
        expect(dev.register().status == 200, "new port")
        dev.call = Call()
        start(d, dev)
        expect(dev.wait_request("INVITE"), "INVITE")
        stop(d, dev)
        second = dev.reopen("127.0.0.2")
        expect(dev.register().status == 200, "new address")
        wait_for("address", lambda: d.get(f"/api/v1/devices/{dev.id}")["address"] == dev.at, 3)
        # the old place is a stranger now: its answer comes there, if any
        first.close()
        second.settimeout(2)
        h = dev.headers("MESSAGE", SERVER_ID) + [("Content-Type", "Application/MANSCDP+xml")]
        body = dev.keepalive_body()
        got = []
        with contextlib.suppress(Failed):
            got = [dev.ask(plain(f"MESSAGE sip:{SERVER_ID}@{REALM} SIP/2.0", h + [("Content-Length", str(len(body)))], body),
                           sock=second, repeat=False, timeout=1.5)]
        expect(all(m.status in (401, 403) for m in got), f"old address: {got and got[0].start}")
        start(d, dev)
        stop(d, dev)


@test
def two_devices_behind_one_address(d):
    with camera(d, channels=False) as dev:
        other = Device(d)
        other_sock = dev.sock
        try:
            first = (dev.id, dev.channel, dev.callid)
            dev.id, dev.channel, dev.callid = other.id, other.channel, other.callid
            expect(dev.register().status == 200, "second id")
            expect(dev.keepalive().status == 200, "second id's keepalive")
            dev.id, dev.channel, dev.callid = first
            expect(dev.keepalive().status == 200, "first id's keepalive")
            expect({dev.id, other.id} <= {x["id"] for x in d.online()}, "both online")
        finally:
            other.close()
        del other_sock


# ---------------------------------------------------------------- keepalive

def keepalive(d, status="<Status>OK</Status>\r\n", body=None, **kw):
    with camera(d, channels=False) as dev:
        before = d.get(f"/api/v1/devices/{dev.id}")["keepalive_at"]
        data = dev.keepalive_body(status)
        if body:
            data = body(data)
        a = dev.message(data, **kw)
        expect(a.status == 200 and not a.body, f"{a.start}")
        got = wait_for("keepalive_at", lambda: d.get(f"/api/v1/devices/{dev.id}")["keepalive_at"], 3)
        expect(got != before, f"keepalive_at {got}")


case("keepalive_plain", keepalive)
case("keepalive_no_status", keepalive, status="")
case("keepalive_status_in_info", keepalive, status="<Info>\r\n<Status>OK</Status>\r\n</Info>\r\n")
case("keepalive_empty_info", keepalive, status="<Status>OK</Status>\r\n<Info/>\r\n")
case("keepalive_faulty_list", keepalive, status="<Status>ERROR</Status><Info><DeviceID>34020000001310000003</DeviceID></Info>")
case("keepalive_length_too_large", keepalive, length=5000)
case("keepalive_length_too_small", keepalive, length=100)
case("keepalive_length_missing", keepalive, drop=("Content-Length",))
case("keepalive_length_padded", keepalive, render=lambda s, h, b: plain(s, h, b).replace(b"Content-Length: ", b"Content-Length:   0"))
case("keepalive_no_content_type", keepalive, drop=("Content-Type",))
case("keepalive_text_xml", keepalive, ctype="text/xml;charset=utf-8")
case("keepalive_odd_content_type", keepalive, ctype="APPLICATION/MANSCDP")
case("keepalive_lf_body", keepalive, body=lambda b: b.replace(b"\r\n", b"\n"))
case("keepalive_no_declaration", keepalive, body=lambda b: b.partition(b"\r\n")[2])
case("keepalive_odd_declaration", keepalive, body=lambda b: b.replace(b'"GB2312"?', b'"GB2312" standalone="yes" ?'))
case("keepalive_blanks_before", keepalive, body=lambda b: b"\r\n  \t" + b)
case("keepalive_bom", keepalive, body=lambda b: b"\xef\xbb\xbf" + b)
case("keepalive_trailing_nul", keepalive, body=lambda b: b + b"\0\0\0\r\n")
case("keepalive_trailing_garbage", keepalive, body=lambda b: b + b"garbage < & \xff\xfe")
case("keepalive_blanks_in_values", keepalive, body=lambda b: re.sub(rb">([^<\s]+)<", rb"> \1 <", b))
case("keepalive_lower_names", keepalive, render=lower_names)
case("keepalive_compact", keepalive, render=compact_names)
case("keepalive_lf_head", keepalive, render=lf_only)
case("keepalive_attributes", keepalive,
     body=lambda b: re.sub(rb"<Notify>\s*<CmdType>(\w+)</CmdType>\s*<SN>(\d+)</SN>", rb'<Notify CmdType="\1" SN="\2">', b))
case("keepalive_two_roots", keepalive, body=lambda b: b + b)


@test
def keepalive_of_a_stranger(d):
    dev = Device(d)
    try:
        a = dev.keepalive()
        expect(a.status == 403, a.start)
        expect(not [x for x in d.devices() if x["id"] == dev.id], "listed")
    finally:
        dev.close()


@test
def keepalive_repeated(d):
    with camera(d, channels=False) as dev:
        body = dev.keepalive_body()
        h = dev.headers("MESSAGE", SERVER_ID, cseq=20)
        a, b = dev.message(body, headers=h), dev.message(body, headers=h)
        expect(a.raw == b.raw and a.status == 200, f"two answers {a.raw!r} {b.raw!r}")
        for _ in range(5):
            expect(dev.keepalive().status == 200, "burst with one CSeq")


@test
def keepalive_from_another_port(d):
    with camera(d) as dev:
        old = dev.reopen()
        expect(dev.keepalive().status == 200, "new port, same address")
        old.close()  # the mapping is gone: requests must find the new one
        wait_for("new address", lambda: d.get(f"/api/v1/devices/{dev.id}")["address"] == dev.at, 6)
        start(d, dev)
        stop(d, dev)


@test
def keepalive_from_another_address(d):
    with camera(d, channels=False) as dev:
        ip = dev.ip
        dev.reopen("127.0.0.3")
        a = dev.keepalive()
        expect(a.status in (401, 403), a.start)
        expect(d.get(f"/api/v1/devices/{dev.id}")["address"].startswith(ip), "address moved")


# ---------------------------------------------------------------- catalog

NAMES = ["东门", "西门 2号", "南门&北门", "Lobby <1>", "停车场-出口", "会议室", "楼顶", "仓库"]


def listing(dev, n):
    return [(f"34020000001310{int(dev.id[-6:]) * 600 % 1000000 + i:06d}", f"{NAMES[i % 8] if i % 8 not in (2, 3) else '走廊'} {i}")
            for i in range(n)]


def catalogs(d, n, bodies, want=None, limit=12, state=None, edition=None, tcp=False):
    """bodies(dev, sn, items) gives the messages; names must be those of want."""
    dev = Device(d, tcp, edition=edition)
    try:
        items = listing(dev, n)
        dev.channel = items[0][0] if items else dev.channel
        dev.commands["Catalog"] = lambda dev, sn, text: bodies(dev, sn, items)
        expect(dev.register().status == 200, "REGISTER")
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wanted = dict(items if want is None else want(items))
        got = {}

        def complete():
            nonlocal got
            got = {}
            cursor = ""
            while True:
                page = d.get(f"/api/v1/devices/{dev.id}/channels?limit=200" + cursor)
                got.update({c["id"]: c["name"] for c in page["items"]})
                if not page["next"]:
                    break
                cursor = f"&cursor={page['next']}"
            st = d.get(f"/api/v1/devices/{dev.id}")["catalog"]
            return got == wanted and (state is None or st == state)
        try:
            wait_for("channels", complete, limit)
        except Failed:
            x = d.get(f"/api/v1/devices/{dev.id}")
            raise Failed(f"{len(got)} of {len(wanted)} channels, catalog {x['catalog']} {x.get('catalog_have')}/{x.get('catalog_sum')}, "
                         f"wrong: {[(k, got.get(k), v) for k, v in wanted.items() if got.get(k) != v][:3]}") from None
        expect(not dev.lint, dev.lint[:3])
    finally:
        dev.close()


def pages(size, encoding="gb2312", declared="GB2312", order=None, total=None, repeat=1, **more):
    def make(dev, sn, items):
        out = [xml(catalog(dev, sn, [item(i, n, dev.id, **more) for i, n in items[k:k + size]], len(items) if total is None else total),
                   encoding, declared) for k in range(0, len(items), size)]
        if order:
            out = order(out)
        return [x for x in out for _ in range(repeat)]
    return make


case("catalog_gb2312", catalogs, 4, pages(4), state="complete")
case("catalog_utf8", catalogs, 4, pages(4, "utf-8", "UTF-8"), state="complete")
case("catalog_utf8_as_gb2312", catalogs, 4, pages(4, "utf-8", "GB2312"), state="complete")
case("catalog_gbk_as_utf8", catalogs, 4, pages(4, "gbk", "UTF-8"), state="complete")
case("catalog_gb18030", catalogs, 4, pages(4, "gb18030", "GB18030"), state="complete", edition="3.0")
case("catalog_one_a_message", catalogs, 8, pages(1), state="complete")
case("catalog_four_a_message", catalogs, 12, pages(4), state="complete")
case("catalog_out_of_order", catalogs, 12, pages(2, order=lambda o: o[::-1]), state="complete")
case("catalog_every_message_twice", catalogs, 6, pages(2, repeat=2), state="complete")
case("catalog_sum_too_high", catalogs, 4, pages(2, total=9), limit=20)
case("catalog_sum_too_low", catalogs, 6, pages(2, total=2), limit=20)
case("catalog_sum_zero", catalogs, 4, pages(2, total=0), limit=20)
case("catalog_500_channels", catalogs, 500, pages(4), limit=20, state="complete")
case("catalog_500_channels_tcp", catalogs, 500, pages(100), limit=20, state="complete", tcp=True)
case("catalog_large_datagrams", catalogs, 300, pages(100), limit=20, state="complete")
case("catalog_missing_page", catalogs, 6, pages(2, order=lambda o: o[:2]), want=lambda items: items[:4], limit=22, state="partial")
case("catalog_empty", catalogs, 0, lambda dev, sn, items: [xml(
    f"<Response>\r\n<CmdType>Catalog</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n<SumNum>0</SumNum>\r\n</Response>\r\n")],
     state="complete")


def edited(fn, size=4, encoding="gb2312"):
    def make(dev, sn, items):
        return [fn(b) for b in pages(size, encoding)(dev, sn, items)]
    return make


case("catalog_unknown_elements", catalogs, 4, pages(4, StreamNum="2", Event="ADD", Firmware="x", ChannelID="7",
                                                 Info="<PTZType>1</PTZType><Vendor><Deep a='1'>x</Deep></Vendor>"), state="complete")
case("catalog_cdata", catalogs, 4, edited(lambda b: re.sub(rb"<Name>(.*?)</Name>", rb"<Name><![CDATA[\1]]></Name>", b)))
case("catalog_comments", catalogs, 4, edited(lambda b: b.replace(b"<Item>", b"<!-- an item & more --><Item>")))
case("catalog_unescaped_ampersand", catalogs, 4, edited(lambda b: re.sub(rb"<Name>(.*?) (\d+)</Name>", rb"<Name>\1 & \2</Name>", b)),
     want=lambda items: [(i, " & ".join(n.rsplit(" ", 1))) for i, n in items])
case("catalog_unescaped_less_than", catalogs, 4, edited(lambda b: re.sub(rb"<Name>(.*?) (\d+)</Name>", rb"<Name>\1 < \2</Name>", b)),
     want=lambda items: [(i, " < ".join(n.rsplit(" ", 1))) for i, n in items])
case("catalog_escaped", catalogs, 4, edited(lambda b: re.sub(rb"<Name>(.*?) (\d+)</Name>", rb"<Name>\1&amp;&lt;&#65;&#x4e1c;\2</Name>", b)),
     want=lambda items: [(i, "&<A东".join(n.rsplit(" ", 1))) for i, n in items])
case("catalog_num_wrong", catalogs, 4, edited(lambda b: b.replace(b'Num="4"', b'num="1"')), state="complete")
case("catalog_no_num", catalogs, 4, edited(lambda b: b.replace(b' Num="4"', b'')), state="complete")
case("catalog_no_parent", catalogs, 4, pages(4, ParentID=None, Parental="65535", Status=""), state="complete")
case("catalog_empty_elements", catalogs, 4, pages(4, Password="", Block="", Longitude="", Latitude="", Port="", IPAddress=""))
case("catalog_status_online", catalogs, 4, pages(4, Status="ONLINE", CivilCode="CivilCode", Owner="Owner", Address="Address"))
case("catalog_one_line", catalogs, 4, edited(lambda b: b.replace(b"\r\n", b"")), state="complete")
case("catalog_indented_lf", catalogs, 4, edited(lambda b: b.replace(b"\r\n", b"\n    ")), state="complete")
case("catalog_control_characters", catalogs, 4, edited(lambda b: b.replace(b"</Name>", b"\0\x01</Name>")), state="complete")
case("catalog_half_character", catalogs, 4, edited(lambda b: b.replace(b"</Name>", b"\xb6</Name>")))
case("catalog_rtsp_password", catalogs, 4, pages(4, IPAddress="rtsp://admin:secret&1@10.0.0.1/x?a=1&b=2", Password="secret"))
case("catalog_zero_padded_ids", catalogs, 4, edited(lambda b: re.sub(rb"<Item>\r\n<DeviceID>(\d+)<", rb"<Item>\r\n<DeviceID> \1 <", b)))
case("catalog_self_item", catalogs, 3, lambda dev, sn, items: [xml(catalog(
    dev, sn, [item(dev.id, "NVR 本机", SERVER_ID, Parental="1")] + [item(i, n, dev.id) for i, n in items], 4))],
     want=lambda items: items)
case("catalog_tree", catalogs, 3, lambda dev, sn, items: [xml(catalog(
    dev, sn, ["<Item><DeviceID>340200</DeviceID><Name>区</Name></Item>",
              item("34020000002150000001", "组", dev.id), item("34020000002160000001", "机构", None, BusinessGroupID="34020000002150000001")]
    + [item(i, n, f"{dev.id}/34020000002160000001") for i, n in items], 6))],
     want=lambda items: items + [("340200", "区"), ("34020000002150000001", "组"), ("34020000002160000001", "机构")], state="complete")


case("catalog_sn_zero", catalogs, 4, lambda dev, sn, items: pages(4)(dev, 0, items), limit=16)
case("catalog_other_sn", catalogs, 4, lambda dev, sn, items: pages(2)(dev, int(sn) + 77, items), limit=16)
case("catalog_device_id_of_the_platform", catalogs, 4, edited(lambda b: re.sub(rb"(</SN>\s*<DeviceID>)\d+", rb"\g<1>" + SERVER_ID.encode(), b)))
case("catalog_attributes", catalogs, 4,
     edited(lambda b: re.sub(rb"<Response>\s*<CmdType>(\w+)</CmdType>\s*<SN>(\d+)</SN>", rb'<Response CmdType="\1" SN="\2">', b)))
case("catalog_item_without_id", catalogs, 4, edited(lambda b: b.replace(b"</DeviceList>", b"<Item><Name>x</Name></Item></DeviceList>")))
case("catalog_duplicate_ids", catalogs, 4, lambda dev, sn, items: pages(5, total=5)(dev, sn, items + [(items[0][0], "二")]), limit=20)
case("catalog_one_message_tcp", catalogs, 1000, pages(1000), limit=20, state="complete", tcp=True)
case("catalog_no_content_type", catalogs, 4, pages(4))
case("catalog_order_of_elements", catalogs, 4, edited(lambda b: re.sub(
    rb"(<DeviceID>\d+</DeviceID>)\r\n(<Name>.*?</Name>)\r\n(.*?)</Item>", rb"\3\2\r\n\1</Item>", b, flags=re.S)), state="complete")
case("catalog_flat_list", catalogs, 4, edited(lambda b: b.replace(b"<DeviceList", b"<Devicelist").replace(b"</DeviceList", b"</Devicelist")))
case("catalog_truncated_end", catalogs, 4, edited(lambda b: b[:b.rindex(b"</DeviceList>")]))


@test
def catalog_rereads(d):
    """A channel that is gone from a complete catalogue disappears, a new name arrives."""
    with camera(d) as dev:
        items = listing(dev, 3)  # what is gone goes when no straggler is awaited any more
        dev.commands["Catalog"] = lambda dev, sn, _: pages(1)(dev, sn, items)
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("new list", lambda: {c["id"]: c["name"] for c in d.channels(dev.id)} == dict(items), 16)
        items = [(items[0][0], "新名字"), items[2]]
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("shorter list", lambda: {c["id"]: c["name"] for c in d.channels(dev.id)} == dict(items), 16)


@test
def device_info(d):
    with camera(d) as dev:
        got = wait_for("DeviceInfo", lambda: [x for x in [d.get(f"/api/v1/devices/{dev.id}")] if x["manufacturer"] == "外厂"], 10)[0]
        expect((got["name"], got["model"], got["firmware"]) == ("异国设备", "F-1", "V9.9"), got)


@test
def alarm(d):
    with camera(d) as dev:
        for sn, way in ((9, plain), (10, lf_only)):
            body = xml(f"<Notify>\r\n<CmdType>Alarm</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.channel}</DeviceID>\r\n"
                       "<AlarmPriority>1</AlarmPriority>\r\n<AlarmMethod>5</AlarmMethod>\r\n"
                       f"<AlarmTime>2023-08-09T07:38:{sn:02d}</AlarmTime>\r\n<AlarmDescription>移动侦测 {sn}</AlarmDescription>\r\n"
                       "<Info><AlarmType>2</AlarmType><AlarmTypeParam><EventType>1</EventType></AlarmTypeParam></Info>\r\n"
                       "<AlarmInfo>11</AlarmInfo>\r\n</Notify>\r\n")
            expect(dev.message(body, render=way).status == 200, "alarm")
            m = dev.wait_request("MESSAGE", lambda m: b"<Response>" in m.body and f"<SN>{sn}</SN>".encode() in m.body)
            text = m.body.decode("gb18030")
            expect(re.search(rf"<Response>\s*<CmdType>Alarm</CmdType>\s*<SN>{sn}</SN>\s*<DeviceID>{dev.channel}</DeviceID>\s*"
                             r"<Result>OK</Result>\s*</Response>", text), text)
        wait_for("alarm in the API", lambda: [a for a in d.get("/api/v1/alarms?limit=200")["items"] if a["device"] == dev.id
                                              and "移动侦测" in json.dumps(a, ensure_ascii=False)], 3)


@test
def unknown_requests(d):
    """OPTIONS, INFO, a strange method, a strange command, broken XML."""
    with camera(d, channels=False) as dev:
        def ask(method, extra=(), body=b""):
            h = dev.headers(method, SERVER_ID, extra=[*extra, ("Content-Length", str(len(body)))])
            return dev.ask(plain(f"{method} sip:{SERVER_ID}@{dev.server} SIP/2.0", h, body))
        expect(ask("OPTIONS").status == 200, "OPTIONS")
        expect(ask("FOO").status in (405, 501), "FOO")
        expect(ask("INFO").status in (481, 405, 200), "INFO")
        a = ask("BYE")
        expect(a.status in (200, 481), f"BYE: {a.start}")
        t = ("Content-Type", "Application/MANSCDP+xml")
        for body in (b"<Notify><CmdType>NoSuchThing</CmdType><SN>1</SN></Notify>", b"<Notify><CmdType>", b"", b"hello", b"<a/>"):
            a = ask("MESSAGE", [t], body)
            expect(a.status in (200, 400, 415), f"{body!r}: {a.start}")
        a = ask("NOTIFY", [("Event", "presence"), ("Subscription-State", "active"), t], b"<Notify/>")
        expect(a.status in (200, 400, 481, 489), f"NOTIFY: {a.start}")
        expect(ask("SUBSCRIBE", [("Event", "presence"), ("Expires", "100")]).status >= 200, "SUBSCRIBE")
        expect(dev.keepalive().status == 200, "keepalive")


# ---------------------------------------------------------------- SIP over TCP

@test
def sip_tcp_cut_at_every_byte(d):
    with camera(d, tcp=True, channels=False) as dev:
        dev.cut = True
        expect(dev.keepalive().status == 200, "keepalive")
        expect(dev.register().status == 200, "REGISTER")
        expect(dev.message(dev.keepalive_body(), render=lf_only).status == 200, "LF head")
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("channel", lambda: d.channels(dev.id), 12)


@test
def sip_tcp_several_messages_a_segment(d):
    with camera(d, tcp=True, channels=False) as dev:
        raws, ids = [], []
        for _ in range(5):
            body = dev.keepalive_body()
            h = dev.headers("MESSAGE", SERVER_ID, cseq=20)
            ids.append(dict(h)["Call-ID"])
            raws.append(plain(f"MESSAGE sip:{SERVER_ID}@{REALM} SIP/2.0",
                              h + [("Content-Type", "Application/MANSCDP+xml"), ("Content-Length", str(len(body)))], body))
        dev.send(b"\r\n\r\n" + b"\r\n".join(raws) + b"\r\n\r\n\r\n")
        for i in ids:
            expect(dev.wait("answer", lambda m, i=i: m.get("Call-ID") == i).status == 200, "keepalive")
        # half of one, the rest with the next
        more = raws[0].replace(ids[0].encode(), b"half@x") + raws[1].replace(ids[1].encode(), b"other@x")
        dev.send(more[:300])
        time.sleep(0.1)
        dev.send(more[300:])
        for i in ("half@x", "other@x"):
            expect(dev.wait("answer", lambda m, i=i: m.get("Call-ID") == i).status == 200, "keepalive")


@test
def sip_tcp_crlf_keepalives(d):
    with camera(d, tcp=True, channels=False) as dev:
        for _ in range(20):
            dev.send(b"\r\n\r\n")
        dev.send(b"\r\n")
        expect(dev.keepalive().status == 200, "after CRLF")
        expect(dev.message(dev.keepalive_body(), drop=("Content-Length",)).status == 200, "without Content-Length")
        expect(dev.keepalive().status == 200, "after it")


@test
def sip_tcp_lost_connection(d):
    with camera(d, tcp=True) as dev:
        dev.lose()
        wait_for("offline", lambda: not d.get(f"/api/v1/devices/{dev.id}")["online"], 8)
        dev.open()
        expect(dev.register().status == 200, "new connection")
        start(d, dev, "tcp-passive")
        stop(d, dev)


@test
def sip_tcp_register_anew_keeps_working(d):
    with camera(d, tcp=True) as dev:
        old = dev.reopen()
        expect(dev.register().status == 200, "second connection")
        start(d, dev, "udp")
        stop(d, dev)
        old.close()
        expect(dev.keepalive().status == 200, "keepalive")
        expect(d.get(f"/api/v1/devices/{dev.id}")["online"], "offline when the old connection went")


# ---------------------------------------------------------------- live

for _c in ("h264", "h265"):
    for _t in ("udp", "tcp-passive", "tcp-active"):
        case(f"live_{_c}_{_t}".replace("-", "_"), live, dict(codec=_c, audio="alaw"), transport=_t, formats=("flv", "fmp4"),
             audio=("pcm_alaw",))


@test
def live_by_ffprobe(d):
    """The addresses as a player opens them."""
    for transport, codec in (("udp", "h264"), ("tcp-passive", "h265")):
        with camera(d) as dev:
            dev.call = Call(stream=dict(codec=codec))
            u = urls(start(d, dev, transport))
            for f in ("flv", "fmp4")[codec == "h265":]:
                check_picture(u[f], {"h264": "h264", "h265": "hevc"}[codec], seconds=2, slack=0.5,
                              tracks=("video",))
            stop(d, dev)


@test
def live_first_get_starts_it(d):
    with camera(d) as dev:
        u = urls(start(d, dev))["fmp4"]
        stop(d, dev)
        wait_for("over", lambda: not [s for s in d.get("/api/v1/sessions?limit=500")["items"] if s["device"] == dev.id])
        data, _ = grab(u, 2)
        judge(data, "fmp4", "h264", 2)
        wait_for("idle stop", lambda: all(g.byes for g in dev.dialogs.values()), 8)


# SSRC and y=
case("ssrc_wrong_in_rtp", live, dict(ssrc=0xdeadbeef))
case("ssrc_wrong_in_rtp_tcp", live, dict(ssrc=0xdeadbeef), transport="tcp-passive")
case("ssrc_zero", live, dict(ssrc=0))
case("ssrc_zero_tcp", live, dict(ssrc=0), transport="tcp-passive")
case("y_missing", live, dict(ssrc="offer"), y="none")
case("y_missing_tcp_active", live, dict(ssrc="offer"), y="none", transport="tcp-active")
case("y_other", live, {}, y="0911024252")
case("y_other_tcp", live, {}, y="0911024252", transport="tcp-passive")
case("y_other_but_offered_in_rtp", live, dict(ssrc="offer"), y="0911024252")
case("y_nine_digits", live, dict(ssrc="offer"), y="nine")
case("y_nonsense", live, dict(ssrc="offer"), sdp=lambda l: [x if x[:2] != "y=" else "y=hello" for x in l])

# the network
case("rtp_loss_3_percent", live, dict(loss=0.03), exact=False, seconds=5, least=0.15)
case("rtp_loss_h265", live, dict(codec="h265", loss=0.02), exact=False, seconds=5, least=0.15, formats=("fmp4",))
case("rtp_reordered", live, dict(reorder=0.1, size=500), seconds=3)
case("rtp_duplicated", live, dict(dup=0.3), seconds=3)
case("rtp_all_at_once", live, dict(loss=0.01, reorder=0.05, dup=0.05, size=700), exact=False, seconds=4, least=0.15)
case("rtp_sequence_wraps", live, dict(seq=65520), seconds=3)
case("rtp_port_hops", live, dict(port_hop=1.5), seconds=3)

# RTP headers
case("rtp_payload_type_98", live, dict(pt=98))
case("rtp_payload_type_33", live, dict(pt=33), sdp=lambda l: [re.sub(r"^m=video (\d+) (\S+) 33", r"m=video \1 \2 96", x)
                                                             for x in l if "rtpmap" not in x])
case("rtp_extension", live, dict(extension=True))
case("rtp_padding", live, dict(padding=True))
case("rtp_csrc", live, dict(csrc=True, extension=True, padding=True), transport="tcp-passive")
case("rtp_marker_never", live, dict(marker="never"))
case("rtp_marker_always", live, dict(marker="always", size=300))
case("rtp_timestamp_zero", live, dict(ts="zero"))
case("rtp_timestamp_ms", live, dict(ts="ms"))
case("rtp_timestamp_per_packet", live, dict(ts="packet", size=800))
case("rtp_small_packets", live, dict(size=61))
case("rtp_packets_of_20k_tcp", live, dict(size=20000), transport="tcp-passive")

# program streams
case("ps_no_psm", live, dict(psm=None), formats=("fmp4",))
case("ps_no_psm_h265", live, dict(psm=None, codec="h265"))
case("ps_psm_once", live, dict(psm="once"))
case("ps_no_system_header", live, dict(system=False))
case("ps_neither", live, dict(system=False, psm=None))
case("ps_no_packs", live, dict(packs=False), start_seconds=8)
case("ps_length_zero", live, dict(length=0), formats=("fmp4",))
case("ps_length_zero_h265_tcp", live, dict(length=0, codec="h265"), transport="tcp-passive")
case("ps_length_65535", live, dict(length=65535))
for _n in (-500, -4, 3, 400):
    case(f"ps_length_off_by_{_n}", live, dict(length_off=_n), start_seconds=5)
case("ps_pes_of_one_size", live, dict(one_size=2024, marker="always"), seconds=3, formats=("fmp4",))
case("ps_pes_of_one_size_h265", live, dict(one_size=2024, codec="h265"), seconds=3, formats=("fmp4",))
case("ps_pes_of_one_size_slices", live, dict(one_size=2024, codec="h264-slices"), seconds=3, formats=("fmp4",))
case("ps_cut_at_5k", live, dict(cut=5000))
case("ps_cut_at_700_repeat_pts", live, dict(cut=700, repeat_pts=True), formats=("fmp4",))
case("ps_cut_at_1", live, dict(cut=37))
case("ps_one_pes_a_nal", live, dict(per_nal=True))
case("ps_one_pes_a_nal_h265", live, dict(per_nal=True, codec="h265", pack_per_pes=True))
case("ps_h265_declared_as_h264", live, dict(codec="h265", declared=0x1b))
case("ps_h264_declared_as_h265", live, dict(codec="h264", declared=0x24))
case("ps_h265_type_unknown", live, dict(codec="h265", declared=0))
case("ps_private_packets", live, dict(private=True))
case("ps_private_packets_tcp", live, dict(private=True, audio="alaw", codec="h265"), transport="tcp-passive", audio=("pcm_alaw",))
case("ps_stuffing", live, dict(stuffing=b"\xff\xff\0\0\1\xba", pes_stuffing=5))
case("ps_bare_pack_headers", live, dict(bare_pack=True, codec="h265"))
case("ps_zeros_before_prefix", live, dict(zeros=3))
case("ps_short_map", live, dict(short_map=True, audio="alaw", crc="reversed"), audio=("pcm_alaw",))
case("ps_crc_zero", live, dict(crc="zero"))
case("ps_scr_extension_384", live, dict(ext_scr=384))
case("ps_pts_wraps", live, dict(base=(1 << 33) - 90000 * 2), seconds=4)
case("ps_no_pts", live, dict(no_pts=True))
case("ps_two_units_a_pes", live, dict(units=2), seconds=3)
case("ps_five_units_a_pes_h265", live, dict(units=5, codec="h265"), seconds=3)
case("ps_parameter_sets_once", live, dict(params="once"), seconds=3, formats=("flv", "fmp4"))
case("ps_parameter_sets_once_h265", live, dict(params="once", codec="h265"), seconds=3, formats=("fmp4",))
case("ps_short_start_codes", live, dict(start3=True, aud=True), formats=("flv", "fmp4"))
case("ps_short_start_codes_h265", live, dict(start3=True, aud=True, codec="h265"), formats=("fmp4",))
case("ps_pts_wraps_at_32_bit", live, dict(base=(1 << 32) - 90000 * 2, jump_at=2, jump=-(1 << 32)), seconds=4)
case("ps_pts_starts_anew", live, dict(jump_at=1.8, jump=-800000), seconds=4)
case("ps_pts_jumps_an_hour", live, dict(jump_at=1.8, jump=3600 * 90000, audio="alaw"), seconds=4, audio=("pcm_alaw",))
case("ps_pts_jumps_back_an_hour", live, dict(base=8000000000, jump_at=1.8, jump=-3600 * 90000, audio="alaw"), seconds=4,
     audio=("pcm_alaw",), formats=("fmp4",))
case("rtp_sequence_starts_anew", live, dict(seq_restart=2, seq=30000), seconds=4, exact=False)
case("rtp_ssrc_changes", live, dict(ssrc_change=2), seconds=8, exact=False, least=0.4)
case("rtp_rtcp_between", live, dict(junk="rtcp"))
case("rtp_garbage_between", live, dict(junk="garbage"))
case("rtp_raw_audio_beside", live, dict(pcma=True), seconds=3)
case("rtp_labelled_h264", live, dict(pt=98), sdp=lambda l: [x.replace("98 PS/", "98 H264/") for x in l])


@test
def rtp_of_a_stranger_first(d):
    """A sender that was forgotten, or an attacker, is there before the device."""
    for transport in ("udp", "tcp-passive"):
        with camera(d) as dev:
            dev.call = Call(delay=0.4)
            out = []
            t = threading.Thread(target=lambda: out.append(d.live(dev.id, dev.channel, transport=transport)))
            t.start()
            dlg = wait_for("INVITE", lambda: next(iter(dev.dialogs.values()), None), 5)
            wrong = random.Random(3).randbytes(300)
            p = b"".join(struct.pack(">BBHII", 0x80, 96, 7, 0, 0x12345678) + pack_header(5) + wrong for _ in range(1))
            if transport == "udp":
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.bind(("127.0.0.88", 0))
                for _ in range(20):
                    s.sendto(p, ("127.0.0.1", dlg.rtp))
                    time.sleep(0.01)
            else:
                s = socket.create_connection(("127.0.0.1", dlg.rtp), 5, ("127.0.0.88", 0))
                s.sendall((struct.pack(">H", len(p)) + p) * 20)
            t.join()
            s.close()
            expect(out[0].status == 200, f"{transport}: {out[0].status} {out[0].body[:300]}")
            data, _ = grab(urls(out[0])["flv"], 2)
            judge(data, "flv", "h264", 2)
            stop(d, dev)


case("rtp_from_another_address", live, dict(source="127.0.0.77"))
case("ps_starts_with_p_frames", live, dict(first=13), start_seconds=5)
case("ps_idr_after_2_s", live, dict(first=1, codec="h265"), start_seconds=6)

case("ps_b_pictures", live, dict(codec="h264-b"), seconds=3, formats=("flv", "fmp4"))
case("ps_b_pictures_h265", live, dict(codec="h265-b"), seconds=3, formats=("fmp4",))
case("ps_several_slices", live, dict(codec="h264-slices", cut=3000), seconds=3, formats=("flv", "fmp4"))
case("ps_several_slices_one_pes_each", live, dict(codec="h264-slices", per_nal=True), seconds=3)
case("ps_several_slices_repeat_pts", live, dict(codec="h264-slices", per_nal=True, repeat_pts=True, pack_per_pes=True), seconds=3)
case("ps_several_slices_loss", live, dict(codec="h264-slices", loss=0.02), seconds=5, exact=False, least=0.1)

# sound
case("audio_alaw", live, dict(audio="alaw"), audio=("pcm_alaw",), formats=("flv", "fmp4"))
case("audio_ulaw", live, dict(audio="ulaw"), audio=("pcm_mulaw",), formats=("flv", "fmp4"))
case("audio_aac", live, dict(audio="aac"), audio=("aac",), formats=("flv", "fmp4"))
case("audio_aac_declared_as_alaw", live, dict(audio="aac", audio_type=0x90), audio=("aac",))
case("audio_not_announced", live, dict(audio="alaw", psm=None), audio=("pcm_alaw",), seconds=3)
case("audio_pts_8k", live, dict(audio="alaw", audio_pts="8k"), audio=("pcm_alaw",), seconds=3)
case("audio_no_pts", live, dict(audio="alaw", audio_pts="none"), audio=("pcm_alaw",), seconds=3)
case("audio_before_video", live, dict(audio="alaw", video_after=2, first=200), audio=("pcm_alaw",), seconds=2, start_seconds=7)


def without_byte(d, dev, a):
    """What has none of the sound is refused, and says what plays."""
    for f, code in (("ts", "codec-unsupported"), ("frame", "no-picture")):
        try:
            with urllib.request.urlopen(urls(a)[f], timeout=5 * SLOW) as r:
                raise Failed(f"{f}: {r.status}")
        except urllib.error.HTTPError as e:
            p = json.loads(e.read())
            expect(e.code == 409 and p["code"] == code and "g711a" in p["evidence"] and ".flv" in p["hint"], f"{f}: {p}")


case("audio_only", live, dict(audio="alaw", video=False), audio=("pcm_alaw",), video=False, seconds=2,
     formats=("flv", "fmp4"), check=without_byte)

# answers
case("answer_provisional", live, {}, provisional=(100, 101, 180, 183))
case("answer_183_with_sdp", live, {}, provisional=(100, 183), provisional_sdp=True, delay=0.5)
case("answer_after_3_s", live, {}, delay=3)
case("answer_100_then_after_3_s", live, {}, delay=3, provisional=(100,))
case("answer_without_to_tag", live, {}, tag=False)
case("answer_to_host_port_80", live, {}, to=lambda to: re.sub(r"@[^>]+", "@192.168.1.108:80", to))
case("answer_no_contact", live, {}, contact="none")
case("answer_contact_zero", live, {}, contact="<sip:34020000001180000001@0.0.0.0:5060>")
case("answer_contact_private", live, {}, contact="<sip:34020000001180099999@192.168.77.1:5060>")
case("answer_contact_bare", live, {}, contact="sip:34020000001180099999@192.168.77.1:5060;tag=abc")
case("answer_content_type_missing", live, {}, headers=[("User-Agent", "x")])
case("answer_content_type_case", live, {}, headers=[("Content-Type", "Application/SDP")])
case("answer_over_sip_tcp", live, {}, tcp=True, transport="tcp-passive")
case("answer_media_before_200", live, {}, early=True, delay=0.0)
case("answer_connects_before_200", live, {}, early=True, transport="tcp-passive")
case("answer_listens_after_ack", live, {}, listen_late=True, transport="tcp-active")


def acked_often(d, dev, a):
    dlg = next(iter(dev.dialogs.values()))
    expect(len(dlg.acks) >= 4, f"{len(dlg.acks)} ACKs for 4 answers")


case("answer_repeated", live, {}, copies=4, check=acked_often)


def no_repeats(d, dev, a):
    expect(next(iter(dev.dialogs.values())).repeats <= 1, "INVITE repeated after 100")


case("answer_100_stops_retransmission", live, {}, provisional=(100,), delay=2.5, check=no_repeats)



@test
def answer_with_another_tag(d):
    """A 200 repeated with a new To tag: devices never fork, so it is the same
    call. It is acknowledged as it came, and the picture stays."""
    with camera(d) as dev:
        dev.call = Call()
        u = urls(start(d, dev))
        dlg = next(iter(dev.dialogs.values()))
        to = dlg.to
        dlg.to = to + "f"
        dev.send(dlg.last.replace(to.encode(), dlg.to.encode()))
        wait_for("ACK of the other answer", lambda: [m for m in dlg.acks if m.get("To") == dlg.to], 4)
        dlg.to = to
        data, ended = grab(u["flv"], 1.5)
        expect(not ended, "the stream ended")
        judge(data, "flv", "h264", 1.5)
        stop(d, dev)


@test
def requests_in_the_dialog(d):
    """INFO, MESSAGE with MediaStatus, an UPDATE and a re-INVITE of the device."""
    with camera(d) as dev:
        dev.call = Call()
        u = urls(start(d, dev))
        dlg = next(iter(dev.dialogs.values()))
        seq = 10

        def ask(method, ctype="", body=b"", to=None):
            nonlocal seq
            seq += 1
            h = [("Via", f"SIP/2.0/UDP {dev.at};rport;branch=z9hG4bK{rand()}"), ("From", dlg.to),
                 ("To", to or dlg.invite.get("From")), ("Call-ID", dlg.invite.get("Call-ID")), ("CSeq", f"{seq} {method}"),
                 ("Max-Forwards", "70"), ("Contact", f"<sip:{dev.id}@{dev.at}>")]
            h += [("Content-Type", ctype)] if ctype else []
            return dev.ask(plain(f"{method} sip:{SERVER_ID}@{dev.server} SIP/2.0", h + [("Content-Length", str(len(body)))], body))
        body = xml(f"<Notify>\r\n<CmdType>MediaStatus</CmdType>\r\n<SN>8</SN>\r\n<DeviceID>{dev.channel}</DeviceID>\r\n"
                   "<NotifyType>122</NotifyType>\r\n</Notify>\r\n")
        a = ask("MESSAGE", "Application/MANSCDP+xml", body)
        expect(a.status == 200, f"MediaStatus: {a.start}")
        a = ask("INFO", "Application/RTSP", b"PLAY RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        expect(a.status < 600, a.start)
        expect(ask("OPTIONS").status == 200, "OPTIONS")
        a = ask("INVITE", "application/sdp", dlg.body())
        expect(a.status in (200, 488), f"re-INVITE: {a.start}")
        a = ask("BYE", to=f"<sip:{SERVER_ID}@{REALM}>;tag=wrong")
        expect(a.status in (200, 481), f"BYE with a wrong tag: {a.start}")
        data, ended = grab(u["flv"], 1.5)
        expect(not ended, "the stream ended")
        judge(data, "flv", "h264", 1.5)
        stop(d, dev)


case("sdp_lf_only", live, {}, eol="\n")
case("sdp_cr_only", live, {}, eol="\r")
case("sdp_audio_line_too", live, dict(audio="alaw"), audio=("pcm_alaw",),
     sdp=lambda l: l[:-2] + ["m=audio 9000 RTP/AVP 8", "a=sendonly", "a=rtpmap:8 PCMA/8000/1"] + l[-2:])
case("sdp_unknown_lines", live, {}, sdp=lambda l: ["", "garbage"] + l[:4] + ["b=AS:4096", "z=", "a", "=x", "k=clear:1"] + l[4:])
case("sdp_trailing_blanks", live, {}, sdp=lambda l: [x + "  " for x in l])
case("sdp_blank_lines_behind", live, {}, sdp=lambda l: l + ["", "", ""])
case("sdp_odd_order", live, {}, sdp=lambda l: [x for k in "vmtcsoiayf" for x in l if x[0] == k])
case("sdp_no_rtpmap", live, {}, sdp=lambda l: [x for x in l if "rtpmap" not in x])
case("sdp_c_in_media_only", live, {}, transport="tcp-active", sdp=lambda l: [x for x in l if x[0] != "c"][:5]
     + [x for x in l if x[0] == "c"] + [x for x in l if x[0] != "c"][5:])
case("sdp_c_empty", live, {}, sdp=lambda l: [x if x[0] != "c" else "c=IN IP4 " for x in l])
case("sdp_c_zero_tcp_active", live, {}, transport="tcp-active", sdp=lambda l: [x if x[0] != "c" else "c=IN IP4 0.0.0.0" for x in l])
case("sdp_c_with_port", live, {}, sdp=lambda l: [x if x[0] != "c" else x + ":5060" for x in l])
case("sdp_y_before_m", live, {}, y="0911024252", sdp=lambda l: [x for x in l if x[0] != "m" and x[0] not in "yaf"]
     + [x for x in l if x[0] == "y"] + [x for x in l if x[0] in "maf"])
case("sdp_upper_case", live, {}, transport="tcp-passive", sdp=lambda l: [x.replace("setup:active", "Setup:Active") for x in l])
case("sdp_setup_missing", live, {}, transport="tcp-passive", setup="none")
case("sdp_setup_missing_active", live, {}, transport="tcp-active", setup="none")
case("sdp_setup_same_passive", live, {}, transport="tcp-passive", setup="same")
case("sdp_setup_same_active", live, {}, transport="tcp-active", setup="same")
case("sdp_tcp_answered_as_rtp_avp", live, {}, transport="tcp-passive", proto="RTP/AVP")
case("sdp_s_embedded_net_dvr", live, {}, sdp=lambda l: [x if x[0] != "s" else "s=Embedded Net DVR" for x in l])
case("sdp_vendor_rtpmap", live, {}, sdp=lambda l: [x.replace("PS/90000", "DAHUA/90000") for x in l])
case("sdp_private_address", live, {}, sdp=lambda l: [re.sub(r"127\.9\.\d+\.\d+", "192.168.77.9", x) for x in l])
case("sdp_setup_active_on_udp", live, {}, sdp=lambda l: l[:-2] + ["a=setup:active", "a=filesize:0"] + l[-2:-1] + ["f="])


@test
def answer_rtp_avp_and_udp_for_a_tcp_offer(d):
    with camera(d) as dev:
        dev.call = Call(proto="RTP/AVP", transport="udp", setup="none")
        u = urls(start(d, dev, "tcp-passive"))
        data, _ = grab(u["flv"], 2)
        judge(data, "flv", "h264", 2)
        stop(d, dev)


# TCP media
case("tcp_bytewise", live, dict(bytewise=True), transport="tcp-passive", formats=("fmp4",))
case("tcp_bytewise_active", live, dict(bytewise=True, codec="h265"), transport="tcp-active")
case("tcp_garbage_between_frames", live, dict(junk="garbage", size=400), transport="tcp-passive", exact=False, seconds=5, least=0.15)
# a frame cut short has swallowed its successor before anybody can know
case("tcp_truncated_frames", live, dict(junk="truncate", size=400), transport="tcp-passive", exact=False, seconds=5, least=0.15,
     bad=8)
case("tcp_null_packets", live, dict(junk="null"), transport="tcp-passive")
case("tcp_rtcp_between", live, dict(junk="rtcp"), transport="tcp-passive")
case("tcp_dollar_framing", live, dict(dollar=True), transport="tcp-passive")
case("tcp_256_bytes_first", live, dict(size=244), transport="tcp-passive")
case("tcp_reconnects", live, dict(reconnect_at=1.5), transport="tcp-passive", exact=False, seconds=4, least=0.3)

# refusals
for _s in (400, 403, 404, 480, 486, 488, 500, 603):
    case(f"refuse_{_s}", refused, status=_s, evidence=str(_s))
case("refuse_486_after_100", refused, status=486, provisional=(100, 180), delay=0.5, evidence="486")
for _s in (301, 401, 407, 415, 481, 491, 503):
    case(f"refuse_{_s}", refused, status=_s, evidence=str(_s))
case("refuse_488_tcp", refused, status=488, transport="tcp-passive", evidence="488")
case("refuse_port_zero", refused, sdp=lambda l: [re.sub(r"^m=video \d+", "m=video 0", x) for x in l], media=False,
     steps=("answer", "sdp"), limit=5)
case("refuse_no_m_line", refused, sdp=lambda l: [x for x in l if x[0] not in "may"], media=False,
     steps=("answer", "sdp", "packet"))
case("no_answer", refused, deaf=True, statuses=(504,))


def was_cancelled(d, dev, a):
    wait_for("CANCEL", lambda: next(iter(dev.dialogs.values())).cancelled, 3)
    time.sleep(0.5)
    dlg = next(iter(dev.dialogs.values()))
    dlg.status = 487


case("no_answer_after_100", refused, deaf=True, provisional=(100, 180), statuses=(504,))


@test
def answer_after_the_limit(d):
    """A 200 that comes when nobody waits any more gets ACK and BYE."""
    with camera(d) as dev:
        dev.call = Call(delay=11.5, late=True, provisional=(100,), media=False)
        dev.on["CANCEL"] = lambda m: None
        a = d.live(dev.id, dev.channel, transport="udp")
        expect(a.status == 504, f"{a.status} {a.body[:200]}")
        dlg = next(iter(dev.dialogs.values()))
        wait_for("ACK", lambda: dlg.acks, 6)
        wait_for("BYE", lambda: dlg.byes, 6)


def byed(d, dev, a):
    wait_for("BYE", lambda: all(g.byes for g in dev.dialogs.values()), 4)


case("no_media_udp", refused, media=False, statuses=(504,), steps=("packet",), check=byed)
case("no_media_tcp_passive", refused, media=False, transport="tcp-passive", statuses=(504,), steps=("packet", "connect"), check=byed)
case("no_media_tcp_active", refused, media=False, transport="tcp-active", statuses=(504, 502), steps=("packet", "connect"), check=byed,
     sdp=lambda l: [re.sub(r"^m=video \d+", "m=video 1", x) for x in l])
case("no_key_frame", refused, stream=dict(first=1, stop_after=0.9), statuses=(504,), steps=("key", "codec", "program"), check=byed)


@test
def bye_from_the_device(d):
    """With nobody watching it ends; a viewer is worth another INVITE."""
    with camera(d) as dev:
        def over():
            return not [s for s in d.get("/api/v1/sessions?limit=500")["items"]
                        if s["device"] == dev.id and s["state"] != "failed"]

        def hang_up(dlg):
            expect(dlg.hang_up().status == 200, "answer to BYE")
            dlg.media.stop()
            dlg.byes.append(None)
            expect(dlg.hang_up().status in (200, 481), "answer to the BYE once more")
        dev.call = Call()
        u = urls(start(d, dev))
        hang_up(next(iter(dev.dialogs.values())))
        wait_for("session is over", over, 4)
        wait_for("the channel has no session", lambda: not d.channels(dev.id)[0]["session"], 4)
        u = urls(start(d, dev))
        result = []
        t = threading.Thread(target=lambda: result.append(grab(u["flv"], 9)))
        t.start()
        time.sleep(1.5)
        hang_up(list(dev.dialogs.values())[-1])
        t.join(15 * SLOW)
        expect(len(dev.dialogs) == 3, f"{len(dev.dialogs)} INVITEs")
        a, b = list(dev.dialogs.values())[1:]
        expect(a.y != b.y, "the SSRC was used again")
        judge(result[0][0], "flv", "h264", 9, exact=False, least=0.4)
        stop(d, dev)


@test
def media_stops_in_mid_stream(d):
    """No packet for 15 s: BYE."""
    with camera(d) as dev:
        dev.call = Call(stream=dict(stop_after=1.5))
        u = urls(start(d, dev))
        data, ended = grab(u["flv"], 22)
        expect(ended, "the viewer's stream did not end")
        wait_for("BYE", lambda: all(g.byes for g in dev.dialogs.values()), 6)


@test
def tcp_fin_in_mid_stream(d):
    with camera(d) as dev:
        dev.call = Call(stream=dict(fin_after=1.5))
        u = urls(start(d, dev, "tcp-passive"))
        _, ended = grab(u["flv"], 60)  # it is invited three times more
        expect(ended and len(dev.dialogs) == 4, f"the viewer's stream did not end, {len(dev.dialogs)} INVITEs")
        wait_for("BYE", lambda: all(g.byes for g in dev.dialogs.values()), 6)


@test
def camera_that_is_its_own_channel(d):
    dev = Device(d)
    try:
        dev.id = dev.channel = "34020000001320" + dev.id[-6:]
        expect(dev.register().status == 200, "REGISTER")
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("channel", lambda: [c for c in d.channels(dev.id) if c["id"] == dev.id], 8)
        u = urls(start(d, dev))
        data, _ = grab(u["fmp4"], 1.5)
        judge(data, "fmp4", "h264", 1.5)
        stop(d, dev)
        expect(not dev.lint, dev.lint)
    finally:
        dev.close()


@test
def one_channel_id_at_two_devices(d):
    with camera(d) as a, camera(d) as b:
        b.channel = a.channel
        d.call("POST", f"/api/v1/devices/{b.id}/refresh")
        wait_for("channel", lambda: [c for c in d.channels(b.id) if c["id"] == a.channel], 14)
        a.call, b.call = Call(), Call(stream=dict(codec="h265"))
        ua, ub = urls(start(d, a)), urls(start(d, b))
        for u, codec in ((ua, "h264"), (ub, "h265")):
            data, _ = grab(u["fmp4"], 1.5)
            judge(data, "fmp4", codec, 1.5)
        ambiguous = d.call("GET", f"/live/{a.channel}.flv")
        expect(ambiguous.status == 404, f"the channel alone: {ambiguous.status}")
        stop(d, a)
        stop(d, b)


@test
def alarm_by_notify(d):
    """Only a 200: never a Response MESSAGE."""
    with camera(d) as dev:
        body = xml(f"<Notify>\r\n<CmdType>Alarm</CmdType>\r\n<SN>77</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n"
                   "<AlarmPriority>0</AlarmPriority>\r\n<AlarmMethod>2</AlarmMethod>\r\n<AlarmType>1</AlarmType>\r\n"
                   "<AlarmTime>1970-01-01T00:00:00</AlarmTime>\r\n</Notify>\r\n")
        h = dev.headers("NOTIFY", SERVER_ID, extra=[("Event", "presence"), ("Subscription-State", "active;expires=90"),
                                                    ("Content-Type", "Application/MANSCDP+xml"),
                                                    ("Content-Length", str(len(body)))])
        a = dev.ask(plain(f"NOTIFY sip:{SERVER_ID}@{dev.server} SIP/2.0", h, body))
        expect(a.status in (200, 481), a.start)
        time.sleep(0.7)
        expect(not [m for m in dev.requests if b"<SN>77</SN>" in m.body], "a Response MESSAGE to a NOTIFY")


@test
def catalog_arranged(d):
    """Regions, a group, organisations, a camera in two places, a circle, a notification."""
    with camera(d) as dev:
        group, org, inner = (f"3402000000{t}{dev.id[13:]}" for t in ("2150", "2160", "2161"))
        group, org, inner = (x[:10] + k + dev.id[13:] for x, k in ((group, "215"), (org, "216"), (inner, "216")))
        inner = inner[:14] + "9" + inner[15:]
        bare = dict(Manufacturer=None, Model=None, Owner=None, Address=None, Parental=None, SafetyWay=None,
                    RegisterWay=None, Secrecy=None, Status=None)
        items = [item("340200", "城区", None, CivilCode=None, **bare),
                 item(group, "交通", dev.id, **bare),
                 item(org, "路口", inner, CivilCode=None, BusinessGroupID=group, **bare),
                 item(inner, "北", org, CivilCode=None, BusinessGroupID=group, **bare),
                 item(dev.channel, "大门", f"{dev.id}/{org}/{inner}", IPAddress="10.0.0.7", StreamNum="2")]
        dev.commands["Catalog"] = lambda dev, sn, _: [xml(catalog(dev, sn, items, len(items)))]
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("list", lambda: len(d.channels(dev.id)) == 5, 16)

        def below(parent="", view="all"):
            return {n["id"]: n for n in d.get(f"/api/v1/devices/{dev.id}/tree?view={view}&parent={parent}")["items"]}
        expect(list(below()) == ["340200"], f"the top: {list(below())}")
        expect(list(below("340200")) == [group] and len(below(group)) == 1, "the region")
        faults = d.get(f"/api/v1/devices/{dev.id}/tree")["faults"]
        expect(faults["loops"] == 1, faults)
        camera_in = [o for o in (org, inner) if dev.channel in below(o)]
        expect(camera_in == [org, inner], f"the camera is in {camera_in}")
        where = below("34", "region")["340200"]
        expect(where["listed"] and dev.channel in below("340200", "region"), where)
        expect(below("", "region")["34"]["name"] == "安徽省", "province")
        node = below(org)[dev.channel]
        expect(sorted(node["parents"]) == sorted([org, inner]) and node["online"] and node["observed"] == "unseen", node)
        rest = d.get(f"/api/v1/devices/{dev.id}/channels/{dev.channel}/item")["item"]
        expect(rest["IPAddress"] == "10.0.0.7" and rest["StreamNum"] == "2", rest)
        a = dev.message(xml(f"<Notify>\r\n<CmdType>Catalog</CmdType>\r\n<SN>5</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n"
                            f"<SumNum>1</SumNum>\r\n<DeviceList Num=\"1\"><Item><DeviceID>{inner}</DeviceID>"
                            "<Event>DEL</Event></Item></DeviceList></Notify>\r\n"))
        expect(a.status == 200, a.start)
        wait_for("the organisation is gone", lambda: list(below(group)) == [org] and list(below(org)) == [dev.channel], 3)


@test
def command_life(d):
    with camera(d) as dev:
        path = f"/api/v1/devices/{dev.id}/commands"

        def send(cmd, **params):
            a = d.call("POST", path, {"cmd": cmd, "params": params})
            expect(a.status == 202, a.body[:300])
            return a.json["id"]

        def became(ident, state, s=5):
            return wait_for(f"{state}", lambda: [c for c in [d.get(f"/api/v1/commands/{ident}")] if c["state"] == state], s)[0]
        got = became(send("DeviceStatus"), "answered")
        expect(got["answer"][0]["Online"] == "ONLINE" and got["sip_status"] == 200 and got["tries"] == 1, got)
        expect(got["sent_at"] <= got["arrived_at"] <= got["answered_at"] or got["answered_at"], got)
        dev.commands["DeviceControl"] = lambda dev, sn, _: [xml(
            f"<Response>\r\n<CmdType>DeviceControl</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.id}</DeviceID>\r\n"
            "<Result>ERROR</Result>\r\n</Response>\r\n")]
        got = became(d.call("POST", f"/api/v1/devices/{dev.id}/alarm-reset").json["id"], "refused")
        expect("ERROR" in got["evidence"] and got["sub"] == "AlarmCmd", got)
        dev.commands["DeviceControl"] = lambda dev, sn, _: []
        got = became(send("DeviceControl", PTZCmd="A50F0100000000B5"), "arrived")
        expect(got["final"], got)
        got = d.get(f"/api/v1/devices/{dev.id}/profile")
        expect({c["cmd"]: c["verdict"] for c in got["commands"] if not c["sub"]}.get("DeviceStatus") == "knows", got)
        expect(d.call("POST", path, {"cmd": "Nonsense"}).status == 400, "nonsense")


@test
def alarms_filtered(d):
    with camera(d) as dev:
        for sn, kind in ((1, 2), (2, 6), (3, 2)):
            a = dev.message(xml(f"<Notify>\r\n<CmdType>Alarm</CmdType>\r\n<SN>{sn}</SN>\r\n<DeviceID>{dev.channel}</DeviceID>\r\n"
                                "<AlarmPriority>1</AlarmPriority>\r\n<AlarmMethod>5</AlarmMethod>\r\n"
                                f"<AlarmTime>2023-08-09T07:38:{sn:02d}</AlarmTime>\r\n<Info><AlarmType>{kind}</AlarmType></Info>\r\n"
                                "</Notify>\r\n"))
            expect(a.status == 200, a.start)
        of = f"/api/v1/alarms?device={dev.id}"
        wait_for("three alarms", lambda: d.get(of)["total"] == 3, 3)
        got = d.get(f"{of}&type=6")
        expect(got["total"] == 1 and got["items"][0]["type_name_zh"] == "入侵检测报警", got)
        expect(d.get(f"{of}&method=2")["total"] == 0, "method")
        page = d.get(f"{of}&limit=2")
        rest = d.get(f"{of}&limit=2&cursor={page['next']}")
        ids = [int(a["id"]) for a in page["items"] + rest["items"]]
        expect(len(ids) == 3 and ids == sorted(ids, reverse=True) and rest["next"] is None, ids)


@test
def catalog_unsolicited(d):
    """A change report of one item is no complete list."""
    with camera(d) as dev:
        items = listing(dev, 3)
        dev.commands["Catalog"] = lambda dev, sn, _: pages(3)(dev, sn, items)
        d.call("POST", f"/api/v1/devices/{dev.id}/refresh")
        wait_for("list", lambda: {c["id"]: c["name"] for c in d.channels(dev.id)} == dict(items), 16)
        a = dev.message(xml(catalog(dev, 4711, [item(items[1][0], "改名", dev.id)], 1)))
        expect(a.status == 200, a.start)
        want = {**dict(items), items[1][0]: "改名"}
        wait_for("new name", lambda: {c["id"]: c["name"] for c in d.channels(dev.id)} == want, 4)
        time.sleep(1)
        expect({c["id"]: c["name"] for c in d.channels(dev.id)} == want, "changed later")


@test
def two_viewers_one_invite(d):
    with camera(d) as dev:
        u = urls(start(d, dev))
        got = []
        ts = [threading.Thread(target=lambda f=f: got.append((f, grab(u[f], 2)[0]))) for f in ("flv", "fmp4", "flv")]
        for t in ts:
            t.start()
        for t in ts:
            t.join()
        for f, data in got:
            judge(data, f, "h264", 2)
        expect(len(dev.dialogs) == 1, f"{len(dev.dialogs)} INVITEs")
        stop(d, dev)


def in_shards():
    """The same program once for each shard, at the same time."""
    shards = []
    for i in range(SHARDS):
        env = dict(os.environ, SHARD=str(i))
        shards.append(subprocess.Popen([sys.executable] + sys.argv, env=env))
    codes = [p.wait() for p in shards]
    return max(codes) or min(codes)  # a negative one was a signal


def main():
    if SHARDS > 1 and "SHARD" not in os.environ and not [a for a in sys.argv[1:] if a != "-v"]:
        return in_shards()
    wanted = [a for a in sys.argv[1:] if a != "-v"]
    chosen = [(n, f) for n, f in TESTS if not wanted or n in wanted or any(w.endswith("*") and n.startswith(w[:-1]) for w in wanted)]
    # the slow ones first
    slow = ("no_", "media_stops", "bye_from", "catalog_rereads", "audio_only", "tcp_fin", "answer_after_the", "catalog_sum", "catalog_missing")
    chosen.sort(key=lambda t: not t[0].startswith(slow))
    if "SHARD" in os.environ:
        chosen = chosen[int(os.environ["SHARD"])::SHARDS]
    passed = failed = 0
    lock = threading.Lock()
    try:
        d = Daemon(media=900)  # freed ports rest for a minute
    except Failed:
        d = Daemon(media=900)  # its port for SIP was free over UDP only

    def one(name, fn):
        nonlocal passed, failed
        begin = time.monotonic()
        try:
            fn(d)
            error = None
        except Exception as e:
            error = e
            trace = traceback.format_exc()
        with lock:
            if error is None:
                passed += 1
                print(f"ok      {name}  {time.monotonic() - begin:.1f} s", flush=True)
            else:
                failed += 1
                print(f"FAILED  {name}: {error}", flush=True)
                if d.proc.poll() is not None:  # nothing else can pass
                    print(f"daemon ended with {d.proc.returncode}:\n{d.log()[-6000:]}", flush=True)
                    os._exit(1)
                if not isinstance(error, Failed):
                    print(trace)
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            for n, f in chosen:
                pool.submit(one, n, f)
        expect(d.proc.poll() is None, f"daemon ended with {d.proc.returncode}")
    finally:
        if "-v" in sys.argv and failed:
            print(d.log()[-4000:])
        d.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
