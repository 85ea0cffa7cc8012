"""test/e2e/foreign_media.py - what the device that shares no code with the daemon
sends: clips, program streams and RTP, with the deviations that real devices show."""
import contextlib
import json
import random
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time

from rig import HANG_S, TOP, expect


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


def run(args, data=None):
    p = subprocess.run(args, input=data, capture_output=True, timeout=HANG_S, check=False)
    return p.stdout, p.stderr.decode(errors="replace")


def make_clip(name):
    codec, options = MADE[name]
    with tempfile.TemporaryDirectory() as at:
        mp4 = at + "/clip.mp4"
        _, err = run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=640x360:r=25", "-t", "2", "-pix_fmt", "yuv420p",
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
AAC_LOCK = threading.Lock()


def aac_frames():
    """ADTS frames, 1024 samples at 16 kHz each."""
    with AAC_LOCK:
        if not _aac:
            data = subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:r=16000:d=8", "-c:a", "aac", "-b:a",
                                   "32k", "-f", "adts", "-"], capture_output=True, check=True, timeout=HANG_S).stdout
            at = 0
            while at + 7 <= len(data):
                n = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
                _aac.append(data[at:at + n])
                at += n
    return _aac


LATE_S = 0.2


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
            self.sock = socket.create_connection((dlg.host, dlg.rtp), HANG_S, (dlg.dev.ip, 0))
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            if dlg.call.listen_late:
                time.sleep(0.7)
                dlg.listener.listen(2)
            dlg.listener.settimeout(HANG_S)
            self.sock, _ = dlg.listener.accept()
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def loop(self):
        o, clip = self.o, clip_of(self.o.codec)
        begin = time.monotonic()
        n = 0
        while not self.stopped.is_set():
            due = begin + n * 0.04
            wait = due - time.monotonic()
            if wait < -LATE_S:  # the machine held it up: what it missed does not come at once
                begin -= wait
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
