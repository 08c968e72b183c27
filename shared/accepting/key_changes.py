"""What changed of tenants and their keys, told to every door at once."""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis

from shared.redis.connection import asking_redis

KEY_CHANGES: Final = "forebay:key_changes"
"""The channel where ids of tenants are published, each after what changed is in the ledger."""


class KeyChanges:
    """Tells whoever remembers keys which of them to look up anew.

    Nobody relies on it: what is published while a door does not listen is lost, and the door goes
    by what it remembers until that is over.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def tell(self, tenant_id: str) -> None:
        """A key or the plan of this tenant has changed; raises RedisUnavailable."""
        async with asking_redis():
            await self._redis.publish(KEY_CHANGES, tenant_id)
