"""What holds between the items of one message: calls, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from shared.errors import InvalidRequest, TooLarge
from shared.messages.body import Body
from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, are_only_text
from shared.messages.part import FilePart, ImagePart, Part
from shared.messages.requests.images import file_fault, image_fault, is_web_address

TEXT_LIMIT_BYTES: Final = 1_048_576
LARGEST_OUTPUT_TOKENS: Final = 10_000_000
Place = Callable[[int], str]
"""How callers know an item, by its index."""


def check_items(items: Sequence[Item], place: Place, *, continues: bool) -> None:
    """Raises InvalidRequest naming the first item that no provider could be given, by its place.

    What `continues` an earlier message may have outputs of calls that stand there.
    """
    if are_only_text(items):
        return
    _check_calls(items, place, continues=continues)
    check_each(items, place)


def check_each(items: Sequence[Item], place: Place) -> None:
    """The same of each by itself, whatever stands before and after it."""
    for index, item in enumerate(items):
        _check_parts(item, place(index))
        if isinstance(item, FunctionCall):
            _check_arguments(item, place(index))


def check_text(body: Body, size_bytes: int, place: Place, *, limit_bytes: int) -> None:
    """Raises TooLarge for a body of `size_bytes` that has more text than that, naming the longest.

    Images and files in base64 are no text.
    """
    if size_bytes <= limit_bytes or size_bytes - body.attached_bytes() <= limit_bytes:
        return
    lengths = {place(index): len(item.text()) for index, item in enumerate(body.input)}
    lengths["tools"] = len(msgspec.json.encode(body.tools or ()))
    lengths["instructions"] = len(body.instructions or "")
    longest = max(lengths, key=lengths.__getitem__)
    raise TooLarge(
        f"Without its images and files the body is larger than {limit_bytes} bytes, the limit "
        f"for text ('ingress.text_limit_bytes'). '{longest}' is the longest of it: shorten it.",
        param=longest,
        kind="request_too_large",
    )


def _check_calls(items: Sequence[Item], place: Place, *, continues: bool) -> None:
    calls, answered = dict[str, int](), set[str]()
    for index, item in enumerate(items):
        if isinstance(item, FunctionCall):
            if item.call_id in calls:
                raise _refused(place(index), f"repeats the call_id '{item.call_id[:64]}'", "Rename")
            calls[item.call_id] = index
        elif isinstance(item, FunctionCallOutput):
            if item.call_id in answered:
                raise _refused(
                    place(index), f"answers the call '{item.call_id[:64]}' once more", "Remove"
                )
            if item.call_id not in calls and not continues:
                raise _refused(
                    place(index),
                    f"answers the call '{item.call_id[:64]}', which does not stand before it",
                    "Send the call, or remove",
                )
            answered.add(item.call_id)
    for call_id, index in calls.items():
        if call_id not in answered:
            raise _refused(
                place(index),
                f"is the call '{call_id[:64]}', and no output of it follows",
                "Send the output, or remove",
            )


def _check_arguments(call: FunctionCall, place: str) -> None:
    """Without arguments some models write nothing at all."""
    try:
        msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise _refused(place, "has arguments that are no JSON", "Mend") from None


def _check_parts(item: Item, place: str) -> None:
    if isinstance(item, MessageItem):
        content, name = item.content, "content"
    elif isinstance(item, FunctionCallOutput):
        content, name = item.output, "output"
    else:
        return
    for nth, part in enumerate(content):
        if not isinstance(part, str):
            check_part(part, f"{place}.{name}[{nth}]")


def check_part(part: Part, place: str) -> None:
    """Raises InvalidRequest naming the place of an image or a file that can be none."""
    if isinstance(part, ImagePart):
        fault = image_fault(part)
    elif isinstance(part, FilePart):
        fault = _file_fault(part)
    else:
        return
    if fault is not None:
        raise _refused(place, fault, "Mend")


def _file_fault(part: FilePart) -> str | None:
    given = [part.file_id, part.file_url, part.file_data]
    if given.count(None) != len(given) - 1:
        return "must have one of file_id, file_url and file_data"
    if part.file_url is not None:
        return None if is_web_address(part.file_url) else "has a file_url that is no http(s) URL"
    return None if part.file_data is None else file_fault(part.file_data)


def _refused(place: str, fault: str, then: str) -> InvalidRequest:
    return InvalidRequest(f"'{place}' {fault}. {then} it.", param=place)
