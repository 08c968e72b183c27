"""What the holder of a document writes of it: what he is about to store, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.index.chunk import CachedVector, FinishedDocument, StoredChunk
from shared.index.collections.rows import generations_of, raise_edition
from shared.index.document import Document
from shared.index.documents.chunk_rows import CURRENT, LABELLED, OF_DOCUMENT, RETIRE
from shared.index.documents.holding import BEGIN, END, FINISH, FINISH_ANEW, fence
from shared.index.documents.symbols import replace_symbols
from shared.index.embedding_cache import EmbeddingCache
from shared.index.states import ChunkState, DocumentState
from shared.index.tables import chunk
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction, upsert
from shared.storable_text import storable

GROUP: Final = 500
"""Rows of one statement."""


class DocumentIndexing:
    """Every write is fenced: whose lease was lost, whose document was offered anew, or whose
    generation is taken down is told False, and nothing was written. Raises LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock, cache: EmbeddingCache) -> None:
        self._database = database
        self._clock = clock
        self._cache = cache
        self._ids = IdList(database.durable.dialect)
        put = upsert(chunk, sqlite_dialect=database.is_sqlite)
        written = ("state", "ver", "ordinal", "path", "first_line", "last_line")
        self._plan = put.on_conflict_do_update(
            index_elements=chunk.primary_key,
            set_={name: put.excluded[name] for name in written},
        )
        self._keep = (
            update(chunk)
            .where(*OF_DOCUMENT, self._ids.holds(chunk.c.point_id))
            .values(state=ChunkState.CURRENT, ver=bindparam("b_ver"))
        )

    async def current(self, of: Document, generation: str) -> dict[str, StoredChunk]:
        """The chunks that are surely in the stores, at the place that is said here."""
        wanted = {"collection": of.collection_id, "id": of.id, "generation": generation}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(CURRENT, wanted)
            return {row.point_id: StoredChunk(**row._mapping) for row in rows}

    async def plan(
        self,
        held: Document,
        generation: str,
        chunks: Sequence[StoredChunk],
        vectors: Sequence[CachedVector],
    ) -> bool:
        """Before anything is stored: keep these vectors, and say which chunks are about to be
        written or moved.

        From here on they are not `current`, and the document is not what its digest says.
        """
        said = {
            "generation": generation,
            "tenant_id": held.tenant_id,
            "collection_id": held.collection_id,
            "document_id": held.id,
            "state": ChunkState.PLANNED,
            "ver": held.ver,
        }
        rows = [said | _row(each) for each in chunks]
        async with transaction(self._database.durable) as connection:
            if not await _is_kept(connection, held, generation):
                return False
            if not (await connection.execute(BEGIN, fence(held))).rowcount:
                return False
            await self._cache.add(connection, vectors)
            for first in range(0, len(rows), GROUP):
                await connection.execute(self._plan, rows[first : first + GROUP])
        return True

    async def finish(self, held: Document, done: FinishedDocument) -> bool:
        """It is indexed: what it has now is current, all else of it in that generation retired.

        Raises ValueError where `done` names a chunk that was never planned.
        """
        said = {
            "b_digest": done.digest,
            "b_size": done.size_bytes,
            "b_modified": done.modified_ns,
            "b_language": done.language,
            "b_generation": done.generation,
            "b_now": self._clock.now(),
        }
        if done.chunks is not None:
            said |= {"b_passages": len(done.chunks), "b_usage": done.usage_bytes}
        statement = FINISH if done.chunks is None else FINISH_ANEW
        async with transaction(self._database.durable) as connection:
            if not await _is_kept(connection, held, done.generation):
                return False
            if not (await connection.execute(statement, fence(held) | said)).rowcount:
                return False
            of = _of(held, [done.generation])
            if done.chunks is not None:
                await self._keep_only(connection, of, done.chunks)
                await replace_symbols(connection, held, done.symbols)
            elif held.relabel:
                await connection.execute(LABELLED, of)
            if done.chunks is not None or held.relabel:
                await raise_edition(connection, held.collection_id)
        return True

    async def _keep_only(
        self, connection: AsyncConnection, of: dict[str, Any], chunks: Sequence[str]
    ) -> None:
        kept = 0
        for first in range(0, len(chunks), GROUP):
            named = self._ids.parameters(chunks[first : first + GROUP])
            kept += (await connection.execute(self._keep, of | named)).rowcount
        if kept != len({*chunks}):
            raise ValueError(f"{len({*chunks}) - kept} chunks were stored and never planned")
        # What is planned still was read by another attempt, of a file that changed since.
        is_left = or_(chunk.c.state == ChunkState.PLANNED, chunk.c.ver < bindparam("b_ver"))
        await connection.execute(RETIRE.where(is_left), of)

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
        async with transaction(self._database.durable) as connection:
            if not (await connection.execute(END, fence(held) | said)).rowcount:
                return False
            generations = await generations_of(connection, held.collection_id)
            await connection.execute(RETIRE, _of(held, generations.all))
            await replace_symbols(connection, held, ())
            await raise_edition(connection, held.collection_id)
        return True


async def _is_kept(connection: AsyncConnection, held: Document, generation: str) -> bool:
    """What is taken down gets nothing new: give the document back, and index it in another."""
    return generation in (await generations_of(connection, held.collection_id)).kept


def _row(of: StoredChunk) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__struct_fields__}


def _of(held: Document, generations: list[str]) -> dict[str, Any]:
    return {
        "b_collection": held.collection_id,
        "b_id": held.id,
        "b_ver": held.ver,
        "generations": generations,
    }
