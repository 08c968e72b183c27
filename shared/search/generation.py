"""One build of a collection: the same passages under one model and one way of splitting."""

from __future__ import annotations

from typing import Final

import msgspec

EF_SEARCH: Final = 112
MOST_OVERSAMPLING: Final = 2.0
LINKS: Final = 32
EF_CONSTRUCT: Final = 128
QUANTILE: Final = 0.99
BODY: Final = "body"
"""The field that is searched by words."""
KEYWORDS: Final = ("collection", "document", "source", "path", "language", "kind")
"""What a search may be narrowed by, besides the tenant and `ver`."""


class Generation(msgspec.Struct, frozen=True):
    """What a generation is made as; it never changes."""

    name: str
    """1 to 64 lower-case letters, digits, `-` and `_`, the first a letter or a digit."""
    text_dimensions: int
    code_dimensions: int

    def dimensions(self) -> dict[str, int]:
        """By the name of the vector."""
        return {"text": self.text_dimensions, "code": self.code_dimensions}


def oversampling(depth: int) -> float:
    """So many candidates by int8 for each one wanted are scored again by the original vectors.

    No more than the graph is searched for anyway: beyond that each costs as much as a search.
    """
    return max(1.0, min(MOST_OVERSAMPLING, EF_SEARCH / depth))


class GenerationState(msgspec.Struct, frozen=True):
    """A generation as it is now."""

    generation: Generation
    points: int
    """Of all tenants together."""
    unbuilt: int | None = None
    """Writes of points since the graph was built; `None` where the engine sees to it by itself."""
