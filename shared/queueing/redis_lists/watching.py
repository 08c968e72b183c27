"""Waiting at several lists at once, a connection each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from shared.queueing.redis_lists.session import RedisSession
from shared.resilience.kept_running import end_tasks


class ListWatchers:
    """Calls `wake` when something lies in a list that is watched; nothing is taken."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._watchers: dict[str, asyncio.Task[None]] = {}

    def watch(self, session: RedisSession, names: Iterable[str]) -> None:
        """Watch these until something lies there; those that are watched already are."""
        for name in names:
            watcher = self._watchers.get(name)
            if watcher is None or watcher.done():
                self._watchers[name] = asyncio.create_task(self._watch(session, name))

    def leave(self, name: str) -> None:
        """Watch it no longer."""
        if watcher := self._watchers.pop(name, None):
            watcher.cancel()

    def raise_failure(self) -> None:
        """Raises what ended a watcher: RedisError or OSError."""
        for watcher in self._watchers.values():
            if watcher.done() and (error := watcher.exception()):
                raise error

    async def end(self) -> None:
        watchers, self._watchers = list(self._watchers.values()), {}
        await end_tasks(*watchers)

    async def _watch(self, session: RedisSession, name: str) -> None:
        try:
            found = await session.wait(name)
        except BaseException:
            self._wake()
            raise
        if found:
            self._wake()
