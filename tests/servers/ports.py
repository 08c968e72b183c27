"""Free loopback ports for servers that insist on being told theirs."""

from __future__ import annotations

import fcntl
import os
import random
import socket
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import IO, Final

LOWEST = 12_000
TRIES = 2_000
USUAL_OUTGOING = (32_768, 60_999)
_IN_A_SHARE: Final = 500
_SHARES: Final = Path("/tmp")
"""Where all look, wherever each keeps its other files."""


def free_port() -> int:
    """A port that nobody listens on and that no outgoing connection is ever given.

    A port that the kernel might give to a client could be gone when a killed server comes back,
    and a client that keeps trying to reach the dead server could connect to itself. No other
    process of tests is given it while this one runs, and this one only after hundreds of others.
    """
    ports = _own_ports(os.getpid())
    for _ in range(TRIES):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", next(ports)))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise AssertionError(f"no port below {_outgoing_ports()[0]} is free")


@cache
def _own_ports(_process: int) -> Iterator[int]:
    """A share of the ports that this process alone has, or all where every share is taken."""
    every = range(LOWEST, _outgoing_ports()[0]) or [0]
    shares = [every[begin : begin + _IN_A_SHARE] for begin in range(0, len(every), _IN_A_SHARE)]
    # Not the shared generator: tests that seed it would all choose alike.
    for share in random.Random().sample(shares, len(shares)):
        file = _SHARES / f"forebay-test-ports-{os.getuid()}-{share[0]}"
        if (lock := _locked(file)) is not None:
            return _kept(lock, share)
    return cycle(random.Random().sample(every, len(every)))


def _kept(lock: IO[bytes], share: range | list[int]) -> Iterator[int]:
    with lock:  # for as long as somebody may ask
        yield from cycle(share)


def _locked(file: Path) -> IO[bytes] | None:
    """The file, open and locked until it is closed; None while another process has it."""
    opened = file.open("ab")
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        opened.close()
        return None
    return opened


def _outgoing_ports() -> tuple[int, int]:
    """The range from which the kernel serves clients."""
    setting = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not setting.exists():
        return USUAL_OUTGOING
    lowest, highest = setting.read_text().split()
    return int(lowest), int(highest)
