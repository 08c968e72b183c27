"""Figures as the ledger's own rows tell them: messages that ended, attempts that were booked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Dialect, Text, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.ledger.settlement.figures import FiguresText, has_ended
from shared.persistence.tables import attempt, message
from shared.rollups.cubes import TimeSpan
from shared.rollups.delta import AttemptFact, TurnFact
from shared.rollups.tally import Tally

_READ_AT_ONCE: Final = timedelta(hours=1)


class RawRows:
    """Reads them in the order of time, an hour in a statement; raises what the connection
    raises."""

    def __init__(self, dialect: Dialect) -> None:
        told = FiguresText(dialect)
        self._turns = select(cast(told.turn(message.c), Text)).where(
            *_within(message.c.finished_at), has_ended(message.c.state)
        )
        attempts = select(cast(told.attempt(attempt.c), Text)).where(*_within(attempt.c.booked_at))
        self._of_tenant = attempts.where(attempt.c.tenant_id == bindparam("tenant"))
        self._of_nobody = attempts.where(attempt.c.tenant_id.is_(None))
        self._next_tenant = select(func.min(attempt.c.tenant_id)).where(
            attempt.c.tenant_id > bindparam("behind")
        )

    async def add_turns(self, connection: AsyncConnection, span: TimeSpan, tally: Tally) -> None:
        """All messages that ended in the span."""
        for bounds in _parts(span):
            for told in await connection.scalars(self._turns, bounds):
                tally.add_turn(_turn.decode(told))

    async def add_attempts(self, connection: AsyncConnection, span: TimeSpan, tally: Tally) -> None:
        """All attempts that were booked in the span, tenant by tenant: that is how they are found
        without all others."""
        whole = {"begin": span.begin, "end": span.end}
        for told in await connection.scalars(self._of_nobody, whole):
            tally.add_attempt(_attempt.decode(told))
        async for tenant_id in self._tenants(connection):
            for told in await connection.scalars(self._of_tenant, whole | {"tenant": tenant_id}):
                tally.add_attempt(_attempt.decode(told))

    async def _tenants(self, connection: AsyncConnection) -> AsyncIterator[str]:
        behind = ""
        while (found := await connection.scalar(self._next_tenant, {"behind": behind})) is not None:
            yield found
            behind = found


def _within(time: ColumnElement[Any]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return time >= bindparam("begin"), time < bindparam("end")


def _parts(span: TimeSpan) -> Iterator[dict[str, datetime]]:
    begin = span.begin
    while begin < span.end:
        end = min(begin + _READ_AT_ONCE, span.end)
        yield {"begin": begin, "end": end}
        begin = end


_turn: Final = msgspec.json.Decoder(TurnFact)
_attempt: Final = msgspec.json.Decoder(AttemptFact)
