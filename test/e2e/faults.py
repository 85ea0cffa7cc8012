#!/usr/bin/env python3
"""test/e2e/faults.py [quick|all|NAME...] - the program when the machine under it fails: no memory, no descriptors, a
full, slow or damaged disk, calls that are cut short, a loop that hangs, kills and losses of power under load.

Calls fail by test/preload/faultio.c. After each fault ends, everything must work as before. `quick` (the default) is
what the pipeline runs; SEED and ROUNDS steer the random ones."""
import contextlib
import errno
import glob
import mmap
import os
import random
import re
import resource
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

from flv_reader import Reader
from rig import (
    BUILD, HANG_S, SLOW, Cameras, Daemon, Failed, Tests, Watch, channel_id, check_picture, cpu_s, expect, free_port,
    run_all, wait_for)

DEVICE = "34020000001180000001"
SEED = int(os.environ.get("SEED", str(int(time.time()))))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SHIM = os.path.join(BUILD, "faultio.so")
FILE_WRITE, FILE_SYNC, FILE_OPEN, ACCEPT, RECV, SEND, SOCKET, MEMORY, KINDS = range(9)
ANY, MAIN, OTHERS = range(3)
SHORT = 1000
RULE = struct.Struct("=IIIIQQ")
SITES = 65536
QUICK = []
test = Tests()  # of `all`


def quick(fn):
    """Of the pipeline, too."""
    QUICK.append(fn)
    return test(fn)


