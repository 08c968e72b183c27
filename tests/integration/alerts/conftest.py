"""A ledger whose figures the test gives, and rounds over it as leaders do them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import select

from shared.alerts.alert_round import AlertRound
from shared.alerts.catalogue import AlertCatalogue
from shared.alerts.deciding import FigureReading
from shared.alerts.machine import FigureValue
from shared.alerts.rule import AlertRule
from shared.alerts.tables import alert_delivery, alert_message
from shared.alerts.telling.deliveries import AlertDeliveries, SinkOutcome
from shared.alerts.telling.message import AlertMessage, trial_message
from shared.clock import ManualClock, SystemClock
from shared.persistence.engine import Database
from shared.settings.secret import Secret, ServerUrl
from shared.settings.watching.alert_rules import AlertFigure
from shared.settings.watching.alert_sinks import AlertSinkKind, AlertSinkSettings
from shared.settings.watching.alerts import AlertSettings
from shared.webhooks.tables import DeliveryState
from tests.integration.persistence.conftest import database, settings
from tests.integration.webhooks.receiver import WebhookReceiver, received
from workers.alerting.sending import AlertSending
from workers.alerting.sinks.opening import open_sinks

__all__ = ["database", "settings"]

SECRET = "whsec_" + "A" * 44
CLAIM_SECONDS = 40.0
RULE = AlertRule(
    name="waits",
    figure=AlertFigure.OLDEST_WAIT_SECONDS,
    above=10.0,
    summary="{tenant} has waited {value}.",
)


ON_SQLITE = pytest.mark.parametrize("migrated_ledger_url", ["sqlite"], indirect=True)
"""For what another database would not do otherwise: it takes a third of the time."""


def webhook_sink(url: str, name: str = "ops", **more: object) -> AlertSinkSettings:
    """One on loopback, with a secret in its place."""
    sink = AlertSinkSettings(name=name, kind=AlertSinkKind.WEBHOOK, url=ServerUrl(url))
    return msgspec.structs.replace(sink, **{"secrets": (Secret(SECRET),), **more})


def told_to(*sinks: AlertSinkSettings, **more: object) -> AlertSettings:
    """Settings that tell these, wherever on this machine they are."""
    loopback = AlertSettings(allow_http=True, allowed_networks=("127.0.0.0/8",), sinks=sinks)
    return msgspec.structs.replace(loopback, **more)


async def sent(sink: AlertSinkSettings) -> SinkOutcome:
    """One message with markup in it, to this sink alone."""
    (opened,) = open_sinks(told_to(sink), SystemClock()).values()
    message = msgspec.structs.replace(trial_message(SystemClock().now()), title="<b>A & B</b>")
    return await opened.send(message, msgspec.json.encode(message))


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with received() as opened:
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    """Signatures of another day would not be taken."""
    return ManualClock(datetime.now(UTC))


class GivenFigures:
    """Values by tenant, the same for every rule; `absent` is the value of who is not named."""

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {}
        self.absent: float | None = None

    async def read(self, rules: Sequence[AlertRule]) -> Mapping[str, FigureReading]:
        seen = [FigureValue({"tenant": name}, value) for name, value in self.values.items()]
        return {rule.name: FigureReading(seen, self.absent) for rule in rules}


@dataclass
class WatchedLedger:
    """A ledger, and what leaders and senders of alerts do to it."""

    database: Database
    clock: ManualClock
    figures: GivenFigures = field(default_factory=GivenFigures)

    def leader(self, settings: AlertSettings, *rules: AlertRule) -> AlertRound:
        """As one worker does it."""
        return AlertRound(self.database, rules or (RULE,), self.figures, settings, self.clock)

    def sending(self, settings: AlertSettings) -> AlertSending:
        deliveries = AlertDeliveries(self.database, settings, self.clock)
        sinks = open_sinks(settings, self.clock)
        return AlertSending(deliveries, sinks, claim_seconds=CLAIM_SECONDS)

    @property
    def catalogue(self) -> AlertCatalogue:
        return AlertCatalogue(self.database, self.clock)

    async def rounds(self, leader: AlertRound, *, seconds: float) -> None:
        """Rounds every 15 seconds for so long."""
        for _ in range(int(seconds / 15)):
            await leader()
            self.clock.advance(15)

    async def messages(self) -> list[AlertMessage]:
        query = select(alert_message.c.body).order_by(alert_message.c.id)
        async with self.database.relaxed.connect() as connection:
            bodies = (await connection.execute(query)).scalars()
            return [msgspec.json.decode(body, type=AlertMessage) for body in bodies]

    async def deliveries(self) -> dict[str, tuple[DeliveryState, int]]:
        """State and tries by sink, of the newest message."""
        query = select(alert_delivery).order_by(alert_delivery.c.message_id)
        async with self.database.relaxed.connect() as connection:
            rows = await connection.execute(query)
            return {row.sink: (row.state, row.tries) for row in rows}


@pytest.fixture
def watched(database: Database, clock: ManualClock) -> WatchedLedger:
    return WatchedLedger(database, clock)


async def send_round(sending: AlertSending) -> None:
    """One round, and all that it began."""
    await sending()
    await sending.served()
