"""One line of the history of alerts."""

from __future__ import annotations

from datetime import datetime

import msgspec

from shared.alerts.machine import Moment
from shared.alerts.rule import Alert
from shared.alerts.state import AlertEventKind
from shared.identifiers import ALERT_EVENT, new_id
from shared.settings.watching.alert_rules import AlertSeverity


class AlertEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an alert, `by` whom where it was a person; `silence_id` where a silence kept
    it from being told, `message_id` where it was."""

    id: str
    fingerprint: str
    rule: str
    labels: dict[str, str]
    severity: AlertSeverity
    summary: str
    kind: AlertEventKind
    value: float
    since: datetime
    at: datetime
    by: str | None = None
    silence_id: str | None = None
    due_at_seconds: float | None = None
    message_id: str | None = None


def event_of(
    alert: Alert,
    kind: AlertEventKind,
    at: Moment,
    *,
    by: str | None = None,
    silence_id: str | None = None,
    due_at_seconds: float | None = None,
) -> AlertEvent:
    """What happens to this alert now."""
    return AlertEvent(
        id=new_id(ALERT_EVENT),
        fingerprint=alert.fingerprint,
        rule=alert.rule,
        labels=alert.labels,
        severity=alert.severity,
        summary=alert.summary,
        kind=kind,
        value=alert.value,
        since=alert.since,
        at=at.now,
        by=by,
        silence_id=silence_id,
        due_at_seconds=due_at_seconds,
    )
