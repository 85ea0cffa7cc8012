"""test/e2e/cameras.py - every codec over every transport in every format, and
cameras with every fault there is, many at the same time; run by run.py."""
import concurrent.futures
import contextlib
import os
import subprocess
import tempfile

import flv_reader
from rig import (
    HANG_S, SLOW, Cameras, Daemon, Failed, Tests, Watch, channel_id, check_picture, decode, run_ffmpeg, wait_for)

TRANSPORTS = ("udp", "tcp-passive", "tcp-active")
test = Tests()


def device(n):
    return f"3402000000118{n:07d}"


@contextlib.contextmanager
def daemon_with(options, channels=1, settings=()):
    """A daemon and a process of gbcam for each of the options; all online, with their channels."""
    d = Daemon(settings=["media.idle_stop_s=60", *settings], media=300)
    cameras = []
    try:
        for i, o in enumerate(options):
            cameras.append(Cameras(d, "--channels", str(channels), *o, device=device(i + 1)))
        wait_for("all online", lambda: len(d.online()) == len(options), timeout=40)
        wait_for("catalogs", lambda: all(x["channels"] == channels for x in d.online()), timeout=40)
        yield d
    except Exception:
        print("---- daemon log ----\n" + d.log()[-3000:])
        raise
    finally:
        with contextlib.ExitStack() as stack:  # all of them, whichever fails
            stack.callback(d.close)
            for c in cameras:
                stack.callback(c.close)


def live(d, n, channel=1, **body):
    a = d.live(device(n), channel_id(device(n), channel), **body)
    if a.status != 200:
        raise Failed(f"live {body}: {a.status} {a.body[:400]}")
    return a.json["urls"] if "urls" in a.json else a.json


def at_the_same_time(jobs, workers=6):
    """[(name, function)]: all of them, and every failure by its name."""
    bad = []

    def one(job):
        try:
            job[1]()
        except Exception as e:
            bad.append(f"{job[0]}: {e}")

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, jobs))
    if bad:
        raise Failed(f"{len(bad)} of {len(jobs)}:\n" + "\n".join(bad))


# ---- codecs, transports, formats ----

CODECS = [("h264", "g711a"), ("h265", "g711u"), ("h264", "aac"), ("h265", "aac")]


def judge(url, fmt, codec, audio, size="640x360"):
    if fmt == "flv" and codec == "h265":
        annexb, sounds = flv_reader.hevc(url, 40)
        wanted = {"g711a": 0x70, "g711u": 0x80, "aac": 0xa0}[audio]
        if len(sounds) < 15 or any(s & 0xf0 != wanted for s in sounds):
            raise Failed(f"{url}: sounds {[hex(s) for s in sounds[:5]]}, {len(sounds)}")
        lines = run_ffmpeg(url, ["-f", "hevc", "-i", "-"], stdin=annexb)
        if len([x for x in lines if not x.startswith("#")]) != 40 or f"#dimensions 0: {size}" not in lines:
            raise Failed(f"{url}: {lines[:6]}")
    else:
        # no player knows G.711 in a transport stream: it is left out
        tracks = ("video",) if fmt == "ts" and audio != "aac" else ("audio", "video")
        decode(url, 2, tracks=tracks, size=size)


def matrix(threads):
    with daemon_with([("--codec", c, "--audio", a) for c, a in CODECS], channels=3,
                     settings=[f"media.threads={threads}"]) as d:
        jobs = []
        for k, transport in enumerate(TRANSPORTS):
            for n, (codec, audio) in enumerate(CODECS):
                urls = live(d, n + 1, k + 1, transport=transport)
                jobs += [(f"{codec}+{audio} over {transport} as {f}", lambda a=(urls[f], f, codec, audio): judge(*a))
                         for f in ("fmp4", "flv", "ts")]
        sessions = d.get("/api/v1/sessions")["items"]
        if sorted(s["transport"] for s in sessions) != sorted(TRANSPORTS * len(CODECS)):
            raise Failed(f"transports: {[s['transport'] for s in sessions]}")
        at_the_same_time(jobs, workers=12)


@test
def every_codec_over_every_transport():
    matrix(1)


@test
def every_codec_over_every_transport_three_loops():
    matrix(3)


