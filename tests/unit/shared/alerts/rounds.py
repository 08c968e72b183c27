"""Rounds without a ledger: what they say of alerts, and who would be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from shared.alerts.deciding import AlertRounds, FigureReading
from shared.alerts.event import AlertEvent
from shared.alerts.machine import FigureValue, Moment
from shared.alerts.rule import Alert, AlertRule
from shared.alerts.silence import Silence
from shared.alerts.state import AlertEventKind
from shared.settings.watching.alert_rules import AlertFigure
from shared.settings.watching.alerts import AlertSettings

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
EVERY_SECONDS: Final = 15.0
SETTINGS: Final = AlertSettings()


def rule(name: str = "waits", *, for_seconds: float = 0.0, above: float = 10.0) -> AlertRule:
    """One over a figure whose values the test gives."""
    return AlertRule(
        name=name,
        figure=AlertFigure.OLDEST_WAIT_SECONDS,
        above=above,
        for_seconds=for_seconds,
        summary="{lane} has waited {value}.",
    )


class Rounds:
    """A round after the other, every 15 seconds, as the leader does them."""

    def __init__(self, *rules: AlertRule, settings: AlertSettings = SETTINGS) -> None:
        self.rules = rules or (rule(),)
        self.silences: list[Silence] = []
        self.alerts: dict[str, Alert] = {}
        self.told: list[AlertEvent] = []
        self.history: list[AlertEvent] = []
        self.seconds = 0.0
        self._rounds = AlertRounds(self.rules, settings)

    def sees(self, value: float | None, **labels: str) -> list[AlertEventKind]:
        """One round that sees this of one lane; what it tells."""
        return self.reads(FigureReading([FigureValue(labels or {"lane": "standard"}, value)]))

    def reads(self, reading: FigureReading) -> list[AlertEventKind]:
        at = Moment(self.seconds, START + timedelta(seconds=self.seconds))
        readings = {each.name: reading for each in self.rules}
        decision = self._rounds.decide(self.alerts, readings, self.silences, at)
        self.alerts |= {each.fingerprint: each for each in decision.changed}
        for fingerprint in decision.over:
            del self.alerts[fingerprint]
        told = [each for each in decision.events if each.due_at_seconds is not None]
        self.told += told
        self.history += decision.events
        self.seconds += EVERY_SECONDS
        return [each.kind for each in told]

    def goes_on(self, value: float | None, *, seconds: float) -> list[AlertEventKind]:
        """Rounds that see the same for so long; what they tell."""
        told: list[AlertEventKind] = []
        for _ in range(int(seconds / EVERY_SECONDS)):
            told += self.sees(value)
        return told

    def cannot_be_read(self, *, seconds: float) -> list[AlertEventKind]:
        """Rounds for so long to which no figure answers; what they tell."""
        told: list[AlertEventKind] = []
        for _ in range(int(seconds / EVERY_SECONDS)):
            told += self.reads(FigureReading(is_read=False))
        return told

    @property
    def only(self) -> Alert:
        """The one alert there is."""
        (alert,) = self.alerts.values()
        return alert
