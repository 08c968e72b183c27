"""OpenAI's own description of its API, to hold what is sent against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

CONTRACT: Final = (
    Path(__file__).resolve().parents[4] / "shared" / "contracts" / "openai.openapi.json"
)
URI: Final = "urn:openai"


class Contract:
    """Validates against one schema of the description by its name."""

    def __init__(self, document: dict[str, Any]) -> None:
        resource = Resource(contents=with_nulls(document), specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(URI, resource)

    def check(self, name: str, value: object) -> None:
        """Fails the test with the first thing that the schema forbids."""
        reference = {"$ref": f"{URI}#/components/schemas/{name}"}
        validator = Draft202012Validator(reference, registry=self._registry)
        found = best_match(validator.iter_errors(value), key=_depth)
        assert found is None, f"{name}: {found.json_path}: {found.message}"


def _depth(error: ValidationError) -> int:
    """The deepest complaint says most."""
    return len(error.path)


def with_nulls(schema: Any) -> Any:
    """`nullable: true` of older OpenAPI and recursion of older JSON Schema, in its newer words."""
    if isinstance(schema, list):
        return [with_nulls(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$recursiveRef" in schema:  # only filters hold others
        return {"$ref": "#/components/schemas/CompoundFilter"}
    translated = {name: with_nulls(value) for name, value in schema.items()}
    if schema.get("nullable") is True:
        return {"anyOf": [translated, {"type": "null"}]}
    return translated


def openai_contract() -> Contract:
    """The description that lies beside this repository; skips the test where none does."""
    if not CONTRACT.exists():
        pytest.skip("OpenAI's description of its API is not beside this repository")
    document = json.loads(CONTRACT.read_text())
    # A user's message is there two of these at once.
    item = document["components"]["schemas"]["InputItem"]
    item["anyOf"] = item.pop("oneOf")
    return Contract(document)


def events_of(text: str) -> list[dict[str, Any]]:
    """The events of a stream, in order."""
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
