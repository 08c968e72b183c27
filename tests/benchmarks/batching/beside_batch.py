"""Interactive answers, 20 a second, open loop: alone, beside a batch whose calls take as long, and
beside one whose calls take 20 times as long. Rounds alternate with some in which no batch runs.

How the slots were used meanwhile is told by the attempts in the ledger.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from deploy.cli.demo.visitor import Visitor
from shared.clock import SystemClock
from shared.messages.lane import Lane
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import attempt
from tests.benchmarks.batching.running import Served, begun, cancelled, looked_at, served
from tests.benchmarks.ground.open_loop import at_share, open_loop
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Better, Progress, Rounds, Row
from workers.providers.error_class import ErrorClass

PER_SECOND: Final = 20
OF_QUIET: Final = 1.2
USED: Final = 0.9
SLOTS: Final = 20
_IS_FULL: Final = os.environ.get("SCALE") == "full"
_ROUND: Final = 10.0 if _IS_FULL else 1.7
"""Times the seconds of other benchmarks."""
_CALL_SECONDS: Final = 0.2
_LONG: Final = {"equally long": 1, "20 times as long": 20}
_WARM_UP_SECONDS: Final = 2.0
_SETTLE_SECONDS: Final = 1.0


class _Use(NamedTuple):
    """Seconds of slots."""

    interactive: float
    batch: float
    wasted: float


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Answers, and of the slots that were left those that the batch used."""
    ground = stage.ground(Broker.REDIS, Ledger.POSTGRES)
    yield from asyncio.run(_measure(ground, _ROUND * seconds, say))


async def _measure(ground: Ground, seconds: float, say: Progress) -> list[Row]:
    lasts = {name: _CALL_SECONDS * times for name, times in _LONG.items()}
    quiet, busy = list[float](), dict[str, list[float]]()
    rows = list[Row]()
    async with served(ground, slots=SLOTS, seconds=_CALL_SECONDS, others=lasts) as at:
        await _answers(at.visitor, _WARM_UP_SECONDS)
        uses = dict[str, _Use]()
        for name, lasting in lasts.items():
            say("answers without a batch")
            quiet += await _answers(at.visitor, seconds)
            say(f"answers beside a batch whose calls are {name}")
            busy[name], uses[name] = await _beside(at, name, lasting, seconds)
    alone = _quantiles(quiet)
    for name in lasts:
        rows += _answered(name, _quantiles(busy[name]), alone)
        rows += _used(name, uses[name], seconds)
    return rows


def _answered(name: str, busy: Rounds, quiet: Rounds) -> Iterator[Row]:
    for quantile in busy:
        yield Row(
            what=f"an answer beside a batch, its calls {name}, {quantile} (stock: no batch)",
            on=f"{PER_SECOND} messages/s, {SLOTS} slots",
            unit="ms",
            ours=busy[quantile],
            stock=quiet[quantile],
            target=OF_QUIET if quantile == "p99" else None,
        )


def _used(name: str, use: _Use, seconds: float) -> Iterator[Row]:
    left = SLOTS * seconds - use.interactive
    yield Row(
        what=f"slots that a batch used (stock: those that were left), its calls {name}",
        on=f"{PER_SECOND} messages/s, {SLOTS} slots",
        unit="slots",
        ours=use.batch / seconds,
        stock=left / seconds,
        better=Better.HIGHER,
        target=USED,
        apart={"given way": use.wasted / seconds},
    )


async def _beside(
    at: Served, name: str, lasting: float, seconds: float
) -> tuple[list[float], _Use]:
    lines = int((seconds + 10) * SLOTS / lasting)
    batch_id = await begun(at.visitor, lines, name)
    async for batch in looked_at(at.visitor, batch_id):
        if batch["forebay"]["progress"]["read"] >= min(lines, SLOTS):
            break
    await asyncio.sleep(_SETTLE_SECONDS + lasting)
    since = SystemClock().now()
    answers = await _answers(at.visitor, seconds)
    until = since + timedelta(seconds=seconds)
    await cancelled(at.visitor, batch_id)
    await asyncio.sleep(_SETTLE_SECONDS)  # what was cancelled is booked a moment later
    return answers, await _slots_used(at.database, since, until)


async def _answers(visitor: Visitor, seconds: float) -> list[float]:
    count = int(seconds * PER_SECOND)
    return await open_loop(visitor, count, per_second=PER_SECOND, service_tier="priority")


async def _slots_used(database: Database, since: datetime, until: datetime) -> _Use:
    columns = (attempt.c[name] for name in ("lane", "started_at", "latency_seconds", "error_class"))
    seconds = dict.fromkeys(Lane, 0.0)
    wasted = 0.0
    async with reading(database.relaxed) as connection:
        for row in await connection.execute(select(*columns)):
            begin, end = row.started_at, row.started_at + _length(row)
            within = (min(end, until) - max(begin, since)).total_seconds()
            if within > 0:
                seconds[row.lane] += within
                is_given_up = row.error_class == ErrorClass.ABANDONED and end < until
                wasted += within if is_given_up else 0.0
    return _Use(seconds[Lane.INTERACTIVE], seconds[Lane.BATCH], wasted)


def _length(row: Any) -> timedelta:
    return timedelta(seconds=float(row.latency_seconds))


def _quantiles(latencies: list[float]) -> Rounds:
    found = Rounds()
    found.add(p50=at_share(0.5, latencies) * 1e3, p99=at_share(0.99, latencies) * 1e3)
    return found
