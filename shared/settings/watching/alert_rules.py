"""One rule of alerts as settings say it: a change to a built-in one, or one of your own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

import msgspec

from shared.decoding import invalid_field, values_at
from shared.errors import SettingsError, use_one_of

_LARGEST: Final = 1e9
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")

Seconds = Annotated[float, msgspec.Meta(ge=0, le=2_592_000)]


class AlertSeverity(StrEnum):
    """How soon a person should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


MOST_SEVERE_FIRST: Final = (AlertSeverity.CRITICAL, AlertSeverity.WARNING, AlertSeverity.INFO)


class AlertFigure(StrEnum):
    """What a rule may look at."""

    BUDGET_SHARE = "budget_share"
    """Spent since midnight in UTC, as a share of the cap; all of it where a door refuses for it.
    By tenant, `*` for all together."""
    BUDGET_FORECAST = "budget_forecast"
    """The same for the end of the day, at the median rate of the last 3 hours."""
    UNKNOWN_COST = "unknown_cost"
    """Attempts within the window whose cost is not known; by model."""
    COST_DEVIATION = "cost_deviation"
    """How far an hour's cost lies from that hour of the last 14 days, in median absolute
    deviations; by tenant, `*` for all together."""
    MESSAGE_DEVIATION = "message_deviation"
    """The same of the number of messages."""
    ERROR_RATE = "error_rate"
    """The share of messages that failed within the window."""
    LATENCY_SECONDS = "latency_seconds"
    """Seconds to the end of interactive messages, on average over the window."""
    DEADLINE_BURN = "deadline_burn"
    """Misses of deadlines, in times what the objective allows: over the window and a twelfth of it.
    """
    LATENCY_BURN = "latency_burn"
    """The same for messages that are slower than the objective, of which one in twenty may be."""
    REFUSAL_RATE = "refusal_rate"
    """The share of requests that doors refused within the window; by reason."""
    CACHED_TOKENS_CHANGE = "cached_tokens_change"
    """The share of input tokens that providers had cached, as a part of what it was before."""
    SATISFACTION = "satisfaction"
    """What people said of answers within the window, on average, 0 to 1."""
    JUDGE_SCORE = "judge_score"
    """What judges said of them, and by set of the newest run of a golden set."""
    UNJUDGED_SHARE = "unjudged_share"
    """The share of the answers that workers had judged within the window which have no verdict."""
    OLDEST_WAIT_SECONDS = "oldest_wait_seconds"
    """How long the oldest message of a lane has waited."""
    BREAKER_OPEN = "breaker_open"
    """1 while the breaker of a provider's model is not closed."""
    DEAD_LETTERS = "dead_letters"
    """Dead letters that were written within the window; by reason."""
    BATCH_OVERDUE_SECONDS = "batch_overdue_seconds"
    """How long a provider's batch is behind the time at which its messages are taken back."""
    INDEX_BEHIND_SECONDS = "index_behind_seconds"
    """How long the oldest document of a tenant has waited for the indexer."""


LABELS: Final[Mapping[AlertFigure, tuple[str, ...]]] = MappingProxyType(
    {
        AlertFigure.BUDGET_SHARE: ("tenant",),
        AlertFigure.BUDGET_FORECAST: ("tenant",),
        AlertFigure.UNKNOWN_COST: ("model",),
        AlertFigure.COST_DEVIATION: ("tenant",),
        AlertFigure.MESSAGE_DEVIATION: ("tenant",),
        AlertFigure.REFUSAL_RATE: ("reason",),
        AlertFigure.OLDEST_WAIT_SECONDS: ("lane",),
        AlertFigure.BREAKER_OPEN: ("provider",),
        AlertFigure.DEAD_LETTERS: ("reason",),
        AlertFigure.BATCH_OVERDUE_SECONDS: ("provider", "model"),
        AlertFigure.INDEX_BEHIND_SECONDS: ("tenant",),
        AlertFigure.JUDGE_SCORE: ("set",),
    }
)
"""What tells the values of a figure apart; one that is not named here has a single value."""


class AlertRuleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be said of a rule; what is left out is as the built-in rule of that name has it."""

    enabled: bool = True
    figure: AlertFigure | None = None
    """What a rule of your own looks at."""
    above: float | None = None
    """It holds where the figure is above this."""
    below: float | None = None
    """It holds where the figure is below this."""
    for_seconds: Seconds | None = None
    """For so long before it fires."""
    window_seconds: Annotated[float, msgspec.Meta(ge=1, le=2_592_000)] | None = None
    """How far back the figure looks, where it looks back."""
    where: dict[str, str] | None = None
    """Only what has these labels, such as lane = "interactive"."""
    severity: AlertSeverity | None = None
    summary: Annotated[str, msgspec.Meta(max_length=300)] | None = None
    """What the message says; {value} and the names of labels in braces are filled in."""


def read_rules(
    rules: Mapping[str, object], *, known: Mapping[str, AlertRuleSettings]
) -> dict[str, AlertRuleSettings]:
    """The rules by name, those of `known` being built in.

    Raises SettingsError with a sentence for each fault: the rule, the key and the fix.
    """
    if findings := [*rule_faults(rules, known=known)]:
        raise SettingsError(findings)
    return {name: _convert(said) for name, said in rules.items()}


def rule_faults(
    rules: Mapping[str, object], *, known: Mapping[str, AlertRuleSettings]
) -> Iterator[str]:
    """One sentence for each fault of these rules."""
    for name, said in rules.items():
        place = f"alerts.rules.{name}"
        if not _NAME.fullmatch(name):
            yield (
                f"{place}: a rule cannot have this name. Use small letters, digits and _, at most "
                "48, a letter first."
            )
        if not isinstance(said, Mapping):
            yield f"{place} = {said!r}: is a table. Write [{place}] and its keys below."
            continue
        try:
            rule = _convert(said)
        except msgspec.ValidationError as error:
            yield _unreadable(place, said, error)
            continue
        built_in = known.get(name)
        for fault in (
            *_faults(rule, is_known=built_in is not None),
            *_label_faults(rule, (built_in or rule).figure),
        ):
            yield f"{place}.{fault}"


def _convert(said: object) -> AlertRuleSettings:
    # A variable of the environment gives numbers as text.
    return msgspec.convert(said, AlertRuleSettings, strict=False)


def _unreadable(place: str, said: Mapping[str, Any], error: msgspec.ValidationError) -> str:
    fault = invalid_field(str(error))
    unknown = [each for each in said if each not in AlertRuleSettings.__struct_fields__]
    if unknown:
        keys = use_one_of(AlertRuleSettings.__struct_fields__)
        return f"{place}.{unknown[0]} is not a key of a rule. {keys}."
    key = (fault.param or "").partition(".")[0]
    values = values_at(key, AlertRuleSettings)
    fix = use_one_of(values) if values else "Set a value that fits"
    return f"{place}.{key} = {said.get(key)!r}: {fault.message} {fix}."


def _faults(rule: AlertRuleSettings, *, is_known: bool) -> Iterator[str]:
    if not is_known and rule.figure is None:
        yield (
            "figure is missing, and no built-in rule has this name. Say what a rule of your own "
            f"looks at. {use_one_of(AlertFigure)}."
        )
    elif is_known and rule.figure is not None:
        yield "figure is set: a built-in rule keeps its own. Give your rule another name."
    if not is_known and rule.above is None and rule.below is None:
        yield "above is missing, and so is below: it could never fire. Set one of them."
    if rule.above is not None and rule.below is not None:
        yield "below is set, and so is above. Keep one; two rules can say both."
    for key in ("above", "below"):
        value = getattr(rule, key)
        if value is not None and not abs(value) <= _LARGEST:
            yield f"{key} = {value}: is no number to compare with. Set one up to {_LARGEST:g}."


def _label_faults(rule: AlertRuleSettings, figure: AlertFigure | None) -> Iterator[str]:
    """It would never fire: no value of the figure has such a label."""
    labels = () if figure is None else LABELS.get(figure, ())
    for name in rule.where or {}:
        if figure is not None and name not in labels:
            fix = use_one_of(labels) if labels else "Remove it: that has a single value"
            yield f"where.{name} is no label of {figure}. {fix}."
