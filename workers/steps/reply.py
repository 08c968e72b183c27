"""Reply: tell whoever waits. May be repeated, may be late, is never what the promise rests on."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import NamedTuple, Protocol

import msgspec
from redis.asyncio import Redis

from shared.clock import Clock
from shared.costs.price import nano_dollars
from shared.dispatch.credit import Credits
from shared.errors import RedisRefused, RedisUnavailable, Unavailable
from shared.messages.body import Body
from shared.messages.events import closing_event, encode_event
from shared.messages.lane import Lane
from shared.messages.record import SETTLED_FIELDS, MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.ledger.records import Settlement
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import ScriptRun, run_scripts
from shared.replies.reply_stream import ReplyStream
from shared.reservations.reservations import Reservations
from shared.resilience.group_commit import GroupCommit
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.turn import Turn


class ReplyQueue(Protocol):
    """Sends an answer to the queue that a producer named."""

    async def send(self, record: MessageRecord) -> None:
        """Returns when it is sent and noted in the ledger; raises Unavailable."""
        ...


class _Ended(NamedTuple):
    """What Redis is told of a message that has ended: who waits first, then admission. `lane` is
    where its turn leaves room for another."""

    event: ScriptRun
    settlement: ScriptRun
    lane: Lane | None


class Reply:
    """The closing event for the doors, the slot for admission, the answer for a producer's queue.

    Event and slot travel to Redis together, with those of other turns and the credits of them all,
    and none waits for another to succeed. What a user made the model say shrinks what it may send
    next: admission hears of that too. Without Redis the doors find the answer in the ledger, the
    slot ends with its lease, and nothing is held against anybody; without the broker the janitor
    sends the answer to the producer's queue later.
    """

    name = "reply"

    def __init__(
        self,
        replies: ReplyStream,
        reservations: Reservations,
        answers: ReplyQueue,
        metrics: Metrics,
        *,
        redis: Redis,
        clock: Clock,
    ) -> None:
        self._replies = replies
        self._reservations = reservations
        self._answers = answers
        self._metrics = metrics
        self._redis = redis
        self._guarded = GuardedRedis(redis, clock)
        self._endings: GroupCommit[_Ended, None] = GroupCommit(self._tell_all)
        # Most groups end alike, and Redis is told the same.
        self._giving = lru_cache(256)(Credits().giving)
        self._left: Counter[Lane] = Counter()
        self._log = get_logger(__name__)

    async def __call__(self, turn: Turn) -> None:
        settlement = turn.settlement
        if settlement is None:
            raise RuntimeError("no step ended the turn")
        await self._tell(settled_record(turn.record, settlement), turn.body, lane=turn.record.lane)
        for signal in sorted(turn.risk_signals):
            await self._reservations.report(turn.record.tenant_id, turn.record.user_id, signal)

    async def tell(self, record: MessageRecord, body: Body | None = None) -> None:
        """Tell of a message that ended without a turn, or by a human; never raises Unavailable."""
        await self._tell(record, body)

    def leave(self, turn: Turn) -> None:
        """A turn is over that has not ended its message: its room is told of with the next end."""
        self._left[turn.record.lane] += 1

    async def _tell(
        self, record: MessageRecord, body: Body | None, *, lane: Lane | None = None
    ) -> None:
        await self._publish(record, body, lane)
        # What a human has is not answered yet; the janitor sends the answer when it comes.
        if record.reply_to is not None and not _has_human(record):
            await self._send(record)

    async def close(self) -> None:
        """Send what waits, then refuse what comes after."""
        await self._endings.close()
        await self._guarded.close()

    async def _publish(self, record: MessageRecord, body: Body | None, lane: Lane | None) -> None:
        event = encode_event(closing_event(record, body))
        ended = _Ended(
            self._replies.ending(record.id, record.attempt, event, goes_on=_has_human(record)),
            self._reservations.settling(
                record.tenant_id,
                record.user_id,
                message_id=record.id,
                estimated_tokens=record.estimated_tokens,
                used_tokens=(record.input_tokens or 0) + (record.output_tokens or 0),
                # Nothing was written where a stored answer was given: that teaches nothing.
                output_tokens=record.output_tokens or None,
                nano_dollars=_cost(record),
            ),
            lane,
        )
        try:
            await self._endings.submit(ended)
        except Unavailable as error:
            self._metrics.replies.labels("failed").inc()
            self._log.warning("reply_not_published", code=error.code)
        else:
            self._metrics.replies.labels("published").inc()

    async def _tell_all(self, endings: list[_Ended]) -> list[RedisRefused | None]:
        runs = [each.event for each in endings] + [each.settlement for each in endings]
        try:
            outcomes = await run_scripts(self._redis, runs + self._room(endings))
        except RedisUnavailable:
            # Only the connection may be broken. What has arrived changes nothing when it is sent
            # again (credits would count twice, and lost ones are counted anew within a second);
            # and where Redis is away the circuit keeps this from taking long.
            again = await self._guarded.run_each(runs)
            if again is None:
                raise
            outcomes = again
        # What is refused to a settlement ends with the lease of its slot.
        events = outcomes[: len(endings)]
        return [event if isinstance(event, RedisRefused) else None for event in events]

    def _room(self, endings: list[_Ended]) -> list[ScriptRun]:
        left, self._left = self._left, Counter()
        left.update(each.lane for each in endings if each.lane is not None)
        return [self._giving(tuple(left.items()))] if left else []

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
