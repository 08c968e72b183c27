#!/usr/bin/env bash
# On quorum queues Celery delays a task inside RabbitMQ, in whole seconds: it cuts the countdown to an
# integer and refuses 0. `apply_async(countdown=0.5)` raises ValueError there, and so does an `eta` less
# than a second ahead. Inside a task it is worse: `self.retry(countdown=0.5)` cannot be published
# either, which Celery answers with a reject without requeue. With `acks_late` and retries left the
# task is gone after its first try (or among the dead letters, where the queue has an exchange for
# them). On classic queues, and with countdown=1, the same task is tried again.
#
# Seen with celery 5.7.0, kombu 5.7.0 and RabbitMQ 3.10.8. Exit 0 while that is so, 1 once it has
# changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0 kombu==5.7.0
cat > "$folder/tasks.py" <<'PY'
"""An application on one quorum queue, and a task that fails at its first try."""
import os
import pathlib

import celery
import kombu

application = celery.Celery("finding", broker=os.environ["FINDING_BROKER"])
application.conf.update(
    task_queues=[
        kombu.Queue(
            "finding",
            kombu.Exchange("finding", type="topic"),
            routing_key="finding",
            queue_arguments={"x-queue-type": "quorum"},
        )
    ],
    task_default_queue="finding",
    task_default_exchange="finding",
    task_default_exchange_type="topic",
    task_default_routing_key="finding",
    broker_native_delayed_delivery_queue_type="classic",  # 28 queues, sooner declared than quorum
    task_acks_late=True,
    worker_enable_remote_control=False,
)


@application.task(bind=True, max_retries=3)
def fragile(self, countdown):
    with pathlib.Path(os.environ["FINDING_TRIES"]).open("a") as tries:
        tries.write(f"{countdown}\n")
    if not self.request.retries:
        raise self.retry(countdown=countdown)
PY
cat > "$folder/retry.py" <<'PY'
"""A real RabbitMQ and a real worker; prints how often each task was tried and what is left of it."""
import importlib.metadata
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import kombu

COUNTDOWNS = (0.5, 1)
SCRIPT = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # Debian's on the PATH becomes another user


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rabbit:
    """One node with a port mapper of its own; both end with `close`."""

    def __init__(self, folder):
        self.port, mapper = free_port(), str(free_port())
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
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

    def connect(self):
        return kombu.Connection(self.url, connect_timeout=5)

    def wait(self):
        for _ in range(80):
            try:
                with self.connect() as connection:
                    connection.connect()
                    return connection.connection.server_properties["version"]
            except OSError:
                time.sleep(0.5)
        sys.exit("RabbitMQ did not start")

    def close(self):
        for each in reversed(self.processes):
            os.killpg(each.pid, signal.SIGKILL)
            each.wait()


def start_worker(folder):
    """A worker of one process; it ends with this one."""
    options = ["--pool", "solo", "--loglevel", "error", "--without-gossip", "--without-mingle"]
    log = (folder / "worker.log").open("w")
    command = [sys.executable, "-m", "celery", "-A", "tasks:application", "worker", *options]
    return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)


def tries(folder):
    path = folder / "tries"
    return path.read_text().split() if path.exists() else []


def wait_until(true, seconds):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)


def messages_left(rabbit):
    """Waiting in the queue or on their way to it."""
    names = ["finding", *(f"celery_delayed_{level}" for level in range(28))]
    with rabbit.connect() as connection:
        channel = connection.channel()
        return sum(channel.queue_declare(name, passive=True).message_count for name in names)


def run(rabbit, folder):
    """What publishing raised, the tries by countdown, the messages left."""
    os.environ |= {"FINDING_BROKER": rabbit.url, "FINDING_TRIES": str(folder / "tries")}
    import tasks

    try:
        tasks.fragile.apply_async([0.5], countdown=0.5)
        published = "ok"
    except ValueError as error:
        published = repr(error)
    for countdown in COUNTDOWNS:
        tasks.fragile.delay(countdown)
    worker = start_worker(folder)
    try:
        wait_until(lambda: len(tries(folder)) == 2 * len(COUNTDOWNS), 15)
    finally:
        worker.terminate()
        worker.wait()
    counted = {countdown: tries(folder).count(str(countdown)) for countdown in COUNTDOWNS}
    return published, counted, messages_left(rabbit)


signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
folder = pathlib.Path(sys.argv[1])
rabbit = Rabbit(folder)
try:
    version = rabbit.wait()
    published, counted, left = run(rabbit, folder)
finally:
    rabbit.close()
packages = [f"{name} {importlib.metadata.version(name)}" for name in ("celery", "kombu")]
print(*packages, "RabbitMQ", version)
print("expected: apply_async(countdown=0.5) is published; each task is tried twice")
print(f"seen: apply_async(countdown=0.5): {published}")
for countdown, count in counted.items():
    print(f"seen: the task that retries with countdown={countdown} was tried {count} time(s)")
print(f"seen: {left} messages left in the queues")
as_described = (counted, left) == ({0.5: 1, 1: 2}, 0) and published.startswith("ValueError")
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/retry.py" "$folder"
