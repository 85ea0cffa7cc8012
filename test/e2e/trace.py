#!/usr/bin/env python3
"""test/e2e/trace.py [NAME...] - the evidence as a user meets it: messages over
the API, a capture that tshark reads, gbctl's ladder, and a replay of the
exported file that decides as the daemon did."""
import contextlib
import datetime
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from rig import BUILD, HANG_S, Daemon, Tests, channel_id, expect, run_tests, system, wait_for

DEVICE = "34020000001180000001"
test = Tests()


def gbctl(d, *args, code=0, **env):
    p = subprocess.run([os.path.join(BUILD, "gbctl"), "--url", d.base, "--token", f"@{d.dir}/data/admin-token", *args],
                       capture_output=True, timeout=HANG_S, check=False,
                       env={**os.environ, "LANG": "C", "COLUMNS": "80", **env})
    expect(p.returncode == code, f"gbctl {args}: {p.returncode} {p.stderr.decode()} {p.stdout.decode()[-500:]}")
    return p.stdout.decode()


def play(d):
    ch = channel_id(DEVICE)
    a = d.live(DEVICE, ch)
    expect(a.status == 200, f"live: {a.status} {a.body[:300]}")
    time.sleep(0.5)  # in a replay the picture takes 100 ms
    d.stop_live(DEVICE, ch)
    wait_for("session is gone", lambda: not d.get("/api/v1/sessions")["items"])
    wait_for("BYE is answered", lambda: [m for m in d.get("/api/v1/trace")["items"]
                                         if m["method"] == "BYE" and m["status"] == 200])


def check_system(d, transport):
    play(d)
    items = d.get(f"/api/v1/trace?device={DEVICE}")["items"]
    steps = [(m["direction"], m["method"], m["status"]) for m in items]
    for want in (("in", "REGISTER", 0), ("out", "REGISTER", 401), ("out", "REGISTER", 200), ("out", "INVITE", 0),
                 ("in", "INVITE", 200), ("out", "ACK", 0), ("out", "BYE", 0), ("in", "BYE", 200)):
        expect(want in steps, f"no {want} in {steps}")
    text = "".join(m["text"] for m in items)
    secrets = re.findall(r'(?:response|cnonce)="([^"]*)"', text)
    expect(secrets and all(set(s) == {"*"} for s in secrets), f"not masked: {secrets}")
    invite = next(m for m in items if m["method"] == "INVITE")
    call = d.get(f"/api/v1/trace?callid={invite['call_id']}")["items"]
    expect({m["call_id"] for m in call} == {invite["call_id"]} and len(call) >= 5, f"call: {call}")

    ladder = gbctl(d, "trace", "--device", DEVICE)
    for want in (r"\|-+ REGISTER \d+ -+>\|", r"\|<-+ 401 Unauthorized \(REGISTER \d+\) -+\|",
                 r"\|<-+ INVITE \d+ -+\|", r"\|-+ 200 OK \(INVITE \d+\) -+>\|"):
        expect(re.search(want, ladder), f"{want} is not in\n{ladder}")
    expect(max(map(len, ladder.splitlines())) <= 80, f"wider than 80:\n{ladder}")
    expect("\x1b" not in ladder, "colours in a pipe")
    expect("平台" in gbctl(d, "trace", LANG="zh_CN.UTF-8"), "no Chinese heading")
    expect("设备的通道" in gbctl(d, "help", LANG="zh_CN.UTF-8"), "no Chinese help")
    for program, en, zh in (("gb28181d", "check the configuration", "检查配置后退出"), ("gbcam", "the first device", "第一台设备")):
        for lang, said in (("C", en), ("zh_CN.UTF-8", zh)):
            p = subprocess.run([os.path.join(BUILD, program), "--help"], capture_output=True, timeout=HANG_S, check=True,
                               env={**os.environ, "LANG": lang})
            expect(said in p.stdout.decode(), f"{program} --help, {lang}")
    for args, code, en, zh in ((("--token", "x", "devices"), 77, "is it the token of that server?", "令牌是否属于该服务器？"),
                               (("--token", "", "devices"), 77, "no token was found: --token @FILE", "未找到令牌：请用 --token"),
                               (("--url", "http://127.0.0.1:1", "devices"), 69, "is the daemon running there?", "服务是否在该地址运行？"),
                               (("fly",), 64, 'there is no command "fly"', "没有命令“fly”")):
        for lang, said in (("C", en), ("zh_CN.UTF-8", zh)):
            p = subprocess.run([os.path.join(BUILD, "gbctl"), "--url", d.base, *args], capture_output=True, timeout=HANG_S, check=False,
                               cwd="/", env={**os.environ, "LANG": lang, "GB28181D_TOKEN": ""})
            expect(p.returncode == code and said in p.stderr.decode(), f"{args} {lang}: {p.returncode} {p.stderr.decode()}")

    with tempfile.TemporaryDirectory() as t:
        path = os.path.join(t, "trace.pcapng")
        before = d.get("/api/v1/trace")["total"]
        gbctl(d, "trace", "--pcap", path)
        if shutil.which("tshark"):
            out = subprocess.run(["tshark", "-r", path, "-n", "-d", f"{transport}.port=={d.sip},sip", "-T", "fields",
                                  "-e", "sip.Method", "-e", "sip.Status-Code", "-e", "frame.comment", "-Y", "sip"],
                                 capture_output=True, timeout=HANG_S, check=True).stdout.decode()
            total = d.get("/api/v1/trace")["total"]  # keepalives may come meanwhile
            expect(before <= len(out.splitlines()) <= total, f"tshark sees {len(out.splitlines())} of {total}:\n{out}")
            expect(f"INVITE\t\tout device={DEVICE}" in out, out)
            bad = subprocess.run(["tshark", "-r", path, "-n", "-d", f"{transport}.port=={d.sip},sip",
                                  "-Y", "_ws.malformed || tcp.analysis.flags || ip.checksum.status == 0"],
                                 capture_output=True, timeout=HANG_S, check=True).stdout.decode()
            expect(not bad, f"tshark takes offence at\n{bad}")
        else:
            print("# tshark is not installed: the capture was not read by it")
        replay = subprocess.run([os.path.join(BUILD, "gb28181d"), "--replay", path], capture_output=True,
                                timeout=HANG_S, check=False)
        told = replay.stdout.decode()
        expect(replay.returncode == 0, f"replay: {replay.returncode} {replay.stderr.decode()}")
        got = re.search(r"(\d+) answered as recorded, (\d+) differ, (\d+) without", told)
        expect(got and int(got[1]) >= 4 and got[2] == "0", f"replay decides otherwise:\n{told}")
        expect(f"device {DEVICE} online" in told and "playing at step playing" in told, told)


