"""Figures over time: how long they are kept, and how finely."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shared.settings.units import PositiveInt


class RollupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What screens, alerts and reports read instead of messages."""

    minute_days: PositiveInt = 3
    """How long figures of minutes are kept; what is older is told by the hour."""
    hour_days: PositiveInt = 100
    """The same of hours; what is older is told by the day."""
    day_days: PositiveInt = 1_100
    """The same of days."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        if not self.minute_days <= self.hour_days <= self.day_days:
            yield (
                f"rollups.minute_days = {self.minute_days}, hour_days = {self.hour_days} and "
                f"day_days = {self.day_days}: what is coarser is kept as long or longer. Let none "
                "be more than the next."
            )
