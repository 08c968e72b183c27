#!/usr/bin/env bash
# uvicorn closes a connection that is idle for --timeout-keep-alive seconds after an answer. With
# httptools that timer is taken back by any byte that comes and is set again only by the next answer:
# when an application answers before it has read the body (401, 413, 429) and the body comes after the
# answer, no timer is left, and the idle connection stays open until the client closes it.
#
# Seen with uvicorn 0.54.0 and httptools 0.9.0. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvicorn==0.54.0 httptools==0.9.0
cat > "$folder/refuses.py" <<'PY'
async def application(scope, receive, send):
    """Refuses at once, without a look at the body."""
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": b"no"})
PY
cat > "$folder/late.py" <<'PY'
"""One request with its body at once, one with its body after the answer; how long each is kept."""
import importlib.metadata
import signal
import socket
import subprocess
import sys
import time

KEEP_ALIVE_SECONDS = 1
PATIENCE_SECONDS = 6
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"


def start_uvicorn():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--http", "httptools", "--loop", "asyncio", "--lifespan", "off"]
    options += ["--timeout-keep-alive", str(KEEP_ALIVE_SECONDS), "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "refuses:application", *options]
    server = subprocess.Popen(command)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, port
        except OSError:
            time.sleep(0.1)
    server.kill()
    sys.exit("uvicorn did not start")


def seconds_kept(port, *, body_is_late):
    """Seconds until the server closes the idle connection; None when it does not."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(PATIENCE_SECONDS)
        client.sendall(HEAD if body_is_late else HEAD + b"hello")
        answer = b""
        while not answer.endswith(b"no"):
            answer += client.recv(4096)
        assert answer.startswith(b"HTTP/1.1 429"), answer
        if body_is_late:
            client.sendall(b"hello")
        idle_since = time.monotonic()
        try:
            assert client.recv(1) == b""
        except TimeoutError:
            return None
        return time.monotonic() - idle_since


signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
server, port = start_uvicorn()
try:
    at_once = seconds_kept(port, body_is_late=False)
    late = seconds_kept(port, body_is_late=True)
finally:
    server.terminate()
    server.wait()
versions = [f"{name} {importlib.metadata.version(name)}" for name in ("uvicorn", "httptools")]
print(*versions, f"--timeout-keep-alive {KEEP_ALIVE_SECONDS}")
print(f"expected: each idle connection is closed after about {KEEP_ALIVE_SECONDS} s")
print(f"seen: body at once, closed after {at_once} s")
print(f"seen: body after the answer, {f'closed after {late} s' if late else 'never closed'}"
      f" (watched for {PATIENCE_SECONDS} s)")
as_described = at_once is not None and late is None
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
cd "$folder"
timeout 60 "$folder/venv/bin/python" late.py
