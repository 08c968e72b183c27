"""Answers that are given again: what is kept, for how long, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from shared.settings.turn.semantic_caching import SemanticCachingSettings
from shared.settings.units import Positive, PositiveInt
from shared.settings.validation import pattern_problem

Temperature = Annotated[float, msgspec.Meta(ge=0, le=2)]


class CachingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Answers that are given again without asking a provider."""

    exact: bool = False
    """Whether a message that was answered before is answered from the store."""
    single_flight: bool = True
    """Whether equal messages that are under way share one call; only where `exact` is on."""
    tenants: tuple[str, ...] = ()
    """Ids of the tenants this is for; all of them when empty."""
    ttl_seconds: Positive = 3600.0
    """How long an answer is kept."""
    largest_answer_bytes: PositiveInt = 65_536
    """A longer answer is not kept."""
    entries_per_tenant: PositiveInt = 10_000
    """Answers kept for one tenant; the oldest go first."""
    highest_temperature: Temperature = 1.0
    """A message that asks for more wants variety. One that names none counts as 1."""
    personal_patterns: dict[str, str] = {}
    """What makes a text personal besides what is built in, by name, in RE2's syntax."""
    flight_lease_seconds: Annotated[float, msgspec.Meta(ge=1.0)] = 5.0
    """After so long a silence of its worker another message takes over a shared call."""
    flight_wait_share: Annotated[float, msgspec.Meta(gt=0, le=0.9)] = 0.5
    """The part of its time left that a message waits for another's call before its own."""
    semantic: SemanticCachingSettings = SemanticCachingSettings()
    """Answers to questions of the same meaning."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        for name, pattern in self.personal_patterns.items():
            if problem := pattern_problem(pattern):
                yield f"caching.personal_patterns.{name} = {pattern!r}: {problem}"
        yield from self.semantic.faults()
        if self.semantic.enabled and not self.exact:
            yield (
                "caching.semantic.enabled needs caching.exact, for its answers are kept there. Set "
                "caching.exact to true, or leave the semantic cache off."
            )
