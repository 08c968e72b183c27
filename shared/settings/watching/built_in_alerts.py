"""The rules that need no writing. A table of the same name in the settings changes one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.settings.watching.alert_rules import AlertFigure, AlertRuleSettings, AlertSeverity

_WARNING: Final = AlertSeverity.WARNING
_CRITICAL: Final = AlertSeverity.CRITICAL


def _spent(share: float, severity: AlertSeverity) -> AlertRuleSettings:
    return AlertRuleSettings(
        figure=AlertFigure.BUDGET_SHARE,
        above=share,
        severity=severity,
        summary="{value} of today's budget of {name} is spent, or held for messages under way.",
    )


def _burning(figure: AlertFigure, window_seconds: float, times: float) -> AlertRuleSettings:
    return AlertRuleSettings(
        figure=figure,
        window_seconds=window_seconds,
        above=times,
        severity=_CRITICAL if times > _SLOW else _WARNING,
        summary=_BURNS[figure],
    )


_FAST: Final = 14.4
_SLOW: Final = 6.0
_BURNS: Final = {
    AlertFigure.DEADLINE_BURN: "Deadlines are missed {value} as often as the objective allows.",
    AlertFigure.LATENCY_BURN: "Answers are slow {value} as often as the objective allows.",
}

_MONEY: Final = {
    "budget_50": _spent(0.5, AlertSeverity.INFO),
    "budget_80": _spent(0.8, _WARNING),
    # Nobody spends all of it to the cent: whom a door refuses for it has.
    "budget_100": _spent(0.999, _CRITICAL),
    "budget_forecast": AlertRuleSettings(
        figure=AlertFigure.BUDGET_FORECAST,
        above=1,
        for_seconds=300,
        severity=_WARNING,
        summary="{name} will have spent {value} of today's budget by midnight in UTC.",
    ),
    "unknown_cost": AlertRuleSettings(
        figure=AlertFigure.UNKNOWN_COST,
        window_seconds=3_600,
        above=0,
        severity=_WARNING,
        summary="{value} calls of {model} cost nobody knows how much.",
    ),
    "cost_anomaly": AlertRuleSettings(
        figure=AlertFigure.COST_DEVIATION,
        above=6,
        severity=_WARNING,
        summary="Tenant {tenant} spends otherwise than at this hour of other days ({value} MAD).",
    ),
}

_SERVICE: Final = {
    "deadline_burn_fast": _burning(AlertFigure.DEADLINE_BURN, 3_600, _FAST),
    "deadline_burn_slow": _burning(AlertFigure.DEADLINE_BURN, 21_600, _SLOW),
    "latency_burn_fast": _burning(AlertFigure.LATENCY_BURN, 3_600, _FAST),
    "latency_burn_slow": _burning(AlertFigure.LATENCY_BURN, 21_600, _SLOW),
    "error_rate": AlertRuleSettings(
        figure=AlertFigure.ERROR_RATE,
        window_seconds=300,
        above=0.05,
        for_seconds=60,
        severity=_CRITICAL,
        summary="{value} of messages fail.",
    ),
    "latency": AlertRuleSettings(
        figure=AlertFigure.LATENCY_SECONDS,
        window_seconds=300,
        above=2,
        for_seconds=60,
        severity=_WARNING,
        summary="Interactive messages take {value} on average.",
    ),
    "refusals": AlertRuleSettings(
        figure=AlertFigure.REFUSAL_RATE,
        window_seconds=600,
        above=0.05,
        for_seconds=60,
        severity=_WARNING,
        summary="{value} of requests are refused: {reason}.",
    ),
    "cached_tokens": AlertRuleSettings(
        figure=AlertFigure.CACHED_TOKENS_CHANGE,
        window_seconds=3_600,
        below=0.5,
        for_seconds=300,
        severity=_WARNING,
        summary="Providers have {value} as much of the input cached as before.",
    ),
    "satisfaction": AlertRuleSettings(
        figure=AlertFigure.SATISFACTION,
        window_seconds=86_400,
        below=0.6,
        for_seconds=300,
        severity=_WARNING,
        summary="What people say of answers is {value} on average, of 1.",
    ),
    "judge_score": AlertRuleSettings(
        figure=AlertFigure.JUDGE_SCORE,
        window_seconds=86_400,
        below=0.7,
        for_seconds=300,
        severity=_WARNING,
        summary="What judges say of {of} is {value} on average, of 1.",
    ),
    "unjudged": AlertRuleSettings(
        figure=AlertFigure.UNJUDGED_SHARE,
        window_seconds=86_400,
        above=0.5,
        for_seconds=300,
        severity=_WARNING,
        summary="{value} of the answers that were to be judged have no verdict: {because}.",
    ),
    "message_anomaly": AlertRuleSettings(
        figure=AlertFigure.MESSAGE_DEVIATION,
        above=6,
        severity=_WARNING,
        summary="There are more or fewer messages than at this hour of other days ({value} MAD).",
    ),
}

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
        summary="The breaker of {provider} keeps calls away from it.",
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

BUILT_IN_RULES: Final[Mapping[str, AlertRuleSettings]] = MappingProxyType(
    _MONEY | _SERVICE | _LANES | _SERVERS
)
