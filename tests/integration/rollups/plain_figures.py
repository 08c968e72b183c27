"""Figures added up from the ledger's rows by hand, to hold the others to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from shared.messages.state import TERMINAL, ResponseState
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import attempt, message
from shared.rollups.reading import RollupRow

Figures = dict[tuple[str, str], dict[str, Any]]


async def plain_figures(database: Database) -> Figures:
    """By tenant and lane."""
    async with reading(database.relaxed) as connection:
        turns = (await connection.execute(select(message))).mappings().all()
        attempts = (await connection.execute(select(attempt))).mappings().all()
    found: dict[tuple[str, str], Counter[str]] = {}
    for turn in turns:
        if turn["state"] in TERMINAL:
            _of(found, turn).update(_turn(turn))
    for each in attempts:
        _of(found, each).update(_attempt(each))
    return {
        names: {name: n for name, n in counted.items() if n} for names, counted in found.items()
    }


async def plain_costs(database: Database) -> dict[str, Decimal]:
    """What was booked, by variant."""
    async with reading(database.relaxed) as connection:
        query = select(attempt.c.variant, attempt.c.cost)
        booked = (await connection.execute(query)).all()
    found: dict[str, Decimal] = {}
    for variant, cost in booked:
        found[variant or ""] = found.get(variant or "", Decimal(0)) + (cost or 0)
    return found


def _of(found: dict[tuple[str, str], Counter[str]], row: Mapping[Any, Any]) -> Counter[str]:
    return found.setdefault((row["tenant_id"], row["lane"].value), Counter())


def _turn(row: Mapping[Any, Any]) -> dict[str, Any]:
    answered = row["state"] in (ResponseState.COMPLETED, ResponseState.INCOMPLETE)
    figures = {
        "messages": 1,
        "in_deadline": int(answered and row["finished_at"] <= row["deadline"]),
        "waited": int(row["claimed_at"] is not None),
        "latency_ms": _milliseconds(row["accepted_at"], row["finished_at"]),
        "saved": row["saved"] or Decimal(0),
    }
    if row["claimed_at"] is not None:
        figures["wait_ms"] = _milliseconds(row["accepted_at"], row["claimed_at"])
    return figures


def _attempt(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "attempts": 1,
        "failed": int(row["error_class"] is not None),
        "input_tokens": row["input_tokens"] or 0,
        "output_tokens": row["output_tokens"] or 0,
        "cost": row["cost"] or Decimal(0),
        "unknown": int(row["cost"] is None),
        "estimated": int(bool(row["is_estimated"])),
    }


def _milliseconds(begin: datetime, end: datetime) -> int:
    began, ended = (
        each.replace(microsecond=each.microsecond // 1_000 * 1_000) for each in (begin, end)
    )
    return max(0, round((ended - began).total_seconds() * 1_000))


def told_figures(rows: list[RollupRow]) -> Figures:
    """The same of what was read by tenant and lane."""
    return {_names(row): {name: n for name, n in _row(row).items() if n} for row in rows}


def _names(row: RollupRow) -> tuple[str, str]:
    tenant_id, lane = row.dims.values()
    return tenant_id, lane


def _row(row: RollupRow) -> dict[str, Any]:
    return {
        "messages": row.messages,
        "in_deadline": row.in_deadline,
        "waited": row.wait.count,
        "wait_ms": round(row.wait.seconds * 1_000),
        "latency_ms": round(row.latency.seconds * 1_000),
        "saved": row.saved,
        "attempts": row.attempts,
        "failed": sum(row.errors.values()),
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cost": row.cost,
        "unknown": row.unknown,
        "estimated": row.estimated,
    }
