"""Documents in our own words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from ingress.api.index.reading import Attributes, Name
from shared.index.document import Document
from shared.index.states import DocumentState
from shared.persistence.key_records import Principals

MOST_POSTED = 1_000
_LONGEST_PATH = 1_024

Place = Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_PATH)]


class PostedDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One document: `path` or `id` names it, and the same again is the same document.

    It is read as the ending of its path says, or as `content_type` does.
    """

    path: Place | None = None
    id: Place | None = None
    text: str | None = None
    base64: str | None = None
    content_type: str | None = None
    title: Name | None = None
    attributes: Attributes | None = None
    principals: Principals | None = None
    """Who may find it; without any, everybody of the tenant."""


class PostDocuments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Documents for one collection, all of them or none."""

    collection: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    """Its name or its id."""
    documents: Annotated[list[PostedDocument], msgspec.Meta(min_length=1, max_length=MOST_POSTED)]


class DocumentObject(msgspec.Struct, frozen=True, kw_only=True):
    """A document, and how far its indexing is."""

    id: str
    object: Literal["document"] = "document"
    collection_id: str
    path: str
    source: str
    title: str | None
    state: DocumentState
    error: dict[str, Any] | None
    """`code` and `message` of one that is not searched."""
    size_bytes: int
    usage_bytes: int
    passages: int
    language: str | None
    attributes: dict[str, str | float | bool]
    principals: tuple[str, ...]
    job: str | None
    created_at: datetime
    indexed_at: datetime | None


class DocumentList(msgspec.Struct, frozen=True):
    """A page of documents."""

    data: list[DocumentObject]
    has_more: bool = False
    object: Literal["list"] = "list"


class DeletedDocument(msgspec.Struct, frozen=True):
    """The answer to DELETE."""

    id: str
    object: Literal["document.deleted"] = "document.deleted"
    deleted: bool = True


def document_object(found: Document) -> DocumentObject:
    """The document as its tenant sees it."""
    error = None
    if found.error_code is not None:
        error = {"code": found.error_code, "message": found.reason or ""}
    return DocumentObject(
        id=found.id,
        collection_id=found.collection_id,
        path=found.path,
        source=found.source,
        title=found.title,
        state=found.state,
        error=error,
        size_bytes=found.size_bytes,
        usage_bytes=found.usage_bytes,
        passages=found.passages,
        language=found.language,
        attributes=found.attributes,
        principals=found.principals,
        job=found.job_id,
        created_at=found.created_at,
        indexed_at=found.indexed_at,
    )
