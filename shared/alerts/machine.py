"""What a round does to one alert: no I/O, and no time but what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec.structs import replace

from shared.alerts.rule import Alert, AlertRule, fingerprint_of
from shared.alerts.state import ALLOWED, AlertEventKind, AlertState
from shared.alerts.unit import FigureUnit
from shared.settings.watching.alerts import AlertSettings

_WORTH_WRITING: Final = 0.1
"""The part by which a value has to move to be kept: a round must not write every alert."""
_NO_DATA: Final = "No data any more. Before: "


class FigureValue(NamedTuple):
    """What a figure says of what has these labels; no value, or none that is finite, where nothing
    is known.

    `words` name what the labels only identify, such as a tenant, for people.
    """

    labels: dict[str, str]
    value: float | None
    unit: FigureUnit = FigureUnit.COUNT
    words: Mapping[str, str] = MappingProxyType({})

    def told(self, rule: AlertRule) -> str:
        """The sentence of a message about it."""
        return rule.told({**self.labels, **self.words}, self.unit.shown(self.value or 0.0))


class Moment(NamedTuple):
    """When a round is: on the clock of alerts, and for people."""

    seconds: float
    now: datetime


def observed(
    alert: Alert | None, rule: AlertRule, seen: FigureValue, at: Moment, settings: AlertSettings
) -> Alert | None:
    """The alert after a round that saw this; the same object where nothing changed, None where
    there is still none."""
    if seen.value is None or not isfinite(seen.value):
        return None if alert is None else without_data(alert, at, settings)
    if not rule.holds(seen.value):
        return None if alert is None else _without(alert, at, settings)
    if alert is None:
        alert = _begun(rule, seen, at)
    elif alert.state is AlertState.RESOLVED:
        alert = _again(alert, rule, seen, at)
    elif alert.silent_at_seconds is not None or alert.clear_at_seconds is not None:
        alert = replace(alert, silent_at_seconds=None, clear_at_seconds=None)
    if alert.state is AlertState.PENDING and (
        at.seconds - alert.began_at_seconds >= rule.for_seconds
    ):
        return _fired(alert, rule, seen, at, settings)
    return _kept(alert, rule, seen)


def without_data(alert: Alert, at: Moment, settings: AlertSettings) -> Alert:
    """The alert after a round in which there was nothing that its figure could say anything of: it
    goes the way of one whose rule does not hold, and says so in the end."""
    if alert.state is not AlertState.FIRING:
        return unobserved(alert, at, settings)
    after = _without(alert, at, settings)
    if after.state is AlertState.FIRING:
        return after
    return replace(after, summary=f"{_NO_DATA}{after.summary}")


def unobserved(alert: Alert, at: Moment, settings: AlertSettings) -> Alert:
    """The alert after a round in which its figure could not be read: it neither fires nor resolves,
    unless that lasts."""
    if alert.state is AlertState.RESOLVED:
        return alert
    if alert.silent_at_seconds is None:
        return replace(alert, silent_at_seconds=at.seconds)
    if at.seconds - alert.silent_at_seconds >= settings.no_data_seconds:
        return replace(resolved(alert, at), summary=f"{_NO_DATA}{alert.summary}")
    return alert


def next_message(alert: Alert, at: Moment, settings: AlertSettings) -> AlertEventKind | None:
    """What receivers are to be told now; None where they know, need not, or heard of an alert that
    flaps within the hour."""
    if alert.flaps and _waits(alert, at, settings):
        return None
    if alert.state is AlertState.FIRING and alert.told_as is not AlertState.FIRING:
        return AlertEventKind.FIRED
    if alert.state is AlertState.RESOLVED and alert.told_as is AlertState.FIRING:
        return AlertEventKind.RESOLVED
    if alert.state is not AlertState.FIRING or alert.acknowledged_by is not None:
        return None
    told_at = alert.told_at_seconds or 0.0
    is_due = at.seconds - told_at >= settings.remind_seconds
    return AlertEventKind.REMINDED if is_due else None


def _waits(alert: Alert, at: Moment, settings: AlertSettings) -> bool:
    """Whether it is not the time to tell of what flaps: something was told lately, or it has just
    stopped again, and nobody is to be called for that."""
    told_at = alert.told_at_seconds
    if told_at is not None and at.seconds - told_at < settings.flapping_seconds:
        return True
    return alert.told_as is not AlertState.FIRING and alert.clear_at_seconds is not None


def told(alert: Alert, at: Moment) -> Alert:
    """The alert once receivers are to be told how it stands."""
    return replace(alert, told_as=alert.state, told_at_seconds=at.seconds)


def is_over(alert: Alert, at: Moment, settings: AlertSettings) -> bool:
    """Whether nothing of it matters any more but its history."""
    if alert.state is not AlertState.RESOLVED or alert.told_as is AlertState.FIRING:
        return False
    return not _is_fresh(alert, at, settings)


def _is_fresh(alert: Alert, at: Moment, settings: AlertSettings) -> bool:
    """Whether what fires now ended, or was told to have ended, so lately that it flaps."""
    ended, told_at = alert.resolved_at_seconds, alert.told_at_seconds
    last = ended if told_at is None or ended is None else max(ended, told_at)
    return last is not None and at.seconds - last < settings.flapping_seconds


def _begun(rule: AlertRule, seen: FigureValue, at: Moment) -> Alert:
    return Alert(
        fingerprint=fingerprint_of(rule.name, seen.labels),
        rule=rule.name,
        labels=seen.labels,
        severity=rule.severity,
        summary=seen.told(rule),
        state=AlertState.PENDING,
        since=at.now,
        value=seen.value or 0.0,
        began_at_seconds=at.seconds,
    )


def _again(alert: Alert, rule: AlertRule, seen: FigureValue, at: Moment) -> Alert:
    return replace(
        moved(alert, AlertState.PENDING, at),
        severity=rule.severity,
        summary=seen.told(rule),
        value=seen.value or 0.0,
        began_at_seconds=at.seconds,
    )


def _without(alert: Alert, at: Moment, settings: AlertSettings) -> Alert:
    """Its rule does not hold."""
    if alert.state is AlertState.RESOLVED:
        return alert
    if alert.state is AlertState.PENDING:
        return moved(alert, AlertState.RESOLVED, at)
    if alert.clear_at_seconds is None:
        alert = replace(alert, clear_at_seconds=at.seconds, silent_at_seconds=None)
    elif alert.silent_at_seconds is not None:
        alert = replace(alert, silent_at_seconds=None)
    wanted = settings.resolve_after_seconds
    if alert.flaps:
        wanted = max(wanted, settings.flapping_seconds)
    began = alert.clear_at_seconds
    if began is not None and at.seconds - began >= wanted:
        return resolved(alert, at)
    return alert


def _fired(
    alert: Alert, rule: AlertRule, seen: FigureValue, at: Moment, settings: AlertSettings
) -> Alert:
    return replace(
        moved(alert, AlertState.FIRING, at),
        value=seen.value or 0.0,
        summary=seen.told(rule),
        flaps=_is_fresh(alert, at, settings),
        acknowledged_by=None,
        acknowledged_at=None,
    )


def resolved(alert: Alert, at: Moment) -> Alert:
    """The alert once its rule is taken not to hold any more; raises ValueError where it was so."""
    has_fired = alert.state is AlertState.FIRING
    ended = at.seconds if has_fired else alert.resolved_at_seconds
    return replace(moved(alert, AlertState.RESOLVED, at), resolved_at_seconds=ended)


def moved(alert: Alert, state: AlertState, at: Moment) -> Alert:
    """The alert in its next state; raises ValueError for one that must not follow."""
    if state not in ALLOWED[alert.state]:
        raise ValueError(f"{state} cannot follow {alert.state}.")
    return replace(alert, state=state, since=at.now, clear_at_seconds=None, silent_at_seconds=None)


def _kept(alert: Alert, rule: AlertRule, seen: FigureValue) -> Alert:
    """What people are shown follows the figure, roughly."""
    value = seen.value or 0.0
    if abs(value - alert.value) <= _WORTH_WRITING * abs(alert.value):
        return alert
    return replace(alert, value=value, summary=seen.told(rule))
