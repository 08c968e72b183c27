"""Where a tenant's reservations lie, and how they end: a slot freed, an estimate corrected.

Every key of a tenant carries the hash tag `{tenant}`, so one script may touch them all on a
cluster too. Users and idempotency keys are hashed: neither is readable in Redis, and neither can
be so long, or so spelt, that it becomes another key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NotRequired, TypedDict, Unpack

from redis.asyncio import Redis

from shared.clock import Clock
from shared.errors import RedisRefused, Unavailable
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import LuaScript, ScriptCall, ScriptRun
from shared.reservations.account import RecordCount, load_account_script
from shared.resilience.group_commit import GroupCommit

_PACKAGE = "shared.reservations"
_ANONYMOUS: Final = "-"
_HASH_BYTES: Final = 12
LARGEST_CORRECTION: Final = 50_000
"""Tokens beyond what was reserved that one answer may take from a bucket: figures are a provider's
word, and a wrong one must not keep a tenant out."""


class RiskSignal(StrEnum):
    """What others saw a user do, by the count of its record that it adds to."""

    VALIDATOR_BLOCK = RecordCount.BLOCKS
    INJECTION = RecordCount.INJECTIONS
    COMPLAINT = RecordCount.COMPLAINTS


class Used(TypedDict):
    """What a message took that has ended."""

    message_id: str
    estimated_tokens: int
    used_tokens: int
    output_tokens: NotRequired[int | None]
    """What it teaches the tenant's next estimates; None where it teaches nothing."""
    nano_dollars: NotRequired[int | None]
    """Its cost in billionths of a dollar; None where that is unknown: what was reserved."""


@dataclass(frozen=True, slots=True)
class _Ending:
    """How one reservation ends."""

    tenant_id: str
    user: str | None
    message_id: str
    token_correction: int
    requests_back: int = 0
    output_tokens: int | None = None
    idempotency_key: str | None = None
    nano_dollars: int | None = 0
    is_billed_later: bool = False
    key_owner_id: str | None = None

    @property
    def cost(self) -> int | str:
        """As reservations.lua takes it."""
        if self.nano_dollars is not None:
            return self.nano_dollars
        return "later" if self.is_billed_later else ""


class Reservations:
    """Ends reservations, in groups. Without Redis nothing is ended and nobody is held up.

    A slot that was not freed ends with its lease, and levels drain by themselves, so `settle`,
    `give_back` and `report` answer False rather than raise when Redis is away or refuses.
    """

    def __init__(
        self, redis: Redis, clock: Clock, *, risk_half_life_seconds: float = 600.0
    ) -> None:
        self._redis = GuardedRedis(redis, clock)
        self._half_life_seconds = risk_half_life_seconds
        self._script: LuaScript = load_account_script(_PACKAGE, "reservations.lua")
        self._signal: LuaScript = load_account_script(_PACKAGE, "risk_signal.lua")
        self._endings: GroupCommit[_Ending, bool] = GroupCommit(self._end_all)

    async def settle(self, tenant_id: str, user: str | None, **used: Unpack[Used]) -> bool:
        """Free the slot of a message that ended and charge what it used instead of the estimate.

        Repeats change nothing. False when there was no reservation, or Redis was away.
        """
        return await self._end(_settled(tenant_id, user, used))

    def settling(self, tenant_id: str, user: str | None, **used: Unpack[Used]) -> ScriptRun:
        """What `settle` runs, for one who has more to say to Redis in the same round trip."""
        return self._script, _call(_settled(tenant_id, user, used))

    async def cancel(
        self,
        tenant_id: str,
        user: str | None,
        *,
        message_id: str,
        estimated_tokens: int,
        has_begun: bool,
    ) -> bool:
        """Free the slot of a message that was cancelled; see `settle`.

        Where a worker has begun, the tenant is charged by estimate, until the till is told better.
        """
        used = estimated_tokens if has_begun else 0
        return await self._end(
            _Ending(
                tenant_id,
                user,
                message_id,
                token_correction(reserved=estimated_tokens, used=used),
                nano_dollars=None if has_begun else 0,
                is_billed_later=True,
            )
        )

    async def give_back(
        self,
        tenant_id: str,
        user: str | None,
        *,
        message_id: str,
        estimated_tokens: int,
        idempotency_key: str | None,
        key_owner_id: str | None = None,
    ) -> bool:
        """Undo the admission of a message that was not accepted after all: all that it took.

        Its key is forgotten, or names `key_owner_id`, the message that the ledger has under it.
        """
        return await self._end(
            _Ending(
                tenant_id,
                user,
                message_id,
                -estimated_tokens,
                requests_back=1,
                idempotency_key=idempotency_key,
                key_owner_id=key_owner_id,
            )
        )

    async def report(
        self, tenant_id: str, user: str | None, signal: RiskSignal, *, times: float = 1.0
    ) -> bool:
        """Hold something against a user: it raises the risk of its next messages."""
        arguments = (signal.value, times, self._half_life_seconds)
        call = ScriptCall((user_key(tenant_id, user),), arguments)
        outcomes = await self._redis.run(self._signal, [call])
        return outcomes is not None and not isinstance(outcomes[0], RedisRefused)

    async def close(self) -> None:
        """Send what waits, then refuse what comes after."""
        await self._endings.close()
        await self._redis.close()

    async def _end(self, ending: _Ending) -> bool:
        try:
            return await self._endings.submit(ending)
        except Unavailable:
            return False

    async def _end_all(self, endings: list[_Ending]) -> Sequence[bool]:
        outcomes = await self._redis.run(self._script, [_call(one) for one in endings])
        return [outcome == 1 for outcome in outcomes or [None] * len(endings)]


