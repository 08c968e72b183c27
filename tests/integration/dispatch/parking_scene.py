"""A ledger whose leader knows how models stand, by real breakers."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from shared.breakers.fleet import BreakerFleet
from shared.dispatch.flows import Flow, FlowBoard, FlowFigures
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.settings.providers import ProviderKind, ProviderSettings
from tests.integration.dispatch.scene import Scene

TENANT = "ten_batch"
FLOW = Flow(Lane.BATCH, TENANT)
PROVIDERS = (
    ProviderSettings(
        name="first",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url="http://127.0.0.1:1/v1",
        model="large",
        models=("tiny",),
    ),
    ProviderSettings(name="people", kind=ProviderKind.HANDOFF),
)
DOWN = "fffff"


class ParkingScene(Scene):
    """With a chain of one provider of two models, whose breakers are in Redis."""

    def __init__(self, client: Redis, fleet: BreakerFleet, board: FlowBoard, **parts: Any) -> None:
        super().__init__(**parts)
        self.client = client
        self.breakers = fleet
        self.board = board

    async def batch(self, model: str = "large", **changes: object) -> MessageRecord:
        body = f'{{"shape":3,"model":"{model}","input":"Hi"}}'
        return await self.hold(TENANT, lane=Lane.BATCH, body=body, **changes)

    async def figures(self) -> FlowFigures:
        told = await self.board.of(FLOW)
        assert told is not None
        return told.flows[FLOW]