class Faults:
    """The rules of a process under the shim; they outlive its restarts."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "faults")
        size = KINDS * RULE.size + 4 * (2 + SITES)
        with open(self.path, "wb") as f:
            f.truncate(size)
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), size)

    def set(self, kind, every=1, err=0, wait_ms=0, threads=ANY):
        self.map[kind * RULE.size:(kind + 1) * RULE.size] = RULE.pack(every, err, wait_ms, threads, 0, 0)

    def off(self, *kinds):
        for kind in kinds or range(KINDS):
            self.map[kind * RULE.size:kind * RULE.size + 4] = struct.pack("=I", 0)

    def hits(self, kind):
        return RULE.unpack_from(self.map, kind * RULE.size)[5]

    def each_site(self, on):
        struct.pack_into("=I", self.map, KINDS * RULE.size, on)

    @property
    def sites(self):
        return struct.unpack_from("=I", self.map, KINDS * RULE.size + 4)[0]


class FaultyDaemon(Daemon):
    """Under the shim; self.faults."""

    def __init__(self, settings=(), shadow=False, environ=None):
        self.shadow, self.faults, self.more = shadow, None, environ or {}
        super().__init__(settings=settings)

    def start(self):
        if not self.faults:
            if self.shadow:
                os.makedirs(f"{self.dir}/shadow")
                self.more.update(FAULTIO_DATA=os.path.realpath(f"{self.dir}/data"), FAULTIO_SHADOW=f"{self.dir}/shadow")
            self.faults = Faults(self.dir)
            self.environ = {**os.environ, "LD_PRELOAD": SHIM, "FAULTIO": self.faults.path, **self.more}
        super().start()


@contextlib.contextmanager
def faulty(*cam_options, devices=1, channels=1, settings=(), shadow=False, environ=None):
    """As rig.system, with the daemon under the shim."""
    if not os.path.exists(SHIM):
        raise Failed(f"{SHIM} is not built")
    d = FaultyDaemon(settings, shadow, environ)
    c = None
    try:
        c = Cameras(d, "--devices", str(devices), "--channels", str(channels), "--keepalive", "2", "--retry", "1",
                    *cam_options, device=DEVICE)
        healthy(d, devices)
        yield d, c
    except Exception:
        print("---- daemon log ----\n" + d.log()[-4000:])
        raise
    finally:
        d.faults.off()
        if c:
            c.close()
        d.close()


def healthy(d, devices=1):
    wait_for(f"{devices} devices online", lambda: len(d.online()) == devices, timeout=40)


def answers(d):
    return d.call("GET", "/healthz", token=False).status == 200


def plays(d, transport="udp"):
    """A live picture that ffprobe has nothing to say about."""
    def url():
        a = d.live(DEVICE, channel_id(DEVICE), transport=transport)
        return a.json["flv"] if a.status == 200 else None
    check_picture(wait_for("live", url, timeout=30), "h264", seconds=2)


def rename(d, name, timeout=20):
    """What somebody sets; the status of the answer, 0: there was none."""
    try:
        return d.call("PATCH", f"/api/v1/devices/{DEVICE}", {"name": name}, timeout=timeout).status
    except OSError:
        return 0


def name_of(d):
    return next(x["name"] for x in d.devices() if x["id"] == DEVICE)


# ---- memory ---------------------------------------------------------------------


def exercise(d):
    """Everything a little, whatever it answers: a picture in several formats, commands, settings, a recording, the
    lists, a login, metrics."""
    ch = channel_id(DEVICE)
    of = f"/api/v1/devices/{DEVICE}/channels/{ch}"
    calls = [("GET", "/api/v1/devices", None), ("GET", of, None), ("GET", "/metrics", None), ("GET", "/", None),
             ("PATCH", f"/api/v1/devices/{DEVICE}", {"name": "a"}), ("POST", of + "/live", {"transport": "udp"}),
             ("POST", of + "/ptz", {"pan": 1}), ("POST", f"/api/v1/devices/{DEVICE}/refresh", None),
             ("PUT", of + "/record", {"mode": "always"}), ("GET", "/api/v1/sessions", None),
             ("GET", of + "/recordings?start=2026-01-01T00:00:00&end=2026-01-02T00:00:00", None),
             ("GET", "/api/v1/alarms", None), ("GET", "/api/v1/commands", None), ("GET", of + "/snapshot.jpg", None),
             ("GET", f"/live/{DEVICE}/{ch}/index.m3u8", None), ("GET", "/api/v1/audit", None),
             ("GET", of + "/doctor", None), ("POST", "/api/v1/users", {"name": "u", "role": "viewer", "password": "long enough"}),
             ("PUT", of + "/record", {"mode": "off"}), ("DELETE", of + "/live", None)]
    for method, path, body in calls:
        with contextlib.suppress(OSError):
            d.call(method, path, body, timeout=3)
        expect(d.proc.poll() is None, f"{method} {path}: ended with {d.proc.returncode}: {d.log()[-2000:]}")
    for ext in ("flv", "mp4", "ts", "ps"):
        with contextlib.suppress(OSError), socket.create_connection((d.host, d.http), 2) as s:
            s.settimeout(2)
            s.sendall(f"GET /live/{DEVICE}/{ch}.{ext} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {d.token}\r\n\r\n".encode())
            s.recv(4096)
    with contextlib.suppress(OSError), socket.create_connection((d.host, d.rtsp), 2) as s:
        s.settimeout(2)
        s.sendall(f"DESCRIBE rtsp://{d.host}:{d.rtsp}/{DEVICE}/{ch} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
        s.recv(4096)
    expect(d.proc.poll() is None, f"ended with {d.proc.returncode}: {d.log()[-2000:]}")


def refuse_each(d, seconds):
    """What fails keeps what is behind it from being asked: again and again, until no place is new."""
    watch, before = Watch(), -1
    while watch.s() < seconds * SLOW and d.faults.sites != before:
        before = d.faults.sites
        d.faults.each_site(1)
        exercise(d)
        d.faults.each_site(0)
    print(f"# {d.faults.sites} places were refused memory")


@test
def every_allocation_fails_once_to_the_end():
    with faulty("--alarm", "2", devices=2) as (d, _):
        refuse_each(d, seconds=300)
        healthy(d, 2)
        plays(d)


@quick
def every_allocation_fails_once():
    """Each place in the program that asks for memory gets none once, while it works; for half a minute."""
    with faulty("--alarm", "2") as (d, _):
        refuse_each(d, seconds=25)
        expect(d.faults.sites > 60, f"{d.faults.sites} places")
        healthy(d)
        plays(d)


@test
def one_allocation_of_many_fails():
    """For a long while, at random places."""
    with faulty("--alarm", "1", devices=3) as (d, _):
        for every in (997, 211, 53, 17, 5):
            d.faults.set(MEMORY, every)
            exercise(d)
            d.faults.off(MEMORY)
            print(f"# one of {every}: {d.faults.hits(MEMORY)} refused")
        healthy(d, 3)
        plays(d)


@test
def every_allocation_of_the_start_fails_once():
    """It starts, or says why not; never a crash."""
    with faulty() as (d, _):
        d.stop()
        d.faults.each_site(1)
        for i in range(2000):
            before = d.faults.sites
            try:
                d.start()
            except Failed as e:
                rc = d.proc.poll()
                if rc is None:
                    d.kill()
                    raise
                expect(rc > 0, f"start {i}: {rc}: {e}")
                continue
            d.stop()
            if d.faults.sites == before:
                break
        print(f"# {i} starts, {d.faults.sites} places were refused memory")
        d.faults.each_site(0)
        d.start()
        healthy(d)


# ---- descriptors ------------------------------------------------------------------


@quick
def a_start_with_few_descriptors():
    """Whatever is the first to get none, its reason is told."""
    with contextlib.closing(Daemon()) as d:
        d.stop()
        for n in range(14, 22):
            d.before = ["sh", "-c", f'ulimit -n {n} && exec "$@"', "sh"]
            try:
                d.start()
            except Failed:
                with open(d.log_path, encoding="utf-8") as f:
                    last = f.read().strip().splitlines()[-1]
                expect("too many open files" in last, f"{n} descriptors: {last}")
                continue
            raise Failed(f"{n} descriptors were enough")
        d.before = ()
        d.start()


@quick
def descriptors_run_out():
    """Whoever holds them all gets no more; what is there goes on, and the loop does not spin."""
    with faulty() as (d, _):
        reader = Reader(d.live(DEVICE, channel_id(DEVICE), transport="udp").json["flv"])
        n = len(os.listdir(f"/proc/{d.proc.pid}/fd"))
        old = resource.prlimit(d.proc.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(d.proc.pid, resource.RLIMIT_NOFILE, (n + 20, old[1]))
        held = []
        for _ in range(200):
            with contextlib.suppress(OSError):
                held.append(socket.create_connection((d.host, random.choice((d.http, d.rtsp, d.sip))), 1))
        cpu, begin = cpu_s(d.proc.pid), time.monotonic()
        while time.monotonic() < begin + 4:
            reader.tag()
        cpu = (cpu_s(d.proc.pid) - cpu) / (time.monotonic() - begin)
        expect(len(os.listdir(f"/proc/{d.proc.pid}/fd")) <= n + 20, "more than there are")
        print(f"# without descriptors: CPU {cpu * 100:.0f} %")
        expect(cpu < 0.5, f"CPU {cpu * 100:.0f} %")
        expect("device offline" not in d.log(), "the camera was kept")
        for s in held:
            s.close()
        reader.close()
        wait_for("answers", d.healthy)
        resource.prlimit(d.proc.pid, resource.RLIMIT_NOFILE, old)
        healthy(d)
        plays(d, "tcp-passive")


@test
def no_socket_and_no_connection():
    """socket() and accept() fail for a while."""
    with faulty() as (d, _):
        for err in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
            d.faults.set(SOCKET, 1, err)
            a = d.live(DEVICE, channel_id(DEVICE), transport="tcp-passive")
            expect(a.status >= 400, f"{errno.errorcode[err]}: {a.status} {a.body[:300]}")
            d.faults.off()
            d.faults.set(ACCEPT, 2, err)
            for _ in range(20):
                with contextlib.suppress(OSError):
                    d.call("GET", "/healthz", timeout=1)
            d.faults.off()
            wait_for("answers", d.healthy)
        healthy(d)
        plays(d, "tcp-passive")


# ---- calls that are cut short --------------------------------------------------------


@quick
def short_reads_and_writes():
    """Every second call on a socket does half, or is interrupted, or would block: nothing is lost."""
    with faulty("--transport", "tcp", channels=200) as (d, _):
        d.faults.set(SEND, 2, SHORT)
        d.faults.set(RECV, 2, SHORT)
        healthy(d)
        wait_for("the list is whole", lambda: len(d.channels(DEVICE)) == 200, 60)
        plays(d, "tcp-passive")
        hits = d.faults.hits(SEND), d.faults.hits(RECV)
        for err in (errno.EINTR, errno.EAGAIN):
            d.faults.set(SEND, 3, err)
            d.faults.set(RECV, 3, err)
            plays(d, "tcp-passive")
            expect(len(d.channels(DEVICE)) == 200, "the list is whole")
        print(f"# {hits[0]} short writes, {hits[1]} short reads")
        expect(min(hits) > 10, hits)


@test
def networks_that_fail():
    """ENOBUFS, ENETUNREACH, EPERM of sends; ECONNRESET, ENOMEM of reads: for 5 s each."""
    with faulty() as (d, _):
        for kind, err in ((SEND, errno.ENOBUFS), (SEND, errno.ENETUNREACH), (SEND, errno.EPERM),
                          (RECV, errno.ECONNRESET), (RECV, errno.ENOMEM)):
            d.faults.set(kind, 1, err)
            cpu, begin = cpu_s(d.proc.pid), time.monotonic()
            time.sleep(4)
            cpu = (cpu_s(d.proc.pid) - cpu) / (time.monotonic() - begin)
            d.faults.off()
            print(f"# {errno.errorcode[err]}: CPU {cpu * 100:.0f} %")
            healthy(d)
        plays(d)


# ---- disks -------------------------------------------------------------------------------


@quick
def a_full_disk():
    """What cannot be kept is said and refused; nothing else suffers, and afterwards all is written."""
    with faulty() as (d, _):
        expect(rename(d, "before") == 200, "set")
        d.faults.set(FILE_WRITE, 1, errno.ENOSPC)
        status = rename(d, "full")
        expect(status >= 500, f"a full disk: {status}")
        plays(d)
        healthy(d)
        expect(d.log().count("store cannot be written") == 1, "said once")
        d.faults.off()
        wait_for("written again", lambda: "store is written again" in d.log())
        expect(rename(d, "after") == 200, "set again")
        d.kill()
        d.start()
        expect(name_of(d) == "after", name_of(d))


@test
def a_disk_that_fails():
    """EIO of writes and syncs, and files that cannot be opened."""
    with faulty() as (d, _):
        for kind, err in ((FILE_WRITE, errno.EIO), (FILE_SYNC, errno.EIO), (FILE_OPEN, errno.EACCES),
                          (FILE_OPEN, errno.EROFS), (FILE_WRITE, SHORT)):
            d.faults.set(kind, 2, err)
            for i in range(6):
                rename(d, f"{kind} {err} {i}", timeout=5)
            exercise(d)
            d.faults.off()
            wait_for("set again", lambda: rename(d, f"{kind} {err} after") == 200)
            d.kill()
            d.start()
            expect(name_of(d) == f"{kind} {err} after", name_of(d))
            healthy(d)
        plays(d)


@quick
def a_slow_disk():
    """Every sync takes 1.5 s: who waits for one waits, and nobody else does."""
    with faulty() as (d, _):
        d.faults.set(FILE_SYNC, 1, 0, 1500)
        t = threading.Thread(target=rename, args=(d, "slow"))
        t.start()
        worst, begin = 0, time.monotonic()
        while time.monotonic() < begin + 4:
            one = Watch()
            expect(answers(d), "answers")
            worst = max(worst, one.s())
            time.sleep(0.02)
        t.join()
        print(f"# a slow disk: the slowest answer took {worst * 1000:.0f} ms")
        expect(worst < 1.0 * SLOW, f"{worst:.2f} s")
        late = [int(ms) for ms in re.findall(r'msg="the main loop was late" ms=(\d+)', d.log())]
        expect(max(late, default=0) < 1400 or SLOW > 1, f"the loop waits for no disk: {late}")
        d.faults.off()
        wait_for("it is set", lambda: name_of(d) == "slow")


def store_file(d):
    return glob.glob(f"{d.dir}/data/*.db")[0]


@quick
def a_damaged_store():
    """Moved aside, rebuilt of what can be read, said loudly: before the start and while it runs."""
    with faulty(devices=20) as (d, c):
        expect(rename(d, "kept") == 200, "set")
        d.stop()
        path = store_file(d)
        with open(path, "r+b") as f:
            f.seek(0, 2)
            size = f.tell()
            f.seek(max(size - 3 * 4096, 4096))
            f.write(os.urandom(4096))
        d.start()
        healthy(d, 20)
        if "moved aside" in d.log():  # else the page was a free one
            expect(re.search(r"rows that could be read: [1-9]", d.log()), d.log()[-2000:])
        d.stop()
        with open(path, "r+b") as f:
            f.write(b"no store at all ")
        d.start()
        expect("store was damaged and has been moved aside" in d.log(), d.log()[-2000:])
        expect(glob.glob(path + ".broken-*"), "it is still there")
        healthy(d, 20)
        expect(rename(d, "again") == 200, "set")
        plays(d)
        with open(path, "r+b") as f:
            size = os.path.getsize(path)
            f.seek(4096)
            f.write(os.urandom(size - 4096))
        for i in range(5):
            wait_for("it is set", lambda: rename(d, f"while it runs {i}") == 200)
        d.kill()
        d.start()
        healthy(d, 20)
        wait_for("the name", lambda: name_of(d) == "while it runs 4")


@quick
def a_store_that_is_busy():
    """Somebody else holds the database for 7 s: what is set then is there afterwards."""
    with faulty() as (d, _):
        db = sqlite3.connect(store_file(d), isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        t = threading.Thread(target=rename, args=(d, "busy"))
        t.start()
        begin = time.monotonic()
        while time.monotonic() < begin + 7:
            expect(answers(d), "answers")
            time.sleep(0.2)
        db.execute("ROLLBACK")
        db.close()
        t.join()
        wait_for("it is set", lambda: rename(d, "free") == 200)
        d.kill()
        d.start()
        expect(name_of(d) == "free", name_of(d))


# ---- power --------------------------------------------------------------------------------


def lose_power(d):
    """The process is gone, and of its files what was not synced."""
    d.kill()
    data, kept = f"{d.dir}/data", f"{d.dir}/shadow/data"
    shutil.rmtree(data)
    shutil.copytree(kept, data)
    shutil.rmtree(f"{d.dir}/shadow/inodes")
    os.makedirs(f"{d.dir}/shadow/inodes")
    for dir_, _, files in os.walk(data):
        os.chmod(dir_, 0o700)
        for f in files:  # on the disk, under its new number
            path = os.path.join(dir_, f)
            os.chmod(path, 0o600)
            os.link(kept + path[len(data):], f"{d.dir}/shadow/inodes/{os.stat(path).st_ino}")


@quick
def power_is_lost():
    """What was answered with 200 is there; it starts without a complaint of a damaged store."""
    r = random.Random(SEED)
    with faulty(shadow=True, settings=("record.segment_s=2",)) as (d, _):
        of = f"/api/v1/devices/{DEVICE}/channels/{channel_id(DEVICE)}/record"
        wait_for("its channel", lambda: d.channels(DEVICE))
        a = d.call("PUT", of, {"mode": "always"})
        expect(a.status == 200, f"PUT record: {a.status} {a.body[:300]}")
        token = d.token
        for i in range(ROUNDS):
            told = None
            end = time.monotonic() + r.uniform(1, 5)
            n = 0
            while time.monotonic() < end:
                n += 1
                if rename(d, f"round {i} name {n}") == 200:
                    told = n
            lose_power(d)
            d.start()
            expect(d.token == token, "its secrets")
            expect("damaged" not in d.log(), d.log()[-2000:])
            expect(name_of(d) == f"round {i} name {told}", f"seed {SEED}: {name_of(d)}, told {told}")
            expect(d.get(of)["mode"] == "always", "the recording goes on")
            healthy(d)
        for s in d.get(f"/api/v1/records?device={DEVICE}&channel={channel_id(DEVICE)}&limit=1000")["items"]:
            if not s["open"] and s["length_ms"]:
                p = subprocess.run(["ffprobe", "-v", "error", s["file"]], capture_output=True, timeout=HANG_S, check=False)
                expect(p.returncode == 0 and not p.stderr, f"{s}: {p.stderr[-300:]}")
        plays(d)


# ---- ends ----------------------------------------------------------------------------------


class Load:
    """Viewers that come and go, settings, queries: until it is stopped."""

    def __init__(self, d, devices, seed):
        self.d, self.devices, self.r = d, devices, random.Random(seed)
        self.told, self.asked, self.over = None, 0, False
        self.pictures = 0
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.set, self.watch, self.watch, self.ask)]
        for t in self.threads:
            t.start()

    def set(self):
        while not self.over:
            self.asked += 1
            if rename(self.d, f"name {self.asked}", timeout=10) == 200:
                self.told = self.asked

    def watch(self):
        while not self.over:
            with contextlib.suppress(Exception):
                n = self.r.randrange(1, self.devices + 1)
                of = f"/api/v1/devices/{DEVICE[:-3]}{n:03d}/channels/{channel_id(DEVICE, n)}"
                a = self.d.call("POST", of + "/live",
                                {"transport": self.r.choice(("udp", "tcp-passive", "tcp-active"))}, timeout=5)
                reader = Reader(a.json["flv"])
                end = time.monotonic() + self.r.uniform(0.2, 2)
                while time.monotonic() < end and not self.over:
                    reader.tag()
                    self.pictures += 1
                reader.close()
            time.sleep(0.02)

    def ask(self):
        while not self.over:
            with contextlib.suppress(Exception):
                self.d.call("POST", f"/api/v1/devices/{DEVICE}/refresh", timeout=5)
                self.d.get("/api/v1/sessions")
            time.sleep(0.1)

    def stop(self):
        self.over = True
        for t in self.threads:
            t.join(30)


def drained(d):
    """Without viewers nothing is left: no session, no port, no viewer."""
    wait_for("no sessions", lambda: not d.get("/api/v1/sessions")["items"], timeout=30)
    wait_for("no streams", lambda: d.metric("gb28181_streams") == 0 and d.metric("gb28181_viewers") == 0)
    wait_for("no ports", lambda: d.metric('gb28181_media_ports{state="lent"}') == 0)


def ends(devices, rounds):
    r = random.Random(SEED)
    with faulty("--alarm", "1", devices=devices) as (d, _):
        for i in range(rounds):
            load = Load(d, devices, r.random())
            time.sleep(r.uniform(0.3, 5))
            sign = r.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
            d.proc.send_signal(sign)
            rc = d.proc.wait(30 * SLOW)
            load.stop()
            expect(rc in (0, -signal.SIGKILL), f"seed {SEED} round {i}: {rc}\n{d.log()[-3000:]}")
            d.start()
            # the last one may have been kept without being told; none before it is
            n = int(name_of(d).split()[-1]) if load.told else 0
            expect(not load.told or load.told <= n <= load.asked,
                   f"seed {SEED} round {i}: name {n}, told {load.told} of {load.asked}")
            expect(len(d.devices()) == devices, f"{len(d.devices())} devices")
            expect("damaged" not in d.log(), "the store is whole")
            healthy(d, devices)
            drained(d)
            print(f"# round {i}: {signal.Signals(sign).name}, {load.told} of {load.asked} settings told, "
                  f"{load.pictures} tags", flush=True)
        plays(d)


@quick
def killed_under_load():
    ends(5, min(ROUNDS, 2))


@test
def killed_under_load_often():
    ends(40, max(ROUNDS, 20))


@quick
def a_media_loop_hangs():
    """It is said, the watchdog of systemd is not fed, and it goes on when the loop does."""
    path = f"/tmp/gb28181-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(HANG_S)
        try:
            with faulty(settings=("media.threads=1",),
                        environ={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "30000000"}) as (d, _):
                expect(s.recv(100) == b"READY=1", "ready")
                expect(s.recv(100) == b"WATCHDOG=1", "fed")
                reader = Reader(d.live(DEVICE, channel_id(DEVICE), transport="udp").json["flv"])
                # longer than is told, by more than the watchdog leaves to a machine that does nothing at all
                d.faults.set(RECV, 1, 0, 10000, OTHERS)
                wait_for("it hangs", lambda: d.faults.hits(RECV))
                d.faults.off()
                wait_for("it is said", lambda: "a media loop has stalled" in d.log(), timeout=15)
                expect(d.metric("gb28181_media_loop_silent_seconds") >= 3, "the metric")
                wait_for("it turns again", lambda: "all media loops turn again" in d.log(), timeout=15)
                reader.close()
                healthy(d)
                plays(d)
                d.stop()
                s.setblocking(False)
                said = []
                with contextlib.suppress(BlockingIOError):
                    while True:
                        said.append(s.recv(100))
                expect(said[-1] == b"STOPPING=1", said)
        finally:
            os.unlink(path)


# ---- rights ----------------------------------------------------------------------------------


def status_of(d, field):
    with open(f"/proc/{d.proc.pid}/status") as f:
        return next(line.split(":")[1].split() for line in f if line.startswith(field + ":"))


@quick
def rights_are_given_up():
    """Another user, one capability, a filter of system calls; all of it works as ever."""
    if os.geteuid() != 0:
        return
    with tempfile.TemporaryDirectory(prefix="gb28181d-e2e-") as top:
        os.chmod(top, 0o755)
        d = Daemon(settings=("server.user=nobody",), directory=top)
        c = Cameras(d, "--keepalive", "2", "--retry", "1")
        try:
            healthy(d)
            expect(status_of(d, "Uid")[1] != "0" and status_of(d, "Groups") == [], status_of(d, "Uid"))
            expect(int(status_of(d, "CapEff")[0], 16) == 1 << 10, status_of(d, "CapEff"))
            if "system calls are not filtered" not in d.log():
                expect(status_of(d, "Seccomp") == ["2"], status_of(d, "Seccomp"))
                expect(status_of(d, "NoNewPrivs") == ["1"], status_of(d, "NoNewPrivs"))
            plays(d)
            d.kill()
            d.start()  # what it made it can read
            healthy(d)
        finally:
            c.close()
            d.close()
    p = subprocess.run([os.path.join(BUILD, "gb28181d"), "-s", "server.user=no-such-user"], capture_output=True,
                       timeout=HANG_S, check=False, cwd="/tmp")
    expect(p.returncode == os.EX_NOUSER and b"no such user" in p.stderr, p)


@quick
def what_stands_in_the_way():
    """A file where a folder has to be, and one without rights: told at the start, with what to try."""
    own = [f"-s{k}=127.0.0.1:{free_port()}" for k in ("sip.listen", "http.listen", "rtsp.listen")]

    def start(data, *more):
        return subprocess.run([os.path.join(BUILD, "gb28181d"), *own, "-s", f"server.data={data}", *more],
                              capture_output=True, timeout=HANG_S, check=False)

    with tempfile.TemporaryDirectory(prefix="gb28181d-e2e-") as top:
        os.chmod(top, 0o755)
        plain = os.path.join(top, "plain")
        with open(plain, "w"):
            pass
        said = "a file is where a directory has to be: move it away, or name another directory"
        p = start(plain)
        expect(p.returncode == os.EX_CANTCREAT and f"{plain}: {said} (server.data)".encode() in p.stderr, p)
        p = start(plain + "/data")
        expect(p.returncode == os.EX_CANTCREAT and b"something above it is a file" in p.stderr, p)
        for name, key in (("downloads", "download.dir"), ("recordings", "record.dir"), ("snapshots", "server.data"), ("firmware", "server.data")):
            data = os.path.join(top, name)
            os.mkdir(data)
            with open(os.path.join(data, name), "w"):
                pass
            p = start(data)
            expect(p.returncode == os.EX_UNAVAILABLE and f"{data}/{name}: {said} ({key})".encode() in p.stderr, p)
        if os.geteuid() == 0:
            os.makedirs(os.path.join(top, "of-root", "recordings"))
            p = start(os.path.join(top, "of-nobody"), "-s", f"download.dir={top}/downloads", "-s", "server.user=nobody")
            expect(p.returncode == os.EX_UNAVAILABLE and b"give it to the user that gb28181d runs as" in p.stderr, p)
            free = os.path.join(top, "free")
            os.mkdir(free)
            shutil.chown(free, "nobody")
            d = Daemon(directory=free, settings=[f"record.dir={top}/of-root/recordings", "server.user=nobody"])
            try:
                expect("no recordings until this is mended" in d.log() and "give it to the user" in d.log(), d.log())
                expect(d.call("GET", "/readyz").status == 200, "live goes on")
            finally:
                d.close()


@quick
def a_first_start_that_fails():
    """Its port is taken: that is told, and the next start shows the password of the page, which is good."""
    with tempfile.TemporaryDirectory(prefix="gb28181d-e2e-") as top, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        p = subprocess.run([os.path.join(BUILD, "gb28181d"), f"-ssip.listen=127.0.0.1:{free_port()}", f"-shttp.listen={taken}", f"-sserver.data={top}"],
                           capture_output=True, timeout=HANG_S, check=False)
        expect(p.returncode == os.EX_UNAVAILABLE and b"another program holds it" in p.stderr and b"admin password" not in p.stdout, p)
        d = Daemon(directory=top)
        try:
            shown = re.search(r"admin password\s+(\S+)", d.output())
            expect(shown, d.output())
            r = d.call("POST", "/api/v1/login", {"name": "admin", "password": shown.group(1)}, token=False)
            expect(r.status == 200, r)
        finally:
            d.close()


def main():
    named = sys.argv[1:] or ["quick"]
    tests = QUICK if named == ["quick"] else test if named == ["all"] else [fn for fn in test if fn.__name__ in named]
    print(f"# SEED={SEED} ROUNDS={ROUNDS}", flush=True)
    return run_all(tests, 3)


if __name__ == "__main__":
    sys.exit(main())
