"""The table of feedback: what people and judges said of an answer after it was given."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Double,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    func,
)

from shared.feedback.verdict import JUDGE, OF_JUDGES
from shared.persistence.columns import UtcDateTime
from shared.persistence.tables import metadata, partial_index

# No foreign key: it may outlive its message. The id is made of the response's and a number below
# the most that one may have, so that no two writers go beyond it.
feedback = Table(
    "feedback",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("response_id", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    # 0 to 1; NULL of a label that says neither good nor bad.
    Column("value", Double),
    Column("is_negative", Boolean, nullable=False),
    Column("label", String(64)),
    # JSON: what was sent as `value`, and the scale that a number was on.
    Column("original", Text, nullable=False),
    Column("scale", Text),
    Column("comment", Text),
    # The stored answer that it is about.
    Column("entry", String(64)),
    # JSON: what the same source said under the same name before, the newest first, no comments.
    Column("earlier", Text, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Index("uq_feedback_response_id_name_source", "response_id", "name", "source", unique=True),
    Index("ix_feedback_tenant_id_given_at", "tenant_id", "given_at", "id"),
    Index("ix_feedback_given_at", "given_at"),
    partial_index("ix_feedback_negative", "tenant_id", "given_at", "id", where="is_negative"),
)


def is_said_by_person(source: ColumnElement[str]) -> ColumnElement[bool]:
    """What `is_of_person` says, in a statement; of `LIKE` SQLite thinks that a Judge is a judge."""
    return and_(source != JUDGE, func.substr(source, 1, len(OF_JUDGES)) != OF_JUDGES)
