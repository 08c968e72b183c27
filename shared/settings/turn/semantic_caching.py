"""The semantic cache: off until somebody measured what it serves wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from shared.settings.units import Positive, Share


class SemanticCachingSettings(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Answers served again to questions of the same meaning."""

    enabled: bool = False
    """Needs `threshold`, which `forebay cache calibrate` measures on your own questions."""
    threshold: Share | None = None
    """The least similarity, 0 to 1, at which a stored question may count as the same."""
    false_hit_bound: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.01
    """The largest share of wrong answers among hits that a calibrated threshold may allow."""
    ttl_seconds: Positive = 86_400.0
    """After this a stored question is forgotten."""
    max_entries: Annotated[int, msgspec.Meta(ge=1, le=200_000)] = 10_000
    """Questions kept for one namespace (tenant, tier, instructions, …); the oldest go first."""
    memory_bytes: Annotated[int, msgspec.Meta(ge=1_048_576)] = 268_435_456
    """What one worker process may hold; the namespaces not asked for longest go first."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        if self.enabled and self.threshold is None:
            yield (
                "caching.semantic.enabled needs caching.semantic.threshold: measure one with "
                "`forebay cache calibrate --file pairs.jsonl`, or leave the semantic cache off."
            )
