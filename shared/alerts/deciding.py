"""What one round changes, reckoned without I/O: alerts, their history, and what is to be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

import msgspec

from shared.alerts.event import AlertEvent, event_of
from shared.alerts.machine import (
    FigureValue,
    Moment,
    is_over,
    next_message,
    observed,
    resolved,
    told,
    unobserved,
)
from shared.alerts.rule import Alert, AlertRule
from shared.alerts.silence import Silence
from shared.alerts.state import AlertEventKind, AlertState
from shared.alerts.strength import RuleStrengths
from shared.settings.watching.alerts import AlertSettings

_Labels = frozenset[tuple[str, str]]


class FigureReading(NamedTuple):
    """What a figure says now. `absent` is the value of what it does not name; None where there is
    none. `is_data` is False where there is nothing that it could say anything of, `is_read` where
    it could not be asked."""

    observations: Sequence[FigureValue] = ()
    absent: float | None = None
    is_data: bool = True
    is_read: bool = True

    @property
    def knows(self) -> bool:
        """Whether there was any data."""
        values = [self.absent, *(each.value for each in self.observations)]
        return self.is_data and any(value is not None and isfinite(value) for value in values)


class Decision(msgspec.Struct, kw_only=True):
    """What is to be written: alerts that are new or changed, those that are over, and events."""

    changed: list[Alert] = []
    over: list[str] = []
    events: list[AlertEvent] = []


_UPWARD = (AlertEventKind.FIRED, AlertEventKind.REMINDED)
_CHANGES = {AlertState.FIRING: AlertEventKind.FIRED, AlertState.RESOLVED: AlertEventKind.RESOLVED}


class AlertRounds:
    """Decides rounds under these rules and settings."""

    def __init__(self, rules: Sequence[AlertRule], settings: AlertSettings) -> None:
        self._rules = {rule.name: rule for rule in rules}
        self._strengths = RuleStrengths(rules)
        self._settings = settings

    def decide(
        self,
        alerts: Mapping[str, Alert],
        readings: Mapping[str, FigureReading],
        silences: Sequence[Silence],
        at: Moment,
    ) -> Decision:
        """What a round changes that found `alerts` and read this by rule."""
        after, by_rule = dict(alerts), _by_rule(alerts.values())
        for name, reading in readings.items():
            after |= self._seen(self._rules[name], reading, by_rule.get(name, {}), at)
        for alert in alerts.values():
            if alert.rule not in self._rules and alert.state is not AlertState.RESOLVED:
                after[alert.fingerprint] = resolved(alert, at)
        decision = Decision()
        for alert in sorted(after.values(), key=self._strengths.rank):
            before = alerts.get(alert.fingerprint)
            tell = next_message(alert, at, self._settings)
            if tell in _UPWARD and self._strengths.is_said_by_another(alert, after):
                tell = None
            after[alert.fingerprint] = self._note(before, alert, tell, silences, at, decision)
        return decision

    def _seen(
        self, rule: AlertRule, reading: FigureReading, kept: Mapping[_Labels, Alert], at: Moment
    ) -> dict[str, Alert]:
        """What becomes of the alerts of a rule, and those that begin."""
        seen, unnamed = dict[str, Alert](), dict(kept)
        for each in reading.observations:
            if not rule.takes(each.labels):
                continue
            # Most of thousands do not hold and never did: these cost a look at two tables.
            before = unnamed.pop(frozenset(each.labels.items()), None) if unnamed else None
            after = observed(before, rule, each, at, self._settings)
            if after is not None:
                seen[after.fingerprint] = after
        for alert in unnamed.values():
            seen[alert.fingerprint] = self._unnamed(alert, rule, reading, at)
        return seen

    def _unnamed(self, alert: Alert, rule: AlertRule, reading: FigureReading, at: Moment) -> Alert:
        if not reading.is_read:
            return unobserved(alert, at, self._settings)
        absent = FigureValue(alert.labels, reading.absent)
        return observed(alert, rule, absent, at, self._settings) or alert

    def _note(
        self,
        before: Alert | None,
        alert: Alert,
        tell: AlertEventKind | None,
        silences: Sequence[Silence],
        at: Moment,
        decision: Decision,
    ) -> Alert:
        kind = None
        if before is None or before.state is not alert.state:
            kind = _CHANGES.get(alert.state)
            if kind is AlertEventKind.RESOLVED and not _has_fired(before):
                kind = None
        silence = next((each for each in silences if each.covers(alert)), None) if tell else None
        if tell is not None and silence is None:
            alert = told(alert, at)
            due = at.seconds + self._settings.group_seconds
            decision.events.append(event_of(alert, tell, at, due_at_seconds=due))
        elif kind is not None:
            silence_id = None if silence is None else silence.id
            decision.events.append(event_of(alert, kind, at, silence_id=silence_id))
        if is_over(alert, at, self._settings):
            if before is not None:
                decision.over.append(alert.fingerprint)
        elif alert is not before:
            decision.changed.append(alert)
        return alert


def _by_rule(alerts: Iterable[Alert]) -> dict[str, dict[_Labels, Alert]]:
    found = dict[str, dict[_Labels, Alert]]()
    for alert in alerts:
        found.setdefault(alert.rule, {})[frozenset(alert.labels.items())] = alert
    return found


def _has_fired(before: Alert | None) -> bool:
    return before is not None and before.state is AlertState.FIRING
