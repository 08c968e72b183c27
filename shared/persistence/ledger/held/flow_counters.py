"""What each flow has used: rows that turns append, folded into one counter for each flow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, bindparam, case, delete, select

from shared.clock import Clock
from shared.messages.lane import Lane
from shared.persistence.bulk_parameters import IdList, RowDocument
from shared.persistence.engine import Database
from shared.persistence.flow_tables import charge, flow
from shared.persistence.statements import readable, reading, transaction, upsert

LANE_ITSELF: Final = ""
"""In place of a tenant: where the lane stands, below which nobody begins."""
_KEPT: Final = timedelta(days=1)
"""Who has used nothing for so long begins where the lane stands, as a newcomer does."""

FlowKey = tuple[Lane, str]
"""A lane, and a tenant in it."""


class Charge(NamedTuple):
    """What a turn used; its last one has the ordinal 0: what was left to charge at its end."""

    message_id: str
    ordinal: int
    lane: Lane
    tenant_id: str
    units: float

    @property
    def is_last(self) -> bool:
        return self.ordinal == 0


class FlowCounters:
    """Durable counters, in units by the flow's weight; all raise LedgerUnavailable.

    What is folded is folded once, however many do it, and no counter falls by it.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._engine = database.relaxed
        self._whole = database.durable  # on Postgres the other commits each statement
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)
        self._take = delete(charge).where(self._ids.holds(charge.c.message_id))
        self._rows = RowDocument(_COLUMNS, database.relaxed.dialect)
        put = upsert(flow, sqlite_dialect=database.is_sqlite).from_select(
            [column.name for column in _COLUMNS], self._rows.query
        )
        new, there = put.excluded.counter, flow.c.counter

        def unless_there(counter: Any) -> Any:
            return put.on_conflict_do_update(
                index_elements=[flow.c.lane, flow.c.tenant_id],
                set_={"counter": counter, "charged_at": put.excluded.charged_at},
            )

        self._lift = unless_there(case((there > new, there), else_=new))
        self._add = unless_there(there + new)

    async def all(self) -> dict[FlowKey, float]:
        """Every counter; what is not folded yet is not in it."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(_ALL)
            return {(row.lane, row.tenant_id): row.counter for row in readable(rows)}

    async def fold(
        self,
        floors_of: Callable[[set[FlowKey]], Mapping[FlowKey, float]],
        lanes: Mapping[FlowKey, float],
        *,
        weight_of: Callable[[str], float],
        limit: int = 1_000,
    ) -> list[Charge]:
        """Add charges of up to `limit` turns to their flows' counters, and give them.

        Before that the counters of these flows are lifted to their floors, for who came back after
        an absence was lifted, and those of the lanes themselves to where they stand.
        """
        async with reading(self._engine) as connection:
            found = (await connection.execute(_WAITING, {"limit": limit})).scalars().all()
        if not found:
            return []
        async with transaction(self._whole) as connection:
            taken = await connection.execute(
                self._take.returning(*_OF_CHARGE), self._ids.parameters(sorted({*found}))
            )
            charges = [Charge._make(row) for row in readable(taken)]
            used: defaultdict[FlowKey, float] = defaultdict(float)
            for each in charges:
                used[each.lane, each.tenant_id] += each.units / weight_of(each.tenant_id)
            if used:
                floors = {**floors_of({*used}), **lanes}
                for statement, counters in ((self._lift, floors), (self._add, used)):
                    if counters:
                        await connection.execute(statement, self._documents(counters))
        return charges

    async def forget(self) -> None:
        """Delete counters of those who have used nothing lately."""
        async with transaction(self._engine) as connection:
            await connection.execute(_FORGET, {"before": self._clock.now() - _KEPT})

    def _documents(self, counters: Mapping[FlowKey, float]) -> dict[str, str]:
        now = self._clock.now()
        rows: Sequence[dict[str, Any]] = [
            {"lane": lane, "tenant_id": tenant_id, "counter": counter, "charged_at": now}
            for (lane, tenant_id), counter in sorted(counters.items())
        ]
        return self._rows.parameters(rows)


_COLUMNS: Final = (flow.c.lane, flow.c.tenant_id, flow.c.counter, flow.c.charged_at)
_OF_CHARGE: Final = tuple(charge.c[name] for name in Charge._fields)
_ALL: Final = select(flow.c.lane, flow.c.tenant_id, flow.c.counter)
_WAITING: Final = select(charge.c.message_id).limit(bindparam("limit", type_=Integer))
_FORGET: Final = delete(flow).where(
    flow.c.charged_at < bindparam("before"), flow.c.tenant_id != LANE_ITSELF
)
