"""What a person is told where one figure passes several bounds: of a budget, half, most and all."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue
from shared.alerts.rules import rules_of
from shared.alerts.state import AlertEventKind, AlertState
from shared.alerts.strength import RuleStrengths
from shared.alerts.telling.message import message_of
from shared.settings.watching.alert_rules import AlertFigure, AlertSeverity
from shared.settings.watching.alerts import AlertSettings
from tests.unit.shared.alerts.rounds import START, Rounds, rule

HOUR = 3_600.0
FIRED, REMINDED, RESOLVED = (
    AlertEventKind.FIRED,
    AlertEventKind.REMINDED,
    AlertEventKind.RESOLVED,
)


@pytest.fixture
def rounds() -> Rounds:
    """Over the built-in rules of budgets."""
    built_in = rules_of(AlertSettings())
    return Rounds(*(each for each in built_in if each.figure is AlertFigure.BUDGET_SHARE))


def spent(rounds: Rounds, share: float, *, seconds: float) -> list[tuple[str, AlertEventKind]]:
    """Rounds in which acme has spent so much; rules and what was told of them."""
    before = len(rounds.told)
    for _ in range(int(seconds / 15)):
        rounds.reads(FigureReading([FigureValue({"tenant": "ten_1"}, share)]))
    return [(each.rule, each.kind) for each in rounds.told[before:]]


def test_levels_of_a_budget_passed_one_after_the_other_are_a_message_each(rounds: Rounds) -> None:
    assert spent(rounds, 0.4, seconds=HOUR) == []
    for share, name in ((0.6, "budget_50"), (0.85, "budget_80"), (1.0, "budget_100")):
        assert spent(rounds, share, seconds=HOUR) == [(name, FIRED)]


def test_levels_of_a_budget_passed_at_once_are_told_by_the_highest(rounds: Rounds) -> None:
    assert spent(rounds, 1.2, seconds=HOUR) == [("budget_100", FIRED)]
    assert {each.state for each in rounds.alerts.values()} == {AlertState.FIRING}
    assert {each.rule for each in rounds.history} == {"budget_50", "budget_80", "budget_100"}
    (told,) = message_of(rounds.told, START).alerts
    assert told.rule == "budget_100"


def test_only_the_highest_level_is_reminded_of(rounds: Rounds) -> None:
    spent(rounds, 0.6, seconds=2 * HOUR)
    spent(rounds, 0.85, seconds=HOUR)
    told = spent(rounds, 1.0, seconds=9 * HOUR)
    assert told == [("budget_100", FIRED), *[("budget_100", REMINDED)] * 2]


def test_a_new_day_resolves_each_level_that_was_told(rounds: Rounds) -> None:
    spent(rounds, 0.6, seconds=HOUR)
    spent(rounds, 1.0, seconds=HOUR)
    told = spent(rounds, 0.0, seconds=HOUR)
    assert sorted(told) == [("budget_100", RESOLVED), ("budget_50", RESOLVED)]


def test_a_lower_level_is_told_once_the_higher_one_is_over(rounds: Rounds) -> None:
    spent(rounds, 1.0, seconds=HOUR)
    told = spent(rounds, 0.7, seconds=HOUR)
    assert told == [("budget_100", RESOLVED), ("budget_50", FIRED)]


def test_a_higher_level_that_nobody_was_told_of_hides_no_lower_one(rounds: Rounds) -> None:
    spent(rounds, 1.0, seconds=15)
    hidden = {
        name: replace(each, told_as=None) if each.rule == "budget_100" else each
        for name, each in rounds.alerts.items()
    }
    (lower,) = [each for each in hidden.values() if each.rule == "budget_80"]
    strengths = RuleStrengths(rounds.rules)
    assert strengths.is_said_by_another(lower, rounds.alerts)
    assert not strengths.is_said_by_another(lower, hidden)


def test_a_less_severe_rule_hides_none_however_much_it_asks_for() -> None:
    less = replace(rule("less", above=20.0), severity=AlertSeverity.INFO)
    rounds = Rounds(rule("waits", above=10.0), less)
    assert rounds.sees(30.0) == [FIRED, FIRED]


def test_the_lower_bound_of_two_says_more_where_a_figure_must_not_fall() -> None:
    low, lower = (replace(rule(f"r{n}"), above=None, below=n) for n in (20.0, 10.0))
    renamed = Rounds(replace(low, name="low"), replace(lower, name="lower"))
    assert renamed.sees(5.0) == [FIRED]
    assert [each.rule for each in renamed.told] == ["lower"]
