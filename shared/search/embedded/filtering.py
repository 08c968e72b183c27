"""Which points are meant, in the engine's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

import qdrant_edge as engine

from shared.search.conditions import (
    AllHold,
    Condition,
    HasNone,
    HasOne,
    InRange,
    OneHolds,
    conditions_of,
)
from shared.search.point import Scope
from shared.search.query import Where

FIRST: Final = "first_tenant"
"""A field that all points of a shard's first tenant have, and nobody else's."""


def filter_of(scope: Scope, where: Where) -> engine.Filter:
    """The tenant first, always."""
    return engine.Filter(must=[of_tenant(scope), *map(_condition, conditions_of(where))])


def filter_of_first(where: Where) -> engine.Filter:
    """The first tenant's points. A name is compared at every point that a search looks at, a third
    of its time among 100,000; whether a field is there is one bit."""
    conditions = [*map(_condition, conditions_of(where))]
    return engine.Filter(must=conditions, must_not=[engine.IsEmptyCondition(FIRST)])


def of_tenant(scope: Scope) -> engine.FieldCondition:
    return engine.FieldCondition("tenant", match=engine.MatchValue(scope.tenant))


def up_to(scope: Scope, ver: int, ids: Sequence[str] = ()) -> engine.Filter:
    """The tenant's points of this `ver` or a lower one, of these ids where some are given."""
    must: list[engine.ConditionType] = [
        of_tenant(scope),
        engine.FieldCondition("ver", range=engine.RangeFloat(lte=float(ver))),
    ]
    if ids:
        must.append(engine.HasIdCondition(set(ids)))
    return engine.Filter(must=must)


def with_ids(scope: Scope, ids: Sequence[str]) -> engine.Filter:
    """The tenant's points of these ids."""
    return engine.Filter(must=[of_tenant(scope), engine.HasIdCondition(set(ids))])


def _condition(condition: Condition) -> engine.ConditionType:
    match condition:
        case HasOne():
            return _has_one(condition.field, condition.values)
        case HasNone():
            return engine.Filter(must_not=[_has_one(condition.field, condition.values)])
        case InRange():
            bounds = {name: float(bound) for name, bound in condition.bounds.items()}
            return engine.FieldCondition(condition.field, range=engine.RangeFloat(**bounds))
        case AllHold():
            return engine.Filter(must=[*map(_condition, condition.conditions)])
        case OneHolds():
            return engine.Filter(should=[*map(_condition, condition.conditions)])
        case _:
            assert_never(condition)


def _has_one(field: str, values: tuple[str, ...]) -> engine.FieldCondition:
    return engine.FieldCondition(field, match=engine.MatchAny(list(values)))
