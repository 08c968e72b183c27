"""The ledger's statements on a ledger where much waits, and on one where very much does.

Statistics are taken before the queue is full, as they are when a burst comes. Every statement has
as much to do on both: what a sweep takes at once is there on the smaller one too. A figure is CPU
of the client and of Postgres together, the lower quartile of its turns: what else the machine does
makes a statement late, and hardly dearer. Where nothing else runs it takes about as long as that.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import quantiles
from typing import Final

from sqlalchemy import text

from shared.clock import ManualClock, SystemClock
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
from tests.integration.persistence.plans.crowd import QUEUED, fill
from tests.integration.persistence.plans.registry import GROUP, FullLedger

SIZES: Final = {"small": 1.0, "backlog": 10.0}
"""In units of 12,000 waiting and 20,000 ended messages; FOREBAY_GROWTH_SCALE times the last."""
TURNS: Final = 50
RETENTION_TURNS: Final = 7
"""Each deletes 500, and there are no more on the smaller one."""
GROWTH: Final = 1.3
CLAIM_MS: Final = 3.0
SWEEP_MS: Final = 5.0

Statement = Callable[[int], Awaitable[object]]
Pids = Callable[[], list[int]]


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU of each statement on both databases, with a backlog and with a smaller one."""
    scale = float(os.environ.get("FOREBAY_GROWTH_SCALE", "1"))
    sizes = SIZES | {"backlog": SIZES["backlog"] * scale}
    waiting = {name: f"{size * QUEUED:,.0f}" for name, size in sizes.items()}
    for ledger in Ledger:
        say(f"ledgers with {waiting['small']} and {waiting['backlog']} waiting on {ledger}")
        urls = {name: stage.ground(Broker.REDIS, ledger).ledger_url for name in sizes}
        found = asyncio.run(_costs(urls, sizes, stage.postgres_pids))
        for what, milliseconds in found["backlog"].items():
            yield Row(
                what=f"{what}, {waiting['backlog']} waiting (stock: {waiting['small']})",
                on=ledger,
                unit="ms",
                ours=milliseconds,
                stock=found["small"][what],
                target=GROWTH,
                limit=CLAIM_MS if what.startswith("claim") else SWEEP_MS,
            )


async def _costs(
    urls: dict[str, str], sizes: dict[str, float], pids: Pids
) -> dict[str, dict[str, float]]:
    """Milliseconds by size and statement."""
    async with AsyncExitStack() as stack:
        statements = {
            name: _statements(await _filled(stack, url, sizes[name])) for name, url in urls.items()
        }
        found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        # All in each turn: a time in which the machine is slow meets all of them alike.
        for turn in range(TURNS + 1):
            backends = pids()
            for what, name in product(statements["small"], urls):
                if what.endswith("retention") and turn > RETENTION_TURNS:
                    continue
                milliseconds = await _cost(statements[name][what], turn, backends)
                if turn:  # the first connects
                    found[name, what].append(milliseconds)
    return {
        name: {what: quantiles(found[name, what])[0] for what in statements[name]} for name in urls
    }


async def _filled(stack: AsyncExitStack, url: str, scale: float) -> FullLedger:
    settings = LedgerSettings(url=ServerUrl(url), timeout_seconds=120)
    database = open_database(settings)
    # However long the filling takes: no lease has run out, and the last ends are just behind.
    clock = ManualClock(SystemClock().now())
    stack.push_async_callback(database.close)
    await fill(database, clock.now(), statistics="stale", scale=scale)
    await _settle_down(database)
    return FullLedger(database, settings, clock)


async def _cost(statement: Statement, turn: int, backends: list[int]) -> float:
    before = _cpu_seconds(backends)
    await statement(turn)
    return (_cpu_seconds(backends) - before) * 1000


def _cpu_seconds(backends: list[int]) -> float:
    """Of this process and of these, which have one thread each."""
    return time.process_time() + sum(map(_running_seconds, backends))


def _running_seconds(pid: int) -> float:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return 0.0


def _statements(full: FullLedger) -> dict[str, Statement]:
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
