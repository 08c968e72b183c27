from __future__ import annotations

import asyncio

import pytest

from ingress.admission.backpressure import LaneWatch
from shared.clock import ManualClock
from shared.errors import LedgerUnavailable
from shared.messages.lane import Lane
from shared.persistence.ledger.lane_load import COUNT_LIMIT, LaneLoad
from shared.telemetry.metrics import Metrics


class Ledger:
    """Lanes as the test wants them."""

    def __init__(self) -> None:
        self.load = LaneLoad(queued=0, drained_per_second=0.0, oldest_seconds=0.0)

    async def lane_loads(self) -> dict[Lane, LaneLoad]:
        return {Lane.STANDARD: self.load}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def watch(ledger: Ledger, clock: ManualClock) -> LaneWatch:
    return LaneWatch(ledger.lane_loads, clock, Metrics(), interval_seconds=1.0)


async def test_a_lane_with_a_backlog_is_as_slow_as_its_drain_rate(
    watch: LaneWatch, ledger: Ledger
) -> None:
    ledger.load = LaneLoad(queued=900, drained_per_second=10.0, oldest_seconds=60.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == pytest.approx(90.0)
    assert watch.expected_wait_seconds(Lane.BATCH) == 0


async def test_what_was_admitted_since_counts_until_the_next_look(
    watch: LaneWatch, ledger: Ledger
) -> None:
    ledger.load = LaneLoad(queued=900, drained_per_second=10.0, oldest_seconds=60.0)
    await watch.sample()
    for _ in range(150):
        watch.count(Lane.STANDARD, 1)
    watch.count(Lane.STANDARD, -1)
    watch.count(Lane.STANDARD, 1)
    assert watch.expected_wait_seconds(Lane.STANDARD) == pytest.approx(105.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == pytest.approx(90.0)


async def test_what_comes_while_the_ledger_is_read_is_not_forgotten(clock: ManualClock) -> None:
    async def slow_reading() -> dict[Lane, LaneLoad]:
        watch.count(Lane.STANDARD, 1)
        return {Lane.STANDARD: LaneLoad(9, 1.0, 60.0)}

    watch = LaneWatch(slow_reading, clock, Metrics(), interval_seconds=1.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == pytest.approx(10.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == pytest.approx(10.0)


async def test_a_lane_that_keeps_up_is_not_slow_because_little_was_asked_of_it(
    watch: LaneWatch, ledger: Ledger
) -> None:
    ledger.load = LaneLoad(queued=500, drained_per_second=0.03, oldest_seconds=0.5)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == 0


async def test_the_idle_time_before_a_backlog_does_not_count_as_slowness(
    watch: LaneWatch, ledger: Ledger, clock: ManualClock
) -> None:
    # Three seconds of full speed at 100 a second, seen through a window of thirty.
    ledger.load = LaneLoad(queued=1000, drained_per_second=10.0, oldest_seconds=3.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == pytest.approx(10.0)
    clock.advance(60)
    ledger.load = LaneLoad(queued=1000, drained_per_second=100.0, oldest_seconds=10.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == pytest.approx(10.0)


async def test_a_lane_that_stands_still_takes_as_long_as_its_oldest_has_waited(
    watch: LaneWatch, ledger: Ledger
) -> None:
    ledger.load = LaneLoad(queued=3, drained_per_second=0.0, oldest_seconds=70.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == 70


async def test_an_old_load_refuses_nobody(
    watch: LaneWatch, ledger: Ledger, clock: ManualClock
) -> None:
    ledger.load = LaneLoad(queued=900, drained_per_second=1.0, oldest_seconds=60.0)
    await watch.sample()
    clock.advance(11)
    assert watch.expected_wait_seconds(Lane.STANDARD) == 0


async def test_a_ledger_that_is_away_does_not_end_the_watch(clock: ManualClock) -> None:
    looked_again = asyncio.Event()
    looks: list[int] = []

    async def failing() -> dict[Lane, LaneLoad]:
        looks.append(1)
        if len(looks) > 2:
            looked_again.set()
        raise LedgerUnavailable("away")

    watch = LaneWatch(failing, clock, Metrics(), interval_seconds=0.001)
    watch.start()
    async with asyncio.timeout(60):
        await looked_again.wait()
    await watch.close()


async def test_a_lane_too_long_to_count_is_told_by_its_oldest(
    watch: LaneWatch, ledger: Ledger, clock: ManualClock
) -> None:
    ledger.load = LaneLoad(COUNT_LIMIT, drained_per_second=1000.0, oldest_seconds=90.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == 90


async def test_a_rate_seen_over_a_moment_is_not_stretched(
    watch: LaneWatch, ledger: Ledger, clock: ManualClock
) -> None:
    ledger.load = LaneLoad(3000, drained_per_second=1000.0, oldest_seconds=9.0, window_seconds=2.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == 3


async def test_workers_that_come_back_do_not_close_the_door_by_their_first_messages(
    watch: LaneWatch, ledger: Ledger, clock: ManualClock
) -> None:
    # Forty seconds without a worker, then sixty waiting messages at ten a second.
    ledger.load = LaneLoad(queued=60, drained_per_second=0.0, oldest_seconds=40.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == 40
    for second in range(1, 6):
        clock.advance(1)
        left = 60 - 10 * second
        ledger.load = LaneLoad(left, drained_per_second=second / 3, oldest_seconds=40.0 + second)
        await watch.sample()
        assert watch.expected_wait_seconds(Lane.STANDARD) <= 5


async def test_a_lane_that_moves_slowly_after_a_standstill_is_slow_once_that_is_known(
    watch: LaneWatch, ledger: Ledger, clock: ManualClock
) -> None:
    ledger.load = LaneLoad(queued=900, drained_per_second=0.0, oldest_seconds=40.0)
    await watch.sample()
    clock.advance(6)
    # Six in six seconds, seen through a window of thirty.
    ledger.load = LaneLoad(queued=900, drained_per_second=0.2, oldest_seconds=46.0)
    await watch.sample()
    assert watch.expected_wait_seconds(Lane.STANDARD) == pytest.approx(900.0)


async def test_what_waits_and_for_how_long_is_a_metric_also_while_nobody_claims(
    clock: ManualClock, ledger: Ledger
) -> None:
    metrics = Metrics()
    watch = LaneWatch(ledger.lane_loads, clock, metrics, interval_seconds=1.0)
    ledger.load = LaneLoad(queued=7, drained_per_second=0.0, oldest_seconds=70.0)
    await watch.sample()
    told = metrics.render().decode()
    assert 'forebay_waiting_messages{lane="standard"} 7.0' in told
    assert 'forebay_oldest_waiting_seconds{lane="standard"} 70.0' in told
