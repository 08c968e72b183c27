"""Whether a second provider is asked beside one that is late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from shared.settings.units import PositiveInt

Percentile = Annotated[float, msgspec.Meta(ge=0.5, lt=1)]
HedgedShare = Annotated[float, msgspec.Meta(gt=0, le=1)]


class HedgingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the next model of the chain is asked as well; the first to answer is heard."""

    enabled: bool = False
    """Whether it is done at all: it buys short waits with calls whose answers are thrown away."""
    percentile: Percentile = 0.95
    """A call is late when its first token takes longer than this share of the latest calls'."""
    minimum_samples: PositiveInt = 20
    """Calls of a model that a worker must have seen before it knows what is late."""
    remembered_samples: Annotated[int, msgspec.Meta(ge=20, le=10_000)] = 200
    """The latest calls of a model that a worker goes by."""
    shortest_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.2
    """No call is late before that."""
    largest_share: HedgedShare = 0.1
    """Of a worker's calls at most this share is hedged, however slow a provider becomes."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        if self.minimum_samples > self.remembered_samples:
            yield (
                f"hedging.minimum_samples = {self.minimum_samples} is above "
                f"hedging.remembered_samples ({self.remembered_samples}): no call would ever be "
                "late. Lower it."
            )
