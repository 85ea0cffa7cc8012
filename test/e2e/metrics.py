"""test/e2e/metrics.py [--write] - what /metrics gives, and those who rely on it:
docs/metrics.md, the Grafana dashboard, the alerts. Run by run.py; --write makes
docs/metrics.md anew."""
import json
import os
import re
import sys

from rig import EMULATED, Failed, Tests, channel_id, run_all, system, wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOC = f"{TOP}/docs/metrics.md"
DASHBOARD = f"{TOP}/packaging/grafana/gb28181d.json"
ALERTS = f"{TOP}/packaging/prometheus/alerts.yml"
NAME = re.compile(r"\b(?:gb28181|process)_[a-z0-9_]+")
DEVICE = "34020000001180000001"
test = Tests()
HEAD = """# Metrics

What `/metrics` gives, as Prometheus text; it asks for the same credentials as the
API. None is of one device or channel, so that their number does not grow with the
installation; what is wrong with one device is in the API, the events and the doctor.
Made by `test/e2e/metrics.py --write` from the daemon's own answer.

A scrape configuration and alerts are in `packaging/prometheus/`, a dashboard for
Grafana in `packaging/grafana/gb28181d.json`. [manual.md](manual.md) says what to
watch.

| metric | type | labels | what |
| --- | --- | --- | --- |
"""


class Metrics:
    def __init__(self, text):
        self.kind, self.help, self.labels, self.values = {}, {}, {}, {}
        for line in text.splitlines():
            if line.startswith("# HELP "):
                _, _, name, what = line.split(" ", 3)
                if name in self.help:
                    raise Failed(f"{name} is there twice")
                self.help[name] = what
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.kind[name] = kind
            else:
                m = re.fullmatch(r'([a-z0-9_]+)(?:\{(.*)\})? (-?[0-9.]+)', line)
                if not m:
                    raise Failed(f"no sample: {line}")
                labels = re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', m[2] or "")
                self.labels.setdefault(m[1], set()).update(k for k, _ in labels)
                key = (m[1], tuple(labels))
                if key in self.values:
                    raise Failed(f"{line} is there twice")
                self.values[key] = float(m[3])

    def check(self):
        """What `promtool check metrics` asks for, in short."""
        for name, kind in self.kind.items():
            if name not in self.help or kind not in ("counter", "gauge"):
                raise Failed(f"{name}: {kind}, {self.help.get(name)}")
            if (kind == "counter") != name.endswith("_total"):
                raise Failed(f"{name} is a {kind}")
            if re.search(r"_(ms|kb|mib|minutes|percent)(_|$)", name):
                raise Failed(f"{name} has no base unit")
        for name, _ in self.values:
            if name not in self.kind:
                raise Failed(f"{name} has no type")


def scrape(d):
    a = d.call("GET", "/metrics")
    if a.status != 200 or not a.headers["Content-Type"].startswith("text/plain; version=0.0.4"):
        raise Failed(f"{a.status} {a.headers['Content-Type']}")
    return Metrics(a.body.decode())


def table(m):
    rows = []
    for name in sorted(m.kind):
        labels = ", ".join(f"`{x}`" for x in sorted(m.labels.get(name, ())))
        if name.startswith("gb28181_webhook_"):
            labels = "`name`"
        rows.append(f"| `{name}` | {m.kind[name]} | {labels} | {m.help[name]} |\n")
    return HEAD + "".join(rows)


def used():
    """(where, expression) of everything that asks Prometheus."""
    with open(DASHBOARD, encoding="utf-8") as f:
        board = json.load(f)
    for panel in board["panels"]:
        if panel["type"] != "row" and not panel["targets"]:
            raise Failed(f"the panel {panel['title']} asks nothing")
        for target in panel.get("targets", []):
            yield f"dashboard, {panel['title']}", target["expr"]
    with open(ALERTS, encoding="utf-8") as f:
        for line in f:
            m = re.match(r"\s+expr: (.*)", line)
            if m:
                yield "alerts", m[1]


@test
def metrics_are_what_is_written_of_them():
    with system() as (d, _):
        if d.live(DEVICE, channel_id(DEVICE)).status != 200:
            raise Failed("no picture")
        # the disks are told by the scrape behind the one that asked
        wait_for("the size of the disk", lambda: any(k[0] == "gb28181_disk_free_bytes" for k in scrape(d).values))
        m = scrape(d)
    m.check()
    for want, least in (('gb28181_devices', 1), ('gb28181_rtp_bytes_total', 1),
                        ('process_resident_memory_bytes', 0 if EMULATED else 1e6),  # qemu-user tells 0 of itself
                        ('gb28181_disk_size_bytes', 1e6), ('process_start_time_seconds', 1.7e9)):
        if not any(k[0] == want and v >= least for k, v in m.values.items()):
            raise Failed(f"{want} is too small")
    if "--write" in sys.argv:
        with open(DOC, "w", encoding="utf-8") as f:
            f.write(table(m))
    with open(DOC, encoding="utf-8") as f:
        if f.read() != table(m):
            raise Failed("docs/metrics.md is out of date: python3 test/e2e/metrics.py --write")
    n = 0
    for where, expr in used():
        names = NAME.findall(expr)
        if not names:
            raise Failed(f"{where}: {expr} asks for nothing of ours")
        for name in names:
            if name not in m.kind:
                raise Failed(f"{where}: there is no {name}")
            if m.kind[name] == "counter" and not re.search(r"(rate|increase)\(" + name + r"\b", expr):
                raise Failed(f"{where}: {name} is a counter")
        for name, labels in re.findall(r"(gb28181_[a-z0-9_]+)\{([^}]*)\}", expr):
            for label in re.findall(r"([a-z]+)[=!]", labels):
                if label not in m.labels.get(name, ()) and label not in ("instance", "job"):
                    raise Failed(f"{where}: {name} has no label {label}")
        n += 1
    if n < 20:
        raise Failed(f"{n} questions alone")


if __name__ == "__main__":
    sys.exit(run_all(test, 1))
