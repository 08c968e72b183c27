"""Posts 1 KB messages over keep-alive connections, as cheaply as Python can.

`python -m tests.benchmarks.load --port P --connections N --seconds S --key K [--messages M]` prints
one line of JSON: see Report. Closed loop: a connection posts its next message when the last one is
answered, until the time is over or M were posted.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from typing import cast

import msgspec
import uvloop

BODY_BYTES = 1024


class Report(msgspec.Struct, frozen=True):
    """What came of it; latencies in milliseconds."""

    answers: int
    seconds: float
    refused: dict[str, int]
    p50: float
    p99: float


class Poster(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: LoadRun, number: int) -> None:
        self._run = run
        self._number = number
        self._sent = 0
        self._sent_at = 0.0
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._post()

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        if not _is_whole(received):
            self._received = received
            return
        self._received = b""
        now = time.perf_counter()
        self._run.answered(received[9:12], now - self._sent_at)
        if self._run.wants_more(now):
            self._post()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.closed()

    def _post(self) -> None:
        self._sent += 1
        self._run.posted += 1
        self._sent_at = time.perf_counter()
        self._transport.write(self._run.request % (self._number, self._sent))


class LoadRun:
    """All connections of one run."""

    def __init__(
        self, request: bytes, *, connections: int, seconds: float, messages: int = sys.maxsize
    ) -> None:
        self.request = request
        self.posted = 0
        self._connections = connections
        self._messages = messages
        self._began = time.perf_counter()
        self._until = self._began + seconds
        self._open = connections
        self._ended = asyncio.Event()
        self._latencies: list[float] = []
        self._refused: Counter[str] = Counter()

    async def run(self, port: int) -> Report:
        loop = asyncio.get_running_loop()
        for number in range(self._connections):
            await loop.create_connection(lambda n=number: Poster(self, n), "127.0.0.1", port)
        await self._ended.wait()
        seconds = time.perf_counter() - self._began
        self._latencies.sort()
        return Report(
            answers=len(self._latencies),
            seconds=seconds,
            refused=dict(self._refused),
            p50=self._percentile(0.50),
            p99=self._percentile(0.99),
        )

    def wants_more(self, now: float) -> bool:
        return now < self._until and self.posted < self._messages

    def answered(self, status: bytes, seconds: float) -> None:
        if status[:1] == b"2":
            self._latencies.append(seconds)
        else:
            self._refused[status.decode()] += 1

    def closed(self) -> None:
        self._open -= 1
        if not self._open:
            self._ended.set()

    def _percentile(self, share: float) -> float:
        if not self._latencies:
            return float("nan")
        return self._latencies[int(share * (len(self._latencies) - 1))] * 1e3


def _is_whole(received: bytes) -> bool:
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return False
    at = received.lower().find(b"content-length: ", 0, head)
    length = int(received[at + 16 : received.index(b"\r", at)])
    return len(received) >= head + 4 + length


def _request(key: str, seed: int) -> bytes:
    """The whole request, but for the two numbers that make its idempotency key its own."""
    body = b'{"model":"auto","background":true,"input":"%b"}'
    body %= b"x" * (BODY_BYTES - len(body) + 2)
    head = (
        f"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Idempotency-Key: {seed}-%d-%d\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--messages", type=int, default=sys.maxsize)
    parser.add_argument("--key", required=True)
    wanted = parser.parse_args()

    async def run() -> Report:
        request = _request(wanted.key, time.time_ns())
        load = LoadRun(
            request,
            connections=wanted.connections,
            seconds=wanted.seconds,
            messages=wanted.messages,
        )
        return await load.run(wanted.port)

    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run())) + b"\n")


if __name__ == "__main__":
    main()
