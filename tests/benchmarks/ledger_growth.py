"""The ledger's statements on a small and on a full ledger.

Statistics are taken before the queue is full, as they are when a burst comes. Each figure is beside
the same statement on a ledger without a backlog.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Final

from sqlalchemy import text

from shared.clock import SystemClock
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.persistence.ledger.lane_load import LaneLoads
from shared.persistence.ledger.retention import Retention
from shared.persistence.ledger.settling import SettleGroup
from shared.persistence.statements import transaction
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.benchmarks.ground.stage import Broker, Ledger, Stage
from tests.benchmarks.measurement import Progress, Row
from tests.integration.persistence.plans.crowd import ENDED, fill
from tests.integration.persistence.plans.registry import GROUP, FullLedger

SIZES: Final = {"small": 0.05, "backlog": 10.0}
"""In units of 12,000 waiting and 20,000 ended messages; FOREBAY_GROWTH_SCALE times the last."""
ROUNDS: Final = 15
CLAIM_MS: Final = 3.0
SWEEP_MS: Final = 5.0

Timed = Callable[[int], Awaitable[object]]


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Milliseconds of each statement on both databases, with a backlog and without."""
    scale = float(os.environ.get("FOREBAY_GROWTH_SCALE", "1"))
    for ledger in Ledger:
        found = {}
        for name, size in SIZES.items():
            say(f"ledger with {size * scale * ENDED:,.0f} waiting on {ledger}")
            url = stage.ground(Broker.REDIS, ledger).ledger_url
            found[name] = asyncio.run(_times(url, size * (scale if name == "backlog" else 1)))
        for what, milliseconds in found["backlog"].items():
            yield Row(
                what=f"{what}, {SIZES['backlog'] * scale * ENDED:,.0f} waiting (stock: few)",
                on=ledger,
                unit="ms",
                ours=milliseconds,
                stock=found["small"][what],
                limit=CLAIM_MS if what.startswith("claim") else SWEEP_MS,
            )


async def _times(url: str, scale: float) -> dict[str, float]:
    settings = LedgerSettings(url=ServerUrl(url), timeout_seconds=120)
    database, clock = open_database(settings), SystemClock()
    try:
        await fill(database, clock.now(), statistics="stale", scale=scale)
        await _settle_down(database)
        full = FullLedger(database, settings, clock)
        return {name: await _best(timed) for name, timed in _statements(full).items()}
    finally:
        await database.close()


def _statements(full: FullLedger) -> dict[str, Timed]:
    accepts = AcceptGroup(full.database, wake_after_seconds=15)
    settles = SettleGroup(full.database)
    loads = LaneLoads(full.database, full.clock)
    retention = Retention(full.database, full.settings, full.clock)

    def ids(prefix: str, turn: int) -> list[str]:
        return [f"{prefix}{turn * GROUP + n}" for n in range(1, GROUP + 1)]

    async def settle(turn: int) -> object:
        named = zip(full.ends(), ids("resp_r", turn), strict=True)
        return await settles.flush([replace(end, message_id=each) for end, each in named])

    return {
        f"accept a group of {GROUP}": lambda turn: accepts.flush(full.arrivals(f"k{turn}_")),
        f"claim a group of {GROUP}": lambda turn: full.claims.flush(ids("resp_q", turn)),
        f"settle a group of {GROUP}": settle,
        "sweep: due": lambda _: full.sweeps.due(),
        "sweep: leases": lambda _: full.sweeps.expire_leases(),
        "sweep: deadlines": lambda _: full.sweeps.expire_deadlines(),
        "sweep: unsent answers": lambda _: full.sweeps.unsent_answers(),
        "sweep: retention": lambda _: retention.forget_old(),
        "lane loads": lambda _: loads.lane_loads(),
    }


async def _settle_down(database: Database) -> None:
    """What was written goes to disk before anything is measured."""
    if not database.is_sqlite:
        async with transaction(database.relaxed) as connection:
            await connection.execute(text("CHECKPOINT"))


async def _best(timed: Timed) -> float:
    await timed(0)
    figures = []
    for turn in range(1, ROUNDS + 1):
        began = time.perf_counter()
        await timed(turn)
        figures.append((time.perf_counter() - began) * 1000)
    # The quickest: what else the machine does must not look like growth.
    return min(figures)
