"""test/e2e/foreign_judge.py - what a viewer got, by ffprobe and ffmpeg: streams,
times, and each picture against the clip that went in."""
import json
import tempfile
import time
import urllib.request

from foreign_media import annexb, clip_of, run
from rig import HANG_S, SLOW, Failed, Watch, expect


PIECE_S = 0.2  # a longer pause is the machine's


class Heard:
    """For how long something has come."""

    def __init__(self):
        self.at, self.s = None, 0.0

    def more(self):
        now = time.monotonic()
        self.s += min(now - self.at, PIECE_S) if self.at else 0
        self.at = now
        return self.s


def grab(url, seconds):
    """What a viewer receives in `seconds`, and whether the stream ended."""
    out, heard, watch = bytearray(), Heard(), Watch()
    with urllib.request.urlopen(url, timeout=HANG_S) as r:
        while watch.s() < (seconds + 12) * SLOW:
            got = r.read1(65536)
            if not got:
                return bytes(out), True
            out += got
            if heard.more() >= seconds:
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


NAMES = {"h264": "h264", "h265": "hevc"}  # of ffmpeg


def probe(name, fmt):
    """What ffprobe tells of the file, without a word of complaint."""
    out, err = run(["ffprobe", "-v", "error", "-show_streams", "-show_packets", "-of", "json", name])
    expect(not err.strip(), f"{fmt}: ffprobe: {err[-400:]}")
    return json.loads(out)


def pictures_of(name, fmt, codec, bad):
    """The video of the file as Annex B."""
    es, err = run(["ffmpeg", "-v", "error", "-i", name, "-map", "0:v:0", "-c", "copy", "-bsf:v",
                   f"{NAMES[codec]}_mp4toannexb", "-f", NAMES[codec], "-"])
    expect(bad or not err.strip(), f"{fmt}: ffmpeg: {err[-400:]}")
    return es


def stamps_of(got, fmt, bad):
    """The times of each kind's packets, none of which goes back."""
    stamps = {}
    for p in got["packets"]:
        stamps.setdefault(p["codec_type"], []).append(float(p["dts_time"]))
    for kind, times in stamps.items():
        for a, b in zip(times, times[1:]):
            if b < a or (b == a and kind == "video" and not bad):
                raise Failed(f"{fmt}: {kind} timestamp {b} behind {a}")
    return stamps


def expect_audio(kinds, stamps, fmt, codecs, at_least):
    expect("audio" in kinds, f"{fmt}: no audio, only {list(kinds)}")
    expect(kinds["audio"]["codec_name"] in codecs, f"{fmt}: audio is {kinds['audio']['codec_name']}")
    expect(len(stamps.get("audio", [])) > at_least, f"{fmt}: {len(stamps.get('audio', []))} audio packets")


def expect_video(kinds, fmt, codec):
    expect("video" in kinds, f"{fmt}: no video, only {list(kinds)}")
    v = kinds["video"]
    expect((v["codec_name"], v["width"], v["height"]) == (NAMES[codec], 640, 360),
           f"{fmt}: {v['codec_name']} {v.get('width')}")


def numbers_of(es, clip, fmt, bad):
    """Which pictures of the clip these are; so many may be `bad`."""
    seen = []
    for _, key, slices in annexb(es, clip.codec):
        i = clip.number.get(tuple(slices))
        if i is None and bad:
            bad -= 1
            continue
        expect(i is not None, f"{fmt}: a picture of {[len(n) for n in slices]} bytes that was never sent, behind {len(seen)} "
               "good ones")
        expect(seen or key, f"{fmt}: begins with picture {i}, not a key frame")
        seen.append(i)
    return seen


def expect_pace(t, fmt):
    """25 pictures a second."""
    steps = sorted(y - x for x, y in zip(t, t[1:]))
    expect(abs(steps[len(steps) // 2] - 0.04) < 0.003, f"{fmt}: {steps[len(steps) // 2]:.3f} s between pictures")
    expect(abs(t[-1] - t[0] - 0.04 * (len(t) - 1)) < 0.25, f"{fmt}: {len(t)} pictures take {t[-1] - t[0]:.2f} s")


def expect_shown(got, seen, clip, fmt):
    """Each when it is to be seen; to the step where the clip has B pictures."""
    shown = [float(p["pts_time"]) for p in got["packets"] if p["codec_type"] == "video" and "pts_time" in p]
    off = 0.005 if any(clip.late) else 0.25
    for k, at in enumerate(shown):
        want = (k + clip.late[seen[k]] - clip.late[seen[0]]) * 0.04
        expect(abs(at - shown[0] - want) < off, f"{fmt}: picture {k} is shown at {at - shown[0]:.3f} s, not {want:.3f}")


def judge(data, fmt, codec, seconds=2, exact=True, audio=None, video=True, least=0.6, bad=0):
    """The streams, their timestamps, and each picture against the clip."""
    data = whole(data, fmt)
    clip = clip_of(codec)
    with tempfile.NamedTemporaryFile(suffix="." + {"flv": "flv", "fmp4": "mp4"}[fmt]) as f:
        f.write(data)
        f.flush()
        by_hand = fmt == "flv" and clip.codec == "h265" and video
        es, got = flv_h265(data) if by_hand else (None, probe(f.name, fmt))
        if fmt == "flv":
            expect(all(ms == 0 for kind, ms, _ in flv_tags(data) if kind == 18), "flv: metadata that is not of time 0")
        kinds = {s["codec_type"]: s for s in got["streams"]}
        stamps = stamps_of(got, fmt, bad)
        if audio:
            expect_audio(kinds, stamps, fmt, audio, 8 * seconds * least)
        if not video:
            expect("video" not in kinds or not stamps.get("video"), f"{fmt}: video where none was sent")
            return got
        expect_video(kinds, fmt, clip.codec)
        if not by_hand:
            es = pictures_of(f.name, fmt, clip.codec, bad)
    seen = numbers_of(es, clip, fmt, bad)
    expect(len(seen) >= 25 * seconds * least, f"{fmt}: {len(seen)} pictures in {seconds} s")
    if exact:
        for a, b in zip(seen, seen[1:]):
            expect(b == (a + 1) % len(clip.units), f"{fmt}: picture {b} behind {a}")
    if exact and least == 0.6:
        expect_pace(stamps["video"], fmt)
        expect_shown(got, seen, clip, fmt)
    return got
