"""Questions that an engine would answer with something else are refused here."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.search.checking import check_id
from shared.search.checking_labels import check_attribute_filter, check_principals
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
from shared.search.query import CodeVector, Leg, Query, Rrf, TextVector, Where, Words

MOST_LEGS: Final = 4
DEEPEST: Final = 1000
MOST_CHARACTERS: Final = 2000
"""Of the words asked for, folded: each of them is looked up."""
LARGEST_K: Final = 1_000_000


def check_where(where: Where) -> None:
    for field in KEYWORDS:
        values = getattr(where, field)
        if values is None:
            continue
        if not isinstance(values, tuple) or not 1 <= len(values) <= MOST_POINTS:
            fix = f"give a tuple of 1 to {MOST_POINTS} values or leave it out"
            raise wrong(f"where.{field}", values, fix)
        for value in values:
            check_keyword(f"where.{field}", value)
    if where.below_ver is not None:
        check_integer("where.below_ver", where.below_ver, least=0, most=LARGEST_INTEGER)
    if where.principals is not None:
        check_principals("where.principals", where.principals, MOST_POINTS)
    if where.attributes is not None:
        check_attribute_filter("where.attributes", where.attributes)


def check_page(limit: int, start: str | None) -> None:
    check_integer("limit", limit, least=1, most=DEEPEST)
    if start is not None:
        check_id(start)


def ready_query(query: Query) -> Query:
    """Checked, with its words folded; legs apart go no deeper than what is asked for."""
    check_where(query.where)
    check_integer("limit", query.limit, least=1, most=DEEPEST)
    if not 1 <= len(query.legs) <= MOST_LEGS:
        raise wrong("legs", len(query.legs), f"ask 1 to {MOST_LEGS} legs")
    if isinstance(query.fusion, Rrf):
        _check_rrf(query.fusion, len(query.legs))
    most = DEEPEST if query.fusion is not None else query.limit
    legs = (_ready_leg(f"legs[{number}]", leg, most) for number, leg in enumerate(query.legs))
    return msgspec.structs.replace(query, legs=tuple(legs))


def check_query_dimensions(query: Query, generation: Generation) -> None:
    for number, leg in enumerate(query.legs):
        if isinstance(leg, TextVector):
            check_size(f"legs[{number}].vector", leg.vector, generation.text_dimensions)
        if isinstance(leg, CodeVector):
            check_size(f"legs[{number}].vector", leg.vector, generation.code_dimensions)


def _ready_leg(name: str, leg: Leg, most: int) -> Leg:
    check_integer(f"{name}.depth", leg.depth, least=1, most=DEEPEST)
    leg = msgspec.structs.replace(leg, depth=min(leg.depth, most))
    if not isinstance(leg, Words):
        check_vector(f"{name}.vector", leg.vector)
        return leg
    return msgspec.structs.replace(leg, text=ready_words(f"{name}.text", leg.text))


def ready_words(name: str, text: str) -> str:
    """Checked and folded."""
    check_text(name, text, MOST_CHARACTERS)
    ready = folded(text)
    check_text(name, ready, MOST_CHARACTERS)
    return ready


def _check_rrf(fusion: Rrf, legs: int) -> None:
    check_integer("fusion.k", fusion.k, least=1, most=LARGEST_K)
    weights = fusion.weights
    if weights is None:
        return
    if len(weights) != legs or not all(0 < weight <= LARGEST_K for weight in weights):
        raise wrong("fusion.weights", weights, f"give each of the {legs} legs a number above 0")
