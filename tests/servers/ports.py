"""Free loopback ports for servers that insist on being told theirs."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port that nobody listened on a moment ago, on 127.0.0.1.

    The kernel hands out ephemeral ports in random order, so two askers at once get two ports; a
    server that still finds its port taken fails its start with a readable log.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
