"""The names of tenants, beside ids that lists have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import select

from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import tenant
from shared.storable_text import is_storable

_ID_PREFIX: Final = "ten_"


class TenantNames:
    """Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids = IdList(database.relaxed.dialect)
        self._named = select(tenant.c.id, tenant.c.name).where(self._ids.holds(tenant.c.id))

    async def of(self, tenant_ids: Iterable[str | None]) -> dict[str, str]:
        """By id; one that is gone has none."""
        wanted = sorted({each for each in tenant_ids if each is not None})
        if not wanted:
            return {}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(self._named, self._ids.parameters(wanted))
            return {row.id: row.name for row in rows}

    async def id_of(self, name_or_id: str) -> str:
        """The id of the tenant of this name; what is no name of a tenant is taken for an id."""
        if name_or_id.startswith(_ID_PREFIX) or not is_storable(name_or_id):
            return name_or_id
        by_name = select(tenant.c.id).where(tenant.c.name == name_or_id)
        async with reading(self._database.relaxed) as connection:
            found: str | None = await connection.scalar(by_name)
        return name_or_id if found is None else found
