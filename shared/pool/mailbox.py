"""A queue into the hub thread that costs one wake-up for any number of letters."""

from __future__ import annotations

import os
import select
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

from celery.utils.log import get_logger

logger = get_logger(__name__)

Letter = TypeVar("Letter")


class Mailbox(Generic[Letter]):
    """Letters from any thread to the one that polls `fileno()`.

    `put` never blocks. One reader only. A letter put after `close` is dropped.
    """

    def __init__(self) -> None:
        self._letters: deque[Letter] = deque()
        self._announced = False
        self._wakeup = _EventFd() if hasattr(os, "eventfd") else _SocketPair()

    def fileno(self) -> int:
        """The descriptor that is readable while letters wait."""
        return self._wakeup.fileno()

    def put(self, letter: Letter) -> None:
        """Add a letter; the first one since the last `take` also wakes the reader."""
        self._letters.append(letter)
        if not self._announced:
            self._announced = True
            self._wakeup.wake()

    def take(self) -> Iterator[Letter]:
        """Yield the letters that wait now, oldest first."""
        self._wakeup.clear()
        # Before the first letter is read: one that comes later must announce itself again.
        self._announced = False
        for _ in range(len(self._letters)):
            try:
                yield self._letters.popleft()
            except IndexError:  # a signal handler took the rest in the middle of this
                return

    def wait(self, timeout_seconds: float) -> None:
        """Block until a letter waits or the time has passed."""
        poller = select.poll()
        poller.register(self.fileno(), select.POLLIN)
        poller.poll(timeout_seconds * 1000)

    def close(self) -> None:
        self._wakeup.close()


class HubMailbox(Mailbox[Callable[[], object]]):
    """Letters are what the hub is to do."""

    def read(self) -> None:
        """Do it. What exits, exits; another fault costs no more than its letter."""
        for letter in self.take():
            try:
                letter()
            except Exception:
                logger.exception("The hub could not do %r", letter)


class _EventFd:
    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._open = True

    def fileno(self) -> int:
        return self._descriptor

    def wake(self) -> None:
        if self._open:
            with suppress(OSError):
                os.eventfd_write(self._descriptor, 1)

    def clear(self) -> None:
        with suppress(OSError):
            os.eventfd_read(self._descriptor)

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._descriptor)


class _SocketPair:
    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        return self._reader.fileno()

    def wake(self) -> None:
        with suppress(OSError):
            self._writer.send(b"\0")

    def clear(self) -> None:
        with suppress(OSError):
            self._reader.recv(4096)

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