@test
def udp_from_message_to_replay():
    with system() as (d, _):
        check_system(d, "udp")


@test
def tcp_ipv6_from_message_to_replay():
    with system("--transport", "tcp", host="::1") as (d, _):
        check_system(d, "tcp")


@test
def gbctl_commands():
    with system(channels=2) as (d, _):
        ch = channel_id(DEVICE)
        expect(DEVICE in gbctl(d, "devices"), "devices")
        expect(ch in gbctl(d, "channels", DEVICE), "channels")
        expect(".flv" in gbctl(d, "play", DEVICE, ch), "play")
        expect("playing" in gbctl(d, "sessions"), "sessions")
        gbctl(d, "stop", DEVICE, ch)
        gbctl(d, "alarms")
        gbctl(d, "pending")
        expect(str(d.sip) in gbctl(d, "listeners"), "listeners")
        expect('"items"' in gbctl(d, "--json", "devices"), "json")
        gbctl(d, "play", "1", "2", code=1)
        gbctl(d, "--token", "wrong", "devices", code=77)
        gbctl(d, "nonsense", code=64)
        p = subprocess.run([os.path.join(BUILD, "gbctl"), "doctor", DEVICE], stderr=subprocess.PIPE, text=True)
        expect(p.returncode == 64 and "doctor ID CHANNEL" in p.stderr and p.stderr.count("\n") == 3, p.stderr)


def odd(d, *args, said, code=64, **how):
    """One that is not done, and the one sentence that says why."""
    p = subprocess.run([os.path.join(BUILD, "gbctl"), "--url", d.base, "--token", d.token, *args], stderr=subprocess.PIPE, timeout=HANG_S,
                       check=False, env={**os.environ, "LANG": "C"}, **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **how})
    told = p.stderr.decode()
    expect(p.returncode == code and said in told and told.count("\n") <= 2, f"gbctl {args}: {p.returncode} {told}")


