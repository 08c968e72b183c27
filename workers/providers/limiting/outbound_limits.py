"""Limits of what the fleet sends to a provider, kept in Redis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, repeat
from struct import pack
from typing import Final

from redis.asyncio import Redis

from shared.clock import Clock
from shared.errors import Unavailable
from shared.identifiers import new_id
from shared.redis.connection import asking_redis
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import LuaScript, ScriptCall, load_script
from shared.resilience.group_commit import GroupCommit

_TAKE: Final = 0
_END: Final = 1
_COOL: Final = 2
"""What the script is asked or told, by its own numbers."""
_MOST: Final = 2**53
"""Numbers are exact up to here in a script."""


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


Words = tuple[int, int, int, int]
"""What is meant, a permit, tokens or milliseconds, lease milliseconds; 0 where not meant."""
Asked = tuple[OutboundLimit, Words]


class OutboundLimits:
    """Asks in groups. Without Redis nothing is held back: the provider's own 429 remains.

    All that is asked and told of one limit at a time is one call of one script, packed into one
    argument: words of their own cost more than all the rest.
    """

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = GuardedRedis(redis, clock)
        self._script: LuaScript = load_script("workers.providers.limiting", "outbound.lua")
        self._asked: GroupCommit[Asked, int] = GroupCommit(self._ask_all)
        self._process, self._permits = new_id("proc"), count(1)

    def new_permit(self) -> int:
        """A number that no other call of this process has; Redis adds which process it is."""
        return next(self._permits)

    async def take(
        self, limit: OutboundLimit, permit: int, *, tokens: int, lease_seconds: float
    ) -> float:
        """0 when the call may go now, else the seconds after which to ask again.

        Who was let go says `give_back`; its place is free after `lease_seconds` in any case.
        """
        words = (_TAKE, permit, tokens, int(lease_seconds * 1000))
        try:
            return await self._asked.submit((limit, words)) / 1000
        except Unavailable:
            return 0.0

    def give_back(self, limit: OutboundLimit, permit: int, *, token_correction: int = 0) -> None:
        """Free the place of a call and charge what it used beyond the estimate; not waited for."""
        self._tell(limit, (_END, permit, _bounded(token_correction), 0))

    def cool(self, limit: OutboundLimit, *, seconds: float) -> None:
        """Let nobody of the fleet call for so long; not waited for."""
        self._tell(limit, (_COOL, 0, _bounded(seconds * 1000), 0))

    async def close(self) -> None:
        """Tell what has not been told yet."""
        await self._asked.close()
        await self._redis.close()

    def _tell(self, limit: OutboundLimit, words: Words) -> None:
        try:
            self._asked.tell((limit, words))
        except Unavailable:
            # Its lease ends by itself.
            return

    async def _ask_all(self, asked: list[Asked]) -> Sequence[int]:
        groups: dict[str, tuple[OutboundLimit, list[int]]] = {}
        for limit, words in asked:
            group = groups.get(limit.name)
            if group is None:
                group = groups[limit.name] = limit, []
            group[1].extend(words)
        calls = [self._call(limit, words) for limit, words in groups.values()]
        answers = await self._redis.run(self._script, calls)
        if answers is None:
            return [0] * len(asked)
        waits = {name: _waits(answer) for name, answer in zip(groups, answers, strict=True)}
        return [next(waits[limit.name]) for limit, _ in asked]

    def _call(self, limit: OutboundLimit, words: list[int]) -> ScriptCall:
        packed = pack(f"<{len(words)}d", *words)
        return ScriptCall((_key(limit.name),), (*limit.bounds, self._process, packed))


async def read_cooling(redis: Redis, names: Sequence[str]) -> dict[str, float]:
    """For how many seconds more nobody calls each of these, where a 429 said so.

    A name is the provider's, a slash and the model's. Raises RedisUnavailable.
    """
    async with asking_redis():
        seconds, microseconds = await redis.time()
        untils = [await redis.hget(_key(name), "cooled_until") for name in names]
    now = seconds + microseconds / 1e6
    ends = {name: float(until or 0) / 1000 for name, until in zip(names, untils, strict=True)}
    return {name: end - now for name, end in ends.items() if end > now}


def _key(name: str) -> str:
    return f"forebay:outbound:{{{name}}}"


def _bounded(said: float) -> int:
    """What a provider said, as far as the script's numbers go: its nonsense fails nobody else."""
    return int(max(-_MOST, min(said, _MOST)))


def _waits(answer: object) -> Iterator[int]:
    """What the script said to each; nobody waits where it failed."""
    return iter(answer) if isinstance(answer, list) else repeat(0)
