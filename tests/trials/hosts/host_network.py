"""Hosts: network namespaces on one bridge, each with a cable that can be pulled."""

from __future__ import annotations

import itertools
import os
import subprocess
from contextlib import ExitStack
from typing import Final, Self

from tests.servers.cut_line import CutLine

_NETWORK: Final = "10.119.77"
_GATEWAY: Final = f"{_NETWORK}.1"


class Host:
    """A namespace with an address, an interface and nothing else of this machine's network."""

    def __init__(self, bridge: str, number: int) -> None:
        self.name = f"{bridge}h{number}"
        self.address = f"{_NETWORK}.{number + 1}"
        self._cable = f"{bridge}c{number}"
        self._bridge = bridge

    @property
    def command(self) -> list[str]:
        """What a program is started with to run there."""
        return ["ip", "netns", "exec", self.name]

    def open(self) -> None:
        plug = f"{self._cable}p"
        _ip("netns", "add", self.name)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", plug)
        _ip("link", "set", plug, "netns", self.name)
        _ip("link", "set", self._cable, "master", self._bridge, "up")
        for words in (f"addr add {self.address}/24 dev {plug}", f"link set {plug} up"):
            _ip("-n", self.name, *words.split())
        _ip("-n", self.name, "link", "set", "lo", "up")

    def close(self) -> None:
        """With its cable; what still runs there keeps the namespace until it ends."""
        _ip("netns", "del", self.name)

    def pull_cable(self) -> None:
        """Nothing goes in or out, and neither end of a connection is told."""
        _ip("link", "set", self._cable, "down")

    def plug_in(self) -> None:
        """The same cable again: connections that were not given up go on."""
        _ip("link", "set", self._cable, "up")


class HostNetwork:
    """A bridge, with this machine at its gateway, where its servers can be reached.

    Needs root on Linux; `may_be_had` tells.
    """

    def __init__(self) -> None:
        self._bridge = f"fb{os.getpid() % 100_000}"
        self._numbers = itertools.count(1)
        self._stack = ExitStack()

    @staticmethod
    def may_be_had() -> bool:
        """Whether this user may make network namespaces here."""
        try:
            tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
        except FileNotFoundError:
            return False
        return tried.returncode == 0

    def __enter__(self) -> Self:
        with self._stack:
            _ip("link", "add", self._bridge, "type", "bridge")
            self._stack.callback(_ip, "link", "del", self._bridge)
            _ip("addr", "add", f"{_GATEWAY}/24", "dev", self._bridge)
            _ip("link", "set", self._bridge, "up")
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def host(self) -> Host:
        """Another host on the bridge."""
        host = Host(self._bridge, next(self._numbers))
        host.open()
        self._stack.callback(host.close)
        return host

    def reachable(self, port: int) -> str:
        """Where the hosts reach a server of this machine's loopback: address and port."""
        line = self._stack.enter_context(CutLine(port, host=_GATEWAY))
        return f"{_GATEWAY}:{line.port}"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)
