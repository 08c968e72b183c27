"""The leases of one worker process: all of its turns renewed in one statement, and cut in time."""

from __future__ import annotations

import asyncio
from datetime import datetime
from math import inf
from types import TracebackType
from typing import Final

from shared.messages.record import MessageRecord
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.records import TurnTab
from shared.persistence.ledger.worker_lease import Lease

_SHORTEST_ALARM_SECONDS: Final = 0.05
"""Turns that are over their time one after the other are looked for together."""


class LeaseLost(Exception):
    """The message was cancelled, or was given to another worker: this turn has no say any more."""


class TurnOverdue(Exception):
    """The turn took longer than it was given."""


class Leases:
    """Keeps what this process holds, and stops a turn whose message it holds no longer, or whose
    time is over.

    One timer does for all of its turns: it is set for the earliest end, and stays where that turn
    ends before. Belongs to one event loop.
    """

    def __init__(self, claims: ClaimGroup) -> None:
        self._claims = claims
        self._turns: dict[Lease, HeldLease] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = inf

    def held(
        self, record: MessageRecord, *, seconds: float, tab: TurnTab | None = None
    ) -> HeldLease:
        """Hold the message's lease while the context is open, for so long at most; what is put on
        the tab meanwhile is charged with each renewal.

        Raises LeaseLost inside as soon as the lease is known to be gone, and TurnOverdue once the
        time is over.
        """
        lease = HeldLease(self, Lease(record.id, record.attempt), seconds)
        if tab is not None:
            tab.began, lease.tab = lease.ends_at - seconds, tab
        return lease

    async def release(
        self,
        record: MessageRecord,
        *,
        not_before: datetime | None = None,
        fault: str | None = None,
        why: str = "",
    ) -> None:
        """Give a message back to the queue at once; raises LedgerUnavailable."""
        lease = Lease(record.id, record.attempt)
        await self._claims.release(lease, not_before=not_before, fault=fault, why=why)

    async def renew(self) -> None:
        """Renew all of them, and stop the turns of those that are gone.

        Raises LedgerUnavailable: nothing is known then, and the fence protects the terminal write
        if the lease has run out.
        """
        mine = list(self._turns)
        still = await self._claims.renew(mine)
        for lease in mine:
            if lease not in still and (turn := self._turns.get(lease)) is not None:
                turn.stop(LeaseLost(lease.message_id))
        if tabs := [turn.tab for turn in self._turns.values() if turn.tab is not None]:
            await self._claims.charge(tabs, asyncio.get_running_loop().time())

    def add(self, turn: HeldLease) -> None:
        self._turns[turn.lease] = turn
        if turn.ends_at < self._alarm_at:
            self._wake_at(turn.ends_at)

    def remove(self, turn: HeldLease) -> None:
        self._turns.pop(turn.lease, None)

    def _wake_at(self, when: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = when
        loop = asyncio.get_running_loop()
        self._alarm = None if when == inf else loop.call_at(when, self._stop_overdue)

    def _stop_overdue(self) -> None:
        now = asyncio.get_running_loop().time()
        for turn in self._turns.values():
            if turn.ends_at <= now:
                turn.stop(TurnOverdue(turn.lease.message_id))
        ends = (turn.ends_at for turn in self._turns.values())
        self._wake_at(max(min(ends, default=inf), now + _SHORTEST_ALARM_SECONDS))


class HeldLease:
    """One turn under its lease: the context that `Leases.held` gives."""

    __slots__ = ("_cancelled_before", "_leases", "_stopped", "_task", "ends_at", "lease", "tab")

    def __init__(self, leases: Leases, lease: Lease, seconds: float) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a lease is held by a task")
        self.lease = lease
        self.tab: TurnTab | None = None
        self.ends_at = task.get_loop().time() + seconds
        self._leases = leases
        self._task = task
        self._cancelled_before = task.cancelling()
        self._stopped: LeaseLost | TurnOverdue | None = None

    def stop(self, why: LeaseLost | TurnOverdue) -> None:
        """Have it raised inside, once."""
        self.ends_at = inf
        if self._stopped is None:
            self._stopped = why
            self._task.cancel()

    def __enter__(self) -> None:
        self._leases.add(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leases.remove(self)
        if self._stopped is None:
            return
        # As asyncio.timeout does: where it is cancelled from elsewhere too, that goes first.
        others = self._task.uncancel() > self._cancelled_before
        if isinstance(error, asyncio.CancelledError) and not others:
            raise self._stopped from None
