"""Answers from templates with conditions: what is left to say when no model answers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any, Final, TypeVar

import msgspec

from shared.decoding import convert
from shared.errors import InvalidRequest, SettingsError
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.storable_text import is_storable, storable
from workers.providers.outcome import NO_LOGPROBS, Answer, Declined, FinishReason, Usage
from workers.providers.provider import Prompt, Sink
from workers.providers.provider_type import ProviderType
from workers.providers.wire.http.connections import ProviderConnections

PLACEHOLDERS = frozenset({"message", "user", "tenant", "model"})

BUILT_IN_RULES = Path(__file__).with_name("built_in_rules.toml")

_WORD = re.compile(r"\w+")
_NOTHING: Final = Usage(input_tokens=0, output_tokens=0)


class Conditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that are given must hold. Words and phrases match whole words, whatever their case."""

    contains_any: tuple[str, ...] = ()
    contains_all: tuple[str, ...] = ()
    starts_with: tuple[str, ...] = ()
    tenant: tuple[str, ...] = ()

    def hold_for(self, prompt: Prompt) -> bool:
        words = _words(prompt.last_user_message)
        return (
            (not self.contains_any or any(_words(text) in words for text in self.contains_any))
            and all(_words(text) in words for text in self.contains_all)
            and (not self.starts_with or any(words.startswith(_words(t)) for t in self.starts_with))
            and (not self.tenant or prompt.tenant in self.tenant)
        )


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    when: Conditions
    answer: str


class DefaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answer: str


Table = TypeVar("Table", Rule, DefaultRule)


class RulesProvider:
    """The first rule whose conditions hold answers; else the default; else it declines.

    Everything that could go wrong is found when the rules are read, so answering cannot fail.
    """

    def __init__(self, *, name: str, rules: tuple[Rule, ...], default: DefaultRule | None) -> None:
        self.name = name
        self._rules = rules
        self._default = default

    @classmethod
    def from_file(cls, path: Path, *, name: str) -> RulesProvider:
        """Read a TOML file of `[[rule]]` and `[default]`; `SettingsError` names what to fix."""
        content = _read(path)
        findings: list[str] = []
        rules = [
            _checked(raw, Rule, where=f"{path}: {_title(raw, number)}", findings=findings)
            for number, raw in enumerate(_rule_tables(content, path, findings), start=1)
        ]
        default = None
        if "default" in content:
            where = f"{path}: [default]"
            default = _checked(content["default"], DefaultRule, where=where, findings=findings)
        if not findings and not rules and default is None:
            findings.append(f"{path}: holds no rule. Add a [[rule]] or a [default].")
        if findings:
            raise SettingsError(findings)
        return cls(name=name, rules=tuple(filter(None, rules)), default=default)

    def model_for(self, requested: str) -> str:  # noqa: ARG002 - no model answers here
        return "rules"

    async def answer(
        self,
        prompt: Prompt,
        *,
        time_left_seconds: float,  # noqa: ARG002 - a rule takes no time
        on_delta: Sink | None = None,
    ) -> Answer | Declined:
        if not prompt.is_text:
            return Declined(reason="rules answer text alone")
        if prompt.top_logprobs is not None:
            return Declined(reason=NO_LOGPROBS)
        matching = next((rule for rule in self._rules if rule.when.hold_for(prompt)), self._default)
        if matching is None:
            return Declined(reason="no rule matches and there is no default")
        text = storable(_filled(matching.answer, prompt))
        if on_delta is not None:
            await on_delta(text)
        return Answer(text=text, model="rules", finish=FinishReason.STOP, usage=_NOTHING)

    async def close(self) -> None:
        """Nothing to release."""


def _filled(template: str, prompt: Prompt) -> str:
    if "$" not in template:
        return template
    return Template(template).safe_substitute(
        message=prompt.last_user_message,
        user=prompt.user,
        tenant=prompt.tenant,
        model=prompt.model,
    )


def _words(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def _read(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            [f"{path}: cannot be read ({error.strerror}). Correct rules_file."]
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: is not TOML: {error}. Correct that line."]) from error
    return content


def _rule_tables(content: dict[str, Any], path: Path, findings: list[str]) -> list[Any]:
    findings.extend(
        f"{path}: unknown key '{key}'. Only [[rule]] and [default] are read."
        for key in sorted(content.keys() - {"rule", "default"})
    )
    tables = content.get("rule", [])
    if isinstance(tables, list):
        return tables
    findings.append(f"{path}: 'rule' is one table. Write [[rule]] with two brackets.")
    return []


def _title(raw: Any, number: int) -> str:
    name = raw.get("name") if isinstance(raw, dict) else None
    return f"rule {number} ('{name}')" if name else f"rule {number}"


def _checked(raw: Any, kind: type[Table], *, where: str, findings: list[str]) -> Table | None:
    try:
        table = convert(raw, kind)
    except InvalidRequest as error:
        findings.append(f"{where}: {error.message}")
        return None
    faults = [f"{where}: {fault}" for fault in _faults(table)]
    findings.extend(faults)
    return None if faults else table


def _faults(table: Rule | DefaultRule) -> Iterator[str]:
    known = ", ".join(f"${name}" for name in sorted(PLACEHOLDERS))
    template = Template(table.answer)
    if not table.answer.strip():
        yield "the answer is empty. Write what to say."
    if not is_storable(table.answer):
        yield "the answer has a NUL character, which no ledger keeps. Remove it."
    if not template.is_valid():
        yield f"the answer has a lone '$'. Write '$$' for a dollar, or one of {known}."
        return
    for name in sorted(set(template.get_identifiers()) - PLACEHOLDERS):
        yield f"the answer has an unknown placeholder '${name}'. Use one of: {known}, or '$$'."
    if isinstance(table, Rule):
        yield from _condition_faults(table.when)


def _condition_faults(when: Conditions) -> Iterator[str]:
    if when == Conditions():
        yield "'when' has no condition. Give one, or make this rule the [default]."
    for text in (*when.contains_any, *when.contains_all, *when.starts_with):
        if not text.strip() or _words(text) == _words(""):
            yield f"the condition '{text}' has no word in it. Write a word or a phrase."


def _from_settings(settings: ProviderSettings, _: ProviderConnections) -> RulesProvider:
    path = Path(settings.required("rules_file"))
    return RulesProvider.from_file(path, name=settings.name)


RULES: Final = ProviderType(kind=ProviderKind.RULES, build=_from_settings)
