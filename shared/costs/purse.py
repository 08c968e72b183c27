"""What the calls of one message may cost while its tenant has a cap on the day's spending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from shared.costs.price import TokenCount
from shared.costs.till import Allotment, Payment, Till


class Stake:
    """One call's part of what a message has reserved: its ceiling, until its bill is known."""

    def __init__(self, nano_dollars: int, price: Callable[[TokenCount], int]) -> None:
        self.nano_dollars = nano_dollars
        self._price = price

    def bill(self, tokens: TokenCount | None) -> None:
        """The call has ended; None where nothing was charged for it."""
        self.nano_dollars = 0 if tokens is None else self._price(tokens)


class Purse:
    """Keeps what the message's calls have cost, and may still, within what is reserved for it.

    What admission reserved pays for the first call, and for the next where that one cost nothing;
    so does the `allotment` of a line of a batch.
    """

    def __init__(
        self,
        till: Till,
        *,
        tenant_id: str,
        message_id: str,
        deadline: datetime,
        allotment: Allotment | None = None,
    ) -> None:
        self._till = till
        self._allotment = allotment
        self._tenant_id = tenant_id
        self._message_id = message_id
        self._deadline = deadline
        self._stakes: list[Stake] = []
        self._ahead: list[Purse] = []
        self._held = 0

    async def is_capped(self) -> bool:
        """Whether calls must be paid ahead; raises LedgerUnavailable."""
        return await self._till.cap_of(self._tenant_id) is not None

    async def stake(self, provider: str, model: str, ceiling: TokenCount) -> Stake | None:
        """Leave to make one more call; None where the cap leaves no room for its ceiling.

        Raises LedgerUnavailable.
        """
        most = self._till.most(provider, model, ceiling)
        stake = Stake(most, lambda tokens: self._till.cost(provider, model, tokens))
        # Before anything is awaited: a call beside this one must count it.
        self._stakes.append(stake)
        try:
            is_granted = await self._is_within_cap()
        except BaseException:
            self._stakes.remove(stake)
            raise
        if not is_granted:
            self._stakes.remove(stake)
            return None
        return stake

    async def settle(self) -> None:
        """Charge what the calls came to; for a purse whose message is not settled otherwise."""
        if self._held:
            cost = self._needed
            await self._till.settle(self._tenant_id, self._message_id, cost=cost)

    async def release(self) -> None:
        """Give back what is reserved, once the message that pays for the calls is settled."""
        if self._held:
            await self._till.settle(self._tenant_id, self._message_id, cost=0)

    async def bill(self) -> None:
        """Charge what the calls came to of a turn that did not end its message.

        Raises LedgerUnavailable.
        """
        if await self.is_capped():
            cost = self._needed + sum(purse._needed for purse in self._ahead)
            await self._till.bill(self._tenant_id, self._message_id, cost=cost)

    def beside(self, name: str) -> Purse:
        """A purse for what is called once the message has been settled; settled by itself."""
        return Purse(
            self._till,
            tenant_id=self._tenant_id,
            message_id=f"{self._message_id}:{name}",
            deadline=self._deadline,
        )

    def ahead(self, name: str) -> Purse:
        """A purse whose calls the message pays for, which take nothing of what is reserved for it;
        released by itself."""
        purse = self.beside(name)
        self._ahead.append(purse)
        return purse

    @property
    def _needed(self) -> int:
        return sum(stake.nano_dollars for stake in self._stakes)

    async def _is_within_cap(self) -> bool:
        needed, cap = self._needed, await self._till.cap_of(self._tenant_id)
        if cap is None or needed <= self._held:
            return True
        payment = Payment(
            self._tenant_id, self._message_id, needed, self._deadline, self._allotment
        )
        held = await self._till.reserve(payment, cap)
        if held is None:
            return False
        self._held = max(self._held, held)
        return True
