#!/usr/bin/env python3
"""test/e2e/page.py - the page in headless Chromium: log in, click a channel,
see the picture move, and through the other views. Arguments are names of cases:
those alone.

The clip draws its frame number as 32 black and white blocks: the test reads
them off the picture twice, so a frozen or torn picture fails."""
import contextlib
import re
import sys
import tempfile

from browser import Browser, read_clock
from page_contrast import contrast, keyboard
from page_devices import devices
from page_live import (
    aac, begins_anew_when_nothing_is_drawn, doctor_finds_nothing, failure_is_named, goes_on_trying,
    moves, note_20_1_says_that_it_cannot_play, note_20_7_asks_to_log_in_again, plays, speaks,
    sub_stream, tours, wall)
from page_records import alarm_recording, alarms, downloads, names, own_recording, recording, records
from page_rig import CHANNEL, Site, admin_password, log_in_as
from page_views import access, chart, daemon_log, home, outputs, server, settings, trace
from page_whole import for_all, language, links_in_sight, looks, many, paint, weight
from rig import Daemon, Failed, wait_for


def log_in(b, d, site):
    """The first run: what is told there is typed into a camera; two clicks, login and its channel, and there is its picture."""
    b.open(d.base + "/")
    wait_for("login form", lambda: b.run("return !document.getElementById('login').hidden"))
    if errors := b.log():
        raise Failed(f"on the console before anybody has logged in: {errors}")
    b.both("login")
    log_in_as(b, "admin", "not it")
    wait_for("refusal", lambda: b.run("return document.getElementById('login-error').textContent"))
    log_in_as(b, "admin", admin_password(d))
    wait_for("what to type", lambda: b.run("return document.querySelectorAll('#welcome:not([hidden]) code').length") >= 5)
    b.run("const s = document.querySelector('#welcome select'); s.value = 'dahua'; s.dispatchEvent(new Event('change'))")
    wait_for("the words of a maker", lambda: "Device No." in b.run("return document.getElementById('welcome').textContent"))
    b.both("welcome")
    with open(d.password_file) as f:
        if f.read().strip() not in b.run("return document.getElementById('welcome').textContent"):
            raise Failed("the password for cameras is not told")
    site.start()
    wait_for("tree", lambda: b.run("return document.querySelectorAll(arguments[0]).length", CHANNEL) == 2)
    wait_for("no more hints", lambda: b.run("return document.getElementById('welcome').hidden"))
    b.click(CHANNEL)
    wait_for("picture", lambda: read_clock(b), timeout=25)


def cases(b, d, cam):
    return (("log_in", lambda: log_in(b, d, cam)), ("plays", lambda: plays(b, d)), ("sub_stream", lambda: sub_stream(b)),
            ("codec_missing", lambda: note_20_1_says_that_it_cannot_play(b)),
            ("begins_anew", lambda: begins_anew_when_nothing_is_drawn(b)), ("logged_out", lambda: note_20_7_asks_to_log_in_again(b, d)), ("moves", lambda: moves(b, d)),
            ("speaks", lambda: speaks(b, cam)), ("doctor", lambda: doctor_finds_nothing(b)),
            ("recording", lambda: recording(b, d)),
            ("wall", lambda: wall(b, d)),
            ("alarms", lambda: alarms(b, cam)),
            ("trace", lambda: trace(b, d)), # while its registration is among the last messages
            ("records", lambda: records(b, d)), ("own_recording", lambda: own_recording(b, d)),
            ("alarm_recording", lambda: alarm_recording(b, d, cam)),
            ("tours", lambda: tours(b, d)), ("access", lambda: access(b, d)), ("log", lambda: daemon_log(b, d)), ("server", lambda: server(b, d)), ("outputs", lambda: outputs(b, d)),
            ("map", lambda: chart(b, d)), ("downloads", lambda: downloads(b, d)),
            ("settings", lambda: settings(b, d)), ("devices", lambda: devices(b, d)),
            ("keyboard", lambda: keyboard(b, d)), ("contrast", lambda: contrast(b)),
            ("home", lambda: home(b, d)), ("links", lambda: links_in_sight(b)), ("goes_on", lambda: goes_on_trying(b, d)),
            ("many", lambda: many(b, d)), ("paint", lambda: paint(b, d)),
            ("for_all", lambda: for_all(b, d)), ("weight", lambda: weight(d)), ("looks", lambda: looks(b)),
            ("language", lambda: language(b)), ("names", lambda: names(b, d)), ("aac", lambda: aac(b, d)),
            ("failure_is_named", lambda: failure_is_named(b, d, cam)))


def main():
    passed = failed = 0
    directory = tempfile.TemporaryDirectory(prefix="gb28181d-page-")  # pylint: disable=consider-using-with
    d = Daemon(directory=directory.name, settings=[f"map.tiles={directory.name}/tiles", "media.idle_stop_s=2"])
    cam = Site(d)
    with directory, contextlib.closing(d), contextlib.closing(cam):
        b = Browser()
        try:
            for name, fn in cases(b, d, cam):
                if sys.argv[1:] and name not in ("log_in", *sys.argv[1:]):
                    continue
                try:
                    fn()
                    passed += 1
                    print(f"ok      page: {name}", flush=True)
                except Failed as e:
                    failed += 1
                    b.shot("failed")
                    print(f"FAILED  page: {name}: {e}\n" + "\n".join(b.log()[-10:]), flush=True)
                    break
            errors = [m for m in b.log() if "401" not in m and "412" not in m and "api/v1/settings - Failed" not in m and "502" not in m and "504" not in m and "/api/v1/map/" not in m
                      and not re.search(r"/devices/34020000001180000(20\d|210)/tree.*404", m)]  # of paint's devices, just deleted
            if errors:
                failed += 1
                print("FAILED  page: errors on the console:\n" + "\n".join(errors[:10]))
        finally:
            b.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
