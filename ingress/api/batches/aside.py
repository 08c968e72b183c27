"""What we say of a batch beside what OpenAI and Anthropic say: the field `forebay`."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from shared.batches.batch import Batch, BatchCounts, BatchEstimate, BatchUsage, EtaBasis
from shared.batches.state import BatchState
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
    """When it is expected to have ended, in seconds since 1970; null where nothing runs."""
    ends_at_by: EtaBasis | None
    """What that is told by; a `guess` is one."""


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
    now: datetime,
    output_url: str,
    errors_url: str | None = None,
) -> BatchAside:
    """What we say of it on every surface."""
    return BatchAside(
        progress=_progress(batch, counts),
        cost=ResponseCost.of(usage.cost),
        estimate=_expectation(batch, counts, now),
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


def _expectation(batch: Batch, counts: BatchCounts, now: datetime) -> BatchExpectation | None:
    estimate = batch.estimate
    if estimate is None:
        return None
    ends_at, basis = _end(batch, estimate, counts, now)
    return BatchExpectation(
        messages=estimate.messages,
        input_tokens=estimate.input_tokens,
        output_tokens=estimate.output_tokens,
        cost=None if estimate.cost is None else ResponseCost.of(estimate.cost),
        standard_cost=None
        if estimate.standard_cost is None
        else ResponseCost.of(estimate.standard_cost),
        ends_at=None if ends_at is None else int(ends_at.timestamp()),
        ends_at_by=basis,
    )


def _end(
    batch: Batch, estimate: BatchEstimate, counts: BatchCounts, now: datetime
) -> tuple[datetime | None, EtaBasis | None]:
    began, ended = batch.in_progress_at, counts.total - counts.waiting
    if batch.state is BatchState.IN_PROGRESS and began is not None and ended:
        return now + (now - began) * counts.waiting / ended, EtaBasis.PROGRESS
    if estimate.eta_seconds is None:
        return None, None
    expected = (began or batch.created_at) + timedelta(seconds=estimate.eta_seconds)
    # What nobody has begun by its time is late already.
    is_late = not batch.state.is_terminal and expected < now
    return now if is_late else expected, estimate.eta_basis
