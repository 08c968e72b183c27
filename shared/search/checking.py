"""What engines half apply or take silently is refused here, before anything is written."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from shared.errors import Conflict
from shared.search.checking_labels import check_label
from shared.search.checking_values import (
    LARGEST_INTEGER,
    MOST_POINTS,
    check_integer,
    check_keyword,
    check_size,
    check_text,
    check_vector,
    wrong,
)
from shared.search.folding import folded
from shared.search.generation import KEYWORDS, Generation
from shared.search.point import Change, Passage, Point, Scope

LONGEST_BODY: Final = 100_000
"""Folded: one character may become eighteen."""
MOST_DIMENSIONS: Final = 4096
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def check_name(name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise wrong("generation", name, "use 1 to 64 of a-z, 0-9, '-' and '_', the first no sign")


def check_generation(generation: Generation) -> None:
    check_name(generation.name)
    for vector, size in generation.dimensions().items():
        check_integer(f"{vector}_dimensions", size, least=1, most=MOST_DIMENSIONS)


def check_same(there: Generation, wanted: Generation) -> None:
    """Raises `Conflict` where the one that is there was made otherwise."""
    if there != wanted:
        raise Conflict(
            f"Generation {there.name} is there with {there.dimensions()} dimensions: "
            "give the new one another name."
        )


def check_scope(scope: Scope) -> None:
    check_name(scope.generation)
    check_keyword("tenant", scope.tenant)
    if not scope.tenant:
        raise wrong("tenant", scope.tenant, "name the tenant")


def check_ids(ids: Sequence[str]) -> None:
    """As many as a call may have, each a UUID as Python writes it, none twice."""
    if len(ids) > MOST_POINTS:
        raise wrong("ids", len(ids), f"send at most {MOST_POINTS} points in one call")
    for each in ids:
        check_id(each)
    if len(set(ids)) < len(ids):
        twice = next(each for number, each in enumerate(ids) if each in ids[:number])
        raise wrong("id", twice, "it is there twice: send each point once in a call")


def check_id(each: object) -> None:
    try:
        canonical = isinstance(each, str) and str(uuid.UUID(each)) == each
    except ValueError:
        canonical = False
    if not canonical:
        raise wrong("id", each, "use a UUID in lower case with hyphens, as point_id() gives")


def check_ver(ver: int) -> None:
    check_integer("ver", ver, least=0, most=LARGEST_INTEGER)


def ready_points(points: Sequence[Point]) -> tuple[Point, ...]:
    """Checked, with their bodies folded; in the caller, for the engine has one owner."""
    check_ids([point.id for point in points])
    return tuple(_ready_point(point) for point in points)


def check_dimensions(points: Iterable[Point], generation: Generation) -> None:
    """A vector of the wrong size would leave the batch half written."""
    for point in points:
        for name, vector in point.vectors().items():
            check_size(f"{name}_vector of {point.id}", vector, generation.dimensions()[name])


def check_changes(changes: Sequence[Change]) -> None:
    check_ids([each.id for each in changes])
    for each in changes:
        check_keyword("path", each.path)
        check_integer("first_line", each.first_line, least=0, most=LARGEST_INTEGER)
        check_integer("last_line", each.last_line, least=0, most=LARGEST_INTEGER)


def _ready_point(point: Point) -> Point:
    for name, vector in point.vectors().items():
        check_vector(f"{name}_vector of {point.id}", vector)
    _check_passage(point.passage)
    body = folded(point.passage.body)
    check_text("body", body, LONGEST_BODY)
    return msgspec.structs.replace(point, passage=msgspec.structs.replace(point.passage, body=body))


def _check_passage(passage: Passage) -> None:
    for field in (*KEYWORDS, "header"):
        check_keyword(field, getattr(passage, field))
    if passage.symbol is not None:
        check_keyword("symbol", passage.symbol)
    check_text("body", passage.body, LONGEST_BODY)
    check_label(passage.label)
    check_ver(passage.ver)
    check_integer("first_line", passage.first_line, least=0, most=LARGEST_INTEGER)
    check_integer("last_line", passage.last_line, least=0, most=LARGEST_INTEGER)