@contextlib.contextmanager
def says(part, closes=False):
    """A server that says this part of an answer, and then nothing."""
    def answer():
        with contextlib.suppress(OSError), listener.accept()[0] as c:
            c.recv(4096)
            c.sendall(part)
            if not closes:
                c.recv(1) # until the client has gone
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@test
def gbctl_is_used_oddly():
    d = Daemon()
    at = "2026-01-02T03:04:05"
    deaf = socket.create_server(("127.0.0.1", 0))
    try:
        odd(d, "devices", "--colour", said="--colour: not an option")
        odd(d, "devices", "-x", said="-x: not an option")
        odd(d, "-xy", said="-x: not an option")
        odd(d, "devices", "--limit", said="--limit: its value is missing")
        odd(d, "devices", "--timeout", "0", said="0: not 1 to 86400 seconds")
        odd(d, "channels", "", said="an argument is empty")
        odd(d, "records", DEVICE, DEVICE, at, at, said=f"{at}: not behind {at}")
        odd(d, "user", "add", "bob", "king", said="king: not viewer, operator or admin")
        odd(d, "user", "role", "bob", "king", said="king: not viewer, operator or admin")
        odd(d, "firmware", "add", "/tmp", said="/tmp: Is a directory", code=66)
        odd(d, "--timeout", "1", "--url", f"http://127.0.0.1:{deaf.getsockname()[1]}", "devices", said="no answer within 1 s", code=69)
        with says(b"HTTP/1.1 200 OK\r\nContent-Ty") as url: # no empty list
            odd(d, "--timeout", "1", "--url", url, "devices", said="no answer within 1 s", code=69)
        with says(b"HTTP/1.1 200 OK\r\nContent-Ty", closes=True) as url:
            odd(d, "--url", url, "devices", said="the answer broke off", code=76)
        with open("/dev/full", "wb") as full:
            for args in (("devices",), ("--json", "devices"), ("--help",), ("--version",)):
                odd(d, *args, said="the output cannot be written: No space left", code=74, stdout=full)
        # nothing of it goes into the connection to the server
        odd(d, "devices", said="the output cannot be written: Bad file", code=74, preexec_fn=lambda: os.close(1))
    finally:
        deaf.close()
        d.close()


@test
def gbctl_waits_for_the_reason():
    """The server tries another transport after its first answer; what comes of that is told, not that it is tried."""
    with system("--fault", "silent") as (d, _):
        ch = channel_id(DEVICE)
        p = subprocess.run([os.path.join(BUILD, "gbctl"), "--url", d.base, "--token", f"@{d.dir}/data/admin-token", "play", DEVICE, ch],
                           capture_output=True, timeout=HANG_S, check=False, env={**os.environ, "LANG": "C"})
        expect(p.returncode == 1 and b"live-failed" in p.stderr and b"no TCP connection from it" in p.stderr, p)
        out = gbctl(d, "doctor", DEVICE, ch, code=69)
        expect("\u2718 the media connection is up" in out, out)


@test
def gbctl_tells_what_a_download_waits_for():
    begin = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))) - datetime.timedelta(hours=1)
    with system("--refuse", "486") as (d, _):
        p = subprocess.Popen([os.path.join(BUILD, "gbctl"), "--url", d.base, "--token", f"@{d.dir}/data/admin-token", "download", DEVICE, channel_id(DEVICE),
                              f"{begin:%Y-%m-%dT%H:%M:%S}", f"{begin:%Y-%m-%dT%H:%M:59}"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env={**os.environ, "LANG": "C"})
        try:
            said = p.stderr.readline()
        finally:
            p.kill()
            p.wait()
        expect("queued: " in said and "486" in said, said)


@test
def gbctl_speaks_to_the_camera():
    with system() as (d, _):
        ch = channel_id(DEVICE)
        said = [gbctl(d, "ptz", DEVICE, ch, "left", "speed=100"), gbctl(d, "ptz", DEVICE, ch, "stop"),
                gbctl(d, "presets", DEVICE, ch), gbctl(d, "preset", DEVICE, ch, "3", "set", "gate"),
                gbctl(d, "preset", DEVICE, ch, "3"), gbctl(d, "preset", DEVICE, ch, "3", "delete"),
                gbctl(d, "config", DEVICE, "BasicParam"), gbctl(d, "config", DEVICE, ch, "BasicParam"),
                gbctl(d, "configure", DEVICE, "BasicParam.Name=gate"), gbctl(d, "guard", DEVICE, "set"),
                gbctl(d, "guard", DEVICE, ch, "reset"), gbctl(d, "alarm-reset", DEVICE),
                gbctl(d, "records", DEVICE, ch, "2026-01-02T00:00:00", "2026-01-02T01:00:00"),
                gbctl(d, "send", DEVICE, "DeviceStatus")]
        begin = (int(time.time()) - 3600) // 10 * 10
        stamps = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin + s)) for s in (0, 4)]
        expect(gbctl(d, "download", DEVICE, ch, *stamps).startswith("done"), "download")
        i = d.get("/api/v1/downloads")["items"][0]["id"]
        expect(ch in gbctl(d, "download") and "/downloads/" in gbctl(d, "download", "wait", i), "the list of downloads")
        gbctl(d, "download", "remove", i)
        expect(ch not in gbctl(d, "download"), "it is removed")
        bad = [s for s in said if not s.startswith(("answered", "arrived"))]
        expect(not bad, f"commands: {bad}")
        listed = gbctl(d, "commands", DEVICE, "DeviceControl")
        expect("answered" in listed and gbctl(d, "guard", DEVICE), f"their list: {listed}")
        expect(DEVICE in gbctl(d, "tree", DEVICE) or ch in gbctl(d, "tree", DEVICE), "tree")
        expect("{" in gbctl(d, "profile", DEVICE) and gbctl(d, "changes", DEVICE), "profile and changes")
        gbctl(d, "preset", DEVICE, ch, "3", "nonsense", code=64)
        gbctl(d, "preset", DEVICE, ch, "3", "delete", "gate", code=64)
        gbctl(d, "webhook", "add", "hall", "http://127.0.0.1:9/", "alarm")
        expect("hall" in gbctl(d, "webhooks"), "webhooks")
        gbctl(d, "webhook", "remove", "hall")
        with tempfile.NamedTemporaryFile() as f:
            f.write(b"firmware" * 1000)
            f.flush()
            sha = re.findall("[0-9a-f]{64}", gbctl(d, "firmware", "add", f.name))[0]
        expect(sha in gbctl(d, "firmware"), "firmware")
        gbctl(d, "firmware", "remove", sha)
        expect(sha not in gbctl(d, "firmware"), "firmware removed")


