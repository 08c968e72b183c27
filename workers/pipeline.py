"""What happens to a message in a worker, in order. The page to read first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

from prometheus_client import Histogram

from shared.clock import Clock
from shared.errors import ForebayError, LedgerUnavailable
from shared.messages.dead_letter import DeadReason
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.telemetry.logs import bind, get_logger
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import SILENT_SPAN, TRACEPARENT, Span, Tracing, extract
from workers.leases import LeaseLost, Leases, TurnOverdue
from workers.steps.claim import Claim
from workers.steps.remember import Remember
from workers.steps.reply import Reply
from workers.steps.summary_follow_up import FollowUp
from workers.turn import Turn
from workers.turn_spans import TurnSpans

Outcome = TypeVar("Outcome")

_RETRY_AFTER_FAULT = timedelta(seconds=2)
_GRACE_SECONDS = 0.5
"""The chain ends its calls at the deadline by itself and books them; what still runs is cut."""


class TurnOutcome(StrEnum):
    """What became of one wake-up."""

    ANSWERED = "answered"
    FAILED = "failed"
    """Its end is written, and a dead letter with the reason."""
    NOTHING_TO_CLAIM = "nothing_to_claim"
    LOST = "lost"
    RELEASED = "released"


class Step(Protocol):
    """One stage of a turn: it reads the turn, adds to it, and may end it."""

    name: str

    async def __call__(self, turn: Turn) -> None: ...


class ForSearches(NamedTuple):
    """A step of turns that offer `file_search`; others pass its place without a look at it."""

    step: Step


class TimedStep(NamedTuple, Generic[Outcome]):
    """A step, with where its time is noted."""

    name: str
    take: Callable[[Turn], Awaitable[Outcome]]
    seconds: Histogram


class Pipeline:
    """Claims a message, walks its steps, writes the end, tells who waits.

    A turn that is cut short, by a fault of ours or by a shutdown, gives its message back to the
    queue; one whose lease is gone stops without a word, for somebody else has the message.
    """

    def __init__(
        self,
        *,
        claim: Claim,
        steps: Sequence[Step | ForSearches],
        remember: Remember,
        reply: Reply,
        afterwards: Sequence[Step] = (),
        follow_up: FollowUp,
        leases: Leases,
        metrics: Metrics,
        tracing: Tracing,
        clock: Clock,
    ) -> None:
        self._claim = claim
        self._metrics = metrics
        self._steps = tuple(
            self._timed(each.step if isinstance(each, ForSearches) else each) for each in steps
        )
        self._plain = tuple(
            self._timed(each) for each in steps if not isinstance(each, ForSearches)
        )
        self._booking = remember
        self._remember: TimedStep[bool] = self._timed_as(remember.name, remember)
        self._telling = reply
        self._reply: TimedStep[None] = self._timed(reply)
        self._afterwards = tuple(map(self._timed, afterwards))
        self._follow_up = self._timed(follow_up)
        self._leases = leases
        self._tracing = tracing
        self._spans = TurnSpans(tracing) if tracing.recording else None
        self._clock = clock
        self._log = get_logger(__name__)

    async def run(self, message_id: str) -> TurnOutcome:
        """Answer the message if it is there to be claimed. Raises LedgerUnavailable."""
        turn = await self._claim(message_id)
        if turn is None:
            return TurnOutcome.NOTHING_TO_CLAIM
        about = bind(message_id=message_id, tenant=turn.record.tenant_id)
        with about, self._span(turn.record) as span:
            try:
                outcome = await self._run(turn)
            finally:
                await turn.let_go()
            if outcome in {TurnOutcome.LOST, TurnOutcome.RELEASED}:
                self._telling.leave(turn)
            if self._spans is not None:
                self._spans.describe(span, turn, outcome)
            return outcome

    async def has_failed(self, message_id: str) -> bool:
        """Whether one that was not there to be claimed has failed. Raises LedgerUnavailable."""
        return await self._claim.has_failed(message_id)

    async def _run(self, turn: Turn) -> TurnOutcome:
        try:
            await self._answer_in_time(turn)
            # Not under the lease: a renewal that misses the message because its end has just
            # been written must not stop the turn before it has told who waits.
            remembered = await self._take(self._remember, turn)
        except LeaseLost:
            await self._booking.abandoned(turn)
            return TurnOutcome.LOST
        except asyncio.CancelledError:
            with suppress(LedgerUnavailable):  # the lease runs out by itself
                await self._leases.release(turn.record)
            await self._booking.abandoned(turn)
            raise
        except Exception as error:  # noqa: BLE001 - one turn's fault must not be another's
            return await self._stumble(turn, error)
        return await self._tell(turn, is_remembered=remembered)

    async def _tell(self, turn: Turn, *, is_remembered: bool) -> TurnOutcome:
        if not is_remembered:
            await self._booking.abandoned(turn)
            return TurnOutcome.LOST
        await self._take(self._reply, turn)
        for step in self._afterwards:
            await self._take(step, turn)
        if turn.follow_up is not None:
            await self._take(self._follow_up, turn)
        self._observe(turn)
        return _outcome_of(turn)

    async def _answer_in_time(self, turn: Turn) -> None:
        seconds_left = max(0.0, turn.seconds_left(self._clock.now()))
        steps = self._plain if turn.body.file_search is None else self._steps
        try:
            seconds = seconds_left + _GRACE_SECONDS
            with self._leases.held(turn.record, seconds=seconds, tab=turn.tab):
                for step in steps:
                    if turn.settlement is None:
                        await self._take(step, turn)
        except TurnOverdue:
            detail = "The deadline passed during the turn."
            turn.fail(DeadReason.DEADLINE_PASSED, detail, self._clock.now())

    def _timed(self, step: Step) -> TimedStep[None]:
        return self._timed_as(step.name, step)

    def _timed_as(
        self, name: str, take: Callable[[Turn], Awaitable[Outcome]]
    ) -> TimedStep[Outcome]:
        return TimedStep(name, take, self._metrics.step_duration_seconds.labels(name))

    async def _take(self, step: TimedStep[Outcome], turn: Turn) -> Outcome:
        started = self._clock.monotonic()
        if self._tracing.recording:
            with self._tracing.span(step.name):
                outcome = await step.take(turn)
        else:
            outcome = await step.take(turn)
        step.seconds.observe(self._clock.monotonic() - started)
        return outcome

    async def _stumble(self, turn: Turn, error: Exception) -> TurnOutcome:
        """Give the message back, once: what goes wrong in the same way twice would go on to, and
        each time its calls are paid for."""
        fault = type(error).__name__
        self._log.exception("turn_failed", attempt=turn.record.attempt)
        may_pass = isinstance(error, ForebayError) and error.retryable
        if may_pass or turn.record.error_message != fault:
            return await self._give_back(turn, None if may_pass else fault, why=fault)
        detail = f"{fault}, twice. It is a fault of Forebay's own."
        turn.fail(DeadReason.FAULT, detail, self._clock.now())
        remembered = await self._take(self._remember, turn)
        return await self._tell(turn, is_remembered=remembered)

    async def _give_back(self, turn: Turn, fault: str | None, *, why: str) -> TurnOutcome:
        wait = _RETRY_AFTER_FAULT * 2 ** min(turn.record.attempt, 6)
        until = self._clock.now() + wait
        try:
            await self._leases.release(turn.record, not_before=until, fault=fault, why=why)
        except LedgerUnavailable:
            # The lease runs out by itself.
            self._log.warning("release_failed")
        await self._booking.abandoned(turn)
        return TurnOutcome.RELEASED

    def _span(self, record: MessageRecord) -> AbstractContextManager[Span]:
        if self._spans is not None:
            return self._spans.opened(record)
        if record.traceparent is None:
            return SILENT_SPAN
        return self._tracing.span("turn", parent=extract({TRACEPARENT: record.traceparent}))

    def _observe(self, turn: Turn) -> None:
        record, settlement = turn.record, turn.settlement
        if settlement is None or record.claimed_at is None:
            return
        seconds = (settlement.finished_at - record.claimed_at).total_seconds()
        self._metrics.turn_duration_seconds.labels(record.lane, settlement.state).observe(seconds)


def _outcome_of(turn: Turn) -> TurnOutcome:
    settlement = turn.settlement
    has_failed = settlement is not None and settlement.state is ResponseState.FAILED
    return TurnOutcome.FAILED if has_failed else TurnOutcome.ANSWERED
