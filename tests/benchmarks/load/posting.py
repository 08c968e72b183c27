"""Starting the load generator and reading what it found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.benchmarks.load.__main__ import Report

_CONNECTIONS: Final = 64
_LONG: Final = 24 * 3600.0


def post(
    port: int,
    *,
    key: str | Sequence[str],
    connections: int,
    seconds: float,
    messages: int = sys.maxsize,
) -> Report:
    """Loads the door at `port` for so long, with so many at most, with each key in its turn; a
    refused message fails the benchmark.
    """
    report = _run(port, key, connections, seconds, "--messages", str(messages))
    assert not report.refused, f"the door refused messages: {report.refused}"
    return report


def post_all(port: int, *, key: str | Sequence[str], messages: int, told: Path) -> Report:
    """Returns when the door has accepted so many; their ids are in the file `told`, one a line."""
    arguments = ("--messages", str(messages), "--told", str(told))
    return _run(port, key, _CONNECTIONS, _LONG, *arguments)


def _run(
    port: int, key: str | Sequence[str], connections: int, seconds: float, *arguments: str
) -> Report:
    keys = [key] if isinstance(key, str) else key
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    command += ["--port", str(port), "--connections", str(connections)]
    command += ["--seconds", str(seconds), *arguments]
    finished = subprocess.run(
        command,
        input="\n".join(keys).encode(),
        stdout=subprocess.PIPE,
        timeout=seconds + 60,
        check=True,
    )
    return msgspec.json.decode(finished.stdout, type=Report)
