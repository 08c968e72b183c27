"""HTTP/1.1 as the door speaks it: uvicorn's protocol, with an end to what nobody may send."""

from __future__ import annotations

import asyncio
import math
from enum import Enum, auto
from typing import Any, Final, cast

import httptools
from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ingress.api.http.gathering_transport import GatheringTransport
from ingress.api.http.unreadable import Unreadable
from shared.settings.door import IngressSettings

_FRAMING_PER_BYTE: Final = 8
"""A chunk of one byte costs five more; whoever spends more than that sends something else."""
_HOSTS_NEEDED: Final = {"1.0": 0, "1.1": 1}
"""By version; others are not spoken."""
_AROUND_HEADER: Final = len(b": \r\n")


class Part(Enum):
    """What a connection is in the middle of reading."""

    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


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
        self._refusals = refusals
        self._seconds = {
            Part.HEAD: limits.head_timeout_seconds,
            Part.BODY: limits.body_timeout_seconds,
            Part.NOTHING: math.inf,
        }
        self._look_seconds = min(self._seconds.values())
        self._watch: asyncio.TimerHandle | None = None
        self._fault = Unreadable.MALFORMED
        self._is_deaf = False
        self._read_bytes = 0
        self._body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(GatheringTransport(transport, self.loop))  # type: ignore[arg-type]
        self.url = b""
        self._begin(Part.HEAD)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        self._unset_keepalive_if_required()
        if self._part is Part.NOTHING:
            self._begin(Part.HEAD)
        self._read_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing else is spoken here. The request itself is answered; what follows is not.
            self._end_behind_answers()
        except httptools.HttpParserError:
            self._refuse(self._fault)
        else:
            if fault := self._excess():
                self._refuse(fault)

    def on_message_begin(self) -> None:
        read_bytes = self._read_bytes if self._part is Part.HEAD else 0
        self._begin(Part.HEAD)
        self._read_bytes = read_bytes  # that of this head, unless another request came before it
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(
            len(name) + len(value) + _AROUND_HEADER for name, value in self.headers
        )
        if size > self._limits.head_limit_bytes:
            self._fault = Unreadable.HEAD_TOO_LARGE
            raise _HeadRefused
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or hosts < _HOSTS_NEEDED.get(self.parser.get_http_version(), math.inf):
            raise _HeadRefused
        super().on_headers_complete()
        self.headers = []  # the request has its own; what comes from here on are trailers
        self._begin(Part.BODY)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._begin(Part.HEAD if self.cycle.response_complete else Part.NOTHING)

    def on_response_complete(self) -> None:
        is_last = self._is_deaf and not self.pipeline
        super().on_response_complete()
        if is_last:
            self.transport.close()

    def _begin(self, part: Part) -> None:
        self._part = part
        self._read_bytes = 0
        self._body_bytes = 0
        self._due = self.loop.time() + self._seconds[part]

    def _excess(self) -> Unreadable | None:
        """What is wrong when more of this part was read than any request needs."""
        limits = self._limits
        if self._part is Part.HEAD:
            is_too_large = self._read_bytes > limits.head_limit_bytes
            return Unreadable.HEAD_TOO_LARGE if is_too_large else None
        if self._part is Part.NOTHING:
            return None
        framing = self._read_bytes - self._body_bytes
        most = limits.head_limit_bytes + _FRAMING_PER_BYTE * self._body_bytes
        is_for_nobody = self.cycle.response_complete and self._body_bytes > limits.body_limit_bytes
        return Unreadable.MALFORMED if framing > most or is_for_nobody else None

    def _look(self) -> None:
        """Look again when the part that is read now is due, or may have become another."""
        now = self.loop.time()
        if self.flow.read_paused and self._part is not Part.NOTHING:
            self._due = now + self._seconds[self._part]  # it is we who do not read
        if now >= self._due:
            is_head = self._part is Part.HEAD
            self._refuse(Unreadable.HEAD_TOO_SLOW if is_head else Unreadable.BODY_TOO_SLOW)
            return
        self._watch = self.loop.call_at(min(self._due, now + self._look_seconds), self._look)

    def _refuse(self, fault: Unreadable) -> None:
        """Answer with the fault if it is this request's turn, and close behind all answers."""
        unanswered = self._unanswered()
        self._is_deaf = True
        if self._part is Part.HEAD and fault is Unreadable.HEAD_TOO_SLOW and not self._read_bytes:
            self.transport.close()  # nobody began anything
            return
        self._refusals.labels("unmatched", "other", str(fault.status)).inc()
        if self._part is Part.BODY and self.pipeline:
            self.pipeline.popleft()  # whole requests before it are still to be answered
        elif unanswered is None:
            self._say(fault, is_heard=self._part is Part.HEAD)
        elif self._part is Part.BODY and not unanswered.response_started:
            unanswered.disconnected = True
            unanswered.message_event.set()
            self._say(fault, is_heard=True)
        else:
            self._end_behind_answers()

    def _say(self, fault: Unreadable, *, is_heard: bool) -> None:
        if is_heard:
            self.transport.write(fault.answer(self.url))
        self.transport.close()

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
