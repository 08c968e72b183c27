"""`Where` in the few words that every engine has."""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from shared.search.attribute_filter import (
    Above,
    AllOf,
    AnyOf,
    AtLeast,
    AtMost,
    AttributeFilter,
    Below,
    EqualTo,
    NoneOf,
    OneOf,
    UnequalTo,
)
from shared.search.generation import KEYWORDS
from shared.search.label import (
    ATTRIBUTES,
    EVERYBODY,
    READERS,
    Attribute,
    attribute_value,
    number_field,
    reader,
)
from shared.search.query import Where

_SIGN: Final[dict[type, str]] = {Above: "gt", AtLeast: "gte", Below: "lt", AtMost: "lte"}


class HasOne(msgspec.Struct, frozen=True, tag=True):
    """The field has one of these texts."""

    field: str
    values: tuple[str, ...]


class HasNone(msgspec.Struct, frozen=True, tag=True):
    """The field has none of these texts, or is not there."""

    field: str
    values: tuple[str, ...]


class InRange(msgspec.Struct, frozen=True, tag=True):
    """The field has a number within these bounds."""

    field: str
    bounds: dict[str, float]
    """By `gt`, `gte`, `lt` and `lte`."""


class AllHold(msgspec.Struct, frozen=True, tag=True):
    conditions: tuple[Condition, ...]


class OneHolds(msgspec.Struct, frozen=True, tag=True):
    conditions: tuple[Condition, ...]


Condition = HasOne | HasNone | InRange | AllHold | OneHolds


def conditions_of(where: Where) -> tuple[Condition, ...]:
    """All of them hold for what is meant; the tenant is the store's to add."""
    found: list[Condition] = []
    for field in KEYWORDS:
        values = getattr(where, field)
        if values is not None:
            found.append(HasOne(field, values))
    if where.below_ver is not None:
        found.append(InRange("ver", {"lt": where.below_ver}))
    if where.principals is not None:
        found.append(HasOne(READERS, (EVERYBODY, *map(reader, where.principals))))
    if where.attributes is not None:
        found.append(_of_attributes(where.attributes))
    return tuple(found)


def _of_attributes(asked: AttributeFilter) -> Condition:
    match asked:
        case AllOf():
            return AllHold(tuple(map(_of_attributes, asked.filters)))
        case AnyOf():
            return OneHolds(tuple(map(_of_attributes, asked.filters)))
        case EqualTo():
            return HasOne(ATTRIBUTES, _texts(asked.key, (asked.value,)))
        case UnequalTo():
            return HasNone(ATTRIBUTES, _texts(asked.key, (asked.value,)))
        case OneOf():
            return HasOne(ATTRIBUTES, _texts(asked.key, asked.value))
        case NoneOf():
            return HasNone(ATTRIBUTES, _texts(asked.key, asked.value))
        case Above() | AtLeast() | Below() | AtMost():
            return InRange(number_field(asked.key), {_SIGN[type(asked)]: float(asked.value)})
        case _:
            assert_never(asked)


def _texts(key: str, values: tuple[Attribute, ...]) -> tuple[str, ...]:
    return tuple(attribute_value(key, value) for value in values)
