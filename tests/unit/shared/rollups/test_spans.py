"""Which rows are read for a span."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from shared.rollups.cubes import Resolution, TimeSpan
from shared.rollups.spans import pieces_of

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = datetime(2026, 3, 1, tzinfo=UTC)


def _read(begin: datetime, end: datetime, **since: datetime) -> list[tuple[str, str, str]]:
    kept = {"minutes_since": _EVER, "hours_since": _EVER} | since
    return [
        (piece.resolution.name, f"{piece.begin:%d %H:%M}", f"{piece.end:%d %H:%M}")
        for piece in pieces_of(TimeSpan(begin, end), **kept)
    ]


def test_minutes_are_read_at_its_ends_alone() -> None:
    begin, end = _DAY + timedelta(hours=22, minutes=58, seconds=30), _DAY + timedelta(hours=49)
    assert _read(begin, end) == [
        ("MINUTE", "01 22:58", "01 23:00"),
        ("HOUR", "01 23:00", "02 00:00"),
        ("DAY", "02 00:00", "03 00:00"),
        ("HOUR", "03 00:00", "03 01:00"),
    ]


def test_a_minute_that_is_begun_counts_whole() -> None:
    assert _read(_DAY, _DAY + timedelta(seconds=1)) == [("MINUTE", "01 00:00", "01 00:01")]
    assert _read(_DAY, _DAY) == []
    assert _read(_DAY, _DAY - timedelta(days=1)) == []


def test_where_minutes_are_gone_whole_hours_are_read() -> None:
    begin, end = _DAY + timedelta(minutes=30), _DAY + timedelta(hours=2, minutes=1)
    since = _DAY + timedelta(hours=2)
    assert _read(begin, end, minutes_since=since) == [
        ("HOUR", "01 00:00", "01 02:00"),
        ("MINUTE", "01 02:00", "01 02:01"),
    ]
    later = _DAY + timedelta(days=2)
    assert _read(begin, end, minutes_since=later, hours_since=later) == [
        ("DAY", "01 00:00", "02 00:00")
    ]


def test_any_span_is_read_whole_and_nothing_of_it_twice() -> None:
    random = Random(3)
    for _ in range(300):
        begin = _DAY + timedelta(minutes=random.randrange(4_000))
        end = begin + timedelta(minutes=random.randrange(1, 6_000))
        pieces = pieces_of(TimeSpan(begin, end), minutes_since=_EVER, hours_since=_EVER)
        assert pieces[0].begin == begin
        assert pieces[-1].end == end
        assert all(one.end == next_.begin for one, next_ in pairwise(pieces))
        assert len(pieces) <= 2 * len(Resolution) - 1
