"""How many files one message runs through: printed (`pytest -rP`), and held from above.

It is posted to a door, waited for, and answered by a worker that asks a provider. What also runs
while nothing is done is left out, and what does not run for each of a few messages: it came by the
clock. A bound is what was reached; it only falls.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from tests.architecture.recorded_process import Recording
from tests.architecture.road import Road, recorded
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.workers.stack import SHORT_LEASE, Stack
from tests.servers.process import ChildProcess

IDLE_SECONDS = 2.5
"""Longer than every interval of what a door and a worker do by themselves: what is recorded is
that nothing is asked of them."""
TAIL_SECONDS = 1.0
"""What is still done for a message once its answer has left: acknowledging, noting, booking."""
MOST_OF_THE_DOOR = 40
MOST_OF_THE_WORKER = 56


@pytest.fixture(scope="module")
def stack(stack: Stack) -> Stack:
    """Leases are renewed and hearts beat while nothing is asked, too."""
    often = SHORT_LEASE | {"FOREBAY_BROKER__HEARTBEAT_SECONDS": "2"}
    return replace(stack, extra=stack.extra | often)


@pytest.fixture
async def key(stack: Stack) -> str:
    return await new_key(stack.settings.ledger)


class RecordedWorker:
    """`python -m workers`, which writes down what runs in it."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._recording = Recording(folder)
        self._log = folder / "worker.log"
        command = ["-m", "tests.architecture.recorded_process", str(folder), "workers"]
        environment = {**stack.environment, "REMAP_SIGTERM": "SIGQUIT"}
        self._process = ChildProcess(
            command=[sys.executable, *command, "--name", "recorded@localhost"],
            log=self._log,
            environment=environment,
        )

    def start(self) -> None:
        self._process.spawn()
        deadline = time.monotonic() + 60
        while not self._log.exists() or " ready." not in self._log.read_text():
            assert time.monotonic() < deadline, self._log.read_text()[-2000:]
            time.sleep(0.05)

    def take(self) -> Road:
        return self._recording.take(self._process.pid)

    def kill(self) -> None:
        self._process.kill()


@pytest.fixture
def worker(stack: Stack, tmp_path: Path) -> Iterator[RecordedWorker]:
    worker = RecordedWorker(stack, tmp_path)
    worker.start()
    yield worker
    worker.kill()


async def test_one_message(stack: Stack, key: str, worker: RecordedWorker) -> None:
    with recorded() as road, RunningDoor(stack.settings) as door:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as client:

            async def ask() -> None:
                url, body = f"{door.url}/v1/responses", {"model": "auto", "input": "Why?"}
                async with client.post(url, json=body) as response:
                    answer = await response.json()
                    assert answer["output"][0]["content"][0]["text"] == "You said: Why?", answer

            async def taken_after(seconds: float) -> tuple[Road, Road]:
                await asyncio.sleep(seconds)
                return road.take(), worker.take()

            await ask()  # what happens once for each process
            await taken_after(TAIL_SECONDS)
            idle_door, idle_worker = await taken_after(IDLE_SECONDS)
            await ask()
            door_road, worker_road = await taken_after(TAIL_SECONDS)
            for _ in range(10):
                await ask()
                door_again, worker_again = await taken_after(TAIL_SECONDS)
                door_road, worker_road = door_road & door_again, worker_road & worker_again
                of_the_door = door_road.printed("the door, for one message", idle=idle_door)
                of_the_worker = worker_road.printed("the worker, for one message", idle=idle_worker)
                # What came by the clock comes seldom; on a busy machine it may come twice.
                if (
                    len(of_the_door) <= MOST_OF_THE_DOOR
                    and len(of_the_worker) <= MOST_OF_THE_WORKER
                ):
                    break

    assert len(of_the_door) <= MOST_OF_THE_DOOR
    assert len(of_the_worker) <= MOST_OF_THE_WORKER
