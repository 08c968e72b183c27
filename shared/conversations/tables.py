"""The tables of conversations: what callers keep in them, and what they took out."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from shared.persistence.columns import UtcDateTime
from shared.persistence.tables import metadata, partial_index

# No foreign keys, as with messages: a message may name a conversation that nobody made, and a row
# of one that was deleted outlives its items until its messages are gone.
conversation = Table(
    "conversation",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("notes", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    partial_index("ix_conversation_deleted_at", "deleted_at", where="deleted_at IS NOT NULL"),
)

# A row without an item says that the item of a message by that id was taken out.
conversation_item = Table(
    "conversation_item",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("conversation_id", String(128), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("said_at", UtcDateTime, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("item", Text),
    Index(
        "ix_conversation_item_said",
        "tenant_id",
        "conversation_id",
        "said_at",
        "ordinal",
    ),
    partial_index("ix_conversation_item_kept", "said_at", where="item IS NOT NULL"),
    partial_index("ix_conversation_item_taken_out", "said_at", where="item IS NULL"),
)
