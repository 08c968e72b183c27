"""Hits out of what the engines list: both list alike, so both are read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared.search.point import Passage
from shared.search.query import Hit, LegScore, RankedId
from shared.search.vector_store import StoreRefused


class ListedPoint(msgspec.Struct, frozen=True):
    """One line of a list of an engine."""

    id: str
    score: float
    payload: Mapping[str, Any] | None


def fused(best: Sequence[ListedPoint], legs: Sequence[Sequence[ListedPoint]]) -> tuple[Hit, ...]:
    """The hits of a fusion, each with what every leg gave it."""
    places = [_places(_ordered(leg)) for leg in legs]
    return tuple(
        _hit(each, tuple(place.get(each.id) for place in places)) for each in _ordered(best)
    )


def apart(legs: Sequence[Sequence[ListedPoint]]) -> tuple[tuple[Hit, ...], ...]:
    """The hits of each leg by itself, each with its own place alone."""
    return tuple(_of_one(leg, number, len(legs)) for number, leg in enumerate(legs))


def bare(legs: Sequence[Sequence[ListedPoint]]) -> tuple[tuple[RankedId, ...], ...]:
    """The ids of each leg by itself."""
    return tuple(tuple(RankedId(each.id, each.score) for each in _ordered(leg)) for leg in legs)


def _of_one(leg: Sequence[ListedPoint], number: int, legs: int) -> tuple[Hit, ...]:
    ordered = _ordered(leg)
    places = _places(ordered)
    return tuple(
        _hit(each, tuple(places[each.id] if at == number else None for at in range(legs)))
        for each in ordered
    )


def _places(ordered: Iterable[ListedPoint]) -> dict[str, LegScore]:
    return {each.id: LegScore(rank, each.score) for rank, each in enumerate(ordered, start=1)}


def _ordered(listed: Iterable[ListedPoint]) -> list[ListedPoint]:
    """Engines give equal scores in any order."""
    return sorted(listed, key=lambda each: (-each.score, each.id))


def as_passage(point: str, payload: Mapping[str, Any] | None) -> Passage:
    """What the engine keeps of a point, as it was written."""
    try:
        return msgspec.convert(payload, Passage)
    except msgspec.ValidationError as error:
        raise StoreRefused(f"Point {point} is no passage of ours: {error}") from error


def _hit(listed: ListedPoint, legs: tuple[LegScore | None, ...]) -> Hit:
    passage = as_passage(listed.id, listed.payload)
    return Hit(id=listed.id, score=listed.score, passage=passage, legs=legs)
