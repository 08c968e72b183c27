"""Has messages answered in the batch lane: posted, and asked for until they have ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, Self

import aiohttp
import msgspec

from shared.errors import ForebayError, Unavailable
from shared.evaluation.golden.answered import REFUSED, AnsweredCase, answered_by
from shared.identifiers import EVALUATION_MESSAGE, new_id
from shared.messages.lane import TIER_OF_LANE, Lane
from shared.messages.response import ResponseObject, read_response
from shared.messages.state import ResponseState
from shared.surfaces.refused_by_door import RefusedByDoor, refuse

UNANSWERED: Final = "unanswered"
_CONNECT_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_TRIES: Final = 3
_AGAIN_SECONDS: Final = 0.5
_WAIT_SECONDS: Final = 20
"""How long one look waits at the door for the end."""


class BatchAsker:
    """One HTTP session with one door; close it by leaving its context.

    Each message has `patience_seconds` as its deadline, and an idempotency key, so asking again
    cannot double it, and by which it is known as an evaluation's: no conversation's, and told to
    nobody. No stored answer is wanted: what is measured is what answers now. What nobody waits for
    any more is cancelled: whatever a person would answer, and all that is left when asking is.
    """

    def __init__(self, url: str, key: str, *, patience_seconds: float) -> None:
        self._url = f"{url.rstrip('/')}/v1/responses"
        self._patience_seconds = patience_seconds
        self._headers = {"Authorization": f"Bearer {key}", "Cache-Control": "no-store"}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(
            total=_WAIT_SECONDS + _LONGEST_PAUSE_SECONDS, sock_connect=_CONNECT_SECONDS
        )
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, body: dict[str, Any]) -> AnsweredCase:
        """What came of it. A door that asks to come later is obeyed as long as there is patience;
        what it takes at no time is `refused`. Raises Unavailable where nobody answers."""
        give_up_at = time.monotonic() + self._patience_seconds
        lane = {"service_tier": TIER_OF_LANE[Lane.BATCH], "background": True, "stream": False}
        try:
            response = await self._posted({**body, **lane}, give_up_at)
        except RefusedByDoor as refused:
            return _refused(refused)
        try:
            return await self._ended(response, give_up_at)
        except RefusedByDoor as refused:  # such as a key that was revoked meanwhile
            return _refused(refused)
        except asyncio.CancelledError:
            await self._withdraw(response.id)
            raise

    async def _ended(self, response: ResponseObject, give_up_at: float) -> AnsweredCase:
        while not _has_ended(response):
            if time.monotonic() > give_up_at:
                error = f"It was not answered within {self._patience_seconds:g} s."
                return AnsweredCase(state=UNANSWERED, error=error, response_id=response.id)
            response = await self._found(response.id)
        if not response.status.is_terminal:
            await self._withdraw(response.id)
        return answered_by(response)

    async def _posted(self, body: dict[str, Any], give_up_at: float) -> ResponseObject:
        headers = {
            "Idempotency-Key": new_id(EVALUATION_MESSAGE),
            "X-Forebay-Deadline": f"{self._patience_seconds:g}",
        }
        while True:
            try:
                return await self._not_left(self._exchange("POST", self._url, headers, body))
            except RefusedByDoor as refused:
                pause = min(refused.retry_after_seconds or 0.0, _LONGEST_PAUSE_SECONDS)
                if not refused.is_for_now or time.monotonic() + pause > give_up_at:
                    raise
                await asyncio.sleep(pause)

    async def _found(self, response_id: str) -> ResponseObject:
        wait = {"Prefer": f"wait={_WAIT_SECONDS}"}
        try:
            return await self._exchange("GET", f"{self._url}/{response_id}", wait)
        except RefusedByDoor as refused:
            if not refused.is_for_now:
                raise
            await asyncio.sleep(refused.retry_after_seconds or _AGAIN_SECONDS)
            return await self._found(response_id)

    async def _not_left(self, posting: Coroutine[None, None, ResponseObject]) -> ResponseObject:
        """Who leaves meanwhile waits for what came of it: only then can it be cancelled."""
        task = asyncio.create_task(posting)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            with suppress(ForebayError):
                await self._withdraw((await task).id)
            raise

    async def _withdraw(self, response_id: str) -> None:
        """As far as the door can be reached: else it ends by its deadline."""
        with suppress(ForebayError):
            await self._exchange("POST", f"{self._url}/{response_id}/cancel", {})

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], body: dict[str, Any] | None = None
    ) -> ResponseObject:
        if self._session is None:
            raise RuntimeError("enter the door's context first")
        sent = None if body is None else msgspec.json.encode(body)
        typed = headers if body is None else headers | {"Content-Type": "application/json"}
        for tries_left in reversed(range(_TRIES)):
            try:
                async with self._session.request(method, url, data=sent, headers=typed) as response:
                    await refuse(response)
                    return read_response(await response.read())
            except (aiohttp.ClientError, TimeoutError) as error:
                if not tries_left:
                    raise self._unavailable() from error
                await asyncio.sleep(_AGAIN_SECONDS)
        raise self._unavailable()

    def _unavailable(self) -> Unavailable:
        return Unavailable(
            f"Nobody answers at {self._url}: start Forebay with `forebay up`, or set FOREBAY_URL."
        )


def _refused(refused: RefusedByDoor) -> AnsweredCase:
    return AnsweredCase(state=REFUSED, error=refused.message, refused_with=refused.status)


def _has_ended(response: ResponseObject) -> bool:
    """A message that waits for a person has, as far as an evaluation is concerned."""
    state = response.status
    return state.is_terminal or state is ResponseState.REQUIRES_ACTION
