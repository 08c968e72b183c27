"""Retelling: a stored answer, judged again and given as if a provider had just written it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec

from shared.answer_cache.stored_answer import CachedAnswer
from shared.clock import Clock
from shared.messages.file_search.found_text import OutputSearch
from shared.messages.output import AnswerItem, decode_items, encode_items, output_items
from shared.messages.state import ResponseState
from shared.messages.turn_report import CacheReport
from shared.replies.reply_stream import ReplyStream
from shared.telemetry.metrics import Metrics
from workers.providers.outcome import Answer, FinishReason, Usage
from workers.steps.judging import Judging
from workers.steps.searching.citing import found_in, with_found
from workers.steps.streaming import AnswerStream
from workers.turn import Turn

_NO_TOKENS = Usage(input_tokens=0, output_tokens=0)


class Retelling:
    """Ends turns with stored answers, at no cost and without a token: nobody was asked."""

    def __init__(
        self,
        judging: Judging,
        replies: ReplyStream,
        *,
        stream_interval_seconds: float,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._judging = judging
        self._replies = replies
        self._stream_interval_seconds = stream_interval_seconds
        self._metrics = metrics
        self._clock = clock

    async def tell(self, turn: Turn, stored: CachedAnswer, report: CacheReport) -> bool:
        """End the turn with it; False when the guardrail rejects it.

        Raises InvalidRequest for facts or a schema that cannot be used.
        """
        items = decode_items(stored.items)
        if turn.search is not None:
            found = found_in(items)
            turn.search = replace(turn.search, found=found)
            items = with_found(items, found if turn.search.keeps_found else None)
        answer = await self._judged(turn, stored, items)
        if answer is None:
            self._metrics.cache_refusals.labels("rejected").inc()
            return False
        if turn.is_streamed:
            await self._stream(turn, answer)
        self._end(turn, answer, stored, report)
        return True

    async def _judged(
        self, turn: Turn, stored: CachedAnswer, items: tuple[AnswerItem, ...]
    ) -> Answer | None:
        answer = Answer(
            text=stored.text,
            model=stored.model,
            finish=FinishReason.STOP,
            usage=_NO_TOKENS,
            items=items,
        )
        judgement = await self._judging.judge(turn, answer)
        if not judgement.accepted:
            return None
        if judgement.answer is None:
            return answer
        if answer.items and judgement.answer.text != answer.text:
            return None  # what it cites stands elsewhere now
        return msgspec.structs.replace(answer, text=judgement.answer.text)

    async def _stream(self, turn: Turn, answer: Answer) -> None:
        search = turn.body.file_search
        tells = search is not None and search.tells_results
        output = output_items(turn.record.id, answer.text, answer.items, tells_results=tells)
        stream = AnswerStream(
            turn,
            self._replies,
            interval_seconds=self._stream_interval_seconds,
            opening=[item for item in output if isinstance(item, OutputSearch)],
        )
        await stream.begin()
        await stream.write(answer.text)
        await stream.finish(output)

    def _end(self, turn: Turn, answer: Answer, stored: CachedAnswer, report: CacheReport) -> None:
        cost = stored.cost
        told = msgspec.structs.replace(
            report,
            response_id=stored.response_id,
            saved=None if cost is None else f"{cost.normalize():f}",
        )
        turn.tell(cache=told)
        self._metrics.cache_hits.labels(report.kind).inc()
        if cost is not None:
            self._metrics.saved_cost.labels(report.kind).inc(float(cost))
        turn.end(
            ResponseState.COMPLETED,
            self._clock.now(),
            output_text=answer.text,
            output_items=encode_items(answer.items),
            answered_by=stored.answered_by,
            model=answer.model,
            input_tokens=0,
            cached_tokens=0,
            output_tokens=0,
            saved=cost or Decimal(0),
        )
