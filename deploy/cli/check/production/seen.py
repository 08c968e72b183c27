"""Whether somebody would see that something is wrong: state, traces, alerts."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Final

import aiohttp
from sqlalchemy import select

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from deploy.cli.check.production.ground import Ground, in_words

_LATE: Final = timedelta(minutes=2)
_TIMEOUT_SECONDS: Final = 5.0
_HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"


async def check_workers(ground: Ground) -> CheckFinding:
    """How many workers live, and that no part of what they do is without one."""
    from shared.status.workers_alive import WorkersAlive

    watch = WorkersAlive(ground.database, ground.clock)
    if findings := await watch.findings():
        return fault("workers", " ".join(each.sentence for each in findings))
    alive = await watch.number()
    if alive == 1:
        return hint("workers", "One worker lives: while it restarts nobody answers. Start another.")
    return fine("workers", f"{alive} workers live, and every lane is read.")


async def check_traces(ground: Ground) -> CheckFinding:
    """Whether the collector takes what is sent: an export of no spans is."""
    endpoint = ground.settings.telemetry.traces_endpoint
    if endpoint is None:
        return fault("traces", "None are sent. Set telemetry.traces_endpoint.")
    pairs = (each.partition("=") for each in os.environ.get(_HEADERS, "").split(",") if each)
    headers = {name.strip(): value.strip() for name, _, value in pairs}
    headers["content-type"] = "application/x-protobuf"
    limit = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(endpoint, data=b"", headers=headers) as answer,
        ):
            if answer.status < 300:
                return fine("traces", f"{endpoint} takes them.")
            return fault("traces", f"{endpoint} answers {answer.status} to them.")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return fault(
            "traces", f"{endpoint} does not take them: {str(error) or type(error).__name__}."
        )


async def check_alerts(ground: Ground) -> CheckFinding:
    """Whether alerts are looked at, and reach somebody: by what was told last."""
    from shared.alerts.tables import alert_clock, alert_delivery
    from shared.persistence.statements import reading
    from shared.webhooks.tables import DeliveryState

    sinks = {each.name for each in ground.settings.alerts.sinks}
    if not ground.settings.alerts.enabled or not sinks:
        return fault("alerts", "Nobody is told. Set [[alerts.sinks]], and alerts.enabled = true.")
    of_sink = alert_delivery.c.sink.in_(sinks) & alert_delivery.c.ended_at.is_not(None)
    newest = alert_delivery.c.ended_at.desc()
    async with reading(ground.database.relaxed) as connection:
        looked_at = await connection.scalar(select(alert_clock.c.read_at))
        told = await connection.execute(
            select(alert_delivery).where(of_sink).order_by(newest).limit(1)
        )
        last = told.first()
    if looked_at is None or ground.ago(looked_at) > _LATE:
        return fault("alerts", "No worker looks at the rules. See: forebay alerts list")
    if last is None:
        return hint(
            "alerts",
            "Rules are looked at; nothing has fired yet that a sink was told of. Whether sinks "
            "take a message: forebay alerts test",
        )
    when = in_words(ground.ago(last.ended_at))
    if last.state is not DeliveryState.DELIVERED:
        return fault("alerts", f"The sink {last.sink} was not reached {when} ago: {last.reason}")
    return fine("alerts", f"Rules are looked at; {last.sink} was told {when} ago.")
