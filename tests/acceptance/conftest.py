"""One embedded stack for the tests that only use it, and one of their own for those that end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.command import RunningStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Answers by rules, then by people; on a machine that has no programs of its own."""
    bare = {"PATH": "/nonexistent", "FOREBAY_INGRESS__KEY_CACHE_SECONDS": "1"}
    running = RunningStack(tmp_path_factory.mktemp("stack").resolve(), bare)
    yield running
    running.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], RunningStack]]:
    """Starts a stack in this test's folder; whatever runs at the end is ended."""
    started: list[RunningStack] = []

    def _start() -> RunningStack:
        started.append(RunningStack(tmp_path.resolve()))
        return started[-1]

    yield _start
    for running in started:
        running.close()
