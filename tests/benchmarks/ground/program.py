"""A process under measurement: what it has cost so far, and how large it became."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers.process import ChildProcess

_SCHEDULED = 2
_READY_SECONDS = 60.0


class Program:
    """`python <arguments>` with its descendants; ends with its context.

    Its modules are those of `folder`, a checkout; ours when not given.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        folder: Path | None = None,
    ) -> None:
        self._log = log
        folder = folder or Path.cwd()
        self._child = ChildProcess(
            command=[sys.executable, *arguments],
            log=log,
            environment={"PYTHONPATH": str(folder), **environment},
            folder=folder,
        )

    def __enter__(self) -> Program:
        self._child.spawn()
        return self

    def __exit__(self, *_: object) -> None:
        self._child.terminate(signal.SIGTERM, patience_seconds=5)

    def wait_until(
        self, is_so: Callable[[], bool], what: str, *, every_seconds: float = 0.01
    ) -> None:
        """Returns once `is_so`; a program that ends or hesitates raises with its log."""
        give_up_at = time.monotonic() + _READY_SECONDS
        while not is_so():
            if not self._child.is_running or time.monotonic() > give_up_at:
                raise AssertionError(f"no {what}:\n{self.log_text()[-4000:]}")
            time.sleep(every_seconds)

    def log_text(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def pause(self) -> None:
        """SIGSTOP: it takes nothing up until `resume`."""
        self._child.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self._child.resume()

    def cpu_seconds(self) -> float:
        """User and system time of the whole family since it started."""
        return cpu_seconds(self._child.family())

    def own_cpu_seconds(self) -> float:
        """The same without that of its descendants."""
        return cpu_seconds([self._child.pid])

    def peak_bytes(self) -> int:
        """The largest resident size so far, each process of the family at its own peak."""
        return sum(_resident_bytes(pid, "VmHWM:") for pid in self._child.family())

    def resident_bytes(self) -> int:
        """The resident size of the family as it is now."""
        return sum(_resident_bytes(pid, "VmRSS:") for pid in self._child.family())


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of processes that still run, to the nanosecond."""
    return sum(map(_running_seconds, pids))


class CpuMeter:
    """CPU seconds between entering and leaving."""

    def __init__(self) -> None:
        self.seconds = 0.0


@contextmanager
def metered(program: Program) -> Iterator[CpuMeter]:
    """What the program costs meanwhile."""
    meter = CpuMeter()
    before = program.cpu_seconds()
    yield meter
    meter.seconds = program.cpu_seconds() - before


def _running_seconds(pid: int) -> float:
    # The clock of another process, as clock_getcpuclockid(3) names it: /proc counts in hundredths.
    with suppress(OSError):
        return time.clock_gettime(~pid << 3 | _SCHEDULED)
    return 0.0


def _resident_bytes(pid: int, field: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return 0
