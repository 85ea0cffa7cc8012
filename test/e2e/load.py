#!/usr/bin/env python3
"""test/e2e/load.py [load|fleet|catalog|peers]... - what SIP costs the running daemon.

load   CPU for each new contact, refresh, login and keepalive of 100,000 devices
       over UDP; each sample between two of the floor program, and the ratio to
       them, NAME.x
fleet  100,000 devices that keep alive once a minute: CPU, RSS
catalog a device with 10,000 channels that answers with one item a message:
       time until all are stored and listed, CPU, RSS of a channel
quick  a few of each over UDP and TCP, to see that all is answered
peers  Kamailio, where it is installed, measured by the same client

DEVICES, COUNT (transactions of a phase) and HOLD_S make it smaller."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from rig import BUILD, SERVER_ID, Cameras, Daemon, Failed, cpu_s, end, free_port, rss_mib, wait_for

DEVICES = int(os.environ.get("DEVICES", "100000"))
CHANNELS = int(os.environ.get("CHANNELS", "10000"))
TRANSACTION_S = 35  # a server transaction of UDP is over
COUNT = int(os.environ.get("COUNT", "100000"))
HOLD_S = os.environ.get("HOLD_S", "60")
PHASES = ("contact", "register", "login", "keepalive")
# documented options and nothing else; the password is asked for as always
SETTINGS = [f"limits.devices={DEVICES + 1}", "limits.unauthenticated_per_s=1000000",
            "limits.unauthenticated_total_per_s=1000000", "limits.registers_per_s=1000000", "log.level=warn"]
KAMAILIO_PASSWORD = "12345678"

KAMAILIO = """
debug=0
log_stderror=yes
fork=yes
children=1
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:{port}
alias="{realm}"
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "hash_size", 14)
modparam("registrar", "max_expires", 7200)
modparam("registrar", "max_contacts", 1)
modparam("auth", "nonce_expire", 300)
request_route {{
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{realm}", "{password}", "0")) {{
            www_challenge("{realm}", "0");
            exit;
        }}
        if (!save("location"))
            sl_reply_error();
        exit;
    }}
    if (is_method("MESSAGE")) {{
        sl_send_reply("200", "OK");
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""


def pin(pid, cpu):
    """Server and client on processors of their own, where there are two."""
    if os.cpu_count() < 2:
        return
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {cpu})


def family(pid):
    """A process and its children."""
    pids = [pid]
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == pid:
                pids.append(int(name))
    return pids


def sipload(port, pids, name, *options, password=KAMAILIO_PASSWORD, quiet=False):
    """Runs it; {figure: value}. Its lines are printed unless quiet."""
    p = subprocess.Popen([os.path.join(BUILD, "sipload"), "--server", f"127.0.0.1:{port}", "--password", password,
                          "--pid", ",".join(str(p) for p in pids), "--name", name, "--devices", str(DEVICES),
                          "--count", str(COUNT), *options], stdout=subprocess.PIPE, text=True)
    pin(p.pid, 0)
    out, _ = p.communicate()
    for line in out.splitlines():
        if not quiet or line.startswith("#"):
            print(line, flush=True)
    if p.returncode:
        raise Failed(f"sipload {name}: {p.returncode}\n{out}")
    return {m[1]: float(m[2]) for m in re.finditer(r"^figure (\S+) (\S+)", out, re.M)}


@contextlib.contextmanager
def floor():
    """The floor program; gives the option that names it."""
    port = free_port()
    p = subprocess.Popen([os.path.join(BUILD, "sipfloor"), str(port), "900"])
    try:
        time.sleep(0.3)
        pin(p.pid, 1)
        yield "--floor", f"{port},{p.pid}"
    finally:
        p.kill()
        p.wait()


def load():
    """One run of the daemon: new contacts, their catalogs, then the rest."""
    print(f"# gb28181d with {' '.join(SETTINGS)}", flush=True)
    d = Daemon(settings=SETTINGS)
    try:
        pin(d.proc.pid, 1)
        with floor() as option:
            sipload(d.sip, [d.proc.pid], "sip", "--run", "contact,settle,refresh,login,keepalive", *option,
                    password="@" + d.password_file)
    finally:
        d.close()


def fleet():
    name = f"fleet{DEVICES // 1000}k"
    d = Daemon(settings=SETTINGS)
    try:
        empty = rss_mib(d.proc.pid)
        pin(d.proc.pid, 1)
        got = sipload(d.sip, [d.proc.pid], name, "--run", "contact,settle,hold", "--sources", "64",
                      "--hold", HOLD_S, password="@" + d.password_file)
        metrics = d.call("GET", "/metrics").body.decode()
        online = int(re.search(r'gb28181_devices\{state="online"\} (\d+)', metrics)[1])
        channels = int(re.search(r"gb28181_channels (\d+)", metrics)[1])
        print(f"# {online} devices online, {channels} channels")
        if online != DEVICES:
            raise Failed(f"{online} of {DEVICES} devices are online")
        print(f"figure {name}.device.bytes {(got[f'{name}.rss.mib'] - empty) * 1048576 / DEVICES:.0f} B")
    finally:
        d.close()


def all_channels(d, device):
    items, after = [], ""
    while True:
        page = d.get(f"/api/v1/devices/{device}/channels?limit=500{after}")
        items += page["items"]
        if not page.get("next"):
            return items
        after = f"&cursor={page['next']}"


def catalog():
    """From the first item that is there to the last one in the API. The second
    device tells what a channel takes: transactions of the first, which live for
    half a minute behind their messages, have made room by then."""
    name = f"catalog{CHANNELS // 1000}k"
    d = Daemon(settings=SETTINGS)
    cameras = []
    try:
        for i in range(2):
            have, device = i * CHANNELS, f"3402000000118000000{i + 1}"
            rss, cpu = rss_mib(d.proc.pid), cpu_s(d.proc.pid)
            cameras.append(Cameras(d, "--channels", str(CHANNELS), "--items", "1", "--quiet", device=device))
            wait_for("the first channel", lambda: d.metric("gb28181_channels") > have, timeout=60)
            begin = time.monotonic()
            wait_for("all channels", lambda: d.metric("gb28181_channels") == have + CHANNELS, timeout=180)
            took = time.monotonic() - begin
            cpu = cpu_s(d.proc.pid) - cpu
            wait_for("the list", lambda: len(all_channels(d, device)) == CHANNELS, timeout=60)
            time.sleep(TRANSACTION_S)
            rss = (rss_mib(d.proc.pid) - rss) * 1048576 / CHANNELS
            print(f"# device {i + 1}: {took:.2f} s, CPU {cpu:.2f} s, {rss:.0f} B a channel")
        print(f"figure {name}.s {took:.2f} s")
        print(f"figure {name}.cpu.s {cpu:.2f} s")
        print(f"figure {name}.channel.bytes {rss:.0f} B")
    finally:
        for camera in cameras:
            camera.close()
        d.close()


def quick():
    """A few of each over UDP and TCP, for the tests: every answer must be right."""
    for transport in ("udp", "tcp"):
        d = Daemon(settings=SETTINGS)
        try:
            sipload(d.sip, [d.proc.pid], transport, "--devices", "500", "--count", "2000", "--transport", transport,
                    "--sources", "20", password="@" + d.password_file)
        finally:
            d.close()


def kamailio():
    exe = shutil.which("kamailio", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if not exe:
        print("# kamailio is not installed")
        return
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="gb28181d-peer-") as work:
        with open(f"{work}/kamailio.cfg", "w") as f:
            f.write(KAMAILIO.format(port=port, realm=SERVER_ID[:10], password=KAMAILIO_PASSWORD))
        with open(f"{work}/log", "wb") as log:
            p = subprocess.Popen([exe, "-DD", "-E", "-f", f"{work}/kamailio.cfg", "-Y", work, "-m", "512", "-M", "16",
                                  "-x", "fm", "-X", "fm"], stdout=log, stderr=log, cwd=work)
        try:
            wait_for("kamailio listens", lambda: listens(port))
            time.sleep(1)
            pids = family(p.pid)
            for pid in pids:
                pin(pid, 1)
            before = sum(pss_bytes(pid) for pid in pids)
            with floor() as option:
                sipload(port, pids, "kamailio", *option)
            print(f"figure kamailio.device.bytes {(sum(pss_bytes(pid) for pid in pids) - before) / DEVICES:.0f} B")
        except Failed:
            with open(f"{work}/log", errors="replace") as f:
                print(f.read()[-2000:])
            raise
        finally:
            end(p)


def pss_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("Pss:"))


def listens(port):
    with open("/proc/net/udp") as f:
        return any(f":{port:04X} " in line.split("00000000:0000")[0] for line in f)


PARTS = {"load": load, "fleet": fleet, "catalog": catalog, "quick": quick, "peers": kamailio}

if __name__ == "__main__":
    for part in sys.argv[1:] or ("load", "fleet"):
        PARTS[part]()
