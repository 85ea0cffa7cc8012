"""test/e2e/rig.py - a daemon and simulated cameras on free ports of loopback,
and the API client that the end-to-end tests share. Python standard library
only."""
import atexit
import concurrent.futures
import contextlib
import faulthandler
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

for name in ("LC_ALL", "LC_MESSAGES"):  # what the programs say is looked for in English
    os.environ.pop(name, None)
os.environ["LANG"] = "C.UTF-8"

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build", "release"))
# sanitizers slow everything down: time limits are stretched by this
SLOW = float(os.environ.get("SLOW", "1"))
EMULATED = os.path.basename(BUILD) == "qemu"  # the programs run under qemu-user: tools/cross.sh
HANG_S = 120 * SLOW  # what takes longer hangs: nothing else takes so long, however busy the machine is
SERVER_ID = "34020000002000000001"


_lock = threading.Lock()  # tests run two at a time
# all below those that the system gives to sockets that ask for any
PORTS = range(10000, 18000)
MEDIA_PORTS = range(18000, 32600)
SHARE = 200        # of either, for one run of tests
MEDIA_SHARES = 4   # of media, at a time
MEDIA_TIMES = 3    # then what was given back comes again: others run tests too


def lock_share(first):
    """Ports that no other run of tests of this machine takes while this one lasts: who has the lock, or None."""
    with contextlib.suppress(OSError):
        lock = open(f"{tempfile.gettempdir()}/gb28181d-e2e-{os.getuid()}-ports-{first}", "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except OSError:
            lock.close()
    return None


def own_shares(ports, n):
    """n shares side by side: their locks, the first port and how many."""
    for first in range(ports.start, ports.stop - (n - 1) * SHARE, SHARE):
        locks = []
        while len(locks) < n:
            lock = lock_share(first + len(locks) * SHARE)
            if not lock:
                break
            locks.append(lock)
        if len(locks) == n:
            return locks, first, n * SHARE
        for lock in locks:
            lock.close()
    raise Failed("no share of ports is left")


class Share:
    """Ports of this run alone, given out in turn."""

    def __init__(self, ports, n):
        self.locks, self.first, self.n = own_shares(ports, n)
        self.at = 0

    def has(self, n):
        return self.at + n <= self.n

    def take(self, n):
        if not self.has(n):
            self.at = 0
        self.at += n
        return self.first + self.at - n


_share, _media, _back, _started = [], [], [], []


def started(proc):
    """A process that does not outlive the test, however it ends."""
    _started.append(proc)
    return proc


@atexit.register
def _kill_what_is_left():
    for p in _started:
        if p.poll() is None:
            p.kill()


class Limit(threading.Thread):
    """Ends a script of tests that hangs, and says where each of its threads is."""

    def __init__(self, seconds):
        super().__init__(daemon=True)
        self.seconds = seconds
        self.start()

    def run(self):
        time.sleep(self.seconds)
        print(f"FAILED  it hangs: not done after {self.seconds:.0f} s ($LIMIT_S); its threads:", flush=True)
        faulthandler.dump_traceback(sys.stdout)
        _kill_what_is_left()
        os._exit(1)  # no thread is waited for


if "LIMIT_S" in os.environ:
    Limit(float(os.environ["LIMIT_S"]) * SLOW)


def free_port(family=socket.AF_INET, host="127.0.0.1"):
    """A port that is free over UDP and TCP, of those that this run alone takes; a run has them all before one again."""
    for _ in range(SHARE):
        with _lock:
            if not _share:
                _share.append(Share(PORTS, 1))
            port = _share[0].take(1)
        with (contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as t,
              socket.socket(family, socket.SOCK_DGRAM) as u):
            t.bind((host, port))
            u.bind((host, port))
            return port
    raise Failed("no free port")


def fresh_media(n):
    if not _media or not _media[-1].has(n):
        _media.append(Share(MEDIA_PORTS, max(MEDIA_SHARES, -(-n // SHARE))))
    first = _media[-1].take(n)
    return range(first, first + n)


def media_range(n=60):
    """n ports for RTP at least, of those that this run alone takes. One that was given back comes again when this run
    has had its part, or none are left: the one that has rested longest."""
    with _lock:
        rested = next((r for r in _back if len(r) >= n), None)
        if rested and len(_media) >= MEDIA_TIMES and not _media[-1].has(n):
            _back.remove(rested)
            return rested
        try:
            return fresh_media(n)
        except Failed:
            if not rested:
                raise
            _back.remove(rested)
            return rested


class Failed(Exception):
    pass


def expect(ok, what):
    if not ok:
        raise Failed(what)


def starved_s():
    """Time in which some program waited for a processor, by the kernel's own count."""
    with contextlib.suppress(OSError, ValueError, StopIteration), open("/proc/pressure/cpu") as f:
        return int(next(w for w in f.readline().split() if w.startswith("total="))[6:]) * 1e-6
    return 0.0


class Pulse(threading.Thread):
    """Beats, and keeps when the machine did not let it, and for how long."""
    BEAT_S = 0.05

    def __init__(self):
        super().__init__(daemon=True)
        self.late = []
        self.start()

    def run(self):
        last = time.monotonic()
        while True:
            time.sleep(self.BEAT_S)
            now = time.monotonic()
            if now - last > 2 * self.BEAT_S:
                self.late.append((now, now - last))
            last = now


_pulse = Pulse()


class Watch:
    """A stopwatch for limits: where the machine is busy with other things, and programs wait for it, it goes at a fifth
    of its pace at least."""
    STARVED = 0.8

    def __init__(self):
        self.begun, self.starved = time.monotonic(), starved_s()

    def s(self):
        took = time.monotonic() - self.begun
        starved = starved_s() - self.starved + sum(s for at, s in _pulse.late if at >= self.begun)
        return took - min(starved, took) * self.STARVED

    def held_ms(self):
        """The longest time for which the machine held us up altogether."""
        return max((s for at, s in _pulse.late if at >= self.begun), default=0) * 1000

    def slow(self):
        """By how much a limit of something that was measured meanwhile is to be stretched."""
        took = time.monotonic() - self.begun
        return SLOW * took / max(self.s(), 1e-3)


def wait_for(what, fn, timeout=20.0):
    """Calls fn until it gives something true; that is returned."""
    watch = Watch()
    while True:
        got = fn()
        if got:
            return got
        if watch.s() > timeout * SLOW:
            raise Failed(f"timed out: {what}")
        time.sleep(0.1)


def wait_for_end(proc, timeout):
    """The exit status of a process that ends by itself."""
    wait_for("the end of a program", lambda: proc.poll() is not None, timeout)
    return proc.returncode


def end(proc):
    """Ends a program of somebody else: one that does not hear SIGTERM is killed."""
    proc.terminate()
    try:
        proc.wait(10 * SLOW)
    except subprocess.TimeoutExpired:
        proc.kill()
        proc.wait()


def rss_mib(pid):
    """Memory of a process that is there."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmRSS:"))


def cpu_s(pid):
    """CPU of all threads, from the scheduler's own count of nanoseconds."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total * 1e-9


class Answer:
    def __init__(self, status, body, headers):
        self.status, self.body, self.headers = status, body, headers

    @property
    def json(self):
        return json.loads(self.body)


class Daemon:
    """gb28181d in a directory of its own; restarts keep the directory."""
    environ = None  # of its processes; None: ours
    before = ()  # what is run with the program and its arguments

    def __init__(self, host="127.0.0.1", settings=(), directory=None, media=60):
        self.host = host
        self.choose_ports()
        self.media = media_range(media)
        self.settings = list(settings)
        self.options = []
        self.temp = None
        if directory is None:
            self.temp = tempfile.TemporaryDirectory(prefix="gb28181d-e2e-")
            directory = self.temp.name
        self.dir = directory
        self.proc = None
        for last in (False, False, True):
            try:
                self.start()
                return
            except Failed:  # another program of these tests was faster
                if last or self.proc.returncode != os.EX_UNAVAILABLE:
                    raise
                self.choose_ports()

    def choose_ports(self):
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.sip, self.http, self.rtsp = (free_port(family, self.host) for _ in range(3))

    @property
    def bracketed(self):
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def base(self):
        return f"http://{self.bracketed}:{self.http}"

    @property
    def server(self):
        return f"sip:{SERVER_ID}@{self.bracketed}:{self.sip}"

    def start(self):
        args = [*self.before, os.path.join(BUILD, "gb28181d")]
        for s in (f"server.data={self.dir}/data", f"sip.listen={self.bracketed}:{self.sip}",
                  f"http.listen={self.bracketed}:{self.http}", f"rtsp.listen={self.bracketed}:{self.rtsp}",
                  f"media.ports={self.media.start}-{self.media.stop - 1}",
                  "media.idle_stop_s=60", *self.settings):
            args += ["-s", s]
        args += self.options
        self.log_path = os.path.join(self.dir, "daemon.log")
        self.out_path = os.path.join(self.dir, "daemon.out")
        with open(self.log_path, "ab") as log, open(self.out_path, "ab") as out:
            self.proc = started(subprocess.Popen(args, stdout=out, stderr=log, cwd=self.dir, env=self.environ))
        wait_for("daemon is healthy", self.healthy)
        with open(os.path.join(self.dir, "data", "admin-token")) as f:
            self.token = f.read().strip()
        self.password_file = os.path.join(self.dir, "data", "device-password")

    def stored(self):
        """What has happened is on the disk when this returns: a change is answered when it is stored, and all before it."""
        name = f"stored-{time.monotonic_ns()}"
        a = self.call("POST", "/api/v1/groups", {"name": name})
        expect(a.status == 201, f"POST group: {a.status} {a.body[:300]}")
        a = self.call("DELETE", f"/api/v1/groups/{name}")
        expect(a.status == 204, f"DELETE group: {a.status} {a.body[:300]}")

    def healthy(self):
        if self.proc.poll() is not None:
            raise Failed(f"daemon ended with {self.proc.returncode}:\n{self.log()[-3000:]}")
        try:
            with urllib.request.urlopen(self.base + "/healthz", timeout=2) as r:
                return r.status == 200
        except OSError:
            return False

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def output(self):
        with open(self.out_path, errors="replace") as f:
            return f.read()

    def call(self, method, path, body=None, token=True, timeout=20, headers=None):
        data = None if body is None else json.dumps(body).encode()
        req = urllib.request.Request(self.base + path, data=data, method=method, headers=headers or {})
        if token:
            req.add_header("Authorization", "Bearer " + self.token)
        if data is not None:
            req.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(req, timeout=timeout * SLOW) as r:
                return Answer(r.status, r.read(), r.headers)
        except urllib.error.HTTPError as e:
            return Answer(e.code, e.read(), e.headers)

    def get(self, path):
        a = self.call("GET", path)
        if a.status != 200:
            raise Failed(f"GET {path}: {a.status} {a.body[:300]}")
        return a.json

    def metric(self, name):
        """One line of /metrics, labels and all; 0: it is not there (yet)."""
        for line in self.call("GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def devices(self):
        return self.get("/api/v1/devices?limit=500")["items"]

    def online(self):
        return [d for d in self.devices() if d.get("online")]

    def channels(self, device):
        return self.get(f"/api/v1/devices/{device}/channels?limit=500")["items"]

    def live(self, device, channel, **body):
        """POST live; the answer, whatever it is."""
        return self.call("POST", f"/api/v1/devices/{device}/channels/{channel}/live", body)

    def stop_live(self, device, channel):
        return self.call("DELETE", f"/api/v1/devices/{device}/channels/{channel}/live")

    def kill(self):
        self.proc.kill()
        self.proc.wait()

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            try:
                wait_for_end(self.proc, 15)
            except Failed:
                self.kill()
                raise Failed("daemon did not stop on SIGTERM") from None
        rc = self.proc.returncode if self.proc else 0
        if rc not in (0, -signal.SIGKILL):
            raise Failed(f"daemon ended with {rc}:\n{self.log()[-4000:]}")
        return rc

    def close(self):
        try:
            self.stop()
        finally:
            with _lock:
                _back.append(self.media)
            if self.temp:
                self.temp.cleanup()


class Cameras:
    """gbcam against a daemon."""

    def __init__(self, daemon, *options, password=None, device="34020000001180000001", server_port=None):
        self.log_path = os.path.join(daemon.dir, f"gbcam-{time.monotonic_ns()}.log")
        self.device = device
        server = f"sip:{SERVER_ID}@{daemon.bracketed}:{server_port or daemon.sip}"
        args = [os.path.join(BUILD, "gbcam"), "--server", server, "--id", device,
                "--password", password or "@" + daemon.password_file, *options]
        with open(self.log_path, "ab") as log:
            self.proc = started(subprocess.Popen(args, stderr=log, stdout=log))

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def kill(self):
        self.proc.kill()
        self.proc.wait()

    def close(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                wait_for_end(self.proc, 10)
            except Failed:
                self.kill()
                raise Failed("gbcam did not stop on SIGTERM") from None
        if self.proc.returncode not in (0, -signal.SIGKILL):
            raise Failed(f"gbcam ended with {self.proc.returncode}:\n{self.log()[-3000:]}")


@contextlib.contextmanager
def system(*cam_options, host="127.0.0.1", settings=(), devices=1, channels=1, device="34020000001180000001",
           media=60):
    """A daemon with cameras that are online and whose catalog is complete."""
    d = Daemon(host, settings, media=media)
    try:
        c = Cameras(d, "--devices", str(devices), "--channels", str(channels), *cam_options, device=device)
        try:
            wait_for(f"{devices} devices online", lambda: len(d.online()) == devices)
            wait_for("catalog", lambda: all(x["channels"] == channels for x in d.online()))
            yield d, c
        except Exception:
            print("---- daemon log ----\n" + d.log()[-3000:])
            print("---- gbcam log ----\n" + c.log()[-1500:])
            raise
        finally:
            c.close()
    finally:
        d.close()


def channel_id(device, n=1):
    return device[:10] + "131" + device[13] + f"{n:06d}"


def probe(url, seconds=5):
    """What ffprobe reads in `seconds` of media: streams and packets."""
    p = subprocess.run(["ffprobe", "-v", "error", "-rw_timeout", "15000000", "-read_intervals", f"%+{seconds}",
                        "-show_streams", "-show_packets", "-of", "json", url],
                       capture_output=True, timeout=HANG_S, check=False)
    if p.returncode != 0:
        raise Failed(f"ffprobe {url}: {p.stderr.decode(errors='replace')[-800:]}")
    return json.loads(p.stdout)


def check_picture(url, codec, width=640, height=360, seconds=5, fps=25, slack=0.05,
                  tracks=("audio", "video")):
    """Exactly these tracks; codec, size, frame count over `seconds`, strictly rising timestamps. What
    ffprobe reads is counted by its media time, so a slow machine loses none; where a camera's clock begins anew, a
    pause of the machine is a part of that time."""
    watch = Watch()
    got = probe(url, seconds)
    video = [s for s in got["streams"] if s["codec_type"] == "video"]
    kinds = sorted(s["codec_type"] for s in got["streams"])
    if kinds != list(tracks):
        raise Failed(f"{url}: streams {kinds}, not exactly {tracks}")
    v = video[0]
    if (v["codec_name"], v["width"], v["height"]) != (codec, width, height):
        raise Failed(f"{url}: {v['codec_name']} {v['width']}x{v['height']}")
    stamps = {}
    for p in got["packets"]:
        stamps.setdefault(p["stream_index"], []).append(float(p["dts_time"]))
    for index, times in stamps.items():
        for a, b in zip(times, times[1:]):
            if b <= a:
                raise Failed(f"{url}: stream {index}: timestamp {b} behind {a}")
    n, want = len(stamps.get(v["index"], [])), seconds * fps
    if abs(n - want) > want * slack + fps * watch.held_ms() / 1000:
        raise Failed(f"{url}: {n} pictures in {seconds} s, {want} expected")
    return got


def run_ffmpeg(url, arguments, stdin=None):
    """ffmpeg decodes it without a word; the lines of framecrc."""
    p = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *arguments, "-vsync", "passthrough",
                        "-enc_time_base", "-1", "-f", "framecrc", "-"],
                       input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True,
                       timeout=HANG_S, check=False)
    said = p.stderr.decode(errors="replace").strip()
    if p.returncode or said:
        raise Failed(f"ffmpeg {url}: {said[-800:]}")
    return p.stdout.decode().splitlines()


def decode(url, seconds=3, tracks=("audio", "video"), size="640x360", fps=25, slack=0.08):
    """ffmpeg decodes every picture and sound of so much media without an error: exactly these tracks, this size,
    as many pictures as there must be, times that rise."""
    watch, kinds, sizes, stamps = Watch(), {}, {}, {}
    for line in run_ffmpeg(url, ["-analyzeduration", "1000000", "-rw_timeout", "15000000", "-t", str(seconds),
                                  "-i", url, "-map", "0"]):
        word = line.replace(":", " ").split()
        if line.startswith("#media_type"):
            kinds[word[1]] = word[2]
        elif line.startswith("#dimensions"):
            sizes[word[1]] = word[2]
        elif not line.startswith("#"):
            stamps.setdefault(line.split(",")[0].strip(), []).append(int(line.split(",")[1]))
    if sorted(kinds.values()) != sorted(tracks):
        raise Failed(f"{url}: {sorted(kinds.values())}, not exactly {sorted(tracks)}")
    for index, times in stamps.items():
        for a, b in zip(times, times[1:]):
            if b <= a:
                raise Failed(f"{url}: stream {index}: time {b} behind {a}")
        if kinds[index] == "video" and size and sizes[index] != size:
            raise Failed(f"{url}: {sizes[index]}, not {size}")
        off = abs(len(times) - seconds * fps) - fps * watch.held_ms() / 1000
        if kinds[index] == "video" and off > seconds * fps * slack + 1:
            raise Failed(f"{url}: {len(times)} pictures in {seconds} s")
        if kinds[index] == "audio" and len(times) < seconds * 5:
            raise Failed(f"{url}: {len(times)} sounds in {seconds} s")


# ---- running tests ---------------------------------------------------------------


def run_one(fn):
    begun = time.monotonic()
    try:
        fn()
        print(f"ok      {fn.__name__}  {time.monotonic() - begun:.1f} s", flush=True)
        return True
    except Exception as e:  # pylint: disable=broad-except
        print(f"FAILED  {fn.__name__}: {e}", flush=True)
        if not isinstance(e, Failed):
            traceback.print_exc()
        return False


class Tests(list):
    """Of a script: `test = Tests()`, and @test before each of them."""

    def __call__(self, fn):
        self.append(fn)
        return fn


def run_all(tests, jobs):
    """Some at a time ($JOBS); the exit status."""
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", str(jobs)))) as pool:
        results = list(pool.map(run_one, tests))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) and results else 1


def run_tests(tests, jobs, order=None):
    """Those named on the command line, or all; the exit status. Those that take long are first by this order."""
    names = sys.argv[1:]
    unknown = set(names) - {fn.__name__ for fn in tests}
    if unknown:
        print(f"no such test: {' '.join(sorted(unknown))}")
        return 1
    wanted = [fn for fn in tests if not names or fn.__name__ in names]
    return run_all(sorted(wanted, key=order) if order else wanted, jobs)
