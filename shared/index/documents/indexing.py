"""What the holder of a document writes of it: what he is about to store, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, or_, update

from shared.clock import Clock
from shared.index.chunk import CachedVector, FinishedDocument, StoredChunk, WrittenBeside
from shared.index.collections.rows import edition_raised, generations_of
from shared.index.document import Document
from shared.index.documents.chunk_rows import LABELLED, OF_DOCUMENT, RETIRE, THOSE
from shared.index.documents.held_values import (
    KeptGenerations,
    finished_values,
    is_first_time,
    of_document,
    planned_rows,
)
from shared.index.documents.holding import BEGIN, END, FINISH, FINISH_ANEW, fence
from shared.index.documents.reading import DocumentKey
from shared.index.documents.symbols import forget_symbols, keep_symbols
from shared.index.embedding_cache import EmbeddingCache
from shared.index.states import ChunkState, DocumentState
from shared.index.tables import chunk
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, upsert
from shared.storable_text import storable

GROUP: Final = 500
"""Rows of one statement."""


class DocumentIndexing:
    """Every write is fenced: of a document whose lease was lost, that was offered anew, or whose
    generation is taken down, nothing is written, and its holder is told. Raises LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock, cache: EmbeddingCache) -> None:
        self._database = database
        self._clock = clock
        self._cache = cache
        self._ids = IdList(database.durable.dialect)
        put = upsert(chunk, sqlite_dialect=database.is_sqlite)
        written = ("state", "ver", *StoredChunk.__struct_fields__[1:])
        self._plan = put.on_conflict_do_update(
            index_elements=chunk.primary_key,
            set_={name: put.excluded[name] for name in written},
        )
        named = update(chunk).where(*OF_DOCUMENT, self._ids.holds(chunk.c.point_id))
        self._keep = named.values(state=ChunkState.CURRENT, ver=bindparam("b_ver"))
        self._doubt = named.values(state=ChunkState.PLANNED)

    async def current(self, of: Document, generation: str) -> dict[str, StoredChunk]:
        """The chunks that are surely in the stores, at the place that is said here."""
        return await self._chunks(of, generation, ChunkState.CURRENT)

    async def written(self, of: Document, generation: str) -> dict[str, StoredChunk]:
        """All that the stores may have of it: those too that have no vectors there."""
        return await self._chunks(of, generation, ChunkState.CURRENT, ChunkState.PLANNED)

    async def _chunks(
        self, of: Document, generation: str, *states: ChunkState
    ) -> dict[str, StoredChunk]:
        wanted = {"collection": of.collection_id, "id": of.id, "generation": generation}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(THOSE, wanted | {"states": states})
            return {row.point_id: StoredChunk(**row._mapping) for row in rows}

    async def plan(
        self,
        generation: str,
        planned: Sequence[tuple[Document, Sequence[StoredChunk]]],
        vectors: Sequence[CachedVector] = (),
    ) -> set[DocumentKey]:
        """Before anything is stored: keep these vectors, and say which chunks of which documents
        are about to be written or moved. Which documents that was written of.

        From here on they are not `current`, and the documents are not what their digests say.
        """

        def work(connection: Connection) -> set[DocumentKey]:
            known: set[DocumentKey] = set()
            rows: list[dict[str, Any]] = []
            kept = KeptGenerations(connection)
            for held, chunks in sorted(planned, key=_key):
                if not kept.holds(held, generation):
                    continue
                if connection.execute(BEGIN, fence(held)).rowcount:
                    known.add((held.collection_id, held.id))
                    rows += planned_rows(held, generation, chunks)
            if known:
                self._cache.add(connection, vectors)
            for first in range(0, len(rows), GROUP):
                connection.execute(self._plan, rows[first : first + GROUP])
            return known

        return await self._database.commit(work)

    async def finish(
        self, finished: Sequence[tuple[Document, FinishedDocument]]
    ) -> set[DocumentKey]:
        """They are indexed: what each has now is current, all else of it in that generation
        retired. Which documents that was written of.

        Raises ValueError where one names a chunk that was never planned; nothing is written then.
        """
        now = self._clock.now()

        def work(connection: Connection) -> set[DocumentKey]:
            kept = KeptGenerations(connection)
            written = [
                (held, done)
                for held, done in sorted(finished, key=_key)
                if kept.holds(held, done.generation) and self._finish(connection, held, done, now)
            ]
            keep_symbols(connection, ((held, done.symbols) for held, done in written))
            changed = {
                held.collection_id
                for held, done in written
                if done.chunks is not None or held.relabel
            }
            for collection_id in sorted(changed):
                edition_raised(connection, collection_id)
            return {(held.collection_id, held.id) for held, _ in written}

        # Where the end of a first time is forgotten, it is indexed again. What is retired goes
        # from the stores, and must not be current again.
        first_times = all(is_first_time(held) for held, _ in finished)
        return await self._database.commit(work, may_be_forgotten=first_times)

    def _finish(
        self, connection: Connection, held: Document, done: FinishedDocument, now: datetime
    ) -> bool:
        statement = FINISH if done.chunks is None else FINISH_ANEW
        if not connection.execute(statement, fence(held) | finished_values(done, now)).rowcount:
            return False
        of = of_document(held, [done.generation])
        if done.chunks is not None:
            self._keep_only(connection, of, done.chunks)
            if not is_first_time(held):
                connection.execute(_RETIRE_LEFT, of)
                forget_symbols(connection, held)
            if done.beside is not None:
                self._keep_beside(connection, held, done.beside)
        elif held.relabel:
            connection.execute(LABELLED, of)
        return True

    def _keep_only(self, connection: Connection, of: dict[str, Any], chunks: Sequence[str]) -> None:
        kept = 0
        for first in range(0, len(chunks), GROUP):
            named = self._ids.parameters(chunks[first : first + GROUP])
            kept += connection.execute(self._keep, of | named).rowcount
        if kept != len({*chunks}):
            raise ValueError(f"{len({*chunks}) - kept} chunks were stored and never planned")

    def _keep_beside(self, connection: Connection, held: Document, beside: WrittenBeside) -> None:
        """What lacks its vectors is found, and is written anew by whoever has these models."""
        of = of_document(held, [beside.generation])
        self._keep_only(connection, of, beside.chunks)
        connection.execute(_RETIRE_LEFT, of)
        for first in range(0, len(beside.by_words), GROUP):
            named = self._ids.parameters(beside.by_words[first : first + GROUP])
            connection.execute(self._doubt, of | named)

    async def fail(self, held: Document, code: str, reason: str) -> bool:
        """It cannot be indexed; what was of it before goes from the stores as well."""
        return await self._end(held, DocumentState.FAILED, code, reason)

    async def skip(self, held: Document, code: str, why: str) -> bool:
        """It is not to be indexed, for a reason that is no fault; what was of it before goes."""
        return await self._end(held, DocumentState.SKIPPED, code, why)

    async def _end(self, held: Document, state: DocumentState, code: str, reason: str) -> bool:
        said = {
            "b_state": state,
            "b_code": code[:32],
            "b_reason": storable(reason),
            "b_now": self._clock.now(),
        }

        def work(connection: Connection) -> bool:
            if not connection.execute(END, fence(held) | said).rowcount:
                return False
            generations = generations_of(connection, held.collection_id)
            connection.execute(RETIRE, of_document(held, generations.all))
            forget_symbols(connection, held)
            edition_raised(connection, held.collection_id)
            return True

        return await self._database.commit(work)


def _key(one: tuple[Document, Any]) -> DocumentKey:
    """In one order: several are written in one transaction, and offered in another."""
    return one[0].collection_id, one[0].id


# What is planned still was read by another attempt, of a file that changed since.
_RETIRE_LEFT: Final = RETIRE.where(
    or_(chunk.c.state == ChunkState.PLANNED, chunk.c.ver < bindparam("b_ver"))
)
