#!/usr/bin/env bash
# aiosmtpd's Controller with `port=0` (a free port, as tests ask for) listens on one, and then asks port 0
# itself whether it does: `start()` raises ConnectionRefusedError. The server it has opened goes on
# listening on a port that `controller.port` does not tell, in a thread that is still there after the
# error. The SMTP protocol on a loop of one's own (`loop.create_server(lambda: SMTP(handler), host, 0)`)
# has neither trouble.
#
# Seen with aiosmtpd 1.4.6. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aiosmtpd==1.4.6
cat > "$folder/free_port.py" <<'PY'
"""A controller on a free port, and the same protocol on a loop of our own."""
import asyncio
import importlib.metadata
import os
import smtplib
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP


def by_controller():
    """The error of start(), the port that is told, and the one that a server answers on."""
    controller = Controller(Sink(), hostname="127.0.0.1", port=0)
    error = None
    try:
        controller.start()
    except OSError as raised:
        error = type(raised).__name__
    listening = controller.server.sockets[0].getsockname()[1]
    with smtplib.SMTP("127.0.0.1", listening, timeout=5) as client:
        greeting, _ = client.noop()
    others = [each for each in threading.enumerate() if each is not threading.main_thread()]
    return error, controller.port, listening, greeting, len(others)


async def by_loop():
    """The answer of a server on a free port of our own loop."""
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Sink()), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def ask():
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            return client.noop()[0]

    return await asyncio.to_thread(ask)


print("aiosmtpd", importlib.metadata.version("aiosmtpd"))
error, told, listening, greeting, threads = by_controller()
print(f"Controller(port=0).start(): {error}; told port {told}, listens on {listening}")
print(f"that server answers NOOP with {greeting}; threads left: {threads}")
own = asyncio.run(by_loop())
print(f"the same protocol on a loop of our own answers {own}")
is_so = (error, told, greeting, threads, own) == ("ConnectionRefusedError", 0, 250, 1, 250)
print("as seen" if is_so else "it has changed")
sys.stdout.flush()
os._exit(0 if is_so else 1)  # the thread that is left would be waited for
PY
"$folder/venv/bin/python" "$folder/free_port.py"
