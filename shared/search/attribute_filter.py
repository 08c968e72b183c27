"""Filters by attributes, in OpenAI's JSON: `{"type": "gte", "key": "year", "value": 2024}`.

A number, a text and a truth are never equal to one another. What lacks the key is found by `ne` and
`nin`, and by nothing else.
"""

from __future__ import annotations

import msgspec

from shared.search.label import Attribute


class EqualTo(msgspec.Struct, frozen=True, tag_field="type", tag="eq", forbid_unknown_fields=True):
    """Has the key with this value."""

    key: str
    value: Attribute


class UnequalTo(
    msgspec.Struct, frozen=True, tag_field="type", tag="ne", forbid_unknown_fields=True
):
    """Has not the key with this value."""

    key: str
    value: Attribute


class Above(msgspec.Struct, frozen=True, tag_field="type", tag="gt", forbid_unknown_fields=True):
    """Has the key with a larger number; texts and truths have no order."""

    key: str
    value: Attribute


class AtLeast(msgspec.Struct, frozen=True, tag_field="type", tag="gte", forbid_unknown_fields=True):
    """Has the key with this number or a larger one."""

    key: str
    value: Attribute


class Below(msgspec.Struct, frozen=True, tag_field="type", tag="lt", forbid_unknown_fields=True):
    """Has the key with a smaller number."""

    key: str
    value: Attribute


class AtMost(msgspec.Struct, frozen=True, tag_field="type", tag="lte", forbid_unknown_fields=True):
    """Has the key with this number or a smaller one."""

    key: str
    value: Attribute


class OneOf(msgspec.Struct, frozen=True, tag_field="type", tag="in", forbid_unknown_fields=True):
    """Has the key with one of these values."""

    key: str
    value: tuple[Attribute, ...]


class NoneOf(msgspec.Struct, frozen=True, tag_field="type", tag="nin", forbid_unknown_fields=True):
    """Has not the key with one of these values."""

    key: str
    value: tuple[Attribute, ...]


class AllOf(msgspec.Struct, frozen=True, tag_field="type", tag="and", forbid_unknown_fields=True):
    """All of these hold."""

    filters: tuple[AttributeFilter, ...]


class AnyOf(msgspec.Struct, frozen=True, tag_field="type", tag="or", forbid_unknown_fields=True):
    """At least one of these holds."""

    filters: tuple[AttributeFilter, ...]


Comparison = EqualTo | UnequalTo | Above | AtLeast | Below | AtMost | OneOf | NoneOf
AttributeFilter = Comparison | AllOf | AnyOf
