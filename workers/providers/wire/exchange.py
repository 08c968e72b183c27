"""One POST to one endpoint: bounded in time and size, its failures told apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager

import aiohttp

from shared.telemetry.propagation import inject
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import (
    ProviderError,
    ProviderTimeoutError,
    TransientProviderError,
)
from workers.providers.wire.refusals.refusal import Refusal, failure_for
from workers.providers.wire.refusals.retry_after import retry_after
from workers.providers.wire.server_sent_events import (
    BYTE_ORDER_MARK,
    EventParser,
    EventTooLongError,
    ServerSentEvent,
)
from workers.providers.wire.timeouts import CallClock, Timeouts

_ANSWER_LIMIT_BYTES = 16 * 1_048_576
_REFUSAL_LIMIT_BYTES = 65_536
_DRAIN_SECONDS = 0.25
_NOTHING_SENT = (aiohttp.ClientConnectorError, aiohttp.ServerFingerprintMismatch)
"""No connection stood; any other failure may have come after the request was read."""
_STARTS_WHOLE_BODY = (b"{", b"[", b"<")
"""Of JSON and of markup; no line of a stream of events begins so."""
_STARTS_EVENTS = (b"data:", b"event:", b"id:", b"retry:", b":")
"""Of a stream that is labelled as something else."""
_STARTS = (BYTE_ORDER_MARK, *_STARTS_EVENTS)


class Exchange:
    """Posts JSON to `url` over a shared session; redirects are never followed.

    Raises `ProviderError` subclasses only; what a consumer of the stream raises passes unchanged.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        provider: str,
        url: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
    ) -> None:
        self._session = session
        self._provider = provider
        self._url = url
        self._headers = {
            "Content-Type": "application/json",
            # An answer is small and bounded by us; a compressed one could not be bounded.
            "Accept-Encoding": "identity",
            **headers,
        }
        self._timeouts = timeouts

    @asynccontextmanager
    async def stream(
        self, body: bytes, *, time_left_seconds: float
    ) -> AsyncIterator[tuple[AsyncIterator[ServerSentEvent | bytes], CallClock]]:
        """Post and hand out the events of the answer; tell the clock when text has arrived.

        A body that is no stream, whatever its label, is handed out whole, as bytes.
        """
        async with self._open(body, time_left_seconds=time_left_seconds) as opened:
            response, clock = opened
            async with aclosing(self._events(response, clock)) as events:
                yield events, clock
            await _drain(response)

    @asynccontextmanager
    async def _open(
        self, body: bytes, *, time_left_seconds: float
    ) -> AsyncIterator[tuple[aiohttp.ClientResponse, CallClock]]:
        timeouts = self._timeouts.bounded_by(time_left_seconds)
        clock = CallClock(timeouts)
        response = await self._post(body, clock, connect_seconds=timeouts.connect_seconds)
        async with response:
            if not 200 <= response.status < 300:
                raise await self._refused(response, clock)
            yield response, clock

    async def _post(
        self, body: bytes, clock: CallClock, *, connect_seconds: float
    ) -> aiohttp.ClientResponse:
        try:
            async with clock.watch():
                return await self._session.post(
                    self._url,
                    data=body,
                    headers=inject(dict(self._headers)),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=connect_seconds),
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

    async def _refused(self, response: aiohttp.ClientResponse, clock: CallClock) -> Exception:
        with self._reading(clock):
            async with clock.watch():
                body = await _read(response, limit_bytes=_REFUSAL_LIMIT_BYTES)
        return failure_for(
            Refusal.from_body(body),
            provider=self._provider,
            status=response.status,
            retry_after_seconds=retry_after(response.headers),
        )

    async def _events(
        self, response: aiohttp.ClientResponse, clock: CallClock
    ) -> AsyncGenerator[ServerSentEvent | bytes, None]:
        start = await self._first_bytes(response, clock)
        if _is_whole_body(response, start):
            yield await self._whole(response, clock, start=start)
            return
        parser = EventParser()
        read_bytes, chunk = 0, start
        while chunk:
            with self._reading(clock):
                events = parser.feed(chunk)
            read_bytes += len(chunk)
            if read_bytes > _ANSWER_LIMIT_BYTES:
                raise self._malformed(f"a stream over {_ANSWER_LIMIT_BYTES} bytes", clock)
            for event in events:
                yield event
            chunk = await self._chunk(response, clock)
        if (last := parser.close()) is not None:
            yield last

    async def _first_bytes(self, response: aiohttp.ClientResponse, clock: CallClock) -> bytes:
        """The beginning of the body, as much of it as tells what it is."""
        start = b""
        while len(start) < _ANSWER_LIMIT_BYTES:
            chunk = await self._chunk(response, clock)
            start += chunk
            if not chunk or not _may_be_either(start):
                break
        return start

    async def _chunk(self, response: aiohttp.ClientResponse, clock: CallClock) -> bytes:
        with self._reading(clock):
            async with clock.watch():
                return await response.content.readany()

    async def _whole(
        self, response: aiohttp.ClientResponse, clock: CallClock, *, start: bytes = b""
    ) -> bytes:
        with self._reading(clock):
            async with clock.watch():
                body = start + await _read(response, limit_bytes=_ANSWER_LIMIT_BYTES)
        if len(body) > _ANSWER_LIMIT_BYTES:
            raise self._malformed(f"a body over {_ANSWER_LIMIT_BYTES} bytes", clock)
        return body

    @contextmanager
    def _reading(self, clock: CallClock) -> Iterator[None]:
        try:
            yield
        except aiohttp.ClientError as error:
            raise TransientProviderError(
                f"{self._provider} cut its answer: {str(error) or type(error).__name__}",
                error_class=ErrorClass.CUT_STREAM,
                after_first_token=clock.heard_token,
            ) from error
        except EventTooLongError as error:
            raise self._malformed(str(error), clock) from error

    def _malformed(self, what: str, clock: CallClock) -> TransientProviderError:
        return TransientProviderError(
            f"{self._provider} sent {what}",
            error_class=ErrorClass.MALFORMED_ANSWER,
            after_first_token=clock.heard_token,
        )


def _may_be_either(start: bytes) -> bool:
    """Whether it is too short to tell a stream from a body: blank, or a part of a first word."""
    text = start.removeprefix(BYTE_ORDER_MARK).lstrip()
    return any(word.startswith(text) and word != text for word in _STARTS)


def _is_whole_body(response: aiohttp.ClientResponse, start: bytes) -> bool:
    text = start.removeprefix(BYTE_ORDER_MARK).lstrip()
    if text.startswith(_STARTS_WHOLE_BODY):
        return True
    return response.content_type != "text/event-stream" and not text.startswith(_STARTS_EVENTS)


async def _read(response: aiohttp.ClientResponse, *, limit_bytes: int) -> bytes:
    """Read the body to its end, or until it is over the limit."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit_bytes:
            break
    return bytes(body)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the end of the body, usually here already, so that the connection can be used again."""
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while await response.content.readany():
                pass
    except (TimeoutError, aiohttp.ClientError):
        response.close()
