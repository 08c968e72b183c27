"""One embedded stack for the tests that only use it, and one of their own for those that end it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from deploy.cli.__main__ import run
from tests.acceptance.command import RunningStack, Typed


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Answers by rules, then by people; on a machine that has no programs of its own.

    It ends with these tests: a stack that does nothing wants a twentieth of a core all the same.
    """
    bare = {"PATH": "/nonexistent", "FOREBAY_INGRESS__KEY_CACHE_SECONDS": "1"}
    running = RunningStack(tmp_path_factory.mktemp("stack").resolve(), bare)
    yield running
    running.close()


@pytest.fixture
def type_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Typed]:
    """Runs commands in a folder, with settings, in this process; other tests see them start."""

    def prepare(folder: Path, **settings: str) -> Typed:
        monkeypatch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("FOREBAY_")]:
            monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return lambda *words: CompletedProcess(words, run(words), *capsys.readouterr())

    return prepare


@pytest.fixture
def typed(stack: RunningStack, type_in: Callable[..., Typed]) -> Typed:
    """Runs commands beside the stack."""
    return type_in(stack.folder)


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
