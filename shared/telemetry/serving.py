"""`/metrics` of a process that is no door."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any, Final

from shared.telemetry.metrics import Metrics

_CLIENT_TIMEOUT_SECONDS: Final = 10.0


@contextmanager
def served(metrics: Metrics, *, host: str, port: int) -> Iterator[None]:
    """Answers there, from a thread of its own, while the context is open; port 0 is off.

    Every path answers what a door's `/metrics` does, whatever other format is asked for.
    """
    if not port:
        yield
        return
    server = _Server((host, port), partial(_Exchange, metrics))
    thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingTCPServer):
    """Not the library's HTTP server, which asks a name server for its own name when it starts."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, address: tuple[str, int], exchange: partial[_Exchange]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, exchange)


class _Exchange(BaseHTTPRequestHandler):
    timeout = _CLIENT_TIMEOUT_SECONDS

    def __init__(self, metrics: Metrics, *connection: Any) -> None:
        self._metrics = metrics
        super().__init__(*connection)

    def do_GET(self) -> None:
        text = self._metrics.render()
        self.send_response(200)
        self.send_header("Content-Type", Metrics.CONTENT_TYPE)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """A scrape is nothing to tell."""
