"""Admitted messages that have been committed: from then on they hold their slot to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain, compress
from typing import Final

from ingress.admission.question import AdmissionRequest, longest_lease_seconds
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import LuaScript, ScriptCall
from shared.reservations.account import load_account_script
from shared.reservations.reservations import slots_key

GATHER_SECONDS: Final = 1.0
"""How long commitments wait for company: all of a second cost one call for each tenant."""
_MOST: Final = 50_000
_AT_ONCE: Final = 1_000


class Commitments:
    """Tells Redis in the background; whoever accepts a message waits for nothing.

    What Redis did not hear, or refused, is told again. A message that is not told of, because this
    process died within the second or Redis did not take it for longer than the short lease, holds
    no slot and no reservation any more while it runs.
    """

    def __init__(self, redis: GuardedRedis) -> None:
        self._redis = redis
        self._script: LuaScript = load_account_script("ingress.admission", "commitments.lua")
        self._leases: dict[str, dict[str, float]] = {}
        self._waiting = 0
        self._telling: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def note(self, request: AdmissionRequest) -> None:
        """This message is on disk."""
        if self._waiting >= _MOST:
            return
        self._waiting += 1
        leases = self._leases.setdefault(request.tenant.id, {})
        leases[request.message_id] = longest_lease_seconds(request)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell_soon())

    async def close(self) -> None:
        """Tell what has not been told yet."""
        self._closing.set()
        if self._telling is not None:
            await self._telling

    async def _tell_soon(self) -> None:
        try:
            while self._leases:
                with suppress(TimeoutError):
                    async with asyncio.timeout(GATHER_SECONDS):
                        await self._closing.wait()
                if not await self._tell() and self._closing.is_set():
                    return
        finally:
            self._telling = None

    async def _tell(self) -> bool:
        """Whether Redis took all of it; what it did not is told again."""
        told, self._leases, self._waiting = self._leases, {}, 0
        groups = [(tenant_id, group) for tenant_id in told for group in _groups(told[tenant_id])]
        calls = [lease_call(tenant_id, group) for tenant_id, group in groups]
        outcomes = await self._redis.run(self._script, calls)
        untold = groups
        if outcomes is not None:
            refused = (isinstance(outcome, BaseException) for outcome in outcomes)
            untold = list(compress(groups, refused))
        for tenant_id, leases in untold:
            self._leases[tenant_id] = leases | self._leases.get(tenant_id, {})
        self._waiting = sum(map(len, self._leases.values()))
        return not untold


def lease_call(
    tenant_id: str, leases: Mapping[str, float], *, now: float | None = None
) -> ScriptCall:
    """KEYS and ARGV as commitments.lua documents them; `now` None is the server's own clock."""
    told: chain[str | float] = chain.from_iterable(leases.items())
    return ScriptCall((slots_key(tenant_id),), ("" if now is None else now, *told))


def _groups(leases: dict[str, float]) -> Iterator[dict[str, float]]:
    if len(leases) <= _AT_ONCE:
        yield leases
        return
    ids = list(leases)
    for start in range(0, len(ids), _AT_ONCE):
        yield {each: leases[each] for each in ids[start : start + _AT_ONCE]}
