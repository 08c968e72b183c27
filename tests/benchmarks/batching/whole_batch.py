"""A batch from POST /v1/batches to `completed` with its files, beside the time that its calls alone
take in the slots that there are. `SCALE=full` has ten times as many lines, and looks at what the
worker's process holds over 50,000.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from time import perf_counter
from typing import Final

from tests.benchmarks.batching.running import begun, looked_at, served
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Row

OF_IDEAL: Final = 1.15
FLAT: Final = 1.1
_IS_FULL: Final = os.environ.get("SCALE") == "full"
LINES: Final = {0.05: 10_000, 1.0: 1_000} if _IS_FULL else {0.05: 1_000, 1.0: 90}
"""By how long a call takes."""
SLOTS: Final = 20 if _IS_FULL else 10
_MANY: Final = 50_000
_MANY_SLOTS: Final = 50
_SETTLED: Final = 0.2
"""Of the lines of a batch: what is loaded or learnt once is there by then."""
_MEBIBYTE: Final = 1_048_576


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Wall time; where it goes beside the calls stands apart."""
    for lasting, lines in LINES.items():
        say(f"a batch of {lines:,} lines in {SLOTS} slots, calls of {lasting:g} s")
        found = asyncio.run(_run(stage.ground(Broker.REDIS, Ledger.POSTGRES), lines, lasting))
        yield Row(
            what=f"a batch of {lines:,} calls of {lasting:g} s to completed (stock: calls alone)",
            on=f"Redis + Postgres, {SLOTS} slots",
            unit="s",
            ours=found.pop("completed"),
            stock=lines * lasting / SLOTS,
            target=OF_IDEAL,
            apart=found,
        )
    if _IS_FULL:
        say(f"memory of a worker over {_MANY:,} lines")
        before, most = asyncio.run(_memory(stage.ground(Broker.REDIS, Ledger.POSTGRES)))
        yield Row(
            what=f"memory of a worker, most of {_MANY:,} lines (stock: after a fifth of them)",
            on="Redis + Postgres",
            unit="MiB",
            ours=most / _MEBIBYTE,
            stock=before / _MEBIBYTE,
            target=FLAT,
        )


async def _run(ground: Ground, lines: int, lasting: float) -> dict[str, float]:
    """Seconds until the first look that showed it."""
    seen = dict[str, float]()
    async with served(ground, slots=SLOTS, seconds=lasting) as (visitor, _, _):
        # What is loaded and connected once is no batch's.
        async for _ in looked_at(visitor, await begun(visitor, SLOTS, "Warm up")):
            pass
        began = perf_counter()
        batch_id = await begun(visitor, lines, "Say")
        async for batch in looked_at(visitor, batch_id):
            progress, now = batch["forebay"]["progress"], perf_counter() - began
            if batch["status"] != "validating":
                seen.setdefault("validated", now)
            if progress["completed"]:
                seen.setdefault("first answer", now)
            if progress["completed"] == lines:
                seen.setdefault("last answer", now)
        if batch["status"] != "completed" or batch["request_counts"]["completed"] != lines:
            raise RuntimeError(f"The batch ended otherwise: {batch}")
        seen["completed"] = perf_counter() - began
        if len(await visitor.lines_of(batch["output_file_id"])) != lines:
            raise RuntimeError("Its file has not all lines.")
    return seen


async def _memory(ground: Ground) -> tuple[int, int]:
    """What the worker held when a fifth of the lines had ended, and the most from then on."""
    before = most = 0
    async with served(ground, slots=_MANY_SLOTS, seconds=0) as (visitor, program, _):
        async for batch in looked_at(visitor, await begun(visitor, _MANY, "Say")):
            if batch["forebay"]["progress"]["share"] >= _SETTLED:
                before = before or program.resident_bytes()
                most = max(most, program.resident_bytes())
    return before, most
