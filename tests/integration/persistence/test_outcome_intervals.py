"""Intervals of outcomes from the squares that days keep, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from sqlalchemy import update

from shared.clock import ManualClock
from shared.outcomes.interval import PairSums, ratio_ends, share_ends
from shared.outcomes.keeping import OutcomeKeeping
from shared.outcomes.outcome import SPREADS, ConversationOutcome
from shared.outcomes.reading import OutcomeEstimate, OutcomeFigures, Outcomes
from shared.outcomes.tables import outcome_day
from shared.persistence.engine import Database
from shared.persistence.statements import transaction


def outcomes_of(dice: Random, clock: ManualClock) -> list[ConversationOutcome]:
    names = {"tenant_id": "ten_1", "version": "1", "model": "m", "route": "p", "variant": ""}
    found = []
    for number in range(40):
        turns = dice.randint(1, 5)
        verdicts = dice.randint(0, 2)
        one = ConversationOutcome(
            **names,
            key=f"key_{number}",
            closed_at=clock.now(),
            turns=turns,
            caught=dice.randint(0, turns),
            is_completed=dice.random() < 0.8,
            is_handed_off=False,
            is_negative=dice.random() < 0.2,
            is_asked_again=False,
            verdicts=verdicts,
            score=verdicts * dice.random(),
            cost=Decimal(dice.randint(1, 999)) / 1000,
            unknown_costs=0,
        )
        found.append(one)
    return found


async def figures(database: Database, clock: ManualClock) -> OutcomeFigures:
    (found,) = await Outcomes(database).figures(clock.now().date(), clock.now().date())
    return found


def pairs(rows: Sequence[tuple[float, float]]) -> PairSums:
    sums = [(top, bottom, top * top, top * bottom, bottom * bottom) for top, bottom in rows]
    return PairSums(len(rows), *map(sum, zip(*sums, strict=True)))


async def test_intervals_are_those_of_the_rows_that_stand_there_last(
    database: Database, clock: ManualClock
) -> None:
    dice, keeping = Random(3), OutcomeKeeping(database)
    for _ in range(3):
        last = outcomes_of(dice, clock)
        async with transaction(database.durable) as connection:
            await keeping.keep(connection, last)
    found = await figures(database, clock)
    costs = pairs([(float(each.cost), float(each.is_success)) for each in last])
    caught = pairs([(each.caught, each.turns) for each in last])
    scores = pairs([(each.score, each.verdicts) for each in last])
    for estimate, sums, ends in (
        (found.cost_per_success, costs, ratio_ends),
        (found.hallucinations, caught, share_ends),
        (found.satisfaction, scores, share_ends),
    ):
        assert is_near(estimate, sums.top / sums.bottom, *ends(sums))


async def test_days_of_a_version_that_kept_no_squares_have_figures_without_an_interval(
    database: Database, clock: ManualClock
) -> None:
    found = outcomes_of(Random(4), clock)
    keeping = OutcomeKeeping(database)
    async with transaction(database.durable) as connection:
        await keeping.keep(connection, found[:20])
        await connection.execute(update(outcome_day).values(dict.fromkeys(SPREADS)))
        await keeping.keep(connection, found[20:])
    told = await figures(database, clock)
    turns = sum(each.turns for each in found)
    assert is_near(told.hallucinations, sum(each.caught for each in found) / turns, None, None)
    assert told.completion.low is not None


def is_near(found: OutcomeEstimate | None, *wanted: float | None) -> bool:
    assert found is not None
    told = (found.mean, found.low, found.high)
    return all(
        one == other or (one is not None and other is not None and abs(one - other) < 1e-6)
        for one, other in zip(told, wanted, strict=True)
    )
