#!/usr/bin/env python3
"""test/e2e/sipp.py - sipp (Debian sip-tester) as a device, over UDP and TCP.

Each scenario of test/e2e/sipp says what it sends and which answers it takes;
sipp fails a call that gets another one. What sipp passes over, an answer that is
repeated because its ACK was not understood, is looked for in the trace."""
import glob
import os
import shutil
import subprocess
import sys
import time

from rig import HANG_S, Daemon, Failed, free_port, wait_for

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipp")
DEVICE = "34020000001320000001"
STRANGER = "34020000001320000099"


QUIET_S = 3.2  # the repeats of a refusal come 0.5, 1.5 and 3.5 s behind it


def expect_acknowledged(d):
    """The refusal of its INVITE is not sent again behind the ACK."""
    def told():
        return [(m["method"], m["status"]) for m in d.get("/api/v1/trace")["items"] if m["method"] in ("INVITE", "ACK")]
    wait_for("the ACK", lambda: ("ACK", 0) in told())
    time.sleep(QUIET_S)
    behind = told()[told().index(("ACK", 0)):]
    if ("INVITE", 488) in behind:
        raise Failed(f"the 488 was sent again: its ACK was not understood: {behind}")


def run(d, scenario, transport, port, device, password):
    options = [shutil.which("sipp"), f"127.0.0.1:{d.sip}", "-sf", os.path.join(HERE, scenario + ".xml"),
               "-i", "127.0.0.1", "-p", str(port), "-t", transport, "-m", "1", "-key", "device", device,
               "-au", device, "-ap", password, "-timeout", "60", "-timeout_error", "-nostdin", "-trace_err",
               "-trace_msg"]
    p = subprocess.run(options, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=d.dir, timeout=HANG_S, check=False)
    traces = ""
    for path in glob.glob(os.path.join(d.dir, scenario + "_*.log")):
        with open(path, errors="replace") as f:
            traces += f.read()
        os.unlink(path)
    if p.returncode:
        raise Failed(f"{scenario} over {transport}: sipp ended with {p.returncode}\n"
                     f"{p.stderr.decode(errors='replace')[-500:]}\n{traces[-4000:]}")


def main():
    if not shutil.which("sipp"):
        print("skipped: sipp is not installed (Debian: sip-tester)")
        return 0
    failed = passed = 0
    for transport in ("u1", "t1"):
        d = Daemon()
        try:
            with open(d.password_file) as f:
                password = f.read().strip()
            port = free_port()
            for scenario, device, pw in (("stranger", STRANGER, password), ("wrong_password", DEVICE, "no"),
                                         ("register", DEVICE, password), ("message", DEVICE, password),
                                         ("subscribe", DEVICE, password), ("options", DEVICE, password),
                                         ("invite", DEVICE, password)):
                begin = time.monotonic()
                # over TCP each has a connection, and a port, of its own
                run(d, scenario, transport, port if transport == "u1" else free_port(), device, pw)
                if scenario == "invite":
                    expect_acknowledged(d)
                passed += 1
                print(f"ok      {scenario} over {transport}  {time.monotonic() - begin:.1f} s", flush=True)
            # over TCP it has gone with its connection
            known = [x["id"] for x in (d.online() if transport == "u1" else d.devices())]
            if known != [DEVICE]:
                raise Failed(f"devices: {known}")
        except Failed as e:
            failed += 1
            print(f"FAILED  {e}", flush=True)
        finally:
            d.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
