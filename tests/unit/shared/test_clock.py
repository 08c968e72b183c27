"""Time that the tests can move, and the machine's."""

from __future__ import annotations

from datetime import UTC, timedelta

from shared.clock import ManualClock, SystemClock


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_the_system_clock_never_runs_backwards() -> None:
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(100)]
    assert readings == sorted(readings)


def test_a_manual_clock_moves_both_readings_only_when_told() -> None:
    clock = ManualClock()
    began, elapsed = clock.now(), clock.monotonic()
    assert (clock.now(), clock.monotonic()) == (began, elapsed)
    clock.advance(1.5)
    assert clock.now() - began == timedelta(seconds=1.5)
    assert clock.monotonic() - elapsed == 1.5
