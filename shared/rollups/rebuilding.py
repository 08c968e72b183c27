"""RollupRebuilding: what figures differ by from the ledger's own rows is appended to them.

A difference is taken in one snapshot, in which each end is told by its row and counts either in the
figures or in what is not folded yet. Added to whatever the figures have become meanwhile it is as
right: folding moves sums and changes none. So nobody waits, and nothing that ends is missed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.errors import Conflict
from shared.identifiers import new_process_name
from shared.persistence.engine import Database
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.statements import snapshot, transaction
from shared.persistence.tables import tenant
from shared.rollups.cubes import ATTEMPTS, TURNS, Cube, Resolution, TimeSpan
from shared.rollups.delta import Addition, Delta, encode_delta
from shared.rollups.raw_rows import RawRows
from shared.rollups.tables import rollup_delta
from shared.rollups.tally import RollupKey, Sums, Tally, tally_of
from shared.settings import Settings

_ADDITIONS_IN_A_DELTA: Final = 200
_DAY: Final = timedelta(days=1)
_LEASE_SECONDS: Final = 60


class RebuiltDay(NamedTuple):
    """What came of one day (UTC): how many rows were put right.

    `is_whole` is False where the ledger does not keep all of its messages, or attempts, any more:
    their figures were left as they are.
    """

    day: datetime
    corrected: int
    is_whole: bool


class RollupRebuilding:
    """Holds figures to the ledger, day by day; to do it again, or break it off, does no harm.

    Raises LedgerUnavailable, and Conflict while another does it: both would add the same
    difference. What doors told is in no other row, and stays as it is.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._raw = RawRows(database.durable.dialect)
        self._alone = RoleLease(
            database,
            clock,
            role="rebuilding figures",
            holder=new_process_name(),
            lease_seconds=_LEASE_SECONDS,
        )

    async def rebuild(self, span: TimeSpan) -> AsyncIterator[RebuiltDay]:
        """Each day of the span in its order, once it is right."""
        day = Resolution.DAY.floor(span.begin)
        try:
            while day < span.end:
                await self._be_alone()
                yield await self._rebuild_day(day)
                day += _DAY
        finally:
            await self._alone.give_back()

    async def _be_alone(self) -> None:
        if not await self._alone.take():
            raise Conflict(
                "Another rebuild of figures is at work, or was broken off within the last "
                f"{_LEASE_SECONDS} seconds. Let it end, and begin again then."
            )

    async def _rebuild_day(self, day: datetime) -> RebuiltDay:
        span = TimeSpan(day, day + _DAY)
        async with snapshot(self._database.relaxed) as connection:
            cubes = [
                cube for cube in (TURNS, ATTEMPTS) if day >= await self._since(connection, cube)
            ]
            raw = await self._raw_tally(connection, span, cubes)
            known = tally_of(await connection.scalars(select(rollup_delta.c.figures)))
            additions: list[Addition] = []
            for cube in cubes:
                for resolution in self._kept(day):
                    rolled = await _rolled(connection, cube, span, resolution)
                    pending = known.cubes[cube.name]
                    told = _sum_of(rolled, _of_span(pending, span, resolution))
                    wanted = _of_span(raw.cubes[cube.name], span, resolution)
                    additions += _differences(cube, wanted, told)
        await self._append(additions)
        return RebuiltDay(day, len(additions), len(cubes) == 2)

    async def _raw_tally(
        self, connection: AsyncConnection, span: TimeSpan, cubes: list[Cube]
    ) -> Tally:
        raw = Tally()
        if TURNS in cubes:
            await self._raw.add_turns(connection, span, raw)
        if ATTEMPTS in cubes:
            await self._raw.add_attempts(connection, span, raw)
        return raw

    async def _since(self, connection: AsyncConnection, cube: Cube) -> datetime:
        """The first day that the ledger keeps whole."""
        keeping = self._settings.ledger
        days = keeping.attempt_retention_days
        if cube is TURNS:
            own = await connection.scalar(select(func.min(tenant.c.retention_days)))
            days = min(keeping.retention_days, own or keeping.retention_days)
        return Resolution.DAY.ceil(self._clock.now() - timedelta(days=days))

    def _kept(self, day: datetime) -> list[Resolution]:
        """What is forgotten is not brought back."""
        keeping, now = self._settings.rollups, self._clock.now()
        days = (keeping.minute_days, keeping.hour_days, keeping.day_days)
        return [
            resolution
            for resolution, kept in zip(Resolution, days, strict=True)
            if day >= Resolution.DAY.floor(now - timedelta(days=kept))
        ]

    async def _append(self, additions: list[Addition]) -> None:
        rows = [
            {"figures": encode_delta(Delta(additions=tuple(some)))} for some in _groups(additions)
        ]
        if rows:
            await self._be_alone()  # a day may take longer than its lease
            async with transaction(self._database.durable) as connection:
                await connection.execute(insert(rollup_delta), rows)


def _groups(additions: list[Addition]) -> Iterator[list[Addition]]:
    for first in range(0, len(additions), _ADDITIONS_IN_A_DELTA):
        yield additions[first : first + _ADDITIONS_IN_A_DELTA]


async def _rolled(
    connection: AsyncConnection, cube: Cube, span: TimeSpan, resolution: Resolution
) -> Sums:
    columns = cube.table.c
    names = [columns[name.value] for name in cube.dimensions]
    sums = [columns[name] for name in cube.sums]
    query = select(columns.tenant_id, columns.starts_at, *names, *sums).where(
        columns.seconds == int(resolution),
        columns.starts_at >= span.begin,
        columns.starts_at < span.end,
    )
    found: Sums = {}
    for tenant_id, starts_at, *rest in await connection.execute(query):
        named = tuple(rest[: len(names)])
        key = RollupKey(int(resolution), tenant_id, round(starts_at.timestamp()), named)
        found[key] = [amount or 0 for amount in rest[len(names) :]]
    return found


def _of_span(sums: Sums, span: TimeSpan, resolution: Resolution) -> Sums:
    begin, end = span.begin.timestamp(), span.end.timestamp()
    return {
        key: amounts
        for key, amounts in sums.items()
        if key.seconds == resolution and begin <= key.starts < end
    }


def _sum_of(one: Sums, other: Sums) -> Sums:
    both = dict(one)
    for key, amounts in other.items():
        before = both.get(key, [0] * len(amounts))
        both[key] = [a + b for a, b in zip(before, amounts, strict=True)]
    return both


def _differences(cube: Cube, wanted: Sums, told: Sums) -> Iterator[Addition]:
    nothing = [0] * len(cube.sums)
    for key in sorted({*wanted, *told}):
        pairs = zip(cube.sums, wanted.get(key, nothing), told.get(key, nothing), strict=True)
        sums = {name: right - wrong for name, right, wrong in pairs if right != wrong}
        if sums:
            yield Addition(cube.name, key.starts, key.tenant_id, key.names, sums, key.seconds)
