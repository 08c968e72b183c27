"""The rules of alerts for a Prometheus: those that it can tell from our metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shared.alerts.rule import AlertRule
from shared.settings.watching.alert_rules import AlertFigure

_JOB: Final = 'job=~"forebay.*"'
_FEWEST: Final = 20
"""Messages below which a share says nothing, as for our own rules."""
_PLACE: Final = re.compile(r"\{(\w+)\}")
_HEAD: Final = """\
# Written by `forebay alerts export`: the built-in rules that Prometheus can tell from Forebay's
# metrics. Every job that scrapes Forebay has a name that begins with forebay.
groups:
  - name: forebay
    rules:
"""


def prometheus_rules(rules: Sequence[AlertRule], *, keep_firing_seconds: float) -> str:
    """A file of rules; `promtool check rules` takes it."""
    told = [rule for rule in rules if rule.figure in _EXPRESSIONS]
    return _HEAD + "".join(_rule(rule, keep_firing_seconds) for rule in told)


def left_to_us(rules: Sequence[AlertRule]) -> list[str]:
    """The names of those that no metric tells."""
    return [rule.name for rule in rules if rule.figure not in _EXPRESSIONS]


def _rule(rule: AlertRule, keep_firing_seconds: float) -> str:
    sign, bound = ("<", rule.below) if rule.above is None else (">", rule.above)
    name = "".join(word.capitalize() for word in rule.name.split("_"))
    lines = (
        f"      - alert: Forebay{name}",
        f"        expr: {json.dumps(f'{_EXPRESSIONS[rule.figure](rule)} {sign} {bound:g}')}",
        f"        for: {rule.for_seconds:.0f}s",
        f"        keep_firing_for: {keep_firing_seconds:.0f}s",
        f"        labels: {{severity: {rule.severity}}}",
        f"        annotations: {{summary: {json.dumps(_summary(rule))}}}",
    )
    return "".join(f"{line}\n" for line in lines)


def _summary(rule: AlertRule) -> str:
    value = f"{{{{ $value | {_SHOWN.get(rule.figure, 'humanize')} }}}}"
    text = rule.summary or f"{rule.figure} is {{value}}."
    return _PLACE.sub(lambda found: _word(found[1], value), text)


def _word(name: str, value: str) -> str:
    return value if name == "value" else f"{{{{ $labels.{name} }}}}"


def _series(metric: str, rule: AlertRule, **labels: str) -> str:
    every = {**rule.where, **labels}
    own = "".join(f", {name}={json.dumps(value)}" for name, value in every.items())
    return f"forebay_{metric}{{{_JOB}{own}}}"


def _increase(metric: str, rule: AlertRule, *, by: str) -> str:
    window = f"[{rule.window_seconds:.0f}s]"
    return f"sum by ({by}) (increase({_series(metric, rule)}{window}))"


def _rate(metric: str, rule: AlertRule, **labels: str) -> str:
    window = f"[{rule.window_seconds:.0f}s]"
    return f"(sum(rate({_series(metric, rule, **labels)}{window})) or vector(0))"


def _enough(rate: str, rule: AlertRule) -> str:
    """The rate, where it is not of so few that a share of them says nothing."""
    return f"({rate} >= {_FEWEST / rule.window_seconds:.6g})"


def _errors(rule: AlertRule) -> str:
    every = _rate("turn_duration_seconds_count", rule)
    failed = _rate("turn_duration_seconds_count", rule, state="failed")
    return f"{failed} / {_enough(every, rule)}"


def _latency(rule: AlertRule) -> str:
    waited, turned = (
        f"{_rate(f'{metric}_sum', rule, lane='interactive')} / "
        f"{_enough(_rate(f'{metric}_count', rule, lane='interactive'), rule)}"
        for metric in ("time_in_queue_seconds", "turn_duration_seconds")
    )
    return f"({waited} + {turned})"


def _refusals(rule: AlertRule) -> str:
    window = f"[{rule.window_seconds:.0f}s]"
    refused = f"sum by (reason) (rate({_series('refused_messages_total', rule)}{window}))"
    asked = " + ".join(_rate(f"{which}_messages_total", rule) for which in ("refused", "accepted"))
    return f"{refused} / on() group_left() {_enough(f'({asked})', rule)}"


_EXPRESSIONS: Final[Mapping[AlertFigure, Callable[[AlertRule], str]]] = MappingProxyType(
    {
        AlertFigure.ERROR_RATE: _errors,
        AlertFigure.LATENCY_SECONDS: _latency,
        AlertFigure.REFUSAL_RATE: _refusals,
        AlertFigure.UNKNOWN_COST: lambda rule: _increase("unknown_costs_total", rule, by="model"),
        AlertFigure.DEAD_LETTERS: lambda rule: _increase("dead_letters_total", rule, by="reason"),
        AlertFigure.OLDEST_WAIT_SECONDS: lambda rule: (
            f"max by (lane) ({_series('oldest_waiting_seconds', rule)})"
        ),
        AlertFigure.BREAKER_OPEN: lambda rule: (
            f"max by (provider, model) ({_series('breaker_state', rule)})"
        ),
    }
)
_SHOWN: Final = {
    AlertFigure.ERROR_RATE: "humanizePercentage",
    AlertFigure.REFUSAL_RATE: "humanizePercentage",
    AlertFigure.LATENCY_SECONDS: "humanizeDuration",
    AlertFigure.OLDEST_WAIT_SECONDS: "humanizeDuration",
}
