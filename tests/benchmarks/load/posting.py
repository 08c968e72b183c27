"""Starting the load generator and reading what it found."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from tests.benchmarks.load.__main__ import Report


def post(
    port: int, *, key: str, connections: int, seconds: float, messages: int = sys.maxsize
) -> Report:
    """Loads the door at `port` for so long, with so many at most; a refused message fails the
    benchmark.
    """
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    command += ["--port", str(port), "--key", key]
    command += ["--connections", str(connections), "--seconds", str(seconds)]
    command += ["--messages", str(messages)]
    finished = subprocess.run(command, stdout=subprocess.PIPE, timeout=seconds + 60, check=True)
    report = msgspec.json.decode(finished.stdout, type=Report)
    assert not report.refused, f"the door refused messages: {report.refused}"
    return report
