"""Batches as OpenAI's contract has them, and one field more: `forebay`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from ingress.api.batches.aside import BatchAside, batch_aside
from ingress.api.batches.window import window_text
from shared.batches.batch import Batch, BatchCounts, BatchFault, BatchUsage
from shared.batches.state import BatchState
from shared.messages.response import (
    InputTokensDetails,
    OutputTokensDetails,
    ResponseUsage,
)

Moment = int | msgspec.UnsetType
"""Seconds since 1970, or not there: OpenAI's description has no null for it."""


class BatchFaults(msgspec.Struct, frozen=True):
    """Why a batch failed before anything of it was run, by line."""

    data: Sequence[BatchFault]
    object: Literal["list"] = "list"


class BatchRequestCounts(msgspec.Struct, frozen=True):
    """How many lines there are, and how many have ended; every end but an answer is a failure."""

    total: int
    completed: int
    failed: int


class BatchObject(msgspec.Struct, frozen=True, kw_only=True):
    """A batch; the times that it has not come to are not there."""

    id: str
    object: Literal["batch"] = "batch"
    endpoint: str
    model: str | msgspec.UnsetType = msgspec.UNSET
    errors: BatchFaults | msgspec.UnsetType = msgspec.UNSET
    input_file_id: str
    completion_window: str
    status: BatchState
    output_file_id: str | msgspec.UnsetType = msgspec.UNSET
    error_file_id: str | msgspec.UnsetType = msgspec.UNSET
    created_at: int
    expires_at: int
    in_progress_at: Moment = msgspec.UNSET
    finalizing_at: Moment = msgspec.UNSET
    completed_at: Moment = msgspec.UNSET
    failed_at: Moment = msgspec.UNSET
    expired_at: Moment = msgspec.UNSET
    cancelling_at: Moment = msgspec.UNSET
    cancelled_at: Moment = msgspec.UNSET
    request_counts: BatchRequestCounts
    usage: ResponseUsage
    metadata: dict[str, str] | None
    forebay: BatchAside


class BatchList(msgspec.Struct, frozen=True):
    """A page of batches, the newest first."""

    data: list[BatchObject]
    has_more: bool
    first_id: str | msgspec.UnsetType = msgspec.UNSET
    last_id: str | msgspec.UnsetType = msgspec.UNSET
    object: Literal["list"] = "list"


def batch_object(
    batch: Batch, counts: BatchCounts, usage: BatchUsage, *, now: datetime
) -> BatchObject:
    """The batch as its tenant sees it."""
    return BatchObject(
        id=batch.id,
        endpoint=batch.endpoint,
        model=batch.model or msgspec.UNSET,
        errors=BatchFaults(batch.errors) if batch.errors else msgspec.UNSET,
        input_file_id=batch.input_file_id or "",
        completion_window=window_text(batch.window_seconds),
        status=batch.state,
        output_file_id=batch.output_file_id or msgspec.UNSET,
        error_file_id=batch.error_file_id or msgspec.UNSET,
        created_at=int(batch.created_at.timestamp()),
        expires_at=int(batch.expires_at.timestamp()),
        in_progress_at=_moment(batch.in_progress_at),
        finalizing_at=_moment(batch.finalizing_at),
        completed_at=_moment(batch.completed_at),
        failed_at=_moment(batch.failed_at),
        expired_at=_moment(batch.expired_at),
        cancelling_at=_moment(batch.cancelling_at),
        cancelled_at=_moment(batch.cancelled_at),
        request_counts=_counts(counts),
        usage=_usage(usage),
        metadata=batch.notes,
        forebay=batch_aside(
            batch,
            counts,
            usage,
            now=now,
            output_url=f"/v1/batches/{batch.id}/output",
            errors_url=f"/v1/batches/{batch.id}/errors",
        ),
    )


def batch_list(batches: list[BatchObject], *, has_more: bool) -> BatchList:
    """A page; without batches it has no ids of the first and the last."""
    if not batches:
        return BatchList(batches, has_more)
    return BatchList(batches, has_more, batches[0].id, batches[-1].id)


def _moment(at: datetime | None) -> Moment:
    return msgspec.UNSET if at is None else int(at.timestamp())


def _counts(counts: BatchCounts) -> BatchRequestCounts:
    failed = counts.failed + counts.expired + counts.cancelled
    return BatchRequestCounts(counts.total, counts.completed, failed)


def _usage(usage: BatchUsage) -> ResponseUsage:
    return ResponseUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        input_tokens_details=InputTokensDetails(usage.cached_tokens),
        output_tokens_details=OutputTokensDetails(usage.reasoning_tokens),
    )
