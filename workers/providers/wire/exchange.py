"""One request and the body of its answer: bounded in time and size, its failures told apart."""

from __future__ import annotations

import asyncio
from typing import Final

from shared.telemetry.tracing import inject
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import ProviderError, ProviderTimeoutError, TransientProviderError
from workers.providers.wire.http.connection import BrokenAnswerError, HttpConnection, taken
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.http.target import Target
from workers.providers.wire.refusals.refusal import ProviderRefusal, failure_for
from workers.providers.wire.refusals.retry_after import retry_after
from workers.providers.wire.server_sent_events import (
    EventParser,
    EventTooLongError,
    ServerSentEvent,
    may_be_either,
    starts_events,
)
from workers.providers.wire.timeouts import Timeouts

_REFUSAL_LIMIT_BYTES: Final = 65_536
_LIMIT_BYTES: Final = 16 * 1_048_576
_LOOK_BYTES: Final = 65_536
"""So much that is blank is looked at for a first word; after that the label decides."""
_REST_SECONDS: Final = 0.25


class CallClock:
    """Watches the waits of one call; the time that the caller takes for itself is not idle time.

    A call is in the phase `first_token` until `hear_token`, then in `idle`, where each further
    `hear_token` starts the wait anew. The total runs through all phases. One timer serves the whole
    call, for a stream has hundreds of waits; `close` ends it.
    """

    def __init__(self, timeouts: Timeouts, *, time_left_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._timeouts = timeouts
        self._ends_at = now + max(0.0, min(timeouts.total_seconds, time_left_seconds))
        self.heard_token = False
        self._phase_ends_at = now + timeouts.first_token_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def limit(self) -> float:
        """Until when, by the loop's time, may be waited now."""
        return min(self._phase_ends_at, self._ends_at)

    def hear_token(self) -> None:
        """A piece of text has arrived and been dealt with: wait anew for the next one."""
        if not self.heard_token:
            self.heard_token = True
            # What is left of the first wait may be longer than an idle one.
            self.close()
        self._phase_ends_at = self._loop.time() + self._timeouts.idle_seconds

    def hear_last_token(self) -> None:
        """The answer is whole: what may still follow comes soon or is not needed."""
        self.close()
        ends_at = self._loop.time() + self._timeouts.last_words_seconds
        self._phase_ends_at = min(self._phase_ends_at, ends_at)

    async def wait(self, waiter: asyncio.Future[None]) -> None:
        """Bound one wait for the server; raises `ProviderTimeoutError` that names the phase."""
        if self._timer is None:
            self._timer = self._loop.call_at(self.limit, self._ring)
        self._waiter = waiter
        try:
            await waiter
        finally:
            self._waiter = None

    def close(self) -> None:
        """Nothing is waited for any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def timed_out(self) -> ProviderTimeoutError:
        """What it is when the limit has passed."""
        phase = TimeoutPhase.IDLE if self.heard_token else TimeoutPhase.FIRST_TOKEN
        if self._ends_at <= self._phase_ends_at:
            phase = TimeoutPhase.TOTAL
        return ProviderTimeoutError(
            f"the {phase} timeout ran out", phase=phase, after_first_token=self.heard_token
        )

    def _ring(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self.limit:
            self._timer = self._loop.call_at(self.limit, self._ring)
        else:
            self._waiter.set_exception(self.timed_out())


class ProviderExchange:
    """Asks over shared connections; redirects are never followed. Raises `ProviderError`s only."""

    def __init__(
        self, connections: ProviderConnections, *, provider: str, timeouts: Timeouts
    ) -> None:
        self._connections = connections
        self._provider = provider
        self._timeouts = timeouts

    async def send(self, target: Target, body: bytes, *, time_left_seconds: float) -> AnswerBody:
        """The answer, where it is one; whoever has it must `leave` it."""
        clock = CallClock(self._timeouts, time_left_seconds=time_left_seconds)
        connection = taken(target.free) or await self._connected(target, clock)
        answer = AnswerBody(connection, clock, provider=self._provider)
        try:
            await self._ask(connection, target, body, clock)
            if not 200 <= connection.status < 300:
                refusal = await answer.beginning(_REFUSAL_LIMIT_BYTES)
                raise failure_for(
                    ProviderRefusal.from_body(refusal),
                    provider=self._provider,
                    status=connection.status,
                    retry_after_seconds=retry_after(connection.headers),
                )
        except BaseException:
            answer.leave()
            raise
        return answer

    async def _connected(self, target: Target, clock: CallClock) -> HttpConnection:
        seconds = self._timeouts.connect_seconds
        left = clock.limit - asyncio.get_running_loop().time()
        try:
            return await self._connections.connect(
                target, within_seconds=min(seconds, left), provider=self._provider
            )
        except ProviderTimeoutError as error:
            if left <= seconds:
                raise clock.timed_out() from error
            raise

    async def _ask(
        self, connection: HttpConnection, target: Target, body: bytes, clock: CallClock
    ) -> None:
        trace = "".join([f"{name}: {value}\r\n" for name, value in inject().items()])
        length = f"{trace}Content-Length: {len(body)}\r\n\r\n".encode()
        try:
            connection.send(target.head + length, body, is_kept=target.is_kept)
            while not connection.status:
                await clock.wait(connection.arrival())
        except BrokenAnswerError as error:
            if not error.is_http:
                raise ProviderError(
                    f"{self._provider} does not answer as HTTP, or as asked: {error.message}",
                    error_class=ErrorClass.MISCONFIGURED,
                ) from error
            raise TransientProviderError(
                f"{self._provider} was asked and broke the connection before it answered: "
                f"{error.message}",
                error_class=ErrorClass.CUT_STREAM,
            ) from error


class AnswerBody:
    """Read either by `next_events` until it gives None, or by `whole` where `is_stream` is false.

    Bounded in time by the clock, and in size. Raises `ProviderError` subclasses only.
    """

    def __init__(self, connection: HttpConnection, clock: CallClock, *, provider: str) -> None:
        self._connection = connection
        self.clock = clock
        self._provider = provider
        self._parser = EventParser()
        self._start, self._read_bytes = b"", 0
        self._has_ended = self._is_left = False

    async def is_stream(self) -> bool:
        """Whether events come, whatever the label; looks at the first bytes, and keeps them."""
        while (told := starts_events(self._start)) is None and may_be_either(self._start):
            if self._read_bytes >= _LOOK_BYTES or not (chunk := await self.next_bytes()):
                break
            self._start += chunk
        if told is not None:
            return told
        label = self._connection.headers.get("Content-Type", "").partition(";")[0]
        return label.strip().lower() == "text/event-stream"

    async def next_events(self) -> list[ServerSentEvent] | None:
        """The events that came since; None after the last of them."""
        if self._has_ended:
            return None
        chunk, self._start = self._start or await self.next_bytes(), b""
        if self._read_bytes > _LIMIT_BYTES:
            raise self._malformed(f"a stream over {_LIMIT_BYTES} bytes")
        try:
            if chunk:
                return self._parser.feed(chunk)
            self._has_ended, last = True, self._parser.close()
        except EventTooLongError as error:
            raise self._malformed(str(error)) from error
        return None if last is None else [last]

    async def whole(self) -> bytes:
        """All of it at once."""
        if len(body := await self.beginning(_LIMIT_BYTES)) > _LIMIT_BYTES:
            raise self._malformed(f"a body over {_LIMIT_BYTES} bytes")
        return body

    async def beginning(self, limit_bytes: int) -> bytes:
        """As much of it as is within the limit, and a little more of one that is longer."""
        body, self._start = bytearray(self._start), b""
        while len(body) <= limit_bytes and (chunk := await self.next_bytes()):
            body += chunk
        return bytes(body)

    def leave(self, *, is_read: bool = False) -> None:
        """Nothing more is wanted; of an answer that was read the end, usually here already, may
        come for a moment, so that the connection can be used again. Only the first time counts."""
        if not self._is_left:
            self._is_left = True
            self.clock.close()
            self._connection.leave(rest_within_seconds=_REST_SECONDS if is_read else 0)

    async def next_bytes(self) -> bytes:
        """What came next of the body; nothing at its end."""
        try:
            while not (chunk := self._connection.read()):
                if self._connection.has_ended:
                    return b""
                await self.clock.wait(self._connection.arrival())
        except BrokenAnswerError as error:
            raise TransientProviderError(
                f"{self._provider} cut its answer: {error.message}",
                error_class=ErrorClass.CUT_STREAM,
                after_first_token=self.clock.heard_token,
            ) from error
        self._read_bytes += len(chunk)
        return chunk

    def _malformed(self, what: str) -> TransientProviderError:
        return TransientProviderError(
            f"{self._provider} sent {what}",
            error_class=ErrorClass.MALFORMED_ANSWER,
            after_first_token=self.clock.heard_token,
        )
