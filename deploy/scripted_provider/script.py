"""The script: which calls are treated how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from deploy.scripted_provider.behaviour import Behaviour
from deploy.scripted_provider.call import ScriptedCall
from deploy.scripted_provider.request import texts_of

HONEST = Behaviour()


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which calls a rule is for; what is not given matches every call."""

    model: str | None = None
    contains: str | None = None
    """A part of the last user message."""
    said: str | None = None
    """A part of any of its texts, of whomever."""
    output: str | None = None
    """A part of what a tool gave that the turn before called."""
    tools: bool | None = None
    """Whether it offers any."""
    images: int | None = None
    """How many there are in the last user message."""
    stream: bool | None = None
    service_tier: str | None = None
    nth: int | None = None
    """Only the nth call that matches the rest, counted from 1 since the rule was added."""


class ScriptRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    behave: Behaviour
    match: Match = Match()


class _RuleInUse:
    def __init__(self, rule: ScriptRule) -> None:
        self.rule = rule
        self._matched = 0
        self._used = 0

    def take(self, call: ScriptedCall, body: dict[str, Any]) -> bool:
        """Whether this call is the rule's; if so it counts against `times`."""
        match, times = self.rule.match, self.rule.behave.times
        if not (_is_like(match, call) and _has_parts(match, call, body)):
            return False
        self._matched += 1
        if match.nth is not None and match.nth != self._matched:
            return False
        if times is not None and self._used >= times:
            return False
        self._used += 1
        return True


def _is_like(match: Match, call: ScriptedCall) -> bool:
    wanted = (match.model, match.stream, match.images, match.tools, match.service_tier)
    there = (call.model, call.stream, call.images, bool(call.tools), call.service_tier)
    return all(one is None or one == other for one, other in zip(wanted, there, strict=True))


def _has_parts(match: Match, call: ScriptedCall, body: dict[str, Any]) -> bool:
    if match.contains is not None and match.contains not in call.content:
        return False
    if match.output is not None and not any(match.output in each for each in call.outputs):
        return False
    return match.said is None or any(match.said in text for text in texts_of(body))


class Script:
    """Rules in order; the first that takes a call decides. Without one the answer is honest."""

    def __init__(self) -> None:
        self._rules: list[_RuleInUse] = []

    def add(self, rules: Sequence[ScriptRule]) -> None:
        self._rules.extend(_RuleInUse(rule) for rule in rules)

    def clear(self) -> None:
        self._rules.clear()

    @property
    def rules(self) -> list[ScriptRule]:
        return [used.rule for used in self._rules]

    def behaviour_for(self, call: ScriptedCall, body: dict[str, Any]) -> Behaviour:
        for used in self._rules:
            if used.take(call, body):
                return used.rule.behave
        return HONEST
