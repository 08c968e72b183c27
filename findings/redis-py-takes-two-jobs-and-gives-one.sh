#!/usr/bin/env bash
# redis-py 8 sends a command that got no answer within `socket_timeout` (5 s by default) again by
# itself, ten times, whatever the command does. A server that stands still for longer than that (a
# fork, a swap, a slow script of somebody else) has the first copy already and runs both: one `lpop()`
# takes two jobs off the list and returns the second, without an error; the first is nowhere. The same
# repeats make a blocking call that waits for longer than `socket_timeout` on an empty list neither end
# in time nor return None: it raises TimeoutError after the tenth repeat, with the defaults a minute
# later. Retry(NoBackoff(), 0) and a `socket_timeout` above every blocking call's own avoid both.
#
# Seen with redis 8.1.0 and redis-server 7.0.15. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0
cat > "$folder/again.py" <<'PY'
"""One pop from a real Redis that stands still for a moment, one blocking pop from an empty list."""
import importlib.metadata
import signal
import socket
import subprocess
import sys
import threading
import time

import redis

SOCKET_TIMEOUT_SECONDS = 1  # a fifth of the default, so that this is soon over
STILL_SECONDS = 1.6
BLOCK_SECONDS = 2


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


def pop_while_it_stands_still(server, client):
    client.rpush("jobs", "a", "b", "c")
    goes_on = threading.Timer(STILL_SECONDS, server.send_signal, [signal.SIGCONT])
    server.send_signal(signal.SIGSTOP)
    goes_on.start()
    popped = client.lpop("jobs")
    goes_on.join()
    return popped, client.lrange("jobs", 0, -1)


def block_on_an_empty_list(client):
    begun = time.monotonic()
    try:
        ended = client.blpop("nothing", timeout=BLOCK_SECONDS)
    except redis.RedisError as error:
        ended = type(error).__name__
    return ended, time.monotonic() - begun


signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
server, port = start_redis()
try:
    default = redis.Redis(port=port)
    assumed = default.connection_pool.connection_kwargs["socket_timeout"]
    repeats = default.get_retry().get_retries()
    client = redis.Redis(port=port, socket_timeout=SOCKET_TIMEOUT_SECONDS, decode_responses=True)
    popped, left = pop_while_it_stands_still(server, client)
    ended, seconds = block_on_an_empty_list(client)
finally:
    server.kill()
    server.wait()
print("redis", importlib.metadata.version("redis"))
print(f"defaults: socket_timeout {assumed} s, {repeats} repeats; here {SOCKET_TIMEOUT_SECONDS} s")
print("expected: lpop() returns a and leaves b, c, or raises TimeoutError")
print(f"seen: lpop() returned {popped}, left are {left}")
print(f"expected: blpop(timeout={BLOCK_SECONDS}) returns None after {BLOCK_SECONDS} s")
print(f"seen: it ended with {ended} after {seconds:.1f} s")
as_described = (popped, left, ended) == ("b", ["c"], "TimeoutError") and seconds > 5 * BLOCK_SECONDS
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/again.py"
