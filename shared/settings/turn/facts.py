"""Fact sources: where facts are looked up that an answer is held against."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shared.settings.turn.fact_source import FactSourceSettings
from shared.settings.units import PositiveInt


class FactSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Facts that are looked up once a turn, so that no answer contradicts them."""

    tell_model: bool = False
    """Whether the model is told all facts of the message, quoted as data."""
    told_characters: PositiveInt = 4_000
    """Of the facts told, more than so many characters are left out."""
    sources: tuple[FactSourceSettings, ...] = ()
    """The sources, all asked at once; of two that know a fact of one name the first wins."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        names = [source.name for source in self.sources]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"facts.sources: two are named '{name}'. Give each its own name."
        for source in self.sources:
            yield from source.faults()
