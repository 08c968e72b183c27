"""How long a batch may be waited for, how long one takes, and whose its results are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.identifiers import new_response_id
from shared.persistence.ledger.worker_lease import Lease
from workers.batching.provider_batches.bins import new_batch_id
from workers.batching.provider_batches.item_names import item_name, lease_in
from workers.batching.provider_batches.ladder import BatchDurations, latest_wait

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "left"),
    [
        (timedelta(hours=24), timedelta(minutes=59)),
        (timedelta(hours=1), timedelta(minutes=10)),
        (timedelta(minutes=10), timedelta(minutes=4)),
    ],
)
def test_a_part_of_the_window_is_left_for_a_call(window: timedelta, left: timedelta) -> None:
    deadline = NOW + window
    assert abs(deadline - latest_wait(NOW, deadline) - left) < timedelta(minutes=1)


def test_a_minute_is_too_short_for_any_batch() -> None:
    for seconds in (-5, 0, 1, 30, 60):
        assert latest_wait(NOW, NOW + timedelta(seconds=seconds)) <= NOW


def test_batches_are_measured_by_their_size() -> None:
    took = [(50, float(seconds)) for seconds in range(1, 101)] + [(5_000, 7.0)] * 4
    durations = BatchDurations(took, expected_seconds=3_600)
    assert (durations.p95(20), durations.p95(99)) == (95, 95)
    assert durations.p95(5_000) == 3_600, "four say nothing"
    assert durations.p95(1) == 3_600
    assert BatchDurations([*took, (9_999, 9.0)], expected_seconds=3_600).p95(1_000) == 9


def test_a_result_names_its_message_its_claim_and_its_batch() -> None:
    batch, other = new_batch_id(), new_batch_id()
    lease = Lease(new_response_id(), 12)
    name = item_name(batch, lease)
    assert len(name) <= 64
    assert lease_in(batch, name) == lease
    assert lease_in(other, name) is None


@pytest.mark.parametrize(
    "name", ["", "-", "--", "nobody-0", "a-1-b", "resp_x-²-0", "resp_x-1-", "é" * 9, "x" * 10_000]
)
def test_other_names_are_nobodys(name: str) -> None:
    assert lease_in("pbatch_1", name) is None


def test_a_name_for_another_claim_is_nobodys() -> None:
    message_id, attempt, check = item_name("pbatch_1", Lease("resp_1", 1)).rsplit("-", 2)
    assert lease_in("pbatch_1", f"{message_id}-{attempt}-{check}") == Lease("resp_1", 1)
    assert lease_in("pbatch_1", f"{message_id}-2-{check}") is None
