"""JSON: an answer in the format its caller asked for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

import jsonschema_rs
import msgspec

from shared.errors import InvalidRequest
from workers.validation.validator import AnswerFormat, Draft, Question
from workers.validation.verdict import Catch, Verdict

_MOST_PROBLEMS: Final = 3
_SCHEMA_PARAM: Final = "text.format.schema"


class JsonFormat:
    """Catches a whole answer that is not the JSON that was asked for.

    One that the provider had to stop is told as `incomplete` and not held against its format.
    """

    name = "json_schema"

    def __init__(self, *, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:
        if question.answer_format is None or not draft.is_whole:
            return None
        problem = question.answer_format.problem(draft.text)
        if problem is None:
            return None
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence=problem,
            complaint=f"It broke the format that was asked for: {problem}. "
            "Answer with that JSON and nothing else.",
        )


class JsonObject:
    """`json_object`: any object."""

    def problem(self, text: str) -> str | None:
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return "it is not valid JSON"
        return None if isinstance(value, dict) else "it is not a JSON object"


class JsonBySchema:
    """`json_schema`: what the schema describes.

    Raises InvalidRequest for a schema that is none. Its patterns run in linear time and nothing
    it refers to is fetched: the schema is the caller's.
    """

    def __init__(self, schema: Mapping[str, object]) -> None:
        try:
            self._validator = jsonschema_rs.validator_for(
                dict(schema), pattern_options=jsonschema_rs.RegexOptions(), offline=True
            )
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            reason = str(error).partition("\n")[0]
            raise InvalidRequest(
                f"'{_SCHEMA_PARAM}' is no usable JSON Schema: {reason}. Mend it.",
                param=_SCHEMA_PARAM,
            ) from None

    def problem(self, text: str) -> str | None:
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return "it is not valid JSON"
        errors = islice(self._validator.iter_errors(value), _MOST_PROBLEMS)
        return "; ".join(map(_described, errors)) or None


def answer_format(text: Mapping[str, object] | None) -> AnswerFormat | None:
    """What the request's `text.format` asks for; raises InvalidRequest for a bad schema."""
    asked = (text or {}).get("format")
    if not isinstance(asked, Mapping):
        return None
    if asked.get("type") == "json_object":
        return JsonObject()
    schema = asked.get("schema")
    if asked.get("type") == "json_schema" and isinstance(schema, Mapping):
        return JsonBySchema(schema)
    return None


def _described(error: jsonschema_rs.ValidationError) -> str:
    """Where the fault is and which rule it breaks; the value itself stays out."""
    where = "/".join(map(str, error.instance_path)) or "the whole"
    rule = "/".join(map(str, error.schema_path)) or "the schema"
    return f"{where} breaks {rule}"
