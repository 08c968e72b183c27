"""A client of the door: patient where the door asks for it, repeating itself harmlessly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Self

import aiohttp
import msgspec

from deploy.cli.send.order import Order
from deploy.cli.send.result import Result, result_of
from shared.errors import Unavailable
from shared.identifiers import new_id
from shared.surfaces.refused_by_door import RefusedByDoor, refuse

_CONNECT_SECONDS: Final = 5.0
_TRIES_TO_CONNECT: Final = 3
_PAUSE_SECONDS: Final = 0.5


LAST_EVENTS: Final = frozenset(
    f"response.{state}"
    for state in ("completed", "failed", "incomplete", "cancelled", "requires_action")
)
_Request = AbstractAsyncContextManager[aiohttp.ClientResponse]


class DoorClient:
    """One HTTP session with one door; close it by leaving its context.

    `patience_seconds` is how long a message may be held back altogether because the door asks to
    come later; `on_wait` hears each time why, and for how many seconds. Each message carries an
    idempotency key, so sending it again cannot double it.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience_seconds: float = 120.0,
        on_wait: Callable[[str, float], None] = lambda *_: None,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._patience_seconds = patience_seconds
        self._on_wait = on_wait
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=timeout, connector=aiohttp.TCPConnector(limit=0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, order: Order) -> Result:
        """The answer, or what the door said instead; raises Unavailable when nobody is there."""
        began = time.monotonic()
        waits, give_up_at = 0, began + self._patience_seconds
        headers = {"Idempotency-Key": new_id("req")}
        while True:
            try:
                response = await self._post(order.body, headers)
            except RefusedByDoor as refused:
                pause = refused.retry_after_seconds or 0.0
                if not refused.is_for_now or time.monotonic() + pause > give_up_at:
                    seconds = round(time.monotonic() - began, 4)
                    return Result(
                        line=order.line,
                        ok=False,
                        error=refused.message,
                        seconds=seconds,
                        waits=waits,
                    )
                waits += 1
                self._on_wait(refused.message, pause)
                await asyncio.sleep(pause)
            else:
                seconds = time.monotonic() - began
                return result_of(response, line=order.line, seconds=seconds, waits=waits)

    async def events(self, order: Order) -> AsyncIterator[dict[str, Any]]:
        """The events of a streamed answer; a connection that is cut is resumed where it stopped.

        Raises Refused or Unavailable.
        """
        address, last, response_id = f"{self._url}/v1/responses", -1, None
        request = self._opened().post(
            address,
            json={**order.body, "stream": True},
            headers={"Idempotency-Key": new_id("req")},
        )
        for _ in range(_TRIES_TO_CONNECT):
            async for event in _events(request):
                last = event["sequence_number"]
                response_id = event.get("response", {}).get("id", response_id)
                yield event
                if event["type"] in LAST_EVENTS:
                    return
            if response_id is None:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
            request = self._opened().get(
                f"{address}/{response_id}?stream=true&starting_after={last}"
            )
        raise self._unavailable()

    async def _post(self, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        for tries_left in reversed(range(_TRIES_TO_CONNECT)):
            try:
                async with self._opened().post(
                    f"{self._url}/v1/responses", json=body, headers=headers
                ) as response:
                    await refuse(response)
                    answer: dict[str, Any] = msgspec.json.decode(await response.read())
                    return answer
            except aiohttp.ClientError as error:
                if not tries_left:
                    raise self._unavailable() from error
                await asyncio.sleep(_PAUSE_SECONDS)
        raise self._unavailable()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("enter the door's context first")
        return self._session

    def _unavailable(self) -> Unavailable:
        return Unavailable(
            f"Nobody answers at {self._url}: start Forebay with `forebay up`, or set FOREBAY_URL."
        )


async def _events(request: _Request) -> AsyncIterator[dict[str, Any]]:
    """Until the stream ends, in whatever way."""
    try:
        async with request as response:
            await refuse(response)
            async for line in response.content:
                if line.startswith(b"data: {"):
                    yield msgspec.json.decode(line[6:])
    except aiohttp.ClientError:
        return
