"""`/metrics` of a process that is no door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from shared.telemetry.metrics import Metrics


@contextmanager
def served(metrics: Metrics, *, host: str, port: int) -> Iterator[None]:
    """Answers there, from a thread of its own, while the context is open; port 0 is off."""
    if not port:
        yield
        return
    server, thread = start_http_server(port, addr=host, registry=metrics.registry)
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
