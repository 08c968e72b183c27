"""Which generations collections name, and which collections name others than one."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, select, text

from shared.index.collections.collection import Collection, collection_of
from shared.index.tables import BUILDING, LEAVING, collection
from shared.persistence.engine import Database
from shared.persistence.statements import reading


class NamedGenerations:
    """Of all tenants, for whoever keeps the stores; everything raises LedgerUnavailable.

    It goes from one generation to the next and does not read the collections of each.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> set[str]:
        """Every one that a row names, deleted ones too; the stores may drop all others."""
        found: set[str] = set()
        async with reading(self._database.relaxed) as connection:
            for query in (_SEARCHED, _BUILT, _LEFT):
                found |= {*(await connection.execute(query)).scalars()} - {None, ""}
        return found

    async def of_others(self, generation: str, *, limit: int) -> list[Collection]:
        """Collections that are neither in this generation nor being built in another."""
        found: list[Collection] = []
        async with reading(self._database.relaxed) as connection:
            names = {*(await connection.execute(_SEARCHED)).scalars()} - {None, "", generation}
            for name in sorted(names):
                bounds = {"generation": name, "limit": limit - len(found)}
                found += map(collection_of, await connection.execute(_IN, bounds))
        return found

    async def building(self, *, limit: int) -> list[Collection]:
        """Collections for which a generation is being built."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_BUILDING, {"limit": limit})
            return [collection_of(row) for row in rows]


def _distinct(name: str, *where: Any) -> Select[Any]:
    """Each value of a column once, from one to the next by its index."""
    column = collection.c[name]
    first = select(
        select(column.label(name))
        .where(*where)
        .order_by(column)
        .limit(1)
        .scalar_subquery()
        .label(name)
    ).cte("named", recursive=True)
    following = (
        select(column)
        .where(*where, column > first.c[name])
        .order_by(column)
        .limit(1)
        .scalar_subquery()
    )
    named = first.union_all(select(following).where(first.c[name].is_not(None)))
    return select(named.c[name])


_LIMIT: Final = bindparam("limit", type_=Integer)
_FIELDS: Final = tuple(collection.c[name] for name in Collection.__struct_fields__)
_SEARCHED: Final = _distinct("generation")
_BUILT: Final = _distinct("next_generation", text(BUILDING))
_LEFT: Final = select(collection.c.leaving_generation).distinct().where(text(LEAVING))
_IN: Final = (
    select(*_FIELDS)
    .where(
        collection.c.generation == bindparam("generation"),
        collection.c.next_generation.is_(None),
        collection.c.deleted_at.is_(None),
    )
    .limit(_LIMIT)
)
_BUILDING: Final = (
    select(*_FIELDS)
    .where(text(BUILDING), collection.c.deleted_at.is_(None))
    .order_by(collection.c.next_generation)
    .limit(_LIMIT)
)
