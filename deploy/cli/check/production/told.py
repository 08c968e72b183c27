"""Whether somebody is told when something is wrong."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import func, select

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from deploy.cli.check.production.ground import Ground, in_words

_LATE: Final = timedelta(minutes=2)
_TESTED: Final = "alerts.test"
_TESTS: Final = 50
_TRY: Final = "forebay alerts test"


class _Took(msgspec.Struct):
    took: dict[str, bool]


class _Told(NamedTuple):
    """The last that is known of a sink."""

    at: datetime
    error: str | None


async def check_alerts(ground: Ground) -> CheckFinding:
    """Whether alerts are looked at, and reach somebody: by what each sink was told last, be it an
    alert or a test."""
    sinks = [each.name for each in ground.settings.alerts.sinks]
    if not ground.settings.alerts.enabled or not sinks:
        return fault("alerts", "Nobody is told. Set [[alerts.sinks]], and alerts.enabled = true.")
    looked_at = await _looked_at(ground)
    if looked_at is None or ground.ago(looked_at) > _LATE:
        return fault("alerts", "No worker looks at the rules. See: forebay alerts list")
    last = await _delivered(ground, sinks)
    for sink, tested in (await _tested(ground)).items():
        if sink in sinks and (sink not in last or last[sink].at < tested.at):
            last[sink] = tested
    for sink, told in last.items():
        if told.error is not None:
            when = in_words(ground.ago(told.at))
            return fault("alerts", f"The sink {sink} was not reached {when} ago: {told.error}")
    if untold := [sink for sink in sinks if sink not in last]:
        return hint(
            "alerts",
            f"Rules are looked at; whether a message reaches {', '.join(untold)} nobody knows "
            f"yet. Send one: {_TRY}",
        )
    when = ", ".join(f"{sink} {in_words(ground.ago(told.at))} ago" for sink, told in last.items())
    return fine("alerts", f"Rules are looked at; the last message reached {when}.")


async def _looked_at(ground: Ground) -> datetime | None:
    from shared.alerts.tables import alert_clock
    from shared.persistence.statements import reading

    async with reading(ground.database.relaxed) as connection:
        at: datetime | None = await connection.scalar(select(alert_clock.c.read_at))
        return at


async def _delivered(ground: Ground, sinks: Collection[str]) -> dict[str, _Told]:
    """The newest end of a message at each sink that has had any."""
    from shared.alerts.tables import alert_delivery
    from shared.persistence.statements import reading
    from shared.webhooks.tables import DeliveryState

    each = alert_delivery.c
    newest = (
        select(each.sink, func.max(each.ended_at).label("at"))
        .where(each.sink.in_(sinks), each.ended_at.is_not(None))
        .group_by(each.sink)
        .subquery()
    )
    query = select(each.sink, each.ended_at, each.state, each.reason).join(
        newest, (each.sink == newest.c.sink) & (each.ended_at == newest.c.at)
    )
    async with reading(ground.database.relaxed) as connection:
        rows = (await connection.execute(query)).all()
    return {
        row.sink: _Told(row.ended_at, None if row.state is DeliveryState.DELIVERED else row.reason)
        for row in rows
    }


async def _tested(ground: Ground) -> dict[str, _Told]:
    """The newest test of each sink, by the audit log."""
    from shared.audit.audit_log import AuditLog

    last = dict[str, _Told]()
    for entry in await AuditLog(ground.database, ground.clock).page(_TESTS, act=_TESTED):
        try:
            took = msgspec.json.decode(entry.detail, type=_Took).took
        except msgspec.ValidationError:
            continue  # where it began, or failed
        for sink, is_taken in took.items():
            error = None if is_taken else f"it took no test. Why: {_TRY} --sink {sink}"
            last.setdefault(sink, _Told(entry.at, error))
    return last
