"""test/e2e/flv_reader.py - reads FLV by the specification alone (Adobe FLV 10.1,
Enhanced RTMP v1): what ffmpeg of Debian 12 cannot, H.265 by codec id 12 and by
its FourCC. The pictures come out as Annex B."""
import urllib.request

from rig import HANG_S, Failed

START = b"\0\0\0\1"


class Reader:
    def __init__(self, url):
        self.f = urllib.request.urlopen(url, timeout=HANG_S)
        head = self.take(13)
        if head[:4] != b"FLV\x01" or head[5:9] != b"\0\0\0\x09" or head[9:] != b"\0\0\0\0":
            raise Failed(f"{url}: FLV head {head.hex()}")
        self.flags = head[4]

    def take(self, n):
        got = b""
        while len(got) < n:
            more = self.f.read(n - len(got))
            if not more:
                raise Failed("FLV: the stream has ended")
            got += more
        return got

    def tag(self):
        """(kind, milliseconds, body) of the next tag."""
        head = self.take(11)
        n = int.from_bytes(head[1:4], "big")
        body = self.take(n)
        if int.from_bytes(self.take(4), "big") != n + 11:
            raise Failed("FLV: PreviousTagSize is wrong")
        return head[0], int.from_bytes(head[7:8] + head[4:7], "big"), body

    def close(self):
        self.f.close()


def parameter_sets(hvcc):
    """Those of an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1), and the size of NAL lengths."""
    sets, at = [], 23
    for _ in range(hvcc[22]):
        n = int.from_bytes(hvcc[at + 1:at + 3], "big")
        at += 3
        for _ in range(n):
            size = int.from_bytes(hvcc[at:at + 2], "big")
            sets.append(hvcc[at + 2:at + 2 + size])
            at += 2 + size
    if at != len(hvcc):
        raise Failed(f"hvcC: {len(hvcc) - at} bytes left over")
    return sets, (hvcc[21] & 3) + 1


def video_body(body):
    """(is configuration, is key, payload) of a video tag; None: neither picture nor configuration."""
    if body[0] & 0x80:  # enhanced: packet type, FourCC
        kind = body[0] & 0xf
        if body[1:5] != b"hvc1":
            raise Failed(f"FLV: FourCC {body[1:5]}")
        key = body[0] >> 4 & 7 == 1
        return {0: (True, key, body[5:]), 1: (False, key, body[8:]), 3: (False, key, body[5:])}.get(kind)
    if body[0] & 0xf != 12:
        raise Failed(f"FLV: video codec {body[0] & 0xf}")
    return {0: (True, body[0] >> 4 == 1, body[5:]), 1: (False, body[0] >> 4 == 1, body[5:])}.get(body[1])


def hevc(url, pictures):
    """So many pictures as Annex B, and the audio tags' first bytes on the way."""
    r = Reader(url)
    out, sounds, n, size, last = b"", [], 0, 0, {8: -1, 9: -1}
    try:
        while n < pictures:
            kind, ms, body = r.tag()
            if kind not in last:
                continue
            if ms < last[kind]:
                raise Failed(f"FLV: {ms} ms behind {last[kind]}")
            last[kind] = ms
            if kind == 8:
                sounds.append(body[0])
                continue
            got = video_body(body)
            if got is None:
                continue
            config, key, payload = got
            if config:
                sets, size = parameter_sets(payload)
                out += b"".join(START + s for s in sets)
                continue
            if not size or (n == 0 and not key):
                raise Failed("FLV: a picture before the configuration, or no key frame first")
            at = 0
            while at < len(payload):
                length = int.from_bytes(payload[at:at + size], "big")
                out += START + payload[at + size:at + size + length]
                at += size + length
            if at != len(payload):
                raise Failed("FLV: NAL lengths do not add up")
            n += 1
    finally:
        r.close()
    if not r.flags & 1 or bool(r.flags & 4) != bool(sounds):
        raise Failed(f"FLV: flags {r.flags} with {len(sounds)} sounds")
    return out, sounds
