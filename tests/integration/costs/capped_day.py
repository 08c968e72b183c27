"""One tenant's day with a cap: everything that may happen to its messages and their calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final

from ingress.admission.admission import Admission
from ingress.admission.verdict import Admitted
from shared.clock import SystemClock
from shared.costs.ceiling import call_ceiling
from shared.costs.price import TokenCount
from shared.costs.purse import Purse, Stake
from shared.costs.till import Till
from shared.messages.tenant import Tenant
from shared.reservations.reservations import Reservations
from tests.integration.costs.budgeted import message

CAP: Final = Decimal("0.05")
CEILING: Final = call_ceiling(size_bytes=856, messages=1, max_output_tokens=900)
"""0.01 dollars: what the door reserves too."""


@dataclass
class LiveMessage:
    """A message that a worker has, and what its calls really cost."""

    id: str
    purse: Purse
    calls: list[Stake] = field(default_factory=list)
    cost: int = 0
    ahead: Purse | None = None
    is_first_claim: bool = True


@dataclass
class Day:
    """Everything that may happen to the messages of one tenant."""

    owner: Tenant
    door: Admission
    worker: Reservations
    till: Till
    billed: int = 0
    live: list[LiveMessage] = field(default_factory=list)

    async def happens(self, event: str, place: int, share: float) -> None:
        if event == "message":
            await self._comes()
        elif self.live:
            one = self.live[place % len(self.live)]
            match event:
                case "call":
                    await self._calls(one)
                case "call ends":
                    self._ends_call(one, share)
                case "ends":
                    await self._ends(one)
                case "is abandoned":
                    await self._abandons(one, share)
                case "is cancelled":
                    await self._cancels(one, share)
                case "is summarised ahead":
                    await self._summarises_ahead(one, share)
                case "is stopped and cancelled":
                    await self._cancels(one, share, worker_first=True)
                case _:
                    await self._summarises(one, share)

    async def _comes(self) -> None:
        asked = message(self.owner)
        if isinstance(await self.door.decide(asked), Admitted):
            self.live.append(LiveMessage(asked.message_id, self._purse(asked.message_id)))

    def _purse(self, message_id: str) -> Purse:
        deadline = SystemClock().now() + timedelta(seconds=60)
        return Purse(self.till, tenant_id=self.owner.id, message_id=message_id, deadline=deadline)

    async def _calls(self, one: LiveMessage) -> None:
        stake = await one.purse.stake("own", "m", CEILING)
        if stake is not None:
            one.calls.append(stake)

    def _ends_call(self, one: LiveMessage, share: float) -> None:
        if not one.calls:
            return
        stake = one.calls.pop()
        tokens = TokenCount(int(CEILING.input_tokens * share), int(CEILING.output_tokens * share))
        stake.bill(tokens if share else None)
        cost = self.till.cost("own", "m", tokens)
        one.cost, self.billed = one.cost + cost, self.billed + cost

    async def _ends(self, one: LiveMessage) -> None:
        """As a turn does: every call has ended by then."""
        self._end_calls(one, 1.0)
        self.live.remove(one)
        await self._settle(one, one.cost)
        await self._release(one)

    async def _abandons(self, one: LiveMessage, share: float) -> None:
        """A worker stops, and another one has the message next."""
        self._end_calls(one, share)
        await one.purse.bill()
        await self._release(one)
        one.purse, one.cost, one.is_first_claim = self._purse(one.id), 0, False

    async def _cancels(self, one: LiveMessage, share: float, *, worker_first: bool = False) -> None:
        """The door knows of it first, and mostly tells the budget before the worker does."""
        self.live.remove(one)
        if not worker_first:
            await self._cancel(one)
        self._end_calls(one, share)
        await one.purse.bill()
        await self._release(one)
        if worker_first:
            await self._cancel(one)

    async def _summarises(self, one: LiveMessage, share: float) -> None:
        purse = one.purse.beside("summary")
        await self._ends(one)
        stake = await purse.stake("own", "m", CEILING)
        if stake is not None:
            self._ends_call(LiveMessage("", purse, [stake]), share)
        await purse.settle()

    async def _summarises_ahead(self, one: LiveMessage, share: float) -> None:
        """Before it is answered, once: what is reserved for the answer stays reserved."""
        if one.ahead is not None:
            return
        is_untouched = one.is_first_claim and not one.calls and not one.cost
        one.ahead = one.purse.ahead("summary")
        stake = await one.ahead.stake("own", "m", CEILING)
        if stake is not None:
            summary = LiveMessage("", one.ahead, [stake])
            self._ends_call(summary, share)
            one.cost += summary.cost
        if is_untouched:
            await self._calls(one)
            assert one.calls, "the answer found no room"

    async def _release(self, one: LiveMessage) -> None:
        """As the turn does when it is over."""
        if one.ahead is not None:
            await one.ahead.release()
            one.ahead = None

    def _end_calls(self, one: LiveMessage, share: float) -> None:
        while one.calls:
            self._ends_call(one, share)

    async def _settle(self, one: LiveMessage, cost: int) -> None:
        await self.worker.settle(
            self.owner.id,
            None,
            message_id=one.id,
            estimated_tokens=0,
            used_tokens=0,
            nano_dollars=cost,
        )

    async def _cancel(self, one: LiveMessage) -> None:
        await self.worker.cancel(
            self.owner.id, None, message_id=one.id, estimated_tokens=0, has_begun=True
        )
