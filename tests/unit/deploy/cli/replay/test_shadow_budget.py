"""How far shadow calls may go."""

from __future__ import annotations

from decimal import Decimal

from deploy.cli.replay.live.budget import ShadowBudget
from deploy.cli.replay.live.recorded import is_drawn
from shared.identifiers import new_response_id


def budget_of(amount: str) -> ShadowBudget:
    return ShadowBudget(Decimal(amount))


def test_until_a_cost_is_known_they_go_one_by_one() -> None:
    budget = budget_of("10")
    assert budget.allows_one()
    budget.begin()
    assert not budget.allows_one()
    budget.end(Decimal(0), is_answered=False)  # who gave no answer says nothing of what one costs
    budget.begin()
    assert not budget.allows_one()
    budget.end(Decimal(1), is_answered=True)
    for _ in range(9):
        assert budget.allows_one()
        budget.begin()
    assert not budget.allows_one()
    assert not budget.is_spent


def test_what_is_under_way_may_each_be_as_dear_as_the_dearest() -> None:
    budget = budget_of("10")
    budget.begin()
    budget.end(Decimal(4), is_answered=True)
    assert budget.allows_one()
    budget.begin()
    assert not budget.allows_one()
    budget.end(Decimal(1), is_answered=True)
    assert budget.allows_one()
    budget.begin()
    budget.end(Decimal(2), is_answered=True)
    assert (budget.spent, budget.is_spent) == (7, True)


def test_an_unknown_cost_is_taken_for_the_dearest_and_where_there_is_none_it_ends() -> None:
    budget = budget_of("10")
    budget.begin()
    budget.end(None, is_answered=True)
    assert budget.is_blind
    assert budget.is_spent
    assert not budget.allows_one()

    budget = budget_of("10")
    for cost in (Decimal(3), None):
        budget.begin()
        budget.end(cost, is_answered=True)
    assert (budget.spent, budget.unknown, budget.is_blind) == (6, 1, False)


def test_models_that_cost_nothing_are_asked_side_by_side() -> None:
    budget = budget_of("0.01")
    for _ in range(3):
        budget.begin()
        budget.end(Decimal(0), is_answered=True)
    budget.begin()
    assert budget.allows_one()
    assert not budget.is_spent


def test_a_share_is_always_the_same_messages_and_lies_in_a_larger_one() -> None:
    ids = [new_response_id() for _ in range(4_000)]
    small = {each for each in ids if is_drawn(each, 0.05)}
    large = {each for each in ids if is_drawn(each, 0.2)}
    assert small < large
    assert 120 < len(small) < 290
    assert all(is_drawn(each, 1.0) for each in ids)
