"""One rule as it is evaluated, and one alert that it gives."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from shared.alerts.state import AlertState
from shared.settings.watching.alert_rules import AlertFigure, AlertSeverity

_PLACE: Final = re.compile(r"\{(\w+)\}")
_LONGEST: Final = 500


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """What has to hold, for how long, and how it is told; one of `above` and `below` is set."""

    name: str
    figure: AlertFigure
    above: float | None = None
    below: float | None = None
    for_seconds: float = 0.0
    window_seconds: float = 3_600.0
    where: dict[str, str] = {}
    severity: AlertSeverity = AlertSeverity.WARNING
    summary: str = ""

    def holds(self, value: float) -> bool:
        """Whether a figure of this value is one to tell of."""
        if self.above is not None:
            return value > self.above
        return self.below is not None and value < self.below

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether it is about what has these labels."""
        return all(labels.get(name) == value for name, value in self.where.items())

    def told(self, words: Mapping[str, str], value: str) -> str:
        """The sentence of the message."""
        known = {"value": value, **words}
        text = self.summary or f"{self.figure} of {', '.join(words.values()) or 'all'} is {value}."
        return _PLACE.sub(lambda found: known.get(found[1], found[0]), text)[:_LONGEST]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one alert. Numbers named `…_at_seconds` are read off the clock of alerts,
    which no jump of the machine's moves; `since` is for people."""

    fingerprint: str
    rule: str
    labels: dict[str, str]
    severity: AlertSeverity
    summary: str
    state: AlertState
    since: datetime
    """When the state began."""
    value: float
    began_at_seconds: float
    """When the rule began to hold, for the time that it must before it fires."""
    clear_at_seconds: float | None = None
    """Since when the rule of a firing alert has not held, or there was no data for it."""
    silent_at_seconds: float | None = None
    """Since when nothing is known of it: of a firing one, because it could not be read."""
    resolved_at_seconds: float | None = None
    """When it resolved last, after it had fired."""
    flaps: bool = False
    """Whether it fired again soon after it had resolved."""
    told_as: AlertState | None = None
    """What receivers believe: firing, resolved, or nothing yet."""
    told_at_seconds: float | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None


def fingerprint_of(rule: str, labels: Mapping[str, str]) -> str:
    """The name of an alert for as long as there is its rule: of the rule and the labels."""
    whole = msgspec.json.encode([rule, sorted(labels.items())])
    return hashlib.sha256(whole).hexdigest()[:32]
