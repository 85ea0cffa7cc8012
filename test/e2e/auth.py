#!/usr/bin/env python3
"""test/e2e/auth.py [NAME...] - HTTPS on the HTTP port, users with a part of the devices, and the audit log."""
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

from playback import expect
from rig import BUILD, HANG_S, SLOW, Daemon, Tests, Watch, channel_id, check_picture, run_tests, system, wait_for

ONE, TWO = "34020000001180000001", "34020000001180000002"
test = Tests()


def secure(d):
    return d.base.replace("http:", "https:")


def trusting(d):
    """Who believes the daemon's own certificate and no other; it names the address. It is made for who comes first."""
    fetch(secure(d) + "/healthz", ssl._create_unverified_context())
    return ssl.create_default_context(cafile=f"{d.dir}/data/tls.crt")


def fetch(url, context=None, method="GET", body=None, **fields):
    """Status, body and answer's fields; without the token of the rig."""
    data = json.dumps(body).encode() if body is not None else None
    q = urllib.request.Request(url, data=data, method=method,
                               headers={k.replace("_", "-"): v for k, v in fields.items()})
    try:
        with urllib.request.urlopen(q, timeout=20 * SLOW, context=context) as r:
            return r.status, r.read(), r.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read(), e.headers


def log_in(base, context, name, password):
    status, body, headers = fetch(base + "/api/v1/login", context, "POST", {"name": name, "password": password})
    return status, headers.get("Set-Cookie", "").split(";")[0], headers.get("Set-Cookie", "")


@test
def https_page_api_and_media():
    with system() as (d, _):
        trust = trusting(d)
        for f in ("tls.crt", "tls.key"):
            mode = os.stat(f"{d.dir}/data/{f}").st_mode & 0o777
            expect(mode == 0o600, f"{f} has mode {mode:o}")
        status, page, _ = fetch(secure(d) + "/", trust)
        expect(status == 200 and b"<html" in page, f"page: {status}")
        expect(fetch(d.base + "/")[0] == 200, "plain HTTP is there, too")
        a = d.call("POST", "/api/v1/users", {"name": "ada", "password": "12345678", "role": "operator"})
        expect(a.status == 201, f"POST users: {a.status} {a.body}")
        status, cookie, whole = log_in(secure(d), trust, "ada", "12345678")
        expect(status == 200 and "; Secure" in whole, f"login: {status} {whole}")
        # media by a URL that the API told over HTTPS
        status, body, _ = fetch(secure(d) + f"/api/v1/devices/{ONE}/channels/{channel_id(ONE)}/live", trust, "POST", {},
                                Cookie=cookie, X_Requested_With="e2e")
        expect(status == 200, f"live: {status} {body}")
        urls = json.loads(body)
        expect(urls["flv"].startswith("https://") and urls["ws_fmp4"].startswith("wss://"), urls)
        check_picture(urls["flv"], "h264", seconds=3)
        # HLS: its files come by the same way
        status, body, _ = fetch(urls["hls"], trust)
        expect(status == 200 and b"#EXTM3U" in body, f"hls: {status} {body[:200]}")
        # noise that begins like TLS harms nobody
        with __import__("socket").create_connection((d.host, int(d.base.rsplit(":", 1)[1]))) as s:
            s.sendall(b"\x16\x03\x01\x00\x05hello")
            s.settimeout(HANG_S)
            while s.recv(1000):
                pass
        expect(fetch(secure(d) + "/healthz", trust)[0] == 200, "it still answers")


@test
def a_certificate_that_is_read_again():
    other, d = Daemon(), Daemon()
    try:
        before = trusting(d)
        trusting(other)
        expect(fetch(secure(d) + "/healthz", before)[0] == 200, "with its own")
        for f in ("tls.crt", "tls.key"):
            shutil.copy(f"{other.dir}/data/{f}", f"{d.dir}/data/{f}")
        after = trusting(d)
        os.kill(d.proc.pid, signal.SIGHUP)

        def anew():
            try:
                return fetch(secure(d) + "/healthz", after)[0] == 200
            except urllib.error.URLError:
                return False

        wait_for("the other certificate", anew, 10)
        with open(f"{d.dir}/data/tls.key", "w") as f:
            f.write("nothing")
        os.kill(d.proc.pid, signal.SIGHUP)
        wait_for("it says so", lambda: "stays as it was" in d.log(), 10)
        expect(anew(), "and goes on")
    finally:
        d.close()
        other.close()


