"""One POST and the body of its answer: bounded in time and size, its failures told apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from yarl import URL

from shared.telemetry.tracing import inject
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import ProviderError, ProviderTimeoutError, TransientProviderError
from workers.providers.wire.refusals.refusal import ProviderRefusal, failure_for
from workers.providers.wire.refusals.retry_after import retry_after
from workers.providers.wire.server_sent_events import (
    BYTE_ORDER_MARK,
    EventParser,
    EventTooLongError,
    ServerSentEvent,
)
from workers.providers.wire.timeouts import CallClock, Timeouts

_REFUSAL_LIMIT_BYTES: Final = 65_536
_NOTHING_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ServerFingerprintMismatch)
"""No connection stood; any other failure may have come after the request was read."""
_LIMIT_BYTES: Final = 16 * 1_048_576
_LOOK_BYTES: Final = 65_536
"""So much that is blank is looked at for a first word; after that the label decides."""
_DRAIN_SECONDS: Final = 0.25
_STARTS_WHOLE_BODY: Final = (b"{", b"[", b"<")
"""Of JSON and of markup; no line of a stream of events begins so."""
_STARTS_EVENTS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
"""Of a stream that is labelled as something else."""
_STARTS: Final = (BYTE_ORDER_MARK, *_STARTS_EVENTS)


class ProviderExchange:
    """Posts JSON over a shared session; redirects are never followed.

    Raises `ProviderError` subclasses only; what a consumer of the stream raises passes unchanged.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        provider: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
    ) -> None:
        self._session = session
        self._provider = provider
        self._headers = {
            "Content-Type": "application/json",
            # An answer is small and bounded by us; a compressed one could not be bounded.
            "Accept-Encoding": "identity",
            **headers,
        }
        self._timeouts = timeouts

    @asynccontextmanager
    async def open(
        self, url: URL, body: bytes, *, time_left_seconds: float
    ) -> AsyncIterator[AnswerBody]:
        """Post and hand out the body of the answer, which is left when the context is."""
        clock = CallClock(self._timeouts.bounded_by(time_left_seconds))
        try:
            response = await self._post(url, body, clock=clock)
            async with response:
                answer = AnswerBody(response, clock, provider=self._provider)
                if not 200 <= response.status < 300:
                    raise self._refused(response, await answer.beginning(_REFUSAL_LIMIT_BYTES))
                yield answer
                await answer.drain()
        finally:
            clock.close()

    async def _post(self, url: URL, body: bytes, *, clock: CallClock) -> aiohttp.ClientResponse:
        connect_seconds = self._timeouts.connect_seconds
        try:
            return await clock.wait(
                self._session.post(
                    url,
                    data=body,
                    headers=inject(dict(self._headers)),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=connect_seconds),
                )
            )
        except aiohttp.ConnectionTimeoutError as error:
            raise ProviderTimeoutError(
                f"{self._provider} did not accept a connection within {connect_seconds:g} s",
                phase=TimeoutPhase.CONNECT,
            ) from error
        except (
            aiohttp.ClientResponseError,
            aiohttp.InvalidURL,
            aiohttp.NonHttpUrlClientError,
        ) as error:
            raise ProviderError(
                f"{self._provider} does not answer as HTTP, or as asked: {error}",
                error_class=ErrorClass.MISCONFIGURED,
            ) from error
        except _NOTHING_SENT as error:
            raise TransientProviderError(
                f"{self._provider} cannot be reached: {str(error) or type(error).__name__}",
                error_class=ErrorClass.CONNECTION,
            ) from error
        except aiohttp.ClientError as error:
            raise TransientProviderError(
                f"{self._provider} was asked and broke the connection before it answered: "
                f"{str(error) or type(error).__name__}",
                error_class=ErrorClass.CUT_STREAM,
            ) from error

    def _refused(self, response: aiohttp.ClientResponse, body: bytes) -> Exception:
        return failure_for(
            ProviderRefusal.from_body(body),
            provider=self._provider,
            status=response.status,
            retry_after_seconds=retry_after(response.headers),
        )


