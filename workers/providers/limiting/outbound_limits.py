"""Limits of what the fleet sends to a provider, kept in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, repeat
from struct import pack
from typing import Final, Protocol

from redis.asyncio import Redis

from shared.clock import Clock
from shared.errors import Unavailable
from shared.identifiers import new_id
from shared.redis.connection import asking_redis
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import Argument, LuaScript, ScriptCall, load_script
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
    key: str = field(init=False)
    """Where Redis keeps what was taken of it."""
    arguments: tuple[int, int, int] = field(init=False)
    """As the script takes them: 0 where there is none."""

    def __post_init__(self) -> None:
        bounds = (self.requests_per_minute, self.tokens_per_minute, self.max_concurrency)
        object.__setattr__(self, "key", _key(self.name))
        object.__setattr__(self, "arguments", tuple(bound or 0 for bound in bounds))


Words = tuple[float, ...]
"""What is meant, by the script's own number, and what belongs to it: as many numbers each time."""


class Asking(Protocol):
    """What a script is asked about: one key of Redis, and what is always said with it."""

    @property
    def key(self) -> str:
        """Of Redis."""

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """What the script is told of it each time."""


class GroupedScript:
    """Asks a script in groups: all that is asked and told of one key at a time is one call, packed
    into one argument. Words of their own cost more than all the rest.

    Without Redis, and where the script fails, each is answered `unheard`.
    """

    def __init__(self, redis: Redis, clock: Clock, script: LuaScript, *, unheard: int) -> None:
        self._redis = GuardedRedis(redis, clock)
        self._script = script
        self._unheard = unheard
        self._asked: GroupCommit[tuple[Asking, Words], int] = GroupCommit(self._ask_all)
        self._process, self._permits = new_id("proc"), count(1)

    def new_permit(self) -> int:
        """A number that no other call of this process has; Redis adds which process it is."""
        return next(self._permits)

    def ask(self, about: Asking, words: Words) -> asyncio.Future[int]:
        """What the script answers, once it does."""
        try:
            return self._asked.submit((about, words))
        except Unavailable:
            unheard = asyncio.get_running_loop().create_future()
            unheard.set_result(self._unheard)
            return unheard

    def tell(self, about: Asking, words: Words) -> None:
        """Let the script know, after what was said before; not waited for."""
        with suppress(Unavailable):
            self._asked.tell((about, words))

    async def close(self) -> None:
        """Tell what has not been told yet."""
        await self._asked.close()
        await self._redis.close()

    async def _ask_all(self, asked: list[tuple[Asking, Words]]) -> Sequence[int]:
        groups: dict[str, tuple[Asking, list[float]]] = {}
        for about, words in asked:
            group = groups.get(about.key)
            if group is None:
                group = groups[about.key] = about, []
            group[1].extend(words)
        calls = [self._call(about, words) for about, words in groups.values()]
        answers = await self._redis.run(self._script, calls)
        if answers is None:
            return [self._unheard] * len(asked)
        by_key = {
            key: iter(answer) if isinstance(answer, list) else repeat(self._unheard)
            for key, answer in zip(groups, answers, strict=True)
        }
        return [next(by_key[about.key]) for about, _ in asked]

    def _call(self, about: Asking, words: list[float]) -> ScriptCall:
        packed = pack(f"<{len(words)}d", *words)
        return ScriptCall((about.key,), (*about.arguments, self._process, packed))


class OutboundLimits:
    """Asks in groups. Without Redis nothing is held back: the provider's own 429 remains."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        script = load_script("workers.providers.limiting", "outbound.lua")
        self._script = GroupedScript(redis, clock, script, unheard=0)
        self.new_permit = self._script.new_permit

    async def take(
        self, limit: OutboundLimit, permit: int, *, tokens: int, lease_seconds: float
    ) -> float:
        """0 when the call may go now, else the seconds after which to ask again.

        Who was let go says `give_back`; its place is free after `lease_seconds` in any case.
        """
        words = (_TAKE, permit, tokens, int(lease_seconds * 1000))
        return await self._script.ask(limit, words) / 1000

    def give_back(self, limit: OutboundLimit, permit: int, *, token_correction: int = 0) -> None:
        """Free the place of a call and charge what it used beyond the estimate; not waited for.

        What cannot be told ends with its lease.
        """
        self._script.tell(limit, (_END, permit, bounded(token_correction), 0))

    def cool(self, limit: OutboundLimit, *, seconds: float) -> None:
        """Let nobody of the fleet call for so long; not waited for."""
        self._script.tell(limit, (_COOL, 0, bounded(seconds * 1000), 0))

    async def close(self) -> None:
        """Tell what has not been told yet."""
        await self._script.close()


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


def bounded(said: float) -> int:
    """What a provider said, as far as the script's numbers go: its nonsense fails nobody else."""
    return int(max(-_MOST, min(said, _MOST)))
