"""What OpenAI's API has and this one has not: refused in a sentence that names what to remove."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from shared.errors import InvalidRequest
from shared.messages.body import Body
from shared.messages.item import MessageItem, are_only_text

UNSUPPORTED: Final = "unsupported_parameter"
_TOOLS: Final = "Tools are not supported"
_CHOICES: Final = {
    "reasoning": "Reasoning cannot be set: leave 'reasoning' out.",
    "reasoning_effort": "Reasoning cannot be set: leave 'reasoning_effort' out.",
    "tools": f"{_TOOLS}: leave 'tools' out.",
    "tool_choice": f"{_TOOLS}: leave 'tool_choice' out, or send 'auto' or 'none'.",
    "modalities": "Only text is supported: leave 'modalities' out, or send ['text'].",
}
_PLACE: Final = re.compile(r"^(input|messages)\[(\d+)\](?:\.content\[(\d+)\])?")
_PARTS: Final = frozenset({"input_text", "output_text", "text", "refusal"})


def explained(error: InvalidRequest, body: bytes) -> InvalidRequest:
    """The same refusal of a body, in plainer words where it is about tools, images and the like."""
    param = error.param or ""
    top = re.split(r"[.\[]", param, maxsplit=1)[0]
    if top in _CHOICES:
        return _unsupported_field(top)
    place = _PLACE.match(param)
    if place is None or error.kind == UNSUPPORTED:
        return error
    try:
        return _about(place, msgspec.json.decode(body)) or error
    except (msgspec.DecodeError, UnicodeError, RecursionError, LookupError, AttributeError):
        return error


def unsupported_item(place: str, kind: str) -> InvalidRequest:
    """The refusal of an item for its kind."""
    return _unsupported(place, f"an item of type '{kind[:64]}'", "Only messages are supported")


def unsupported_part(place: str, kind: str) -> InvalidRequest:
    """The refusal of a part of an item for its kind."""
    return _unsupported(place, f"a part of type '{kind[:64]}'", "Only text is supported")


def refuse_uncarried(
    body: Body, place: Callable[[int], str], *, reasoning: str = "reasoning"
) -> None:
    """Raises InvalidRequest for the first thing in it that no provider is given yet.

    What would not reach the model is not let in. `place` names an item by its index, `reasoning`
    its field. What a provider is given from now on is let in by taking it out of here and out of
    `explained`.
    """
    if body.tools is not None:
        raise _unsupported_field("tools")
    if body.tool_choice is not None:
        raise _unsupported_field("tool_choice")
    if body.reasoning is not None:
        raise _unsupported_field(reasoning)
    if are_only_text(body.input):
        return
    for index, item in enumerate(body.input):
        if not isinstance(item, MessageItem):
            raise unsupported_item(place(index), item.kind)
        if item.only_text:
            continue
        for nth, part in enumerate(item.content):
            if not isinstance(part, str) and not part.is_text:
                raise unsupported_part(f"{place(index)}.content[{nth}]", part.kind)


def _about(place: re.Match[str], body: Any) -> InvalidRequest | None:
    field, index, part = place.groups()
    item = body[field][int(index)]
    if part is not None:
        kind = item["content"][int(part)].get("type")
        if isinstance(kind, str) and kind not in _PARTS:
            return unsupported_part(place[0], kind)
        return None
    name = f"{field}[{index}]"
    kind, role = item.get("type", "message"), item.get("role")
    if isinstance(kind, str) and kind != "message":
        return unsupported_item(name, kind)
    if item.get("tool_calls"):
        return _unsupported(f"{name}.tool_calls", "a call of a tool", _TOOLS)
    if isinstance(role, str) and role in {"tool", "function"}:
        return _unsupported(name, f"a message of role '{role}'", _TOOLS)
    return None


def _unsupported_field(name: str) -> InvalidRequest:
    return InvalidRequest(_CHOICES[name], param=name, kind=UNSUPPORTED)


def _unsupported(param: str, what: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"{why}: '{param}' is {what}. Remove it.", param=param, kind=UNSUPPORTED)
