"""The parts of the console behind one door."""

from __future__ import annotations

from typing import Final

import msgspec
from redis.asyncio import Redis

from ingress.api.http.border import Route
from ingress.console.figures.kept_outcomes import KeptOutcomes
from ingress.console.figures.provider_figures import ProviderFigures
from ingress.console.guard import Guard
from ingress.console.live.broadcast import Broadcast
from ingress.console.live.stream import LiveStream
from ingress.console.login import Login
from ingress.console.operation import ConsoleOperation
from ingress.console.recorded import RecordedActs
from ingress.console.screen import ConsoleScreen
from ingress.console.screens.alerts import AlertsScreen
from ingress.console.screens.audit import AuditScreen
from ingress.console.screens.overview import OverviewScreen
from ingress.console.screens.providers import ProvidersScreen
from ingress.console.screens.quality import QualityScreen
from ingress.console.screens.tenants import TenantsScreen
from ingress.console.screens.work import screens_of_work
from ingress.console.static_files import StaticFiles
from shared.alerts.catalogue import AlertCatalogue
from shared.audit.audit_log import AuditLog
from shared.clock import Clock
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.messages.tenant import KeyScope
from shared.outcomes.reading import Outcomes
from shared.persistence.engine import Database, open_database
from shared.redis.guarded import GuardedRedis
from shared.rollups.reading import Rollups
from shared.sessions.console_sessions import ConsoleSessions
from shared.settings import Settings
from shared.settings.servers import LedgerSettings
from shared.status.system_watch import IsWell, SystemWatch
from shared.telemetry.open_tracing import open_tracing
from shared.views.judged_pages import JudgedPages
from shared.views.negative_feedback import NegativeFeedback
from shared.views.tenant_names import TenantNames

STATEMENT_SECONDS: Final = 2.0
_CONNECTIONS: Final = 2
"""Of each kind; they are the console's alone."""


class ConsoleSurface:
    """The console has connections of its own, and no statement of it runs longer than
    `STATEMENT_SECONDS`: it takes nothing from what messages need.
    """

    def __init__(
        self, settings: Settings, redis: Redis, clock: Clock, broker_is_well: IsWell
    ) -> None:
        self.database = open_console_database(settings.ledger)
        sessions = ConsoleSessions(self.database, settings.console, clock)
        public_url = settings.ingress.public_url
        self._guard = Guard(sessions, public_url)
        self._login = Login(sessions, public_url)
        self._files = StaticFiles()
        self._guarded = GuardedRedis(redis, clock)
        self._tracing = open_tracing(settings.telemetry, "console")
        watch = SystemWatch(settings, self.database, redis, clock, broker_is_well=broker_is_well)
        self._screens = self._made(settings, redis, clock, watch)
        topics = [topic for screen in self._screens for topic in screen.topics()]
        self._broadcast = Broadcast(topics, clock)

    def _made(
        self, settings: Settings, redis: Redis, clock: Clock, watch: SystemWatch
    ) -> list[ConsoleScreen]:
        database, usual_budget = self.database, settings.limits.daily_budget
        log = AuditLog(database, clock)
        acts = RecordedActs(log)
        figures = ProviderFigures(Rollups(database), clock)
        return [
            OverviewScreen(database, clock, usual_budget, watch),
            ProvidersScreen(redis, settings.breakers, settings.providers, figures, acts, clock),
            TenantsScreen(database, clock, usual_budget),
            QualityScreen(
                EvaluationCatalogue(database),
                NegativeFeedback(database),
                KeptOutcomes(Outcomes(database), TenantNames(database), clock),
                JudgedPages(database),
            ),
            AlertsScreen(AlertCatalogue(database, clock), acts, clock),
            AuditScreen(log),
            *screens_of_work(database, self._guarded, settings, clock, acts, self._tracing),
        ]

    def operations(self) -> list[ConsoleOperation]:
        """All that can be asked and done, with the role that each takes."""
        stream = LiveStream(self._broadcast, self._guard)
        return [
            ConsoleOperation("GET", "/live", stream.follow, KeyScope.READER),
            *self._login.operations(),
            *(one for screen in self._screens for one in screen.operations()),
        ]

    def routes(self) -> list[Route]:
        """What the door serves of it: the page and the login for everybody, the rest guarded."""
        return [
            *self._files.routes(),
            *self._login.routes(),
            *self._guard.routes(self.operations()),
        ]

    def give_notice(self) -> None:
        """Let every page look for another door."""
        self._broadcast.stop()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._guarded.close()
        await self.database.close()
        await self._tracing.close()


def open_console_database(settings: LedgerSettings) -> Database:
    """A way to the ledger beside that of the messages; nothing connects before it is needed."""
    seconds = min(settings.timeout_seconds, STATEMENT_SECONDS)
    apart = msgspec.structs.replace(settings, pool_size=_CONNECTIONS, timeout_seconds=seconds)
    return open_database(apart, statement_seconds=seconds)
