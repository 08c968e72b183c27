"""Reply: tell whoever waits. May be repeated, may be late, is never what the promise rests on."""

from __future__ import annotations

from typing import Protocol

import msgspec

from shared.costs.price import nano_dollars
from shared.errors import Unavailable
from shared.messages.body import Body
from shared.messages.events import closing_event, encode_event
from shared.messages.record import SETTLED_FIELDS, MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.ledger.records import Settlement
from shared.replies.reply_stream import ReplyStream
from shared.reservations.reservations import Reservations
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.turn import Turn


class ReplyQueue(Protocol):
    """Sends an answer to the queue that a producer named."""

    async def send(self, record: MessageRecord) -> None:
        """Returns when it is sent and noted in the ledger; raises Unavailable."""
        ...


class Reply:
    """The closing event for the doors, the answer for a producer's queue, the slot for admission.

    What a user made the model say shrinks what it may send next: admission hears of that too.
    Without Redis the doors find the answer in the ledger, and nothing is held against anybody;
    without the broker the janitor sends the answer to the producer's queue later.
    """

    name = "reply"

    def __init__(
        self,
        replies: ReplyStream,
        reservations: Reservations,
        answers: ReplyQueue,
        metrics: Metrics,
    ) -> None:
        self._replies = replies
        self._reservations = reservations
        self._answers = answers
        self._metrics = metrics
        self._log = get_logger(__name__)

    async def __call__(self, turn: Turn) -> None:
        settlement = turn.settlement
        if settlement is None:
            raise RuntimeError("no step ended the turn")
        await self.tell(settled_record(turn.record, settlement), turn.body)
        for signal in sorted(turn.risk_signals):
            await self._reservations.report(turn.record.tenant_id, turn.record.user_id, signal)

    async def tell(self, record: MessageRecord, body: Body | None = None) -> None:
        """Tell of a message that has ended, or that a human has; never raises Unavailable."""
        await self._publish(record, body)
        # What a human has is not answered yet; the janitor sends the answer when it comes.
        if record.reply_to is not None and not _has_human(record):
            await self._send(record)
        await self._reservations.settle(
            record.tenant_id,
            record.user_id,
            message_id=record.id,
            estimated_tokens=record.estimated_tokens,
            used_tokens=(record.input_tokens or 0) + (record.output_tokens or 0),
            # Nothing was written where a stored answer was given: that teaches nothing.
            output_tokens=record.output_tokens or None,
            nano_dollars=_cost(record),
        )

    async def _publish(self, record: MessageRecord, body: Body | None) -> None:
        event = encode_event(closing_event(record, body))
        try:
            if _has_human(record):
                await self._replies.append(record.id, record.attempt, [event])
            else:
                await self._replies.end(record.id, record.attempt, event)
        except Unavailable as error:
            self._metrics.replies.labels("failed").inc()
            self._log.warning("reply_not_published", code=error.code)
        else:
            self._metrics.replies.labels("published").inc()

    async def _send(self, record: MessageRecord) -> None:
        try:
            await self._answers.send(record)
        except Unavailable as error:
            self._metrics.replies.labels("failed").inc()
            self._log.warning("answer_not_sent", code=error.code, shape=record.reply_shape)


def _has_human(record: MessageRecord) -> bool:
    return record.state is ResponseState.REQUIRES_ACTION


def _cost(record: MessageRecord) -> int | None:
    if record.cost is not None:
        return nano_dollars(record.cost)
    # What nobody ever claimed has cost nothing, whoever ended it.
    return None if record.attempt else 0


def settled_record(record: MessageRecord, settlement: Settlement) -> MessageRecord:
    """The record as the settlement left it in the ledger."""
    changes = {name: getattr(settlement, name) for name in SETTLED_FIELDS}
    return msgspec.structs.replace(record, **changes)
