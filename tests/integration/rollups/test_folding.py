"""Whatever happens to messages, figures are what the ledger's rows add up to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, insert, select, update

from shared.clock import ManualClock
from shared.errors import Conflict
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction
from shared.rollups.delta import Addition, Delta, encode_delta
from shared.rollups.folding import Folding
from shared.rollups.forgetting import Forgetting
from shared.rollups.reading import Dimension, RollupRow, Rollups, TimeSpan
from shared.rollups.rebuilding import RollupRebuilding
from shared.rollups.tables import rollup_attempt, rollup_delta, rollup_turn
from shared.settings import Settings
from shared.settings.watching.rollups import RollupSettings
from tests.integration.rollups.conftest import append
from tests.integration.rollups.facts import turn_fact
from tests.integration.rollups.history import MessageHistory
from tests.integration.rollups.plain_figures import plain_costs, plain_figures, told_figures

_BY = (Dimension.TENANT, Dimension.LANE)
_STEPS = 90


def _ever(clock: ManualClock) -> TimeSpan:
    return TimeSpan(clock.now() - timedelta(days=20), clock.now() + timedelta(days=20))


async def _read(database: Database, clock: ManualClock) -> list[RollupRow]:
    return await Rollups(database).sums(_ever(clock), by=_BY)


async def _costs(database: Database, clock: ManualClock) -> dict[str, Decimal]:
    rows = await Rollups(database).sums(_ever(clock), by=(Dimension.VARIANT,))
    return {row.dims[Dimension.VARIANT]: row.cost for row in rows}


async def _rebuild(database: Database, clock: ManualClock) -> int:
    rebuilding = RollupRebuilding(database, Settings(), clock)
    span = TimeSpan(clock.now() - timedelta(days=2), clock.now() + timedelta(days=1))
    return sum([day.corrected async for day in rebuilding.rebuild(span)])


@pytest.mark.parametrize("seed", range(3))
async def test_figures_are_what_the_rows_add_up_to(
    database: Database, clock: ManualClock, seed: int
) -> None:
    history, folding = MessageHistory(database, clock, seed), Folding(database)
    for _ in range(_STEPS):
        await history.step()
        if history.random.random() < 0.1:
            await folding.fold()
    plain = await plain_figures(database)
    assert len(plain) > 3
    assert told_figures(await _read(database, clock)) == plain
    assert await _costs(database, clock) == await plain_costs(database)
    assert await _rebuild(database, clock) == 0
    await folding.fold()
    assert told_figures(await _read(database, clock)) == plain
    assert await _costs(database, clock) == await plain_costs(database)
    assert await _rebuild(database, clock) == 0
    await history.ledger.close()


async def test_figures_are_rebuilt_while_messages_end(
    database: Database, clock: ManualClock
) -> None:
    history, folding = MessageHistory(database, clock, 11), Folding(database)
    for _ in range(_STEPS):
        await history.step()
    await folding.fold()
    async with transaction(database.durable) as connection:
        await connection.execute(delete(rollup_attempt))
        await connection.execute(
            update(rollup_turn).where(rollup_turn.c.seconds == 3_600).values(messages=99)
        )

    async def live() -> None:
        for _ in range(_STEPS):
            await history.step()
            await folding.fold()

    corrected, _ = await asyncio.gather(_rebuild(database, clock), live())
    assert corrected
    plain = await plain_figures(database)
    assert told_figures(await _read(database, clock)) == plain
    await folding.fold()
    assert await _rebuild(database, clock) == 0
    await history.ledger.close()


async def test_each_delta_is_folded_once_by_any_number_of_folders(
    database: Database, clock: ManualClock
) -> None:
    now = clock.now()
    await append(database, *(Delta((turn_fact(now),)) for _ in range(30)))
    span = TimeSpan(now, now + timedelta(minutes=1))
    (before,) = await Rollups(database).sums(span)
    folded = await asyncio.gather(*(Folding(database).fold() for _ in range(4)))
    assert sum(folded) == 30
    (after,) = await Rollups(database).sums(span)
    assert after == before
    assert after.messages == 30


async def test_an_end_that_comes_late_lands_in_its_own_minute(
    database: Database, clock: ManualClock
) -> None:
    now, folding = clock.now(), Folding(database)
    for ended in (now, now - timedelta(hours=3), now + timedelta(days=9), now):
        await append(database, Delta((turn_fact(ended),)))
        await folding.fold()
    rows = await Rollups(database).series(_ever(clock), timedelta(minutes=1))
    told = {row.starts_at: row.messages for row in rows}
    assert told == {now - timedelta(hours=3): 1, now: 2, now + timedelta(days=9): 1}


async def test_a_delta_that_cannot_be_read_costs_no_other(
    database: Database, clock: ManualClock
) -> None:
    await append(database, Delta((turn_fact(clock.now()),)))
    async with transaction(database.durable) as connection:
        await connection.execute(update(rollup_delta).values(figures="nonsense"))
    strange = (Addition("clouds", 0, "t", ("a",), {}), Addition("doors", 0, "t", ("a",), {}))
    await append(database, *(Delta(additions=(each,)) for each in strange))
    await append(database, Delta((turn_fact(clock.now()),)))
    assert [row.messages for row in await _read(database, clock)] == [1]
    assert await Folding(database).fold() == 4
    assert [row.messages for row in await _read(database, clock)] == [1]


async def test_minutes_are_forgotten_before_hours_and_what_was_is_still_told(
    database: Database, clock: ManualClock
) -> None:
    now = clock.now()
    await append(database, Delta((turn_fact(now), turn_fact(now + timedelta(minutes=3)))))
    await Folding(database).fold()
    settings = RollupSettings(minute_days=2, hour_days=5, day_days=9)
    span = TimeSpan(now, now + timedelta(minutes=1))
    forgetting, left = Forgetting(database, settings, clock), {}
    for day in range(11):
        await forgetting.forget_old()
        async with reading(database.relaxed) as connection:
            kept = select(rollup_turn.c.seconds).group_by(rollup_turn.c.seconds)
            left[day] = sorted((await connection.scalars(kept)).all())
        clock.advance(86_400)
        await append(database, Delta((turn_fact(clock.now(), tenant_id="ten_2"),)))
        of_one = {Dimension.TENANT: "ten_1"}
        told = await Rollups(database).sums(span, where=of_one)
        assert [row.messages for row in told] == [1 if day <= 2 else 2] * (day <= 9)
    assert left[2] == [60, 3_600, 86_400]
    assert left[3] == [3_600, 86_400]
    assert left[6] == [86_400]
    assert left[10] == []


async def test_nothing_is_written_where_nothing_has_ended(database: Database) -> None:
    assert await Folding(database).fold() == 0
    async with reading(database.relaxed) as connection:
        assert await connection.scalar(select(func.count()).select_from(rollup_turn)) == 0


async def test_a_second_rebuild_is_refused_while_one_is_at_work(
    database: Database, clock: ManualClock
) -> None:
    now = clock.now()
    await append(database, *(Delta((turn_fact(now),)) for _ in range(3)))  # of no message
    span = TimeSpan(now, now + timedelta(days=2))
    first = RollupRebuilding(database, Settings(), clock).rebuild(span)
    assert (await anext(first)).corrected
    with pytest.raises(Conflict, match="Another rebuild"):
        await _rebuild(database, clock)
    async for _ in first:
        pass
    assert await _rebuild(database, clock) == 0
    assert not sum(row.messages for row in await _read(database, clock))


async def test_it_is_told_when_more_waits_to_be_folded_than_is_read_beside(
    database: Database, clock: ManualClock
) -> None:
    rollups, delta = Rollups(database), encode_delta(Delta((turn_fact(clock.now()),)))
    await _append_many(database, delta, 5_000)
    assert not await rollups.are_behind()
    began = clock.now()
    clock.advance(7)
    later = encode_delta(Delta((turn_fact(clock.now()),)))
    await _append_many(database, later, 1_001)
    assert await rollups.are_behind()
    assert await rollups.missing_since() == began + timedelta(seconds=7)
    assert sum(row.messages for row in await _read(database, clock)) == 5_000
    # A round folds less than that on SQLite.
    assert await Folding(database).fold() + await Folding(database).fold() == 6_001
    assert not await rollups.are_behind()
    assert sum(row.messages for row in await _read(database, clock)) == 6_001


async def _append_many(database: Database, figures: str, count: int) -> None:
    async with transaction(database.durable) as connection:
        await connection.execute(insert(rollup_delta), [{"figures": figures}] * count)
