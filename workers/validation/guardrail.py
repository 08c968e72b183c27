"""The guardrail: every validator looks at every answer before it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Final

from msgspec.structs import replace

from shared.messages.output import TokenLogprob
from workers.validation.forbidden_patterns import ForbiddenPatterns
from workers.validation.stream_screen import StreamScreen
from workers.validation.validator import Draft, Question, Subject, Validator
from workers.validation.verdict import Catch, Conclusion, Verdict, without

_TOKENS_REMEMBERED: Final = 65_536


class Guardrail:
    """Runs the forbidden patterns, then the other validators on what would leave.

    The verdict is the strictest of all. It does no I/O.
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
        # Tokens are few, and come again and again.
        self._is_forbidden = lru_cache(_TOKENS_REMEMBERED)(self._has_spans)

    def judge(self, draft: Draft, question: Question) -> Conclusion:
        """What is to be done with the draft, and the text and the calls that may leave."""
        catches = self._told(draft, question)
        for catch in catches:
            draft = self._mended(draft, catch)
        there = _subjects(draft, question)
        for validator in self._validators:
            if validator.subject not in there:
                continue
            if (caught := validator.check(draft, question)) is None:
                continue
            catches.append(caught)
            draft = self._mended(draft, caught)
        if not catches:
            return Conclusion(verdict=Verdict.PASS, text=draft.text, calls=draft.calls)
        strictest = max([catch.verdict for catch in catches], key=attrgetter("strictness"))
        return Conclusion(
            verdict=strictest, text=draft.text, calls=draft.calls, catches=tuple(catches)
        )

    def told_tokens(self, tokens: Sequence[TokenLogprob]) -> tuple[TokenLogprob, ...]:
        """Those of a text that may leave, without likely ones that hold what is forbidden: what
        the model nearly wrote leaves with them."""
        if self._forbidden is None:
            return tuple(tokens)
        return tuple(
            [
                replace(
                    token,
                    top_logprobs=[
                        one for one in token.top_logprobs if not self._is_forbidden(one.token)
                    ],
                )
                for token in tokens
                if not self._is_forbidden(token.token)
            ]
        )

    def _has_spans(self, token: str) -> bool:
        return self._forbidden is not None and bool(self._forbidden.spans(token))

    def _told(self, draft: Draft, question: Question) -> list[Catch]:
        """What is forbidden in the text, and in what tools are asked."""
        if self._forbidden is None:
            return []
        found = [self._forbidden.check(draft, question)]
        if draft.calls:
            calls = self._forbidden.check_calls(draft.calls, replacement=self._replacement)
            found.append(calls)
        return [catch for catch in found if catch is not None]

    def _mended(self, draft: Draft, catch: Catch) -> Draft:
        if catch.verdict is not Verdict.FIX:
            return draft
        if catch.mended_calls is not None:
            return replace(draft, calls=catch.mended_calls)
        if catch.mended is not None:
            return replace(draft, text=catch.mended)
        return replace(draft, text=without(draft.text, catch.spans, self._replacement))

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


def _subjects(draft: Draft, question: Question) -> set[Subject]:
    """What there is to look at; a mended draft has the same."""
    there = {Subject.ANSWER}
    if question.tools is not None or draft.calls:
        there.add(Subject.TOOLS)
    if question.facts:
        there.add(Subject.FACTS)
    if question.answer_format is not None:
        there.add(Subject.FORMAT)
    if question.instructions:
        there.add(Subject.INSTRUCTIONS)
    if question.is_searched:
        there.add(Subject.SEARCH)
    return there
