"""One POST to one endpoint: bounded in time and size, its failures told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from shared.telemetry.propagation import inject
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import (
    ProviderError,
    ProviderTimeoutError,
    TransientProviderError,
)
from workers.providers.wire.answer_body import AnswerBody
from workers.providers.wire.refusals.refusal import ProviderRefusal, failure_for
from workers.providers.wire.refusals.retry_after import retry_after
from workers.providers.wire.timeouts import CallClock, Timeouts

_REFUSAL_LIMIT_BYTES = 65_536
_NOTHING_SENT = (aiohttp.ClientConnectorError, aiohttp.ServerFingerprintMismatch)
"""No connection stood; any other failure may have come after the request was read."""


class ProviderExchange:
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
    async def open(self, body: bytes, *, time_left_seconds: float) -> AsyncIterator[AnswerBody]:
        """Post and hand out the body of the answer, which is left when the context is."""
        timeouts = self._timeouts.bounded_by(time_left_seconds)
        clock = CallClock(timeouts)
        try:
            response = await self._post(body, clock, connect_seconds=timeouts.connect_seconds)
            async with response:
                answer = AnswerBody(response, clock, provider=self._provider)
                if not 200 <= response.status < 300:
                    raise self._refused(response, await answer.beginning(_REFUSAL_LIMIT_BYTES))
                yield answer
                await answer.drain()
        finally:
            clock.close()

    async def _post(
        self, body: bytes, clock: CallClock, *, connect_seconds: float
    ) -> aiohttp.ClientResponse:
        try:
            return await clock.wait(
                self._session.post(
                    self._url,
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
