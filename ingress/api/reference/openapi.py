"""The OpenAPI document, from the same types that decode and encode."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from ingress.api.http.error_answer import AnthropicErrorBody, ErrorBody, Problem, error_shape
from ingress.api.reference.operation import Operation

_PARAMETER: Final = re.compile(r"{(\w+)}")
_REF: Final = "#/components/schemas/{name}"
_DESCRIPTION: Final = (
    "Takes messages for language models, keeps them, and answers them. OpenAI's clients work "
    "unchanged: give them this server's `/v1` as base URL and a key that begins with `fb_`."
)


def openapi_document(operations: Sequence[Operation], *, version: str) -> dict[str, object]:
    """OpenAPI 3.1 for these operations."""
    schemas, components = _schemas(operations)
    paths: dict[str, dict[str, object]] = {}
    for operation in operations:
        described = _describe(operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Forebay", "version": version, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key, `fb_…`."},
                "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _schemas(operations: Iterable[Operation]) -> tuple[dict[type, Any], dict[str, Any]]:
    types: dict[type, None] = dict.fromkeys((AnthropicErrorBody, ErrorBody, Problem))
    for operation in operations:
        for kind in (operation.request, operation.answer, operation.streams):
            if kind is not None:
                types[kind] = None
    # A field of type `object` may hold any JSON: the library wants to be told.
    found, components = msgspec.json.schema_components(
        list(types), ref_template=_REF, schema_hook=lambda _: {"description": "Any JSON."}
    )
    return dict(zip(types, found, strict=True)), components


def _describe(operation: Operation, schemas: dict[type, Any]) -> dict[str, object]:
    described: dict[str, object] = {
        "operationId": _operation_id(operation),
        "tags": [operation.tag.value],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": _parameters(operation),
        "responses": _responses(operation, schemas),
        "security": [{"key": []}, {"api_key": []}] if operation.secured else [],
    }
    if operation.request is not None:
        content = {operation.request_type: {"schema": schemas[operation.request]}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _operation_id(operation: Operation) -> str:
    words = [operation.method.lower(), *re.findall(r"\w+", operation.path)]
    return "_".join(words)


def _parameters(operation: Operation) -> list[dict[str, object]]:
    in_path: list[dict[str, object]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    return in_path + [
        {
            "name": one.name,
            "in": one.place,
            "required": False,
            "schema": {"type": one.kind} | ({"pattern": one.pattern} if one.pattern else {}),
            "description": one.description,
        }
        for one in operation.parameters
    ]


def _responses(operation: Operation, schemas: dict[type, Any]) -> dict[str, object]:
    content: dict[str, object] = {}
    if operation.answer is not None:
        content[operation.answer_type] = {"schema": schemas[operation.answer]}
    elif operation.answer_type:
        content[operation.answer_type] = {"schema": {"type": "string"}}
    if operation.streams is not None:
        content["text/event-stream"] = {"schema": schemas[operation.streams]}
    responses: dict[str, object] = {"200": {"description": "OK", "content": content}}
    for status in operation.errors:
        responses[str(status)] = _error(status, operation.path, schemas)
    return responses


def _error(status: int, path: str, schemas: dict[type, Any]) -> dict[str, object]:
    shape = error_shape(path)
    media = "application/problem+json" if shape is Problem else "application/json"
    content = {media: {"schema": schemas[shape]}}
    return {"description": HTTPStatus(status).phrase, "content": content}
