"""Ends and attempts as the ledger tells them, for tests that say only what matters to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.rollups.delta import Addition, AttemptFact, TurnFact


def turn_fact(ended: datetime, **changes: Any) -> TurnFact:
    """A message that was completed."""
    fact: dict[str, Any] = {"tenant_id": "ten_1", "model": "m", "lane": "standard"}
    fact |= {"state": "completed", "worker": "w1", "answered_by": "p", "wait_ms": 40}
    fact |= {"latency_ms": 900, "in_deadline": 1, "input_tokens": 10, "cached_tokens": 4}
    fact |= {"output_tokens": 5, "cost_nanos": 1_000, "saved_nanos": None}
    return TurnFact(ended_ms=round(ended.timestamp() * 1_000), **(fact | changes))


def attempt_fact(booked: datetime, **changes: Any) -> AttemptFact:
    """A call that was answered."""
    fact: dict[str, Any] = {"tenant_id": "ten_1", "provider": "p", "model": "m"}
    fact |= {"lane": "standard", "error_class": None, "latency_ms": 800, "input_tokens": 10}
    fact |= {"cached_tokens": 4, "cache_write_tokens": 2, "output_tokens": 5}
    fact |= {"reasoning_tokens": 3, "cost_nanos": 1_000, "is_estimated": 0}
    return AttemptFact(booked_ms=round(booked.timestamp() * 1_000), **(fact | changes))


def door_sums(at: datetime, *, reason: str = "", tenant_id: str = "ten_1", count: int) -> Addition:
    """So many requests that a door accepted, or refused for that reason."""
    sums = {"refused" if reason else "accepted": count}
    return Addition("doors", round(at.timestamp()), tenant_id, ("standard", reason), sums)
