"""How soon so many more messages would be answered."""

from __future__ import annotations

import pytest

from ingress.api.batches.pace import expected_by_calls, expected_seconds
from shared.batches.batch import EtaBasis
from shared.dispatch.flows import Flow, FlowFigures, FlowsTold
from shared.messages.lane import Lane
from shared.persistence.ledger.lane_load import LaneLoad


def busy(queued: int = 1_000, rate: float = 10.0, oldest: float = 60.0) -> LaneLoad:
    return LaneLoad(queued, rate, oldest, 30.0)


def told(**backlogs: int) -> FlowsTold:
    flows = {Flow(Lane.BATCH, name): FlowFigures(backlog=many) for name, many in backlogs.items()}
    flows[Flow(Lane.STANDARD, "x")] = FlowFigures(backlog=10**6)
    return FlowsTold("leader", flows)


def seconds(load: LaneLoad, flows: FlowsTold | None, messages: int = 100) -> float | None:
    return expected_seconds(load, flows, "own", messages)


@pytest.mark.parametrize("load", [busy(oldest=1.0), busy(rate=0.0), busy(0, 0.0, 0.0)])
def test_a_lane_that_keeps_up_or_stands_still_says_nothing(load: LaneLoad) -> None:
    assert seconds(load, None) is None
    assert seconds(load, told(own=10**6)) is None


def test_without_a_dispatcher_whoever_came_first_goes_first() -> None:
    assert seconds(busy(), None) == 110


def test_a_flood_of_another_takes_half_of_the_lane_and_no_more() -> None:
    assert seconds(busy(5_000), told(other=90_000)) == 20
    assert seconds(busy(5_000), told(other=90_000, third=7)) == 30
    assert seconds(busy(5_000), told(own=400, other=90_000)) == 100


def test_who_outlasts_all_others_has_the_whole_lane_in_the_end() -> None:
    assert seconds(busy(20), told(other=20), messages=10_000) == 1_002


def test_the_idle_time_before_a_backlog_makes_no_lane_slow() -> None:
    """Three were answered since it began, two seconds ago: that is no rate of one in ten."""
    assert seconds(busy(97, rate=0.1, oldest=2.0), None, messages=3) == pytest.approx(100 / 1.5)


def test_without_a_backlog_it_is_told_by_calls_and_slots_and_guessed_before_the_first() -> None:
    assert expected_by_calls([2.0] * 9, 0, 100, 3_600) is None
    assert expected_by_calls([1.0, 3.0], 4, 100, 3_600) == (50.0, EtaBasis.CALLS)
    assert expected_by_calls([1.0, 30.0], 4, 2, 3_600) == (30.0, EtaBasis.CALLS)
    guess = expected_by_calls([], 4, 100, 86_400)
    assert guess is not None
    assert guess.basis is EtaBasis.GUESS
    assert 58 * 60 < guess.seconds < 60 * 60
