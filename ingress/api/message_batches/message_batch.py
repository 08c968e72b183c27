"""Batches as Anthropic's clients know them, and one field more: `forebay`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from ingress.api.batches.aside import BatchAside, batch_aside
from shared.batches.batch import Batch, BatchCounts, BatchUsage
from shared.batches.state import BatchState

ProcessingStatus = Literal["in_progress", "canceling", "ended"]


class MessageBatchCounts(msgspec.Struct, frozen=True):
    """How many requests have come to what; all are in processing until the batch has ended."""

    processing: int
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0


class MessageBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of messages; times are of RFC 3339."""

    id: str
    type: Literal["message_batch"] = "message_batch"
    processing_status: ProcessingStatus
    request_counts: MessageBatchCounts
    created_at: str
    expires_at: str
    ended_at: str | None = None
    cancel_initiated_at: str | None = None
    archived_at: str | None = None
    results_url: str | None = None
    forebay: BatchAside


class MessageBatchList(msgspec.Struct, frozen=True):
    """A page of batches, the newest first."""

    data: Sequence[MessageBatch]
    has_more: bool
    first_id: str | None
    last_id: str | None


class DeletedMessageBatch(msgspec.Struct, frozen=True):
    """The answer to DELETE."""

    id: str
    type: Literal["message_batch_deleted"] = "message_batch_deleted"


def message_batch(
    batch: Batch, counts: BatchCounts, usage: BatchUsage, *, now: datetime, results_url: str
) -> MessageBatch:
    """The batch as its tenant sees it."""
    ended_at = _ended_at(batch)
    return MessageBatch(
        id=batch.id,
        processing_status=_status(batch),
        request_counts=_counts(batch, counts),
        created_at=_moment(batch.created_at),
        expires_at=_moment(batch.expires_at),
        ended_at=None if ended_at is None else _moment(ended_at),
        cancel_initiated_at=None if batch.cancelling_at is None else _moment(batch.cancelling_at),
        results_url=results_url if batch.state.is_terminal else None,
        forebay=batch_aside(batch, counts, usage, now=now, output_url=results_url),
    )


def message_batch_list(batches: Sequence[MessageBatch], *, has_more: bool) -> MessageBatchList:
    """A page of them."""
    first, last = (batches[0].id, batches[-1].id) if batches else (None, None)
    return MessageBatchList(batches, has_more, first, last)


def _status(batch: Batch) -> ProcessingStatus:
    if batch.state.is_terminal:
        return "ended"
    return "canceling" if batch.state is BatchState.CANCELLING else "in_progress"


def _counts(batch: Batch, counts: BatchCounts) -> MessageBatchCounts:
    if not batch.state.is_terminal:
        return MessageBatchCounts(counts.total)
    return MessageBatchCounts(
        counts.waiting, counts.completed, counts.failed, counts.cancelled, counts.expired
    )


def _ended_at(batch: Batch) -> datetime | None:
    return batch.completed_at or batch.failed_at or batch.expired_at or batch.cancelled_at


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
