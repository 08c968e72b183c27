"""One look for all pages of a door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from ingress.console.live.topic import Topic
from shared.clock import Clock
from shared.errors import ForebayError
from shared.telemetry.logs import get_logger

BEAT_SECONDS: Final = 1.0
_TROUBLE: Final = "trouble"


class Broadcast:
    """Looks at every topic while somebody listens, and keeps what it saw last.

    A look that fails is told as `trouble` with the error's code, and is tried again in its turn.
    """

    def __init__(self, topics: Sequence[Topic], clock: Clock) -> None:
        self._topics = topics
        self._clock = clock
        self._log = get_logger(__name__)
        self._seen: dict[str, msgspec.Raw] = {}
        self._due: dict[str, float] = {}
        self._beaten = asyncio.Event()
        self._listeners = 0
        self._looking: asyncio.Task[None] | None = None
        self._is_over = False

    @property
    def listeners(self) -> int:
        """How many pages there are."""
        return self._listeners

    def has_stopped(self) -> bool:
        """Whether there will be no more beats."""
        return self._is_over

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Inside, there are beats; the last one to leave ends the looking."""
        self._listeners += 1
        if self._looking is None:
            self._due.clear()
            self._looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._looking.cancel()
                self._looking = None

    async def beat(self) -> None:
        """Return at the next one, or when all is over."""
        if not self._is_over:
            await self._beaten.wait()

    def news(self, known: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
        """What differs from what a page knows, which it knows from now on."""
        news = {name: told for name, told in self._seen.items() if known.get(name) != told}
        known.update(news)
        return news

    def stop(self) -> None:
        """No page is told anything more."""
        self._is_over = True
        self._wake()

    async def _look_on(self) -> None:
        while True:
            now = self._clock.monotonic()
            due = [each for each in self._topics if self._due.get(each.name, now) <= now]
            for topic in due:
                self._due[topic.name] = now + topic.seconds
            await self._look(due)
            self._wake()
            await asyncio.sleep(BEAT_SECONDS)

    async def _look(self, topics: Sequence[Topic]) -> None:
        troubles = [code for topic in topics if (code := await self._look_at(topic)) is not None]
        if topics:
            self._seen[_TROUBLE] = _raw(troubles[0] if troubles else None)

    async def _look_at(self, topic: Topic) -> str | None:
        """None, or the code of the error."""
        try:
            self._seen[topic.name] = _raw(await topic.look())
        except ForebayError as error:
            return error.code
        except Exception as error:  # noqa: BLE001 - the edge of a task: pages go on without it
            self._log.error(
                "console cannot look", topic=topic.name, error=type(error).__name__, exc_info=error
            )
            return "internal"
        return None

    def _wake(self) -> None:
        self._beaten.set()
        self._beaten = asyncio.Event()
        if self._is_over:
            self._beaten.set()


def _raw(told: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(told))
