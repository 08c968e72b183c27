"""Benchmarks are run by hand, now and then: what they import may not go unnoticed meanwhile."""

from __future__ import annotations

import subprocess
import sys


def test_every_benchmark_finds_what_it_imports() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--help"], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    assert "ledger_growth" in told.stdout
