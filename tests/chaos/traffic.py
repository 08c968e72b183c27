"""Producers that post until they hear that their message was accepted."""

from __future__ import annotations

import asyncio
from itertools import count

from shared.errors import LedgerUnavailable
from shared.identifiers import new_response_id
from shared.persistence.ledger.records import Accepted, AlreadyAccepted
from tests.chaos.ground import MARK
from tests.integration.workers.road import Road

_numbers = count(1)


class Traffic:
    """Posts messages through the ledger and the publisher, as the door does.

    A producer that got no answer posts again under the same idempotency key, and keeps the id it
    is told in the end: that is what the promise is about.
    """

    def __init__(self, road: Road, *, producers: int = 32) -> None:
        self._road = road
        self._turnstile = asyncio.Semaphore(producers)
        self.accepted: dict[str, str] = {}
        self.posted_again = 0

    async def post(self, messages: int, *, pause_seconds: float = 0.0) -> None:
        """Returns when all of them have been accepted."""
        async with asyncio.TaskGroup() as group:
            for _ in range(messages):
                await self._turnstile.acquire()
                group.create_task(self._post(next(_numbers)))
                if pause_seconds:
                    await asyncio.sleep(pause_seconds)  # the rate at which producers post

    async def _post(self, number: int) -> None:
        text = f"{MARK} {number}"
        try:
            while (message_id := await self._try(text, streamed=number % 3 == 0)) is None:
                self.posted_again += 1
                await asyncio.sleep(0.1)
        finally:
            self._turnstile.release()
        self.accepted[message_id] = text

    async def _try(self, text: str, *, streamed: bool) -> str | None:
        message_id = new_response_id()
        try:
            outcome = await self._road.post(
                text, id=message_id, idempotency_key=text, body={"stream": streamed}
            )
        except LedgerUnavailable:
            return None
        match outcome:
            case Accepted(record):
                return record.id
            case AlreadyAccepted(earlier, _):
                return earlier
