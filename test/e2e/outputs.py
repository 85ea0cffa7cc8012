#!/usr/bin/env python3
"""test/e2e/outputs.py [NAME...] - what the daemon gives besides FLV and fMP4: the program stream as it came,
HLS, the newest key frame, go2rtc's dialect. Judged against what the device sent, by a reader of our own and by
ffmpeg.

BUILD names the folder of the programs, SLOW stretches the time limits."""
import sys
import threading

import foreign
from foreign import Call, camera, expect, grab, start, stop, urls
from rig import Daemon

TESTS = []


def test(fn):
    TESTS.append((fn.__name__, fn))
    return fn


def keep_what_is_sent():
    """Each Media remembers its program stream."""
    packets = foreign.Media.packets

    def kept(self, data, pts):
        self.ps = getattr(self, "ps", b"") + data
        packets(self, data, pts)
    foreign.Media.packets = kept


def sent_by(dev):
    return dev.medias[-1].ps


def key_packs(ps, codec):
    """Where packs begin that hold a key frame: foreign.Media puts system header and map there."""
    at, out = ps.find(b"\0\0\1\xba"), []
    while at >= 0:
        if ps.find(b"\0\0\1\xbb", at, at + 40) >= 0:
            out.append(at)
        at = ps.find(b"\0\0\1\xba", at + 4)
    return out


def same_bytes(d, transport, codec, audio, seconds=2.5, **stream):
    with camera(d) as dev:
        dev.call = Call(stream=dict(codec=codec, audio=audio, **stream))
        u = urls(start(d, dev, transport))
        late = []
        data, _ = grab(u["ps"], seconds)
        second = threading.Thread(target=lambda: late.append(grab(u["ps"], 0.3)[0]))
        second.start()
        second.join()
        sent = sent_by(dev)
        for got in (data, late[0]):
            at = sent.find(got[:2000])
            expect(len(got) > 2000 and at >= 0, f"{len(got)} bytes that were not sent so")
            expect(sent[at:at + len(got)] == got, "not the bytes of the device")
            expect(at in key_packs(sent, codec), f"begins at {at}, where no key frame is")
        stop(d, dev)


@test
def ps_is_what_the_device_sent(d):
    same_bytes(d, "udp", "h264", "alaw", reorder=0.05, dup=0.05)
    same_bytes(d, "tcp-passive", "h265", "aac", marker="never", size=333)


@test
def ps_of_a_codec_that_nobody_reads(d):
    # SVAC, and an audio of its own: only the map says so, and the bytes hold no NAL unit
    made = foreign.Clip.__new__(foreign.Clip)
    made.codec, made.late = "h264", [0] * 25
    made.units = [(bytes([7 + i]) * 3000, i == 0, []) for i in range(25)]
    foreign.CLIPS["h264-svac"] = made
    with camera(d) as dev:
        dev.call = Call(stream=dict(codec="h264-svac", declared=0x80, audio="alaw", audio_type=0x93))
        u = urls(start(d, dev))
        data, _ = grab(u["ps"], 2)
        sent = sent_by(dev)
        at = sent.find(data[:2000])
        expect(at in key_packs(sent, "svac"), f"begins at {at}")
        expect(sent[at:at + len(data)] == data, "not the bytes of the device")
        a = d.call("GET", u["flv"][len(d.base):])
        expect(a.status == 409 and a.json["code"] == "codec-unsupported" and ".ps" in a.json["hint"], a.body)
        stop(d, dev)


def main():
    wanted = sys.argv[1:]
    keep_what_is_sent()
    d = Daemon(settings=["media.threads=3"])
    failed = 0
    try:
        for name, fn in TESTS:
            if wanted and name not in wanted:
                continue
            try:
                fn(d)
                print(f"ok      {name}", flush=True)
            except Exception as e:  # the others are of interest, too
                failed += 1
                print(f"FAILED  {name}: {type(e).__name__}: {e}", flush=True)
        if failed:
            print(d.log()[-3000:])
    finally:
        d.close()
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
