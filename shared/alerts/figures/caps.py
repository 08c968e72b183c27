"""What each tenant may spend in a day."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import select

from shared.messages.tenant import Plan
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import tenant
from shared.settings.door import LimitSettings

_decode: Final = msgspec.json.Decoder(Plan).decode


class DailyCap(NamedTuple):
    """A tenant's name, and US dollars for each day in UTC."""

    name: str
    dollars: Decimal


async def daily_caps(database: Database, limits: LimitSettings) -> dict[str, DailyCap]:
    """Of every tenant that has a cap, by its id; raises LedgerUnavailable."""
    query = select(tenant.c.id, tenant.c.name, tenant.c.plan)
    async with reading(database.relaxed) as connection:
        rows = (await connection.execute(query)).all()
    caps = ((row.id, row.name, _cap(row.plan, limits)) for row in rows)
    return {id_: DailyCap(name, cap) for id_, name, cap in caps if cap}


def _cap(plan: str | None, limits: LimitSettings) -> Decimal | None:
    """A plan that cannot be read is its operator's to mend: it holds nobody up."""
    try:
        return limits.daily_budget if plan is None else _decode(plan).daily_budget
    except msgspec.MsgspecError:
        return None
