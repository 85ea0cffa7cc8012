"""test/e2e/foreign_bed.py - one test of the device that shares no code with the
daemon: the list of tests, a camera that is registered, a stream that is judged,
one that is refused."""
import contextlib
import json
import sys

from foreign_device import Call, Device
from foreign_judge import grab, judge
from foreign_media import aac_frames, clip_of
from rig import SLOW, Failed, Watch, expect, wait_for

HELD_MS = 180
TESTS = []


def test(fn):
    TESTS.append((fn.__name__, fn))
    return fn


def case(name, fn, *args, **kw):
    TESTS.append((name, lambda d: fn(d, *args, **kw)))


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


def unless_held_up(fn):
    """Once or twice more where the machine held us up so long that a stream of a picture that stops in the middle is
    another one: 200 ms without a byte are its end, where nothing else tells."""
    for last in (False, False, True):
        watch = Watch()
        try:
            return fn()
        except Failed:
            if last or watch.held_ms() < HELD_MS:
                raise


def live(d, stream=None, transport="udp", codec=None, formats=("flv",), seconds=2, exact=True, audio=None, video=True,
         least=0.6, bad=0, check=None, edition=None, tcp=False, api_audio=None, start_seconds=None, **call):
    """One device, one stream, judged."""
    stream = dict(stream or {})
    codec = codec or stream.get("codec", "h264")
    clip_of(codec)  # made before anybody waits for it
    if stream.get("audio") == "aac":
        aac_frames()
    with camera(d, tcp, edition=edition) as dev:
        dev.call = Call(stream=stream, **call)
        watch = Watch()
        a = start(d, dev, transport)
        took = watch.s()
        u = urls(a)
        for f in formats:
            unless_held_up(lambda f=f: judge(grab(u[f], seconds)[0], f, codec, seconds, exact,
                                             audio and (audio if f == "flv" else (*audio, "flac")), video, least, bad))
        if start_seconds:
            expect(took < start_seconds * SLOW, f"the picture took {took:.1f} s")
        if check:
            check(d, dev, a)
        stop(d, dev)


def refused(d, transport="udp", statuses=(502, 504, 409), steps=("answer",), evidence=None, check=None, limit=14, **call):
    """One device that does not play; the API must say which link is broken."""
    with camera(d) as dev:
        dev.call = Call(**call)
        watch = Watch()
        a = d.live(dev.id, dev.channel, transport=transport)
        took = watch.s()
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
