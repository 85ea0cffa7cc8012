"""test/e2e/wvp.py - the paths of WVP against the daemon and gbcam; run by run.py."""
import hashlib
import json
import sys
import urllib.request

from rig import HANG_S, Failed, Tests, channel_id, run_tests, system, wait_for

DEVICE = "34020000001180000001"
test = Tests()


def ask(d, method, path):
    """What WVP's front-end would send: its own header, everything in the query."""
    a = d.call(method, path, token=False, headers={"access-token": d.token})
    j = json.loads(a.body)
    if a.status != 200 or set(j) != {"code", "msg", "data"}:
        raise Failed(f"{path}: {a.status} {a.body[:300]}")
    return j


def log_in(d):
    """By the MD5 of a password that is set while the daemon keeps it; what comes is a token."""
    d.call("PATCH", "/api/v1/users/admin", {"password": "gate and yard"})
    token = None
    for password, code in (("gate and yard", 0), ("gate and card", 100)):
        md5 = hashlib.md5(password.encode()).hexdigest()
        a = d.call("GET", f"/api/user/login?username=admin&password={md5}", token=False).json
        if a["code"] != code:
            raise Failed(f"login: {a}")
        token = a["data"]["accessToken"] if not code else token
    me = d.call("POST", "/api/user/userInfo", token=False, headers={"access-token": token}).json
    if me["code"] != 0 or me["data"]["username"] != "admin":
        raise Failed(f"user: {me}")


@test
def wvp_front_end_plays():
    ch = channel_id(DEVICE)
    with system(settings=("http.wvp_login=true",)) as (d, _):
        log_in(d)
        page = ask(d, "GET", "/api/device/query/devices?page=1&count=15&query=&status=true")["data"]
        if page["total"] != 1 or page["list"][0]["deviceId"] != DEVICE or not page["list"][0]["onLine"]:
            raise Failed(f"devices: {page}")
        wait_for("the channel", lambda: ask(d, "GET", f"/api/device/query/devices/{DEVICE}/channels?page=1&count=15")
                 ["data"]["total"] == 1)
        s = ask(d, "GET", f"/api/play/start/{DEVICE}/{ch}")
        if s["code"] != 0 or s["data"]["mediaInfo"]["videoCodec"] != "H264":
            raise Failed(f"start: {s}")
        with urllib.request.urlopen(s["data"]["flv"], timeout=HANG_S) as f:
            if f.read(3) != b"FLV":
                raise Failed("no FLV")
        turn = f"/api/ptz/control/{DEVICE}/{ch}?command=left&horizonSpeed=50&verticalSpeed=50&zoomSpeed=50"
        if ask(d, "POST", turn)["code"] != 0:
            raise Failed("ptz")
        if ask(d, "GET", f"/api/play/stop/{DEVICE}/{ch}")["code"] != 0:
            raise Failed("stop")
        wait_for("its end", lambda: ask(d, "GET", f"/api/play/stop/{DEVICE}/{ch}")["code"] == 404)
        if ask(d, "GET", f"/api/play/start/{DEVICE}/34020000001310009999")["code"] == 0:
            raise Failed("a channel that is not there")


if __name__ == "__main__":
    sys.exit(run_tests(test, 1))
