"""test/e2e/proxied.py - behind nginx, as docs/manual.md sets it up; run by run.py."""
import contextlib
import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import time

from rig import HANG_S, TOP, Tests, channel_id, end, expect, free_port, system, wait_for

test = Tests()
DEVICE = "34020000001180000001"
CLIENT = "127.0.0.2"  # another address than the proxy's

NGINX = """daemon off; master_process off; error_log stderr; pid {dir}/pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u;
    scgi_temp_path {dir}/s;
    {map}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {dir}/cert; ssl_certificate_key {dir}/key;
        {location}
    }}
}}
"""


def of_the_manual(d):
    """The location of nginx, and the map beside it."""
    with open(os.path.join(TOP, "docs", "manual.md"), encoding="utf-8") as f:
        text = f.read()
    location = re.search(r"```nginx\n(.*?)```", text, flags=re.S).group(1)
    expect("http://127.0.0.1:28181;" in location, location)
    return {"location": location.replace("127.0.0.1:28181", f"127.0.0.1:{d.http}"),
            "map": re.search(r"`(map \$http_upgrade.*?)`", text, flags=re.S).group(1)}


@contextlib.contextmanager
def nginx(d):
    with tempfile.TemporaryDirectory(prefix="gb28181d-nginx-") as where:
        port = free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", f"{where}/key", "-out", f"{where}/cert", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        with open(f"{where}/conf", "w", encoding="utf-8") as f:
            f.write(NGINX.format(dir=where, port=port, **of_the_manual(d)))
        proc = subprocess.Popen(["nginx", "-p", where, "-c", f"{where}/conf"], stderr=subprocess.DEVNULL)
        try:
            yield Site(port, ssl.create_default_context(cafile=f"{where}/cert"))
        finally:
            end(proc)


class Site:
    """What a browser sees of it."""

    def __init__(self, port, trust):
        self.port, self.trust = port, trust
        self.origin = f"https://localhost:{port}"
        self.cookie = ""

    def ask(self, method, path, body=None, headers=None):
        c = http.client.HTTPSConnection("localhost", self.port, context=self.trust, source_address=(CLIENT, 0),
                                        timeout=HANG_S)
        c.request(method, path, None if body is None else json.dumps(body),
                  {"Origin": self.origin, "Cookie": self.cookie, **(headers or {})})
        return c, c.getresponse()

    def call(self, method, path, body=None):
        c, r = self.ask(method, path, body)
        with contextlib.closing(c):
            self.cookie = (r.headers["Set-Cookie"] or self.cookie).partition(";")[0]
            return r.status, r.read()

    def begins(self, path, headers=None, status=200):
        """The first bytes of what has no end."""
        c, r = self.ask("GET", path, headers=headers)
        with contextlib.closing(c):
            expect(r.status == status, f"{path}: {r.status}")
            return (r.fp if status == 101 else r).read(9)

    def listens(self):
        with contextlib.suppress(OSError):
            return self.call("GET", "/healthz")[0] == 200
        return False


@test
def behind_nginx():
    if not shutil.which("nginx"):
        print("skipped: nginx is not installed (tools/setup.sh all)")
        return
    with system(settings=["http.trusted_proxies=127.0.0.1/32"]) as (d, _), nginx(d) as site:
        wait_for("nginx", site.listens)
        password = re.search(r"admin password +(\S+)", d.output()).group(1)
        status, told = site.call("POST", "/api/v1/login", {"name": "admin", "password": password})
        expect(status == 200 and site.cookie, f"login: {status} {told}")
        status, told = site.call("POST", f"/api/v1/devices/{DEVICE}/channels/{channel_id(DEVICE)}/live", {})
        expect(status == 200, f"live: {status} {told}")
        u = json.loads(told)
        expect(u["flv"].startswith(site.origin + "/") and u["ws_flv"].startswith(site.origin.replace("http", "ws", 1) + "/"),
               f"{u['flv']} {u['ws_flv']}")
        path = u["flv"][len(site.origin):]
        begun = time.monotonic()
        expect(site.begins(path)[:3] == b"FLV", "no FLV")
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        expect(b"FLV" in site.begins(path, upgrade, 101), "no FLV over WebSocket")
        expect(site.begins("/api/v1/events") == b"retry: 30", "no events")
        expect(time.monotonic() - begun < HANG_S / 4, "nginx kept it back")
        entry = d.get("/api/v1/audit")["items"][0]
        expect(CLIENT in json.dumps(entry), f"not of {CLIENT}: {entry}")
