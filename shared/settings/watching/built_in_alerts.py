"""The rules that need no writing. A table of the same name in the settings changes one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.settings.watching.alert_rules import AlertFigure, AlertRuleSettings, AlertSeverity

_WARNING: Final = AlertSeverity.WARNING
_CRITICAL: Final = AlertSeverity.CRITICAL

_LANES: Final = {
    "interactive_waits": AlertRuleSettings(
        figure=AlertFigure.OLDEST_WAIT_SECONDS,
        where={"lane": "interactive"},
        above=30,
        for_seconds=30,
        severity=_CRITICAL,
        summary="The oldest message of lane {lane} has waited {value}.",
    ),
    "standard_waits": AlertRuleSettings(
        figure=AlertFigure.OLDEST_WAIT_SECONDS,
        where={"lane": "standard"},
        above=300,
        for_seconds=60,
        severity=_WARNING,
        summary="The oldest message of lane {lane} has waited {value}.",
    ),
    "batch_waits": AlertRuleSettings(
        figure=AlertFigure.OLDEST_WAIT_SECONDS,
        where={"lane": "batch"},
        above=43_200,
        for_seconds=300,
        severity=_WARNING,
        summary="The oldest message of lane {lane} has waited {value}.",
    ),
}

_SERVERS: Final = {
    "breaker_open": AlertRuleSettings(
        figure=AlertFigure.BREAKER_OPEN,
        above=0,
        for_seconds=300,
        severity=_WARNING,
        summary="The breaker of {provider} has not been closed for more than five minutes.",
    ),
    "dead_letters": AlertRuleSettings(
        figure=AlertFigure.DEAD_LETTERS,
        above=0,
        window_seconds=900,
        severity=_WARNING,
        summary="{value} messages became dead letters: {reason}.",
    ),
    "provider_batch_overdue": AlertRuleSettings(
        figure=AlertFigure.BATCH_OVERDUE_SECONDS,
        above=0,
        for_seconds=300,
        severity=_WARNING,
        summary="A batch of {model} at {provider} is {value} behind its time.",
    ),
    "index_behind": AlertRuleSettings(
        figure=AlertFigure.INDEX_BEHIND_SECONDS,
        above=900,
        for_seconds=60,
        severity=_WARNING,
        summary="Documents of tenant {tenant} have waited {value} to be indexed.",
    ),
}

BUILT_IN_RULES: Final[Mapping[str, AlertRuleSettings]] = MappingProxyType(_LANES | _SERVERS)
