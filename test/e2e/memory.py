#!/usr/bin/env python3
"""test/e2e/memory.py [NAME] - resident memory of the daemon: idle and with 200 devices.
Under qemu-user with -B ADDRESS, which GUEST_BASE repeats, what is counted are the pages of the
emulated program's 4 GiB alone (32-bit programs; tools/cross.sh with MEMORY=1)."""
import os
import sys
import time

from rig import Cameras, Daemon, wait_for

DEVICES = 200
GUEST_BASE = int(os.environ.get("GUEST_BASE", "0"), 0)
SETTLE_S = 12  # a stopped subscription, a batch to the store


def resident(pid):
    """Resident pages and those of them that no file holds, MiB."""
    rss = own = 0
    inside = False
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            word = line.split()
            if "-" in word[0] and not word[0].endswith(":"):
                begin = int(word[0].split("-")[0], 16)
                inside = not GUEST_BASE or GUEST_BASE <= begin < GUEST_BASE + (1 << 32)
            elif inside and word[0] == "Rss:":
                rss += int(word[1])
            elif inside and word[0] == "Anonymous:":
                own += int(word[1])
    return rss / 1024, own / 1024


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "here"

    def figure(what):
        rss, own = resident(d.proc.pid)
        print(f"figure memory.{name}.{what} {rss:.1f} MiB, of which {own:.1f} are its own", flush=True)

    d = Daemon()
    try:
        time.sleep(SETTLE_S)
        figure("idle")
        cams = Cameras(d, "--devices", str(DEVICES), "--quiet")
        try:
            wait_for("devices online", lambda: len(d.online()) == DEVICES, 120)
            wait_for("catalogs", lambda: all(x["channels"] == 1 for x in d.online()), 120)
            time.sleep(SETTLE_S)
            figure(f"devices{DEVICES}")
        finally:
            cams.close()
    finally:
        if GUEST_BASE: # stopped by a signal it may abort under qemu-i386: tools/cross.sh
            d.kill()
        d.close()


if __name__ == "__main__":
    main()
