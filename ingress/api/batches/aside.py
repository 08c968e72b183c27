"""What we say of a batch beside what OpenAI and Anthropic say: the field `forebay`."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from shared.batches.batch import Batch, BatchCounts, BatchEstimate, BatchUsage
from shared.messages.response import ResponseCost


class BatchExpectation(msgspec.Struct, frozen=True, kw_only=True):
    """Ours: what it is expected to take. Equal lines count once; amounts are null where the model
    has no known price."""

    messages: int
    input_tokens: int
    output_tokens: int
    cost: ResponseCost | None
    standard_cost: ResponseCost | None
    """Of the same as single calls."""
    ends_at: int | None
    """When it is expected to have ended, in seconds since 1970."""


class BatchProgress(msgspec.Struct, frozen=True):
    """Ours: how far it is. `read` lines of the input are messages by now, or refused."""

    read: int
    waiting: int
    completed: int
    failed: int
    expired: int
    cancelled: int
    share: float
    """Of its lines that have ended, 0 to 1."""


class BatchAside(msgspec.Struct, frozen=True, kw_only=True):
    """What we say of a batch beside what OpenAI says."""

    progress: BatchProgress
    cost: ResponseCost
    """Spent so far."""
    estimate: BatchExpectation | None
    """Null until it is known, which takes seconds."""
    output_url: str
    """Where the lines are that were answered by now."""
    errors_url: str | None = None
    """Where those are that ended otherwise; null where they are with the others."""


def batch_aside(
    batch: Batch,
    counts: BatchCounts,
    usage: BatchUsage,
    *,
    output_url: str,
    errors_url: str | None = None,
) -> BatchAside:
    """What we say of it on every surface."""
    return BatchAside(
        progress=_progress(batch, counts),
        cost=ResponseCost.of(usage.cost),
        estimate=None if batch.estimate is None else _expectation(batch, batch.estimate),
        output_url=output_url,
        errors_url=errors_url,
    )


def _progress(batch: Batch, counts: BatchCounts) -> BatchProgress:
    ended = counts.total - counts.waiting
    return BatchProgress(
        batch.cursor_line,
        counts.waiting,
        counts.completed,
        counts.failed,
        counts.expired,
        counts.cancelled,
        round(ended / counts.total, 4) if counts.total else 0.0,
    )


def _expectation(batch: Batch, estimate: BatchEstimate) -> BatchExpectation:
    began = batch.in_progress_at or batch.created_at
    seconds = estimate.eta_seconds
    ends_at = None if seconds is None else began + timedelta(seconds=seconds)
    return BatchExpectation(
        messages=estimate.messages,
        input_tokens=estimate.input_tokens,
        output_tokens=estimate.output_tokens,
        cost=None if estimate.cost is None else ResponseCost.of(estimate.cost),
        standard_cost=None
        if estimate.standard_cost is None
        else ResponseCost.of(estimate.standard_cost),
        ends_at=None if ends_at is None else int(ends_at.timestamp()),
    )
