"""HTTP/1.1 as the door speaks it: httptools reads it, with an end to what nobody may send."""

from __future__ import annotations

import asyncio
import math
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

import httptools
from prometheus_client import Counter
from uvicorn.server import ServerState

from ingress.api.http.border import Border
from ingress.api.http.connection import Connection
from ingress.api.http.exchange import RequestHead
from ingress.api.http.unreadable import Unreadable
from shared.settings.door import IngressSettings

_FRAMING_PER_BYTE: Final = 8
"""A chunk of one byte costs five more; whoever spends more than that sends something else."""
_HOSTS_NEEDED: Final = {"1.0": 0, "1.1": 1}
"""By version; others are not spoken."""
_LINGER_SECONDS: Final = 1.0
_AROUND_HEADER: Final = len(b": \r\n")
_TARGETS: Final = 64
"""How many targets of requests are remembered as they were read; most come again and again."""


class Part(Enum):
    """What a connection is in the middle of reading."""

    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


# Looked up once: a member of an enum costs as much as the comparison it is for, many times over.
_HEAD, _BODY, _NOTHING = Part


class DoorProtocol(Connection):
    """A connection as it is read.

    Every head and every body has an end in bytes and in time: what is larger, slower or malformed
    is answered with an error and the connection closed; nothing behind it is read. Requests that
    were whole before it are answered first, so that no answer is taken for another's. Trailers
    are read over and never become headers.

    One timer watches a connection, however many requests pass.
    """

    def __init__(
        self,
        *,
        server_state: ServerState,
        border: Border,
        limits: IngressSettings,
        refusals: Counter,
        **_: Any,
    ) -> None:
        """`refusals` counts by route, method and status. What else uvicorn gives is not needed."""
        super().__init__(server_state, border)
        self._limits = limits
        self._timed_bytes = self._paced_bytes = min(
            limits.text_limit_bytes, limits.body_limit_bytes
        )
        self._refusals = refusals
        self._look_seconds = min(limits.head_timeout_seconds, limits.body_timeout_seconds)
        self._watch: asyncio.TimerHandle | None = None
        self._parser: Any = httptools.HttpRequestParser(self)
        # A request behind one that is the last ends the connection when that is answered.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._fault = Unreadable.MALFORMED
        self._target = b""
        self._forget_head()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._begin(_HEAD, self._limits.head_timeout_seconds)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)
        self._parser = None  # it knows us

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        if self._part is _NOTHING:
            self._begin(_HEAD, self._limits.head_timeout_seconds)
        self._read_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing else is spoken here. The request itself is answered; what follows is not.
            self._end_behind_answers()
        except httptools.HttpParserError:
            self._refuse(self._fault)
        else:
            if self._read_bytes > self._limits.head_limit_bytes and (fault := self._excess()):
                self._refuse(fault)

    def on_message_begin(self) -> None:
        if self._part is _HEAD:
            self._due = self._loop.time() + self._limits.head_timeout_seconds
        else:
            # It begins where another request ended: of it, only what comes later is counted.
            self._begin(_HEAD, self._limits.head_timeout_seconds)
        self._target = b""
        self._forget_head()

    def on_url(self, piece: bytes) -> None:
        self._target += piece
        self._head_bytes += len(piece)

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self._head_bytes += _AROUND_HEADER + len(name) + len(value)
        if name == b"host":
            self._hosts += 1
        elif name == b"expect" and value.lower() == b"100-continue":
            self._expects_continue = True
        self._headers[name] = value

    def on_headers_complete(self) -> None:
        if self._head_bytes > self._limits.head_limit_bytes:
            self._fault = Unreadable.HEAD_TOO_LARGE
            raise _HeadRefused
        version = self._parser.get_http_version()
        if self._hosts > 1 or self._hosts < _HOSTS_NEEDED.get(version, math.inf):
            raise _HeadRefused
        path, query = _read_target(self._target)
        self._hand_over(
            RequestHead(
                method=self._parser.get_method().decode("ascii"),
                path=path,
                query=query,
                headers=self._headers,
                keep_alive=version != "1.0" and self._parser.should_keep_alive(),
                expects_continue=self._expects_continue,
            )
        )
        self._forget_head()  # the request has it; what comes from here on are trailers
        self._begin(_BODY, self._limits.body_timeout_seconds)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._timed_bytes:
            # Only images and files are so large: as many bytes again have the same time again.
            self._timed_bytes = self._body_bytes + self._paced_bytes
            self._due = self._loop.time() + self._limits.body_timeout_seconds
        if unanswered := self._unanswered():
            unanswered.body.feed(body)

    def on_message_complete(self) -> None:
        if unanswered := self._unanswered():
            unanswered.body.end()
            self._part, self._due = _NOTHING, math.inf
        else:
            self._begin(_HEAD, self._limits.idle_timeout_seconds)

    def _rest(self) -> None:
        if self._part is _NOTHING:
            self._begin(_HEAD, self._limits.idle_timeout_seconds)

    def _begin(self, part: Part, seconds: float) -> None:
        self._part = part
        self._read_bytes = self._body_bytes = 0
        self._timed_bytes = self._paced_bytes
        self._due = self._loop.time() + seconds

    def _forget_head(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = self._hosts = 0
        self._expects_continue = False

    def _excess(self) -> Unreadable | None:
        """What is wrong where more was read of one part than a head may have."""
        if self._part is _HEAD:
            return Unreadable.HEAD_TOO_LARGE
        if self._part is _NOTHING:
            return None
        framing = self._read_bytes - self._body_bytes
        most = self._limits.head_limit_bytes + _FRAMING_PER_BYTE * self._body_bytes
        is_for_nobody = self._unanswered() is None and self._body_bytes > self._paced_bytes
        return Unreadable.MALFORMED if framing > most or is_for_nobody else None

    def _look(self) -> None:
        """Look again when the part that is read now is due, or may have become another."""
        if self._is_deaf:
            return  # it ends behind its last answer
        now = self._loop.time()
        if self.flow.read_paused:
            self._due = max(self._due, now + self._look_seconds)  # it is we who do not read
        if now >= self._due:
            is_head = self._part is _HEAD
            self._refuse(Unreadable.HEAD_TOO_SLOW if is_head else Unreadable.BODY_TOO_SLOW)
            return
        self._watch = self._loop.call_at(min(self._due, now + self._look_seconds), self._look)

    def _refuse(self, fault: Unreadable) -> None:
        """Answer with the fault if it is this request's turn, and close behind all answers."""
        unanswered = self._unanswered()
        self._is_deaf = True
        if self._part is _HEAD and fault is Unreadable.HEAD_TOO_SLOW and not self._read_bytes:
            self.transport.close()  # nobody began anything
            return
        self._refusals.labels("unmatched", "other", str(fault.status)).inc()
        if self._part is _BODY and self._behind:
            self._behind.pop()  # whole requests before it are still to be answered
        elif unanswered is None:
            self._say(fault, is_heard=self._part is _HEAD)
        elif self._part is _BODY and not unanswered.status:
            unanswered.lose()
            self._say(fault, is_heard=True)
        else:
            self._end_behind_answers()

    def _say(self, fault: Unreadable, *, is_heard: bool) -> None:
        if not is_heard or self.transport.is_closing():
            self.transport.close()
            return
        self.transport.write(fault.answer(self._target))
        self._linger()

    def _linger(self) -> None:
        """Closed at once, with something still unread, the other side would lose the answer too."""
        self._is_deaf = True
        self.transport.write_eof()
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self._loop.call_later(_LINGER_SECONDS, self.transport.close)


@lru_cache(_TARGETS)
def _read_target(target: bytes) -> tuple[str, bytes]:
    """The path and the query of what a request asks for."""
    url = httptools.parse_url(target)
    path = url.path.decode("ascii")
    return unquote(path) if "%" in path else path, url.query or b""


class _HeadRefused(Exception):
    """Leaves the parser; what is wrong was noted before."""
