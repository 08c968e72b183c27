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
BYTES: Final = b"application/octet-stream"
EVENT_STREAM: Final = b"text/event-stream; charset=utf-8"
_READ_OVER_BYTES: Final = 65_536
"""A body that nobody wanted and that may be larger is not read: its connection is closed."""
BODY_LIMIT: Final = "ingress.body_limit_bytes"
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
        "_is_begun",
        "_is_read",
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
        self._is_begun = self._is_read = False
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

    @property
    def declared_bytes(self) -> int:
        """How large the body says that it is; 0 where it says nothing."""
        declared = self.headers.get(b"content-length", b"0")
        return int(declared) if declared.isdigit() else 0

    async def read_body(self, *, limit_bytes: int) -> bytes:
        """The whole body; raises HttpRefusal above the limit, Disconnected when it is cut off."""
        if self.declared_bytes > limit_bytes:
            raise _too_large(limit_bytes)
        message = await self._receive()
        body: bytes = message.get("body", b"")
        if message["type"] == "http.request" and not message.get("more_body", False):
            if len(body) > limit_bytes:
                raise _too_large(limit_bytes)
            self._is_read = True
            return body
        rest = self.read_pieces(limit_bytes=limit_bytes, first=message)
        return b"".join([piece async for piece in rest])

    async def read_pieces(
        self, *, limit_bytes: int, first: Message | None = None, setting: str = BODY_LIMIT
    ) -> AsyncIterator[bytes]:
        """The body as it comes, behind `first`, which was received already; no more is read than
        the next piece. Raises what `read_body` raises."""
        self._is_begun = True
        size, message = 0, first or await self._receive()
        while True:
            if message["type"] == "http.disconnect":
                raise Disconnected
            piece: bytes = message.get("body", b"")
            size += len(piece)
            if size > limit_bytes:
                raise _too_large(limit_bytes, setting)
            yield piece
            if not message.get("more_body", False):
                self._is_read = True
                return
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
        await self._send({"type": "http.response.body", "body": body})

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

    async def answer_pieces(
        self, pieces: AsyncIterator[bytes], *, size: int, headers: Iterable[Header] = ()
    ) -> None:
        """An answer of `size` bytes; a piece is asked for when there is room for it.

        Raises what the pieces raise, and Disconnected when the caller is gone before the end.
        """
        start = [(b"content-type", BYTES), (b"content-length", b"%d" % size), *headers]
        await self.send({"type": "http.response.start", "status": 200, "headers": start})
        if self.method != "HEAD":
            with self.watching(asyncio.Event()):
                async for piece in pieces:
                    if self.gone:
                        raise Disconnected
                    await self.send(
                        {"type": "http.response.body", "body": piece, "more_body": True}
                    )
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
            if not self._is_read and (self._is_begun or self.declared_bytes > _READ_OVER_BYTES):
                message["headers"].append((b"connection", b"close"))
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


def _too_large(limit_bytes: int, setting: str = BODY_LIMIT) -> HttpRefusal:
    return HttpRefusal(
        413,
        f"The body is larger than {limit_bytes} bytes, images and files counted ('{setting}'). "
        "Send less.",
        code="request_too_large",
    )


Endpoint = Callable[[Exchange], Awaitable[None]]
