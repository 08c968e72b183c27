#!/usr/bin/env bash
# kombu's JSON writes a header {"__type__": ..., "__value__": ...} as it is, and its reader takes every
# mapping of just these two keys for one of kombu's own marks. On Redis the headers travel inside the
# JSON that is popped from the list: for a type kombu does not know `drain_events` raises ValueError
# after the pop and before the message is noted as unacknowledged. No callback, no `on_decode_error`
# sees it, and nothing brings it back: a message that `publish` took without a word is gone.
#
# Seen with kombu 5.7.0, redis 8.1.0 and redis-server 7.0.15. Exit 0 while that is so, 1 once it has
# changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "kombu[redis]==5.7.0" redis==8.1.0
cat > "$folder/header.py" <<'PY'
"""Three messages through a real Redis, the second with such a header; prints what became of them."""
import importlib.metadata
import signal
import socket
import subprocess
import sys
import time

import kombu
import redis

HEADERS = [{"note": "first"}, {"note": {"__type__": "user", "__value__": 5}}, {"note": "last"}]


def start_redis():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, port
        except OSError:
            time.sleep(0.1)
    server.kill()
    sys.exit("redis-server did not start")


def through_redis(port):
    queue = kombu.Queue("finding")
    notes, failures, undecodable = [], [], []

    def keep(body, message):
        notes.append(message.headers["note"])
        message.ack()

    with kombu.Connection(f"redis://127.0.0.1:{port}/0") as connection:
        with connection.Producer() as producer:
            for headers in HEADERS:
                producer.publish({"n": 1}, routing_key="finding", declare=[queue], headers=headers)
        consumer = connection.Consumer(
            [queue], callbacks=[keep], on_decode_error=lambda *each: undecodable.append(each)
        )
        with consumer:
            for _ in range(5):
                try:
                    connection.drain_events(timeout=1)
                except socket.timeout:
                    break
                except ValueError as error:
                    failures.append(repr(error))
    with redis.Redis(port=port) as look:
        return notes, failures, undecodable, look.llen("finding"), look.hlen("unacked")


signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
server, port = start_redis()
try:
    notes, failures, undecodable, waiting, unacked = through_redis(port)
finally:
    server.kill()
    server.wait()
print("kombu", importlib.metadata.version("kombu"), "redis", importlib.metadata.version("redis"))
print("expected: 3 messages published, 3 received with the headers they were given")
print(f"seen: received {notes}, drain_events raised {failures}")
print(f"seen: {waiting} waiting, {unacked} unacknowledged, {len(undecodable)} for on_decode_error")
as_described = (notes, waiting, unacked, undecodable) == (["first", "last"], 0, 0, [])
as_described = as_described and len(failures) == 1
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/header.py"
