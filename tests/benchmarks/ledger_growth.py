"""The ledger's statements on a ledger where much waits, and on one where very much does.

Statistics are taken before the queue is full, as they are when a burst comes. Every statement has
as much to do on both: what a sweep takes at once is there on the smaller one too. A figure is the
database's CPU, which is what the targets bound; the client's stands in a column of its own. Both
are the lower quartile of the turns: what else the machine does makes a statement late, and hardly
dearer. Where nothing else runs it takes about as long as the two together.

The database is Postgres' processes. SQLite's work is done in threads of aiosqlite, with what Python
does there to call it.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from itertools import product
from pathlib import Path
from statistics import quantiles
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import text

from shared.clock import ManualClock, SystemClock
from shared.erasing.retention import Retention
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.persistence.ledger.lane_load import LaneLoads
from shared.persistence.ledger.settling import SettleGroup
from shared.persistence.statements import transaction
from shared.redis.client import open_redis
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
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


class Cost(NamedTuple):
    """CPU, in milliseconds."""

    database: float
    client: float


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU of each statement on both databases, with a backlog and with a smaller one."""
    scale = float(os.environ.get("FOREBAY_GROWTH_SCALE", "1"))
    sizes = SIZES | {"backlog": SIZES["backlog"] * scale}
    waiting = {name: f"{size * QUEUED:,.0f}" for name, size in sizes.items()}
    for ledger in Ledger:
        say(f"ledgers with {waiting['small']} and {waiting['backlog']} waiting on {ledger}")
        grounds = {name: stage.ground(Broker.REDIS, ledger) for name in sizes}
        found = asyncio.run(_costs(grounds, sizes, stage.postgres_pids))
        for what, cost in found["backlog"].items():
            yield Row(
                what=f"{what}, {waiting['backlog']} waiting (stock: {waiting['small']})",
                on=ledger,
                unit="ms",
                ours=cost.database,
                stock=found["small"][what].database,
                apart={"client": cost.client},
                target=GROWTH,
                limit=CLAIM_MS if what.startswith("claim") else SWEEP_MS,
            )


async def _costs(
    grounds: dict[str, Ground], sizes: dict[str, float], pids: Pids
) -> dict[str, dict[str, Cost]]:
    """By size and statement."""
    others = {*threading.enumerate()}
    async with AsyncExitStack() as stack:
        statements = {
            name: _statements(await _filled(stack, ground, sizes[name]))
            for name, ground in grounds.items()
        }
        found: defaultdict[tuple[str, str], list[Cost]] = defaultdict(list)
        # All in each turn: a time in which the machine is slow meets all of them alike.
        for turn in range(TURNS + 1):
            backends = pids() + [thread.native_id or 0 for thread in _begun_since(others)]
            for what, name in product(statements["small"], grounds):
                if what.endswith("retention") and turn > RETENTION_TURNS:
                    continue
                cost = await _cost(statements[name][what], turn, backends)
                if turn:  # the first connects
                    found[name, what].append(cost)
    return {
        name: {what: _usual(found[name, what]) for what in statements[name]} for name in grounds
    }


def _usual(costs: list[Cost]) -> Cost:
    return Cost(*(quantiles(each)[0] for each in zip(*costs, strict=True)))


async def _filled(stack: AsyncExitStack, ground: Ground, scale: float) -> FullLedger:
    settings = LedgerSettings(url=ServerUrl(ground.ledger_url), timeout_seconds=120)
    database = open_database(settings)
    # However long the filling takes: no lease has run out, and the last ends are just behind.
    clock = ManualClock(SystemClock().now())
    redis = open_redis(RedisSettings(url=ServerUrl(ground.redis_url)))
    stack.push_async_callback(database.close)
    stack.push_async_callback(redis.aclose)
    await fill(database, clock.now(), statistics="stale", scale=scale)
    await _settle_down(database)
    return FullLedger(database, settings, clock, redis)


async def _cost(statement: Statement, turn: int, backends: list[int]) -> Cost:
    work = statement(turn)  # what it is given is made before anything is counted
    before = _cpu_seconds(backends)
    await work
    after = _cpu_seconds(backends)
    return Cost(*((now - then) * 1000 for now, then in zip(after, before, strict=True)))


def _begun_since(others: set[threading.Thread]) -> list[threading.Thread]:
    """Threads of SQLite's connections: there are others, one that shows how far this has come."""
    return [thread for thread in threading.enumerate() if thread not in others]


def _cpu_seconds(backends: list[int]) -> tuple[float, float]:
    """Of the database and of its client, which is this thread."""
    return sum(map(_running_seconds, backends)), time.thread_time()


def _running_seconds(thread: int) -> float:
    """Of a thread, or of a process that has no other."""
    with suppress(OSError):
        return int(Path(f"/proc/{thread}/schedstat").read_text().split()[0]) / 1e9
    return 0.0


def _statements(full: FullLedger) -> dict[str, Statement]:
    accepts = AcceptGroup(full.database, wake_after_seconds=15)
    settles = SettleGroup(full.database)
    loads = LaneLoads(full.database, full.clock)
    retention = Retention(full.database, full.settings, full.clock)

    def ids(prefix: str, turn: int) -> list[str]:
        return [f"{prefix}{turn * GROUP + n}" for n in range(1, GROUP + 1)]

    def settle(turn: int) -> Awaitable[object]:
        named = zip(full.ends(), ids("resp_r", turn), strict=True)
        return settles.flush([msgspec.structs.replace(end, message_id=each) for end, each in named])

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
