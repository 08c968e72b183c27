"""/livez, /readyz, /status, /metrics: for those who watch over this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from ipaddress import ip_address

import msgspec

from ingress.api.door import Door
from ingress.api.http.exchange import Exchange
from shared.errors import Forbidden
from shared.messages.tenant import KeyScope
from shared.status.system_watch import SystemWatch
from shared.telemetry.metrics import Metrics


class Health(StrEnum):
    """How a server that we stand on is."""

    OK = "ok"
    DEGRADED = "degraded"
    """Away or refusing, and we do without it: slower, limits less exact, and nothing lost."""
    DOWN = "down"


class Readiness(msgspec.Struct, frozen=True):
    """Whether messages should be sent here, and why not."""

    status: str
    ledger: Health
    broker: Health
    redis: Health


class Liveness(msgspec.Struct, frozen=True):
    """The process runs."""

    status: str = "alive"


Look = Callable[[], Awaitable[bool]]


class HealthRoutes:
    """Ready means that a message can be committed, which is tried, at most once a second.

    Broker and Redis may be away for a while; whether Redis can be written is tried as well.
    """

    def __init__(
        self, door: Door, watch: SystemWatch, *, ledger: Look, redis: Look, broker: Look
    ) -> None:
        self._door = door
        self._watch = watch
        self._ledger = ledger
        self._redis = redis
        self._broker = broker
        self.is_closing = False
        """Whether this process was told to end, and requests had better go elsewhere."""

    async def alive(self, exchange: Exchange) -> None:
        """Always, while there is somebody to answer."""
        await exchange.answer(200, msgspec.json.encode(Liveness()))

    async def ready(self, exchange: Exchange) -> None:
        """200, or 503 while the ledger is away or this process is closing."""
        ledger, redis, broker = await asyncio.gather(self._ledger(), self._redis(), self._broker())
        is_ready = ledger and not self.is_closing
        readiness = Readiness(
            status="closing" if self.is_closing else "ready" if is_ready else "not_ready",
            ledger=Health.OK if ledger else Health.DOWN,
            broker=_health(healthy=broker),
            redis=_health(healthy=redis),
        )
        await exchange.answer(200 if is_ready else 503, msgspec.json.encode(readiness))

    async def status(self, exchange: Exchange) -> None:
        """The whole system's state and why; to whom metrics are told."""
        await self._check_watcher(exchange, "The status is")
        await exchange.answer(200, msgspec.json.encode(await self._watch.look()))

    async def metrics(self, exchange: Exchange) -> None:
        """Prometheus' text; from this machine as it is, from elsewhere with an admin key."""
        await self._check_watcher(exchange, "Metrics are")
        await exchange.answer(
            200, self._door.metrics.render(), content_type=Metrics.CONTENT_TYPE.encode()
        )

    async def _check_watcher(self, exchange: Exchange, what: str) -> None:
        if is_local(exchange):
            return
        caller = await self._door.caller(exchange)
        if caller.scope is not KeyScope.ADMIN:
            raise Forbidden(f"{what} for admin keys. Use one, or ask from this machine.")


def is_local(exchange: Exchange) -> bool:
    """Whether the request comes from this machine, and not through a proxy on it."""
    client = exchange.line.client
    if not client or b"x-forwarded-for" in exchange.headers or b"forwarded" in exchange.headers:
        return False
    try:
        return ip_address(client).is_loopback
    except ValueError:
        return False


def _health(*, healthy: bool) -> Health:
    return Health.OK if healthy else Health.DEGRADED
