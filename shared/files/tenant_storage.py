"""How much content a tenant has, and the lock behind which its content gets and loses names."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.files.tables import tenant_storage
from shared.persistence.engine import Database
from shared.persistence.statements import upsert


class TenantStorage:
    """One row for each tenant; every method is a part of its caller's transaction.

    Whoever gives content a name or takes one away locks the row first, and looks afterwards: so
    that content cannot lose its last name while it is given another.
    """

    def __init__(self, database: Database) -> None:
        insert = upsert(tenant_storage, sqlite_dialect=database.is_sqlite)
        new = insert.values(tenant_id=bindparam("tenant"), bytes=0)
        self._lock = new.on_conflict_do_update(
            index_elements=[tenant_storage.c.tenant_id], set_={"bytes": tenant_storage.c.bytes}
        ).returning(tenant_storage.c.bytes)

    async def used(self, connection: AsyncConnection, tenant_id: str) -> int:
        """The bytes of the tenant's content, equal ones counted once."""
        return await connection.scalar(_USED, {"tenant": tenant_id}) or 0

    async def lock(self, connection: AsyncConnection, tenant_id: str) -> int:
        """The same, for nobody else to change before the transaction ends."""
        used: int = (await connection.execute(self._lock, {"tenant": tenant_id})).scalar_one()
        return used

    async def add(self, connection: AsyncConnection, tenant_id: str, size: int) -> None:
        """So many more, or fewer."""
        await connection.execute(_ADD, {"tenant": tenant_id, "size": size})


_USED = select(tenant_storage.c.bytes).where(tenant_storage.c.tenant_id == bindparam("tenant"))
_ADD = (
    update(tenant_storage)
    .where(tenant_storage.c.tenant_id == bindparam("tenant"))
    .values(bytes=tenant_storage.c.bytes + bindparam("size"))
)
