"""A process that does not say what is waited for fails its test instead of keeping it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.servers.said_line import said_line


@pytest.mark.parametrize("then", ["time.sleep(60)", "pass"], ids=["silent", "ended"])
def test_a_line_that_does_not_come_fails_with_what_was_said(then: str) -> None:
    program = f"import time; print('one thing', flush=True); {then}"
    with (
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        ) as process,
        pytest.raises(AssertionError, match="one thing"),
    ):
        said_line(process, "another", seconds=2)