@test
def main_and_sub_stream_at_the_same_time():
    """Another picture size behind ?stream=sub on every URL, in every edition; two sessions of one channel."""
    with daemon_with([("--edition", "2.0"), ("--edition", "3.0", "--codec", "h265", "--audio", "aac")]) as d:
        def one(n, codec, audio):
            ch = channel_id(device(n))
            main, sub = live(d, n), live(d, n, stream="sub")
            streams = [s["stream"] for s in d.get("/api/v1/sessions")["items"] if s["device"] == device(n)]
            if sorted(streams) != ["main", "sub"]:
                raise Failed(f"sessions: {streams}")
            for key, text in sub.items():
                if isinstance(text, str) and "://" in text and "stream=sub" not in text:
                    raise Failed(f"{key}: {text}")
            judge(main["fmp4"], "fmp4", codec, audio)
            for fmt in ("fmp4", "flv", "ts"):
                judge(sub[fmt], fmt, codec, audio, size="320x180")
            decode(sub["fmp4"] + "&audio=0", 1, tracks=("video",), size="320x180")
            path = f"/api/v1/devices/{device(n)}/channels/{ch}/live"
            if d.call("DELETE", path + "?stream=sub").status != 204:
                raise Failed("the sub-stream is not stopped")
            wait_for("main alone", lambda: [s["stream"] for s in d.get("/api/v1/sessions")["items"]
                                            if s["device"] == device(n) and s["state"] == "playing"] == ["main"])
            decode(main["fmp4"], 1)
        at_the_same_time([("2016", lambda: one(1, "h264", "g711a")), ("2022", lambda: one(2, "h265", "aac"))])


# ---- faults ----

# Faults that go together, how they are asked for, and what differs from a
# picture and a sound in fMP4.
FAULTS = [
    ("no-y bare-pack marker-never start3 ts-zero", "udp", {}),
    ("other-y no-pack pes-per-nal marker-always aud", "udp", {}),
    ("wrong-ssrc pack-each-pes extension ts-ms filler", "udp", {}),
    ("zero-ssrc pack-stuffing short-map csrc trailing-zeros", "tcp-passive", {}),
    ("short-y bad-scr psm-lies padding sets-once", "udp", {}),
    ("zero-addr psm-flaps pts-each padding-absurd big-sei", "udp", {}),
    ("empty-addr crc-reversed small-pes ts-per-packet private-data", "udp", {}),
    ("lengths private-data", "udp", {}),
    ("private-addr no-psm length0 small-packets other-port", "udp", {}),
    ("addr-port psm-once length65535 other-pt port-moves", "udp", {}),
    ("odd-name odd-format odd-size extra-lines two-in-pes foreign rtcp-muxed", "udp", {}),
    ("all-formats unended pes-mpeg1 zeros early", "tcp-passive", {}),
    ("sets-apart imkh pes-stuffing establishing keeps-on", "udp", {}),
    ("late-key pts-wrap lf-only", "udp", {"seconds": 6}),
    ("y-first clock-jump dollar", "tcp-passive", {"seconds": 6}),
    ("no-setup ehome pts32", "tcp-passive", {"seconds": 5}),
    ("same-setup bare-ps pts-restart", "tcp-passive", {"seconds": 5}),
    ("big-packets reconnect no-pts", "tcp-passive", {"seconds": 5, "slack": 0.3, "lost": True}),
    ("listen-late same-setup audio-8k", "tcp-active", {}),
    ("no-setup early audio-same", "tcp-active", {}),
    ("udp-answer no-audio-pts audio-ahead", "tcp-passive", {}),
    ("uneven audio-first", "udp", {}),
    ("pts-back not-announced", "udp", {}),
    ("aac-as-g711", "udp", {"options": ("--audio", "aac")}),
    ("aac-headers sets-late fill", "udp", {"options": ("--audio", "aac")}),
    ("g711-as-aac", "udp", {}),
    ("only-announced", "udp", {"tracks": ("video",)}),
    ("sps-change", "udp", {"format": "flv", "pictures": 125}),
    ("seq-restart", "udp", {"seconds": 5, "slack": 0.3, "lost": True}),
    ("cut-frames", "tcp-passive", {"seconds": 4, "slack": 0.3, "lost": True}),
]


