"""The rules in force: the built-in table, changed and added to by the settings."""

from __future__ import annotations

from typing import Any

from msgspec.structs import asdict

from shared.alerts.rule import AlertRule
from shared.settings.watching.alert_rules import AlertRuleSettings, read_rules
from shared.settings.watching.alerts import AlertSettings
from shared.settings.watching.built_in_alerts import BUILT_IN_RULES


def rules_of(settings: AlertSettings) -> tuple[AlertRule, ...]:
    """Every rule that is enabled; raises SettingsError for one that does not parse."""
    own = read_rules(settings.rules, known=BUILT_IN_RULES)
    merged = {
        name: {**_said(BUILT_IN_RULES.get(name)), **_said(own.get(name))}
        for name in [*BUILT_IN_RULES, *(name for name in own if name not in BUILT_IN_RULES)]
    }
    return tuple(_rule(name, said) for name, said in merged.items() if said.pop("enabled", True))


def _said(rule: AlertRuleSettings | None) -> dict[str, Any]:
    """What it says, without what it leaves out; one bound takes the place of the other."""
    if rule is None:
        return {}
    said = {key: value for key, value in asdict(rule).items() if value is not None}
    if "above" in said or "below" in said:
        said = {"above": None, "below": None} | said
    return said


def _rule(name: str, said: dict[str, Any]) -> AlertRule:
    return AlertRule(name=name, **said)
