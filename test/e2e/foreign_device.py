"""test/e2e/foreign_device.py - a device that shares no code with the daemon: SIP,
digest, MANSCDP and its calls are written here again from the standard, with the
deviations that real devices show; what the platform sends is looked at too."""
import contextlib
import hashlib
import queue
import random
import re
import socket
import threading
import time
import traceback

from foreign_media import Media
from rig import HANG_S, SERVER_ID, SLOW, Failed, Watch, expect

REALM = SERVER_ID[:10]


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


def digest(challenge, user, password, uri, qop=False, quoted=False, sess=False, commas=", ", stale_nonce=None,
           method="REGISTER"):
    def field(n):
        m = re.search(rf'{n}="?([^",]+)"?', challenge)
        return m.group(1) if m else None
    realm, nonce = field("realm"), stale_nonce or field("nonce")
    ha1, ha2 = md5(f"{user}:{realm}:{password}"), md5(f"{method}:{uri}")
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
            sock = socket.create_connection(("127.0.0.1", self.d.sip), HANG_S, (self.ip, 0))
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            sock.bind((self.ip, 0))
        self.sock = sock  # bound: another thread may send at once
        self.port = self.sock.getsockname()[1]
        self.reader = threading.Thread(target=self.read, args=(self.sock,), daemon=True)
        self.reader.start()

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
        self.reader.join(2)  # else it may read of whatever gets the number of the socket next
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
        watch = Watch()
        with self.cond:
            while True:
                for m in getattr(self, box):
                    if pred(m):
                        return m
                if watch.s() >= timeout * SLOW:
                    raise Failed(f"{self.id}: no {what}")
                self.cond.wait(0.1)

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
        self.via = lambda v: v      # changes the Vias of the answer
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
            self.remember(c.status, "Refused", c.headers or (), b"")
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
        h += [("Via", c.via(v)) for v in m.all("Via")] + [("Content-Length", str(len(body)))]
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
