"""Vector stores as OpenAI's contract has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from shared.index.collections.collection import Collection
from shared.index.collections.figures import DocumentCounts


class FileCounts(msgspec.Struct, frozen=True):
    """How many files are in each state. One that is left out for what it holds has failed."""

    in_progress: int
    completed: int
    failed: int
    cancelled: int
    total: int


class ExpiresAfter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """It expires when nobody searched it or put anything into it for so many days."""

    anchor: Literal["last_active_at"]
    days: Annotated[int, msgspec.Meta(ge=1, le=365)]


class VectorStoreObject(msgspec.Struct, frozen=True, kw_only=True):
    """A vector store, without its files."""

    id: str
    object: Literal["vector_store"] = "vector_store"
    created_at: int
    name: str
    description: str | None
    usage_bytes: int
    file_counts: FileCounts
    status: Literal["expired", "in_progress", "completed"]
    expires_after: ExpiresAfter | msgspec.UnsetType = msgspec.UNSET
    expires_at: int | None
    last_active_at: int
    metadata: dict[str, str]


class VectorStoreList(msgspec.Struct, frozen=True):
    """A page of vector stores."""

    data: list[VectorStoreObject]
    first_id: str
    last_id: str
    has_more: bool
    object: Literal["list"] = "list"


class DeletedVectorStore(msgspec.Struct, frozen=True):
    """The answer to DELETE."""

    id: str
    object: Literal["vector_store.deleted"] = "vector_store.deleted"
    deleted: bool = True


def store_object(
    collection: Collection, counts: DocumentCounts, *, now: datetime
) -> VectorStoreObject:
    """The collection as its tenant sees it."""
    files = file_counts(counts)
    days, expires_at = collection.life_days, collection.expires_at
    return VectorStoreObject(
        id=collection.id,
        created_at=int(collection.created_at.timestamp()),
        name=collection.name,
        description=collection.description,
        usage_bytes=counts.usage_bytes,
        file_counts=files,
        status=_status(collection, files, now),
        expires_after=msgspec.UNSET if days is None else ExpiresAfter("last_active_at", days),
        expires_at=None if expires_at is None else int(expires_at.timestamp()),
        last_active_at=int(collection.last_active_at.timestamp()),
        metadata=collection.notes,
    )


def store_list(stores: Sequence[VectorStoreObject], *, has_more: bool) -> VectorStoreList:
    """A page; its ids are empty where there are none."""
    return VectorStoreList(
        data=[*stores],
        first_id=stores[0].id if stores else "",
        last_id=stores[-1].id if stores else "",
        has_more=has_more,
    )


def file_counts(counts: DocumentCounts) -> FileCounts:
    """The states of documents in OpenAI's words; what is on its way out is not counted."""
    return FileCounts(
        in_progress=counts.in_progress,
        completed=counts.completed,
        failed=counts.failed + counts.skipped,
        cancelled=counts.cancelled,
        total=counts.total,
    )


def _status(
    collection: Collection, files: FileCounts, now: datetime
) -> Literal["expired", "in_progress", "completed"]:
    if collection.expires_at is not None and collection.expires_at <= now:
        return "expired"
    return "in_progress" if files.in_progress else "completed"