def _settled(tenant_id: str, user: str | None, used: Used) -> _Ending:
    return _Ending(
        tenant_id,
        user,
        used["message_id"],
        token_correction(reserved=used["estimated_tokens"], used=used["used_tokens"]),
        output_tokens=used.get("output_tokens"),
        nano_dollars=used.get("nano_dollars"),
    )


def _call(ending: _Ending) -> ScriptCall:
    keys = [
        tenant_key(ending.tenant_id),
        user_key(ending.tenant_id, ending.user),
        slots_key(ending.tenant_id),
        budget_key(ending.tenant_id),
    ]
    if ending.idempotency_key is not None:
        keys.append(idempotency_key_key(ending.tenant_id, ending.idempotency_key))
    output = "" if ending.output_tokens is None else ending.output_tokens
    return ScriptCall(
        keys,
        (
            ending.message_id,
            ending.requests_back,
            ending.token_correction,
            output,
            ending.cost,
            ending.key_owner_id or "",
        ),
    )


def token_correction(*, reserved: int, used: int) -> int:
    """What a bucket is corrected by once the real figure is known; negative gives back.

    At most what was reserved, and a bound on top.
    """
    return min(used - reserved, reserved + LARGEST_CORRECTION)


def tenant_key(tenant_id: str) -> str:
    """The tenant's buckets and what was learned about its answers."""
    return f"forebay:{{{tenant_id}}}:tenant"


def user_key(tenant_id: str, user: str | None) -> str:
    """A user's buckets and record; messages without a user share the anonymous one's."""
    name = _ANONYMOUS if user is None else _hashed(user)
    return f"forebay:{{{tenant_id}}}:user:{name}"


def slots_key(tenant_id: str) -> str:
    """The leases of the tenant's messages in flight."""
    return f"forebay:{{{tenant_id}}}:slots"


def budget_key(tenant_id: str) -> str:
    """What the tenant spent today, and what its messages in flight may still cost."""
    return f"forebay:{{{tenant_id}}}:budget"


def idempotency_key_key(tenant_id: str, idempotency_key: str) -> str:
    """The message an idempotency key belongs to."""
    return f"forebay:{{{tenant_id}}}:idempotency:{_hashed(idempotency_key)}"


def _hashed(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()
