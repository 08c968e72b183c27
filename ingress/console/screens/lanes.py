"""What waits in each lane: whose it is, why and how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.persistence.engine import Database
from shared.redis.guarded import GuardedRedis
from shared.views.lanes import LaneView, look_at_lanes
from shared.views.tenant_names import TenantNames

MOST_FLOWS: Final = 200


class LanesScreen:
    """It is shown live. Raises RedisUnavailable, LedgerUnavailable."""

    def __init__(self, database: Database, redis: GuardedRedis) -> None:
        self._redis = redis
        self._names = TenantNames(database)

    def operations(self) -> Sequence[ConsoleOperation]:
        return ()

    def topics(self) -> Sequence[Topic]:
        return (Topic("lanes", self._look),)

    async def _look(self) -> LaneView:
        """The flows whose oldest message has waited longest, `MOST_FLOWS` at most."""
        view = await look_at_lanes(self._redis, {})
        longest = sorted(view.flows, key=lambda flow: -flow.oldest_seconds)[:MOST_FLOWS]
        names = await self._names.of(flow.tenant_id for flow in longest)
        named = [replace(each, tenant=names.get(each.tenant_id, each.tenant)) for each in longest]
        return replace(view, flows=named)
