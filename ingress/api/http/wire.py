"""What travels on a connection: the body of a request as it comes, an answer as it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final, Protocol

from uvicorn.protocols.http.flow_control import FlowControl

from ingress.api.http.error_answer import Header

_STATUS_LINES: Final = {
    one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus
}
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_HELD_BYTES: Final = 65_536
"""Of a body that nobody reads yet: while more is held, nothing is read from the connection."""
_CLOSE: Final = (b"connection", b"close")
_BODILESS: Final = frozenset({204, 304})
_FORBIDDEN: Final = bytes({*range(0x20), 0x7F} - set(b"\t\r\n"))


class Line(Protocol):
    """As much of a connection as a request and its answer need."""

    client: str | None
    """The address of who is at the other end."""
    transport: asyncio.Transport
    flow: FlowControl

    @property
    def usual_headers(self) -> Sequence[Header]:
        """Those that every answer carries; one of them may close the connection behind it."""
        ...

    def answered(self) -> None:
        """The answer is written whole: the next may begin, if this was not the last."""
        ...


class Disconnected(Exception):
    """The caller hung up before its request was complete; nobody is left to be answered."""


class IncomingBody:
    """The body of one request, given on as it comes."""

    __slots__ = ("_held_bytes", "_is_lost", "_line", "_pieces", "_reader", "awaits_us", "is_whole")

    def __init__(self, line: Line, *, awaits_us: bool) -> None:
        """With `awaits_us` its sender waits to be told that it is wanted."""
        self._line = line
        self.awaits_us = awaits_us
        self.is_whole = self._is_lost = False
        self._pieces: list[bytes] = []
        self._held_bytes = 0
        self._reader: asyncio.Future[None] | None = None

    @property
    def is_taken(self) -> bool:
        """Whether all of it has come and was taken."""
        return self.is_whole and not self._pieces

    def feed(self, piece: bytes) -> None:
        """So much more of it has come."""
        self._pieces.append(piece)
        self._held_bytes += len(piece)
        if self._held_bytes > _HELD_BYTES:
            self._line.flow.pause_reading()
        self._wake()

    def end(self) -> None:
        """All of it has come."""
        self.is_whole = True
        self._wake()

    def lose(self) -> None:
        """No more of it will come."""
        self._is_lost = True
        self._wake()

    async def take(self) -> bytes:
        """What has come since it was asked before, at least a byte before the end.

        Raises Disconnected when no more will come.
        """
        if not self._is_lost:
            self._ask()
        while not (self._pieces or self.is_whole or self._is_lost):
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if self._is_lost:
            raise Disconnected
        taken = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._held_bytes = 0
        return taken

    def _ask(self) -> None:
        self._line.flow.resume_reading()
        if self.awaits_us and not self._line.transport.is_closing():
            self.awaits_us = False
            self._line.transport.write(_CONTINUE)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class HttpAnswer:
    """Writes one answer; `status` is 0 before it begins.

    A header that would end its line, or holds what no header may, is never written. Where the
    length of the body is known, the head waits for its first piece; where it is not, all that is
    said in one turn of the loop leaves together. Nothing is written to who is `gone`.
    """

    __slots__ = (
        "_bytes_left",
        "_is_chunked",
        "_is_due",
        "_waiting",
        "gone",
        "is_whole",
        "keep_alive",
        "line",
        "method",
        "status",
    )

    def __init__(self, line: Line, method: str, *, keep_alive: bool) -> None:
        self.line = line
        self.method = method
        self.keep_alive = keep_alive
        self.gone = self.is_whole = False
        self.status = 0
        self._waiting = b""
        self._is_chunked = self._is_due = False
        self._bytes_left = 0

    def break_off(self) -> None:
        """The rest of an answer that has begun will not come."""
        if self._is_chunked and not self.is_whole and not self.gone:
            self._go_on(b"", is_last=True)
        else:
            self.hang_up()

    def hang_up(self) -> None:
        """Let nobody take what was written so far for the whole."""
        if not self.is_whole and not self.gone:
            self.line.transport.close()

    def _write_whole(
        self, status: int, headers: Iterable[Header], body: bytes, *, is_closed: bool
    ) -> None:
        head = self._head(status, headers, is_closed=is_closed)
        self.line.transport.write(head if self.method == "HEAD" else head + body)
        self._end()

    def _begin(
        self, status: int, headers: Iterable[Header], *, size: int | None, is_closed: bool
    ) -> None:
        """The head, before a body of so many bytes; None where that is not known."""
        bodiless = self.method == "HEAD" or status in _BODILESS
        self._is_chunked = size is None and not bodiless
        self._bytes_left = 0 if bodiless else size or 0
        self._waiting = self._head(status, headers, is_closed=is_closed)
        if self._is_chunked:
            self._write_soon()
        elif not self._bytes_left:
            self._write()

    def _go_on(self, piece: bytes, *, is_last: bool) -> None:
        if self._is_chunked:
            if piece:
                self._waiting += b"%x\r\n%b\r\n" % (len(piece), piece)
            if is_last:
                self._write(b"0\r\n\r\n")
            else:
                self._write_soon()
        elif self.method != "HEAD":
            self._bytes_left -= len(piece)
            if self._bytes_left < 0 or (is_last and self._bytes_left):
                raise RuntimeError("The body is not as long as was said.")
            self._write(piece)
        if is_last:
            self._end()

    def _head(self, status: int, headers: Iterable[Header], *, is_closed: bool) -> bytes:
        usual = self.line.usual_headers
        lines = [_STATUS_LINES[status]]
        lines += [b"%b: %b\r\n" % header for header in usual]
        lines += [b"%b: %b\r\n" % header for header in headers]
        if _CLOSE in usual:
            self.keep_alive = False
        elif is_closed or not self.keep_alive:
            self.keep_alive = False
            lines.append(b"%b: %b\r\n" % _CLOSE)
        if self._is_chunked:
            lines.append(b"transfer-encoding: chunked\r\n")
        head = b"".join(lines)
        # Deleting bytes and looking at what is left is the fastest search there is.
        is_clean = len(head.translate(None, _FORBIDDEN)) == len(head)
        if not is_clean or not head.count(b"\r") == head.count(b"\n") == len(lines):
            raise RuntimeError("A header holds what no header may.")
        return head + b"\r\n"

    def _end(self) -> None:
        self.is_whole = True
        self.line.answered()

    def _write_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self, piece: bytes = b"") -> None:
        self._is_due = False
        if self._waiting:
            piece, self._waiting = self._waiting + piece, b""
        if piece and not self.gone:
            self.line.transport.write(piece)
