"""test/e2e/backup.py - a backup and its return, as docs/manual.md has them; run by run.py."""
import os
import re
import shutil
import subprocess
import tempfile

from rig import BUILD, TOP, Daemon, Tests, expect

test = Tests()
ID = "34020000001320000077"


def of_the_manual(data, backup):
    """The commands, for another place."""
    with open(os.path.join(TOP, "docs", "manual.md"), encoding="utf-8") as f:
        section = re.search(r"^## Backup\n(.*?)^## ", f.read(), flags=re.S | re.M).group(1)
    script = re.search(r"```sh\n(.*?)```", section, flags=re.S).group(1)
    expect("/var/lib/gb28181d" in script and "/backup" in script, script)
    left = re.search(r"delete `(.*?)` and `(.*?)`", section).groups()
    return script.replace("/backup", backup).replace("/var/lib/gb28181d", data), left


def named(d):
    return d.get(f"/api/v1/devices/{ID}")["name"]


def days(d):
    return next(s["value"] for s in d.get("/api/v1/settings")["items"] if s["key"] == "record.days")


@test
def backup_of_the_manual():
    """Made while it runs and before anybody came over TLS; put back where a killed process has left its store."""
    if "-nosqlite" in BUILD:
        return
    with tempfile.TemporaryDirectory(prefix="gb28181d-backup-") as backup:
        d = Daemon()
        data = os.path.join(d.dir, "data")
        try:
            expect(d.call("POST", "/api/v1/devices", {"id": ID, "name": "gate"}).status == 201, "a device is added")
            a = d.call("PATCH", "/api/v1/settings", {"record.days": "31"})
            expect(a.status == 200, f"a setting: {a.status} {a.body[:200]}")
            script, left = of_the_manual(data, backup)
            subprocess.run(["bash", "-ec", script], check=True)
            token = d.token
            expect(d.call("PATCH", f"/api/v1/devices/{ID}", {"name": "yard"}).status == 200, "it gets another name")
            d.stored()
            d.kill()
            os.unlink(os.path.join(data, "settings.yml"))
            for name in left:
                expect(os.path.exists(os.path.join(data, name)), f"{name} is left")
                os.unlink(os.path.join(data, name))
            for name in os.listdir(backup):
                expect(os.stat(os.path.join(backup, name)).st_mode & 0o077 == 0, f"{name} is read by others")
                shutil.copy2(os.path.join(backup, name), data)
            d.start()
            expect(d.token == token, "the token")
            expect(named(d) == "gate", f"the device is as it was: {named(d)}")
            expect(days(d) == "31", f"so is what was set: {days(d)}")
        finally:
            d.close()
