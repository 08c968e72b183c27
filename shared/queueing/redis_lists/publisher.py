"""Wake-ups onto Redis: one LPUSH per queue for all that waits, in one round trip."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.errors import BrokerUnavailable
from shared.messages.lane import Lane, WakeUp
from shared.queueing.backlog import Backlog, Waiting
from shared.queueing.broker_address import BrokerAddress
from shared.queueing.envelope import own_origin
from shared.queueing.redis_lists.envelope import RedisEnvelope
from shared.queueing.topology import lane_queue
from shared.redis.connection import tell_resets
from shared.redis.encryption import redis_encryption
from shared.resilience.backoff import backoff_seconds, wait_unless
from shared.resilience.kept_running import kept_running
from shared.settings.servers import BrokerSettings
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics

GROUP_LIMIT: Final = 256
_QUEUES: Final = {lane: lane_queue(lane).value for lane in Lane}


class RedisPublisher:
    """See `Publisher`. Redis' answer to LPUSH is the confirm."""

    def __init__(self, broker: BrokerSettings, metrics: Metrics) -> None:
        self.healthy = False
        self._patience_seconds = broker.publish_timeout_seconds
        self._metrics = metrics
        self._failures = metrics.publish_failures.labels(BrokerUnavailable.code)
        self._log = get_logger(__name__)
        self._envelope = RedisEnvelope(own_origin())
        self._backlog = Backlog()
        self._has_work = asyncio.Event()
        self._stopping = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._redis = open_broker_redis(broker)

    async def start(self) -> None:
        self._pump = asyncio.create_task(kept_running("redis-publisher", self._keep_pushing))

    def submit(self, wake_up: WakeUp) -> None:
        if self._backlog.add(wake_up):
            self._has_work.set()
        else:
            self._failures.inc()

    async def publish(self, wake_ups: Sequence[WakeUp], *, alone: bool = False) -> None:  # noqa: ARG002
        if not wake_ups:
            return
        confirmation = self._backlog.add_group(wake_ups)
        self._has_work.set()
        await confirmation.wait(self._patience_seconds)

    async def close(self) -> None:
        self._stopping.set()
        self._has_work.set()
        if self._pump is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._pump, 2 * self._patience_seconds)
        await self._redis.aclose()

    async def _keep_pushing(self) -> None:
        waits = backoff_seconds()
        while not self._stopping.is_set() or (self.healthy and self._backlog):
            if not self.healthy:
                self.healthy = await self._answers()
            if self.healthy:
                waits = backoff_seconds()
                await self._push_waiting()
            else:
                await wait_unless(self._stopping, next(waits))

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError) as error:
            self._log.warning("broker unreachable", error=str(error))
            return False
        return True

    async def _push_waiting(self) -> None:
        if not self._backlog:
            self._has_work.clear()
            if not self._stopping.is_set():  # it was told to while it did something else
                await self._wait_for_work()
        if group := self._backlog.take(GROUP_LIMIT):
            await self._push(group)

    async def _wait_for_work(self) -> None:
        """Looks now and then whether Redis is still there, so that `healthy` is true when idle."""
        try:
            async with asyncio.timeout(1.0):
                await self._has_work.wait()
        except TimeoutError:
            self.healthy = await self._answers()

    async def _push(self, group: list[Waiting]) -> None:
        began = perf_counter()
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._send(group)
        except (RedisError, OSError, TimeoutError) as error:
            self._fail(group, str(error) or "no answer in time")
            return
        for _, confirmation in group:
            if confirmation is not None:
                confirmation.confirm()
        self._metrics.publish_group_messages.observe(len(group))
        self._metrics.publish_group_duration_seconds.observe(perf_counter() - began)

    async def _send(self, group: list[Waiting]) -> None:
        elements: dict[str, list[bytes]] = {}
        for wake_up, _ in group:
            queue = elements.setdefault(_QUEUES[wake_up.lane], [])
            queue.append(self._envelope.encode(wake_up))
        if len(elements) == 1:
            [(name, pushed)] = elements.items()
            await self._redis.lpush(name, *pushed)
            return
        async with self._redis.pipeline(transaction=False) as pipe:
            for name, pushed in elements.items():
                pipe.lpush(name, *pushed)
            await pipe.execute()

    def _fail(self, group: list[Waiting], why: str) -> None:
        self.healthy = False
        self._log.warning("broker lost", error=why)
        error = BrokerUnavailable(f"Redis did not take the message: {why}.")
        for _, confirmation in group:
            if confirmation is None:
                self._failures.inc()
            else:
                confirmation.fail(error)


def open_broker_redis(broker: BrokerSettings) -> Redis:
    """A client of the broker's Redis that never tries twice: its callers decide about that."""
    address = BrokerAddress.of(broker)
    client: Redis = Redis(
        host=address.host,
        port=address.port,
        username=address.user or None,
        password=address.password or None,
        db=int(address.virtual_host),
        ssl=address.is_encrypted,
        socket_timeout=broker.publish_timeout_seconds,
        socket_connect_timeout=broker.publish_timeout_seconds,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        **redis_encryption(address.scheme, broker.tls),
    )
    tell_resets(client.connection_pool)
    return client
