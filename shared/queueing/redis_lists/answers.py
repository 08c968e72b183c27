"""Answers over Redis: an envelope on the list that the producer reads."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import uuid4

from redis.exceptions import RedisError

from shared.errors import BrokerUnavailable
from shared.queueing.answers import Answer, may_reply_to
from shared.queueing.redis_lists.envelope import kombu_envelope
from shared.queueing.redis_lists.publisher import open_broker_redis
from shared.settings.servers import BrokerSettings

UNREAD_TTL_SECONDS: Final = 3600
"""A producer that left must not leave its list behind."""


class RedisAnswerPublisher:
    """See `AnswerPublisher`."""

    def __init__(self, broker: BrokerSettings) -> None:
        self._broker = broker
        self._redis = open_broker_redis(broker)

    async def start(self) -> None:
        """Connects with the first answer."""

    async def send(self, answer: Answer) -> None:
        if not may_reply_to(answer.reply_to, self._broker):
            return
        envelope = kombu_envelope(
            answer.body,
            queue=answer.reply_to,
            headers={},
            correlation_id=answer.correlation_id,
            delivery_tag=uuid4().hex,
        )
        try:
            async with asyncio.timeout(self._broker.publish_timeout_seconds):
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.lpush(answer.reply_to, envelope)
                    pipe.expire(answer.reply_to, UNREAD_TTL_SECONDS)
                    await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            raise BrokerUnavailable(f"Redis did not take the answer: {error}") from error

    async def close(self) -> None:
        await self._redis.aclose()
