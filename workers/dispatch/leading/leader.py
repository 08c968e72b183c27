"""The leader of the dispatch: of all worker processes one releases what is held."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

from shared.clock import Clock
from shared.dispatch.credit import HINT_CHANNEL
from shared.errors import LedgerUnavailable, Unavailable
from shared.persistence.ledger.role_leases import RoleLease
from shared.replies.wakeups import Wake, Wakeups
from shared.telemetry.logs import get_logger
from workers.dispatch.leading.term import DispatchTerm

LEASE_SECONDS: Final = 5.0
"""Without a word for so long another process leads, and doors publish by themselves."""
_SECOND: Final = 1.0
_PAUSE_SECONDS: Final = 0.02
"""Between two releases while something waits."""


class DispatchLeader:
    """Leads while it holds the role, a second at a time.

    Two may believe that they lead: each message is released by one of them, and what the other
    does not know it learns from the ledger with its next term.
    """

    def __init__(
        self, lease: RoleLease, wakeups: Wakeups, begin: Callable[[], DispatchTerm], clock: Clock
    ) -> None:
        self._lease = lease
        self._wakeups = wakeups
        self._begin = begin
        self._clock = clock
        self._hint = Wake()
        self._term: DispatchTerm | None = None
        self._led_at = 0.0
        self._random = Random()

    async def run(self) -> None:
        """Until cancelled; the role is given back then, so that nobody waits for it."""
        try:
            while True:
                try:
                    leads = await self._lease.take() and await self._lead()
                except Unavailable as error:
                    leads = False
                    get_logger(__name__).warning("dispatch_skipped", code=error.code)
                if not leads:
                    await asyncio.sleep(_SECOND * self._random.uniform(0.75, 1.25))
        finally:
            with suppress(LedgerUnavailable):
                await self._lease.give_back()

    async def _lead(self) -> bool:
        """For a second; what others know since, where it was longer ago, is read anew."""
        now = self._clock.monotonic()
        if self._term is None or now - self._led_at > LEASE_SECONDS:
            self._term = None  # it knows nothing until it knows all
            term = self._begin()
            await term.begin()
            self._term = term
            self._wakeups.attend(HINT_CHANNEL, self._hint)
        until = self._clock.monotonic() + _SECOND
        await self._term.each_second()
        while (left := until - self._clock.monotonic()) > 0:
            await self._term.release()
            pause = min(left, _PAUSE_SECONDS) if self._term.has_waiting else left
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._hint.wait()
            if self._hint.is_set():
                self._hint.clear()
                await self._term.glance()
        self._led_at = self._clock.monotonic()
        return True
