"""The tables of what is made of documents: symbols of code, and vectors."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from shared.index.states import SymbolRole
from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata

symbol = Table(
    "symbol",
    metadata,
    Column("collection_id", String(64), primary_key=True),
    Column("document_id", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("role", Enumerated(SymbolRole), nullable=False),
    # The last part of the qualified name, as it is spelt and in lower case: what people type.
    Column("name", String(256), nullable=False),
    Column("folded", String(256), nullable=False),
    Column("qualified", String(256), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("signature", Text),
    Column("inside", String(256)),
    Column("line", Integer, nullable=False),
    Index("ix_symbol_folded", "tenant_id", "folded", "role", "collection_id"),
)

# By what it was made of: the same text is never embedded twice for one owner.
embedding = Table(
    "embedding",
    metadata,
    # First, since many are looked up by a list of digests.
    Column("digest", String(64), primary_key=True),
    # A tenant, or nobody where an operator lets tenants share.
    Column("owner", String(64), primary_key=True),
    Column("encoder", String(128), primary_key=True),
    # Float32, little-endian.
    Column("vector", LargeBinary, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    # When it was last found, or looked for in vain among what chunks name; None of a version
    # that swept none.
    Column("seen_at", UtcDateTime),
    # Whether no chunk named it then.
    Column("is_unnamed", Boolean),
    Index("ix_embedding_seen_at", "seen_at"),
)
