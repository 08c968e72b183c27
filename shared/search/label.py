"""Who may find a passage, and what is told about it; how a store keeps both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

Attribute = str | float | bool

READERS: Final = "readers"
"""The field that names who may find a passage."""
EVERYBODY: Final = "*"
ATTRIBUTES: Final = "attribute_values"
"""The field of each attribute with its value, as one text: so one index serves every key."""


class PassageLabel(msgspec.Struct, frozen=True):
    """What of a passage may change without its vectors and its words."""

    principals: tuple[str, ...] = ()
    """Who may find it; without one, everybody of the tenant."""
    attributes: dict[str, Attribute] = {}

    def payload(self) -> dict[str, object]:
        """What is given back, and beside it what is searched by."""
        numbers = {
            number_name(key): float(value)
            for key, value in self.attributes.items()
            if not isinstance(value, str | bool)
        }
        return {
            "principals": list(self.principals),
            "attributes": dict(self.attributes),
            READERS: list(map(reader, self.principals)) or [EVERYBODY],
            ATTRIBUTES: attribute_values(self.attributes),
            "numbers": numbers,
        }


def reader(principal: str) -> str:
    """As `READERS` has it: nobody's name is that of everybody."""
    return f"={principal}"


def attribute_values(attributes: Mapping[str, Attribute]) -> list[str]:
    return [attribute_value(key, value) for key, value in attributes.items()]


def attribute_value(key: str, value: Attribute) -> str:
    """The same text for the same number however it is written, another for each type."""
    if not isinstance(value, str | bool):
        value = float(value) + 0.0  # -0.0 is 0.0
    return msgspec.json.encode((key, value)).decode()


def number_field(key: str) -> str:
    """The path of an attribute's number; engines give a meaning to dots and brackets."""
    return f"numbers.{number_name(key)}"


def number_name(key: str) -> str:
    return "k" + key.encode().hex()
