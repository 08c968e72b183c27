"""An end for calls of the engine, which nothing but the end of the process can interrupt."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """Ends the process by SIGALRM where it takes longer."""
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
