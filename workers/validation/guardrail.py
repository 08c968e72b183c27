"""The guardrail: every validator looks at every answer before it leaves."""

from __future__ import annotations

from collections.abc import Sequence

from workers.validation.forbidden_patterns import ForbiddenPatterns
from workers.validation.stream_screen import StreamScreen
from workers.validation.validator import Draft, Question, Validator
from workers.validation.verdict import Catch, Conclusion, ForbiddenSpan, Verdict


class Guardrail:
    """Runs the forbidden patterns, then the other validators on what would leave.

    The verdict is the strictest of all. It holds no state and does no I/O.
    """

    def __init__(
        self,
        validators: Sequence[Validator],
        *,
        forbidden: ForbiddenPatterns | None,
        replacement: str,
        window: int,
    ) -> None:
        self._validators = tuple(validators)
        self._forbidden = forbidden
        self._replacement = replacement
        self._window = window

    def judge(self, draft: Draft, question: Question) -> Conclusion:
        """What is to be done with the draft, and the text that may leave."""
        catches: list[Catch] = []
        if self._forbidden is not None and (catch := self._forbidden.check(draft, question)):
            catches.append(catch)
            if catch.verdict is Verdict.FIX:
                draft = Draft(without(draft.text, catch.spans, self._replacement), draft.is_whole)
        for validator in self._validators:
            if (caught := validator.check(draft, question)) is None:
                continue
            catches.append(caught)
            if caught.mended is not None:
                draft = Draft(caught.mended, draft.is_whole)
        verdicts = (catch.verdict for catch in catches)
        strictest = max(verdicts, key=lambda verdict: verdict.strictness, default=Verdict.PASS)
        return Conclusion(verdict=strictest, text=draft.text, catches=tuple(catches))

    def open_screen(self) -> StreamScreen | None:
        """A window for one streamed answer; None where nothing is forbidden."""
        if self._forbidden is None:
            return None
        fixes = self._forbidden.verdict is Verdict.FIX
        return StreamScreen(
            self._forbidden.spans,
            window=self._window,
            replacement=self._replacement if fixes else None,
        )


def without(text: str, spans: Sequence[ForbiddenSpan], replacement: str) -> str:
    """The text with the replacement where the spans stood."""
    pieces: list[str] = []
    done = 0
    for span in spans:
        pieces += (text[done : span.start], replacement)
        done = span.end
    return "".join((*pieces, text[done:]))
