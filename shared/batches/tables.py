"""The tables of batches: one row for each, and one for each of its lines."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    select,
)

from shared.batches.state import OPEN_BATCHES, BatchEndpoint, BatchState, BatchSurface
from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import message, metadata, partial_index

OPEN: Final = f"state IN ({', '.join(repr(str(state)) for state in OPEN_BATCHES)})"
"""That a batch has not ended, as its index spells it."""

# No foreign key to tenant, as with messages; ids sort by time, which is the order of a list.
batch = Table(
    "batch",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    # JSON: whose documents its lines find; without, those of everybody.
    Column("principals", Text),
    Column("surface", Enumerated(BatchSurface), nullable=False),
    Column("endpoint", Enumerated(BatchEndpoint), nullable=False),
    Column("input_file_id", String(64)),
    # No foreign key: who deletes its input file while it is read may do so.
    Column("content_id", String(64), nullable=False),
    Column("input_bytes", BigInteger, nullable=False),
    Column("window_seconds", Integer, nullable=False),
    Column("notes", Text),
    Column("output_expires_after", Integer),
    Column("digest", String(64), nullable=False),
    Column("state", Enumerated(BatchState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("in_progress_at", UtcDateTime),
    Column("finalizing_at", UtcDateTime),
    Column("completed_at", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("expired_at", UtcDateTime),
    Column("cancelling_at", UtcDateTime),
    Column("cancelled_at", UtcDateTime),
    # How far its input is expanded: bytes and lines, both from its beginning.
    Column("cursor_bytes", BigInteger, nullable=False),
    Column("cursor_line", Integer, nullable=False),
    Column("expanded_at", UtcDateTime),
    Column("total", Integer),
    Column("model", String(128)),
    # JSON: what it is expected to take, its faults, and what it came to when it ended.
    Column("estimate", Text),
    Column("errors", Text),
    Column("counts", Text),
    Column("usage", Text),
    Column("output_file_id", String(64)),
    Column("error_file_id", String(64)),
    # Billionths of a dollar, of the tenant's daily budget: null without one.
    Column("set_aside_each", BigInteger),
    Index("ix_batch_tenant_id_id", "tenant_id", "id"),
    Index("ix_batch_tenant_id_digest", "tenant_id", "digest"),
    partial_index("ix_batch_open", "id", where=OPEN),
    Index("ix_batch_expires_at", "expires_at"),
)

# A line that became no message says itself why. Equal lines of a batch share one message.
batch_item = Table(
    "batch_item",
    metadata,
    Column("batch_id", ForeignKey("batch.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("custom_id", String(512), nullable=False),
    Column("message_id", String(64)),
    Column("status_code", Integer),
    Column("error_code", String(64)),
    Column("error_message", Text),
    # JSON: the answer of a line that is no message, and what was read for it.
    Column("answer", Text),
    Column("input_tokens", Integer),
    partial_index("ix_batch_item_message_id", "message_id", where="message_id IS NOT NULL"),
)

# Looked up one by one: a join, or an EXISTS that is made one, may read all there is for some of it.
_BATCH_OF: Final = (
    select(batch_item.c.batch_id)
    .join(batch, batch.c.id == batch_item.c.batch_id)
    .where(batch_item.c.message_id == message.c.id)
    .correlate(message)
    .limit(1)
)
_OPEN_ONE: Final = _BATCH_OF.where(batch.c.state.in_(OPEN_BATCHES)).scalar_subquery()
_CANCELLING_ONE: Final = _BATCH_OF.where(batch.c.state == BatchState.CANCELLING).scalar_subquery()
IN_CANCELLING_BATCH: Final[ColumnElement[bool]] = _CANCELLING_ONE.is_not(None)
"""That a message is of a batch that is being cancelled: nobody begins it any more."""
IN_OPEN_BATCH: Final[ColumnElement[bool]] = _OPEN_ONE.is_not(None)
"""That a message is to be in the files of a batch that has not ended: it stays until then."""
