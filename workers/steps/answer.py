"""Answer: walk the chain of providers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from shared.clock import Clock
from shared.errors import InvalidRequest
from shared.identifiers import HANDOFF, sibling_id
from shared.messages.body import TextFormat
from shared.messages.dead_letter import DeadReason
from shared.messages.item import Item, are_only_text
from shared.messages.output import OutputItem, encode_items, output_items
from shared.messages.state import ResponseState
from shared.replies.reply_stream import ReplyStream
from shared.telemetry.metrics import Metrics
from workers.context.attached_files import AttachedFiles, with_files
from workers.providers.attempt import Attempt, ChainExhaustedError, ChainResult
from workers.providers.chain import Chain
from workers.providers.failures import InvalidRequestError
from workers.providers.outcome import Answer, FinishReason, HandedOff
from workers.providers.provider import AUTOMATIC_MODEL, Prompt
from workers.steps.judging import Judging
from workers.steps.meter import Meter
from workers.steps.screened_stream import ScreenedStream
from workers.steps.searching.citing import searched_output
from workers.steps.searching.quoting import passage_notes
from workers.steps.streaming import AnswerStream
from workers.turn import Turn
from workers.validation.marks import MarkReader

_INCOMPLETE: Final = {  # OpenAI's names for it
    FinishReason.LENGTH: "max_output_tokens",
    FinishReason.CONTENT_FILTER: "content_filter",
}
_TIMER_SLACK_SECONDS: Final = 0.05
"""A call that was given all the time there was may be ended by its timer a moment too soon."""


class AnswerStep:
    """Asks the chain, and turns whatever comes of it into the end of the turn."""

    name = "answer"

    def __init__(
        self,
        chain: Chain,
        replies: ReplyStream,
        *,
        files: AttachedFiles,
        stream_interval_seconds: float,
        judging: Judging,
        meter: Meter,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._chain = chain
        self._replies = replies
        self._files = files
        self._stream_interval_seconds = stream_interval_seconds
        self._judging = judging
        self._meter = meter
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, turn: Turn) -> None:
        try:
            result = await self._ask(turn)
        except InvalidRequest as error:
            turn.refuse(DeadReason.MALFORMED, error.message, self._clock.now())
        except InvalidRequestError as refusal:
            reason = DeadReason.PROVIDER_REFUSED
            turn.refuse(reason, f"{reason}: {refusal.provider_message}", self._clock.now())
        except ChainExhaustedError as exhausted:
            self._give_up(turn, exhausted)
        else:
            self._conclude(turn, result)

    async def _ask(self, turn: Turn) -> ChainResult:
        if not are_only_text(turn.items):
            await self._files.fetch(turn)
        answer = partial(
            self._chain.answer,
            prompt_of(turn),
            deadline=turn.record.deadline,
            judge=self._judging.judge_for(turn),
            shorten=partial(_shortened, turn),
            on_called=partial(self._note, turn),
            purse=turn.purse,
            waits=turn.waits,
        )
        if not turn.is_streamed:
            return await answer()
        told = AnswerStream(
            turn,
            self._replies,
            interval_seconds=self._stream_interval_seconds,
            opening=searched_output(turn) if turn.search else (),
        )
        await told.begin()
        marks = MarkReader if turn.search is not None and turn.search.cites else None
        stream = ScreenedStream(told, self._judging, marks)
        try:
            result = await answer(on_delta=stream.write, on_restart=stream.restart)
        except BaseException:
            # Nothing more is said here: the closing event says how it ended.
            await stream.abandon()
            raise
        if isinstance(result.outcome, Answer):
            await stream.finish(result.outcome.text, _output(turn, result.outcome))
        else:
            await stream.abandon()
        return result

    def _note(self, turn: Turn, attempts: tuple[Attempt, ...]) -> None:
        turn.book(self._meter.read(attempts))

    def _conclude(self, turn: Turn, result: ChainResult) -> None:
        if result.prompt.context is not None:
            turn.tell(context=result.prompt.context)
        match outcome := result.outcome:
            case Answer():
                self._complete(turn, outcome, result)
            case HandedOff():
                self._hand_off(turn, outcome, result)
            case _:
                assert_never(outcome)

    def _complete(self, turn: Turn, answer: Answer, result: ChainResult) -> None:
        turn.is_in_doubt = not answer.is_certain
        if answer.dropped:
            turn.tell(dropped=(*turn.dropped, *answer.dropped))
        turn.end(
            ResponseState.COMPLETED if answer.is_whole else ResponseState.INCOMPLETE,
            self._clock.now(),
            output_text=answer.text,
            output_items=encode_items(answer.items),
            answered_by=result.provider,
            model=answer.model,
            input_tokens=answer.usage.input_tokens,
            cached_tokens=answer.usage.cached_tokens,
            cache_write_tokens=answer.usage.cache_write_tokens,
            output_tokens=answer.usage.output_tokens,
            reasoning_tokens=answer.usage.reasoning_tokens,
            incomplete_reason=_INCOMPLETE.get(answer.finish),
        )

    def _hand_off(self, turn: Turn, handed: HandedOff, result: ChainResult) -> None:
        self._metrics.handoffs.labels("opened").inc()
        turn.end(
            ResponseState.REQUIRES_ACTION,
            self._clock.now(),
            output_text=handed.apology_for(sibling_id(HANDOFF, turn.record.id)),
            answered_by=result.provider,
            handoff_reason=handed.reason,
        )

    def _give_up(self, turn: Turn, exhausted: ChainExhaustedError) -> None:
        now = self._clock.now()
        is_late = turn.seconds_left(now) <= _TIMER_SLACK_SECONDS
        reason = DeadReason.DEADLINE_PASSED if is_late else DeadReason.CHAIN_EXHAUSTED
        turn.fail(reason, str(exhausted), now)


def _output(turn: Turn, answer: Answer) -> list[OutputItem]:
    search = turn.body.file_search
    return output_items(
        turn.record.id,
        answer.text,
        answer.items,
        is_whole=answer.is_whole,
        tells_results=search is not None and search.tells_results,
    )


async def _shortened(turn: Turn, prompt: Prompt, share: float) -> Prompt | None:
    """The prompt with the conversation fitted anew; None when so much cannot go."""
    fitted = turn.shorten(share)
    if fitted is None:
        return None
    items, context = fitted
    notes = prompt.notes if turn.search is None else tuple(_notes(turn, share))
    return replace(prompt, items=_told_items(turn, items), notes=notes, context=context)


def prompt_of(turn: Turn) -> Prompt:
    """The prompt of a turn whose conversation has been recalled."""
    body = turn.body
    return Prompt(
        items=_told_items(turn, turn.items),
        notes=tuple(_notes(turn)),
        model=turn.model or body.model or AUTOMATIC_MODEL,
        max_output_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=tuple(body.stop or ()),
        tools=tuple(body.tools or ()),
        tool_choice=turn.tool_choice,
        parallel_tool_calls=body.parallel_tool_calls,
        reasoning=body.reasoning,
        prompt_cache_key=body.prompt_cache_key,
        conversation=turn.record.conversation_id,
        order=turn.order,
        can_wait=turn.can_wait,
        top_logprobs=body.top_logprobs,
        tenant=turn.record.tenant_id,
        user=turn.record.user_id or "",
        extra=_extra(turn),
    )


def _notes(turn: Turn, share: float = 1.0) -> Iterator[str]:
    """What the model is told of facts and passages, of these the best."""
    if turn.fact_sheet is not None:
        yield turn.fact_sheet
    if turn.search is not None:
        yield from passage_notes(turn.search, share=share)


def _told_items(turn: Turn, items: Sequence[Item]) -> tuple[Item, ...]:
    """The items, with what was read of the files that they name."""
    return tuple(with_files(items, turn.files) if turn.files else items)


def _extra(turn: Turn) -> dict[str, object]:
    body = turn.body
    wanted: dict[str, object | None] = {
        "seed": body.seed,
        "presence_penalty": body.presence_penalty,
        "frequency_penalty": body.frequency_penalty,
        "top_k": body.top_k,
        "response_format": _response_format(body.text.format if body.text else None),
        "verbosity": body.text.verbosity if body.text else None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _response_format(form: TextFormat | None) -> dict[str, object] | None:
    """The chat spelling of the Responses API's `text.format`; None for plain text."""
    if form is None:
        return None
    if form.type != "json_schema":
        return {"type": form.type}
    told = msgspec.to_builtins(form)
    return {"type": told.pop("type"), "json_schema": told}
