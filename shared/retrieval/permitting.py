"""Whether a passage may be shown, by what the ledger says of its document now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never, cast

from shared.index.document import Document
from shared.search.conditions import (
    AllHold,
    Condition,
    HasNone,
    HasOne,
    InRange,
    OneHolds,
    conditions_of,
)
from shared.search.label import PassageLabel
from shared.search.point import Passage
from shared.search.query import Where


class Permission:
    """A question's filters, held against the ledger's labels in place of a store's.

    A store learns of a change of labels a moment after the ledger, which decides.
    """

    def __init__(self, where: Where) -> None:
        self._conditions = conditions_of(where)

    def allows(self, passage: Passage, document: Document | None) -> bool:
        """Not without a document: the ledger has that passage no more, or not yet."""
        if document is None or not document.is_searchable:
            return False
        label = PassageLabel(document.principals, document.attributes)
        fields = {
            "collection": document.collection_id,
            "document": document.id,
            "source": document.source,
            "path": passage.path,
            "language": passage.language,
            "kind": passage.kind,
            "ver": passage.ver,
            **label.payload(),
        }
        return all(_holds(each, fields) for each in self._conditions)


def _holds(condition: Condition, fields: Mapping[str, object]) -> bool:
    match condition:
        case HasOne():
            return not _values(fields, condition.field).isdisjoint(condition.values)
        case HasNone():
            return _values(fields, condition.field).isdisjoint(condition.values)
        case InRange():
            return _is_within(_at(fields, condition.field), condition.bounds)
        case AllHold():
            return all(_holds(each, fields) for each in condition.conditions)
        case OneHolds():
            return any(_holds(each, fields) for each in condition.conditions)
        case _:
            assert_never(condition)


def _values(fields: Mapping[str, object], name: str) -> frozenset[object]:
    value = _at(fields, name)
    return frozenset(value if isinstance(value, list | tuple) else (value,))


def _at(fields: Mapping[str, object], name: str) -> object:
    """Of a path with dots, what lies there; None where nothing does."""
    first, _, rest = name.partition(".")
    value = fields.get(first)
    return cast(Mapping[str, Any], value or {}).get(rest) if rest else value


def _is_within(value: object, bounds: Mapping[str, float]) -> bool:
    if not isinstance(value, int | float):
        return False
    return bounds.get("gt", float("-inf")) < value < bounds.get("lt", float("inf")) and bounds.get(
        "gte", float("-inf")
    ) <= value <= bounds.get("lte", float("inf"))
