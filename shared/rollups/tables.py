"""The tables of figures: of minutes, hours and days, each row one of them and one set of names.

Each table holds everything twice: under its tenant, and under `*` for all tenants together, where
the worker is told as well. So what is read of the whole is as little with thousands of tenants.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from shared.persistence.columns import UtcDateTime
from shared.persistence.ledger.settlement import delta_tables
from shared.persistence.tables import metadata
from shared.rollups.histogram import BUCKETS

rollup_delta = delta_tables.rollup_delta

EVERYBODY: Final = "*"
"""Stands for all tenants together, and for all workers."""


def histogram_columns(name: str) -> tuple[str, ...]:
    """The names of its buckets' columns, in their order."""
    return tuple(f"{name}_{bucket:02}" for bucket in range(BUCKETS))


def _names(**lengths: int) -> list[Column[str]]:
    # '' where there is none: a NULL would be another row each time.
    return [
        Column(name, String(length), primary_key=True, nullable=False)
        for name, length in lengths.items()
    ]


def _sums(*names: str, histograms: tuple[str, ...] = ()) -> list[Column[int]]:
    buckets = [each for name in histograms for each in histogram_columns(name)]
    # NULL for nothing: most buckets have none, and take no room then.
    return [
        *(Column(name, BigInteger) for name in names),
        *(Column(f"{name}_ms", BigInteger) for name in histograms),
        *(Column(name, Integer) for name in buckets),
    ]


def _rollup(name: str, names: list[Column[str]], sums: list[Column[int]]) -> Table:
    return Table(
        name,
        metadata,
        # How long it is, in seconds: 60, 3600 or 86400.
        Column("seconds", Integer, primary_key=True, autoincrement=False),
        Column("tenant_id", String(64), primary_key=True),
        Column("starts_at", UtcDateTime, primary_key=True),
        *names,
        *sums,
        Index(f"ix_{name}_seconds_starts_at", "seconds", "starts_at"),
    )


# What has ended, in the minute of its end. Money is in billionths of a dollar.
rollup_turn = _rollup(
    "rollup_turn",
    _names(model=128, lane=32, state=32, worker=128, variant=64, answered_by=64),
    _sums(
        *("messages", "in_deadline", "input_tokens", "cached_tokens", "output_tokens"),
        *("cost_nanos", "saved_nanos"),
        histograms=("wait", "latency"),
    ),
)

# What was paid for, in the minute in which it was booked.
rollup_attempt = _rollup(
    "rollup_attempt",
    _names(provider=64, model=128, lane=32, error_class=32, variant=64),
    _sums(
        *("attempts", "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens"),
        *("reasoning_tokens", "cost_nanos", "unknown", "estimated"),
        histograms=("latency",),
    ),
)

# What came to the doors: '' is the reason of what was accepted.
rollup_door = _rollup("rollup_door", _names(lane=32, reason=64), _sums("accepted", "refused"))
