"""Single flight: equal messages that are under way share one call, across all workers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final

from shared.answer_cache.answer_cache import AnswerCache, Quest
from shared.answer_cache.stored_answer import CacheFinding, FlightRole
from shared.clock import Clock
from shared.replies.wakeups import Wakeups

_LOOK_SECONDS: Final = 1.0
"""A wake-up may be lost, and a dead leader gives none."""


class SingleFlight:
    """Lets followers wait for their leader, who by then is already under way in some worker.

    Whoever waits looks again at each wake-up and once a second. It may find the answer; that the
    leader died, and that it leads now itself; or that everybody flies alone.
    """

    def __init__(self, cache: AnswerCache, wakeups: Wakeups, clock: Clock) -> None:
        self._cache = cache
        self._wakeups = wakeups
        self._clock = clock

    async def follow(self, quest: Quest, *, seconds: float) -> CacheFinding | None:
        """What became of the flight; None when the wait took too long or Redis is away."""
        began = self._clock.monotonic()
        async with self._wakeups.listen(quest.place.listeners) as wake:
            while True:
                wake.clear()
                waited = self._clock.monotonic() - began
                finding = await self._cache.look_up(_not_older(quest, waited))
                if finding is None or finding.role is not FlightRole.FOLLOWS:
                    return finding
                left = seconds - waited
                if left <= 0:
                    return None
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, _LOOK_SECONDS)):
                        await wake.wait()


def _not_older(quest: Quest, waited: float) -> Quest:
    # What was stored while it waited is as fresh as an answer of its own.
    if quest.max_age_seconds is None:
        return quest
    return replace(quest, max_age_seconds=max(quest.max_age_seconds, waited))
