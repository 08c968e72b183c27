"""The tables of large content: bytes under a digest, which files and messages name."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from shared.files.stored_file import FilePurpose
from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata, partial_index

# It has a digest while something names it, else a time from which it may be removed: while it is
# being uploaded, and when nothing names it any more.
content = Table(
    "content",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("digest", String(64)),
    Column("bytes", BigInteger, nullable=False),
    Column("removable_at", UtcDateTime),
    Index("uq_content_tenant_id_digest", "tenant_id", "digest", unique=True),
    partial_index("ix_content_removable_at", "removable_at", where="removable_at IS NOT NULL"),
)

# The key is what keeps a late writer from adding to what was removed.
content_chunk = Table(
    "content_chunk",
    metadata,
    Column("content_id", ForeignKey("content.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# Which messages refer to which content. What a message has no more loses its rows by the sweep of
# them: whoever takes out a message, of whatever version, need not know of its content.
message_content = Table(
    "message_content",
    metadata,
    Column("message_id", String(64), primary_key=True),
    Column("content_id", ForeignKey("content.id"), primary_key=True),
    Index("ix_message_content_content_id", "content_id"),
)

# No foreign key to tenant, as with messages; ids sort by time, which is the order of a list.
stored_file = Table(
    "file",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("content_id", ForeignKey("content.id"), nullable=False),
    Column("filename", String(255), nullable=False),
    Column("purpose", Enumerated(FilePurpose), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Index("ix_file_tenant_id_id", "tenant_id", "id"),
    Index("ix_file_tenant_id_purpose_id", "tenant_id", "purpose", "id"),
    Index("ix_file_content_id", "content_id"),
    partial_index("ix_file_expires_at", "expires_at", where="expires_at IS NOT NULL"),
)

# What each tenant's content takes, and the lock behind which its names come and go.
tenant_storage = Table(
    "tenant_storage",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
)
