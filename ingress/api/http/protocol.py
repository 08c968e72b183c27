"""HTTP/1.1 as the door speaks it: uvicorn's protocol, with an end to what nobody may send."""

from __future__ import annotations

import asyncio
import math
from enum import Enum, auto
from typing import Any, Final, cast

import httptools
from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ingress.api.http.cycle import AnswerCycle, read_request_line
from ingress.api.http.unreadable import Unreadable
from shared.settings.door import IngressSettings

_FRAMING_PER_BYTE: Final = 8
"""A chunk of one byte costs five more; whoever spends more than that sends something else."""
_HOSTS_NEEDED: Final = {"1.0": 0, "1.1": 1}
"""By version; others are not spoken."""
_LINGER_SECONDS: Final = 1.0
_AROUND_HEADER: Final = len(b": \r\n")


class Part(Enum):
    """What a connection is in the middle of reading."""

    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


# Looked up once: a member of an enum costs as much as the comparison it is for, many times over.
_HEAD, _BODY, _NOTHING = Part


class DoorProtocol(HttpToolsProtocol):
    """One connection.

    Every head and every body has an end in bytes and in time: what is larger, slower or malformed
    is answered with an error and the connection closed; nothing behind it is read. Requests that
    were whole before it are answered first, so that no answer is taken for another's. Trailers
    are read over and never become headers.
    """

    def __init__(
        self, *given: Any, limits: IngressSettings, refusals: Counter, **named: Any
    ) -> None:
        """`refusals` counts by route, method and status."""
        super().__init__(*given, **named)
        self._limits = limits
        self._paced_bytes = min(limits.text_limit_bytes, limits.body_limit_bytes)
        self._refusals = refusals
        self._look_seconds = min(limits.head_timeout_seconds, limits.body_timeout_seconds)
        self._watch: asyncio.TimerHandle | None = None
        self._fault = Unreadable.MALFORMED
        self._is_deaf = False
        self._chunk_bytes = 0
        self._read_bytes = 0
        self._body_bytes = 0
        self._timed_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.url = b""
        self._begin(_HEAD, self._limits.head_timeout_seconds)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        if self._part is _NOTHING:
            self._begin(_HEAD, self._limits.head_timeout_seconds)
        self._chunk_bytes = len(data)
        self._read_bytes += self._chunk_bytes
        try:
            self.parser.feed_data(data)
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
            self._due = self.loop.time() + self._limits.head_timeout_seconds
        else:
            # It begins where another request ended: of it, only what comes later is counted.
            self._begin(_HEAD, self._limits.head_timeout_seconds)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        most = self._limits.head_limit_bytes
        if self._read_bytes + self._chunk_bytes > most and self._head_bytes() > most:
            self._fault = Unreadable.HEAD_TOO_LARGE
            raise _HeadRefused
        hosts = 0
        for name, _ in self.headers:
            if name == b"host":
                hosts += 1
        if hosts > 1 or hosts < _HOSTS_NEEDED.get(self.parser.get_http_version(), math.inf):
            raise _HeadRefused
        self._hand_over()
        self.headers = []  # the request has its own; what comes from here on are trailers
        self._begin(_BODY, self._limits.body_timeout_seconds)

    def _hand_over(self) -> None:
        """Give the request to the application, behind those that came before it."""
        is_next = self._unanswered() is None
        read_request_line(self.scope, self.parser, self.url)
        self.cycle = cycle = AnswerCycle(
            self.scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            False,
            self.server_state.default_headers,
            asyncio.Event(),
            self.expect_100_continue,
            self.scope["http_version"] != "1.0" and self.parser.should_keep_alive(),
            self.on_response_complete,
        )
        if is_next:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._timed_bytes:
            # Only images and files are so large: as many bytes again have the same time again.
            self._timed_bytes = self._body_bytes + self._paced_bytes
            self._due = self.loop.time() + self._limits.body_timeout_seconds
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.cycle.response_complete:
            self._begin(_HEAD, self._limits.idle_timeout_seconds)
        else:
            self._begin(_NOTHING, math.inf)

    def on_response_complete(self) -> None:
        """Like uvicorn's, without a timer for each answer: `_look` ends what is idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._is_deaf:
            self.transport.close()
        elif self._part is _NOTHING:
            self._begin(_HEAD, self._limits.idle_timeout_seconds)

    def _begin(self, part: Part, seconds: float) -> None:
        self._part = part
        self._read_bytes = 0
        self._body_bytes = 0
        self._timed_bytes = self._paced_bytes
        self._due = self.loop.time() + seconds

    def _head_bytes(self) -> int:
        around = _AROUND_HEADER * len(self.headers)
        return len(self.url) + around + sum(len(name) + len(value) for name, value in self.headers)

    def _excess(self) -> Unreadable | None:
        """What is wrong where more was read of one part than a head may have."""
        limits = self._limits
        if self._part is _HEAD:
            return Unreadable.HEAD_TOO_LARGE
        if self._part is _NOTHING:
            return None
        framing = self._read_bytes - self._body_bytes
        most = limits.head_limit_bytes + _FRAMING_PER_BYTE * self._body_bytes
        is_for_nobody = self.cycle.response_complete and self._body_bytes > self._paced_bytes
        return Unreadable.MALFORMED if framing > most or is_for_nobody else None

    def _look(self) -> None:
        """Look again when the part that is read now is due, or may have become another."""
        if self._is_deaf:
            return  # it ends behind its last answer
        now = self.loop.time()
        if self.flow.read_paused:
            self._due = max(self._due, now + self._look_seconds)  # it is we who do not read
        if now >= self._due:
            is_head = self._part is _HEAD
            self._refuse(Unreadable.HEAD_TOO_SLOW if is_head else Unreadable.BODY_TOO_SLOW)
            return
        self._watch = self.loop.call_at(min(self._due, now + self._look_seconds), self._look)

    def _refuse(self, fault: Unreadable) -> None:
        """Answer with the fault if it is this request's turn, and close behind all answers."""
        unanswered = self._unanswered()
        self._is_deaf = True
        if self._part is _HEAD and fault is Unreadable.HEAD_TOO_SLOW and not self._read_bytes:
            self.transport.close()  # nobody began anything
            return
        self._refusals.labels("unmatched", "other", str(fault.status)).inc()
        if self._part is _BODY and self.pipeline:
            self.pipeline.popleft()  # whole requests before it are still to be answered
        elif unanswered is None:
            self._say(fault, is_heard=self._part is _HEAD)
        elif self._part is _BODY and not unanswered.response_started:
            unanswered.disconnected = True
            unanswered.message_event.set()
            self._say(fault, is_heard=True)
        else:
            self._end_behind_answers()

    def _say(self, fault: Unreadable, *, is_heard: bool) -> None:
        if not is_heard or self.transport.is_closing():
            self.transport.close()
            return
        self.transport.write(fault.answer(self.url))
        # Closed at once, with something still unread, the other side would lose the answer too.
        self.transport.write_eof()
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _end_behind_answers(self) -> None:
        self._is_deaf = True
        if unanswered := self._unanswered():
            unanswered.keep_alive = False
        else:
            self.transport.close()

    def _unanswered(self) -> RequestResponseCycle | None:
        """The newest request, while its answer is not whole."""
        cycle = cast(RequestResponseCycle | None, self.cycle)  # none before the first request
        return None if cycle is None or cycle.response_complete else cycle


class _HeadRefused(Exception):
    """Leaves the parser; what is wrong was noted before."""
