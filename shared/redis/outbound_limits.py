"""Limits of what the fleet sends to a provider, kept in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
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

    @property
    def bounds(self) -> tuple[int, int, int]:
        """As the script takes them: 0 where there is none."""
        return (
            self.requests_per_minute or 0,
            self.tokens_per_minute or 0,
            self.max_concurrency or 0,
        )


Asked = tuple[OutboundLimit, tuple[Argument, ...]]
"""Which limit, and what is asked or told of it in the words of the script."""


class OutboundLimits:
    """Asks in groups. Without Redis nothing is held back: the provider's own 429 remains.

    All that is asked and told of one limit at a time is one call of one script.
    """

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._circuit = Circuit(redis, clock, timeout_seconds=TIMEOUT_SECONDS)
        self._script: LuaScript = load_script("shared.redis", "outbound.lua")
        self._asked: GroupCommit[Asked, int] = GroupCommit(self._ask_all)

    async def take(
        self, limit: OutboundLimit, permit: str, *, tokens: int, lease_seconds: float
    ) -> float:
        """0 when the call may go now, else the seconds after which to ask again.

        Who was let go says `give_back`; its place is free after `lease_seconds` in any case.
        """
        lease = int(lease_seconds * 1000)
        try:
            return await self._asked.hand_in((limit, ("take", permit, tokens, lease))) / 1000
        except Unavailable:
            return 0.0

    def give_back(self, limit: OutboundLimit, permit: str, *, token_correction: int = 0) -> None:
        """Free the place of a call and charge what it used beyond the estimate; not waited for."""
        self._tell(limit, "end", permit, token_correction)

    def cool(self, limit: OutboundLimit, *, seconds: float) -> None:
        """Let nobody of the fleet call for so long; not waited for."""
        self._tell(limit, "cool", int(seconds * 1000))

    async def close(self) -> None:
        """Tell what has not been told yet."""
        await self._asked.close()
        await self._circuit.close()

    def _tell(self, limit: OutboundLimit, *words: Argument) -> None:
        with suppress(Unavailable):
            self._asked.hand_in((limit, words)).add_done_callback(_heard)

    async def _ask_all(self, asked: list[Asked]) -> Sequence[int]:
        if self._circuit.is_open():
            return [0] * len(asked)
        groups: dict[str, list[Argument]] = {}
        for limit, words in asked:
            group = groups.get(limit.name)
            if group is None:
                group = groups[limit.name] = [*limit.bounds]
            group += words
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answers = await self._script.call_all(self._redis, _calls(groups))
        except (RedisError, OSError):
            self._circuit.trip()
            return [0] * len(asked)
        waits = {name: _waits(answer) for name, answer in zip(groups, answers, strict=True)}
        return [next(waits[limit.name]) for limit, _ in asked]


def _calls(groups: dict[str, list[Argument]]) -> list[ScriptCall]:
    return [
        ScriptCall((f"forebay:outbound:{{{name}}}",), arguments)
        for name, arguments in groups.items()
    ]


def _waits(answer: object) -> Iterator[int]:
    """What the script said to each; nobody waits where it failed."""
    return iter(answer) if isinstance(answer, list) else repeat(0)


def _heard(told: asyncio.Future[int]) -> None:
    """Nobody waits for it, so its error is looked at here, or the loop would complain of it."""
    if not told.cancelled():
        told.exception()
