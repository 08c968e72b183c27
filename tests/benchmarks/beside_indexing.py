"""Answers while a job runs beside them, and while none does: 20 messages a second, open loop.

On the demo's stack with one encoder process: a door, two workers, SQLite, Redis, the embedded
engine and a scripted provider, all on this machine's cores. Rounds alternate; a job goes on in
its next round where it was cancelled at the end of the one before.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

from deploy.cli.demo.scenes.index.library import Library, open_library
from deploy.cli.demo.stage import Stage as DemoStage
from deploy.cli.demo.stage import open_stage
from shared.clock import SystemClock
from shared.index.jobs.index_jobs import IndexJobs
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Progress, Rounds, Row

PER_SECOND: Final = 20
ROUNDS: Final = 2
OF_QUIET: Final = 1.5
_LONGEST_ROUND_SECONDS: Final = 8.0
_BEGUN: Final = 0.005
"""The share of a job's documents that is indexed before its round begins."""


def measure(_stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """p50 and p99 of both; the stock way is the same stack without a job."""
    with tempfile.TemporaryDirectory(prefix="forebay-bench-") as folder:
        yield from asyncio.run(
            _measure(Path(folder).resolve(), min(2 * seconds, _LONGEST_ROUND_SECONDS), say)
        )


async def _measure(folder: Path, seconds: float, say: Progress) -> list[Row]:
    quiet, busy = Rounds(), Rounds()
    one_core = {"FOREBAY_INDEX__CORES": "1"}
    async with (
        open_stage(folder, report=say, variables=one_core) as stage,
        open_library(stage) as library,
    ):
        await _answers(stage, 2.0)  # warm
        for turn in range(ROUNDS):
            say(f"answers without a job, round {turn + 1} of {ROUNDS}")
            _record(quiet, await _answers(stage, seconds))
            say(f"answers beside a job, round {turn + 1} of {ROUNDS}")
            async with _a_job(stage, library):
                _record(busy, await _answers(stage, seconds))
    on = "embedded stack, 20 messages/s"
    return [
        Row(
            what=f"an answer beside a job of indexing, {name}",
            on=on,
            unit="ms",
            ours=busy[name],
            stock=quiet[name],
            target=OF_QUIET if name == "p99" else None,
        )
        for name in ("p50", "p99")
    ]


@asynccontextmanager
async def _a_job(stage: DemoStage, library: Library) -> AsyncIterator[None]:
    job, before = await library.until(await library.begin(), share=_BEGUN)
    yield
    now, progress = await library.until(job, share=_BEGUN)
    if now.finished_at is not None or progress.completed == before.completed:
        raise RuntimeError(f"The job did not run all the while: {before}, {progress}.")
    await IndexJobs(stage.database, SystemClock()).cancel(job.tenant_id, job.id)


async def _answers(stage: DemoStage, seconds: float) -> list[float]:
    """Seconds from asking to the answer in hand, of messages that do not wait for one another."""

    async def ask(number: int) -> float:
        began = perf_counter()
        heard = await stage.visitor.post(f"What is the number {number}?")
        if heard.state != "completed":
            raise RuntimeError(f"A message ended as {heard.state}.")
        return perf_counter() - began

    asked = []
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * PER_SECOND)):
            asked.append(group.create_task(ask(number)))
            await asyncio.sleep(1 / PER_SECOND)
    return [each.result() for each in asked]


def _record(rounds: Rounds, latencies: list[float]) -> None:
    in_order = sorted(latencies)
    rounds.add(
        p50=in_order[len(in_order) // 2] * 1e3,
        p99=in_order[int(len(in_order) * 0.99)] * 1e3,
    )
