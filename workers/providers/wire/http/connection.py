"""A connection to a server: one request at a time, and its answer as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

import httptools

from shared.errors import ForebayError
from workers.providers.wire.http.content_encoding import PACKED, Unpacking

_BESIDE_LIMIT_BYTES: Final = 65_536
"""Of a head; and, between two pieces of a body, of what is neither: sizes of chunks, trailers."""
_UNREAD_LIMIT_BYTES: Final = 131_072
"""With so much waiting to be read, the server has to wait too."""
_READ_HEADERS: Final = {
    name.lower().encode(): name
    for name in (
        "Content-Type",
        "Content-Length",
        "Content-Encoding",
        "Transfer-Encoding",
        "Retry-After",
        "retry-after-ms",
    )
}
"""All that anybody here reads of an answer's head; the rest is not kept."""
_SWITCHING_PROTOCOLS: Final = 101


class BrokenAnswerError(ForebayError):
    """The connection ended before the answer did; or, where `is_http` is false, no HTTP came."""

    code = "broken_answer"
    retryable = True

    def __init__(self, message: str, *, is_http: bool = True) -> None:
        super().__init__(message)
        self.is_http = is_http


class HttpConnection(asyncio.Protocol):
    """Sends a request, gives the head of its answer, then its body piece by piece.

    It lays itself on `free` when an answer was left and has ended, and another request may be
    sent; `when_lost` is called when it is gone. Whatever comes unasked closes it. Memory is
    bounded: a head beyond 64 KiB is no HTTP, and a body that nobody reads stays on the wire.
    """

    def __init__(
        self, free: list[HttpConnection], when_lost: Callable[[HttpConnection], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._free, self._when_lost = free, when_lost
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._closing: asyncio.TimerHandle | None = None
        self.free_since = 0.0
        self._forget()

    def _forget(self) -> None:
        self._parser: httptools.HttpResponseParser | None = None
        self.status = 0
        """0 until the head of the answer is there."""
        self.headers: dict[str, str] = {}
        self.has_ended = False
        self._is_kept = self._ends_with_connection = self._is_left = False
        self._failure: BrokenAnswerError | None = None
        self._unpacking: Unpacking | None = None
        self._pieces: list[bytes] = []
        self._unread_bytes = self._beside_bytes = 0

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, head: bytes, body: bytes, *, is_kept: bool = True) -> None:
        """Ask; `is_kept` is whether another request may follow this one."""
        if self._transport is None:
            raise BrokenAnswerError("the server closed the connection")
        self._is_kept = is_kept
        self._parser = httptools.HttpResponseParser(self)
        # What aiohttp takes from servers too.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        try:
            self._transport.writelines((head, body))
        except RuntimeError as error:
            # uvloop's word for a connection that its peer has reset.
            raise BrokenAnswerError(str(error)) from error

    def arrival(self) -> asyncio.Future[None]:
        """Done when more has come, for one who waits alone; raises `BrokenAnswerError` where
        nothing more can come."""
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        return self._waiter

    def read(self) -> bytes:
        """What is here of the body, or a part of it where it came packed; else nothing."""
        try:
            if self._unpacking is None:
                return self._taken()
            return self._unpacking.rest() or self._unpacking.unpacked(self._taken())
        except ValueError as error:
            raise BrokenAnswerError(str(error)) from error

    def _taken(self) -> bytes:
        pieces = self._pieces
        if not pieces:
            return b""
        if self._unread_bytes > _UNREAD_LIMIT_BYTES and self._transport is not None:
            self._transport.resume_reading()
        self._pieces, self._unread_bytes = [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def leave(self, *, rest_within_seconds: float = 0.0) -> None:
        """Nobody reads on. It is closed unless the rest of the answer comes within that time."""
        if self.has_ended:
            self._be_free()
        elif not rest_within_seconds or not self.is_open:
            self.abort()
        else:
            self._is_left = True
            self._taken()
            self._closing = self._loop.call_later(rest_within_seconds, self.abort)

    def abort(self) -> None:
        """Close it at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def _be_free(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        transport, is_kept = self._transport, self._is_kept
        if transport is None:
            return
        if is_kept and not transport.is_closing() and not transport.get_write_buffer_size():
            self._forget()
            self.free_since = self._loop.time()
            self._free.append(self)
        else:
            self.abort()

    def _fail(self, message: str, *, is_http: bool = True) -> None:
        if not self.has_ended and self._failure is None:
            self._failure = BrokenAnswerError(message, is_http=is_http)

    def _end(self, *, is_kept: bool) -> None:
        self.has_ended, self._is_kept = True, is_kept

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            self.abort()
            return
        self._beside_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end(is_kept=False)
        except httptools.HttpParserError as error:
            self._is_kept = False
            self._fail(str(error.__context__ or error), is_http=False)
        if self._beside_bytes > _BESIDE_LIMIT_BYTES:
            self._fail(f"more than {_BESIDE_LIMIT_BYTES} bytes beside its body", is_http=False)
        if self._failure is not None:
            self.abort()
        if self._is_left and self.has_ended:
            self._be_free()
        else:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = self._parser = None
        if self._ends_with_connection and self._failure is None:
            self._end(is_kept=False)
        self._fail(str(exc or "the server closed the connection"))
        if self._closing is not None:
            self._closing.cancel()
        self._wake()
        self._when_lost(self)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.has_ended:
            raise ValueError("an answer that nobody asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        if b"\0" in value:
            raise ValueError("a header with a zero byte")
        if known := _READ_HEADERS.get(name.lower()):
            self.headers.setdefault(known, value.decode("latin-1").strip())

    def on_headers_complete(self) -> None:
        parser = self._parser
        status = parser.get_status_code() if parser is not None else 0
        if self.status or (status < 200 and status != _SWITCHING_PROTOCOLS):
            self.headers.clear()
            return
        headers = self.headers
        self._is_kept = self._is_kept and parser is not None and parser.should_keep_alive()
        is_chunked = headers.get("Transfer-Encoding", "").lower().endswith("chunked")
        self._ends_with_connection = not is_chunked and "Content-Length" not in headers
        if (packed := headers.get("Content-Encoding", "").lower()) in PACKED:
            self._unpacking = Unpacking(packed)
        self.status = status

    def on_body(self, body: bytes) -> None:
        self._beside_bytes = 0
        if self._is_left:
            return
        was_full = self._unread_bytes > _UNREAD_LIMIT_BYTES
        self._pieces.append(body)
        self._unread_bytes += len(body)
        if not was_full and self._unread_bytes > _UNREAD_LIMIT_BYTES and self._transport:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self.status:
            self._end(is_kept=self._is_kept)


def taken(free: list[HttpConnection]) -> HttpConnection | None:
    """Off the stack the connection that was used last and still stands."""
    while free:
        connection = free.pop()
        if connection.is_open:
            return connection
    return None
