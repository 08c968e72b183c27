"""The screens about messages: what became of them, and what is to be done."""

from __future__ import annotations

from ingress.console.recorded import RecordedActs
from ingress.console.screen import ConsoleScreen
from ingress.console.screens.batches import BatchesScreen
from ingress.console.screens.collections import CollectionsScreen
from ingress.console.screens.handoffs import HandoffsScreen
from ingress.console.screens.lanes import LanesScreen
from ingress.console.screens.letters import LettersScreen
from ingress.console.screens.messages import MessagesScreen
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.redis.guarded import GuardedRedis
from shared.settings import Settings
from shared.telemetry.tracing import Tracing


def screens_of_work(
    database: Database,
    redis: GuardedRedis,
    settings: Settings,
    clock: Clock,
    acts: RecordedActs,
    tracing: Tracing,
) -> list[ConsoleScreen]:
    """In the order of the navigation."""
    return [
        MessagesScreen(database, redis),
        LanesScreen(database, redis),
        BatchesScreen(database, clock, acts),
        LettersScreen(database, settings, clock, acts),
        HandoffsScreen(database, settings, clock, acts, tracing),
        CollectionsScreen(database),
    ]
