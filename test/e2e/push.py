#!/usr/bin/env python3
"""test/e2e/push.py [NAME...] - a channel pushed to other servers: ffmpeg that
listens for RTMP and RTSP, also behind TLS, nginx with libnginx-mod-rtmp, and what goes wrong."""
import contextlib
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

from rig import HANG_S, Failed, Tests, channel_id, end, expect, free_port, run_tests, system, wait_for

DEVICE = "34020000001180000001"
CHANNEL = channel_id(DEVICE)
PUSH = f"/api/v1/devices/{DEVICE}/channels/{CHANNEL}/push"
test = Tests()


def port():
    return free_port(socket.AF_INET, "127.0.0.1")


class Listener:
    """An ffmpeg that waits for one publisher and keeps what comes for some seconds."""

    def __init__(self, url, seconds=3):
        self.dir = tempfile.TemporaryDirectory(prefix="gb28181d-push-")
        self.file = os.path.join(self.dir.name, "got.mkv")
        how = ["-rtsp_flags", "listen"] if url.startswith("rtsp") else ["-listen", "1"]
        self.proc = subprocess.Popen(["ffmpeg", "-v", "warning", "-nostdin", "-y", *how, "-i", url, "-c", "copy",
                                      "-t", str(seconds), self.file], stderr=subprocess.PIPE, text=True)

    def check(self, video, audio, least=30):
        try:
            _, said = self.proc.communicate(timeout=HANG_S)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            raise Failed("nothing was published: " + self.proc.communicate()[1][-1500:])
        expect(self.proc.returncode == 0, f"ffmpeg: {said[-1500:]}")
        out = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-show_entries",
                              "stream=codec_name,nb_read_packets", "-of", "csv=p=0", self.file],
                             capture_output=True, text=True, timeout=HANG_S)
        got = dict(l.split(",")[:2] for l in out.stdout.split())
        expect(set(got) == {video, audio}, f"streams {got}, {said[-800:]}")
        expect(int(got[video]) >= least and int(got[audio]) >= least, f"packets {got}")
        decoded = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", self.file, "-f", "null", "-"],
                                 capture_output=True, text=True, timeout=HANG_S)
        expect(not decoded.stderr.strip(), f"decoding: {decoded.stderr[:800]}")

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        self.dir.cleanup()


def put(d, *urls, want=200, **more):
    a = d.call("PUT", PUSH, dict(urls=list(urls), **more))
    expect(a.status == want, f"PUT {urls}: {a.status} {a.body[:400]}")
    return a.json["items"] if want == 200 else a.json


def states(d):
    return [p["state"] for p in d.get(PUSH)["items"]]


def publish(template, video, audio, *options):
    with system(*options, settings=["media.idle_stop_s=2"]) as (d, _):
        listener, url = listener_at(template)
        try:
            put(d, url)
            wait_for("live", lambda: states(d) == ["live"])
            listener.check(video, audio)
            p = d.get(PUSH)["items"][0]
            expect(p["bytes"] > 50000, p)
            bare, query, key = url.partition("?")
            expect(bare in d.log() and (not query or key not in d.log()), "the log has the key of its query")
        finally:
            listener.close()
        a = d.call("DELETE", PUSH)
        expect(a.status == 204, a.status)
        wait_for("the session ends", lambda: not d.get("/api/v1/sessions")["items"])


