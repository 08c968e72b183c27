"""What a lane is given: its part of the slots, and up to where it may fill them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from shared.messages.lane import Lane


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """How lanes stand to each other.

    Lanes with a `share` divide units by it while they all have something waiting; a lane without
    gets what they leave. It starts nothing where `ceiling` of the slots are busy.
    """

    share: float
    ceiling: float

    @property
    def yields(self) -> bool:
        """Whether it starts last, and its calls may be taken back for those of other lanes."""
        return self.share == 0


LANE_POLICIES: Final[Mapping[Lane, LanePolicy]] = MappingProxyType(
    {
        Lane.INTERACTIVE: LanePolicy(share=4.0, ceiling=1.0),
        Lane.STANDARD: LanePolicy(share=1.0, ceiling=1.0),
        Lane.BATCH: LanePolicy(share=0.0, ceiling=0.9),
    }
)
