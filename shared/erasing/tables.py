"""The table of erasures: whose everything is to go, and how far that is."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import Column, Index, Integer, String, Table, text

from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata


class ErasureSubject(StrEnum):
    """Whose everything is erased."""

    USER = "user"
    CONVERSATION = "conversation"


class ErasureStage(StrEnum):
    """messages ──► bookings ──► letters ──► answers ──► summaries ──► done

    The first begins again while a message was left.
    """

    MESSAGES = "messages"
    BOOKINGS = "bookings"
    LETTERS = "letters"
    ANSWERS = "answers"
    SUMMARIES = "summaries"
    DONE = "done"


_OPEN: Final = text("name IS NOT NULL")
_DUE: Final = text("due_at IS NOT NULL")

# It forgets whose it was when it is done, and is itself forgotten some time after that.
erasure = Table(
    "erasure",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("subject", Enumerated(ErasureSubject), nullable=False),
    Column("name", String(128)),
    Column("stage", Enumerated(ErasureStage), nullable=False),
    Column("place", String(64), nullable=False),
    Column("waits_for", Integer, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("cancelled", Integer, nullable=False),
    Column("stored_answers", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("completed_at", UtcDateTime),
    Index("ix_erasure_due_at", "due_at", postgresql_where=_DUE, sqlite_where=_DUE),
    Index("ix_erasure_completed_at", "completed_at"),
    Index(
        "uq_erasure_tenant_id_subject_name",
        "tenant_id",
        "subject",
        "name",
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    ),
)
