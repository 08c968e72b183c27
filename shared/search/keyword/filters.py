"""Which documents a call may see and touch, in Meilisearch's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from shared.search.conditions import (
    AllHold,
    Condition,
    HasNone,
    HasOne,
    InRange,
    OneHolds,
    conditions_of,
)
from shared.search.keyword.keys import bounds_of, key_of
from shared.search.point import Scope
from shared.search.query import Where

_SIGNS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def filter_of(scope: Scope, where: Where) -> str:
    """The tenant first, always."""
    return " AND ".join([_of_tenant(scope), *map(_condition, conditions_of(where))])


def up_to(scope: Scope, ver: int, ids: Sequence[str]) -> str:
    """Those of these ids that are the tenant's and of this `ver` or a lower one."""
    return f"{_of_tenant(scope)} AND ver <= {ver} AND id IN {_listed(ids)}"


def _of_tenant(scope: Scope) -> str:
    return f'keys = "{key_of("tenant", scope.tenant)}"'


def _condition(condition: Condition) -> str:
    match condition:
        case HasOne():
            return f"keys IN {_keys(condition)}"
        case HasNone():
            return f"keys NOT IN {_keys(condition)}"
        case InRange(field="ver"):
            return " AND ".join(f"ver {_SIGNS[sign]} {n}" for sign, n in condition.bounds.items())
        case InRange():
            least, most = bounds_of(condition.field, condition.bounds)
            return f'numbers "{least}" TO "{most}"'
        case AllHold():
            return f"({' AND '.join(map(_condition, condition.conditions))})"
        case OneHolds():
            return f"({' OR '.join(map(_condition, condition.conditions))})"
        case _:
            assert_never(condition)


def _keys(condition: HasOne | HasNone) -> str:
    return _listed(key_of(condition.field, value) for value in condition.values)


def _listed(values: Iterable[str]) -> str:
    """Of ids and keys alone, in which nothing needs an escape."""
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"
