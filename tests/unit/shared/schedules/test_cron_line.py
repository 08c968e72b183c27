"""Both nights on which clocks change, by the rule that is stated."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.errors import InvalidRequest
from shared.schedules.cron_line import next_time

ZURICH = ZoneInfo("Europe/Zurich")


def _times(cron: str, *, after: datetime, count: int) -> list[str]:
    """So many in a row, as the clock in Zurich shows them."""
    told, at = [], after
    for _ in range(count):
        found = next_time(cron, "Europe/Zurich", after=at)
        assert found is not None
        assert found.tzinfo is UTC
        told.append(found.astimezone(ZURICH).isoformat())
        at = found
    return told


def test_a_time_that_is_left_out_in_spring_comes_as_the_clock_moves() -> None:
    assert _times("30 2 * * *", after=datetime(2026, 3, 28, 12, tzinfo=UTC), count=2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_time_that_comes_twice_in_autumn_is_taken_once() -> None:
    assert _times("30 2 * * *", after=datetime(2026, 10, 24, 12, tzinfo=UTC), count=2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_who_asks_in_the_second_of_two_equal_hours_is_not_told_a_time_of_the_first() -> None:
    for minute in (0, 10, 29, 30, 45):
        second = datetime(2026, 10, 25, 1, minute, tzinfo=UTC)
        assert _times("30 2 * * *", after=second, count=1) == ["2026-10-26T02:30:00+01:00"]


def test_a_time_is_not_its_own_next_one_and_some_lines_have_none() -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert next_time("0 12 * * *", "UTC", after=noon) == datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert next_time("0 0 29 2 *", "UTC", after=noon) == datetime(2028, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "told"),
    [
        ("every day", "UTC", "Write minute, hour"),
        ("* * * *", "UTC", "Write minute, hour"),
        ("* * * * * *", "UTC", "Write minute, hour"),
        ("61 * * * *", "UTC", "minute"),
        ("0 0 31 2 *", "UTC", "Write minute, hour"),
        ("0 0 * * *", "Mars/Olympus", "IANA"),
        ("0 0 * * *", "../etc/passwd", "IANA"),
        ("0 0 * * *", "", "IANA"),
    ],
)
def test_a_line_or_a_zone_that_is_none_is_refused_with_the_fix(
    cron: str, zone: str, told: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        next_time(cron, zone, after=datetime(2026, 1, 1, tzinfo=UTC))
    assert told in refused.value.message
