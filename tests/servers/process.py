"""One child process that can be killed, paused and never outlives the tests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.warm_python import ForkedProcess, WarmPython

WATCHDOG = 'read -r _; kill -KILL "-$0"; test -z "$1" || rm -rf -- "$1"'


@dataclass
class ChildProcess:
    """A server's process: its own session, its output in one log file.

    A watchdog holds the other end of a pipe of ours: whatever ends the tests, SIGKILL included,
    closes the pipe, and the watchdog kills the process group and removes the folder `scratch`.
    """

    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    group: int | None = None
    scratch: Path | None = None
    folder: Path | None = None
    """Where it runs; where we do when not given."""
    warm: WarmPython | None = None
    """Forks it; `command` is then a module and its arguments."""
    _process: subprocess.Popen[bytes] | ForkedProcess | None = None
    _watchdog: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        """Starts the process; it may not be ready yet when this returns."""
        if self.is_running:
            return
        self._process = self._spawned() if self.warm is None else self._forked(self.warm)
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG, str(self._process.pid), str(self.scratch or "")],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _spawned(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                list(self.command),
                env=without_secrets() | dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
            )

    def _forked(self, warm: WarmPython) -> ForkedProcess:
        return warm.start(
            self.command,
            environment=without_secrets() | dict(self.environment),
            folder=self.folder or Path.cwd(),
            log=self.log,
        )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was never started"
        return self._process.pid

    def terminate(self, stop_signal: signal.Signals, patience_seconds: float = 60) -> None:
        """Asks it to stop, waits, and kills what is left."""
        if self.is_running and self._process is not None:
            self.resume()
            self._process.send_signal(stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL for the process, its group and every descendant; returns when it is reaped."""
        if self._process is None:
            return
        if self.is_running:
            for pid in self.family():
                _signal(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._dismiss_watchdog()
        self._process.wait(60)
        self._process = None

    def pause(self) -> None:
        """SIGSTOP for every descendant: sockets stay open, nobody answers."""
        for pid in self.family():
            _signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT for every descendant."""
        for pid in self.family():
            _signal(pid, signal.SIGCONT)

    def family(self) -> list[int]:
        """The process and its descendants, parents first."""
        parents = _parents()
        family = [self.pid]
        for member in family:
            family.extend(child for child, parent in parents.items() if parent == member)
        return family

    def _dismiss_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None


def without_secrets() -> dict[str, str]:
    """What a server needs from our environment: where programs are and how text is spelt."""
    return {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _parents() -> dict[int, int]:
    """Parent of every process, from /proc, or from ps where there is none."""
    if Path("/proc/self/stat").exists():
        return dict(_parents_from_proc())
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True)
    pairs = (line.split() for line in listing.stdout.splitlines())
    return {int(pid): int(parent) for pid, parent in pairs}


def _parents_from_proc() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2]
                yield int(entry.name), int(after_name.split()[1])
