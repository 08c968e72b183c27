"""A person's answer to a message that waits for one."""

from __future__ import annotations

from shared.clock import Clock
from shared.errors import InvalidRequest, RedisUnavailable
from shared.messages.events import encode_event
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from shared.persistence.handoffs import HandoffRepository
from shared.redis.client import open_redis
from shared.replies.event_sequence import answer_at_once
from shared.replies.reply_stream import ReplyStream
from shared.settings.servers import RedisSettings
from shared.telemetry.message_spans.ending import tell_end
from shared.telemetry.tracing import Tracing


class HandoffAnswers:
    """Completes messages with what people write, wakes who waits for them, and says so in their
    traces."""

    def __init__(
        self, database: Database, redis: RedisSettings, clock: Clock, tracing: Tracing
    ) -> None:
        self._inbox = HandoffRepository(database, clock)
        self._redis = redis
        self._tracing = tracing

    async def answer(
        self, handoff_id: str, *, text: str, answered_by: str
    ) -> tuple[MessageRecord, bool]:
        """The record as it stands then, and whether who waits for it was woken.

        Where Redis does not answer, whoever waits finds the answer within seconds instead. Raises
        InvalidRequest, NotFound, Conflict when it was answered or closed before, LedgerUnavailable.
        """
        if not text.strip():
            raise InvalidRequest(
                "The answer is empty: write what the producer shall read.", param="text"
            )
        record = await self._inbox.answer(handoff_id, text=text, answered_by=answered_by)
        tell_end(self._tracing, record)
        try:
            await self._wake(record)
        except RedisUnavailable:
            return record, False
        return record, True

    async def _wake(self, record: MessageRecord) -> None:
        """Put the answer onto the response's stream."""
        redis = open_redis(self._redis)
        replies = ReplyStream(redis, ttl_seconds=self._redis.reply_ttl_seconds)
        try:
            events = [encode_event(event) for event in answer_at_once(record)]
            await replies.append(record.id, record.attempt, events)
        finally:
            await replies.close()
            await redis.aclose()
