"""What is read of figures, on Postgres and on SQLite."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from shared.clock import ManualClock
from shared.errors import InvalidRequest
from shared.persistence.engine import Database
from shared.rollups.delta import Delta
from shared.rollups.reading import Dimension, Rollups, TimeSpan
from tests.integration.rollups.conftest import append
from tests.integration.rollups.facts import attempt_fact, door_sums, turn_fact

_MINUTE = timedelta(minutes=1)


async def test_all_that_ended_is_told_in_one_row(database: Database, clock: ManualClock) -> None:
    now = clock.now()
    failed = turn_fact(now, state="failed", in_deadline=0, latency_ms=3_000, wait_ms=None)
    cached = turn_fact(now, saved_nanos=2_500, cost_nanos=0)
    attempts = (
        attempt_fact(now),
        attempt_fact(now, error_class="rate_limited", cost_nanos=None, is_estimated=1),
    )
    doors = (door_sums(now, count=7), door_sums(now, reason="rate", count=2))
    await append(database, Delta((turn_fact(now), failed, cached), attempts, doors))
    (row,) = await Rollups(database).sums(TimeSpan(now, now + _MINUTE))
    assert (row.dims, row.messages, row.in_deadline) == ({}, 3, 2)
    assert (row.attempts, row.errors, row.unknown, row.estimated) == (2, {"rate_limited": 1}, 1, 1)
    assert (row.cost, row.saved) == (Decimal("0.000001"), Decimal("0.0000025"))
    assert (row.input_tokens, row.cached_tokens, row.output_tokens) == (20, 8, 10)
    assert (row.accepted, row.refused) == (7, {"rate": 2})
    assert (row.wait.count, row.latency.count, row.latency.seconds) == (2, 3, 4.8)
    assert row.latency.share_within(2.0) == pytest.approx(2 / 3)


async def test_figures_are_told_apart_by_all_that_they_can_be(
    database: Database, clock: ManualClock
) -> None:
    now = clock.now()
    one, human = turn_fact(now), turn_fact(now, answered_by="human:ann", tenant_id="ten_2")
    cached = turn_fact(now, saved_nanos=1, worker="w2", variant="b", lane="batch")
    other = attempt_fact(now, provider="q", tenant_id="ten_2", cost_nanos=5_000)
    await append(database, Delta((one, human), (attempt_fact(now), other)), Delta((cached,)))
    span, rollups = TimeSpan(now, now + _MINUTE), Rollups(database)

    async def told(*by: Dimension, where: dict[Dimension, str] | None = None) -> dict[str, int]:
        rows = await rollups.sums(span, by=by, where=where)
        return {" ".join(row.dims.values()): row.messages for row in rows}

    assert await told(Dimension.TENANT) == {"ten_1": 2, "ten_2": 1}
    assert await told(Dimension.ANSWERED_BY) == {"cache": 1, "human": 1, "p": 1}
    assert await told(Dimension.WORKER, Dimension.LANE) == {"w1 standard": 2, "w2 batch": 1}
    assert await told(Dimension.VARIANT, where={Dimension.TENANT: "ten_1"}) == {"": 1, "b": 1}
    dear = await rollups.sums(span, by=(Dimension.PROVIDER,), where={Dimension.TENANT: "ten_2"})
    assert [(row.dims, row.cost) for row in dear] == [
        ({Dimension.PROVIDER: "q"}, Decimal("0.000005"))
    ]


async def test_where_attempts_have_no_such_name_the_cost_is_that_of_messages(
    database: Database, clock: ManualClock
) -> None:
    now = clock.now()
    turns = (turn_fact(now), turn_fact(now, state="failed", cost_nanos=7_000))
    await append(database, Delta(turns, (attempt_fact(now),)))
    rows = await Rollups(database).sums(TimeSpan(now, now + _MINUTE), by=(Dimension.STATE,))
    assert {row.dims[Dimension.STATE]: row.cost for row in rows} == {
        "completed": Decimal("0.000001"),
        "failed": Decimal("0.000007"),
    }


async def test_a_series_has_a_row_for_each_step_that_has_figures(
    database: Database, clock: ManualClock
) -> None:
    now = clock.now()
    ends = [now, now + timedelta(minutes=4), now + timedelta(minutes=11)]
    await append(database, *(Delta((turn_fact(end),)) for end in ends))
    span = TimeSpan(now, now + timedelta(hours=1))
    rows = await Rollups(database).series(span, timedelta(minutes=5))
    assert [(row.starts_at, row.messages) for row in rows] == [
        (now, 2),
        (now + timedelta(minutes=10), 1),
    ]
    with pytest.raises(ValueError, match="whole minutes"):
        await Rollups(database).series(span, timedelta(seconds=90))


async def test_of_nothing_there_is_no_row(database: Database, clock: ManualClock) -> None:
    now = clock.now()
    await append(database, Delta((turn_fact(now),)))
    for span in (TimeSpan(now + _MINUTE, now + 2 * _MINUTE), TimeSpan(now, now)):
        assert await Rollups(database).sums(span) == []


async def test_names_that_are_not_kept_together_are_refused(
    database: Database, clock: ManualClock
) -> None:
    span = TimeSpan(clock.now(), clock.now() + _MINUTE)
    with pytest.raises(InvalidRequest, match="not kept by tenant"):
        await Rollups(database).sums(span, by=(Dimension.TENANT, Dimension.WORKER))
    with pytest.raises(InvalidRequest, match="provider, state"):
        await Rollups(database).sums(span, by=(Dimension.STATE,), where={Dimension.PROVIDER: "p"})
