"""Turns of the open batches: none of them keeps another one waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shared.batches.batch import Batch
from shared.batches.work import BatchWork
from shared.clock import Clock


class BatchTurns:
    """Gives each open batch a turn, the oldest first.

    A round that is over before all have had one goes on behind the last in the next.
    """

    def __init__(self, work: BatchWork, clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._behind = ""

    @property
    def is_through(self) -> bool:
        """Whether the last round came to the newest batch."""
        return not self._behind

    async def round(self, turn: Callable[[Batch], Awaitable[bool]], *, until: float) -> bool:
        """No turn begins after `until`; whether another one may come to something.

        Raises LedgerUnavailable, and what the turn raises.
        """
        # Those before where it begins have not had theirs.
        is_more = bool(self._behind)
        while batches := await self._work.open(behind=self._behind):
            for each in batches:
                self._behind = each.id
                is_more = await turn(each) or is_more
                if self._clock.monotonic() > until:
                    return is_more
        self._behind = ""
        return is_more
