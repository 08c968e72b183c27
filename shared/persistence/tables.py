"""The tables. One row of `message` is one accepted message: the ledger."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    and_,
    func,
    or_,
    text,
)

from shared.identifiers import EVALUATION_MESSAGE
from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.tenant import KeyScope
from shared.persistence.columns import Enumerated, UtcDateTime, columns_of
from shared.persistence.message_conditions import HELD, UNRELEASED, UNSTORED, for_sweep


class DeadLetterState(StrEnum):
    """open ──► replayed | discarded"""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class HandoffState(StrEnum):
    """open ──► answered | closed (the message was cancelled or its deadline passed)"""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


OPEN_LISTED: Final = "state || '/listed' = 'open/listed'"
"""That a dead letter or a handoff is open, as the lists that people see spell it."""


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Of the rows that meet the condition, on either database: `every_table` makes it known."""
    condition = text(where.replace("message.", ""))
    told = {"postgresql_where": condition, "sqlite_where": condition}
    return Index(name, *columns, unique=unique, info=told)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

tenant = Table(
    "tenant",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("plan", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retention_days", Integer),
    partial_index("ix_tenant_retention_days", "retention_days", where="retention_days IS NOT NULL"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),
    Column("scope", Enumerated(KeyScope), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    # JSON: whose documents of the index it shows; without, those of everybody.
    Column("principals", Text),
    # Whether a request may bring principals, signed.
    Column("delegates", Boolean),
)

# No foreign key to tenant: the hot insert would take a lock on the tenant's row for each message.
message = Table(
    "message",
    metadata,
    *columns_of(MessageRecord, primary_key="id"),
    # What only the ledger itself reads.
    Column("replied_at", UtcDateTime),
    Column("wake_at", UtcDateTime),
    Column("wakes", Integer, nullable=False),
    Column("lease_until", UtcDateTime),
    # Lines of JSON, of messages that waited longer than in a queue: `WaitNote`.
    Column("waits", Text),
    partial_index(
        "uq_message_tenant_id_idempotency_key",
        "tenant_id",
        "idempotency_key",
        unique=True,
        where="idempotency_key IS NOT NULL",
    ),
    # Each sweep has an index of the rows it is about, in the order in which it takes them.
    partial_index("ix_message_due", "wake_at", where=for_sweep(ResponseState.QUEUED, "due")),
    partial_index(
        "ix_message_expiring", "deadline", where=for_sweep(ResponseState.QUEUED, "expiring")
    ),
    partial_index(
        "ix_message_waiting",
        "lane",
        "accepted_at",
        where=for_sweep(ResponseState.QUEUED, "waiting"),
    ),
    partial_index("ix_message_held", "claimed_by", where=HELD),
    partial_index(
        "ix_message_lease_until",
        "lease_until",
        where=f"{for_sweep(ResponseState.IN_PROGRESS, 'leased')} AND lease_until IS NOT NULL",
    ),
    # Each flow in the order in which the dispatcher takes of it; what came since it looked last.
    partial_index("ix_message_unreleased", "lane", "tenant_id", "deadline", "id", where=UNRELEASED),
    partial_index("ix_message_held_at", "held_at", where=UNRELEASED),
    Index("ix_message_finished_at", "finished_at"),
    partial_index(
        "ix_message_unsent", "finished_at", where="reply_to IS NOT NULL AND replied_at IS NULL"
    ),
    partial_index("ix_message_unstored", "finished_at", where=UNSTORED),
    partial_index(
        "ix_message_fetched", "replied_at", where=f"{UNSTORED} AND replied_at IS NOT NULL"
    ),
    partial_index(
        "ix_message_conversation",
        "tenant_id",
        "conversation_id",
        "finished_at",
        where="conversation_id IS NOT NULL",
    ),
)

REMEMBERED: Final = and_(message.c.store.is_not(False), message.c.erased_at.is_(None))
"""That what a message said may be said again: to a later message, or about it."""

_OF_EVALUATIONS: Final = f"{EVALUATION_MESSAGE}_"
OF_TRAFFIC: Final = or_(
    message.c.idempotency_key.is_(None),
    # Not by LIKE, to which large and small letters are one on SQLite.
    func.substr(message.c.idempotency_key, 1, len(_OF_EVALUATIONS)) != _OF_EVALUATIONS,
)
"""That no evaluation asked it: golden cases and judges' questions say nothing of callers."""

# Money spent outlives its message: an attempt says itself whose it was, and there is no foreign
# key to what a caller may delete.
attempt = Table(
    "attempt",
    metadata,
    Column("message_id", String(64), primary_key=True),
    Column("claim", Integer, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("model", String(128), nullable=False),
    Column("error_class", String(32)),
    Column("detail", Text),
    Column("started_at", UtcDateTime, nullable=False),
    Column("latency_seconds", Numeric(12, 6), nullable=False),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("cost", Numeric(18, 9)),
    Column("cached_tokens", Integer),
    Column("is_estimated", Boolean),
    Column("tenant_id", String(64)),
    Column("user_id", String(128)),
    Column("lane", Enumerated(Lane)),
    Column("booked_at", UtcDateTime),
    Column("cache_write_tokens", Integer),
    Column("reasoning_tokens", Integer),
    Column("deployment", String(64)),
    Column("variant", String(64)),
    Index("ix_attempt_tenant_id_booked_at", "tenant_id", "booked_at"),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", Enumerated(DeadLetterState), nullable=False),
    Column("reason", Enumerated(DeadReason), nullable=False),
    Column("detail", Text, nullable=False),
    Column("queue", String(128)),
    Column("message_id", String(64), index=True),
    Column("tenant_id", String(64)),
    Column("headers", Text),
    Column("body", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("closed_at", UtcDateTime),
    Column("replayed_as", String(64)),
    partial_index("ix_dead_letter_open", "created_at", "id", where=OPEN_LISTED),
)

handoff = Table(
    "handoff",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("message_id", String(64), nullable=False, unique=True),
    Column("tenant_id", String(64), nullable=False),
    Column("state", Enumerated(HandoffState), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("answered_at", UtcDateTime),
    Column("answered_by", String(128)),
    partial_index("ix_handoff_open", "created_at", "id", where=OPEN_LISTED),
)

# Until when each worker is believed to live, and with it every turn that it holds: one row of some
# tens of bytes is written for all of them, in place, since no index has its time.
worker_lease = Table(
    "worker_lease",
    metadata,
    Column("worker", String(128), primary_key=True),
    Column("lease_until", UtcDateTime, nullable=False),
    # What it can hold at once, and of which lanes, with spaces between; NULL where it did not say.
    Column("concurrency", Integer),
    Column("lanes", String(64)),
    info={"postgresql_with": {"fillfactor": 25}},
)

# Who plays a role that one process at a time plays, and until when it is believed to live.
role_lease = Table(
    "role_lease",
    metadata,
    Column("role", String(64), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
)
