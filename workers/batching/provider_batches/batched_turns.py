"""The turns of what travels in a provider's batch: the ordinary steps before it and after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace

from shared.clock import Clock
from shared.errors import ForebayError
from shared.messages.item import are_only_text
from shared.messages.record import MessageRecord
from shared.telemetry.logs import bind, get_logger
from workers.batching.provider_batches.batched_answer import BatchedAnswer, ItemFailed
from workers.context.attached_files import AttachedFiles
from workers.pipeline import ForSearches, Step
from workers.providers.batching.batch_provider import BatchProvider, BatchResult
from workers.providers.chain import Chain
from workers.providers.provider import Prompt
from workers.steps.answer import AnswerStep, prompt_of
from workers.steps.meter import Meter
from workers.steps.remember import Remember
from workers.turn import Turn, begin_turn


class ItemEnd(StrEnum):
    """What became of one result."""

    SETTLED = "settled"
    FAILED = "failed"
    """Its message is to be queued again."""
    LOST = "lost"
    """Its message had ended, or was answered otherwise: only its cost was booked."""


class _StepsByKind(NamedTuple):
    """Of turns that search, and of all others."""

    searching: tuple[Step, ...]
    plain: tuple[Step, ...]


class BatchedTurns:
    """Prepares a turn twice, when it is packed and when its result is there: what a model is asked
    and what its answer is held against are made by the same steps, and nothing is kept between.

    Both times by the steps between claim and answer. In front of the batch the cache may answer;
    behind it, it is told what to store.
    """

    def __init__(
        self,
        packing: Sequence[Step | ForSearches],
        settling: Sequence[Step | ForSearches],
        *,
        answering: Callable[[Chain], AnswerStep],
        files: AttachedFiles,
        meter: Meter,
        remember: Remember,
        told: Sequence[Step],
        clock: Clock,
    ) -> None:
        """`told` are the steps once the end of a turn is written."""
        self._packing = _by_kind(packing)
        self._settling = _by_kind(settling)
        self._answering = answering
        self._files = files
        self._meter = meter
        self._remember = remember
        self._told = tuple(told)
        self._clock = clock
        self._log = get_logger(__name__)

    async def prompt_of(self, record: MessageRecord) -> Prompt | None:
        """What a model is asked for a message that was just claimed.

        None where it has ended here without one, or is not for a batch: it is streamed, its variant
        has a chain of its own, or its steps did not come to an end. Raises LedgerUnavailable.
        """
        with bind(message_id=record.id, tenant=record.tenant_id):
            turn = begin_turn(record)
            if turn.is_streamed:
                return None
            try:
                await self._prepare(turn, self._packing)
                if turn.settlement is None:
                    return None if turn.order else prompt_of(turn)
                await self._end(turn)
            except ForebayError as error:
                self._log.warning("not_batched", code=error.code)
            finally:
                await turn.let_go()
        return None

    async def settle(
        self,
        record: MessageRecord,
        provider: BatchProvider,
        result: BatchResult,
        *,
        submitted_at: datetime,
    ) -> ItemEnd:
        """Judge the result and end its turn by it, once, under its fence. Raises Unavailable."""
        chain = BatchedAnswer(provider, result, submitted_at=submitted_at, clock=self._clock)
        with bind(message_id=record.id, tenant=record.tenant_id):
            turn = begin_turn(record)
            try:
                await self._prepare(turn, self._settling)
                if not _is_asked_as_before(turn):
                    turn.cache_ticket = None
                if turn.settlement is None:
                    await self._answering(chain)(turn)
                return await self._end(turn)
            except ItemFailed:
                # It was answered or refused, and is booked; another call may do better.
                await self._remember.abandoned(turn)
                return ItemEnd.FAILED
            finally:
                await turn.let_go()

    async def book_lost(
        self,
        record: MessageRecord,
        provider: BatchProvider,
        result: BatchResult,
        *,
        attempt: int,
        submitted_at: datetime,
    ) -> None:
        """Book what a result cost whose message is not the batch's any more, under the claim that
        it was sent by; once, however often it is told."""
        chain = BatchedAnswer(provider, result, submitted_at=submitted_at, clock=self._clock)
        lost = chain.lost(await self._prompt_again(record))
        if lost is None:
            return
        turn = Turn(replace(record, attempt=attempt, body=""), body=begin_turn(record).body)
        turn.book(self._meter.read((lost,)))
        await self._remember.abandoned(turn)

    async def _prompt_again(self, record: MessageRecord) -> Prompt:
        turn = begin_turn(record)
        try:
            await self._prepare(turn, self._settling)
            return prompt_of(turn)
        except ForebayError:
            # Its figures are believed less far then.
            return Prompt(items=())
        finally:
            await turn.let_go()

    async def _prepare(self, turn: Turn, steps: _StepsByKind) -> None:
        for step in steps.plain if turn.body.file_search is None else steps.searching:
            if turn.settlement is None:
                await step(turn)
        if turn.settlement is None and not are_only_text(turn.items):
            await self._files.fetch(turn)

    async def _end(self, turn: Turn) -> ItemEnd:
        if not await self._remember(turn):
            await self._remember.abandoned(turn)
            return ItemEnd.LOST
        for step in self._told:
            await step(turn)
        return ItemEnd.SETTLED


def _is_asked_as_before(turn: Turn) -> bool:
    """Whether its place in the cache is that of what the provider was asked: passages, and what
    was said before it, may be others by now than when it was packed."""
    record = turn.record
    stands_alone = record.conversation_id is None and record.previous_id is None
    return stands_alone and turn.body.file_search is None


def _by_kind(steps: Sequence[Step | ForSearches]) -> _StepsByKind:
    return _StepsByKind(
        searching=tuple(each.step if isinstance(each, ForSearches) else each for each in steps),
        plain=tuple(each for each in steps if not isinstance(each, ForSearches)),
    )
