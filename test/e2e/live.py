#!/usr/bin/env python3
"""test/e2e/live.py [NAME...] - live sessions in the field: key frames that are
asked for, cameras and servers that come back."""
import os
import subprocess
import sys
import time

from rig import SLOW, Cameras, Daemon, Failed, channel_id, probe, system, wait_for

DEVICE = "34020000001180000001"
TESTS = []


def test(fn):
    TESTS.append(fn)
    return fn


def expect(ok, what):
    if not ok:
        raise Failed(what)


def first_bytes(url, n=20000, timeout=8):
    """Seconds until so much of a stream has come."""
    begin = time.monotonic()
    p = subprocess.run(["curl", "-s", "-m", str(timeout * SLOW), "--max-filesize", str(1 << 30), "-r", f"0-{n}",
                        "-o", "/dev/null", "-w", "%{http_code} %{size_download}", url],
                       capture_output=True, text=True, check=False)
    return time.monotonic() - begin, p.stdout
