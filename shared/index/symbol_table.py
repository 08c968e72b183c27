"""Where names are defined, called and imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Integer, bindparam, select

from shared.index.states import ChunkState, SymbolRole
from shared.index.tables import chunk, symbol
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.storable_text import is_storable


class FoundSymbol(msgspec.Struct, frozen=True, kw_only=True):
    """A name in a line of a document. `inside` is the definition that the line stands in."""

    collection_id: str
    document_id: str
    role: SymbolRole
    name: str
    qualified: str
    kind: str
    line: int
    signature: str | None = None
    inside: str | None = None


class SymbolTable:
    """Symbols of a tenant's documents, as they were indexed last; raises LedgerUnavailable.

    Documents that are being removed are still in it: ask each document's row.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids = IdList(database.relaxed.dialect)
        self._named = _NAMED.where(self._ids.holds(symbol.c.collection_id))

    async def search(
        self,
        tenant_id: str,
        collection_ids: Sequence[str],
        name: str,
        *,
        roles: Sequence[SymbolRole] = tuple(SymbolRole),
        limit: int,
    ) -> list[FoundSymbol]:
        """Symbols of this name, in any case; of a qualified one (`Class.method`) those alone whose
        own ends so. Those spelt the same come first, and `limit` of each role at most.
        """
        last = last_part(name)
        if not last or not is_storable(name):
            return []
        found: list[FoundSymbol] = []
        wanted = {"tenant": tenant_id, "folded": last.lower(), "limit": limit}
        wanted |= self._ids.parameters(collection_ids)
        async with reading(self._database.relaxed) as connection:
            for role in roles:
                rows = await connection.execute(self._named, wanted | {"role": role})
                found += [FoundSymbol(**row._mapping) for row in rows]
        fitting = [each for each in found if _ends_so(each.qualified, name)]
        return sorted(fitting, key=lambda each: each.name != last)

    async def points(self, generation: str, found: Sequence[FoundSymbol]) -> dict[FoundSymbol, str]:
        """The chunk of that generation that holds the line of each, where there is one."""
        points: dict[FoundSymbol, str] = {}
        async with reading(self._database.relaxed) as connection:
            for each in found:
                wanted = {
                    "collection": each.collection_id,
                    "generation": generation,
                    "document": each.document_id,
                    "line": each.line,
                }
                if (point := await connection.scalar(_POINT, wanted)) is not None:
                    points[each] = point
        return points


def last_part(name: str) -> str:
    """Of a qualified name, in whatever language's spelling, what it is called in its own place."""
    for separator in _SEPARATORS:
        name = name.replace(separator, ".")
    return name.strip(". ()").rpartition(".")[2]


def _ends_so(qualified: str, name: str) -> bool:
    asked = _parts(name)
    return len(asked) == 1 or _parts(qualified)[-len(asked) :] == asked


def _parts(name: str) -> list[str]:
    for separator in _SEPARATORS:
        name = name.replace(separator, ".")
    return name.strip(". ()").lower().split(".")


_SEPARATORS: Final = ("::", "->", "#", "/")
_POINT: Final = (
    select(chunk.c.point_id)
    .where(
        chunk.c.collection_id == bindparam("collection"),
        chunk.c.generation == bindparam("generation"),
        chunk.c.state.in_((ChunkState.CURRENT, ChunkState.PLANNED)),
        chunk.c.document_id == bindparam("document"),
        chunk.c.first_line <= bindparam("line"),
        chunk.c.last_line >= bindparam("line"),
    )
    # The last that begins before it: of chunks in one another that is the inner one.
    .order_by(chunk.c.ordinal.desc())
    .limit(1)
)
_NAMED: Final = (
    select(*(symbol.c[name] for name in FoundSymbol.__struct_fields__))
    .where(
        symbol.c.tenant_id == bindparam("tenant"),
        symbol.c.folded == bindparam("folded"),
        symbol.c.role == bindparam("role"),
    )
    .limit(bindparam("limit", type_=Integer))
)
