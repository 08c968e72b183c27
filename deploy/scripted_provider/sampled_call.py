"""The call that a scripted provider makes by itself: of an offered tool, as its schema wants it."""

from __future__ import annotations

from typing import Any

import msgspec

from deploy.scripted_provider.behaviour import CalledTool
from deploy.scripted_provider.request import last_user_text

_DEEPEST = 8


def sampled_call(body: dict[str, Any]) -> CalledTool | None:
    """Of the tool that must be called, or of the first; None where none may be."""
    choice = body.get("tool_choice")
    tools = [tool.get("function", tool) for tool in body.get("tools") or ()]
    kind = choice.get("type") if isinstance(choice, dict) else choice
    if kind == "none" or not tools:
        return None
    if isinstance(choice, dict) and (name := choice.get("function", choice).get("name")):
        tools = [tool for tool in tools if tool.get("name") == name] or tools
    schema = tools[0].get("parameters") or tools[0].get("input_schema") or {}
    value = _sample(schema, last_user_text(body), _DEEPEST)
    arguments = value if isinstance(value, dict) else {}
    return CalledTool(tools[0].get("name"), msgspec.json.encode(arguments).decode())


def _sample(schema: object, text: str, levels: int) -> object:
    """A value that most schemas of its kind take; texts are what the user said."""
    if not isinstance(schema, dict) or not levels:
        return {}
    if "const" in schema or schema.get("enum"):
        return schema.get("const") or schema["enum"][0]
    for name in ("anyOf", "oneOf"):
        if schema.get(name):
            return _sample(schema[name][0], text, levels - 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind in {None, "object"}:
        properties = schema.get("properties") or {}
        wanted = schema.get("required") or properties
        return {name: _sample(properties.get(name), text, levels - 1) for name in wanted}
    plain = {"string": text, "integer": 1, "number": 1, "boolean": True, "array": []}
    return plain.get(kind)