def plays_with(d, n, transport, x):
    url = live(d, n, transport=transport)[x.get("format", "fmp4")]
    wanted = {k: x[k] for k in ("seconds", "slack", "tracks") if k in x}
    if "pictures" in x:  # of changing size, each decoded
        lines = run_ffmpeg(url, ["-i", url, "-map", "0:v", "-frames:v", str(x["pictures"])])
        if len([line for line in lines if line[0] != "#"]) != x["pictures"]:
            raise Failed(lines[-3:])
    elif "lost" in x:  # cannot all be decoded; it goes on behind the next key frame
        check_picture(url, "h264", **wanted)
    else:
        decode(url, **wanted)


@test
def cameras_with_every_fault():
    """Each process of gbcam has some; all of them send at the same time."""
    some = FAULTS if SLOW == 1 else FAULTS[::3]  # a sanitizer has not the time
    with daemon_with([(*sum((["--fault", f] for f in names.split()), []), *x.get("options", ()))
                      for names, _, x in some]) as d:
        at_the_same_time([(names, lambda n=n, t=t, x=x: plays_with(d, n + 1, t, x))
                          for n, (names, t, x) in enumerate(some)], workers=8)


def make_clip(path, *options):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=s=320x180:r=25",
                    "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", *options, "-f", "h264", path],
                   check=True, timeout=HANG_S)


@test
def odd_encoders_are_tolerated():
    """B pictures, a key frame a minute, four slices a picture."""
    with tempfile.TemporaryDirectory(prefix="gb28181d-clips-") as folder:
        b, rare, slices = (os.path.join(folder, name) for name in ("b", "rare", "slices"))
        make_clip(b, "-t", "4", "-g", "25", "-bf", "2", "-x264-params",
                  "b-adapt=0:b-pyramid=none:scenecut=0:open-gop=0")
        make_clip(rare, "-t", "60", "-g", "1500", "-keyint_min", "1500", "-bf", "0", "-sc_threshold", "0")
        make_clip(slices, "-t", "2", "-g", "25", "-bf", "0", "-x264-params", "slices=4")
        with daemon_with([("--media", rare), ("--media", b, "--fault", "b-frames"), ("--media", slices)]) as d:
            def one(n, fmt):
                url = live(d, n)[fmt]
                tracks = ("video",) if fmt == "ts" else ("audio", "video")
                decode(url, 3, size="320x180", tracks=tracks)
                if n > 1:  # who comes later begins with the cache
                    decode(url, 2, size="320x180", tracks=tracks)
            at_the_same_time([(f"{what} in {fmt}", lambda n=n, fmt=fmt: one(n, fmt)) for n, what in
                              ((1, "a key frame a minute"), (2, "B pictures"), (3, "slices"))
                              for fmt in ("fmp4", "flv", "ts")])


@test
def parameter_sets_of_the_session_before():
    """A camera whose first key frames have none (field-note 8.8): from the second session on it plays at once."""
    late = ("--fault", "sets-late")
    with daemon_with([late, (*late, "--codec", "h265")]) as d:
        def first_picture_ms(n, **body):
            url = live(d, n, **body)["fmp4"]
            size = "320x180" if body else "640x360"
            decode(url, 2, size=size)
            s = [s for s in d.get("/api/v1/sessions")["items"] if s["device"] == device(n) and s["state"] == "playing"]
            path = f"/api/v1/devices/{device(n)}/channels/{channel_id(device(n))}/live"
            if d.call("DELETE", path + ("?stream=sub" if body else "")).status != 204:
                raise Failed("it is not stopped")
            wait_for("the end", lambda: not [s for s in d.get("/api/v1/sessions")["items"] if s["device"] == device(n)])
            return s[0]["steps_ms"]["key"] - s[0]["steps_ms"]["codec"]

        def one(n):
            before, watch = first_picture_ms(n), Watch()
            after = first_picture_ms(n)
            most = min(500 * watch.slow() + watch.held_ms(), 1500)  # else it has waited for the sets
            if before < 1500 or after > most:
                raise Failed(f"{before} ms to the first picture, then {after}")
            sub = first_picture_ms(n, stream="sub")
            if sub < 1500:
                raise Failed(f"the sub-stream begins with the sets of the main one: {sub} ms")
        at_the_same_time([("h264", lambda: one(1)), ("h265", lambda: one(2))])
