#!/bin/sh
# redis-py's asyncio client promises RedisError for a connection that is lost. Under uvloop a write on a
# connection that its peer has reset raises a bare RuntimeError, which redis-py passes on: whoever
# catches RedisError and OSError does not catch it. On asyncio's own loop the same write is a
# redis.exceptions.ConnectionError.
#
# Seen with redis 8.1.0, uvloop 0.22.1, CPython 3.11. Exit 0 while that is so, 1 once it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0 uvloop==0.22.1
cat > "$folder/reset.py" <<'PY'
"""One Redis connection whose peer resets it, then one more command; prints what that raises."""
import asyncio
import importlib.metadata
import socket
import struct
import sys

import uvloop
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


async def answer(reader, writer):
    """Answers +OK to everything it is told, until it is reset."""
    try:
        while data := await reader.read(65536):
            writer.write(b"+OK\r\n" * max(1, data.count(b"*")))
    except ConnectionError:
        return


async def one_write_after_a_reset():
    accepted = []

    async def serve(reader, writer):
        accepted.append(writer)
        await answer(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = Connection(
        host="127.0.0.1", port=port, protocol=2, retry=Retry(NoBackoff(), 0), socket_timeout=2
    )
    await connection.connect()
    peer = accepted[0].transport
    linger = struct.pack("ii", 1, 0)  # a reset instead of a polite end
    peer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    peer.abort()
    raised = None
    for _ in range(20):
        await asyncio.sleep(0.02)
        try:
            await connection.send_command("PING")
        except Exception as error:
            raised = error
            break
    server.close()
    return raised


def kind(error):
    return f"{type(error).__module__}.{type(error).__qualname__}"


seen = {}
for name, factory in (("asyncio", asyncio.new_event_loop), ("uvloop", uvloop.new_event_loop)):
    with asyncio.Runner(loop_factory=factory) as runner:
        error = runner.run(one_write_after_a_reset())
    seen[name] = kind(error)
    print(f"{name}: {seen[name]}: {error}")
print("redis", importlib.metadata.version("redis"), "uvloop", importlib.metadata.version("uvloop"))
as_described = seen == {
    "asyncio": "redis.exceptions.ConnectionError",
    "uvloop": "builtins.RuntimeError",
}
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
"$folder/venv/bin/python" "$folder/reset.py"
