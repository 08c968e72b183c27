"""Forbidden patterns: what must never leave, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import re2
from msgspec.structs import replace

from shared.messages.item import FunctionCall
from shared.secrets_in_text import EMAIL, PlainText, SecretReader, card_spans, holds_digit
from shared.settings.validation import BuiltIn
from workers.validation.tools.arguments import Masking
from workers.validation.validator import Draft, Question
from workers.validation.verdict import Catch, ForbiddenSpan, Verdict, masked

# RE2 takes time that grows with the text and with nothing else, whatever the pattern.
_SSN: Final = r"\b[0-8]\d{2}[- ]\d{2}[- ]\d{4}\b"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name and where it occurs in a text, in order and without overlaps.

    A built-in one reads plain text alone; one of the user's own also what was written. One that
    `needs_digit` occurs in no text without any.
    """

    name: str
    find: Callable[[str], Iterable[tuple[int, int]]]
    reads_marks: bool = False
    needs_digit: bool = False


class ForbiddenPatterns:
    """Finds the spans that have to go; the built-ins of the settings and the user's own."""

    name = "forbidden_patterns"

    def __init__(self, patterns: Iterable[Pattern], *, verdict: Verdict) -> None:
        self._patterns = tuple(patterns)
        self.verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:  # noqa: ARG002
        spans = self.spans(draft.text)
        if not spans:
            return None
        found = [(span.pattern, draft.text[span.start : span.end]) for span in spans]
        return self._caught(found, self.verdict, spans=tuple(spans))

    def check_calls(self, calls: tuple[FunctionCall, ...], *, replacement: str) -> Catch | None:
        """The same for what tools are asked. What stands in no string cannot be taken out, so
        where the verdict is `fix` the model is asked again."""
        found: list[tuple[str, str]] = []
        mended: list[FunctionCall] = []
        verdict = self.verdict
        for call in calls:
            masking = Masking(call.arguments, self.spans, replacement)
            found += masking.found
            mended.append(replace(call, arguments=masking.text))
            if not masking.is_clean and verdict is Verdict.FIX:
                verdict = Verdict.RE_ASK
        if not found:
            return None
        return self._caught(found, verdict, mended_calls=tuple(mended))

    def _caught(self, found: list[tuple[str, str]], verdict: Verdict, **mending: Any) -> Catch:
        kinds = ", ".join(sorted({pattern for pattern, _ in found}))
        return Catch(
            validator=self.name,
            verdict=verdict,
            evidence="; ".join(f"{pattern} {masked(text)}" for pattern, text in found[:8]),
            complaint=f"It held what must not be told ({kinds}). Leave that out.",
            **mending,
        )

    def spans(self, text: str) -> list[ForbiddenSpan]:
        """What is forbidden in the text, in order; spans that overlap are one."""
        plain = PlainText(text)
        has_digit = holds_digit(plain.text)
        found = [
            ForbiddenSpan(*plain.span(start, end), pattern.name)
            for pattern in self._patterns
            if has_digit or not pattern.needs_digit
            for start, end in pattern.find(plain.text)
        ]
        if plain.text != text:
            found += [
                ForbiddenSpan(start, end, pattern.name)
                for pattern in self._patterns
                if pattern.reads_marks
                for start, end in pattern.find(text)
            ]
        if not found:
            return found
        found.sort(key=lambda span: (span.start, -span.end))
        return list(_merged(found))


def built_in(kind: BuiltIn) -> Pattern:
    """A pattern by its name in the settings."""
    match kind:
        case BuiltIn.CARD:
            return Pattern(kind, card_spans, needs_digit=True)
        case BuiltIn.SSN:
            return Pattern(kind, _find_ssn, needs_digit=True)
        case BuiltIn.SECRET:
            return Pattern(kind, SecretReader().spans)
        case BuiltIn.EMAIL:
            return Pattern(kind, _email_spans)


def users_own(patterns: Mapping[str, str]) -> Iterator[Pattern]:
    """The patterns of the settings, which were compiled once already when they were read."""
    for name, pattern in patterns.items():
        yield Pattern(name, _finder(pattern), reads_marks=True)


def _finder(pattern: str) -> Callable[[str], Iterator[tuple[int, int]]]:
    compiled = re2.compile(pattern)

    def find(text: str) -> Iterator[tuple[int, int]]:
        return (found.span() for found in compiled.finditer(text) if found.end() > found.start())

    return find


_find_ssn: Final = _finder(_SSN)
_find_email: Final = _finder(EMAIL)


def _email_spans(text: str) -> Iterable[tuple[int, int]]:
    return _find_email(text) if "@" in text else ()


def _merged(spans: list[ForbiddenSpan]) -> Iterator[ForbiddenSpan]:
    current: ForbiddenSpan | None = None
    for span in spans:
        if current is None or span.start >= current.end:
            if current is not None:
                yield current
            current = span
        elif span.end > current.end:
            current = ForbiddenSpan(current.start, span.end, current.pattern)
    if current is not None:
        yield current