@test
def a_jpeg_of_the_picture():
    """By the ffmpeg that is there: the size of the stream, for a signature as for a token; with none, why not."""
    path = f"/live/{ONE}/{channel_id(ONE)}/snapshot.jpg"
    with system(settings=[f"snapshot.ffmpeg={shutil.which('ffmpeg')}"]) as (d, _):
        status, body, headers = fetch(d.base + path, Authorization=f"Bearer {d.token}")
        expect(status == 200 and headers["Content-Type"] == "image/jpeg", f"jpeg: {status} {body[:200]}")
        name = f"{d.dir}/one.jpg"
        with open(name, "wb") as f:
            f.write(body)
        said = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0",
                               name], capture_output=True, text=True, check=False).stdout.strip()
        expect(said == "mjpeg,640,360", f"it is {said}")
        signed = d.live(ONE, channel_id(ONE)).json["jpeg"]
        expect(fetch(signed)[0] == 200, "signed")
        expect(fetch(d.base + path)[0] == 401, "without any")
    d = Daemon()
    try:
        status, body, _ = fetch(d.base + path, Authorization=f"Bearer {d.token}")
        expect(status == 501 and b"snapshot.ffmpeg" in body, f"without ffmpeg: {status} {body}")
    finally:
        d.close()


@test
def viewers_end_with_their_account():
    """A token watches over HTTP, by a signed URL, over HTTPS and over RTSP; revoked, all of it is over."""
    with system() as (d, _):
        token = d.call("POST", "/api/v1/tokens", {"name": "ci", "role": "operator", "scope": {"devices": [ONE]}}).json["token"]
        ch = channel_id(ONE)
        status, body, _ = fetch(d.base + f"/api/v1/devices/{ONE}/channels/{ch}/live", None, "POST", {},
                                Authorization=f"Bearer {token}")
        expect(status == 200, f"live: {status} {body}")
        urls = json.loads(body)
        rtsp = f"rtsp://ci:{token}@127.0.0.1:{d.rtsp}/{ONE}/{ch}"
        quiet = ["ffmpeg", "-v", "error", "-nostdin"]
        to = ["-c", "copy", "-f", "null", "-"]
        bare = urls["flv"].split("?")[0]
        watching = {
            "token": quiet + ["-headers", f"Authorization: Bearer {token}\r\n", "-i", bare] + to,
            "signed": quiet + ["-i", urls["flv"]] + to,
            "https": quiet + ["-tls_verify", "0", "-i", urls["flv"].replace("http:", "https:")] + to,
            "rtsp": quiet + ["-rtsp_transport", "tcp", "-i", rtsp] + to,
            "rtsp, signed": quiet + ["-rtsp_transport", "tcp", "-i", urls["rtsp"]] + to,
        }
        other = subprocess.Popen(quiet + ["-headers", f"Authorization: Bearer {d.token}\r\n", "-i", bare] + to)
        procs = {k: subprocess.Popen(v, stderr=subprocess.DEVNULL) for k, v in watching.items()}
        try:
            def viewers():
                a = d.call("GET", "/metrics").body.decode()
                return next(int(x.split()[1]) for x in a.splitlines() if x.startswith("gb28181_viewers "))

            wait_for("six watch", lambda: viewers() >= 6, 30)
            a = d.call("DELETE", "/api/v1/tokens/ci")
            expect(a.status == 204, a.body)
            for k, p in procs.items():
                wait_for(f"the end of it: {k}", lambda p=p: p.poll() is not None, 4)
            expect(other.poll() is None, "another viewer has ended")
            expect(fetch(urls["flv"])[0] == 401, "the signed URL opens it again")
        finally:
            for p in [other, *procs.values()]:
                p.kill()
                p.wait()


@test
def a_part_of_the_devices():
    with system(devices=2) as (d, _):
        wait_for("catalogs", lambda: all(x["channels"] for x in d.devices()))
        a = d.call("POST", "/api/v1/users", {"name": "eve", "password": "12345678", "role": "operator",
                                             "scope": {"devices": [ONE]}})
        expect(a.status == 201, f"POST users: {a.status} {a.body}")
        status, cookie, _ = log_in(d.base, None, "eve", "12345678")
        expect(status == 200, f"login: {status}")

        def get(path, method="GET"):
            return fetch(d.base + path, None, method, {} if method == "POST" else None, Cookie=cookie,
                         X_Requested_With="e2e")

        items = json.loads(get("/api/v1/devices")[1])["items"]
        expect([x["id"] for x in items] == [ONE], items)
        expect(get(f"/api/v1/devices/{TWO}")[0] == 404, "the other one")
        expect(get(f"/live/{TWO}/{channel_id(TWO)}.flv")[0] == 404, "its picture")
        expect(get(f"/api/v1/devices/{TWO}/channels/{channel_id(TWO)}/live", "POST")[0] == 404, "its stream")
        expect(get("/api/v1/users")[0] == 403, "no admin")
        expect(get("/metrics")[0] == 403, "figures of all")
        # what the other device does reaches the admin's events, and not these
        with subprocess.Popen(["curl", "-sN", "-m", str(HANG_S), "-H", f"Cookie: {cookie}",
                               d.base + "/api/v1/events"], stdout=subprocess.PIPE) as curl:
            out = curl.stdout.readline().decode()  # "retry:", so it is there
            for device in (TWO, ONE):
                expect(d.call("POST", f"/api/v1/devices/{device}/refresh").status == 202, "refresh")
            while ONE not in out and (line := curl.stdout.readline().decode()):
                out += line
            time.sleep(1)
            # a changed password ends the stream and the session
            expect(d.call("PATCH", "/api/v1/users/eve", {"password": "87654321"}).status == 200, "PATCH")
            watch = Watch()
            out += curl.stdout.read().decode()
            curl.wait()
            expect(curl.returncode != 28 and watch.s() < 3 * SLOW, f"it goes on: {curl.returncode}")
        expect(ONE in out and TWO not in out, out[-2000:])
        expect(get("/api/v1/me")[0] == 401, "the session is over")
        # all of it, and what was refused, is written down
        d.stop()
        d.start()
        expect(log_in(d.base, None, "eve", "12345678")[0] == 401, "the old password")
        expect(log_in(d.base, None, "eve", "87654321")[0] == 200, "users come back")
        rows = d.get("/api/v1/audit?path=/api/v1/users")["items"]
        expect([(r["who"], r["method"], r["status"]) for r in rows] ==
               [("admin-token", "PATCH", 200), ("admin-token", "POST", 201)], rows)
        rows = d.get("/api/v1/audit?who=eve&limit=2")
        expect([r["status"] for r in rows["items"]] == [200, 401] and rows["next"], rows)
        expect("12345678" not in json.dumps(d.get("/api/v1/audit?limit=1000")), "a password is in it")


