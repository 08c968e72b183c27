"""Python processes that begin with their modules loaded: forks of one that has loaded them.

Loading them is most of what it takes to start a worker, and tests start a hundred. Everything
else is as with `python -m MODULE`: a process and a session of its own, its own environment,
arguments and output; the module is run as `__main__` from its first line.

    python -m tests.servers.warm_python CODES MODULES…

reads requests, one JSON object a line, and answers each with the pid of the fork; it ends when
its input does. The exit code of a fork is written to the file CODES/pid.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CAN_FORK = hasattr(os, "pidfd_open")
"""Whether a process that is no child of ours can be waited for on this system."""


class WarmPython:
    """Starts processes; ends when this process does, and they do not."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        self._turn = threading.Lock()
        self._codes = tempfile.TemporaryDirectory(prefix="forebay-test-codes-")
        self._forking = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.warm_python", self._codes.name, *modules],
            cwd=Path(__file__).resolve().parents[2],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def start(
        self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path
    ) -> ForkedProcess:
        """Run `module argument…` in `folder`; it may not be ready yet when this returns."""
        request = {
            "command": list(command),
            "environment": dict(environment),
            "folder": str(folder),
            "log": str(log),
        }
        asked, answered = self._forking.stdin, self._forking.stdout
        assert asked is not None
        assert answered is not None
        with self._turn:
            asked.write(json.dumps(request).encode() + b"\n")
            asked.flush()
            answer = answered.readline()
        assert answer, f"no process was forked, see {log}"
        return ForkedProcess(int(answer), codes=Path(self._codes.name))


class ForkedProcess:
    """What `subprocess.Popen` is for a child of ours."""

    def __init__(self, pid: int, *, codes: Path) -> None:
        self.pid = pid
        self._code = codes / str(pid)
        self._returncode: int | None = None
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._descriptor = None

    def poll(self) -> int | None:
        """Its exit code, -N when signal N ended it; None while it runs."""
        if self._returncode is None and not self._runs(for_seconds=0):
            self._returncode = self._read_code()
        return self._returncode

    def wait(self, timeout: float = 60) -> int:
        """Its exit code, when it has ended; raises TimeoutExpired."""
        if self._runs(for_seconds=timeout) or (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return code

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing happens when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _read_code(self) -> int:
        deadline = time.monotonic() + 60
        while not self._code.exists() or not (code := self._code.read_text()):
            assert time.monotonic() < deadline, f"nobody knows how {self.pid} ended"
            time.sleep(0.001)
        self._code.unlink()
        return int(code)

    def _runs(self, *, for_seconds: float) -> bool:
        if self._descriptor is None:
            return False
        watch = select.poll()
        watch.register(self._descriptor, select.POLLIN)
        if not watch.poll(for_seconds * 1000):
            return True
        os.close(self._descriptor)
        self._descriptor = None
        return False


def _serve(codes: str, modules: Sequence[str]) -> list[str]:
    """Fork for every request; returns in each fork, with the command to be run there."""
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what is never looked at is never copied
    signal.signal(signal.SIGCHLD, lambda *_: _write_codes(Path(codes)))
    for line in sys.stdin.buffer:
        request: dict[str, Any] = json.loads(line)
        pid = os.fork()
        if not pid:
            return _become(request)
        os.write(1, f"{pid}\n".encode())
    os._exit(0)


def _write_codes(folder: Path) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            (folder / str(pid)).write_text(str(os.waitstatus_to_exitcode(status)))


def _become(request: Mapping[str, Any]) -> list[str]:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    gc.unfreeze()
    os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    output = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for descriptor, opened in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(opened, descriptor)
    sys.stdin = os.fdopen(0)
    return list(request["command"])


if __name__ == "__main__":
    sys.argv = _serve(sys.argv[1], sys.argv[2:])
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
