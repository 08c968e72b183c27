"""The chain's judge: the guardrail, asked about the answers of one turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from shared.messages.answer_format import answer_format
from shared.messages.facts import facts_of
from shared.messages.item import FunctionCall, are_only_text
from shared.messages.output import AnswerItem, Logprobs, TokenLogprob, logprobs_of
from shared.reservations.reservations import RiskSignal
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.providers.chain import Judge, Judgement
from workers.providers.outcome import Answer
from workers.steps.searching.citing import cited
from workers.turn import Turn
from workers.validation.forbidden_patterns import ForbiddenPatterns
from workers.validation.guardrail import Guardrail
from workers.validation.injection_echo import InjectionEcho
from workers.validation.stream_screen import StreamScreen
from workers.validation.tools.offered import OfferedTools
from workers.validation.tools.outputs import give_orders, gives_orders
from workers.validation.validator import Draft, Question
from workers.validation.verdict import Conclusion, Verdict

# A false fact or a broken format is the model's doing; these two somebody asked for.
_RISK_SIGNALS: Final = {
    InjectionEcho.name: RiskSignal.INJECTION,
    ForbiddenPatterns.name: RiskSignal.VALIDATOR_BLOCK,
}
_PASSED: Final = Judgement(accepted=True)
_TOKENS_AT_ONCE: Final = 32
"""With twenty likely ones beside each they take some milliseconds."""


class Judging:
    """Makes a judge for each turn; every catch is counted and logged, never quoted."""

    def __init__(self, guardrail: Guardrail, metrics: Metrics) -> None:
        self._guardrail = guardrail
        self._metrics = metrics
        self._log = get_logger(__name__)

    def judge_for(self, turn: Turn) -> Judge:
        """Raises InvalidRequest for facts or a schema that cannot be used."""
        question = question_of(turn)
        if not are_only_text(turn.items) and give_orders(turn.items):
            self._note_orders(turn, "tool_outputs")
        search = turn.search
        if search is not None and any(gives_orders(each.text) for each in search.found):
            self._note_orders(turn, "passages")

        async def judge(answer: Answer) -> Judgement:
            draft = Draft(answer.text, answer.is_whole, answer.calls)
            conclusion = self._guardrail.judge(draft, question)
            self._note(turn, conclusion)
            judgement = _judgement(answer, conclusion)
            if search is not None and judgement.accepted:
                told = cited(judgement.answer or answer, search)
                return await self._with_told_tokens(told, replace(judgement, answer=told))
            return await self._with_told_tokens(answer, judgement) if answer.items else judgement

        return judge

    async def judge(self, turn: Turn, answer: Answer) -> Judgement:
        """What is to be done with an answer that no provider gives now, such as a stored one.

        An accepted one leaves as `judgement.answer or answer`. Needs of the turn its body, its
        items (recalled) and its facts (looked up). Raises InvalidRequest as `judge_for` does.
        """
        return await self.judge_for(turn)(answer)

    def open_screen(self) -> StreamScreen | None:
        """What holds the end of one streamed answer back."""
        return self._guardrail.open_screen()

    async def told_tokens(self, tokens: Sequence[TokenLogprob]) -> tuple[TokenLogprob, ...]:
        """Those that may leave with the text that they are of."""
        if len(tokens) <= _TOKENS_AT_ONCE:
            return self._guardrail.told_tokens(tokens)
        # All that may come with one answer take more than a second where each is a new word.
        return await asyncio.to_thread(self._guardrail.told_tokens, tokens)

    async def _with_told_tokens(self, answer: Answer, judgement: Judgement) -> Judgement:
        """Where the text was mended, its tokens would show what was taken out."""
        tokens = logprobs_of(answer.items)
        if not tokens or not judgement.accepted:
            return judgement
        left = judgement.answer or answer
        told = await self.told_tokens(tokens) if left.text == answer.text else ()
        others = tuple([item for item in left.items if not isinstance(item, Logprobs)])
        items = (*others, Logprobs(told)) if told else others
        dropped = left.dropped if told else (*left.dropped, "logprobs")
        return replace(judgement, answer=replace(left, items=items, dropped=dropped))

    def _note_orders(self, turn: Turn, where: str) -> None:
        """They are data to the model and no instructions; only the risk of the user rises."""
        turn.risk_signals.add(RiskSignal.INJECTION)
        self._metrics.validator_catches.labels(where, Verdict.PASS).inc()
        self._log.warning("orders_to_the_model", where=where)

    def _note(self, turn: Turn, conclusion: Conclusion) -> None:
        if conclusion.catches:
            before = turn.report.caught if turn.report is not None else ()
            names = (*before, *(catch.validator for catch in conclusion.catches))
            turn.tell(caught=tuple(dict.fromkeys(names)))
        for catch in conclusion.catches:
            if signal := _RISK_SIGNALS.get(catch.validator):
                turn.risk_signals.add(signal)
            self._metrics.validator_catches.labels(catch.validator, catch.verdict).inc()
            self._log.warning(
                "answer_caught",
                validator=catch.validator,
                verdict=catch.verdict,
                evidence=catch.evidence,
            )


def question_of(turn: Turn) -> Question:
    """What the answers of the turn are held against. Raises InvalidRequest."""
    body, search = turn.body, turn.search
    return Question(
        tenant=turn.record.tenant_id,
        instructions=tuple([item.text() for item in turn.items if item.role.instructs]),
        conversation=tuple([item.text() for item in turn.items if not item.role.instructs]),
        passages=tuple([each.text for each in search.found]) if search else (),
        is_searched=search is not None and not search.is_away,
        facts=turn.facts | facts_of(body.metadata) if body.metadata else turn.facts,
        answer_format=answer_format(body.text) if body.text else None,
        tools=_offered(turn) if body.tools or body.tool_choice else None,
        has_output_limit=body.max_output_tokens is not None,
    )


def _offered(turn: Turn) -> OfferedTools:
    body = turn.body
    return OfferedTools(body.tools or (), turn.tool_choice, parallel=body.parallel_tool_calls)


def _with_calls(answer: Answer, calls: Sequence[FunctionCall]) -> tuple[AnswerItem, ...]:
    """What the answer has beside its text, with these calls in the places of its own."""
    mended = iter(calls)
    return tuple(next(mended) if isinstance(item, FunctionCall) else item for item in answer.items)


def _judgement(answer: Answer, conclusion: Conclusion) -> Judgement:
    match conclusion.verdict:
        case Verdict.PASS:
            return _PASSED
        case Verdict.FIX:
            items = _with_calls(answer, conclusion.calls)
            fixed = replace(answer, text=conclusion.text, items=items)
            return Judgement(accepted=True, answer=fixed, reason=conclusion.evidence)
        case Verdict.RE_ASK:
            complaint = f"Your previous answer was rejected. {conclusion.complaint}"
            return Judgement(accepted=False, reason=conclusion.evidence, complaint=complaint)
        case Verdict.NEXT_PROVIDER:
            return Judgement(accepted=False, reason=conclusion.evidence)
        case Verdict.HANDOFF:
            return Judgement(accepted=False, reason=conclusion.evidence, hands_off=True)
