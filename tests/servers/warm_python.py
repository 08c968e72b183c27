"""Python processes that begin with their modules loaded: forks of one that has loaded them.

Loading them is most of what it takes to start a worker, and tests start a hundred. Everything
else is as with `python -m MODULE`: a process and a session of its own, its own environment,
arguments and output; the module is run as `__main__` from its first line.

    python -m tests.servers.warm_python MODULES…

reads requests, one JSON object a line, and answers each with the pid of the fork; it ends when
its input does.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CAN_FORK = hasattr(os, "pidfd_open")
"""Whether a process that is no child of ours can be waited for on this system."""


class WarmPython:
    """Starts processes; ends when this process does, and they do not."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        self._turn = threading.Lock()
        self._forking = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.warm_python", *modules],
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
        return ForkedProcess(int(answer))


class ForkedProcess:
    """What `subprocess.Popen` is for a child of ours, without its exit code."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._descriptor = None

    def poll(self) -> int | None:
        """None while it runs."""
        return None if self._runs(for_seconds=0) else 0

    def wait(self, timeout: float) -> int:
        """Return when it has ended; raises TimeoutExpired."""
        if self._runs(for_seconds=timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return 0

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing happens when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

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


def _serve(modules: Sequence[str]) -> list[str]:
    """Fork for every request; returns in each fork, with the command to be run there."""
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what is never looked at is never copied
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for exit codes
    for line in sys.stdin.buffer:
        request: dict[str, Any] = json.loads(line)
        pid = os.fork()
        if not pid:
            return _become(request)
        os.write(1, f"{pid}\n".encode())
    os._exit(0)


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
    sys.argv = _serve(sys.argv[1:])
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
