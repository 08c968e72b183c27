"""Which rules say more of the same thing than others do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.alerts.rule import Alert, AlertRule, fingerprint_of
from shared.alerts.state import AlertState
from shared.settings.watching.alert_rules import MOST_SEVERE_FIRST


class RuleStrengths:
    """A rule is stronger than another one that looks at the same figure over the same window, where
    it asks for more and is no less severe: who was told that a budget is spent need not hear that
    half of it is."""

    def __init__(self, rules: Sequence[AlertRule]) -> None:
        self._stronger = {
            rule.name: tuple(other.name for other in rules if _is_stronger(other, rule))
            for rule in rules
        }

    def rank(self, alert: Alert) -> int:
        """By this, what is stronger comes first."""
        return len(self._stronger.get(alert.rule, ()))

    def is_said_by_another(self, alert: Alert, alerts: Mapping[str, Alert]) -> bool:
        """Whether receivers believe that a stronger one of the same labels fires, as it does."""
        same = (
            alerts.get(fingerprint_of(name, alert.labels))
            for name in self._stronger.get(alert.rule, ())
        )
        firing = AlertState.FIRING
        return any(each and each.state is firing and each.told_as is firing for each in same)


def _is_stronger(one: AlertRule, other: AlertRule) -> bool:
    if (one.figure, one.window_seconds) != (other.figure, other.window_seconds):
        return False
    if MOST_SEVERE_FIRST.index(one.severity) > MOST_SEVERE_FIRST.index(other.severity):
        return False
    if one.above is not None and other.above is not None:
        return one.above > other.above
    return one.below is not None and other.below is not None and one.below < other.below
