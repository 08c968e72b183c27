"""What a day will have cost."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ingress.console.figures.forecast import forecast

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_rest_of_the_day_goes_on_as_the_last_hours_did() -> None:
    assert forecast(Decimal(10), [Decimal(1)] * 18, NOON) == 10 + 72


def test_one_dear_step_moves_nothing() -> None:
    steps = [Decimal(1)] * 17 + [Decimal(1_000)]
    assert forecast(Decimal(10), steps, NOON) == 82


def test_without_steps_it_is_what_was_spent() -> None:
    assert forecast(Decimal(10), [], NOON) == 10


def test_at_the_end_of_the_day_nothing_is_left() -> None:
    last = NOON.replace(hour=23, minute=55)
    assert forecast(Decimal(10), [Decimal(4)], last) == 12
