"""A line to a server that breaks as lines do: by a reset, not by a polite goodbye."""

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
    """Carries bytes between its own loopback port and another; `reset` cuts every connection."""

    def __init__(self, port: int, *, at: int = 0) -> None:
        """From `at`, or a free port, to `port`."""
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", at))
        self._peers: dict[socket.socket, socket.socket] = {}
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

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(5)
        self.reset()
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
        there = socket.create_connection(self._target, timeout=5)
        for each, other in ((here, there), (there, here)):
            self._peers[each] = other
            self._selector.register(each, selectors.EVENT_READ)

    def _pass_on(self, source: socket.socket) -> None:
        target = self._peers.get(source)
        if target is None:
            return
        try:
            data = source.recv(65536)
            target.sendall(data)
        except OSError:
            data = b""
        if not data:
            self._drop(source)
            self._drop(target)

    def _drop(self, line: socket.socket) -> None:
        if self._peers.pop(line, None) is None:
            return
        self._selector.unregister(line)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        line.close()
