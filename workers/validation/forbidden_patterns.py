"""Forbidden patterns: what must never leave, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import re2

from shared.settings.validation import BuiltIn
from workers.validation.spans.card_numbers import card_spans
from workers.validation.validator import Draft, Question
from workers.validation.verdict import Catch, Span, Verdict, masked

# RE2 takes time that grows with the text and with nothing else, whatever the pattern.
_SSN: Final = r"\b[0-8]\d{2}[- ]\d{2}[- ]\d{4}\b"
_EMAIL: Final = r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_SECRET: Final = "|".join(
    (
        r"\b(?:fb_|sk-|sk_|pk_live_|rk_live_|ghp_|gho_|ghs_|ghu_|github_pat_|glpat-|hf_)"
        r"[A-Za-z0-9_-]{16,}",
        r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\bAIza[0-9A-Za-z_-]{35}",
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?",
        r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]*(?:-{1,5}(?:END[A-Z ]{0,40}-{0,5})?)?",
    )
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name and where it occurs in a text, in order and without overlaps."""

    name: str
    find: Callable[[str], Iterable[tuple[int, int]]]


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
        seen = [f"{span.pattern} {masked(draft.text[span.start : span.end])}" for span in spans]
        kinds = ", ".join(sorted({span.pattern for span in spans}))
        return Catch(
            validator=self.name,
            verdict=self.verdict,
            evidence="; ".join(seen[:8]),
            complaint=f"It held what must not be told ({kinds}). Leave that out.",
            spans=tuple(spans),
        )

    def spans(self, text: str) -> list[Span]:
        """What is forbidden in the text, in order; spans that overlap are one."""
        found = [
            Span(start, end, pattern.name)
            for pattern in self._patterns
            for start, end in pattern.find(text)
        ]
        found.sort(key=lambda span: (span.start, -span.end))
        return list(_merged(found))


def built_in(kind: BuiltIn) -> Pattern:
    """A pattern by its name in the settings."""
    match kind:
        case BuiltIn.CARD:
            return Pattern(kind, card_spans)
        case BuiltIn.SSN:
            return _written(kind, _SSN)
        case BuiltIn.SECRET:
            return Pattern(kind, _secret_spans)
        case BuiltIn.EMAIL:
            return _written(kind, _EMAIL)


def users_own(patterns: Mapping[str, str]) -> Iterator[Pattern]:
    """The patterns of the settings, which were compiled once already when they were read."""
    for name, pattern in patterns.items():
        yield _written(name, pattern)


def _written(name: str, pattern: str) -> Pattern:
    compiled = re2.compile(pattern)

    def find(text: str) -> Iterator[tuple[int, int]]:
        return (found.span() for found in compiled.finditer(text) if found.end() > found.start())

    return Pattern(name, find)


_secret = re2.compile(_SECRET)


def _secret_spans(text: str) -> Iterator[tuple[int, int]]:
    for found in _secret.finditer(text):
        # Words joined by hyphens may begin like a key; a key without any digit does not occur.
        start, end = found.span()
        if text[start] == "-" or any(map(str.isdigit, text[start:end])):
            yield start, end


def _merged(spans: list[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in spans:
        if current is None or span.start >= current.end:
            if current is not None:
                yield current
            current = span
        elif span.end > current.end:
            current = Span(current.start, span.end, current.pattern)
    if current is not None:
        yield current
