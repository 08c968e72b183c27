"""How a span is read: days where it has whole ones, hours beside them, minutes at its ends."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shared.rollups.cubes import Resolution, TimeSpan


class SpanPiece(NamedTuple):
    """A part of a span that rows of one resolution cover."""

    resolution: Resolution
    begin: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a row of that time is a part of it."""
        return self.begin <= moment < self.end


def pieces_of(span: TimeSpan, *, minutes_since: datetime, hours_since: datetime) -> list[SpanPiece]:
    """The fewest rows that cover the span; what is older than there are minutes, or hours, is
    read as the whole hour, or day, that it is in."""

    def finest(moment: datetime) -> Resolution:
        if moment >= minutes_since:
            return Resolution.MINUTE
        return Resolution.HOUR if moment >= hours_since else Resolution.DAY

    begin, end = finest(span.begin).floor(span.begin), finest(span.end).ceil(span.end)
    return _pieces(begin, end, [*reversed(Resolution)])


def _pieces(begin: datetime, end: datetime, resolutions: list[Resolution]) -> list[SpanPiece]:
    if begin >= end or not resolutions:
        return []
    first, *finer = resolutions
    low, high = first.ceil(begin), first.floor(end)
    if low >= high:
        return _pieces(begin, end, finer)
    return [
        *_pieces(begin, low, finer),
        SpanPiece(first, low, high),
        *_pieces(high, end, finer),
    ]
