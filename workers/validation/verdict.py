"""What the guardrail says of an answer, and the evidence for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from shared.messages.item import FunctionCall


class Verdict(StrEnum):
    """From the mildest to the strictest; the strictest that a validator gives is the answer's."""

    PASS = "pass"  # noqa: S105 - to let through
    FIX = "fix"
    RE_ASK = "re_ask"
    NEXT_PROVIDER = "next_provider"
    HANDOFF = "handoff"

    @property
    def strictness(self) -> int:
        return _ORDER.index(self)


_ORDER: Final = tuple(Verdict)
_SHORTEST_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class ForbiddenSpan:
    """A part of a text that has to go, and the name of the pattern that says so."""

    start: int
    end: int
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """What one validator found.

    `evidence` is stored and logged, so it never quotes what was caught; `complaint` is what the
    provider is told when it is asked again, and goes nowhere else.
    """

    validator: str
    verdict: Verdict
    evidence: str
    complaint: str
    spans: tuple[ForbiddenSpan, ...] = ()
    mended: str | None = None
    """The whole answer as it should have been, where the verdict is `fix` and it takes no spans."""
    mended_calls: tuple[FunctionCall, ...] | None = None
    """The calls as they should have been, where the verdict is `fix`."""


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found in one answer. `text` and `calls` are the answer with what was fixed."""

    verdict: Verdict
    text: str
    calls: tuple[FunctionCall, ...] = ()
    catches: tuple[Catch, ...] = ()

    @property
    def evidence(self) -> str:
        """All evidence in one line, fit to be stored."""
        return "; ".join(f"{catch.validator} ({catch.evidence})" for catch in self.catches)

    @property
    def complaint(self) -> str:
        """What to tell the provider that wrote the answer."""
        return " ".join(catch.complaint for catch in self.catches)


def without(text: str, spans: Sequence[ForbiddenSpan], replacement: str) -> str:
    """The text with the replacement where the spans stood."""
    pieces: list[str] = []
    done = 0
    for span in spans:
        pieces += (text[done : span.start], replacement)
        done = span.end
    return "".join((*pieces, text[done:]))


def masked(text: str) -> str:
    """As much of a caught text as may be written down: its ends and its length."""
    ends = f"{text[0]}…{text[-1]}" if len(text) > _SHORTEST_SHOWN else "…"
    return f"{ends} of {len(text)} characters"
