"""Collections in our own words; OpenAI's are in vector_stores."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from ingress.api.index.reading import Description
from shared.index.collections.collection import Collection
from shared.index.collections.figures import DocumentCounts, Freshness, SourceFreshness
from shared.messages.body import Metadata
from shared.messages.requests.post_documents import Name

LifeDays = Annotated[int, msgspec.Meta(ge=1, le=3_650)]


class CreateCollection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A collection. It is made once for each request: a name is no key."""

    name: Annotated[Name, msgspec.Meta(min_length=1)]
    description: Description | None = None
    metadata: Metadata | None = None
    life_days: LifeDays | None = None
    """It expires when nobody used it for so many days; never where none are given."""


class UpdateCollection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes of it; what is left out stays."""

    name: Annotated[Name, msgspec.Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET
    description: Description | msgspec.UnsetType | None = msgspec.UNSET
    metadata: Metadata | msgspec.UnsetType | None = msgspec.UNSET
    life_days: LifeDays | msgspec.UnsetType | None = msgspec.UNSET


class CollectionObject(msgspec.Struct, frozen=True, kw_only=True):
    """A collection; `edition` rises with every change that a search could see."""

    id: str
    object: Literal["collection"] = "collection"
    name: str
    description: str | None
    metadata: dict[str, str]
    created_at: datetime
    last_active_at: datetime
    life_days: int | None
    expires_at: datetime | None
    generation: str
    next_generation: str | None
    edition: int


class CollectionList(msgspec.Struct, frozen=True):
    """A page of collections."""

    data: list[CollectionObject]
    has_more: bool
    object: Literal["list"] = "list"


class DeletedCollection(msgspec.Struct, frozen=True):
    """The answer to DELETE."""

    id: str
    object: Literal["collection.deleted"] = "collection.deleted"
    deleted: bool = True


class CollectionStats(msgspec.Struct, frozen=True, kw_only=True):
    """What is in it: documents by their states, and what the indexed ones come to."""

    id: str
    object: Literal["collection.stats"] = "collection.stats"
    documents: int
    in_progress: int
    completed: int
    failed: int
    skipped: int
    cancelled: int
    passages: int
    usage_bytes: int
    edition: int


class CollectionFreshnessObject(msgspec.Struct, frozen=True, kw_only=True):
    """Up to what it is indexed, source by source; how many documents wait, and what is built to
    be searched next."""

    id: str
    object: Literal["collection.freshness"] = "collection.freshness"
    sources: tuple[SourceFreshness, ...]
    waiting: int
    generation: str
    next_generation: str | None
    edition: int


def collection_object(found: Collection) -> CollectionObject:
    """The collection as its tenant sees it."""
    return CollectionObject(
        id=found.id,
        name=found.name,
        description=found.description,
        metadata=found.notes,
        created_at=found.created_at,
        last_active_at=found.last_active_at,
        life_days=found.life_days,
        expires_at=found.expires_at,
        generation=found.generation,
        next_generation=found.next_generation,
        edition=found.edition,
    )


def collection_stats(found: Collection, counts: DocumentCounts) -> CollectionStats:
    """What is in it, state by state."""
    counted = msgspec.structs.asdict(counts)
    return CollectionStats(id=found.id, documents=counts.total, edition=found.edition, **counted)


def collection_freshness(found: Collection, fresh: Freshness) -> CollectionFreshnessObject:
    """Up to what it is indexed."""
    return CollectionFreshnessObject(id=found.id, **msgspec.structs.asdict(fresh))