def listens(pid):
    """Has it a socket that listens? Without a connection, which would be taken for the publisher."""
    with open("/proc/net/tcp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    sockets = {f"socket:[{r[9]}]" for r in rows if r[3] == "0A"}
    with contextlib.suppress(OSError):
        fds = f"/proc/{pid}/fd"
        return any(os.readlink(f"{fds}/{n}") in sockets for n in os.listdir(fds))
    return False


def listener_at(template):
    """A Listener that listens, and its URL: template with a port that nobody else was faster to take."""
    for _ in range(5):
        url = template.format(port=port())
        listener = Listener(url)
        wait_for("somebody listens", lambda: listens(listener.proc.pid) or listener.proc.poll() is not None)
        if listener.proc.poll() is None:
            return listener, url
        listener.close()
    raise Failed(f"{template}: ffmpeg does not listen")


@test
def rtmp_h264_g711():
    publish("rtmp://127.0.0.1:{port}/live/key?auth=Qk71key", "h264", "pcm_alaw")


@test
def rtmp_h264_aac():
    publish("rtmp://127.0.0.1:{port}/live/key", "h264", "aac", "--audio", "aac")


@test
def rtsp_h264_g711():
    publish("rtsp://127.0.0.1:{port}/live/key", "h264", "pcm_alaw")


@test
def rtsp_h265_aac():
    publish("rtsp://127.0.0.1:{port}/live", "hevc", "aac", "--codec", "h265", "--audio", "aac")


class Secret:
    """A certificate of its own for 127.0.0.1, and TLS in front of a port that speaks plain text."""

    def __init__(self, where, name):
        self.cert, key = os.path.join(where, name + ".crt"), os.path.join(where, name + ".key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-out", self.cert,
                        "-keyout", key], check=True, capture_output=True, timeout=HANG_S)
        self.ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ssl.load_cert_chain(self.cert, key)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def relay(self, to):
        threading.Thread(target=self.serve, args=(to,), daemon=True).start()
        return self

    def serve(self, to):
        while True:
            try:
                c = self.ssl.wrap_socket(self.socket.accept()[0], server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            threading.Thread(target=self.pump, args=(c, to), daemon=True).start()

    @staticmethod
    def pump(c, to):
        """In one thread: a connection with TLS is not to be used by two."""
        try:
            with c, socket.create_connection(("127.0.0.1", to)) as inner:
                while True:
                    ready = [c] if c.pending() else select.select((c, inner), (), ())[0]
                    for a in ready:
                        got = a.recv(65536)
                        if not got:
                            return
                        (inner if a is c else c).sendall(got)
        except OSError:
            pass


@test
def over_tls():
    with tempfile.TemporaryDirectory(prefix="gb28181d-tls-") as where:
        rtmp, rtsp, stranger = (Secret(where, n) for n in ("rtmp", "rtsp", "stranger"))
        trusted = os.path.join(where, "trusted.pem")
        with open(trusted, "w") as out:
            for s in (rtmp, rtsp):
                with open(s.cert) as f:
                    out.write(f.read())
        with system(settings=["push.ca=" + trusted]) as (d, _):
            for s, path, scheme in ((rtmp, "/live/key", "rtmp"), (rtsp, "/live", "rtsp")):
                listener, url = listener_at(scheme + "://127.0.0.1:{port}" + path)
                plain = int(url.split(":")[2].split("/")[0])
                try:
                    put(d, f"{scheme}s://127.0.0.1:{s.relay(plain).port}{path}")
                    wait_for("live", lambda: states(d) == ["live"])
                    listener.check("h264", "pcm_alaw")
                finally:
                    listener.close()
            # a certificate that nobody knows; one of another name; nobody that speaks TLS
            said = hostile(b"HTTP/1.1 400 Bad Request\r\n\r\n", False)
            for to, why in ((f"127.0.0.1:{stranger.relay(1).port}", "TLS certificate"),
                            (f"localhost:{rtmp.port}", "TLS certificate"),
                            (f"127.0.0.1:{said.getsockname()[1]}", "TLS handshake")):
                put(d, f"rtmps://{to}/live/key")
                wait_for(why, lambda: why in d.get(PUSH)["items"][0]["why"])
            # SIGHUP reads the file again: what is no certificate changes nothing
            with open(stranger.cert) as f:
                known = f.read()
            for text, told, why in (("nonsense", "stay as they were", "TLS certificate"),
                                    (known, "read again", "connection ")):
                with open(trusted, "w") as out:
                    out.write(text)
                d.proc.send_signal(signal.SIGHUP)
                wait_for(told, lambda: f"certificates of others {told}" in d.log())
                put(d)
                put(d, f"rtmps://127.0.0.1:{stranger.port}/live/key")
                wait_for(why, lambda: why in d.get(PUSH)["items"][0]["why"])
            for s in (rtmp.socket, rtsp.socket, stranger.socket, said):
                s.close()


@test
def comes_back_and_survives_a_restart():
    rtmp = f"rtmp://127.0.0.1:{port()}/live/key"
    rtsp = f"rtsp://me:Zx81pass@127.0.0.1:{port()}/x"
    with system() as (d, _):
        put(d, rtmp, rtsp)
        wait_for("failures", lambda: all(p["failures"] >= 2 for p in d.get(PUSH)["items"]))
        items = d.get(PUSH)["items"]
        expect(all("refused" in p["why"] and p["state"] != "live" for p in items), items)
        expect("Zx81pass" not in d.log() and "Zx81pass" not in str(items) and "me:***@" in str(items), items)
        listener = Listener(rtmp)
        try:
            listener.check("h264", "pcm_alaw")
        finally:
            listener.close()
        # the password stays as it was; the same URL goes on
        same = put(d, rtsp.replace("Zx81pass", "***"), rtmp)
        expect(sorted(p["id"] for p in same) == sorted(p["id"] for p in items), same)
        d.stop()
        with open(os.path.join(d.dir, "data", "gb28181d.db"), "rb") as f:
            expect(b"Zx81pass" not in f.read(), "the password is in the store")
        d.start()
        wait_for("both are there again", lambda: len(d.get(PUSH)["items"]) == 2)
        ch = d.get(PUSH.rsplit("/", 1)[0])
        expect(len(ch["push"]) == 2, ch)
        put(d)
        expect(d.get(PUSH)["items"] == [], "none are left")
        put(d, rtmp)
        d.call("DELETE", f"/api/v1/devices/{DEVICE}")
        d.stop()
        d.start()
        expect(d.get("/api/v1/pushes")["items"] == [], "those of a device that was removed")


@test
def refused_urls():
    with system(settings=["push.ca=/nonexistent"]) as (d, _):
        for url, code in (("rtmps://h/a/b", "no-tls"), ("rtsps://h/a", "no-tls"), ("http://h/a", "bad-value"),
                          ("rtmp://h/a", "bad-value"), ("rtsp://u:***@h/a", "bad-value")):
            a = put(d, url, want=400)
            expect(a["type"].endswith(code) or code in str(a), a)
        a = d.call("PUT", PUSH, {"urls": ["rtsp://h/a"] * 5})
        expect(a.status == 400, a.body)
        a = d.call("PUT", PUSH.replace(CHANNEL, "34020000001310009999"), {"urls": []})
        expect(a.status == 404, a.body)
        expect(d.get(PUSH)["items"] == [], "nothing was set")


def hostile(answer, close):
    """A server that says this to whoever comes."""
    s = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            while True:
                c, _ = s.accept()
                c.recv(4096)
                c.sendall(answer)
                if close:
                    c.close()
                else:
                    kept.append(c)
        except OSError:
            pass

    kept = []
    threading.Thread(target=serve, daemon=True).start()
    return s


@test
def servers_that_speak_nonsense():
    with system(settings=["media.idle_stop_s=2"]) as (d, _):
        cases = ((b"HTTP/1.1 400 Bad Request\r\n\r\n", "rtmp", "does not speak RTMP"),
                 (b"HTTP/1.1 400 Bad Request\r\n\r\n", "rtsp", "does not speak RTSP"),
                 (b"\x03" + bytes(3072) + b"\xff" * 5000, "rtmp", "chunk"),
                 (b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", "rtsp", "404 Not Found"))
        for answer, scheme, why in cases:
            s = hostile(answer, False)
            try:
                put(d, f"{scheme}://127.0.0.1:{s.getsockname()[1]}/a/b")
                wait_for(why, lambda: why in d.get(PUSH)["items"][0]["why"])
            finally:
                s.close()
        put(d)
        wait_for("the session ends", lambda: not d.get("/api/v1/sessions")["items"])


NGINX = """daemon off; master_process off; error_log stderr; pid {dir}/pid;
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
events {{ worker_connections 64; }}
rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}
"""


@test
def nginx():
    if not shutil.which("nginx") or not os.path.exists("/usr/lib/nginx/modules/ngx_rtmp_module.so"):
        print("skipped: nginx with libnginx-mod-rtmp is not installed (tools/setup.sh all)")
        return
    with tempfile.TemporaryDirectory(prefix="gb28181d-nginx-") as where, system("--audio", "aac") as (d, _):
        n = port()
        conf = os.path.join(where, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX.format(dir=where, port=n))
        proc = subprocess.Popen(["nginx", "-p", where, "-c", conf], stderr=subprocess.DEVNULL)
        try:
            url = f"rtmp://127.0.0.1:{n}/live/key"
            wait_for("nginx listens", lambda: listens(proc.pid))
            put(d, url)
            wait_for("live", lambda: states(d) == ["live"])
            out = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-t", "3", "-i", url, "-f", "null", "-"],
                                 capture_output=True, text=True, timeout=HANG_S)
            expect(out.returncode == 0, f"what nginx gives out: {out.stderr[:800]}")
            got = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0",
                                  url], capture_output=True, text=True, timeout=HANG_S)
            expect(set(got.stdout.split()) == {"h264", "aac"}, got.stdout + got.stderr)
        finally:
            end(proc)


if __name__ == "__main__":
    sys.exit(run_tests(test, 4))
