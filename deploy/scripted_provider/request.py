"""What a request brings, in either wire format."""

from __future__ import annotations

from typing import Any

_IMAGES = frozenset({"image_url", "image"})


def texts_of(body: dict[str, Any]) -> list[str]:
    """Every text of a request: the system prompt and all messages, in either wire format."""
    texts = [_flat(body["system"])] if body.get("system") else []
    return texts + [_flat(message.get("content")) for message in body["messages"]]


def instructions_of(body: dict[str, Any]) -> str:
    """All system messages, one a line, in either wire format."""
    texts = [_flat(body["system"])] if body.get("system") else []
    said = (each for each in body["messages"] if each.get("role") in {"system", "developer"})
    return "\n".join([*texts, *(_flat(each.get("content")) for each in said)])


def last_user_text(body: dict[str, Any]) -> str:
    for message in reversed(body["messages"]):
        if message.get("role") == "user" and not _results(message):
            return _flat(message.get("content"))
    return ""


def tools_of(body: dict[str, Any]) -> tuple[str, ...]:
    """Names of the tools that are offered."""
    offered = (tool.get("function", tool) for tool in body.get("tools") or ())
    return tuple(str(tool.get("name")) for tool in offered)


def outputs_of(body: dict[str, Any]) -> tuple[str, ...]:
    """What stands last, as far as tools gave it: messages of theirs, or blocks of the user's."""
    outputs: list[str] = []
    for message in reversed(body["messages"]):
        if message.get("role") == "tool":
            outputs.insert(0, _flat(message.get("content")))
        elif results := _results(message):
            outputs[:0] = [_flat(block.get("content")) for block in results]
        else:
            break
    return tuple(outputs)


def images_of(body: dict[str, Any]) -> int:
    """How many there are in the last user message."""
    for message in reversed(body["messages"]):
        if message.get("role") == "user" and not _results(message):
            return sum(part.get("type") in _IMAGES for part in _parts(message))
    return 0


def _results(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for part in _parts(message) if part.get("type") == "tool_result"]


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def _flat(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return ""
