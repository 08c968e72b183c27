"""Alerts as roles of a worker process: one looks, one sends, and any may take over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis

from shared.alerts.alert_round import AlertRound
from shared.alerts.figures.figure_table import figure_table
from shared.alerts.rules import rules_of
from shared.alerts.telling.deliveries import AlertDeliveries
from shared.alerts.telling.forgetting import AlertForgetting
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.ledger.leadership import Round, led
from shared.persistence.ledger.role_leases import RoleLease
from shared.resilience.periodic import repeat, running
from shared.settings import Settings
from workers.alerting.sending import AlertSending
from workers.alerting.sinks.opening import open_sinks

_ROUNDS_PER_LEASE: Final = 2
"""A leader that dies is followed after so many rounds and one more; one that is slower than that
has company, which does no harm."""
_CLAIM_GRACE_SECONDS: Final = 30.0
_FORGET_SECONDS: Final = 3_600.0


@asynccontextmanager
async def alerting(
    settings: Settings, database: Database, redis: Redis, clock: Clock, *, worker: str
) -> AsyncIterator[None]:
    """Look, tell and forget in turn with all other workers, while the context is open."""
    alerts, every = settings.alerts, settings.ledger.sweep_seconds
    if not alerts.enabled:
        yield
        return
    figures = figure_table(settings, database, redis, clock)
    looking = AlertRound(database, rules_of(alerts), figures, alerts, clock)
    longest = max((sink.timeout_seconds for sink in alerts.sinks), default=0.0)
    sending = AlertSending(
        AlertDeliveries(database, alerts, clock),
        open_sinks(alerts, clock),
        claim_seconds=longest + _CLAIM_GRACE_SECONDS,
    )
    forgetting = AlertForgetting(database, alerts, clock)
    try:
        async with (
            _role("alerts", looking, database, clock, worker, alerts.every_seconds),
            _role("alert messages", sending, database, clock, worker, every),
            _role("alert history", forgetting, database, clock, worker, _FORGET_SECONDS),
        ):
            yield
    finally:
        await sending.close()


@asynccontextmanager
async def _role(
    name: str, work: Round, database: Database, clock: Clock, worker: str, every: float
) -> AsyncIterator[None]:
    seconds = every * _ROUNDS_PER_LEASE
    lease = RoleLease(database, clock, role=name, holder=worker, lease_seconds=seconds)
    async with (
        led(lease, work) as a_round,
        running(repeat(name, a_round, every_seconds=every)),
    ):
        yield
