"""Deliveries of messages: what each sink is to be told, claimed, tried, and ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    exists,
    or_,
    select,
    update,
)

from shared.alerts.tables import alert_delivery, alert_message
from shared.alerts.telling.message import AlertMessage
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction
from shared.settings.watching.alerts import AlertSettings
from shared.webhooks.tables import DeliveryState

_SLACK_SECONDS: Final = 3_600.0
"""Clocks of workers differ. What is due by more than this after the longest wait or try was set by
a clock that was wrong: it is due now."""


class ClaimedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a message at a sink, which nobody else makes until the claim is over; `body` is
    the same at every try."""

    message: AlertMessage
    body: bytes
    sink: str
    ordinal: int


class SinkOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a try; `error` is None where the sink took it, with a `remark` where it did not
    take all of it."""

    error: str | None = None
    remark: str | None = None
    wait_seconds: float = 0.0
    """So long a pause the sink asked for."""


class AlertDeliveries:
    """What whoever delivers asks the ledger; all raise LedgerUnavailable.

    Any number may do it side by side: what one has claimed the others leave.
    """

    def __init__(self, database: Database, settings: AlertSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def waiting(self) -> list[str]:
        """The sinks that something is due to be delivered to."""
        async with reading(self._database.relaxed) as connection:
            return [*(await connection.execute(_SINKS, self._bounds())).scalars()]

    async def claim(self, sink: str, *, claim_seconds: float, limit: int) -> list[ClaimedMessage]:
        """Up to `limit` of what is due there, the longest first, each with one try begun."""
        bounds = self._bounds()
        async with transaction(self._database.durable) as connection:
            rows = (await connection.execute(_DUE, {**bounds, "sink": sink, "limit": limit})).all()
            begun = {"b_due": bounds["now"] + timedelta(seconds=claim_seconds), "b_sink": sink}
            if rows:
                each = [{**begun, "b_id": row.id, "b_tries": row.tries + 1} for row in rows]
                await connection.execute(_BEGIN, each)
        return [_claimed(row, sink) for row in rows]

    async def finish(self, claimed: ClaimedMessage, outcome: SinkOutcome) -> DeliveryState | None:
        """End the delivery or make it due again; the state that it has then, None where another
        try has begun meanwhile."""
        return await self._write(claimed, self._end(claimed, outcome))

    async def give_up(self, claimed: ClaimedMessage, reason: str) -> DeliveryState | None:
        """End the delivery without another try."""
        ended = {"state": DeliveryState.FAILED, "reason": reason, "due_at": None}
        return await self._write(claimed, {**ended, "ended_at": self._clock.now()})

    async def _write(self, claimed: ClaimedMessage, values: dict[str, Any]) -> DeliveryState | None:
        named = {"b_id": claimed.message.id, "b_sink": claimed.sink, "b_tries": claimed.ordinal}
        async with transaction(self._database.durable) as connection:
            ended = await connection.execute(_FINISH, named | values)
        state: DeliveryState = values["state"]
        return state if ended.rowcount else None

    def _end(self, claimed: ClaimedMessage, outcome: SinkOutcome) -> dict[str, Any]:
        now, waits = self._clock.now(), self._settings.retry_seconds
        over = {"due_at": None, "ended_at": now}
        if outcome.error is None:
            return {"state": DeliveryState.DELIVERED, "reason": outcome.remark, **over}
        if claimed.ordinal > len(waits):
            reason = f"No try is left of its schedule. {outcome.error}"
            return {"state": DeliveryState.FAILED, "reason": reason, **over}
        wait = max(float(waits[claimed.ordinal - 1]), min(outcome.wait_seconds, max(waits)))
        due = {"due_at": now + timedelta(seconds=wait), "ended_at": None}
        return {"state": DeliveryState.PENDING, "reason": outcome.error, **due}

    def _bounds(self) -> dict[str, datetime]:
        now, told = self._clock.now(), self._settings
        tries = (sink.timeout_seconds for sink in told.sinks)
        longest = max((*told.retry_seconds, *tries), default=0.0)
        return {"now": now, "unbelievable": now + timedelta(seconds=longest + _SLACK_SECONDS)}


def _claimed(row: Any, sink: str) -> ClaimedMessage:
    body = row.body.encode()
    message = msgspec.json.decode(body, type=AlertMessage)
    return ClaimedMessage(message=message, body=body, sink=sink, ordinal=row.tries + 1)


def _is_due() -> ColumnElement[bool]:
    return or_(
        alert_delivery.c.due_at <= bindparam("now"),
        alert_delivery.c.due_at > bindparam("unbelievable"),
    )


def _sinks() -> Select[Any]:
    """Steps from one sink to the next in the index of what is due."""
    of = alert_delivery.c.sink
    first = select(of).where(alert_delivery.c.due_at.is_not(None)).order_by(of).limit(1)
    walk = select(first.scalar_subquery().label("sink")).cte("walk", recursive=True)
    following = first.where(of > walk.c.sink).scalar_subquery()
    walk = walk.union_all(select(following).where(walk.c.sink.is_not(None)))
    is_due = exists().where(of == walk.c.sink, _is_due())
    return select(walk.c.sink).where(walk.c.sink.is_not(None), is_due)


_SINKS: Final = _sinks()
_DUE: Final = (
    select(alert_message.c.id, alert_message.c.body, alert_delivery.c.tries)
    .join(alert_message, alert_message.c.id == alert_delivery.c.message_id)
    .where(
        alert_delivery.c.sink == bindparam("sink"), alert_delivery.c.due_at.is_not(None), _is_due()
    )
    .order_by(alert_delivery.c.due_at)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True, of=alert_delivery)
)
_OF_DELIVERY: Final = (
    alert_delivery.c.message_id == bindparam("b_id"),
    alert_delivery.c.sink == bindparam("b_sink"),
)
_BEGIN: Final = (
    update(alert_delivery)
    .where(*_OF_DELIVERY)
    .values(tries=bindparam("b_tries"), due_at=bindparam("b_due"))
)
_FINISH: Final = (
    update(alert_delivery)
    .where(
        *_OF_DELIVERY,
        alert_delivery.c.tries == bindparam("b_tries"),
        alert_delivery.c.state == DeliveryState.PENDING,
    )
    .values({name: bindparam(name) for name in ("state", "reason", "due_at", "ended_at")})
)
