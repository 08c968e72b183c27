"""JSON as servers really send it: read for what is needed, whatever else it holds.

Nothing here raises anything but `UnreadableError`, whatever the bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Final

import msgspec

from shared.errors import ForebayError
from shared.storable_text import text_size

_BYTE_ORDER_MARK: Final = "\ufeff"
_TEXT_PARTS: Final = frozenset({None, "text", "output_text", "refusal"})
LARGEST_NUMBER: Final = 2**53
"""No figure is beyond what every JSON reader can hold exactly."""


class UnreadableError(ForebayError):
    """It is not JSON, or nested beyond what can be read."""

    code = "unreadable_json"


def decoded(content: bytes | str) -> object:
    """The value; the halves of a character that was cut in two stay in its texts as they are.

    Raises `UnreadableError`.
    """
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    text = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        value: object = msgspec.json.decode(text)
    except RecursionError as error:
        raise UnreadableError("it is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeError, ValueError):
        return _decoded_slowly(text)
    return value


def _decoded_slowly(text: str) -> object:
    """What is strict about the quick way is let pass here: half characters, NaN, long numbers."""
    try:
        value: object = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("it is not JSON") from error
    return value


def is_json(text: str) -> bool:
    """Whether it can be read at all."""
    try:
        decoded(text)
    except UnreadableError:
        return False
    return True


def is_markup(content: bytes) -> bool:
    """Whether it is HTML or XML: the page of a web server or a proxy, no answer of an API."""
    return content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def mapping(value: object) -> Mapping[str, object]:
    """The object, or an empty one in the place of anything else."""
    return value if isinstance(value, dict) else {}


def elements(value: object) -> list[object]:
    """The list, or an empty one in the place of anything else."""
    return value if isinstance(value, list) else []


def text_in(value: object) -> str:
    """A text, or the texts of a list of parts that are meant to be read, joined."""
    if isinstance(value, str):
        return value
    return "".join(map(_text_of_part, elements(value)))


def _text_of_part(part: object) -> str:
    if isinstance(part, str):
        return part
    fields = mapping(part)
    kind, text = fields.get("type"), fields.get("text")
    is_text = kind is None or (isinstance(kind, str) and kind in _TEXT_PARTS)
    return text if is_text and isinstance(text, str) else ""


def size_of(thought: object) -> int:
    """Bytes of the texts in it, whatever their shape; never zero for what is not empty."""
    if isinstance(thought, str):
        return text_size(thought)
    if not thought:
        return 0
    inner = [thought] if isinstance(thought, dict) else elements(thought)
    texts = (
        text_in(mapping(part).get(name) or "")
        for part in inner
        for name in ("text", "thinking", "content", "summary")
    )
    return max(1, sum(map(text_size, texts)))


def number_in(value: object) -> int | None:
    """A count, also where it came as `10.0` or `"10"`; None for what is none."""
    if isinstance(value, str):
        try:
            value = float(value) if len(value) < 20 else None
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not math.isfinite(value) or not 0 <= value < LARGEST_NUMBER:
        return None
    return int(value)


def short_text(value: object) -> str:
    """The value as people may read it, at most a few hundred characters of it."""
    match value:
        case None:
            return ""
        case str() | int() | float():
            return str(value)[:500]
        case dict() if value:
            return f"an object with {', '.join(map(str, list(value)[:8]))}"[:500]
        case list() if value:
            return f"a list of {len(value)}"
        case _:
            return ""


def tells_failure(content: Mapping[str, object]) -> bool:
    """Whether an object that came behind a 200 is an error, in whichever of the usual shapes."""
    if content.get("error") or "error" in (content.get("object"), content.get("type")):
        return True
    if content.get("choices") or content.get("content") or content.get("delta"):
        return False
    told = isinstance(content.get("message"), str)
    return told or any(content.get(key) for key in ("detail", "code", "errors"))
