"""Ten thousand open streams: `WAITERS=1000 python -m pytest -s tests/trials/test_waiters.py`.

Each is a message that waits for a worker; then the workers come, and each stream has its end once.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections import Counter
from typing import Final, cast

import msgspec
import pytest

from tests.benchmarks.ground.forebay import create_key, door, worker
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.stage import Broker, Ground, Stage

pytestmark = pytest.mark.timeout(0)
WAITERS: Final = int(os.environ.get("WAITERS", "10000"))
_SIDE_BY_SIDE: Final = 64
"""Requests on their way at a time, so that nobody is refused as one of a crowd."""
_IDLE_SECONDS: Final = 20.0
"""Longer than the door's silence between two comments of a stream."""
_SPARE_FILES: Final = 500
_CLOSED: Final = b"event: response.completed\n"
_BODY: Final = b'{"model":"auto","stream":true,"input":"Anything new?"}'


class Idle(msgspec.Struct, frozen=True):
    """The door with all of them, and nothing to say."""

    waiters: int
    opening_seconds: float
    core_percent: float
    resident_mebibytes: float


class Waiter(asyncio.Protocol):
    """One stream, from its request until the door hangs up."""

    def __init__(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._request = request
        self.begun: asyncio.Future[bytes] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self.begun.done() and b"\r\n\r\n" in self._received:
            self.begun.set_result(bytes(self._received[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.begun.done():
            self.begun.set_result(b"cut")
        self.ended.set_result(self._received.count(_CLOSED))


def test_each_of_ten_thousand_streams_has_its_end_once() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < WAITERS + _SPARE_FILES:
        pytest.skip(f"a process may open {most} files here, and {WAITERS} streams take one each")
    with Stage() as stage:
        ground = stage.ground(Broker.RABBITMQ)
        key = create_key(ground)
        with door(ground) as program:
            program.wait_until(ground.is_served, "open door")
            idle, ends = asyncio.run(_waited(ground, program, key))
    print(msgspec.json.encode(idle).decode())
    assert Counter(ends) == {1: WAITERS}


async def _waited(ground: Ground, program: Program, key: str) -> tuple[Idle, list[int]]:
    began = time.monotonic()
    waiters = await _opened(ground.port, key)
    opened = time.monotonic() - began
    cpu, since = program.cpu_seconds(), time.monotonic()
    await asyncio.sleep(_IDLE_SECONDS)
    share = (program.cpu_seconds() - cpu) / (time.monotonic() - since)
    assert not any(waiter.ended.done() for waiter in waiters)
    idle = Idle(WAITERS, round(opened, 1), round(share * 100, 1), program.peak_bytes() / 2**20)
    with worker(ground):
        ends = await asyncio.gather(*(waiter.ended for waiter in waiters))
    return idle, list(ends)


async def _opened(port: int, key: str) -> list[Waiter]:
    turnstile = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def open_one(number: int) -> Waiter:
        request = _request(key, idempotency_key=f"waiter-{number}")
        async with turnstile:
            waiter = await _waiter(port, request)
            # A door whose ledger is slow says so; it is asked again under the same key.
            while await waiter.begun == b"503":
                await asyncio.sleep(1.0)
                waiter = await _waiter(port, request)
            assert waiter.begun.result() == b"200", bytes(waiter._received)
        return waiter

    return list(await asyncio.gather(*(open_one(number) for number in range(WAITERS))))


def _request(key: str, *, idempotency_key: str) -> bytes:
    head = (
        "POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Authorization: Bearer {key}\r\nIdempotency-Key: {idempotency_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
    )
    return head.encode() + _BODY


async def _waiter(port: int, request: bytes) -> Waiter:
    loop = asyncio.get_running_loop()
    _, waiter = await loop.create_connection(lambda: Waiter(request), "127.0.0.1", port)
    return waiter