class Hostile(http.server.BaseHTTPRequestHandler):
    """A server whose devices name things so that a terminal would obey, and whose
    nodes all have two parents."""
    asked, waits = 0, 4
    name = "\x1b[2J\x9b31m\x7f\rgate\u95e8"

    def do_GET(self):  # pylint: disable=invalid-name
        Hostile.asked += 1
        level = int((re.findall("parent=n([0-9]+)", self.path) or ["0"])[0]) // 10
        nodes = [{"id": f"n{level + 1}{k}", "name": self.name, "kind": "channel", "children": 2} for k in (0, 1)]
        status = 404 if "alarms" in self.path else 200
        body = {"items": nodes if level < 24 else []} if status == 200 else {
            "code": "gone", "detail": self.name, "hint": self.name}
        if "downloads" in self.path:  # waits for long, and says at length why
            Hostile.waits -= 1
            body = {"id": "7", "state": "queued" if Hostile.waits else "done", "evidence": self.name * 50,
                    "ended_at": None if Hostile.waits else "2026-01-02T03:04:05Z"}
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Welcome</html>")

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


@test
def gbctl_against_the_terminal():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def run(*args):
        p = subprocess.run([os.path.join(BUILD, "gbctl"), "--url", f"http://127.0.0.1:{server.server_port}",
                            "--token", "x", *args], capture_output=True, timeout=HANG_S, check=False,
                           env={**os.environ, "LANG": "C"})
        text = (p.stdout + p.stderr).decode()
        bad = [c for c in text if c != "\n" and (c < " " or "\x7f" <= c <= "\x9f")]
        expect(not bad, f"gbctl {args}: {bad[:5]} in {text[:200]!r}")
        return text

    try:
        text = run("tree", DEVICE)
        expect("gate\u95e8" in text and "(as above)" in text, f"tree: {text[:300]}")
        # each of two nodes on 24 levels once, not 2^24 paths
        expect(Hostile.asked <= 50, f"{Hostile.asked} requests for a tree of 48 nodes")
        devices = json.loads(run("--json", "devices"))
        expect(devices["items"][0]["name"] == Hostile.name, "JSON is what the server said")
        expect("gate\u95e8" in run("devices"), "table")
        expect("gate\u95e8" in run("alarms"), "problem")
        expect("the answer is no JSON" in run("play", DEVICE, "1"), "a page in place of an answer")
        text = run("download", "wait", "7")
        expect(text.count("queued: ") == 1, f"what it waits for, more than once: {text[:300]}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@test
def live_events_and_listeners():
    with system() as (d, _):
        p = subprocess.Popen([os.path.join(BUILD, "gbctl"), "--url", d.base, "--token", f"@{d.dir}/data/admin-token",
                              "trace", "--follow", "--limit", "1"], stdout=subprocess.PIPE)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(iter(p.stdout.readline, b"")))
        reader.start()
        try:
            wait_for("the past", lambda: lines)
            play(d)
            wait_for("BYE in the ladder", lambda: [x for x in lines if b" BYE " in x])
        finally:
            p.terminate()
            reader.join()
            p.stdout.close()
            p.wait()
        listener = d.get("/api/v1/trace/listeners")["items"][0]
        expect(listener["received"] > 5 and listener["last_from"], f"{listener}")


@test
def switched_off():
    with system(settings=["trace.memory_mib=0"]) as (d, _):
        a = d.call("GET", "/api/v1/trace")
        expect(a.status == 404 and a.json["code"] == "trace-off", f"{a.status} {a.body}")


if __name__ == "__main__":
    sys.exit(run_tests(test, 1))
