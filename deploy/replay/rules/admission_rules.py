"""The verdict on a message, and what ends it: admission.lua, commitments.lua, reservations.lua.

What Redis packs lies here in objects. Left out is what the record of a day does not have: a
message asked about twice by its idempotency key, and bills that come after their message's end.
"""

from __future__ import annotations

from typing import Final

from deploy.replay.rules.asked import Asked, DoorReply, Levels, SettledUsage
from deploy.replay.rules.packed_limits import PackedLimits, unpacked
from deploy.replay.rules.spending import DAY_SECONDS, SpendingRules
from deploy.replay.rules.tenant_account import TenantAccount
from deploy.replay.rules.user_record import REFUSALS, UserRecord
from ingress.admission.limits import Limits

_ROUNDING: Final = 1e-6
_OURS: Final = 6
"""From this refusal on it leaves no mark on the user."""


class AdmissionRules:
    """All tenants. Nothing is consumed unless everything allows it."""

    def __init__(self) -> None:
        self._accounts: dict[str, TenantAccount] = {}

    def decide(self, asked: Asked, limits: Limits, now: float, *, rates: bool = True) -> DoorReply:
        """Let it in, or say by which limit it is refused and for how long.

        Without `rates` no limit by the minute is asked: who passes those is known.
        """
        account = self._account(asked.tenant)
        rules = unpacked(limits.rules)
        account.forget_old(now)
        user = account.user(asked.user, now) or UserRecord(now)
        user.decay(now, rules.half_life)
        return _Decision(account, user, rules, asked, now, rates=rates).made()

    def committed(self, tenant: str, message_id: str, until: float) -> None:
        """It is on disk: its slot is kept for long."""
        self._account(tenant).slots.keep(message_id, until)

    def settle(
        self, tenant: str, user: str | None, message_id: str, usage: SettledUsage, now: float
    ) -> bool:
        """Free its slot and charge what it used; False where it holds none, and nothing changes."""
        account = self._account(tenant)
        if not account.slots.free(message_id):
            return False
        if account.spending is not None:
            account.spending.settle(message_id, usage.cost, int(now // DAY_SECONDS))
        account.forget_old(now)
        if account.written_at is not None:
            account.written_at = now
            account.learn(usage.output_tokens)
            account.tokens = max(0.0, account.tokens + usage.more_tokens)
        record = account.user(user, now)
        if record is not None:
            record.tokens = max(0.0, record.tokens + usage.more_tokens)
            record.written_at = now
        return True

    def _account(self, tenant: str) -> TenantAccount:
        account = self._accounts.get(tenant)
        if account is None:
            account = self._accounts[tenant] = TenantAccount()
        return account


class _Decision:
    """One verdict: levels as they stand now, and how long until the message fits under each."""

    __slots__ = ("account", "asked", "has_rates", "levels", "now", "rules", "user", "waits")

    def __init__(
        self,
        account: TenantAccount,
        user: UserRecord,
        rules: PackedLimits,
        asked: Asked,
        now: float,
        *,
        rates: bool,
    ) -> None:
        self.has_rates = rates
        self.account, self.user, self.rules, self.asked, self.now = account, user, rules, asked, now
        self.levels: Levels = (0.0, 0.0, 0.0, 0.0)
        self.waits: Levels = (0.0, 0.0, 0.0, 0.0)

    def made(self) -> DoorReply:
        account, user, asked, now = self.account, self.user, self.asked, self.now
        spending = self._spending()
        risk = self.rules.risk(user.counts)
        self._measure(1 - risk)
        is_new = account.slots.take(asked.message_id, now + asked.lease)
        waits = (*self.waits, self._slot_wait(), max(0.0, asked.expected_wait - asked.seconds_left))
        money = 0.0 if spending is None else spending.wait(asked.price, asked.cap or 0, now)
        refused_by = _first_of((*waits, money)) if is_new else 0
        if refused_by:
            risk = self._refuse(refused_by, risk)
            wait = max(*self.waits, *waits[4:], money)
            return DoorReply(refused_by, wait, risk, account.p90, self.levels, user.counts)
        if is_new:
            if spending is not None:
                spending.reserve(asked.message_id, asked.price)
            self._let_in()
        return DoorReply(0, 0.0, risk, account.p90, self.levels)

    def _spending(self) -> SpendingRules | None:
        account, today = self.account, int(self.now // DAY_SECONDS)
        if self.asked.cap is None:
            return None
        if account.spending is None:
            account.spending = SpendingRules(today)
        account.spending.release(account.slots.clear(self.now))
        account.spending.look(today)
        return account.spending

    def _slot_wait(self) -> float:
        slots, now = self.account.slots, self.now
        first = slots.first_end(now, beyond=int(self.rules.slots))
        return 0.0 if first is None else min(max(first - now, 0.001), 1.0)

    def _measure(self, share: float) -> None:
        account, user, now, tokens = self.account, self.user, self.now, self.asked.tokens
        rate_1, burst_1, rate_2, burst_2, rate_3, burst_3, rate_4, burst_4 = self.rules.buckets
        idle, user_idle = max(0.0, now - account.at), max(0.0, now - user.at)
        rate_3, rate_4 = rate_3 * share, rate_4 * share
        one, wait_1 = _bucket(account.requests - idle * rate_1, rate_1, burst_1 * share, 1)
        two, wait_2 = _bucket(account.tokens - idle * rate_2, rate_2, burst_2 * share, tokens)
        three, wait_3 = _bucket(user.requests - user_idle * rate_3, rate_3, burst_3 * share, 1)
        four, wait_4 = _bucket(user.tokens - user_idle * rate_4, rate_4, burst_4 * share, tokens)
        self.levels = one, two, three, four
        if self.has_rates:
            self.waits = wait_1, wait_2, wait_3, wait_4

    def _refuse(self, refused_by: int, risk: float) -> float:
        """The wait is measured after the mark, so that it is true for whoever keeps it."""
        account, user = self.account, self.user
        account.slots.free(self.asked.message_id)
        if refused_by >= _OURS:
            return risk
        user.count(REFUSALS)
        self._write_user()
        account.written_at = self.now
        risk = self.rules.risk(user.counts)
        self._measure(1 - risk)
        return risk

    def _let_in(self) -> None:
        account, user, asked, now = self.account, self.user, self.asked, self.now
        one, two, three, four = self.levels
        self.levels = one + 1, two + asked.tokens, three + 1, four + asked.tokens
        user.came_in(asked.digest[:8], now, self.rules.half_life)
        is_next_second = account.at // 1 != now // 1
        account.requests, account.tokens = self.levels[0], self.levels[1]
        account.at = account.written_at = now
        user.requests, user.tokens, user.at = self.levels[2], self.levels[3], now
        self._write_user()
        if is_next_second:
            ended = account.slots.clear(now)
            if account.spending is not None:
                account.spending.release(ended)

    def _write_user(self) -> None:
        self.user.written_at = self.now
        self.account.users[self.asked.user] = self.user


def _bucket(level: float, rate: float, burst: float, weight: float) -> tuple[float, float]:
    level = max(0.0, level)
    excess = level + weight - max(burst, weight)
    return level, excess / rate if excess > _ROUNDING else 0.0


def _first_of(waits: tuple[float, ...]) -> int:
    return next((place for place, wait in enumerate(waits, 1) if wait > 0), 0)
