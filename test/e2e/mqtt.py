#!/usr/bin/env python3
"""test/e2e/mqtt.py - a build with MQTT=1 against Debian's broker: states, events,
discovery, the last will, a broker that goes and comes back. Without a broker, or in
a build without MQTT, it says so and passes. Python standard library only."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from rig import BUILD, Cameras, Daemon, Failed, free_port, started, wait_for

DEVICE = "34020000001180000001"
BROKER = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")


class Broker:
    def __init__(self):
        self.port, self.dir = free_port(), tempfile.TemporaryDirectory(prefix="gb28181d-mqtt-")
        self.conf = os.path.join(self.dir.name, "mosquitto.conf")
        passwords = os.path.join(self.dir.name, "passwords")
        with open(self.conf, "w") as f:
            f.write(f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nuser root\n")
        with open(passwords, "w") as f:
            f.write("gb:s3cret-word\n")
        os.chmod(passwords, 0o600)
        subprocess.run(["mosquitto_passwd", "-U", passwords], check=True)
        self.start()

    def start(self):
        self.proc = started(subprocess.Popen([BROKER, "-c", self.conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for("the broker", self.is_there)

    def is_there(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def close(self):
        self.proc.kill()
        self.proc.wait()


class Subscriber:
    """MQTT 3.1.1, QoS 0: all topics, into a table of what came last and a list of all."""

    def __init__(self, port):
        self.last, self.all = {}, []
        self.s = socket.create_connection(("127.0.0.1", port), 5)
        text = lambda t: len(t).to_bytes(2, "big") + t.encode()
        self.send(0x10, text("MQTT") + bytes([4, 0xc2, 0, 0]) + text("watcher") + text("gb") + text("s3cret-word"))
        self.take()
        self.send(0x82, b"\0\1" + text("#") + b"\0")
        self.take()
        self.s.settimeout(None)
        threading.Thread(target=self.run, daemon=True).start()

    def send(self, kind, body):
        self.s.sendall(bytes([kind, len(body)]) + body)

    def exactly(self, n):
        got = b""
        while len(got) < n:
            more = self.s.recv(n - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def take(self):
        kind, size, shift = self.exactly(1)[0], 0, 0
        while True:
            b = self.exactly(1)[0]
            size |= (b & 127) << shift
            shift += 7
            if b < 128:
                return kind, self.exactly(size)

    def run(self):
        with contextlib.suppress(EOFError, OSError):
            while True:
                kind, body = self.take()
                if kind >> 4 == 3:
                    n = int.from_bytes(body[:2], "big")
                    topic, payload = body[2:2 + n].decode(), body[2 + n:]
                    self.last[topic] = payload.decode()
                    self.all.append((topic, payload.decode()))

    def events(self):
        return [json.loads(body) for topic, body in self.all if topic.startswith("gb28181/event/")]

    def until(self, topic, want):
        return wait_for(f"{topic} {want}", lambda: self.last.get(topic) == want)

    def close(self):
        self.s.close()


def discovered(w, sensor):
    topic = f"homeassistant/binary_sensor/gb28181_{DEVICE}/{sensor}/config"
    return json.loads(wait_for(topic, lambda: w.last.get(topic)))


def run():
    with contextlib.closing(Broker()) as broker:
        settings = [f"mqtt.server=127.0.0.1:{broker.port}", "mqtt.user=gb", "mqtt.password=s3cret-word"]
        with contextlib.closing(Subscriber(broker.port)) as w, contextlib.closing(Daemon(settings=settings)) as d:
            w.until("gb28181/status", "online")
            cam = Cameras(d, "--channels", "1")
            online = f"gb28181/device/{DEVICE}/online"
            w.until(online, "ON")
            sensor = discovered(w, "online")
            if sensor["state_topic"] != online or sensor["availability_topic"] != "gb28181/status":
                raise Failed(f"discovery: {sensor}")
            cam.proc.send_signal(signal.SIGUSR1)
            event = json.loads(wait_for("an alarm", lambda: w.last.get("gb28181/event/alarm")))
            if event["event"] != "alarm" or event["data"]["device"] != DEVICE:
                raise Failed(f"alarm: {event}")
            for _ in range(2):
                cam.proc.send_signal(signal.SIGUSR1)
                time.sleep(0.2)
            told = wait_for("more events", lambda: len(w.events()) >= 3 and w.events())
            if len({e["id"] for e in told}) != len(told):
                raise Failed(f"ids: {[(e['event'], e['id']) for e in told]}")
            channel = event["data"]["channel"]
            w.until(f"gb28181/channel/{DEVICE}/{channel}/alarm", "ON")
            if discovered(w, f"{channel}_alarm")["device_class"] != "motion":
                raise Failed("the alarm's sensor")
            if "s3cret-word" in d.log() or "s3cret-word" in str(d.get("/api/v1/settings")):
                raise Failed("the password is told")
            print("ok      mqtt: states, events, discovery")
            broker.close()
            wait_for("that it is gone", lambda: b"gb28181_mqtt_up 0" in d.call("GET", "/metrics").body)
            broker.start()
            with contextlib.closing(Subscriber(broker.port)) as again:
                again.until(online, "ON")
                again.until("gb28181/status", "online")
                d.call("DELETE", f"/api/v1/devices/{DEVICE}")
                again.until(online, "")
                print("ok      mqtt: the broker went and came back")
                d.proc.kill()
                again.until("gb28181/status", "offline")
                print("ok      mqtt: the last will")
            cam.close()


def main():
    if not BROKER:
        print("skipped mqtt: there is no broker here (Debian: mosquitto)")
        return 0
    told = subprocess.run([f"{BUILD}/gb28181d", "-c", "/dev/null", "-s", "mqtt.server=127.0.0.1", "--check"], capture_output=True, text=True)
    if "no MQTT" in told.stderr:
        print("skipped mqtt: the build has none (MQTT=1)")
        return 0
    try:
        run()
    except Failed as e:
        print(f"FAILED  mqtt: {e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
