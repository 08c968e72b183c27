"""What the transactions of documents read and write of their collection."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import NotFound
from shared.index.tables import collection


class Generations:
    """Where chunks of a collection may be: what is searched, what is built, what is taken down."""

    def __init__(self, now: str, following: str | None, leaving: str | None) -> None:
        self.target = following or now
        self.kept = {name for name in (now, following) if name is not None}
        self.all = [name for name in (now, following, leaving) if name is not None]


async def held(connection: AsyncConnection, tenant_id: str, collection_id: str) -> Generations:
    """Its generations; its row does not go before this transaction ends. Raises NotFound."""
    wanted = {"id": collection_id, "tenant": tenant_id}
    row = (await connection.execute(_HELD, wanted)).one_or_none()
    if row is None:
        raise unknown_collection(collection_id)
    return Generations(*row)


def generations_of(connection: Connection, collection_id: str) -> Generations:
    """The same of one that may be deleted, whose documents are still there."""
    return Generations(*connection.execute(_GENERATIONS, {"id": collection_id}).one())


def edition_raised(connection: Connection, collection_id: str) -> None:
    """Say that a search may find something else now.

    Last in a transaction: until its end nobody else does so for this collection.
    """
    connection.execute(_RAISE, {"b_id": collection_id})


async def raise_edition(connection: AsyncConnection, collection_id: str) -> None:
    """The same."""
    await connection.run_sync(edition_raised, collection_id)


def unknown_collection(collection_id: str) -> NotFound:
    """There is none, or it is another tenant's: the caller cannot tell which."""
    return NotFound(f"There is no vector store '{collection_id[:128]}'.", param="vector_store_id")


_GENERATIONS: Final = select(
    collection.c.generation, collection.c.next_generation, collection.c.leaving_generation
).where(collection.c.id == bindparam("id"))
_HELD: Final = _GENERATIONS.where(
    collection.c.tenant_id == bindparam("tenant"), collection.c.deleted_at.is_(None)
).with_for_update(read=True, key_share=True)
_RAISE: Final = (
    update(collection)
    .where(collection.c.id == bindparam("b_id"))
    .values(edition=collection.c.edition + 1)
)
