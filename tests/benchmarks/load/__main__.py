"""Posts 1 KB messages over keep-alive connections, as cheaply as Python can.

`python -m tests.benchmarks.load --port P --connections N --seconds S [--messages M]` reads API keys
from its input, one a line, posts with each in its turn and prints one line of JSON: see Report.
Closed loop: a connection posts its next message when the last one is answered, until the time is
over or M were posted. With `--told FILE` it is a producer that means it: it posts what was refused
again, after as long as it was told to wait, and writes the id of each accepted message to the file.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import cycle
from pathlib import Path
from typing import BinaryIO, cast

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
        wait = self._run.answered(received, now - self._sent_at)
        if wait is not None:
            asyncio.get_running_loop().call_later(wait, self._send)
        elif self._run.wants_more(now):
            self._post()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.closed()

    def _post(self) -> None:
        self._sent += 1
        self._run.posted += 1
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        key = next(self._run.keys)
        self._transport.write(self._run.request % (key, self._number, self._sent))


class LoadRun:
    """All connections of one run."""

    def __init__(
        self,
        keys: Sequence[bytes],
        *,
        connections: int,
        seconds: float,
        messages: int = sys.maxsize,
        told: BinaryIO | None = None,
    ) -> None:
        self.request = _request(time.time_ns())
        self.keys = cycle(keys)
        self.posted = 0
        self._connections = connections
        self._messages = messages
        self._told = told
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

    def answered(self, answer: bytes, seconds: float) -> float | None:
        """After how many seconds the same is to be posted again, if it is."""
        status = answer[9:12]
        if status[:1] == b"2":
            self._latencies.append(seconds)
            if self._told is not None:
                self._told.write(_id(answer) + b"\n")
            return None
        self._refused[status.decode()] += 1
        if self._told is None or status not in {b"429", b"503"}:
            return None
        return _retry_after(answer)

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


def _id(answer: bytes) -> bytes:
    begin = answer.index(b'"id":"') + 6
    return answer[begin : answer.index(b'"', begin)]


def _retry_after(answer: bytes) -> float:
    """In seconds; a door that refuses for a while says for how long."""
    at = answer.lower().index(b"retry-after: ") + 13
    return float(answer[at : answer.index(b"\r", at)])


def _request(seed: int) -> bytes:
    """The whole request, but for its key and the two numbers that make it one of its own."""
    body = b'{"model":"auto","background":true,"input":"%b"}'
    body %= b"x" * (BODY_BYTES - len(body) + 2)
    head = (
        "POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
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
    parser.add_argument("--told", type=Path)
    wanted = parser.parse_args()

    async def run(told: BinaryIO | None) -> Report:
        load = LoadRun(
            sys.stdin.buffer.read().split(),
            connections=wanted.connections,
            seconds=wanted.seconds,
            messages=wanted.messages,
            told=told,
        )
        return await load.run(wanted.port)

    with wanted.told.open("wb") if wanted.told else nullcontext() as told:
        report = uvloop.run(run(told))
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")


if __name__ == "__main__":
    main()
