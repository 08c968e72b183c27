"""The flights that this process leads: kept in the air, and landed for those who wait."""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis

from shared.answer_cache.stored_answer import CachePlace, CacheTicket
from shared.errors import RedisUnavailable
from shared.redis.scripts import LuaScript, ScriptCall, load_script
from shared.telemetry.logs import get_logger

ALONE_SECONDS: Final = 2.0
"""How long nobody waits for anybody after a leader that brought nothing."""


class Flights:
    """A leader that is silent for the lease has lost its flight: its worker is gone.

    Without Redis a flight ends by itself, at worst with a call too many.
    """

    def __init__(self, redis: Redis, *, lease_seconds: float) -> None:
        self._redis = redis
        self._lease_ms = int(lease_seconds * 1000)
        self._script: LuaScript = load_script("shared.answer_cache", "flight.lua")
        self._led: dict[str, CachePlace] = {}
        self._log = get_logger(__name__)

    def lead(self, place: CachePlace, owner: str) -> None:
        """From now on the flight is renewed, until it lands."""
        self._led[owner] = place

    async def land(self, ticket: CacheTicket, owner: str) -> None:
        """Wake who waits: the answer is stored, or each of them has to call by itself."""
        self._led.pop(owner, None)
        word = "landed" if ticket.landed else "lost"
        await self._say([self._call(ticket.place, owner, word, int(ALONE_SECONDS * 1000))])

    async def renew(self) -> None:
        """Say of every flight that its leader lives."""
        calls = [
            self._call(place, owner, "renew", self._lease_ms) for owner, place in self._led.items()
        ]
        if calls:
            await self._say(calls)

    def _call(self, place: CachePlace, owner: str, word: str, milliseconds: int) -> ScriptCall:
        return ScriptCall((place.flight,), (owner, word, milliseconds, place.channel))

    async def _say(self, calls: list[ScriptCall]) -> None:
        try:
            await self._script.call_all(self._redis, calls)
        except RedisUnavailable as error:
            self._log.warning("flight_not_told", error=error.code, flights=len(calls))
