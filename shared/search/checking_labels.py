"""Principals, attributes and filters by them: what no engine can keep or compare is refused."""

from __future__ import annotations

import math
from typing import Final

from shared.search.attribute_filter import (
    Above,
    AllOf,
    AnyOf,
    AtLeast,
    AtMost,
    AttributeFilter,
    Below,
    NoneOf,
    OneOf,
)
from shared.search.checking_values import MOST_POINTS, check_text, wrong
from shared.search.label import Attribute, PassageLabel

MOST_PRINCIPALS: Final = 256
LONGEST_PRINCIPAL: Final = 256
MOST_ATTRIBUTES: Final = 16
LONGEST_KEY: Final = 64
LONGEST_VALUE: Final = 512
MOST_NESTED: Final = 8
MOST_COMPARISONS: Final = 256


def check_label(label: PassageLabel) -> None:
    check_principals("principals", label.principals, MOST_PRINCIPALS)
    attributes: object = label.attributes
    if not isinstance(attributes, dict) or len(attributes) > MOST_ATTRIBUTES:
        raise wrong("attributes", attributes, f"give at most {MOST_ATTRIBUTES} keys with values")
    for key, value in attributes.items():
        _check_key("attributes", key)
        _check_value(f"attributes.{key}", value)


def check_principals(name: str, principals: object, most: int) -> None:
    if not isinstance(principals, tuple) or len(principals) > most:
        raise wrong(name, principals, f"give a tuple of at most {most} names")
    for each in principals:
        check_text(name, each, LONGEST_PRINCIPAL)
        if not each:
            raise wrong(name, each, "name somebody")


def check_attribute_filter(name: str, asked: AttributeFilter) -> None:
    if _check_filter(name, asked, depth=1) > MOST_COMPARISONS:
        raise wrong(name, "it", f"use at most {MOST_COMPARISONS} comparisons")


def _check_filter(name: str, asked: AttributeFilter, *, depth: int) -> int:
    """How many comparisons it has."""
    if not isinstance(asked, AllOf | AnyOf):
        _check_comparison(name, asked)
        return 1
    if depth > MOST_NESTED:
        raise wrong(name, "it", f"nest at most {MOST_NESTED} filters")
    if not 1 <= len(asked.filters) <= MOST_COMPARISONS:
        raise wrong(f"{name}.filters", len(asked.filters), f"give 1 to {MOST_COMPARISONS} of them")
    return sum(
        _check_filter(f"{name}.filters[{number}]", each, depth=depth + 1)
        for number, each in enumerate(asked.filters)
    )


def _check_comparison(name: str, asked: AttributeFilter) -> None:
    if isinstance(asked, AllOf | AnyOf):
        return
    _check_key(f"{name}.key", asked.key)
    if isinstance(asked, OneOf | NoneOf):
        _check_values(f"{name}.value", asked.value)
        return
    _check_value(f"{name}.value", asked.value)
    ordered = isinstance(asked, Above | AtLeast | Below | AtMost)
    if ordered and isinstance(asked.value, str | bool):
        raise wrong(f"{name}.value", asked.value, "only numbers have an order: give a number")


def _check_values(name: str, values: object) -> None:
    if not isinstance(values, tuple) or len(values) > MOST_POINTS:
        raise wrong(name, values, f"give a list of at most {MOST_POINTS} values")
    for value in values:
        _check_value(name, value)


def _check_key(name: str, key: str) -> None:
    check_text(name, key, LONGEST_KEY)
    if not key:
        raise wrong(name, key, "give the key a name")


def _check_value(name: str, value: Attribute) -> None:
    if isinstance(value, str):
        check_text(name, value, LONGEST_VALUE)
    elif type(value) is not bool:
        if type(value) not in (float, int):
            raise wrong(name, value, "use a text, a number or a truth")
        if not _is_finite(value):
            raise wrong(name, value, "use a finite number")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
