"""When a batch that runs is expected to have ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ingress.api.batches.aside import BatchExpectation, batch_aside
from shared.batches.batch import Batch, BatchCounts, BatchEstimate, BatchUsage, EtaBasis
from shared.batches.state import BatchEndpoint, BatchState

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def expected(now: int, counts: BatchCounts, **more: Any) -> BatchExpectation:
    """So many seconds after it began."""
    estimate = BatchEstimate(9, 1, 1, eta_seconds=more.pop("eta", 60), eta_basis=EtaBasis.CALLS)
    batch = Batch(
        tenant_id="ten_1",
        endpoint=BatchEndpoint.RESPONSES,
        content_id="c",
        input_bytes=1,
        window_seconds=3_600,
        id="batch_1",
        digest="d",
        state=BatchState.IN_PROGRESS,
        created_at=BEGAN,
        in_progress_at=BEGAN,
        expires_at=BEGAN + timedelta(hours=1),
        estimate=estimate,
    )
    at = BEGAN + timedelta(seconds=now)
    told = batch_aside(batch, counts, BatchUsage(), now=at, output_url="").estimate
    assert told is not None
    return told


def after(told: BatchExpectation) -> float | None:
    return None if told.ends_at is None else told.ends_at - BEGAN.timestamp()


def test_it_is_told_by_its_own_lines_as_soon_as_one_has_ended() -> None:
    none, some = BatchCounts(total=10), BatchCounts(total=10, completed=3, failed=1)
    assert (after(told := expected(20, none)), told.ends_at_by) == (60, EtaBasis.CALLS)
    assert (after(told := expected(20, some)), told.ends_at_by) == (50, EtaBasis.PROGRESS)
    assert after(expected(20, BatchCounts(total=10, completed=10))) == 20


def test_what_is_over_its_time_is_expected_now_and_what_nobody_knows_never() -> None:
    none = BatchCounts(total=10)
    assert after(expected(70, none)) == 70
    assert (after(told := expected(70, none, eta=None)), told.ends_at_by) == (None, None)
