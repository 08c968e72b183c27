"""An alert begins, fires, is told once, is reminded of, and resolves."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue, Moment, moved
from shared.alerts.silence import Silence
from shared.alerts.state import AlertEventKind, AlertState
from shared.settings.watching.alerts import AlertSettings
from tests.unit.shared.alerts.rounds import EVERY_SECONDS, SETTINGS, START, Rounds, rule

HOUR = 3_600.0
FIRED, REMINDED, RESOLVED = (
    AlertEventKind.FIRED,
    AlertEventKind.REMINDED,
    AlertEventKind.RESOLVED,
)


def test_a_rule_that_holds_for_long_enough_fires_once() -> None:
    rounds = Rounds(rule(for_seconds=60))
    assert rounds.goes_on(20.0, seconds=60) == []
    assert rounds.only.state is AlertState.PENDING
    assert rounds.goes_on(20.0, seconds=HOUR) == [FIRED]
    assert rounds.only.summary == "standard has waited 20."


def test_a_rule_that_stops_holding_before_its_time_never_fires() -> None:
    rounds = Rounds(rule(for_seconds=60))
    rounds.goes_on(20.0, seconds=45)
    rounds.sees(5.0)
    assert rounds.alerts == {}
    assert rounds.goes_on(20.0, seconds=60) == []
    assert rounds.history == []


def test_one_message_when_it_fires_and_one_when_it_resolves() -> None:
    rounds = Rounds()
    assert rounds.goes_on(20.0, seconds=HOUR) == [FIRED]
    assert rounds.goes_on(5.0, seconds=2 * HOUR) == [RESOLVED]
    assert rounds.alerts == {}
    fired, resolved = rounds.told
    assert fired.fingerprint == resolved.fingerprint


def test_a_reminder_comes_every_four_hours_until_somebody_acknowledges() -> None:
    rounds = Rounds()
    assert rounds.goes_on(20.0, seconds=12 * HOUR + 60) == [FIRED, REMINDED, REMINDED, REMINDED]
    alert = rounds.only
    rounds.alerts[alert.fingerprint] = replace(alert, acknowledged_by="ann")
    assert rounds.goes_on(20.0, seconds=12 * HOUR) == []
    assert rounds.goes_on(5.0, seconds=HOUR) == [RESOLVED]


@pytest.mark.parametrize("seconds", [15, 30, 60, 300, 585])
def test_what_flaps_faster_than_it_may_resolve_gives_one_message_and_reminders(
    seconds: float,
) -> None:
    rounds = Rounds()
    told: list[AlertEventKind] = []
    while rounds.seconds < 7 * HOUR:
        told += rounds.goes_on(20.0, seconds=seconds)
        told += rounds.goes_on(5.0, seconds=seconds)
    assert told == [FIRED, REMINDED]


@pytest.mark.parametrize("seconds", [900, 1_200, 1_800, 3_000])
def test_what_flaps_slowly_gives_at_most_a_message_an_hour(seconds: float) -> None:
    rounds = Rounds()
    at: list[float] = []
    while rounds.seconds < 24 * HOUR:
        for value in (20.0, 5.0):
            for _ in range(int(seconds / EVERY_SECONDS)):
                at += [rounds.seconds] * len(rounds.sees(value))
    assert [event.kind for event in rounds.told[:3]] == [FIRED, RESOLVED, FIRED]
    # That it flaps is known when it fires again, after the first that resolved.
    assert all(later - earlier >= HOUR for earlier, later in pairwise(at[1:]))


def test_what_fires_again_within_the_hour_is_told_at_its_end_if_it_still_fires() -> None:
    rounds = Rounds()
    rounds.goes_on(20.0, seconds=60)
    assert rounds.goes_on(5.0, seconds=660) == [RESOLVED]
    assert rounds.goes_on(20.0, seconds=HOUR - 90) == []
    assert [event.message_id for event in rounds.history[2:]] == [None]
    assert rounds.goes_on(20.0, seconds=90) == [FIRED]
    assert rounds.goes_on(5.0, seconds=HOUR - 60) == []
    assert rounds.goes_on(5.0, seconds=120) == [RESOLVED]


def test_what_fires_again_and_stops_within_the_hour_is_in_the_history_alone() -> None:
    rounds = Rounds()
    rounds.goes_on(20.0, seconds=60)
    assert rounds.goes_on(5.0, seconds=660) == [RESOLVED]
    rounds.goes_on(20.0, seconds=60)
    assert rounds.goes_on(5.0, seconds=4 * HOUR) == []
    kinds = [event.kind for event in rounds.history]
    assert kinds == [FIRED, RESOLVED, FIRED, RESOLVED]
    assert rounds.alerts == {}


def test_what_a_figure_does_not_name_is_as_it_says_of_what_is_absent() -> None:
    rounds = Rounds()
    rounds.sees(20.0)
    for _ in range(41):
        rounds.reads(FigureReading([], absent=0.0))
    assert [event.kind for event in rounds.told] == [FIRED, RESOLVED]


def test_an_alert_of_a_rule_that_is_gone_resolves() -> None:
    rounds = Rounds()
    rounds.sees(20.0)
    others = Rounds(rule("another"))
    others.alerts, others.seconds = rounds.alerts, rounds.seconds
    assert others.reads(FigureReading([], absent=0.0)) == [RESOLVED]


def test_a_silence_tells_nobody_and_what_still_fires_after_it_is_told() -> None:
    rounds = Rounds()
    silence = Silence(
        id="silence_1",
        matchers={"rule": "wai*", "lane": "standard"},
        until=START + timedelta(hours=1),
        by="ann",
        why="It is being mended.",
        created_at=START,
    )
    rounds.silences = [silence]
    assert rounds.goes_on(20.0, seconds=HOUR) == []
    assert [(each.kind, each.silence_id) for each in rounds.history] == [(FIRED, "silence_1")]
    assert rounds.sees(20.0, lane="batch") == [FIRED]
    rounds.silences = []
    assert rounds.sees(20.0) == [FIRED]


@pytest.mark.parametrize(
    ("matchers", "number"),
    [
        ({"lane": "stand*"}, 0),
        ({"lane": "*", "rule": "wait?"}, 0),
        # An alert without the label is not meant, and a bracket is no class of letters.
        ({"tenant": "*"}, 1),
        ({"lane": "[a-z]*"}, 1),
    ],
)
def test_a_silence_is_about_what_has_its_labels(matchers: dict[str, str], number: int) -> None:
    rounds = Rounds()
    rounds.silences = [
        Silence(id="s", matchers=matchers, until=START, by="", why="", created_at=START)
    ]
    assert len(rounds.sees(20.0)) == number


def test_a_rule_that_is_taken_away_and_comes_back_flaps() -> None:
    rounds = Rounds()
    assert rounds.sees(20.0) == [FIRED]
    gone = Rounds(rule("other"))
    gone.alerts, gone.seconds = rounds.alerts, rounds.seconds
    assert gone.reads(FigureReading()) == [RESOLVED]
    rounds.alerts, rounds.seconds = gone.alerts, gone.seconds
    assert rounds.goes_on(20.0, seconds=HOUR - 15) == []
    assert rounds.goes_on(20.0, seconds=30) == [FIRED]


def test_what_fired_and_resolved_in_silence_is_never_told() -> None:
    rounds = Rounds()
    rounds.silences = [
        Silence(id="s", matchers={"rule": "*"}, until=START, by="", why="", created_at=START)
    ]
    rounds.sees(20.0)
    rounds.goes_on(5.0, seconds=HOUR)
    rounds.silences = []
    assert rounds.goes_on(5.0, seconds=HOUR) == []
    assert [each.kind for each in rounds.history] == [FIRED, RESOLVED]


def test_no_state_follows_one_that_it_must_not() -> None:
    rounds = Rounds()
    rounds.sees(20.0)
    for state in (AlertState.PENDING, AlertState.FIRING):
        with pytest.raises(ValueError, match="cannot follow firing"):
            moved(rounds.only, state, Moment(0.0, START))


def test_a_thousand_alerts_of_one_round_are_told_together() -> None:
    rounds = Rounds()
    observations = [FigureValue({"lane": f"lane {n}"}, 20.0) for n in range(1_000)]
    assert rounds.reads(FigureReading(observations)) == [FIRED] * 1_000
    assert len({each.due_at_seconds for each in rounds.told}) == 1
    assert rounds.reads(FigureReading(observations)) == []


def test_a_rule_that_resolves_at_once_may_be_asked_for() -> None:
    rounds = Rounds(settings=AlertSettings(resolve_after_seconds=0))
    assert rounds.sees(20.0) == [FIRED]
    assert rounds.sees(5.0) == [RESOLVED]
    assert SETTINGS.resolve_after_seconds > 0
