"""What OpenAI's API has and this one has not: refused in a sentence that names what to remove."""

from __future__ import annotations

import re
from typing import Any, Final, get_args

import msgspec

from shared.errors import InvalidRequest
from shared.messages.item import Item
from shared.messages.part import Part

UNSUPPORTED: Final = "unsupported_parameter"
_SENTENCES: Final = {
    "modalities": "Only text is written: leave 'modalities' out, or send ['text'].",
    "n": "One answer is given: leave 'n' out, or send 1.",
    "functions": "'functions' is not supported. Offer them as 'tools', and remove it.",
    "function_call": "'function_call' is not supported. Say it with 'tool_choice', and remove it.",
}
_ONLY_PARTS: Final = "Only text, images and files are read"
_ONLY_ITEMS: Final = (
    "Only messages, calls of functions and file_search, their outputs and reasoning are taken"
)
_ONLY_FUNCTIONS: Final = "Only functions are tools here"
_ONLY_TOOLS: Final = "Only functions and file_search are tools here"
_ONLY_ROLES: Final = "Roles are system, developer, user, assistant and tool"
_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool"})


def _tags(union: Any) -> frozenset[str]:
    return frozenset(str(kind.__struct_config__.tag) for kind in get_args(union))


_FUNCTION: Final = frozenset({"function"})
_TOOLS: Final = frozenset({"function", "file_search"})
_KINDS: Final = tuple(
    (re.compile(place), field, known, noun, why)
    for place, field, known, noun, why in (
        (
            r"input\[\d+\]\.(content|output)\[\d+\]",
            "type",
            _tags(Part) | {"text", "reasoning_text"},
            "part",
            _ONLY_PARTS,
        ),
        (r"input\[\d+\]", "type", _tags(Item), "item", _ONLY_ITEMS),
        (
            r"messages\[\d+\]\.content\[\d+\]",
            "type",
            frozenset({"text", "refusal", "image_url", "file"}),
            "part",
            _ONLY_PARTS,
        ),
        (r"messages\[\d+\]\.tool_calls\[\d+\]", "type", _FUNCTION, "call", _ONLY_FUNCTIONS),
        (r"messages\[\d+\]", "role", _ROLES, "message", _ONLY_ROLES),
        (r"tools\[\d+\]", "type", _TOOLS, "tool", _ONLY_TOOLS),
        (r"tool_choice\.(allowed_tools\.)?tools\[\d+\]", "type", _TOOLS, "tool", _ONLY_TOOLS),
        (r"tool_choice", "type", _TOOLS | {"allowed_tools"}, "choice", _ONLY_TOOLS),
    )
)
"""Where callers name kinds: the field that does, the kinds that are known, and what these are."""
_STEP: Final = re.compile(r"(\w+)|\[(\d+)\]")


def explained(error: InvalidRequest, body: bytes) -> InvalidRequest:
    """The same refusal of a body, in plainer words where something in it is of a foreign kind."""
    param = error.param or ""
    top = re.split(r"[.\[]", param, maxsplit=1)[0]
    if top in _SENTENCES:
        return InvalidRequest(_SENTENCES[top], param=top, kind=UNSUPPORTED)
    if error.kind == UNSUPPORTED or not any(kind[0].match(param) for kind in _KINDS):
        return error
    try:
        return _foreign(param, msgspec.json.decode(body)) or error
    except (msgspec.DecodeError, UnicodeError, RecursionError, LookupError):
        return error


def unsupported_item(place: str, kind: str) -> InvalidRequest:
    """The refusal of an item for its kind."""
    return _unsupported(place, f"an item of type '{kind[:64]}'", _ONLY_ITEMS)


def unsupported_part(place: str, kind: str) -> InvalidRequest:
    """The refusal of a part of an item for its kind."""
    return _unsupported(place, f"a part of type '{kind[:64]}'", _ONLY_PARTS)


def _foreign(param: str, body: Any) -> InvalidRequest | None:
    for place, field, known, noun, why in _KINDS:
        found = place.match(param)
        there = found_at(body, found[0]) if found else None
        kind = there.get(field) if isinstance(there, dict) else None
        if why is _ONLY_TOOLS and "messages" in body:
            known, why = known - {"file_search"}, _ONLY_FUNCTIONS  # noqa: PLW2901 - chat's words
        if found and isinstance(kind, str) and kind not in known:
            article = "an" if noun == "item" else "a"
            return _unsupported(found[0], f"{article} {noun} of {field} '{kind[:64]}'", why)
    return None


def found_at(body: Any, place: str) -> Any:
    """What stands at a place such as `input[0].content`; None where nothing does."""
    for name, index in _STEP.findall(place):
        try:
            body = body[name or int(index)]
        except (TypeError, LookupError):
            return None
    return body


def _unsupported(param: str, what: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"{why}: '{param}' is {what}. Remove it.", param=param, kind=UNSUPPORTED)
