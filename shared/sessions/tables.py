"""The table of who is logged in."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from shared.persistence.columns import UtcDateTime
from shared.persistence.tables import metadata

console_session = Table(
    "console_session",
    metadata,
    # Of the token that the browser keeps: who reads this table cannot come in by it.
    Column("digest", String(64), primary_key=True),
    Column("key_id", String(64), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    # For those that are over and go.
    Index("ix_console_session_began_at", "began_at"),
)
