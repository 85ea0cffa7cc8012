"""test/e2e/page_rig.py - what the cases of page.py share."""
import re

from rig import Cameras, wait_for

CHANNEL = "#tree [aria-level='2']"


def admin_password(d):
    return re.search(r"admin password\s+(\S+)", d.output()).group(1)


def log_in_as(b, name, password):
    wait_for("login form", lambda: b.run("return !document.getElementById('login').hidden"))
    b.run("document.getElementById('username').value = arguments[0]; document.getElementById('password').value = ''", name)
    b.type("#password", password)
    b.click("#login-form button")


def press(b, key):
    """A button of the view that is shown, by the key of its text."""
    b.run("document.querySelector('.view:not([hidden]) [data-t=' + arguments[0] + ']').click()", key)


class Site:
    """One camera of two channels, as soon as it is started."""

    def __init__(self, d):
        self.d, self.cam = d, None

    def start(self):
        self.cam = Cameras(self.d, "--channels", "2")
        wait_for("catalog", lambda: any(x["channels"] == 2 for x in self.d.online()))

    def __getattr__(self, name):
        return getattr(self.cam, name)

    def close(self):
        if self.cam:
            self.cam.close()
