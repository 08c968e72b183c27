"""A line to a server that breaks at the worst moment: as certain bytes pass."""

from __future__ import annotations

import socket
import threading

from tests.servers.cut_line import CutLine


class TrapLine(CutLine):
    """Once set, it resets its connection over which the bytes are sent, and is an open line again.

    The server gets what was sent, and its answer is lost; or it gets nothing.
    """

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._bait: bytes | None = None
        self._is_heard = False
        self.sprung = threading.Event()

    def set_trap(self, bait: bytes, *, is_heard: bool) -> None:
        """For what a client sends next that holds `bait`; the server hears it or does not."""
        self._is_heard = is_heard
        self.sprung.clear()
        self._bait = bait

    def _carry_over(self, source: socket.socket, target: socket.socket, data: bytes) -> bool:
        if self._bait is None or self._bait not in data:
            return super()._carry_over(source, target, data)
        self._bait = None
        if self._is_heard:
            target.sendall(data)
            target.settimeout(60)
            target.recv(65536)
        self.sprung.set()
        return False
