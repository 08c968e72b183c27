"""The statements of alerts, and what fills a ledger with their history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Insert

from shared.alerts.alert_round import AlertRound
from shared.alerts.deciding import FigureReading
from shared.alerts.figures.anomalies import AnomalyFigures
from shared.alerts.figures.backlog import BacklogFigures
from shared.alerts.figures.opinions import OpinionFigures
from shared.alerts.machine import FigureValue
from shared.alerts.rule import AlertRule
from shared.alerts.rules import rules_of
from shared.alerts.state import AlertEventKind
from shared.alerts.tables import alert_delivery, alert_event, alert_message, alert_silence
from shared.alerts.telling.deliveries import AlertDeliveries, SinkOutcome
from shared.alerts.telling.forgetting import AlertForgetting
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.settings.watching.alert_rules import AlertSeverity
from shared.settings.watching.alert_sinks import AlertSinkKind, AlertSinkSettings
from shared.settings.watching.alerts import AlertSettings
from shared.webhooks.tables import DeliveryState

AlertProbe = Callable[[Database, Clock], Awaitable[object]]
_SINK: Final = AlertSinkSettings(name="ops", kind=AlertSinkKind.COMMAND, argv=("true",))
_SETTINGS: Final = AlertSettings(sinks=(_SINK,), group_seconds=0)
_BODY: Final = (
    '{"object":"alerts","id":"amsg_d7","is_test":false,"created_at":"2026-01-01T00:00:00Z",'
    '"title":"","fired":0,"reminded":0,"resolved":0,"alerts":[],"left_out":0}'
)


def alerts(rows: Callable[..., Insert], number: float, now: datetime) -> list[Insert]:
    """So many of what happened and was told, and as many that a sink has not taken yet."""
    event: dict[str, Any] = {"id": "aev_", "fingerprint": "f", "rule": "r", "labels": "{}"}
    event |= {"severity": AlertSeverity.WARNING, "summary": "", "value": 1.0, "since": now}
    event |= {"kind": AlertEventKind.FIRED, "at": now}
    message = {"body": _BODY, "created_at": now}
    told = {"sink": "ops", "tries": 1}
    waits = told | {"state": DeliveryState.PENDING, "due_at": now - timedelta(days=1)}
    done = told | {"state": DeliveryState.DELIVERED}
    silence = {"matchers": "{}", "by": "", "why": "", "created_at": now}
    over = now - timedelta(days=1)
    return [
        rows(alert_event, number, event, numbered=("id",)),
        rows(alert_message, number, message | {"id": "amsg_d"}, numbered=("id",)),
        rows(alert_message, number, message | {"id": "amsg_w"}, numbered=("id",)),
        rows(alert_delivery, number, done | {"message_id": "amsg_d"}, numbered=("message_id",)),
        rows(alert_delivery, number, waits | {"message_id": "amsg_w"}, numbered=("message_id",)),
        rows(alert_silence, number, silence | {"id": "s_", "until": over}, numbered=("id",)),
    ]


class _Given:
    async def read(self, rules: Sequence[AlertRule]) -> Mapping[str, FigureReading]:
        held = FigureReading([FigureValue({"tenant": f"ten_{n}"}, 1e9) for n in range(20)])
        return {rule.name: held for rule in rules}


async def _looked(database: Database, clock: Clock) -> object:
    rules = [each for each in rules_of(_SETTINGS) if each.name == "latency"]
    await AlertRound(database, rules, _Given(), _SETTINGS, clock)()
    return None


def _deliveries(database: Database, clock: Clock) -> AlertDeliveries:
    return AlertDeliveries(database, _SETTINGS, clock)


async def _finished(database: Database, clock: Clock) -> object:
    deliveries = _deliveries(database, clock)
    claimed = await deliveries.claim("ops", claim_seconds=60, limit=8)
    assert len(claimed) == 8
    for each in claimed[1:]:
        await deliveries.finish(each, SinkOutcome(error="It is away."))
    return await deliveries.give_up(claimed[0], "It is gone.")


ALERT_PROBES: Final[dict[str, AlertProbe]] = {
    "AlertRound.__call__": _looked,
    "AlertDeliveries.waiting": lambda database, clock: _deliveries(database, clock).waiting(),
    "AlertDeliveries.finish": _finished,
    "AlertForgetting.__call__": lambda database, clock: AlertForgetting(
        database, _SETTINGS, clock
    )(),
    "BacklogFigures.dead_letters": lambda database, clock: BacklogFigures(
        database, clock
    ).dead_letters(900),
    "BacklogFigures.batch_overdue": lambda database, clock: BacklogFigures(
        database, clock
    ).batch_overdue(900),
    "BacklogFigures.index_behind": lambda database, clock: BacklogFigures(
        database, clock
    ).index_behind(900),
    "AnomalyFigures.messages": lambda database, clock: AnomalyFigures(database, clock).messages(
        900
    ),
    "OpinionFigures.satisfaction": lambda database, clock: OpinionFigures(
        database, clock
    ).satisfaction(900),
    "OpinionFigures.unjudged_share": lambda database, clock: OpinionFigures(
        database, clock
    ).unjudged_share(900),
    "OpinionFigures.judge_score": lambda database, clock: OpinionFigures(
        database, clock
    ).judge_score(900),
}
_OF_A_ROUND: Final = ("take_clock", "read", "silences", "write", "add", "waiting", "tell")
PARTS_OF_ALERTS: Final = {
    **{f"AlertRecords.{name}": "AlertRound.__call__" for name in (*_OF_A_ROUND, "note_data")},
    "AlertDeliveries.claim": "AlertDeliveries.finish",
    "AlertDeliveries.give_up": "AlertDeliveries.finish",
    "BacklogFigures.oldest_wait": "LaneLoads.lane_loads",
    "WaitingTenants.oldest_documents": "WaitingTenants.with_documents",
}
ALERTS_BY_HAND: Final = {
    # Of every tenant there is, by the one worker that leads.
    "BudgetFigures": {"share", "forecast"},
    "AnomalyFigures": {"cost"},
    "AlertCatalogue": {"active", "history", "standing", "acknowledge", "silence", "silences"}
    | {"end_silence"},
}
