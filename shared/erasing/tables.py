"""The table of erasures: whose everything is to go, and how far that is."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, Index, Integer, String, Table

from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata, partial_index


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
    partial_index("ix_erasure_due_at", "due_at", where="due_at IS NOT NULL"),
    Index("ix_erasure_completed_at", "completed_at"),
    partial_index(
        "uq_erasure_tenant_id_subject_name",
        "tenant_id",
        "subject",
        "name",
        unique=True,
        where="name IS NOT NULL",
    ),
)
