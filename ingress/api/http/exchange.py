"""One HTTP request and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from ingress.api.http.error_answer import Header
from ingress.api.http.errors import HttpRefusal
from ingress.api.http.wire import Disconnected, HttpAnswer, IncomingBody, Line
from shared.clock import Clock
from shared.identifiers import REQUEST, new_id

JSON: Final = b"application/json"
BYTES: Final = b"application/octet-stream"
EVENT_STREAM: Final = b"text/event-stream; charset=utf-8"
_READ_OVER_BYTES: Final = 65_536
"""A body that nobody wanted and that may be larger is not read: its connection is closed."""
BODY_LIMIT: Final = "ingress.body_limit_bytes"
_NO_PARAMETERS: Final[Mapping[str, str]] = {}


class RequestHead(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before the body of a request; headers by their names in lower case."""

    method: str
    path: str
    query: bytes = b""
    headers: dict[bytes, bytes] = {}
    keep_alive: bool = True
    expects_continue: bool = False


class Exchange(HttpAnswer):
    """Reads a request, writes an answer. Every answer carries the request's id.

    `parameters` are the parts of the path that `route` names, `asked` the query as it came.
    """

    __slots__ = (
        "_answered",
        "_began",
        "_clock",
        "_is_begun",
        "_is_read",
        "_wake",
        "added",
        "asked",
        "body",
        "headers",
        "parameters",
        "path",
        "request_id",
        "route",
    )

    def __init__(self, line: Line, head: RequestHead, clock: Clock) -> None:
        super().__init__(line, head.method, keep_alive=head.keep_alive)
        self._clock = clock
        self._began = clock.monotonic()
        self._answered: float | None = None
        self._is_begun = self._is_read = False
        self._wake: asyncio.Event | None = None
        self.body = IncomingBody(line, awaits_us=head.expects_continue)
        self.asked = head.query
        self.path = head.path
        self.headers = head.headers
        self.request_id = new_id(REQUEST)
        self.route = "unmatched"
        self.parameters = _NO_PARAMETERS
        self.added: tuple[Header, ...] = ()

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
        text = self.asked.decode("latin-1")
        return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))

    @property
    def declared_bytes(self) -> int:
        """How large the body says that it is; 0 where it says nothing."""
        declared = self.headers.get(b"content-length", b"0")
        return int(declared) if declared.isdigit() else 0

    def lose(self) -> None:
        """Nobody is at the other end any more."""
        self.gone = True
        self.body.lose()
        if self._wake is not None:
            self._wake.set()

    async def read_body(self, *, limit_bytes: int) -> bytes:
        """The whole body; raises HttpRefusal above the limit, Disconnected when it is cut off."""
        if self.declared_bytes > limit_bytes:
            raise _too_large(limit_bytes)
        body = await self.body.take()
        if not self.body.is_whole:
            rest = self._pieces_from(body, limit_bytes)
            return b"".join([piece async for piece in rest])
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
        self._is_read = True
        return body

    async def read_pieces(
        self, *, limit_bytes: int, setting: str = BODY_LIMIT
    ) -> AsyncIterator[bytes]:
        """The body as it comes, and no more than the next piece; raises what `read_body` does."""
        self._is_begun = True
        async for piece in self._pieces_from(await self.body.take(), limit_bytes, setting):
            yield piece

    async def answer(
        self,
        status: int,
        body: bytes,
        headers: Iterable[Header] = (),
        *,
        content_type: bytes = JSON,
    ) -> None:
        """The whole answer at once."""
        length = b"%d" % len(body)
        start = [(b"content-type", content_type), (b"content-length", length), *headers]
        if await self._starts(status, start):
            self._write_whole(status, start, body, is_closed=self._is_unread())

    async def answer_nothing(self, status: int, headers: Iterable[Header]) -> None:
        """A status that has no body, such as 204."""
        if await self._starts(status, start := [*headers]):
            self._write_whole(status, start, b"", is_closed=self._is_unread())

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
        if await self._starts(200, start):
            self._begin(200, start, size=None, is_closed=self._is_unread())
        async for chunk in chunks:
            await self._send(chunk)
        await self._send(b"", is_last=True)

    async def answer_pieces(
        self, pieces: AsyncIterator[bytes], *, size: int | None, headers: Iterable[Header] = ()
    ) -> None:
        """An answer of `size` bytes, if that is known; a piece is asked for when there is room.

        Raises what the pieces raise, and Disconnected when the caller is gone before the end.
        """
        length = () if size is None else ((b"content-length", b"%d" % size),)
        start = [(b"content-type", BYTES), *length, *headers]
        if await self._starts(200, start):
            self._begin(200, start, size=size, is_closed=self._is_unread())
        if self.method != "HEAD":
            with self.watching(asyncio.Event()):
                async for piece in pieces:
                    if self.gone:
                        raise Disconnected
                    await self._send(piece)
        await self._send(b"", is_last=True)

    @contextmanager
    def watching(self, wake: asyncio.Event) -> Iterator[None]:
        """While inside, a caller that hangs up sets `wake`. The body must be read."""
        if self.gone:
            wake.set()
        else:
            self.line.flow.resume_reading()  # of one that is not read nobody hears its end
        self._wake = wake
        try:
            yield
        finally:
            self._wake = None

    def is_wanted(self) -> bool:
        """Whether somebody still waits for the answer."""
        return not self.gone

    async def _starts(self, status: int, headers: list[Header]) -> bool:
        """Whether there is somebody to begin the answer for; its headers get what all have."""
        if self.status:
            raise RuntimeError("The answer has begun already.")
        self.status = status
        self._answered = self._clock.monotonic()
        self.body.awaits_us = False
        headers.append((b"x-request-id", self.request_id.encode()))
        headers += self.added
        return await self._has_room()

    async def _send(self, piece: bytes, *, is_last: bool = False) -> None:
        if await self._has_room():
            self._go_on(piece, is_last=is_last)

    async def _has_room(self) -> bool:
        """Waits until more can be written; False where nobody is left to read it."""
        if self.line.flow.write_paused and not self.gone:
            await self.line.flow.drain()
        return not self.gone

    def _is_unread(self) -> bool:
        """Whether there is more of the body than is worth reading over for the next request."""
        is_large = self._is_begun or self.declared_bytes > _READ_OVER_BYTES
        return is_large and not self._is_read

    async def _pieces_from(
        self, piece: bytes, limit_bytes: int, setting: str = BODY_LIMIT
    ) -> AsyncIterator[bytes]:
        self._is_begun = True
        size = len(piece)
        while True:
            if max(size, self.declared_bytes) > limit_bytes:
                raise _too_large(limit_bytes, setting)
            yield piece
            if self.body.is_taken:
                self._is_read = True
                return
            piece = await self.body.take()
            size += len(piece)


def _too_large(limit_bytes: int, setting: str = BODY_LIMIT) -> HttpRefusal:
    return HttpRefusal(
        413,
        f"The body is larger than {limit_bytes} bytes, images and files counted ('{setting}'). "
        "Send less.",
        code="request_too_large",
    )


Endpoint = Callable[[Exchange], Awaitable[None]]
