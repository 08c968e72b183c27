"""What receivers are sent: everything that changed within one group, as one message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from shared.alerts.event import AlertEvent
from shared.alerts.state import AlertEventKind
from shared.identifiers import ALERT_MESSAGE, new_id
from shared.settings.watching.alert_rules import MOST_SEVERE_FIRST, AlertSeverity

_LISTED: Final = 50
"""Alerts that a message names one by one; of others it has the number."""


class ToldAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of a message; its fingerprint is the same when it fires and when it resolves."""

    fingerprint: str
    rule: str
    status: AlertEventKind
    severity: AlertSeverity
    labels: dict[str, str]
    summary: str
    value: float
    at: datetime


class AlertMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON that webhooks and commands get; `left_out` is how many alerts it does not list."""

    object: str = "alerts"
    id: str
    is_test: bool = False
    created_at: datetime
    title: str
    fired: int
    reminded: int
    resolved: int
    alerts: tuple[ToldAlert, ...]
    left_out: int = 0

    @property
    def text(self) -> str:
        """What people read: the title, then a line for each alert."""
        lines = [f"[{each.status}] {each.severity}: {each.summary}" for each in self.alerts]
        if self.left_out:
            lines.append(f"… and {self.left_out:,} more: forebay alerts list")
        return "\n".join([self.title, *lines])


def message_of(events: Sequence[AlertEvent], now: datetime) -> AlertMessage:
    """One message of these; of an alert that fired and resolved meanwhile, only the last."""
    last = {event.fingerprint: event for event in events}
    ordered = sorted(
        last.values(), key=lambda one: (MOST_SEVERE_FIRST.index(one.severity), one.rule)
    )
    kinds = Counter(event.kind for event in ordered)
    alerts = tuple(_told(event) for event in ordered[:_LISTED])
    return AlertMessage(
        id=new_id(ALERT_MESSAGE),
        created_at=now,
        title=_title(ordered, kinds),
        fired=kinds[AlertEventKind.FIRED],
        reminded=kinds[AlertEventKind.REMINDED],
        resolved=kinds[AlertEventKind.RESOLVED],
        alerts=alerts,
        left_out=len(ordered) - len(alerts),
    )


def trial_message(now: datetime) -> AlertMessage:
    """What `forebay alerts test` sends: marked, so that nobody is called by it."""
    return AlertMessage(
        id=new_id(ALERT_MESSAGE),
        is_test=True,
        created_at=now,
        title="Forebay: this is a test of alerts; nothing is wrong",
        fired=0,
        reminded=0,
        resolved=0,
        alerts=(),
    )


def _urgency(event: AlertEvent) -> tuple[int, str]:
    return MOST_SEVERE_FIRST.index(event.severity), event.rule


def _told(event: AlertEvent) -> ToldAlert:
    return ToldAlert(
        fingerprint=event.fingerprint,
        rule=event.rule,
        status=event.kind,
        severity=event.severity,
        labels=event.labels,
        summary=event.summary,
        value=event.value,
        at=event.at,
    )


def _title(events: Sequence[AlertEvent], kinds: Counter[AlertEventKind]) -> str:
    counted = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
    rules = dict.fromkeys(event.rule for event in events)
    return f"Forebay alerts: {counted} ({', '.join([*rules][:5])}{', …' if len(rules) > 5 else ''})"
