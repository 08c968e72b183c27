"""A part of the embedded stack that nobody needs for an answer holds up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.embedded.errors import StackFailed
from deploy.embedded.processes import child as starting
from deploy.embedded.processes.child import Child
from deploy.embedded.processes.leash import Leash
from deploy.embedded.processes.role import ProcessRole, StopTurn


class Part:
    """A shell command that is ready once its file is there; `said` is what its child reported."""

    def __init__(self, folder: Path, leash: Leash, *, script: str, is_needed: bool) -> None:
        self.said: list[str] = []

        async def is_ready() -> bool:
            return (folder / "ready").exists()

        role = ProcessRole(
            name="part",
            command=("/bin/sh", "-c", script),
            environment={"PATH": "/usr/bin:/bin", "FOLDER": str(folder)},
            is_ready=is_ready,
            stop_turn=StopTurn.SERVER,
            patience_seconds=60.0,
            is_needed=is_needed,
        )
        self.child = Child(role, leash=leash, log=folder / "part.log", report=self.said.append)


@pytest.fixture
async def leash() -> AsyncIterator[Leash]:
    leash = Leash()
    yield leash
    leash.close()


async def test_one_that_dies_at_its_start_is_said_and_started_again(
    tmp_path: Path, leash: Leash
) -> None:
    script = 'test -e "$FOLDER/second" || { touch "$FOLDER/second"; echo no weights; exit 1; }; '
    part = Part(tmp_path, leash, script=f"{script} exec sleep 60", is_needed=False)
    await part.child.start()
    assert "ended with exit code 1 while starting" in part.said[0]
    assert "no weights" in part.said[0]
    assert "go on without it" in part.said[0]
    async with asyncio.timeout(60):
        while part.child.pid is None:  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.02)
    await part.child.stop()


async def test_one_that_is_slow_is_left_to_start_beside_the_others(
    tmp_path: Path, leash: Leash, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "OTHERS_WAIT_SECONDS", 0.1)
    part = Part(tmp_path, leash, script="exec sleep 60", is_needed=False)
    await part.child.start()
    assert "is not ready in time" in part.said[0]
    assert part.child.pid is not None
    await part.child.stop()
    assert part.child.pid is None


async def test_one_that_is_needed_stops_the_start(tmp_path: Path, leash: Leash) -> None:
    part = Part(tmp_path, leash, script="echo broken; exit 3", is_needed=True)
    with pytest.raises(StackFailed, match="broken"):
        await part.child.start()
    await part.child.stop()
