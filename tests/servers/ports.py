"""Free loopback ports for servers that insist on being told theirs."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 12_000
TRIES = 1_000
USUAL_OUTGOING = (32_768, 60_999)


def free_port() -> int:
    """A port that nobody listens on and that no outgoing connection is ever given.

    A port that the kernel might give to a client could be gone when a killed server comes back,
    and a client that keeps trying to reach the dead server could connect to itself.
    """
    ports = range(LOWEST, _outgoing_ports()[0]) or [0]
    chance = random.Random()  # not the shared one: tests that seed it would all choose alike
    for _ in range(TRIES):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", chance.choice(ports)))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise AssertionError(f"no port below {_outgoing_ports()[0]} is free")


def _outgoing_ports() -> tuple[int, int]:
    """The range from which the kernel serves clients."""
    setting = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not setting.exists():
        return USUAL_OUTGOING
    lowest, highest = setting.read_text().split()
    return int(lowest), int(highest)
