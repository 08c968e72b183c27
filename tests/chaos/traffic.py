"""Producers that post until they hear that their message was accepted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count

import aiohttp

from shared.errors import LedgerUnavailable
from shared.identifiers import new_response_id
from shared.persistence.ledger.records import Accepted, AlreadyAccepted
from tests.chaos.door import DoorPoster
from tests.chaos.ground import MARK, Ground
from tests.integration.workers.road import Road, open_road

Poster = Callable[[str], Awaitable[str | None]]
REPEATED = 4
_numbers = count(1)


class Traffic:
    """Posts messages, each in one of several ways.

    A producer that got no answer posts again under the same idempotency key, and one in
    `REPEATED` posts again although it was answered. `accepted` has every id that anybody was told
    and the text it was told for: that is what the promise is about.
    """

    def __init__(self, posters: Sequence[Poster], *, producers: int = 32) -> None:
        self._posters = posters
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
        poster = self._posters[number % len(self._posters)]
        try:
            for _ in range(2 if number % REPEATED == 0 else 1):
                while (message_id := await poster(text)) is None:
                    self.posted_again += 1
                    await asyncio.sleep(0.1)
                self.accepted[message_id] = text
        finally:
            self._turnstile.release()

    async def told_in_vain(self) -> list[str]:
        """The ids that were told over HTTP and that the door does not know."""
        unknown = []

        async def ask(message_id: str, text: str) -> None:
            poster = self._posters[_number(text) % len(self._posters)]
            async with self._turnstile:
                if isinstance(poster, DoorPoster) and not await poster.knows(message_id):
                    unknown.append(message_id)

        await asyncio.gather(*(ask(*told) for told in self.accepted.items()))
        return unknown


def _number(text: str) -> int:
    return int(text.rpartition(" ")[2])


class StreamPoster:
    """Accepts a streamed message as the door does: ledger, then publisher."""

    def __init__(self, road: Road) -> None:
        self._road = road

    async def __call__(self, text: str) -> str | None:
        """The id it was accepted under; None where the producer has to post again."""
        message_id = new_response_id()
        try:
            outcome = await self._road.post(
                text, id=message_id, idempotency_key=text, body={"stream": True}
            )
        except LedgerUnavailable:
            return None
        match outcome:
            case Accepted(record):
                return record.id
            case AlreadyAccepted(earlier, _):
                return earlier


@asynccontextmanager
async def open_traffic(ground: Ground) -> AsyncIterator[Traffic]:
    """Two in three through the real door over HTTP, the third as a stream."""
    patience = aiohttp.ClientTimeout(total=10)
    async with (
        open_road(ground.stack) as road,
        aiohttp.ClientSession(timeout=patience) as session,
    ):
        door = DoorPoster(session, ground.door)
        yield Traffic([StreamPoster(road), door, door])
