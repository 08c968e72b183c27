"""The least that a measured figure may be: `ndcg@10=0.5`, for whoever runs it unwatched."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.errors import InvalidRequest

_PARTING: Final = "="


class Floor(msgspec.Struct, frozen=True):
    """A metric and the least of it."""

    metric: str
    least: float

    @classmethod
    def read(cls, text: str) -> Floor:
        """As it is typed. Raises InvalidRequest with the fix."""
        metric, _, value = text.partition(_PARTING)
        try:
            least = float(value)
        except ValueError:
            least = -1.0
        if not metric or not 0 <= least <= 1:
            raise InvalidRequest(
                f"--fail-under {text}: write METRIC=VALUE with a value from 0 to 1, such as "
                "ndcg@10=0.5.",
                param="fail_under",
            )
        return cls(metric, least)
