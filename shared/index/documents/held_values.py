"""What the holders of documents write of them, as values of its statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from shared.index.chunk import FinishedDocument, StoredChunk
from shared.index.collections.rows import Generations, generations_of
from shared.index.document import Document
from shared.index.states import ChunkState


class KeptGenerations:
    """What is taken down gets nothing new: give the document back, and index it in another."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._of: dict[str, Generations] = {}

    def holds(self, held: Document, generation: str) -> bool:
        id_ = held.collection_id
        if id_ not in self._of:
            self._of[id_] = generations_of(self._connection, id_)
        return generation in self._of[id_].kept


def is_first_time(held: Document) -> bool:
    """Whether nothing can be there of it."""
    return held.ver == 1 and held.attempt == 1


def planned_rows(
    held: Document, generation: str, chunks: Sequence[StoredChunk]
) -> Iterator[dict[str, Any]]:
    said = {
        "generation": generation,
        "tenant_id": held.tenant_id,
        "collection_id": held.collection_id,
        "document_id": held.id,
        "state": ChunkState.PLANNED,
        "ver": held.ver,
    }
    for each in chunks:
        yield said | {name: getattr(each, name) for name in each.__struct_fields__}


def finished_values(done: FinishedDocument, now: datetime) -> dict[str, Any]:
    said = {
        "b_digest": done.digest,
        "b_size": done.size_bytes,
        "b_modified": done.modified_ns,
        "b_language": done.language,
        "b_generation": done.generation,
        "b_now": now,
    }
    if done.chunks is None:
        return said
    return said | {"b_passages": len(done.chunks), "b_usage": done.usage_bytes}


def of_document(held: Document, generations: list[str]) -> dict[str, Any]:
    return {
        "b_collection": held.collection_id,
        "b_id": held.id,
        "b_ver": held.ver,
        "generations": generations,
    }
