"""From the settings to a guardrail."""

from __future__ import annotations

from collections.abc import Iterator

from shared.settings.validation import Reaction, SpanReaction, ValidationSettings
from workers.validation.amounts import Amounts
from workers.validation.completeness import CutOff, Empty, Length
from workers.validation.facts import FactCheck
from workers.validation.forbidden_patterns import ForbiddenPatterns, built_in, users_own
from workers.validation.grounding import Grounding
from workers.validation.guardrail import Guardrail
from workers.validation.injection_echo import InjectionEcho
from workers.validation.json_schema import JsonFormat
from workers.validation.refusal import RefusalValidator
from workers.validation.tools.calls import ToolCalls
from workers.validation.validator import Validator
from workers.validation.verdict import Verdict


def build_guardrail(settings: ValidationSettings) -> Guardrail:
    """The guardrail of a worker; what the settings switch off is not built."""
    return Guardrail(
        tuple(_validators(settings)),
        forbidden=_forbidden(settings),
        replacement=settings.replacement,
        window=settings.hold_back_characters if settings.patterns else 0,
    )


def _forbidden(settings: ValidationSettings) -> ForbiddenPatterns | None:
    patterns = [*map(built_in, settings.built_ins), *users_own(settings.patterns)]
    verdict = _verdict(settings.forbidden)
    if verdict is None or not patterns:
        return None
    return ForbiddenPatterns(patterns, verdict=verdict)


def _validators(settings: ValidationSettings) -> Iterator[Validator]:
    """Those that are on, cheap ones first."""
    if verdict := _verdict(settings.tool_calls):
        yield ToolCalls(verdict=verdict)
    if verdict := _verdict(settings.empty):
        yield Empty(verdict=verdict)
    if verdict := _verdict(settings.cut_off):
        yield CutOff(verdict=verdict)
    if verdict := _verdict(settings.length):
        shortest, longest = settings.shortest_characters, settings.longest_characters
        yield Length(shortest=shortest, longest=longest, verdict=verdict)
    if verdict := _verdict(settings.refusal):
        yield RefusalValidator(verdict=verdict)
    if verdict := _verdict(settings.injection_echo):
        yield InjectionEcho(characters=settings.echo_characters, verdict=verdict)
    if verdict := _verdict(settings.json_schema):
        yield JsonFormat(verdict=verdict)
    if verdict := _verdict(settings.facts):
        yield FactCheck(verdict=verdict)
    if verdict := _verdict(settings.amounts):
        yield Amounts(verdict=verdict, tenants=frozenset(settings.amounts_tenants))
    verdict, searched = _verdict(settings.grounding), _verdict(settings.grounding_of_searches)
    if verdict or searched:
        yield Grounding(verdict=verdict, searched=searched)


def _verdict(reaction: Reaction | SpanReaction) -> Verdict | None:
    return None if reaction == Reaction.OFF else Verdict(reaction)
