"""How much there is to check when a value is held against a JSON Schema.

Where the alternatives of a schema refer to the same again, what is checked grows with a power of
how deep a value is nested: sixty bytes of schema and a hundred of JSON keep a processor busy for
days, and no checker can be stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLE: Final = ("not", "if", "then", "else")
_MAPS: Final = ("dependentSchemas", "dependencies")
_OF_OBJECTS: Final = ("additionalProperties", "unevaluatedProperties")
_OF_ARRAYS: Final = ("items", "additionalItems", "contains", "unevaluatedItems")
_LOOKS_BACK: Final = frozenset({"unevaluatedProperties", "unevaluatedItems"})
"""What they apply to is what the rest has not checked: that is looked for once more."""
_ANCHORS: Final = ("$anchor", "$dynamicAnchor")
_WELL_KNOWN: Final = ("http://json-schema.org/", "https://json-schema.org/")


class SchemaWork:
    """Counts, for values held against one schema, the subschemas that apply to a part of them.

    `names_itself` is whether a subschema has an `$id`: its references lead elsewhere then, and
    cannot be followed here.
    """

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._anchors: dict[str, Any] = {}
        self._targets: dict[str, Any] = {}
        self.names_itself = False
        self._is_linear = True
        self._read(schema, is_whole=True)

    def is_within(self, most: int, value: Any) -> bool:
        """Whether no more than `most` of them do."""
        if self._is_linear:
            return True
        left = most
        pending = [(self._schema, value)]
        while pending:
            left -= 1
            if left < 0:
                return False
            pending.extend(self._applied(*pending.pop()))
            if len(pending) > left:
                return False
        return True

    def _read(self, schema: Any, *, is_whole: bool = False) -> None:
        if isinstance(schema, list):
            for each in schema:
                self._read(each)
        if not isinstance(schema, dict):
            return
        self.names_itself |= not is_whole and isinstance(schema.get("$id"), str)
        for name in _ANCHORS:
            if isinstance(anchor := schema.get(name), str):
                self._anchors[f"#{anchor}"] = schema
        if not schema.keys().isdisjoint((*_REFERENCES, *_LISTS, *_SINGLE, *_MAPS)):
            self._is_linear = False
        # Values and names too: a reference may lead anywhere.
        for each in schema.values():
            self._read(each)

    def _applied(self, schema: Any, value: Any) -> Iterator[tuple[Any, Any]]:
        """What a subschema puts to the same value, and to the parts of it."""
        if not isinstance(schema, dict):
            return
        times = 1 if schema.keys().isdisjoint(_LOOKS_BACK) else 2
        for beside in self._beside(schema):
            yield from [(beside, value)] * times
        if isinstance(value, dict):
            yield from _to_object(schema, value)
        elif isinstance(value, list):
            yield from _to_array(schema, value)

    def _beside(self, schema: Mapping[str, Any]) -> Iterator[Any]:
        for name in _REFERENCES:
            if isinstance(reference := schema.get(name), str):
                yield self._target(reference)
        for name in _LISTS:
            listed = schema.get(name)
            yield from listed if isinstance(listed, list) else ()
        for name in _SINGLE:
            yield schema.get(name)
        for name in _MAPS:
            yield from _map(schema, name).values()

    def _target(self, reference: str) -> Any:
        if reference not in self._targets:
            self._targets[reference] = self._found(reference)
        return self._targets[reference]

    def _found(self, reference: str) -> Any:
        if reference.startswith(_WELL_KNOWN):
            return None
        own = self._schema.get("$id") if isinstance(self._schema, dict) else None
        pointer = reference.removeprefix(own) if isinstance(own, str) else reference
        if pointer in self._anchors:
            return self._anchors[pointer]
        found = self._schema
        for step in unquote(pointer).removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list):
                found = found[int(name)] if name.isdecimal() and int(name) < len(found) else None
            else:
                found = found.get(name) if isinstance(found, dict) else None
        return found


def _to_object(schema: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    named = _map(schema, "properties")
    for_all = [*_map(schema, "patternProperties").values()]
    for_all += [schema[name] for name in _OF_OBJECTS if name in schema]
    for name, each in value.items():
        if name in named:
            yield named[name], each
        yield from ((one, each) for one in for_all)
        if "propertyNames" in schema:
            yield schema["propertyNames"], name


def _to_array(schema: Mapping[str, Any], value: list[Any]) -> Iterator[tuple[Any, Any]]:
    for_all = [schema[name] for name in _OF_ARRAYS if isinstance(schema.get(name), dict)]
    for place, each in enumerate(value):
        yield from ((one, each) for one in for_all)
        for name in ("prefixItems", "items"):
            by_place = schema.get(name)
            if isinstance(by_place, list) and place < len(by_place):
                yield by_place[place], each


def _map(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = schema.get(name)
    return found if isinstance(found, dict) else {}
