"""Limits of what the fleet sends to a provider, kept in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.clock import Clock
from shared.errors import Unavailable
from shared.redis.circuit import Circuit
from shared.redis.scripts import Argument, LuaScript, ScriptCall, load_script
from shared.resilience.group_commit import GroupCommit

TIMEOUT_SECONDS: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundLimit:
    """What one model of one provider may be sent by all workers together. None: no limit."""

    name: str
    """The provider's name, a slash and the model's."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_concurrency: int | None = None


class OutboundLimits:
    """Asks in groups. Without Redis nothing is held back: the provider's own 429 remains."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._circuit = Circuit(redis, clock, timeout_seconds=TIMEOUT_SECONDS)
        self._script: LuaScript = load_script("shared.redis", "outbound.lua")
        self._calls: GroupCommit[ScriptCall, int] = GroupCommit(self._ask_all)
        self._telling: set[asyncio.Task[int]] = set()

    async def take(
        self, limit: OutboundLimit, permit: str, *, tokens: int, lease_seconds: float
    ) -> float:
        """0 when the call may go now, else the seconds after which to ask again.

        Who was let go says `give_back`; its place is free after `lease_seconds` in any case.
        """
        lease = int(lease_seconds * 1000)
        return await self._ask(limit, "take", permit, tokens, lease) / 1000

    def give_back(self, limit: OutboundLimit, permit: str, *, token_correction: int = 0) -> None:
        """Free the place of a call and charge what it used beyond the estimate; not waited for."""
        self._soon(limit, "end", permit, token_correction)

    def cool(self, limit: OutboundLimit, *, seconds: float) -> None:
        """Let nobody of the fleet call for so long; not waited for."""
        self._soon(limit, "cool", int(seconds * 1000))

    async def close(self) -> None:
        """Tell what has not been told yet."""
        while self._telling:
            await asyncio.gather(*self._telling, return_exceptions=True)
        await self._calls.close()
        await self._circuit.close()

    def _soon(self, limit: OutboundLimit, *words: Argument) -> None:
        task = asyncio.get_running_loop().create_task(self._ask(limit, *words))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _ask(self, limit: OutboundLimit, *words: Argument) -> int:
        bounds = (limit.requests_per_minute, limit.tokens_per_minute, limit.max_concurrency)
        key = f"forebay:outbound:{{{limit.name}}}"
        try:
            return await self._calls.submit(
                ScriptCall((key,), (*(bound or 0 for bound in bounds), *words))
            )
        except Unavailable:
            return 0

    async def _ask_all(self, calls: list[ScriptCall]) -> Sequence[int]:
        if self._circuit.is_open():
            return [0] * len(calls)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answers = await self._script.call_all(self._redis, calls)
        except (RedisError, OSError):
            self._circuit.trip()
            return [0] * len(calls)
        return [answer if isinstance(answer, int) else 0 for answer in answers]
