"""One request and its answer: uvicorn's cycle, with a head that leaves together with its body."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

import httptools
from uvicorn._types import HTTPScope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_BODILESS: Final = frozenset({204, 304})
_FORBIDDEN: Final = bytes({*range(0x20), 0x7F} - set(b"\t\r\n"))


def read_request_line(scope: HTTPScope, parser: Any, target: bytes) -> None:
    """What the first line of a request says, into its scope."""
    url = httptools.parse_url(target)
    path = url.path.decode("ascii")
    scope["method"] = parser.get_method().decode("ascii")
    scope["http_version"] = parser.get_http_version()
    scope["path"] = unquote(path) if "%" in path else path
    scope["raw_path"] = url.path
    scope["query_string"] = url.query or b""


class AnswerCycle(RequestResponseCycle):
    """Sends what the application says, as uvicorn does, in fewer steps.

    A header that would end its line, or holds what no header may, is never written. Where the
    length of the body is known, the head waits for its first piece; where it is not, all that is
    said in one turn of the loop leaves together.
    """

    _waiting: bytes = b""
    _is_due: bool = False

    async def send(self, message: Any) -> None:
        """One ASGI message; raises RuntimeError for one out of turn."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            _expect(message, "http.response.start")
            self.response_started = True
            self.waiting_for_100_continue = False
            self._begin(message["status"], message["headers"])
        elif not self.response_complete:
            _expect(message, "http.response.body")
            self._go_on(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError("The answer is whole already.")

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        lines = [STATUS_LINE[status]]
        is_closed = False
        self.chunked_encoding = self.scope["method"] != "HEAD" and status not in _BODILESS
        for name, value in (*self.default_headers, *headers):
            if name == b"content-length":
                self.chunked_encoding = False
                self.expected_content_length = int(value)
            elif name == b"connection" and value == b"close":
                is_closed = True
            lines.append(b"%b: %b\r\n" % (name, value))
        if is_closed:
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(b"connection: close\r\n")
        if self.chunked_encoding:
            lines.append(b"transfer-encoding: chunked\r\n")
        head = b"".join(lines)
        # Deleting bytes and looking at what is left is the fastest search there is.
        is_clean = len(head.translate(None, _FORBIDDEN)) == len(head)
        if not is_clean or not head.count(b"\r") == head.count(b"\n") == len(lines):
            raise RuntimeError("A header holds what no header may.")
        self._waiting = head + b"\r\n"
        if self.chunked_encoding:
            self._write_soon()
        elif not self.expected_content_length:
            self._write()

    def _go_on(self, body: bytes, *, is_last: bool) -> None:
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            self._write()
        elif self.chunked_encoding:
            if body:
                self._waiting += b"%x\r\n%b\r\n" % (len(body), body)
            if is_last:
                self._write(b"0\r\n\r\n")
            else:
                self._write_soon()
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0 or (is_last and self.expected_content_length):
                raise RuntimeError("The body is not as long as was said.")
            self._write(body)
        if is_last:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()

    def _write_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self, piece: bytes = b"") -> None:
        self._is_due = False
        if self._waiting:
            piece, self._waiting = self._waiting + piece, b""
        if piece and not self.disconnected:
            self.transport.write(piece)


def _expect(message: Any, kind: str) -> None:
    if message["type"] != kind:
        raise RuntimeError(f"Expected the ASGI message '{kind}', and not '{message['type']}'.")