class AnswerBody:
    """Read either by `next_events` until it gives None, or by `whole` where `is_stream` is false.

    Bounded in time by the clock, and in size. Raises `ProviderError` subclasses only.
    """

    def __init__(
        self, response: aiohttp.ClientResponse, clock: CallClock, *, provider: str
    ) -> None:
        self._response = response
        self._clock = clock
        self._provider = provider
        self._parser = EventParser()
        self._start = b""
        self._read_bytes = 0
        self._has_ended = False

    async def is_stream(self) -> bool:
        """Whether events come, whatever the label; looks at the first bytes, and keeps them."""
        while self._read_bytes < _LOOK_BYTES and _may_be_either(self._start):
            chunk = await self._chunk()
            if not chunk:
                break
            self._start += chunk
        text = _text(self._start)
        if text.startswith(_STARTS_WHOLE_BODY):
            return False
        is_labelled = self._response.content_type == "text/event-stream"
        return is_labelled or text.startswith(_STARTS_EVENTS)

    async def next_events(self) -> list[ServerSentEvent] | None:
        """The events that came since; None after the last of them."""
        if self._has_ended:
            return None
        chunk, self._start = self._start or await self._chunk(), b""
        if self._read_bytes > _LIMIT_BYTES:
            raise self._malformed(f"a stream over {_LIMIT_BYTES} bytes")
        try:
            return self._parser.feed(chunk) if chunk else self._last_events()
        except EventTooLongError as error:
            raise self._malformed(str(error)) from error

    def _last_events(self) -> list[ServerSentEvent] | None:
        self._has_ended = True
        last = self._parser.close()
        return None if last is None else [last]

    async def whole(self) -> bytes:
        """All of it at once."""
        body = await self.beginning(_LIMIT_BYTES)
        if len(body) > _LIMIT_BYTES:
            raise self._malformed(f"a body over {_LIMIT_BYTES} bytes")
        return body

    async def beginning(self, limit_bytes: int) -> bytes:
        """As much of it as is within the limit, and a little more of one that is longer."""
        body, self._start = bytearray(self._start), b""
        while len(body) <= limit_bytes and (chunk := await self._chunk()):
            body += chunk
        return bytes(body)

    def hear_token(self) -> None:
        """Text has arrived and been dealt with: the wait for the next begins."""
        self._clock.hear_token()

    def hear_last_token(self) -> None:
        """The answer is whole, but for what nobody has to wait long for."""
        self._clock.hear_last_token()

    async def drain(self) -> None:
        """Read the end, usually here already, so that the connection can be used again."""
        content = self._response.content
        if content.at_eof():
            return
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while await content.readany():
                    pass
        except (TimeoutError, aiohttp.ClientError):
            self._response.close()

    async def _chunk(self) -> bytes:
        try:
            chunk = await self._clock.wait(self._response.content.readany())
        except aiohttp.ClientError as error:
            raise TransientProviderError(
                f"{self._provider} cut its answer: {str(error) or type(error).__name__}",
                error_class=ErrorClass.CUT_STREAM,
                after_first_token=self._clock.heard_token,
            ) from error
        self._read_bytes += len(chunk)
        return chunk

    def _malformed(self, what: str) -> TransientProviderError:
        return TransientProviderError(
            f"{self._provider} sent {what}",
            error_class=ErrorClass.MALFORMED_ANSWER,
            after_first_token=self._clock.heard_token,
        )


def _may_be_either(start: bytes) -> bool:
    """Whether it is too short to tell a stream from a body: blank, or a part of a first word."""
    text = _text(start)
    return any(word.startswith(text) and word != text for word in _STARTS)


def _text(start: bytes) -> bytes:
    return start.removeprefix(BYTE_ORDER_MARK).lstrip()
