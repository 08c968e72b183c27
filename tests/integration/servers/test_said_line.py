"""A process that does not say what is waited for fails its test instead of keeping it."""

from __future__ import annotations

import subprocess

import pytest

from tests.servers.said_line import said_line


@pytest.mark.parametrize("then", ["exec sleep 60", "exit"], ids=["silent", "ended"])
def test_a_line_that_does_not_come_fails_with_what_was_said(then: str) -> None:
    # A shell, which says its line long before the time is over.
    command = ["/bin/sh", "-c", f"echo one thing; {then}"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        pytest.raises(AssertionError, match="one thing"),
    ):
        said_line(process, "another", seconds=0.7)
