"""What each flow has used: a flow is the messages of one tenant in one lane."""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, String, Table

from shared.messages.lane import Lane
from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata

# In units, until it is folded into its flow's row: workers append, and no two of them wait for one
# row. There are several of one claim where it was charged while its turn ran.
charge = Table(
    "charge",
    metadata,
    Column("message_id", String(64), primary_key=True),
    Column("claim", Integer, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("lane", Enumerated(Lane), nullable=False),
    Column("units", Double, nullable=False),
    Column("charged_at", UtcDateTime, nullable=False),
)

# The counter of each flow: what it has used, by its weight.
flow = Table(
    "flow",
    metadata,
    Column("lane", Enumerated(Lane), primary_key=True),
    Column("tenant_id", String(64), primary_key=True),
    Column("counter", Double, nullable=False),
    Column("charged_at", UtcDateTime, nullable=False),
    info={"postgresql_with": {"fillfactor": 50}},
)
