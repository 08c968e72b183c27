#!/usr/bin/env bash
# kombu's `drain_events(timeout=...)` promises socket.timeout when nothing happens for so long. With
# py-amqp each frame starts the wait anew, and a heartbeat of the server is a frame: with heartbeats
# on, sent every half of the agreed interval, a longer timeout is never reached on a queue where
# nothing happens, and whatever the caller meant to do at the timeout is not done. With heartbeats off
# the same call is punctual.
#
# Seen with kombu 5.7.0, py-amqp 5.4.2 and RabbitMQ 3.10.8. Exit 0 while that is so, 1 once it has
# changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check kombu==5.7.0 amqp==5.4.2
cat > "$folder/drain.py" <<'PY'
"""Waits on an empty queue of a real RabbitMQ, without and with heartbeats; prints for how long."""
import importlib.metadata
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import kombu

TIMEOUT_SECONDS = 3
HEARTBEAT_SECONDS = 4  # so that the server sends a frame every 2
MESSAGE_AFTER_SECONDS = 7  # ends the wait that the timeout does not end
SCRIPT = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # Debian's on the PATH becomes another user


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rabbit:
    """One node with a port mapper of its own; both end with `close`."""

    def __init__(self, folder):
        self.port, mapper = free_port(), str(free_port())
        configuration = folder / "rabbitmq.conf"
        configuration.write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = false\n")
        environment = os.environ | {
            "HOME": str(folder),
            "ERL_EPMD_PORT": mapper,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"finding{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }
        script = SCRIPT if pathlib.Path(SCRIPT).exists() else shutil.which("rabbitmq-server")
        commands = [["epmd", "-address", "127.0.0.1", "-port", mapper], [script]]
        self.processes = [
            subprocess.Popen(
                each, env=environment, cwd=folder, start_new_session=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for each in commands
        ]

    def connect(self, heartbeat):
        url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        return kombu.Connection(url, heartbeat=heartbeat, connect_timeout=5)

    def wait(self):
        for _ in range(80):
            try:
                with self.connect(0) as connection:
                    connection.connect()
                    return connection.connection.server_properties["version"]
            except OSError:
                time.sleep(0.5)
        sys.exit("RabbitMQ did not start")

    def close(self):
        for each in reversed(self.processes):
            os.killpg(each.pid, signal.SIGKILL)
            each.wait()


def publish_later(rabbit, queue):
    def publish():
        with rabbit.connect(0) as connection, connection.Producer() as producer:
            producer.publish({"n": 1}, routing_key=queue.name)

    return threading.Timer(MESSAGE_AFTER_SECONDS, publish)


def drain(rabbit, heartbeat):
    """What ended one call, and after how many seconds."""
    queue = kombu.Queue(f"finding-{heartbeat}", auto_delete=True)
    ended = []
    with rabbit.connect(heartbeat) as connection:
        callbacks = [lambda body, message: (ended.append("message"), message.ack())]
        with connection.Consumer([queue], callbacks=callbacks):
            later = publish_later(rabbit, queue)
            later.start()
            begun = time.monotonic()
            try:
                connection.drain_events(timeout=TIMEOUT_SECONDS)
            except socket.timeout:
                ended.append("socket.timeout")
            seconds = time.monotonic() - begun
            later.cancel()
            later.join()
    return ended, seconds


signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
rabbit = Rabbit(pathlib.Path(sys.argv[1]))
try:
    version = rabbit.wait()
    without, with_heartbeats = drain(rabbit, 0), drain(rabbit, HEARTBEAT_SECONDS)
finally:
    rabbit.close()
packages = [f"{name} {importlib.metadata.version(name)}" for name in ("kombu", "amqp")]
print(*packages, "RabbitMQ", version)
print(f"expected: drain_events(timeout={TIMEOUT_SECONDS}) raises socket.timeout, each time")
print(f"seen, heartbeat=0: {without[0]} after {without[1]:.1f} s")
print(f"seen, heartbeat={HEARTBEAT_SECONDS}: {with_heartbeats[0]} after {with_heartbeats[1]:.1f} s")
as_described = without[0] == ["socket.timeout"] and with_heartbeats[0] == ["message"]
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/drain.py" "$folder"
