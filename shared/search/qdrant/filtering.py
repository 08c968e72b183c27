"""Which points are meant, in Qdrant's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from qdrant_client import models

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


def filter_of(scope: Scope, where: Where) -> models.Filter:
    """The tenant first, always."""
    return models.Filter(must=[of_tenant(scope), *map(_condition, conditions_of(where))])


def of_tenant(scope: Scope) -> models.FieldCondition:
    return models.FieldCondition(key="tenant", match=models.MatchValue(value=scope.tenant))


def up_to(scope: Scope, ver: int, ids: Sequence[str] = ()) -> models.Filter:
    """The tenant's points of this `ver` or a lower one, of these ids where some are given."""
    must: list[models.Condition] = [
        of_tenant(scope),
        models.FieldCondition(key="ver", range=models.Range(lte=ver)),
    ]
    if ids:
        must.append(models.HasIdCondition(has_id=list(ids)))
    return models.Filter(must=must)


def with_ids(scope: Scope, ids: Sequence[str]) -> models.Filter:
    """The tenant's points of these ids."""
    return models.Filter(must=[of_tenant(scope), models.HasIdCondition(has_id=list(ids))])


def _condition(condition: Condition) -> models.Condition:
    match condition:
        case HasOne():
            return _has_one(condition.field, condition.values)
        case HasNone():
            return models.Filter(must_not=[_has_one(condition.field, condition.values)])
        case InRange():
            bounds = models.Range(**condition.bounds)
            return models.FieldCondition(key=condition.field, range=bounds)
        case AllHold():
            return models.Filter(must=[*map(_condition, condition.conditions)])
        case OneHolds():
            return models.Filter(should=[*map(_condition, condition.conditions)])
        case _:
            assert_never(condition)


def _has_one(field: str, values: tuple[str, ...]) -> models.FieldCondition:
    return models.FieldCondition(key=field, match=models.MatchAny(any=list(values)))
