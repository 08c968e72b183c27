"""The tables of outcomes: one row for each closed conversation, and the sums of their days."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    Numeric,
    String,
    Table,
)

from shared.outcomes.outcome import SPREADS
from shared.persistence.columns import UtcDateTime
from shared.persistence.tables import metadata


def _names() -> tuple[Column[str], ...]:
    """Who answered, in what version of Forebay; empty where there is nothing to name."""
    return (
        Column("tenant_id", String(64), nullable=False),
        Column("version", String(64), nullable=False),
        Column("model", String(128), nullable=False),
        Column("route", String(64), nullable=False),
        Column("variant", String(64), nullable=False),
    )


# The key is a digest: what a caller calls a conversation may say who speaks in it.
outcome = Table(
    "outcome",
    metadata,
    Column("key", String(64), primary_key=True),
    *_names(),
    Column("closed_at", UtcDateTime, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("caught", Integer, nullable=False),
    Column("is_completed", Boolean, nullable=False),
    Column("is_handed_off", Boolean, nullable=False),
    Column("is_negative", Boolean, nullable=False),
    Column("is_asked_again", Boolean, nullable=False),
    Column("verdicts", Integer, nullable=False),
    Column("score", Double, nullable=False),
    # US dollars of all attempts whose cost is known, and how many are not.
    Column("cost", Numeric(18, 9), nullable=False),
    Column("unknown_costs", Integer, nullable=False),
    Index("ix_outcome_closed_at", "closed_at"),
    Index("ix_outcome_tenant_id_closed_at", "tenant_id", "closed_at"),
)

# A conversation that goes on, or is judged late, is taken out of its day and put in anew.
outcome_day = Table(
    "outcome_day",
    metadata,
    Column("day", String(10), primary_key=True),
    *(Column(each.name, each.type, primary_key=True) for each in _names()),
    *(
        Column(name, BigInteger, nullable=False)
        for name in (
            *("conversations", "completed", "successes", "handed_off", "negative", "asked_again"),
            *("turns", "caught", "verdicts", "unknown_costs"),
        )
    ),
    Column("score", Double, nullable=False),
    Column("cost", Numeric(18, 9), nullable=False),
    # Null in days of a version that did not keep them: these have figures without an interval.
    *(Column(name, Double) for name in SPREADS),
)

# How far each walk along the ledger is.
outcome_place = Table(
    "outcome_place",
    metadata,
    Column("walk", String(32), primary_key=True),
    Column("place", UtcDateTime, nullable=False),
)
