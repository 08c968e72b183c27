"""A line to a server that breaks as lines do: by a reset or silence, not by a polite goodbye."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from typing import Final, Self

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds: closing sends RST, as a load balancer or a crashed host does."""


class CutLine:
    """Carries bytes between its own port and another of loopback; `reset` cuts every connection."""

    def __init__(self, port: int, *, at: int = 0, host: str = "127.0.0.1") -> None:
        """From `at`, or a free port, of the address `host` to `port` of loopback."""
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server((host, at))
        self._peers: dict[socket.socket, socket.socket] = {}
        self._is_silent = False
        self._silent: list[socket.socket] = []
        self._unanswered = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def reset(self) -> int:
        """Cut all connections now; how many."""
        with self._lock:
            cut = list(self._peers)
            for each in cut:
                self._drop(each)
        return len(cut) // 2

    def lead_to(self, port: int) -> None:
        """Whoever connects from now on is led there; who is connected stays where it is."""
        self._target = ("127.0.0.1", port)

    def go_silent(self) -> None:
        """Carry nothing more, as if the far end had vanished: neither end is told.

        Whoever connects until `speak` is answered nothing either, then or later.
        """
        with self._lock:
            self._is_silent = True
            for each in list(self._peers):
                self._fall_silent(each)

    def speak(self) -> None:
        """Carry again what connects from now on."""
        self._is_silent = False

    @property
    def unanswered(self) -> int:
        """How many have connected in vain."""
        return self._unanswered

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(60)
        self.reset()
        for each in self._silent:
            each.close()
        self._listener.close()
        self._selector.close()

    def _carry(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(timeout=0.05):
                with self._lock, contextlib.suppress(OSError):
                    if key.fileobj is self._listener:
                        self._join()
                    elif isinstance(key.fileobj, socket.socket):
                        self._pass_on(key.fileobj)

    def _join(self) -> None:
        here, _ = self._listener.accept()
        if self._is_silent:
            self._silent.append(here)
            self._unanswered += 1
            return
        there = socket.create_connection(self._target, timeout=60)
        for each, other in ((here, there), (there, here)):
            self._peers[each] = other
            self._selector.register(each, selectors.EVENT_READ)

    def _pass_on(self, source: socket.socket) -> None:
        target = self._peers.get(source)
        if target is None:
            return
        try:
            goes_on = self._carry_over(source, target, source.recv(65536))
        except OSError:
            goes_on = False
        if not goes_on:
            self._drop(source)
            self._drop(target)

    def _carry_over(self, source: socket.socket, target: socket.socket, data: bytes) -> bool:
        """Whether the line is still there."""
        target.sendall(data)
        return bool(data)

    def _fall_silent(self, line: socket.socket) -> None:
        del self._peers[line]
        self._selector.unregister(line)
        self._silent.append(line)

    def _drop(self, line: socket.socket) -> None:
        if self._peers.pop(line, None) is None:
            return
        self._selector.unregister(line)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        line.close()
