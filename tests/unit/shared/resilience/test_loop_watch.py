"""Code that holds the event loop is named while it holds it, and nothing else is."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from subprocess import PIPE, STDOUT

import pytest
import uvloop

from shared.resilience.loop_watch import watched_loop
from shared.telemetry.metrics import Metrics

SECONDS = 0.2
LONG_SECONDS = 0.5
"""A thread of a busy machine may wait for its turn longer than the first."""

IDLE = f"""
import asyncio, sys, threading, uvloop
from shared.resilience.loop_watch import watched_loop
from shared.telemetry.metrics import Metrics

async def idle(metrics):
    async with watched_loop(metrics, seconds={LONG_SECONDS}):
        print("idle", flush=True)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
        await ended.wait()
        await asyncio.sleep(2 * {LONG_SECONDS})

metrics = Metrics()
loop = uvloop.new_event_loop if sys.argv[1] == "uvloop" else asyncio.new_event_loop
with asyncio.Runner(loop_factory=loop) as runner:
    runner.run(idle(metrics))
print(
    metrics.registry.get_sample_value("forebay_loop_blocks_total"),
    [each.name for each in threading.enumerate()],
)
"""


class SlowStep:
    """Holds the loop until somebody else has seen what it waits for."""

    def __init__(self) -> None:
        self.over = threading.Event()

    async def run(self) -> None:
        await asyncio.sleep(0)
        self._think()

    def _think(self) -> None:
        assert self.over.wait(60)


def release(step: SlowStep, log: pytest.LogCaptureFixture, *, blocks: int) -> threading.Thread:
    """Lets it go on as soon as it was named so often; a busy machine may block others as well."""

    def look() -> None:
        while named(log) < blocks:
            time.sleep(0.01)
        time.sleep(3 * SECONDS)  # a block that lasts is not told of again
        step.over.set()

    looking = threading.Thread(target=look)
    looking.start()
    return looking


def loop_factory(uses: str) -> Callable[[], asyncio.AbstractEventLoop]:
    return uvloop.new_event_loop if uses == "uvloop" else asyncio.new_event_loop


def named(log: pytest.LogCaptureFixture) -> int:
    return log.text.count("SlowStep._think")


@pytest.mark.parametrize("uses", ["asyncio", "uvloop"])
def test_a_step_that_holds_the_loop_is_named_once_each_time(
    caplog: pytest.LogCaptureFixture, uses: str
) -> None:
    metrics = Metrics()

    async def turns() -> None:
        async with watched_loop(metrics, seconds=SECONDS):
            for number in range(2):
                step = SlowStep()
                looking = release(step, caplog, blocks=number + 1)
                await step.run()
                looking.join()
                await asyncio.sleep(SECONDS)  # the loop turns again

    with asyncio.Runner(loop_factory=loop_factory(uses)) as runner:
        runner.run(turns())
    assert named(caplog) == 2
    assert caplog.text.count("SlowStep.run") == 2
    blocks = metrics.registry.get_sample_value("forebay_loop_blocks_total")
    assert blocks == caplog.text.count("loop_blocked")


@pytest.mark.parametrize("uses", ["asyncio", "uvloop"])
def test_a_process_that_was_stopped_has_blocked_nothing(uses: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", IDLE, uses], stdin=PIPE, stdout=PIPE, stderr=STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "idle\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(3 * LONG_SECONDS)  # for longer than a block that is told of
        process.send_signal(signal.SIGCONT)
        said, _ = process.communicate("done")
    assert said == "0.0 ['MainThread']\n"
