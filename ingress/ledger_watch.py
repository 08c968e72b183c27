"""One look at the ledger for everybody at this door who waits: news that no wake-up told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from shared.errors import Unavailable
from shared.messages.record import MessageRecord
from shared.persistence.ledger.message_states import Standing
from shared.resilience.kept_running import end_tasks

LOOK_SECONDS: Final = 2.0
"""How often the ledger is asked, since a wake-up may be lost."""
_AT_ONCE: Final = 1_000

Look = Callable[[Sequence[str]], Awaitable[Mapping[str, Standing]]]


class Watched:
    """What one who waits knows of a message; `wake` is set when the ledger knows more."""

    def __init__(self, record: MessageRecord, wake: asyncio.Event) -> None:
        self._wake = wake
        self._known: Standing | None = Standing(record.state, record.attempt)
        self._has_news = False

    def compare(self, standing: Standing | None) -> None:
        """Hear how the message stands; None when there is none any more."""
        if standing != self._known:
            self._known = standing
            self._has_news = True
            self._wake.set()

    def take_news(self) -> bool:
        """Whether the ledger has had news since this was asked before."""
        has_news, self._has_news = self._has_news, False
        return has_news


class LedgerWatch:
    """Looks every LOOK_SECONDS while somebody waits, at all of their messages together.

    A ledger that is away is asked again the next time.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._watched: defaultdict[str, set[Watched]] = defaultdict(set)
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, record: MessageRecord, wake: asyncio.Event) -> Iterator[Watched]:
        """While inside, news of the message sets `wake`."""
        watched = Watched(record, wake)
        self._watched[record.id].add(watched)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_again_and_again())
        try:
            yield watched
        finally:
            self._watched[record.id].discard(watched)
            if not self._watched[record.id]:
                del self._watched[record.id]

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            await end_tasks(self._looking)

    async def _look_again_and_again(self) -> None:
        while self._watched:
            await asyncio.sleep(LOOK_SECONDS)
            for some in _groups([*self._watched]):
                try:
                    standings = await self._look(some)
                except (Unavailable, OSError):
                    break
                for message_id in some:
                    for watched in self._watched.get(message_id, ()):
                        watched.compare(standings.get(message_id))


def _groups(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
