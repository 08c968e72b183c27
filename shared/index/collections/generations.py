"""Another generation of a collection: built beside the one that is searched, then in its place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.errors import Conflict
from shared.index.collections.collection import Collection, collection_of
from shared.index.collections.rows import unknown_collection
from shared.index.states import DocumentState
from shared.index.tables import collection, document
from shared.persistence.engine import Database
from shared.persistence.statements import transaction

SEARCHED_STILL: Final = timedelta(minutes=1)
"""How long after its end a generation may be read by a search, or written by a holder."""
_TO_BUILD: Final = (
    DocumentState.PENDING,
    DocumentState.COMPLETED,
    DocumentState.IN_PROGRESS,
    DocumentState.CANCELLED,
)


class CollectionGenerations:
    """Raises NotFound for what is not the tenant's, and LedgerUnavailable.

    From `begin` on documents are written in the new one, and searched in the old one until `swap`:
    what changes between the two is written in both.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, tenant_id: str, collection_id: str, generation: str) -> Collection:
        """Build this one next; nothing where it is that already, or is the one that is searched.

        Raises Conflict where another is being built or taken down.
        """
        async with transaction(self._database.durable) as connection:
            found = await _locked(connection, tenant_id, collection_id)
            if generation == found.target:
                return found
            if found.next_generation is not None:
                raise Conflict(
                    f"Another generation of '{found.name}' is being built. Swap or abandon it "
                    "first: forebay collections swap."
                )
            _check_nothing_leaves(found)
            return await _write(connection, found, next_generation=generation)

    async def swap(self, tenant_id: str, collection_id: str) -> Collection:
        """Search the new one from here on, and take the old one down; nothing where none is built.

        Raises Conflict while a document waits for it: it reads every document of the collection.
        """
        async with transaction(self._database.durable) as connection:
            found = await _locked(connection, tenant_id, collection_id)
            if found.next_generation is None:
                return found
            wanted = {"collection": collection_id, "generation": found.next_generation}
            if await connection.scalar(_NOT_BUILT, wanted) is not None:
                raise Conflict(
                    f"Documents of '{found.name}' still wait for the new generation. Try again "
                    "when they are indexed: forebay collections stats."
                )
            return await _write(
                connection,
                found,
                generation=found.next_generation,
                next_generation=None,
                leaving_generation=found.generation,
                leaving_at=self._clock.now() + SEARCHED_STILL,
            )

    async def abandon(self, tenant_id: str, collection_id: str) -> Collection:
        """Take down what was built, and index in the one that is searched again.

        What was written in the abandoned one alone has to be offered again, by `Rebuilding`.
        """
        async with transaction(self._database.durable) as connection:
            found = await _locked(connection, tenant_id, collection_id)
            if found.next_generation is None:
                return found
            _check_nothing_leaves(found)
            return await _write(
                connection,
                found,
                next_generation=None,
                leaving_generation=found.next_generation,
                leaving_at=self._clock.now() + SEARCHED_STILL,
            )

    async def adopt(self, tenant_id: str, collection_id: str, generation: str) -> bool:
        """Settle which generation one is indexed in that was made without; whether it is this."""
        async with transaction(self._database.durable) as connection:
            found = await _locked(connection, tenant_id, collection_id)
            if found.generation == "":
                found = await _write(connection, found, generation=generation)
        return found.generation == generation


def _check_nothing_leaves(found: Collection) -> None:
    if found.leaving_generation is not None:
        raise Conflict(
            f"A generation of '{found.name}' is still being taken down. Try again in some minutes."
        )


async def _locked(connection: AsyncConnection, tenant_id: str, collection_id: str) -> Collection:
    wanted = {"tenant": tenant_id, "id": collection_id}
    row = (await connection.execute(_LOCKED, wanted)).one_or_none()
    if row is None:
        raise unknown_collection(collection_id)
    return collection_of(row)


async def _write(connection: AsyncConnection, found: Collection, **changed: Any) -> Collection:
    values: dict[str, Any] = {**changed, "edition": collection.c.edition + 1}
    written = (
        update(collection).where(collection.c.id == found.id).values(values).returning(*_FIELDS)
    )
    return collection_of((await connection.execute(written)).one())


_FIELDS: Final = tuple(collection.c[name] for name in Collection.__struct_fields__)
_LOCKED: Final = (
    select(*_FIELDS)
    .where(
        collection.c.id == bindparam("id"),
        collection.c.tenant_id == bindparam("tenant"),
        collection.c.deleted_at.is_(None),
    )
    .with_for_update(key_share=True)
)
_IN_COLLECTION: Final = document.c.collection_id == bindparam("collection")
_NOT_BUILT: Final = (
    select(document.c.id)
    .where(
        _IN_COLLECTION,
        document.c.state.in_(_TO_BUILD),
        or_(
            document.c.state.in_((DocumentState.PENDING, DocumentState.IN_PROGRESS)),
            document.c.generation != bindparam("generation"),
        ),
    )
    .limit(1)
)
