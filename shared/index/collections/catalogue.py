"""What callers do with collections: make, find, list, change and delete them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import bindparam, insert, select, update

from shared.clock import Clock
from shared.errors import Conflict
from shared.identifiers import COLLECTION, new_id
from shared.index.collections.collection import UNSETTLED, Collection, collection_of, encoded_notes
from shared.index.collections.rows import unknown_collection
from shared.index.tables import collection
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction

_ACTIVE_FOR: Final = timedelta(minutes=1)
"""For how long a use of a collection need not be written again."""
_NAMED_AT_MOST: Final = 5
_CHANGED: Final = ("name", "description", "notes", "life_days", "last_active_at")


class CollectionCatalogue:
    """Collections of a tenant; another's do not exist. Everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)
        self._inactive = _NAMED_OF_TENANT.where(
            self._ids.holds(collection.c.id), collection.c.last_active_at < bindparam("before")
        )

    async def create(
        self,
        tenant_id: str,
        *,
        name: str,
        generation: str = UNSETTLED,
        description: str | None = None,
        notes: dict[str, str] | None = None,
        life_days: int | None = None,
    ) -> Collection:
        """A new one, on disk when this returns; several may have the same name."""
        now = self._clock.now()
        made = Collection(
            id=new_id(COLLECTION),
            tenant_id=tenant_id,
            name=name,
            description=description,
            notes=notes or {},
            life_days=life_days,
            created_at=now,
            last_active_at=now,
            expires_at=_end(now, life_days),
            generation=generation,
        )
        row = msgspec.structs.asdict(made) | {"notes": encoded_notes(made.notes)}
        async with transaction(self._database.durable) as connection:
            await connection.execute(insert(collection), row)
        return made

    async def find(self, tenant_id: str, collection_id: str) -> Collection:
        """The collection, expired or not; raises NotFound."""
        wanted = {"tenant": tenant_id, "id": collection_id}
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(_FIND, wanted)).one_or_none()
        if row is None:
            raise unknown_collection(collection_id)
        return collection_of(row)

    async def named(self, tenant_id: str, name_or_id: str) -> Collection:
        """The one of this id, or else of this name; raises NotFound, and Conflict for several."""
        wanted = {"tenant": tenant_id, "id": name_or_id, "name": name_or_id}
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(_FIND, wanted)).one_or_none()
            rows = [row] if row else (await connection.execute(_NAMED, wanted)).all()
        if not rows:
            raise unknown_collection(name_or_id)
        if len(rows) > 1:
            ids = ", ".join(each.id for each in rows)
            raise Conflict(f"Several collections are named '{name_or_id}': {ids}. Name one by id.")
        return collection_of(rows[0])

    async def list(
        self,
        tenant_id: str,
        *,
        after: str | None = None,
        before: str | None = None,
        newest_first: bool = True,
        limit: int,
    ) -> list[Collection]:
        """In the order of their making: the next behind `after`, or the last before `before`;
        not both."""
        key, query = collection.c.id, _OF_TENANT
        backwards = before is not None
        if after is not None:
            query = query.where(key < after if newest_first else key > after)
        if before is not None:
            query = query.where(key > before if newest_first else key < before)
        order = key.desc() if newest_first is not backwards else key.asc()
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(
                query.order_by(order).limit(limit), {"tenant": tenant_id}
            )
            found = [*map(collection_of, rows)]
        return found[::-1] if backwards else found

    async def change(
        self,
        tenant_id: str,
        collection_id: str,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType | None = UNSET,
        notes: dict[str, str] | UnsetType = UNSET,
        life_days: int | UnsetType | None = UNSET,
    ) -> Collection:
        """Change what is given, and begin its life anew; raises NotFound."""
        old = await self.find(tenant_id, collection_id)
        fields = {
            "name": name,
            "description": description,
            "notes": notes,
            "life_days": life_days,
        }
        given = {field: value for field, value in fields.items() if value is not UNSET}
        now = self._clock.now()
        new = msgspec.structs.replace(old, last_active_at=now, **given)
        new = msgspec.structs.replace(new, expires_at=_end(now, new.life_days))
        values = {field: getattr(new, field) for field in (*_CHANGED, "expires_at")}
        values["notes"] = encoded_notes(new.notes)
        async with transaction(self._database.durable) as connection:
            changed = await connection.execute(
                update(collection).where(*_is(tenant_id, collection_id)).values(values)
            )
        if not changed.rowcount:
            raise unknown_collection(collection_id)
        return new

    async def touch(self, tenant_id: str, collection_ids: Sequence[str]) -> None:
        """They are in use: a life that counts from the last use begins anew."""
        now = self._clock.now()
        wanted = self._ids.parameters(collection_ids) | {"tenant": tenant_id}
        async with reading(self._database.relaxed) as connection:
            bounds = wanted | {"before": now - _ACTIVE_FOR}
            rows = (await connection.execute(self._inactive, bounds)).all()
        if rows:
            until = [(row.id, _end(now, row.life_days)) for row in rows]
            used = [{"b_id": id_, "b_now": now, "b_until": end} for id_, end in until]
            async with transaction(self._database.relaxed) as connection:
                await connection.execute(_TOUCH, used)

    async def delete(self, tenant_id: str, collection_id: str) -> bool:
        """It is gone at once; False where there is none. What is of it here and in the stores goes
        after that, a little at a time.
        """
        async with transaction(self._database.durable) as connection:
            gone = await connection.execute(
                update(collection)
                .where(*_is(tenant_id, collection_id))
                .values(deleted_at=self._clock.now(), expires_at=None, notes=None)
            )
        return gone.rowcount > 0


def _is(tenant_id: str, collection_id: str) -> tuple[Any, ...]:
    here = collection.c
    return here.id == collection_id, here.tenant_id == tenant_id, here.deleted_at.is_(None)


def _end(since: datetime, life_days: int | None) -> datetime | None:
    return None if life_days is None else since + timedelta(days=life_days)


_OF_TENANT: Final = select(*(collection.c[name] for name in Collection.__struct_fields__)).where(
    collection.c.tenant_id == bindparam("tenant"), collection.c.deleted_at.is_(None)
)
# By the ids alone: a planner without statistics reads all of the tenant for some of it.
_NAMED_OF_TENANT: Final = select(collection.c.id, collection.c.life_days).where(
    collection.c.tenant_id.concat("") == bindparam("tenant"), collection.c.deleted_at.is_(None)
)
_FIND: Final = _OF_TENANT.where(collection.c.id == bindparam("id"))
_NAMED: Final = _OF_TENANT.where(collection.c.name == bindparam("name")).limit(_NAMED_AT_MOST)
_TOUCH: Final = (
    update(collection)
    .where(collection.c.id == bindparam("b_id"), collection.c.deleted_at.is_(None))
    .values(last_active_at=bindparam("b_now"), expires_at=bindparam("b_until"))
)
