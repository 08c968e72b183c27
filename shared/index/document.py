"""A document of a collection, as its row has it, and what is said of it on its way."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any, Final

import msgspec

from shared.identifiers import DOCUMENT, FILE
from shared.index.states import DocumentState

POSTED: Final = "posted"
FILES: Final = "files"
GAVE_UP: Final = "gave_up"
"""The error code of a document whose holders died one after the other."""

DOCUMENT_IDS: Final = re.compile(f"(?:{DOCUMENT}_|{FILE}-)[0-9a-f]{{32}}")
"""Those of posted documents, and of files, whose documents have their ids."""

Attributes = dict[str, str | float | bool]

_NOT_FOUND: Final = frozenset({DocumentState.REMOVING, DocumentState.FAILED, DocumentState.SKIPPED})


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One row: a document, and how far its indexing is. The comments of its table say what each
    field is for.
    """

    collection_id: str
    id: str
    tenant_id: str
    source: str
    path: str
    state: DocumentState
    ver: int
    size_bytes: int
    created_at: datetime
    title: str | None = None
    file_id: str | None = None
    batch_id: str | None = None
    error_code: str | None = None
    reason: str | None = None
    digest: str | None = None
    modified_ns: int | None = None
    language: str | None = None
    principals: tuple[str, ...] = ()
    attributes: Attributes = {}
    chunking: dict[str, Any] | None = None
    generation: str | None = None
    passages: int = 0
    usage_bytes: int = 0
    indexed_at: datetime | None = None
    seen_by: str | None = None
    job_id: str | None = None
    relabel: bool = False
    attempt: int = 0
    excused: int = 0
    claimed_by: str | None = None
    due_at: datetime | None = None

    @property
    def is_searchable(self) -> bool:
        """Whether a search may show it: it was indexed once, and did not fail or go since."""
        return self.generation is not None and self.state not in _NOT_FOUND


class OfferedDocument(msgspec.Struct, frozen=True):
    """What a scan saw of one document. `digest` is known where the source tells it unread."""

    path: str
    size_bytes: int
    modified_ns: int | None = None
    digest: str | None = None
    title: str | None = None


class OfferOutcome(msgspec.Struct, frozen=True):
    """How many of the offered documents are to be indexed, and how many were and are the same."""

    changed: int = 0
    unchanged: int = 0


class NewDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document that somebody posts, or a file that is put into a collection.

    `body` is kept beside it; of a file, whose content is kept elsewhere, it is None.
    """

    path: str
    digest: str
    size_bytes: int
    body: bytes | None = None
    title: str | None = None
    file_id: str | None = None
    batch_id: str | None = None
    principals: tuple[str, ...] = ()
    attributes: Attributes = {}
    chunking: dict[str, Any] | None = None
    job_id: str | None = None

    @property
    def source(self) -> str:
        return POSTED if self.file_id is None else FILES


class DocumentPage(msgspec.Struct, frozen=True):
    """Some ids, and the id behind which the next page begins; None where none is left."""

    ids: tuple[str, ...]
    following: str | None


def document_id(collection_id: str, source: str, path: str) -> str:
    """The same for the same place, so that what comes again is the same document."""
    spelt = "\0".join((collection_id, source, path)).encode(errors="surrogatepass")
    return f"{DOCUMENT}_{hashlib.sha256(spelt).hexdigest()[:32]}"
