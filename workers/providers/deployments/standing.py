"""How the deployments of a model stand, read for a person who asks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from struct import calcsize, unpack_from
from typing import Any, Final

from redis.asyncio import Redis

from shared.redis.connection import asking_redis
from workers.providers.deployments.loads import loads_key

_STATE: Final = "<7d"
_CALL: Final = "<2d"
"""As the script packs them; behind a call's stands the name of its deployment."""


@dataclass(slots=True, kw_only=True)
class DeploymentStanding:
    """One of them, in the whole fleet."""

    calls: int = 0
    """Under way."""
    tokens: int = 0
    """What these have to read, and the most that they may write."""
    cooling_seconds: float = 0.0
    """For how much longer nobody calls, where a 429 said so."""
    refused_seconds: float = 0.0
    """For how much longer nobody calls, because its key was refused."""


async def read_standing(redis: Redis, provider: str, model: str) -> dict[str, DeploymentStanding]:
    """By the names of the deployments that were called lately. Raises RedisUnavailable."""
    async with asking_redis():
        seconds, microseconds = await redis.time()
        fields: Any = await redis.hgetall(loads_key(provider, model))
    now = seconds * 1000 + microseconds / 1000
    found: defaultdict[str, DeploymentStanding] = defaultdict(DeploymentStanding)
    for field, value in fields.items():
        if field[:1] == b"d":
            _, _, _, _, cooled_until, rests_until, refusals = unpack_from(_STATE, value)
            one = found[field[1:].decode()]
            one.cooling_seconds = max(0.0, cooled_until - now) / 1000
            if refusals:
                one.refused_seconds = max(0.0, rests_until - now) / 1000
        elif field[:1] == b"p":
            ends, tokens = unpack_from(_CALL, value)
            if ends > now:
                one = found[value[calcsize(_CALL) :].decode()]
                one.calls += 1
                one.tokens += int(tokens)
    return dict(found)
