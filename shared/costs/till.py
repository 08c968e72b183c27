"""The till: where a worker asks whether a tenant may still pay for a call."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from redis.asyncio import Redis

from shared.clock import Clock
from shared.costs.budget import Budgets
from shared.costs.price import TokenCount, nano_dollars
from shared.costs.prices import Prices, open_prices
from shared.errors import RedisUnavailable, Unavailable
from shared.persistence.engine import Database
from shared.persistence.tenants import TenantRepository
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import LuaScript, ScriptCall
from shared.reservations.account import load_account_script
from shared.reservations.reservations import Reservations, budget_key, slots_key
from shared.resilience.group_commit import GroupCommit
from shared.settings import Settings
from shared.settings.door import LimitSettings

_LEASE_MARGIN_SECONDS: Final = 60.0
_NOT_KNOWN, _NOT_WITHIN_CAP = -1, -2
_REMEMBERED_SECONDS: Final = 10.0
SET_ASIDE_SECONDS: Final = 90.0
"""How long a batch's money is held that nobody looks after any more."""


class _KnownCap(NamedTuple):
    cap: Decimal | None
    until: float


class Caps:
    """A cap that was changed counts for what is claimed ten seconds later."""

    def __init__(self, tenants: TenantRepository, limits: LimitSettings, clock: Clock) -> None:
        self._tenants = tenants
        self._limits = limits
        self._clock = clock
        self._known: dict[str, _KnownCap] = {}

    async def of(self, tenant_id: str) -> Decimal | None:
        """US dollars a day, None without a cap; raises LedgerUnavailable."""
        now, known = self._clock.monotonic(), self._known.get(tenant_id)
        if known is None or known.until < now:
            plan = await self._tenants.plan_of(tenant_id)
            cap = plan.daily_budget if plan else self._limits.daily_budget
            known = self._known[tenant_id] = _KnownCap(cap, now + _REMEMBERED_SECONDS)
        return known.cap


class Allotment(NamedTuple):
    """What a batch has set aside for one of its messages, in billionths of a dollar."""

    batch_id: str
    nano_dollars: int


class Payment(NamedTuple):
    """All that the calls of one message may cost, in billionths of a dollar, and who pays.

    What Redis has forgotten is kept anew until a minute after the message's deadline.
    """

    tenant_id: str
    message_id: str
    nano_dollars: int
    deadline: datetime
    allotment: Allotment | None = None


class Till:
    """Reserves money for calls in the same account as admission does, in groups.

    Without Redis every call is granted: what admission has let in is answered.
    """

    def __init__(
        self,
        redis: Redis,
        reservations: Reservations,
        caps: Caps,
        budgets: Budgets,
        prices: Prices,
        clock: Clock,
    ) -> None:
        self._redis = GuardedRedis(redis, clock)
        self._reservations = reservations
        self._caps = caps
        self._budgets = budgets
        self._prices = prices
        self._clock = clock
        self._script: LuaScript = load_account_script("shared.costs", "reserving.lua")
        self._billing: LuaScript = load_account_script("shared.costs", "billing.lua")
        self._setting_aside = load_account_script("shared.costs", "setting_aside.lua")
        self._group: GroupCommit[ScriptCall, int] = GroupCommit(self._reserve_all)

    def cap_of(self, tenant_id: str) -> Awaitable[Decimal | None]:
        """US dollars a day; raises LedgerUnavailable."""
        return self._caps.of(tenant_id)

    def most(self, provider: str, model: str, tokens: TokenCount) -> int:
        """The most that a call of so many tokens may cost, in billionths of a dollar."""
        return nano_dollars(self._prices.most(provider, model, tokens, at=self._clock.now()))

    def cost(self, provider: str, model: str, tokens: TokenCount) -> int:
        """What a call of so many tokens cost; nothing where no price is known."""
        cost = self._prices.cost(provider, model, tokens, at=self._clock.now())
        return nano_dollars(cost or Decimal(0))

    async def reserve(self, payment: Payment, cap: Decimal) -> int | None:
        """What is reserved for the message now; None where that would pass the cap.

        Raises LedgerUnavailable where what was spent today can be read nowhere.
        """
        held = await self._ask(payment, cap)
        if held == _NOT_KNOWN:
            await self._budgets.read(payment.tenant_id)
            held = await self._ask(payment, cap)
        return None if held in (_NOT_KNOWN, _NOT_WITHIN_CAP) else held

    async def booked_today(self, tenant_id: str) -> Decimal:
        """US dollars that the ledger has booked since midnight in UTC; raises LedgerUnavailable."""
        return await self._budgets.booked_today(tenant_id)

    async def set_aside(self, tenant_id: str, batch_id: str, *, least: int, most: int) -> None:
        """Hold what a batch has set aside between these, and for another minute and a half.

        Whether the cap has room for it is not asked. Raises LedgerUnavailable.
        """
        if await self._held_aside(tenant_id, batch_id, least, most) == _NOT_KNOWN:
            await self._budgets.read(tenant_id)
            await self._held_aside(tenant_id, batch_id, least, most)

    async def settle(self, tenant_id: str, message_id: str, *, cost: int) -> None:
        """Release what is reserved under that id, and charge what it came to."""
        await self._reservations.settle(
            tenant_id,
            None,
            message_id=message_id,
            estimated_tokens=0,
            used_tokens=0,
            nano_dollars=cost,
        )

    async def bill(self, tenant_id: str, message_id: str, *, cost: int) -> None:
        """Charge what the calls of a turn came to that did not end its message."""
        call = ScriptCall((budget_key(tenant_id),), (message_id, cost))
        # What Redis does not hear is caught up from the ledger, where it is booked.
        await self._redis.run(self._billing, [call])

    async def close(self) -> None:
        """Answer what waits, then refuse what comes after."""
        await self._group.close()
        await self._redis.close()
        await self._budgets.close()

    async def _ask(self, payment: Payment, cap: Decimal) -> int:
        question = self._budgets.question(payment.tenant_id, cap, reserve=payment.nano_dollars)
        keys = (slots_key(payment.tenant_id), budget_key(payment.tenant_id))
        left = (payment.deadline - self._clock.now()).total_seconds()
        about = (payment.message_id, max(0.0, left) + _LEASE_MARGIN_SECONDS)
        allotted = payment.allotment or ("", 0)
        asked = (*about, *question.arguments, *allotted)
        try:
            return await self._group.submit(ScriptCall(keys, asked))
        except Unavailable:
            return payment.nano_dollars

    async def _held_aside(self, tenant_id: str, batch_id: str, least: int, most: int) -> object:
        _, _, *told = self._budgets.question(tenant_id, Decimal(0), reserve=0).arguments
        keys = (slots_key(tenant_id), budget_key(tenant_id))
        asked = (batch_id, SET_ASIDE_SECONDS, least, most, *told)
        outcomes = await self._redis.run(self._setting_aside, [ScriptCall(keys, asked)])
        return None if outcomes is None else outcomes[0]

    async def _reserve_all(self, calls: list[ScriptCall]) -> Sequence[int | BaseException]:
        held = await self._redis.run(self._script, calls)
        if held is None:
            raise RedisUnavailable("Redis is away.")
        return held


def open_till(
    settings: Settings, database: Database, redis: Redis, reservations: Reservations, clock: Clock
) -> Till:
    """The till of one worker process; closed before its database and its Redis are."""
    prices = open_prices(settings.costs.prices, settings.providers)
    caps = Caps(TenantRepository(database, clock), settings.limits, clock)
    return Till(redis, reservations, caps, Budgets(database, prices, clock), prices, clock)
