"""One HTTP request and its answer, over ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
)
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qsl

from ingress.api.http.errors import HttpRefusal
from shared.clock import Clock

# As ASGI has them.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Header = tuple[bytes, bytes]

JSON: Final = b"application/json"
EVENT_STREAM: Final = b"text/event-stream; charset=utf-8"
_NO_PARAMETERS: Final[Mapping[str, str]] = {}


class Disconnected(Exception):
    """The caller hung up before its request was complete; nobody is left to be answered."""


class Exchange:
    """Reads a request, writes an answer. Every answer carries the request's id.

    `parameters` are the parts of the path that `route` names.
    """

    __slots__ = (
        "_answered",
        "_began",
        "_clock",
        "_receive",
        "_send",
        "added",
        "gone",
        "headers",
        "parameters",
        "request_id",
        "route",
        "scope",
        "status",
    )

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, clock: Clock, *, request_id: str
    ) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._answered: float | None = None
        self.scope = scope
        self.request_id = request_id
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.route = "unmatched"
        self.parameters: Mapping[str, str] = _NO_PARAMETERS
        self.status = 0
        self.gone = False
        self.added: tuple[Header, ...] = ()
        self._receive = receive
        self._send = send

    @property
    def path(self) -> str:
        path: str = self.scope["path"]
        return path

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def seconds_to_answer(self) -> float:
        """From the request's arrival to the start of its answer, or to now without one."""
        return (self._answered or self._clock.monotonic()) - self._began

    def header(self, name: bytes) -> str | None:
        """A header's value, None when it is absent; `name` in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1").strip()

    def query(self) -> dict[str, str]:
        """The query's parameters; a repeated one counts once, the last time."""
        text = self.scope["query_string"].decode("latin-1")
        return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))

    async def read_body(self, *, limit_bytes: int) -> bytes:
        """The whole body; raises HttpRefusal above the limit, Disconnected when it is cut off."""
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit_bytes:
            raise _too_large(limit_bytes)
        message = await self._receive()
        body: bytes = message.get("body", b"")
        if message["type"] == "http.request" and not message.get("more_body", False):
            if len(body) > limit_bytes:
                raise _too_large(limit_bytes)
            return body
        return await self._read_rest(message, limit_bytes)

    async def _read_rest(self, message: Message, limit_bytes: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limit_bytes:
                raise _too_large(limit_bytes)
            if not message.get("more_body", False):
                return b"".join(chunks)
            message = await self._receive()

    async def answer(
        self,
        status: int,
        body: bytes,
        headers: Iterable[Header] = (),
        *,
        content_type: bytes = JSON,
    ) -> None:
        """The whole answer at once."""
        await self.send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", content_type),
                    (b"content-length", b"%d" % len(body)),
                    *headers,
                ],
            }
        )
        await self.send({"type": "http.response.body", "body": body})

    async def answer_stream(
        self, chunks: AsyncIterator[bytes], headers: Iterable[Header] = ()
    ) -> None:
        """Server-sent events, each chunk as soon as it is there."""
        start: list[Header] = [
            (b"content-type", EVENT_STREAM),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            *headers,
        ]
        await self.send({"type": "http.response.start", "status": 200, "headers": start})
        async for chunk in chunks:
            await self.send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def send(self, message: Message) -> None:
        """Pass one ASGI message on; the first one is given the request's id and what is `added`."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._answered = self._clock.monotonic()
            message["headers"] = [
                *message.get("headers", ()),
                (b"x-request-id", self.request_id.encode()),
                *self.added,
            ]
        await self._send(message)

    @contextmanager
    def watching(self, wake: asyncio.Event) -> Iterator[None]:
        """While inside, a caller that hangs up sets `gone` and `wake`. The body must be read."""
        watcher = asyncio.get_running_loop().create_task(self._watch(wake))
        try:
            yield
        finally:
            watcher.cancel()

    def is_wanted(self) -> bool:
        """Whether somebody still waits for the answer."""
        return not self.gone

    async def _watch(self, wake: asyncio.Event) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        wake.set()


def _too_large(limit_bytes: int) -> HttpRefusal:
    return HttpRefusal(
        413,
        f"The body is larger than {limit_bytes} bytes. Send less.",
        code="request_too_large",
        headers=((b"connection", b"close"),),
    )


Endpoint = Callable[[Exchange], Awaitable[None]]
