"""test/e2e/lives.py - live sessions in the field: key frames that are asked for,
cameras and servers that come back; run by run.py."""
import concurrent.futures
import contextlib
import socket
import time

from flv_reader import Reader
from rig import HANG_S, SLOW, Cameras, Tests, Watch, channel_id, cpu_s, expect, system, wait_for

DEVICE = "34020000001180000001"
VIDEO, KEY, PICTURE = 9, 0x10, 1
CACHED_S = 10  # a longer group of pictures is not kept
test = Tests()


def url_of(d, channel, fmt="flv", transport="udp", **body):
    a = d.live(DEVICE, channel, transport=transport, **body)
    expect(a.status == 200, f"{channel}: {a.status} {a.body[:300]}")
    return a.json[fmt]


def first_picture(reader):
    """The first tag with a picture, which must be a key frame."""
    while True:
        kind, ms, body = reader.tag()
        if kind == VIDEO and body[1] == PICTURE:
            expect(body[0] & 0xF0 == KEY, "the first picture is a key frame")
            return ms


@test
def note_16_8_idle_devices_cost_nothing():
    """A hundred devices, no viewer: no loop is busy."""
    with system(devices=100) as (d, _):
        time.sleep(2)
        before = cpu_s(d.proc.pid)
        time.sleep(4)
        used = (cpu_s(d.proc.pid) - before) * 1000
        expect(used < 4000 * 0.01 * SLOW, f"{used:.1f} ms of CPU in 4 s")


@test
def a_late_viewer_of_a_long_gop_sees_it_at_once():
    """A key frame a minute, and the last one is not cached any more: the camera is asked for another one, by a
    viewer and by HLS."""
    with system("--fault", "long-gop") as (d, c):
        channel = channel_id(DEVICE)
        watching = Reader(url_of(d, channel))
        begin = first_picture(watching)
        while watching.tag()[1] < begin + (CACHED_S + 1) * 1000:
            pass
        expect("order=IFameCmd" not in c.log(), "nobody had to ask")
        watch = Watch()
        late = Reader(url_of(d, channel))
        first_picture(late)
        expect(watch.s() < 1.5 * SLOW, f"a picture after {watch.s():.1f} s")
        expect("order=IFameCmd" in c.log(), "it was asked for")
        late.close()
        a = d.call("GET", f"/live/{DEVICE}/{channel}/index.m3u8", timeout=HANG_S)
        expect(a.status == 200 and b"#EXTINF" in a.body, f"HLS: {a.status} {a.body[:300]}")
        watching.close()


@test
def a_camera_that_does_not_heed_is_left_in_peace():
    """The viewer waits, the others watch, and it is said of the device."""
    with system("--fault", "long-gop", "--fault", "no-key-frame") as (d, c):
        channel = channel_id(DEVICE)
        watching = Reader(url_of(d, channel))
        begin = first_picture(watching)
        while watching.tag()[1] < begin + (CACHED_S + 1) * 1000:
            pass
        path = "/" + url_of(d, channel).split("/", 3)[3]
        with socket.create_connection((d.host, d.http)) as late:
            late.sendall(f"GET {path} HTTP/1.1\r\nHost: {d.host}\r\n\r\n".encode())
            end = watching.tag()[1] + 9000
            while watching.tag()[1] < end:
                pass
        asked = c.log().count("order=IF")
        expect(2 <= asked <= 4, f"asked {asked} times")
        told = d.call("GET", f"/api/v1/devices/{DEVICE}/profile").body.decode()
        expect("no key frame" in told, told[:2000])
        watching.close()


@test
def eight_streams_come_back_behind_a_kill():
    """The camera has one session for each channel, and holds on to those of before: they are ended first."""
    channels = [channel_id(DEVICE, n) for n in range(1, 9)]
    with (system("--keepalive", "2", "--sessions", "8", channels=8) as (d, c),
          concurrent.futures.ThreadPoolExecutor(8) as pool):
        def play(channel):
            reader = Reader(url_of(d, channel))
            first_picture(reader)
            return reader

        before = list(pool.map(play, channels))
        d.stored()
        d.kill()
        expect("stream ends" not in c.log(), "nobody has told the camera")
        for reader in before:
            reader.close()
        d.start()
        wait_for("online again", lambda: len(d.online()) == 1, timeout=15)
        for reader in pool.map(play, channels):
            reader.close()
        expect(c.log().count("stream ends") == 8, "each of the old ones got its BYE")


def starts_anew(signalling):
    """The camera is killed and another one of the same ids started, elsewhere: who watches sees it go on."""
    with (system("--transport", signalling, channels=2) as (d, c), concurrent.futures.ThreadPoolExecutor(2) as pool):
        ways = zip((channel_id(DEVICE, n) for n in (1, 2)), ("udp", "tcp-passive"))
        readers = [Reader(url_of(d, channel, transport=transport)) for channel, transport in ways]
        before = list(pool.map(first_picture, readers))
        sessions = {s["id"] for s in d.get("/api/v1/sessions")["items"]}
        c.kill()
        with contextlib.closing(Cameras(d, "--transport", signalling, "--channels", "2", device=DEVICE)) as other:
            def goes_on(reader, begin):
                """A key frame of the new one: its first has the time that has passed meanwhile."""
                wait_for("the INVITE", lambda: other.log().count("stream begins") == 2, timeout=15)
                frames, ms = 0, begin
                while frames < 40:
                    kind, at, body = reader.tag()
                    if kind == VIDEO and body[1] == PICTURE:
                        expect(at >= ms, f"{at} ms behind {ms}")
                        ms, frames = at, frames + (at > begin + 1500)

            for done in [pool.submit(goes_on, *x) for x in zip(readers, before)]:
                done.result()
            expect({s["id"] for s in d.get("/api/v1/sessions")["items"]} == sessions, "the sessions are the same")
        for reader in readers:
            reader.close()


@test
def a_camera_that_starts_anew_is_taken_over():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(starts_anew, t) for t in ("udp", "tcp")]:
            done.result()
