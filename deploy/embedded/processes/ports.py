"""Ports on loopback."""

from __future__ import annotations

import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"


def usable_port(wanted: int) -> int:
    """`wanted` if nobody has it, else a free one; 0 wants any."""
    return _bound_port(wanted) or _bound_port(0)


def _bound_port(port: int) -> int:
    with socket.socket() as candidate:
        # A port that only lingers from the last run is free for a server.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return 0
        bound: int = candidate.getsockname()[1]
        return bound
