"""The table of the audit log. The database refuses to change or delete a row of it: a migration
made triggers that say so."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from shared.persistence.columns import UtcDateTime
from shared.persistence.tables import metadata

audit_entry = Table(
    "audit_entry",
    metadata,
    # 1, 2, 3 …, without a gap.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("role", String(32), nullable=False),
    Column("act", String(64), nullable=False),
    Column("target", String(255), nullable=False),
    # JSON, as it was hashed.
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)
