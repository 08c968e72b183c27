"""The tables of the index: what is in it, and what is still to be done for it.

No foreign keys, as with messages: each row says whose it is, and what is removed goes in pieces.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from shared.index.derived_tables import embedding, symbol
from shared.index.job_tables import index_job, skipped_file
from shared.index.states import ChunkState, DocumentState
from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata, partial_index

__all__ = [
    "chunk",
    "collection",
    "collection_source",
    "document",
    "document_body",
    "embedding",
    "index_job",
    "skipped_file",
    "symbol",
]

WAITING = "state IN ('pending', 'in_progress')"
"""That something is to be done for a document."""
RETIRED = "state = 'retired'"
REMOVING = "state = 'removing'"
BUILDING = "next_generation IS NOT NULL"
LEAVING = "leaving_at IS NOT NULL"

# One that is deleted stays until the last of its documents is gone.
collection = Table(
    "collection",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("name", String(256), nullable=False),
    Column("description", Text),
    Column("notes", Text),
    Column("life_days", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_active_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("deleted_at", UtcDateTime),
    # What searches read, what is built beside it to be read next, and what was read before and is
    # being taken down.
    Column("generation", String(64), nullable=False),
    Column("next_generation", String(64)),
    Column("leaving_generation", String(64)),
    Column("leaving_at", UtcDateTime),
    # Rises with every change that a search could see: caches carry it in their keys.
    Column("edition", BigInteger, nullable=False),
    Index("ix_collection_tenant_id_id", "tenant_id", "id"),
    Index("ix_collection_generation", "generation", "id"),
    partial_index("ix_collection_next_generation", "next_generation", where=BUILDING),
    Index("ix_collection_tenant_id_name", "tenant_id", "name"),
    partial_index("ix_collection_expires_at", "expires_at", where="expires_at IS NOT NULL"),
    partial_index("ix_collection_deleted_at", "deleted_at", where="deleted_at IS NOT NULL"),
    partial_index("ix_collection_leaving_at", "leaving_at", where=LEAVING),
)

# Where documents of a collection come from, and up to what it is indexed.
collection_source = Table(
    "collection_source",
    metadata,
    Column("collection_id", String(64), primary_key=True),
    Column("source", String(512), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    # Of the last scan that was indexed whole: what it showed, when it began, what it listed.
    Column("commit_id", String(64)),
    Column("branch", String(256)),
    Column("indexed_through", UtcDateTime),
    Column("listed", Integer),
    # Of a listing that shrank by half: what was missing. The next scan that misses the same
    # removes it.
    Column("missing_digest", String(64)),
)

# One row is one document, and the task of indexing it: nothing else says what is to be done.
document = Table(
    "document",
    metadata,
    Column("collection_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("source", String(512), nullable=False),
    Column("path", Text, nullable=False),
    Column("title", Text),
    Column("file_id", String(64)),
    Column("batch_id", String(64)),
    Column("state", Enumerated(DocumentState), nullable=False),
    Column("error_code", String(32)),
    Column("reason", Text),
    # Rises with every change that is offered; no store lets a lower one win.
    Column("ver", BigInteger, nullable=False),
    # What was read last: size and time tell whether to read again, the digest whether to split.
    Column("digest", String(64)),
    Column("size_bytes", BigInteger, nullable=False),
    Column("modified_ns", BigInteger),
    Column("language", String(64)),
    # JSON: who may see it (none named: everybody of the tenant), what its owner says of it, how
    # it is to be cut.
    Column("principals", Text),
    Column("attributes", Text),
    Column("chunking", Text),
    # The generation that its current chunks are in.
    Column("generation", String(64)),
    Column("passages", Integer, nullable=False),
    Column("usage_bytes", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("indexed_at", UtcDateTime),
    # The scan that saw it last, and the job that waits for it.
    Column("seen_by", String(64)),
    Column("job_id", String(64)),
    # That its labels are to be written to what is in the stores already.
    Column("relabel", Boolean, nullable=False),
    # The attempt is the fence: who lost the lease writes nothing. Some do not count, since a
    # server was away.
    Column("attempt", Integer, nullable=False),
    Column("excused", Integer, nullable=False),
    Column("claimed_by", String(128)),
    # From when on it may be claimed: since it was offered, or when the lease of its holder ends.
    Column("due_at", UtcDateTime),
    Index("ix_document_id", "id"),
    Index("ix_document_collection_id_state", "collection_id", "state", "id"),
    Index("ix_document_collection_id_source", "collection_id", "source", "id"),
    Index("ix_document_job_id_state", "job_id", "state"),
    Index("ix_document_file_id", "file_id"),
    Index("ix_document_batch_id", "batch_id", "id"),
    partial_index("ix_document_waiting_tenant_id", "tenant_id", "due_at", where=WAITING),
    partial_index("ix_document_removing", "due_at", where=REMOVING),
)

# Of documents that were posted: another generation needs their text again.
document_body = Table(
    "document_body",
    metadata,
    Column("collection_id", String(64), primary_key=True),
    Column("document_id", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# Written before a store is asked for anything, so that nothing in a store is unknown here.
chunk = Table(
    "chunk",
    metadata,
    # In this order: several are looked up by a list of ids.
    Column("point_id", String(36), primary_key=True),
    Column("generation", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("collection_id", String(64), nullable=False),
    Column("document_id", String(64), nullable=False),
    Column("state", Enumerated(ChunkState), nullable=False),
    Column("ver", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("first_line", Integer, nullable=False),
    Column("last_line", Integer, nullable=False),
    # Of what the encoders read. Without the first it is a chunk of a version that kept none.
    Column("text_digest", String(64)),
    Column("code_digest", String(64)),
    # None of all chunks: a planner would take it for the way to those of a tenant.
    partial_index("ix_chunk_text_digest", "text_digest", where="text_digest IS NOT NULL"),
    partial_index("ix_chunk_without_digest", "tenant_id", where="text_digest IS NULL"),
    partial_index("ix_chunk_code_digest", "code_digest", where="code_digest IS NOT NULL"),
    Index("ix_chunk_document", "collection_id", "generation", "state", "document_id", "ordinal"),
    partial_index("ix_chunk_retired", "generation", "point_id", where=RETIRED),
)
