"""What OpenAI's chat refuses in a request, in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_LONGEST_ID = 40
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_IMAGE = re.compile(r"https?://|data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)
_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_PARTS = ("text", "image_url", "input_audio", "refusal", "audio", "file")
_EMPTY = (
    "Invalid '{}': empty array. Expected an array with minimum length 1, but got an empty array "
    "instead."
)
_ORPHAN = (
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
    "'tool_calls'."
)
_UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
    "'tool_call_id'. The following tool_call_ids did not have response messages: {}"
)


def openai_fault(body: dict[str, Any]) -> str | None:
    """The first fault; None where it would be answered."""
    return next(_faults(body), None)


def _faults(body: dict[str, Any]) -> Iterator[str]:
    messages = body["messages"]
    if not messages:
        yield _EMPTY.format("messages")
    yield from _in_tools(body)
    for nth, message in enumerate(messages):
        yield from _in_message(message, f"messages[{nth}]")
    yield from _in_calls(messages)


def _in_tools(body: dict[str, Any]) -> Iterator[str]:
    tools = body.get("tools")
    if tools is None:
        for field in ("tool_choice", "parallel_tool_calls"):
            if body.get(field) is not None:
                yield f"Invalid value for '{field}': only allowed when 'tools' are specified."
        return
    if not tools:
        yield _EMPTY.format("tools")
    names = [tool.get("function", {}).get("name") for tool in tools]
    for nth, name in enumerate(names):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            yield (
                f"Invalid 'tools[{nth}].function.name': string does not match pattern. Expected "
                "a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            )
    choice = body.get("tool_choice")
    chosen = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    if chosen is not None and chosen not in names:
        yield f"Invalid value for 'tool_choice': '{chosen}' not found in 'tools'."


def _in_message(message: dict[str, Any], place: str) -> Iterator[str]:
    role, content = message.get("role"), message.get("content")
    if role not in _ROLES:
        yield f"Invalid value: '{role}'. Supported values are: {_listed(_ROLES)}."
    if content is None and not (role == "assistant" and message.get("tool_calls")):
        yield "Invalid value for 'content': expected a string, got null."
    for part in content if isinstance(content, list) else ():
        kind = part.get("type")
        if kind not in (_PARTS if role == "user" else ("text", "refusal")):
            yield f"Invalid value: '{kind}'. Supported values are: {_listed(_PARTS)}."
        elif kind == "image_url" and not _IMAGE.match(str(part["image_url"].get("url"))):
            yield f"Invalid '{place}.content': image_url is neither an address nor a data URL."
        elif kind == "file" and not part["file"].keys() & {"file_data", "file_id"}:
            yield f"Missing required parameter: '{place}.content.file.file_id'."


def _in_calls(messages: list[dict[str, Any]]) -> Iterator[str]:
    """Each call must be answered by the messages of tools right behind it, and once."""
    open_ids: list[str] = []
    for nth, message in enumerate([*messages, {"role": "end"}]):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_ids:
                yield _ORPHAN
            else:
                open_ids.remove(message["tool_call_id"])
            continue
        if open_ids:
            yield _UNANSWERED.format(", ".join(open_ids))
        open_ids = [call["id"] for call in message.get("tool_calls") or ()]
        for index, call_id in enumerate(open_ids):
            if len(call_id) > _LONGEST_ID:
                yield (
                    f"Invalid 'messages[{nth}].tool_calls[{index}].id': string too long. Expected "
                    f"a string with maximum length 40, but got a string with length {len(call_id)} "
                    "instead."
                )


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
