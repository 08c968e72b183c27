"""Servers whose tests were killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.servers.said_line import said_line

ORPHAN = """
import sys, time
from tests.servers.{module} import {server}
running = {server}().start()
print(*running.process.family(), running.folder, flush=True)
time.sleep(600)
"""


def ends_with_its_tests(module: str, server: str) -> None:
    """Fails unless a server of tests that are killed is gone soon, and its folder too."""
    tests = subprocess.Popen(
        [sys.executable, "-c", ORPHAN.format(module=module, server=server)],
        stdout=subprocess.PIPE,
        text=True,
    )
    *pids, folder = said_line(tests).split()
    tests.kill()
    tests.communicate()
    _eventually(lambda: not any(_runs(int(pid)) for pid in pids))
    _eventually(lambda: not Path(folder).exists())


def _eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
