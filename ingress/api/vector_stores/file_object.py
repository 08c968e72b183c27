"""Files of vector stores, and batches of them, as OpenAI's contract has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from ingress.api.vector_stores.store_object import FileCounts
from ingress.api.vector_stores.store_requests import StaticChunking, StaticSizes
from shared.index.document import Document
from shared.index.documents.rows import WAITING
from shared.index.states import DocumentState

FileStatus = Literal["in_progress", "completed", "cancelled", "failed"]
ErrorCode = Literal["server_error", "unsupported_file", "invalid_file"]

_FAILED: Final = (DocumentState.FAILED, DocumentState.SKIPPED)
_NO_TEXT: Final = frozenset({"binary", "special", "link", "outside", "repository"})
"""Reasons of documents that hold nothing we could read."""
_OURS: Final = frozenset({"gave_up", "server_error"})


class LastError(msgspec.Struct, frozen=True):
    """Why a file is not in the index."""

    code: ErrorCode
    message: str


class OtherChunking(msgspec.Struct, frozen=True, tag_field="type", tag="other"):
    """Cut where its syntax, its headings or its sentences end."""


class VectorStoreFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a vector store; of what came otherwise, a document by its own id."""

    id: str
    object: Literal["vector_store.file"] = "vector_store.file"
    usage_bytes: int
    created_at: int
    vector_store_id: str
    status: FileStatus
    last_error: LastError | None
    chunking_strategy: StaticChunking | OtherChunking
    attributes: dict[str, str | float | bool]


class VectorStoreFileList(msgspec.Struct, frozen=True):
    """A page of files."""

    data: list[VectorStoreFile]
    first_id: str
    last_id: str
    has_more: bool
    object: Literal["list"] = "list"


class DeletedVectorStoreFile(msgspec.Struct, frozen=True):
    """The answer to DELETE. The file itself stays."""

    id: str
    object: Literal["vector_store.file.deleted"] = "vector_store.file.deleted"
    deleted: bool = True


class FileText(msgspec.Struct, frozen=True):
    """A piece of a file as it was cut."""

    text: str
    type: Literal["text"] = "text"


class FileContent(msgspec.Struct, frozen=True):
    """All of the text that was found in a file."""

    data: list[FileText]
    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    has_more: bool = False
    next_page: str | None = None


class FileBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Files that were put into a vector store together."""

    id: str
    object: Literal["vector_store.files_batch"] = "vector_store.files_batch"
    created_at: int
    vector_store_id: str
    status: FileStatus
    file_counts: FileCounts


def file_object(document: Document) -> VectorStoreFile:
    """The document as its tenant sees it."""
    return VectorStoreFile(
        id=document.id,
        usage_bytes=document.usage_bytes,
        created_at=int(document.created_at.timestamp()),
        vector_store_id=document.collection_id,
        status=_status(document.state),
        last_error=_last_error(document),
        chunking_strategy=_chunking(document),
        attributes=document.attributes,
    )


def file_page(documents: Sequence[Document], *, has_more: bool) -> VectorStoreFileList:
    """A page; its ids are empty where there are none."""
    return VectorStoreFileList(
        data=[file_object(each) for each in documents],
        first_id=documents[0].id if documents else "",
        last_id=documents[-1].id if documents else "",
        has_more=has_more,
    )


def batch_object(batch_id: str, store_id: str, files: FileCounts, created_at: int) -> FileBatch:
    """A batch by what became of its files."""
    return FileBatch(
        id=batch_id,
        created_at=created_at,
        vector_store_id=store_id,
        status=_batch_status(files),
        file_counts=files,
    )


def _batch_status(files: FileCounts) -> FileStatus:
    if files.in_progress:
        return "in_progress"
    if files.cancelled:
        return "cancelled"
    return "failed" if files.failed and not files.completed else "completed"


def _status(state: DocumentState) -> FileStatus:
    if state in WAITING:
        return "in_progress"
    if state in _FAILED:
        return "failed"
    return "cancelled" if state is DocumentState.CANCELLED else "completed"


def _last_error(document: Document) -> LastError | None:
    if document.state not in _FAILED:
        return None
    code = document.error_code or "server_error"
    reason = document.reason or "It could not be indexed."
    if code in _OURS:
        return LastError("server_error", reason)
    return LastError("unsupported_file" if code in _NO_TEXT else "invalid_file", reason)


def _chunking(document: Document) -> StaticChunking | OtherChunking:
    sizes = document.chunking
    return StaticChunking(StaticSizes(**sizes)) if sizes else OtherChunking()
