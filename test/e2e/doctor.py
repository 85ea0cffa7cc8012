"""The doctor names the broken link: one camera for each fault, and one without."""
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from rig import SLOW, Cameras, Daemon, Failed, channel_id, wait_for

NVR = "3402000000118000%04d"

# the link that must be named first, how it is asked for, what gbcam does
CASES = {
    "healthy": (None, {}, []),
    "healthy over TCP": (None, {"transport": "tcp-passive"}, []),
    "no answer": ("answered", {}, ["--fault", "deaf"]),
    "488": ("answered", {}, ["--refuse", "488"]),
    "no media": ("arriving", {"transport": "udp"}, ["--fault", "silent"]),
    "wrong SSRC": ("ssrc", {}, ["--fault", "wrong-ssrc"]),
    "wrong address in SDP": ("connected", {"transport": "tcp-active"}, ["--fault", "private-addr", "--fault", "no-connect"]),
    "TCP refused": ("connected", {"transport": "tcp-active"}, ["--fault", "no-connect"]),
    "TCP does not come": ("connected", {"transport": "tcp-passive"}, ["--fault", "no-connect"]),
    "no PS": ("program", {}, ["--fault", "vendor-frames"]),
    "no key frame": ("key", {}, ["--fault", "no-key"]),
    "codec": ("viewer", {"can": "h264"}, ["--codec", "h265"]),
    "clock": ("clock", {}, ["--fault", "clock-off"]),
    "falls silent": ("steady", {}, ["--fault", "falls-silent"]),
    "two faults": ("answered", {}, ["--fault", "deaf", "--fault", "no-key"]),
}
LATER = {"falls silent": 26, "clock": 60}  # seconds until it shows
WRONG_PASSWORD = NVR % 99
VERBOSE = "-v" in sys.argv  # what it says of each, to be read


def chain(report):
    return " ".join(f"{x['link']}={x['state']}" for x in report["links"])


def ask(d, device, how):
    how = dict(how)
    can = how.pop("can", "")
    path = f"/api/v1/devices/{device}/channels/{channel_id(device)}/doctor" + (f"?can={can}" if can else "")
    answer = d.call("POST", path, how, timeout=30)
    if answer.status != 200:
        raise Failed(f"doctor of {device}: {answer.status} {answer.json}")
    return path, answer.json


def watch(d, device):
    request = urllib.request.Request(f"{d.base}/live/{device}/{channel_id(device)}.flv")
    request.add_header("Authorization", "Bearer " + d.token)
    return urllib.request.urlopen(request, timeout=60 * SLOW)  # pylint: disable=consider-using-with


def check(d, name, device):
    link, how, _ = CASES[name]
    viewer = watch(d, device) if name == "falls silent" else None
    try:
        return judge(d, name, device, link, how)
    finally:
        if viewer:
            viewer.close()


def judge(d, name, device, link, how):
    path, report = ask(d, device, how)
    if link and report["first"] != link:  # it may show only later
        def named():
            r = d.call("GET", path).json
            return r.get("first") == link and r
        try:
            report = wait_for(name, named, LATER.get(name, 12) * SLOW)
        except Failed:
            report = d.call("GET", path).json
    if report["first"] != link:
        raise Failed(f"{name}: {report['first']} is named, not {link}: {chain(report)}")
    if link is None:
        bad = [x for x in report["links"] if x["state"] != "green" and x["link"] not in ("alive", "clock")]
        if bad or report["verdict"] != "green":
            raise Failed(f"{name}: {bad}")
    else:
        red = next(x for x in report["links"] if x["link"] == link)
        if not all(red[k] for k in ("evidence", "evidence_zh", "hint", "hint_zh")) or report["verdict"] != "red":
            raise Failed(f"{name}: it does not say why: {red}")
        if VERBOSE:
            print("".join(f"        {red[k]}\n" for k in ("text", "evidence", "hint", "text_zh", "evidence_zh", "hint_zh")), [r["title_zh"] for r in red["remedies"]])
        remedy = [x for x in red["remedies"] if x["name"] == "tcp-passive"]
        if name == "no media" and not remedy:
            raise Failed(f"{name}: no other transport to try: {red}")
    return f"ok   {name}: {link or 'no red link'}"


def main():
    failed = 0
    with_faults = {name: NVR % (i + 1) for i, name in enumerate(CASES)}
    d = Daemon()
    cameras = []
    try:
        for name, device in with_faults.items():
            more = ["--expires", "60"] if name == "clock" else []
            cameras.append(Cameras(d, *CASES[name][2], *more, device=device))
        wrong = Cameras(d, "--password", "wrong", device=WRONG_PASSWORD)
        cameras.append(wrong)
        wait_for("cameras online", lambda: len(d.online()) == len(CASES))
        wait_for("catalogs", lambda: all(x["channels"] for x in d.online()))
        with ThreadPoolExecutor(len(CASES)) as pool:
            jobs = {name: pool.submit(check, d, name, device) for name, device in with_faults.items() if name != "clock"}
            for name, job in jobs.items():
                try:
                    print(job.result())
                except Failed as e:
                    failed += 1
                    print(f"FAIL {name}: {e}")
        _, report = ask(d, WRONG_PASSWORD, {})
        ok = report["first"] == "registered" and "refused" in report["links"][0]["evidence"]
        failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'} wrong password: {report['links'][0]}")
        try:
            print(check(d, "clock", with_faults["clock"]))
        except Failed as e:
            failed += 1
            print(f"FAIL clock: {e}")
    finally:
        for c in cameras:
            c.close()
        d.close()
    print(f"{len(CASES) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
