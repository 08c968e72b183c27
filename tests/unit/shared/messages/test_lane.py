"""OpenAI's service tiers are our lanes."""

from __future__ import annotations

import pytest

from shared.errors import InvalidRequest
from shared.messages.lane import TIER_OF_LANE, Lane, lane_of


@pytest.mark.parametrize(
    ("tier", "lane"),
    [
        ("priority", Lane.INTERACTIVE),
        ("auto", Lane.STANDARD),
        ("default", Lane.STANDARD),
        (None, Lane.STANDARD),
        ("flex", Lane.BATCH),
    ],
)
def test_a_tier_has_its_lane(tier: str | None, lane: Lane) -> None:
    assert lane_of(tier) is lane


def test_an_unknown_tier_is_refused_by_name_with_those_there_are() -> None:
    with pytest.raises(InvalidRequest, match=r"'warp'.*priority, auto, default, flex") as refused:
        lane_of("warp")
    assert refused.value.param == "service_tier"


def test_a_lane_is_told_as_the_tier_that_leads_to_it() -> None:
    assert {lane_of(tier) for tier in TIER_OF_LANE.values()} == set(Lane)
    assert all(lane_of(TIER_OF_LANE[lane]) is lane for lane in Lane)
