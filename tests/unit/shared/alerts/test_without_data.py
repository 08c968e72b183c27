"""What becomes of an alert whose figure has nothing to say, or cannot be read."""

from __future__ import annotations

import pytest

from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue
from shared.alerts.state import AlertEventKind, AlertState
from tests.unit.shared.alerts.rounds import SETTINGS, Rounds

HOUR = 3_600.0
FIRED, RESOLVED = AlertEventKind.FIRED, AlertEventKind.RESOLVED


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_no_number_is_unknown(value: float) -> None:
    rounds = Rounds()
    assert rounds.goes_on(value, seconds=HOUR) == []
    assert not FigureReading([FigureValue({}, value)]).knows
    rounds.sees(20.0)
    assert rounds.goes_on(value, seconds=540) == []
    assert rounds.only.state is AlertState.FIRING


def test_a_figure_that_cannot_be_read_neither_fires_nor_resolves_for_an_hour() -> None:
    rounds = Rounds()
    assert rounds.cannot_be_read(seconds=HOUR) == []
    assert rounds.sees(20.0) == [FIRED]
    assert rounds.cannot_be_read(seconds=HOUR - 60) == []
    assert rounds.only.state is AlertState.FIRING
    assert rounds.cannot_be_read(seconds=120) == [RESOLVED]
    assert rounds.told[-1].summary == "No data any more. Before: standard has waited 20."


@pytest.mark.parametrize(
    "reading", [FigureReading([FigureValue({"lane": "standard"}, None)]), FigureReading()]
)
def test_a_share_of_traffic_that_has_stopped_resolves_and_says_that_there_is_no_data(
    reading: FigureReading,
) -> None:
    rounds = Rounds()
    assert rounds.sees(20.0) == [FIRED]
    told: list[AlertEventKind] = []
    while rounds.seconds <= SETTINGS.resolve_after_seconds:
        told += rounds.reads(reading)
    assert told == []
    assert rounds.reads(reading) == [RESOLVED]
    assert rounds.told[-1].summary == "No data any more. Before: standard has waited 20."
    assert rounds.goes_on(None, seconds=HOUR) == []


def test_traffic_that_comes_back_in_time_goes_on_with_the_alert() -> None:
    rounds = Rounds()
    assert rounds.sees(20.0) == [FIRED]
    for _ in range(6):
        assert rounds.goes_on(None, seconds=300) == []
        assert rounds.goes_on(20.0, seconds=60) == []
    assert rounds.goes_on(None, seconds=300) == []
    assert rounds.goes_on(5.0, seconds=330) == [RESOLVED]
    assert rounds.told[-1].summary == "standard has waited 20."
