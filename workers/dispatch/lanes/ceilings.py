"""Up to where the lanes may fill the slots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.messages.lane import Lane
from workers.dispatch.flows.lane_policy import LanePolicy
from workers.dispatch.lanes.waste import WasteBudget

_SPENT_CEILING: Final = 0.7
"""Of a lane that yields, while nothing of it is taken back: then only free slots help others."""


class Ceilings:
    """Those of the policies, lowered while the waste budget is spent."""

    def __init__(self, policies: Mapping[Lane, LanePolicy], waste: WasteBudget) -> None:
        self._policies = policies
        self._waste = waste

    def of(self, lane: Lane, now: float) -> float:
        """Part of the slots, 0..1, up to which `lane` may fill them."""
        policy = self._policies[lane]
        if policy.yields and self._waste.is_spent(now):
            return min(policy.ceiling, _SPENT_CEILING)
        return policy.ceiling
