"""One POST to a server of models: tried again where that may help, bounded in all it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import msgspec

from shared.embeddings.encoder import EncoderUnavailable, TextsRefused
from shared.resilience.backoff import backoff_seconds

_CONNECT_SECONDS: Final = 5.0
_LIMIT_BYTES: Final = 64 * 1_048_576
_WORDS: Final = 300
"""Characters of a refusal that are told on."""
_UNREADABLE: Final = frozenset({400, 413, 422})
_LATER: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class ModelExchange:
    """Posts JSON to one address over a session of its own, which the first call opens."""

    def __init__(
        self, url: str, *, key: str | None, who: str, seconds: float, tries: int = 3
    ) -> None:
        self._url = url
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._who = who
        self._seconds = seconds
        self._tries = tries
        self._session: aiohttp.ClientSession | None = None

    async def post(self, asked: object) -> bytes:
        """The body of a good answer; raises EncoderUnavailable, also as TextsRefused.

        A server that asks for time is given it, within the time of the call.
        """
        body, until = msgspec.json.encode(asked), time.monotonic() + self._seconds
        waits = backoff_seconds()
        for _ in range(self._tries - 1):
            try:
                return await self._post(body, until)
            except TextsRefused:
                raise
            except EncoderUnavailable as error:
                pause = error.retry_after_seconds
                if pause is None or time.monotonic() + pause >= until:
                    raise
                await asyncio.sleep(max(pause, next(waits)))
        return await self._post(body, until)

    async def close(self) -> None:
        """Give back the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(self, body: bytes, until: float) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        seconds = max(0.001, until - time.monotonic())
        timeout = aiohttp.ClientTimeout(total=seconds, connect=_CONNECT_SECONDS)
        try:
            async with self._session.post(
                self._url, data=body, headers=self._headers, timeout=timeout, allow_redirects=False
            ) as response:
                content = await _bounded(response)
                if response.status == 200 and len(content) <= _LIMIT_BYTES:
                    return content
                raise self._refused(response.status, response.headers, content)
        except TimeoutError as error:
            raise EncoderUnavailable(
                f"{self._who} did not answer within {self._seconds:g} s.", retry_after_seconds=0.0
            ) from error
        except aiohttp.ClientError as error:
            raise EncoderUnavailable(
                f"{self._who} cannot be reached: {str(error) or type(error).__name__}.",
                retry_after_seconds=0.0,
            ) from error

    def _refused(
        self, status: int, headers: Mapping[str, str], content: bytes
    ) -> EncoderUnavailable:
        said = content[:_WORDS].decode(errors="replace").strip()
        message = f"{self._who} answered {status}: {said or 'nothing'}"
        if status in _UNREADABLE:
            return TextsRefused(message)
        if status in _LATER:
            return EncoderUnavailable(message, retry_after_seconds=_retry_after(headers) or 0.0)
        return EncoderUnavailable(f"{message} Mend its url, its key or its model's name.")


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > _LIMIT_BYTES:
            break
    return bytes(content)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, given as such or as a date; None where nothing that can be read is said."""
    text = headers.get("Retry-After", "").strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
