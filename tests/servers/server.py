"""What every test server can do, whatever it serves."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Self

from tests.servers.ports import free_port
from tests.servers.process import ChildProcess


class Server(ABC):
    """A real server on a free loopback port, its files in a folder of its own.

    The port and the files stay the same over `stop`, `kill` and `restart`, so a restarted server
    is the same server to its clients. `close` stops it for good and removes the folder.
    """

    name: ClassVar[str]
    boot_seconds: ClassVar[float] = 120
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"forebay-test-{self.name}-"))
        self.log = self.folder / "server.log"
        self.boot_took_seconds = 0.0
        self.process = self._prepare()

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def _prepare(self) -> ChildProcess:
        """Writes the configuration and says what to run."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether a client would be served now; quick, never raises while it boots."""

    def start(self) -> Self:
        """Starts it and returns once clients are served; does nothing when it runs."""
        if self.process.is_running:
            return self
        began = time.monotonic()
        self.process.spawn()
        self._wait_until_ready(until=began + self.boot_seconds)
        self.boot_took_seconds = time.monotonic() - began
        return self

    def stop(self) -> None:
        """An orderly shutdown, as an operator would do it; files stay."""
        self.process.terminate(self.stop_signal)

    def kill(self) -> None:
        """SIGKILL, as a power cut would do it; files stay as they were."""
        self.process.kill()

    def restart(self) -> None:
        """`stop`, then `start`."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freezes it: connections stay open and nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        """Ends `pause`."""
        self.process.resume()

    def close(self) -> None:
        """Ends it for good; nothing is left on this machine."""
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def accepts_connections(self, port: int | None = None) -> bool:
        """Whether something listens on the port."""
        try:
            with socket.create_connection(("127.0.0.1", port or self.port), timeout=1):
                return True
        except OSError:
            return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait_until_ready(self, *, until: float) -> None:
        while not self._is_ready():
            if not self.process.is_running:
                raise AssertionError(f"{self.name} ended while it started:\n{self.log_tail()}")
            if time.monotonic() > until:
                self.process.kill()
                raise AssertionError(f"{self.name} was not ready in time:\n{self.log_tail()}")
            time.sleep(0.02)

    def log_tail(self, lines: int = 40) -> str:
        """The end of everything it logged, for the report of a failed test."""
        return "\n".join(line for file in self._logs() for line in _tail(file, lines))

    def _logs(self) -> Iterator[Path]:
        yield self.log


def _tail(file: Path, lines: int) -> list[str]:
    if not file.exists():
        return []
    return file.read_text(errors="replace").splitlines()[-lines:]


def find_program(names: list[Path | str], *, install: str) -> str:
    """The first of the programs that exists; AssertionError says what to install if none does.

    What lies in the folder that FOREBAY_TEST_SERVERS names comes before all of them.
    """
    folder = os.environ.get("FOREBAY_TEST_SERVERS")
    others = [shutil.which(Path(name).name, path=folder) for name in names] if folder else []
    for found in (*others, *(shutil.which(str(name)) for name in names)):
        if found:
            return found
    raise AssertionError(f"{Path(names[-1]).name} was not found: install {install}, or `make test`")
