"""One connection: its requests in their order, each answered before the next begins."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import cast

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from ingress.api.http.border import Border
from ingress.api.http.error_answer import Header
from ingress.api.http.exchange import Exchange, RequestHead


class Connection(asyncio.Protocol, ABC):
    """A connection as uvicorn's server counts and ends them, and as exchanges write to it.

    Requests that come while one is answered wait, and nothing behind them is read meanwhile.
    """

    transport: asyncio.Transport
    flow: FlowControl

    def __init__(self, server_state: ServerState, border: Border) -> None:
        self.client: str | None = None
        self._loop = asyncio.get_running_loop()
        self._server = server_state
        self._border = border
        self._newest: Exchange | None = None
        self._running: Exchange | None = None
        self._behind: deque[Exchange] = deque()
        self._is_deaf = False

    @property
    def usual_headers(self) -> Sequence[Header]:
        return self._server.default_headers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._server.connections.add(self)  # type: ignore[arg-type] # it names its own classes
        self.transport = cast(asyncio.Transport, transport)
        self.flow = FlowControl(self.transport)
        if address := get_remote_addr(self.transport):
            self.client = address[0]

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._behind.clear()
        if self._running is not None:
            self._running.lose()
        self.flow.resume_writing()
        if exc is None:
            self.transport.close()

    def pause_writing(self) -> None:
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        self.flow.resume_writing()

    def shutdown(self) -> None:
        """End behind the answers that are due."""
        if unanswered := self._unanswered():
            unanswered.keep_alive = False
        else:
            self.transport.close()

    def answered(self) -> None:
        self._server.total_requests += 1
        answered, self._running = cast(Exchange, self._running), None
        is_last = not answered.keep_alive
        if is_last and answered.body.is_whole:
            self.transport.close()
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self._behind:
            self._start(self._behind.popleft())
        elif is_last or self._is_deaf:
            self._linger()
        else:
            self._rest()

    @abstractmethod
    def _rest(self) -> None:
        """Everything that came is answered."""

    @abstractmethod
    def _linger(self) -> None:
        """Close, and not before what is still sent was read over."""

    def _hand_over(self, head: RequestHead) -> None:
        """Have the request answered, behind those that came before it."""
        exchange = Exchange(self, head, self._border.clock)
        if self._unanswered() is None:
            self._start(exchange)
        else:
            self.flow.pause_reading()
            self._behind.append(exchange)
        self._newest = exchange

    def _start(self, exchange: Exchange) -> None:
        self._running = exchange
        task = self._loop.create_task(self._border.serve(exchange))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    def _end_behind_answers(self) -> None:
        """Read nothing more."""
        self._is_deaf = True
        if unanswered := self._unanswered():
            unanswered.keep_alive = False
        elif not self.transport.is_closing():
            self._linger()

    def _unanswered(self) -> Exchange | None:
        """The newest request, while its answer is not whole."""
        newest = self._newest
        return None if newest is None or newest.is_whole else newest
