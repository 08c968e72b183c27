"""The table of what was handed to providers as batches of their own."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata, partial_index


class HandedOverState(StrEnum):
    """packed ──► submitted ──► ended, and pulled ──► ended from either of the first two."""

    PACKED = "packed"
    """Its messages are claimed; whether the provider has it is not known yet."""
    SUBMITTED = "submitted"
    PULLED = "pulled"
    """Its messages were taken back, and what it still costs is waited for."""
    ENDED = "ended"


NOT_ENDED: Final = "state <> 'ended'"
"""That it may hold messages, or tokens at its provider, as its index spells it."""

# Its messages are those that it holds: `message.claimed_by` is its id.
provider_batch = Table(
    "provider_batch",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("model", String(128), nullable=False),
    Column("state", Enumerated(HandedOverState), nullable=False),
    Column("remote_id", String(255)),
    Column("requests", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("submitted_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    # When its messages are taken back, however far it is; its lease ends soon after.
    Column("pull_at", UtcDateTime, nullable=False),
    Column("look_at", UtcDateTime, nullable=False),
    Column("looks", Integer, nullable=False),
    # Whether its provider brought it to its end: what it took says how long the next may take.
    Column("reason", Text),
    partial_index("ix_provider_batch_look_at", "look_at", where=NOT_ENDED),
    partial_index("ix_provider_batch_ended_at", "provider", "ended_at", where="state = 'ended'"),
)
