"""Documents in our own words, as doors answer with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from shared.index.document import Document
from shared.index.states import DocumentState


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