@test
def the_command_line():
    d = Daemon()
    try:
        def ctl(*args, stdin=""):
            p = subprocess.run([f"{BUILD}/gbctl", "--url", d.base, "--token", d.token, *args], input=stdin,
                               capture_output=True, text=True, timeout=HANG_S)
            return p.returncode, p.stdout + p.stderr

        bob = "user", "add", "bob", "viewer", f"device:{ONE}", "group:yard"
        rc, out = ctl(*bob, stdin="secret-word\n")
        expect(rc and "no such group" in out and "there are no groups yet" in out, out)
        d.call("POST", "/api/v1/groups", {"name": "yard"})
        rc, out = ctl(*bob, stdin="secret-word\n")
        expect(rc == 0, out)
        rc, out = ctl("users")
        expect(rc == 0 and "bob" in out and "viewer" in out and f"device:{ONE} group:yard" in out and "everything" in out, out)
        expect(log_in(d.base, None, "bob", "secret-word")[0] == 200, "his password")
        rc, out = ctl("user", "password", "bob", stdin="other-word\n")
        expect(rc == 0 and log_in(d.base, None, "bob", "other-word")[0] == 200, out)
        rc, out = ctl("token", "add", "ci", "operator")
        expect(rc == 0 and len(out.split()[-1]) == 64, out)
        status, me, _ = fetch(d.base + "/api/v1/me", Authorization="Bearer " + out.split()[-1])
        expect(status == 200 and json.loads(me)["name"] == "ci", me)
        expect(ctl("token", "remove", "ci")[0] == 0 and ctl("user", "remove", "bob")[0] == 0, "removed")
        rc, out = ctl("user", "remove", "admin")
        expect(rc != 0 and "admin" in out, out)
        rc, out = ctl("audit")
        expect(rc == 0 and "/api/v1/users/bob" in out, out)
    finally:
        d.close()


@test
def devices_by_the_command_line():
    """Added, set, subscribed, forgotten; and what is wrong is told with who it is."""
    d = Daemon()
    device = "34020000001180000099"
    try:
        def ctl(*args, code=0, stdin=""):
            p = subprocess.run([f"{BUILD}/gbctl", "--url", d.base, "--token", d.token, *args], input=stdin,
                               capture_output=True, text=True, timeout=HANG_S)
            expect(p.returncode == code, f"{args}: {p.returncode} {p.stdout}{p.stderr}")
            return p.stdout + p.stderr

        ctl("device", "add", device, "name=barn", "edition=2022")
        ctl("device", "password", device, stdin="secret-word\n")
        ctl("device", "set", device, "media=udp", "edition:=null")
        ctl("subscribe", device, "catalog", "on")
        ctl("subscribe", device, "alarm", "90")
        ctl("subscribe", device, "ptz", "soon", code=64)
        got = d.get(f"/api/v1/devices/{device}")
        expect((got["name"], got["media"], got["edition_set"], got["has_password"]) == ("barn", "udp", "auto", True), got)
        expect(got["subscribe"] == {"catalog": 600, "alarm": 90, "position": None, "ptz": None}, got)
        expect("barn" in ctl("devices") and "KIND" in ctl("subscriptions", device) and "GROUP" in ctl("groups"), "lists")
        expect("offline" in ctl("refresh", device, code=1), "it is not there")
        expect(device in ctl("device", "add", device, code=1), "it does not say who is there already")
        expect("it is used like this" in ctl("device", "set", device, code=64), "usage")
        ctl("device", "remove", device)
        expect(device in ctl("device", "remove", device, code=1), "it does not say who is not there")
        ctl("pending", "accept", device, code=1)
        expect("usage: gbctl" in ctl("help"), "help")
        expect("is the daemon running" in ctl("--url", "http://127.0.0.1:1", "devices", code=69), "hint")
    finally:
        d.close()


if __name__ == "__main__":
    sys.exit(run_tests(test, 4))
