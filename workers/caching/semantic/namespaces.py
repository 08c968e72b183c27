"""What one worker process holds of each namespace, and how it stays level with the others."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.clock import Clock
from shared.errors import RedisUnavailable
from shared.resilience.group_commit import GroupCommit
from shared.resilience.kept_running import end_tasks
from workers.caching.semantic.entry_log import START, EntryLog, Piece
from workers.caching.semantic.nearest import NearestQuestions

_CHANGES_A_READ: Final = 200
"""So many are taken in without holding up the loop for a millisecond."""


@dataclass(slots=True)
class _Held:
    questions: NearestQuestions
    last: bytes = START
    catching_up: asyncio.Task[None] | None = None


class Namespaces:
    """The questions of each namespace as of now; the ones unused for longest are given up.

    All who look in the same turn of the loop share one round trip. A namespace new to this
    process has its first 200 changes at once and the rest soon after.
    """

    def __init__(
        self,
        log: EntryLog,
        clock: Clock,
        *,
        dimensions: int,
        max_entries: int,
        memory_bytes: int,
    ) -> None:
        self._log = log
        self._clock = clock
        self._dimensions = dimensions
        self._max_entries = max_entries
        self._memory_bytes = memory_bytes
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._reads: GroupCommit[str, NearestQuestions | None] = GroupCommit(self._read_all)

    @property
    def entries(self) -> int:
        """Questions held in this process."""
        return sum(len(held.questions) for held in self._held.values())

    async def current(self, namespace: str) -> NearestQuestions | None:
        """With every change that was made before this call; None while Redis is away."""
        return await self._reads.submit(namespace)

    async def close(self) -> None:
        """End what is loaded in the background and forget everything."""
        loading = [held.catching_up for held in self._held.values() if held.catching_up]
        await end_tasks(*loading)
        await self._reads.close()
        self._held.clear()

    async def _read_all(self, namespaces: list[str]) -> Sequence[NearestQuestions | None]:
        held = {namespace: self._hold(namespace) for namespace in namespaces}
        try:
            pieces = await self._log.read_all(
                {namespace: each.last for namespace, each in held.items()},
                limit=_CHANGES_A_READ,
            )
        except RedisUnavailable:
            return [None] * len(namespaces)
        for namespace, piece in pieces.items():
            self._take_in(namespace, held[namespace], piece)
        self._give_up_the_unused()
        return [held[namespace].questions for namespace in namespaces]

    def _hold(self, namespace: str) -> _Held:
        if namespace not in self._held:
            self._held[namespace] = _Held(
                NearestQuestions(dimensions=self._dimensions, max_entries=self._max_entries)
            )
        self._held.move_to_end(namespace)
        return self._held[namespace]

    def _take_in(self, namespace: str, held: _Held, piece: Piece) -> None:
        held.questions.apply(piece.changes, now=self._clock.now().timestamp())
        held.last = piece.last
        if piece.is_full and held.catching_up is None:
            held.catching_up = asyncio.create_task(self._catch_up(namespace, held))

    async def _catch_up(self, namespace: str, held: _Held) -> None:
        """Read on until nothing new comes; each piece waits its turn among the lookups."""
        try:
            before = None
            while held.last != before and namespace in self._held:
                before = held.last
                await self._reads.submit(namespace)
        finally:
            held.catching_up = None

    def _give_up_the_unused(self) -> None:
        size = sum(held.questions.size_bytes for held in self._held.values())
        while size > self._memory_bytes and len(self._held) > 1:
            _, held = self._held.popitem(last=False)
            size -= held.questions.size_bytes
