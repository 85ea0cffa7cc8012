"""test/e2e/recipes.py - the command lines of the documents, as they stand there; run
by run.py. What stands for a name in them (HOST, TOKEN, DEVICE) is put in; a program
of others that is not here is marked "not run" in its section."""
import os
import re
import signal
import socket
import subprocess
import tempfile

from rig import BUILD, HANG_S, TOP, Failed, Tests, channel_id, free_port, media_range, system

DEVICE = "34020000001180000001"
test = Tests()
# Lines that go on until they are ended
ENDLESS = ("curl -H \"$auth\" -N $api/events",)
# Sections of programs that are not here: what is taken from us must stand there
OTHERS = ("go2rtc", "Frigate", "Home Assistant", "MediaMTX")


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def lines_of(text):
    """Each command of its sh blocks, comments cut off, lines that go on joined."""
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.S):
        for line in re.sub(r"\s+# .*", "", re.sub(r"'\{[^']*'", lambda m: m.group(0).replace("\n", " "), block)).splitlines():
            if line.startswith(("curl ", "gbctl ", "build/release/gbctl ")) and not line.endswith("do") and "user add" not in line:
                yield line.strip()


def put_in(line, d):
    for name, value in (("HOST:28181", f"127.0.0.1:{d.http}"), ("HOST:8554", f"127.0.0.1:{d.rtsp}"), ("TOKEN", d.token),
                        ("DEVICE", DEVICE), ("CHANNEL", channel_id(DEVICE)), ("MEDIAMTX:8554", "127.0.0.1:9"), ("HA:8123", "127.0.0.1:9"),
                        ("34020000001310000001", channel_id(DEVICE)), ("build/release/gbctl", "gbctl")):
        line = line.replace(name, value)
    return line


def run(line, d):
    head = f"api={d.base}/api/v1 auth='Authorization: Bearer {d.token}' PATH={BUILD}:$PATH GB28181D_URL={d.base} GB28181D_TOKEN={d.token}; " \
           "export PATH GB28181D_URL GB28181D_TOKEN; curl() { command curl -sSf --max-time 30 \"$@\"; }; "
    if line in ENDLESS:
        got = subprocess.run(["bash", "-c", head.replace("--max-time 30", "--max-time 2") + line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if got.returncode != 28:
            raise Failed(f"{line}: {got}")
        return
    got = subprocess.run(["bash", "-c", head + put_in(line, d)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG_S, check=False)
    if got.returncode:
        raise Failed(f"{line}: {got.returncode} {got.stdout.decode()[:500]}")


@test
def lines_of_the_documents():
    text = read("docs/recipes.md")
    for name in OTHERS:
        section = re.search(rf"^## {name}\n(.*?)(?=^## )", text, flags=re.S | re.M).group(1)
        if not section.lstrip().startswith("*not run.*"):
            raise Failed(f"recipes.md: {name} is not marked as not run")
    lines = list(lines_of(text)) + [x for x in lines_of(read("README.md")) if "pcap" not in x]
    if len(lines) < 12:
        raise Failed(f"only {len(lines)} lines were found")
    with system() as (d, _):
        d.call("POST", "/api/v1/webhooks", {"name": "ops", "url": "http://127.0.0.1:9/", "events": ["alarm"]})
        for line in lines:
            run(line, d)
        urls = set(re.findall(r"rtsp://me:TOKEN@HOST\S+?(?=[`\s]|$)", text))
        for url in urls:
            got = subprocess.run(["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-analyzeduration", "500000", "-show_entries", "stream=codec_name", "-of", "csv=p=0",
                                  put_in(url, d)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG_S, check=False)
            if got.returncode or b"h264" not in got.stdout:
                raise Failed(f"{url}: {got.stdout.decode()[:500]}")
        if len(urls) != 2:
            raise Failed(f"{urls}")


@test
def the_demo_in_both_languages():
    """It reads what the daemon prints, and speaks as it does: the language of who has started it."""
    for lang, online, page in (("C.UTF-8", "4 online", "Page"), ("zh_CN.UTF-8", "4 台在线", "管理页面")):
        with tempfile.TemporaryDirectory(prefix="gb28181d-e2e-") as data:
            ports, media = [free_port(socket.AF_INET, "127.0.0.1") for _ in range(3)], media_range(60)
            settings = [f"{name}.listen=127.0.0.1:{port}" for name, port in zip(("sip", "http", "rtsp"), ports)]
            settings.append(f"media.ports={media.start}-{media.stop - 1}")
            demo = subprocess.Popen(["tools/demo.sh", BUILD], cwd=TOP, stdout=subprocess.PIPE, text=True, start_new_session=True,
                                    env={**os.environ, "LANG": lang, "DEMO_DATA": data, "DEMO_SET": " ".join("-s " + x for x in settings)})
            told = ""
            try:
                for line in demo.stdout:
                    told += line
                    if "Ctrl-C" in line:
                        break
            finally:
                demo.send_signal(signal.SIGTERM)
                demo.communicate(timeout=HANG_S)
            if online not in told or not re.search(rf"^  {page}  +http://127.0.0.1:{ports[1]}/\n", told.partition(online)[2], re.M):
                raise Failed(f"{lang}: {told}")
