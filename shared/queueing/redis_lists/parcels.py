"""Parcels over Redis: an envelope on the list that their reader reads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from redis.exceptions import RedisError

from shared.errors import BrokerUnavailable
from shared.queueing.parcel import Parcel
from shared.queueing.redis_lists.envelope import kombu_envelope
from shared.queueing.redis_lists.publisher import open_broker_redis
from shared.resilience.group_commit import GroupCommit
from shared.settings.servers import BrokerSettings


class RedisParcelPublisher:
    """See `ParcelPublisher`. What is sent while a trip is under way shares the next one."""

    def __init__(self, broker: BrokerSettings) -> None:
        self._patience_seconds = broker.publish_timeout_seconds
        self._redis = open_broker_redis(broker)
        self._group: GroupCommit[Parcel, None] = GroupCommit(self._push)

    async def start(self) -> None:
        """Connects with the first parcel."""

    async def send(self, parcel: Parcel) -> None:
        await self._group.submit(parcel)

    async def close(self) -> None:
        await self._group.close()
        await self._redis.aclose()

    async def _push(self, parcels: list[Parcel]) -> Sequence[BaseException | None]:
        # One transaction: a list that may lie unread is never there without its end.
        pipe = self._redis.pipeline(transaction=True)
        try:
            for parcel in parcels:
                pipe.lpush(parcel.queue, _envelope(parcel))
                pipe.expire(parcel.queue, parcel.unread_seconds) if parcel.unread_seconds else None
            async with asyncio.timeout(self._patience_seconds):
                replies = iter(await pipe.execute(raise_on_error=False))
        except (RedisError, OSError, TimeoutError) as error:
            raise BrokerUnavailable(f"Redis did not take the message: {error}") from error
        finally:
            await pipe.reset()  # type: ignore[no-untyped-call]
        return [_outcome([next(replies) for _ in range(_commands(one))]) for one in parcels]


def _commands(parcel: Parcel) -> int:
    return 2 if parcel.unread_seconds else 1


def _outcome(replies: list[object]) -> BaseException | None:
    for reply in replies:
        if isinstance(reply, BaseException):
            return BrokerUnavailable(f"Redis did not take the message: {reply}")
    return None


def _envelope(parcel: Parcel) -> bytes:
    return kombu_envelope(
        parcel.body,
        queue=parcel.queue,
        headers=parcel.headers,
        correlation_id=parcel.identifier,
        delivery_tag=uuid4().hex,
        content_type=parcel.content_type,
        content_encoding=parcel.content_encoding,
    )
