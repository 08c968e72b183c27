"""JSON pointers (RFC 6901)."""

from __future__ import annotations


def value_at(document: object, pointer: str) -> object:
    """The value that the pointer names; None where there is none."""
    value = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
