"""The JSON that a caller asked for: `text.format` of a message, made ready to hold answers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.errors import InvalidRequest
from shared.messages.body import TextOptions
from shared.schema_work import SchemaWork

if TYPE_CHECKING:
    import jsonschema_rs

DEEPEST_FORMAT: Final = 32
SCHEMA_PARAM: Final = "text.format.schema"
_MOST_PROBLEMS: Final = 3
_MOST_WORK: Final = 50_000
"""Some tenths of a second; the longest answers of wide schemas come to half of it."""
_MOST_WORK_DESCRIBED: Final = 2_000
"""To say what is wrong takes a thousand times as long as to say that something is."""
_PATTERNS: Final = frozenset({"pattern", "patternProperties"})
_LONGEST_REASON: Final = 200
_VALUES: Final = frozenset({"const", "default", "enum", "examples"})
"""Keywords that hold values of the answer and no schemas."""


class JsonObject:
    """`json_object`: any object."""

    unchecked: tuple[str, ...] = ()

    def problem(self, text: str) -> str | None:
        """What is wrong with the text, in words that quote nothing of it; None if it fits."""
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return "it is not valid JSON"
        return None if isinstance(value, dict) else "it is not a JSON object"


class JsonBySchema:
    """`json_schema`: what the schema describes.

    Raises InvalidRequest naming `param` for a schema that cannot work. Its patterns run in linear
    time and nothing it refers to is fetched: the schema is the caller's. A pattern that needs
    look-around or back-references cannot run so: it is left out, and named in `unchecked`. Nor is
    a value checked that its alternatives would apply to without end.
    """

    def __init__(self, schema: Mapping[str, object], *, param: str = SCHEMA_PARAM) -> None:
        self.unchecked: tuple[str, ...] = ()
        unusable = _unusable_errors()
        try:
            self._validator = _validator(schema)
        except unusable as error:
            try:
                kept, unchecked = _without_look_around(schema)
            except RecursionError:
                raise _unusable(error, param) from None
            if not unchecked:
                raise _unusable(error, param) from None
            self.unchecked = tuple(unchecked)
            try:
                self._validator = _validator(kept)
            except unusable as further:
                raise _unusable(further, param) from None
        self._work = SchemaWork(schema)
        if self._work.names_itself:
            raise InvalidRequest(
                f"'{param}' has an '$id' inside. Leave it out, and refer to '#/$defs/…'.",
                param=param,
            )

    def problem(self, text: str) -> str | None:
        """What is wrong with the text, in words that quote nothing of it; None if it fits."""
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return "it is not valid JSON"
        if self._work.is_within(_MOST_WORK_DESCRIBED, value):
            errors = islice(self._validator.iter_errors(value), _MOST_PROBLEMS)
            return "; ".join(map(_described, errors)) or None
        if self._work.is_within(_MOST_WORK, value):
            return None if self._validator.is_valid(value) else "it breaks its schema"
        return "it is too deeply nested to be held against its schema"


def answer_format(
    text: TextOptions | None, *, param: str = SCHEMA_PARAM
) -> JsonObject | JsonBySchema | None:
    """What `text.format` asks for; raises InvalidRequest naming `param` for a bad schema."""
    asked = text.format if text else None
    if asked is None:
        return None
    if asked.type == "json_object":
        return JsonObject()
    schema = asked.schema
    refuse_deep(schema, param)
    if asked.type == "json_schema" and schema is not None:
        return JsonBySchema(schema, param=param)
    return None


def refuse_deep(schema: object, param: str) -> None:
    """Raises InvalidRequest naming `param` for a schema that is nested deeper than any reader's
    stack is sure to hold."""
    if not _is_shallow(schema, DEEPEST_FORMAT):
        raise InvalidRequest(
            f"'{param}' is nested deeper than {DEEPEST_FORMAT} levels. Flatten it.", param=param
        )


# The library is imported where it is used: it is large, and most messages come without a schema.
def _unusable_errors() -> tuple[type[Exception], ...]:
    from jsonschema_rs import ReferencingError

    return (ValueError, ReferencingError)


def _validator(schema: Any) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(
        dict(schema), pattern_options=jsonschema_rs.RegexOptions(), offline=True
    )


def _unusable(error: Exception, param: str) -> InvalidRequest:
    reason = str(error).partition("\n")[0][:_LONGEST_REASON]
    return InvalidRequest(f"'{param}' is no usable JSON Schema: {reason}. Mend it.", param=param)


def _without_look_around(schema: Any) -> tuple[Any, list[str]]:
    """The schema without the patterns that only a backtracking engine runs, and their places."""
    places: list[str] = []

    def kept(value: Any, place: str) -> Any:
        if isinstance(value, list):
            return [kept(one, f"{place}/{index}") for index, one in enumerate(value)]
        if not isinstance(value, dict):
            return value
        left_out = set(_looking_around(value))
        places.extend(f"{place}/{name}" for name in sorted(left_out & _PATTERNS))
        return {
            name: one if name in _VALUES else kept(one, f"{place}/{name}")
            for name, one in value.items()
            if name not in left_out
        }

    return kept(dict(schema), ""), places


def _looking_around(schema: dict[str, Any]) -> Iterator[str]:
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and _needs_backtracking(pattern):
        yield "pattern"
    by_name = schema.get("patternProperties")
    if isinstance(by_name, dict) and any(map(_needs_backtracking, by_name)):
        # What the names left out would have allowed, these would forbid.
        yield from ("patternProperties", "additionalProperties", "unevaluatedProperties")


def _needs_backtracking(pattern: str) -> bool:
    """Whether it is a pattern, and none for an engine that runs in linear time."""
    import jsonschema_rs

    return not _compiles(pattern, jsonschema_rs.RegexOptions()) and _compiles(
        pattern, jsonschema_rs.FancyRegexOptions()
    )


def _compiles(
    pattern: str, options: jsonschema_rs.RegexOptions | jsonschema_rs.FancyRegexOptions
) -> bool:
    import jsonschema_rs

    try:
        jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=options)
    except ValueError:
        return False
    return True


def _is_shallow(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        return levels > 0 and all(_is_shallow(one, levels - 1) for one in value.values())
    if isinstance(value, list):
        return levels > 0 and all(_is_shallow(one, levels - 1) for one in value)
    return True


def _described(error: jsonschema_rs.ValidationError) -> str:
    """Where the fault is and which rule it breaks; the value itself stays out."""
    where = "/".join(map(str, error.instance_path)) or "the whole"
    rule = "/".join(map(str, error.schema_path)) or "the schema"
    return f"{where} breaks {rule}"
