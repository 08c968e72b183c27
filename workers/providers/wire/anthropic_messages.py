"""Anthropic's messages, as far as we read them; what we do not need may be of any shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final, Literal, assert_never

import msgspec

from workers.providers.wire.loose_json import (
    LARGEST_NUMBER,
    elements,
    mapping,
    number_in,
    size_of,
    text_in,
)
from workers.providers.wire.reading import (
    END,
    NOT_REPORTED,
    NOTHING,
    CallPiece,
    EventReading,
    Figures,
    ThoughtPiece,
    WireFormat,
    first_number,
)

_THOUGHTS = ("thinking", "redacted_thinking")
_FIELDS_OF_THOUGHTS = ("type", "thinking", "signature", "data")
_TOOLS = ("tool_use", "server_tool_use")


_Count = Annotated[int, msgspec.Meta(ge=0, lt=LARGEST_NUMBER)]


class _ThinkingDetails(msgspec.Struct):
    thinking_tokens: _Count | None = None


class _MessageUsage(msgspec.Struct):
    output_tokens: _Count
    input_tokens: _Count | None = None
    cache_read_input_tokens: _Count | None = None
    cache_creation_input_tokens: _Count | None = None
    output_tokens_details: _ThinkingDetails | None = None


class _UsualEvent(msgspec.Struct, tag_field="type", kw_only=True):
    """An event as nearly all are; one that tells a failure is none."""

    object: None = None
    error: None = None
    detail: None = None
    code: None = None
    errors: None = None


class _EmptyMessage(msgspec.Struct):
    model: str
    usage: _MessageUsage
    content: Annotated[list[object], msgspec.Meta(max_length=0)] = []
    stop_reason: None = None


class _Start(_UsualEvent, tag="message_start"):
    message: _EmptyMessage


class _TextDelta(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["text_delta"]
    text: str


class _TextEvent(_UsualEvent, tag="content_block_delta"):
    delta: _TextDelta


class _StopReason(msgspec.Struct):
    stop_reason: str | None = None


class _End(_UsualEvent, tag="message_delta"):
    usage: _MessageUsage
    delta: _StopReason
    message: None = None


class _Close(_UsualEvent, tag="message_stop"):
    message: None = None


_USUAL: Final = msgspec.json.Decoder(_Start | _TextEvent | _End | _Close)


class AnthropicMessagesReader(WireFormat):
    """Reads `message` objects and the events of their streams."""

    def read_usual(self, data: str) -> EventReading | None:
        try:
            event = _USUAL.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        match event:
            case _TextEvent():
                return EventReading(text=event.delta.text)
            case _Start(message=begun):
                figures = _at_the_start(_usual_figures(begun.usage))
                return EventReading(model=begun.model, figures=figures)
            case _End():
                finish = event.delta.stop_reason or ""
                return EventReading(finish=finish, figures=_usual_figures(event.usage))
            case _Close():
                return END
            case _:
                assert_never(event)

    def read_event(self, event: Mapping[str, object]) -> EventReading | None:
        match event.get("type"):
            case "message_start":
                return _beginning(event.get("message"))
            case "content_block_start":
                return _blocks([event.get("content_block")], first=_place(event))
            case "content_block_delta":
                return _delta(event.get("delta"), place=_place(event))
            case "message_delta":
                return _message_delta(event)
            case "message_stop":
                return END
            case str():
                return NOTHING
            case _:
                return None

    def read_whole(self, body: Mapping[str, object]) -> EventReading | None:
        return _message(body) if isinstance(body.get("content"), str | list) else None


def _beginning(value: object) -> EventReading:
    reading = _message(value)
    if reading.figures is NOT_REPORTED:
        return reading
    return msgspec.structs.replace(reading, figures=_at_the_start(reading.figures))


def _at_the_start(figures: Figures) -> Figures:
    """What is said to be written is 1 then, however much follows."""
    return replace(figures, output=None)


def _message(value: object) -> EventReading:
    message = mapping(value)
    content, stop = message.get("content"), message.get("stop_reason")
    blocks = _blocks([content] if isinstance(content, str) else elements(content))
    return EventReading(
        text=blocks.text,
        thought_size=blocks.thought_size,
        model=text_in(message.get("model")),
        finish=text_in(stop),
        figures=_figures(mapping(message.get("usage"))),
        calls=blocks.calls,
        thoughts=blocks.thoughts,
        is_odd=blocks.is_odd or not isinstance(stop, str | None) or not isinstance(value, dict),
    )


def _place(event: Mapping[str, object]) -> int:
    return number_in(event.get("index")) or 0


def _blocks(blocks: list[object], *, first: int = 0) -> EventReading:
    placed = [(mapping(block), place) for place, block in enumerate(blocks, start=first)]
    thoughts = [each for each in placed if each[0].get("type") in _THOUGHTS]
    calls = [each for each in placed if each[0].get("type") in _TOOLS]
    return EventReading(
        text=text_in(blocks),
        thought_size=size_of([block for block, _ in thoughts]),
        thoughts=tuple([_thought(*each) for each in thoughts]),
        calls=tuple([_call(*each) for each in calls]),
        is_odd=any(not isinstance(block, dict) for block in blocks),
    )


def _thought(block: Mapping[str, object], place: int) -> ThoughtPiece:
    fields = {
        name: value for name in _FIELDS_OF_THOUGHTS if isinstance(value := block.get(name), str)
    }
    return ThoughtPiece(place, fields, text_in(block.get("thinking")))


def _call(block: Mapping[str, object], place: int) -> CallPiece:
    """In a stream its input is empty here, and comes in pieces of JSON."""
    given = mapping(block.get("input"))
    return CallPiece(
        place=place,
        call_id=text_in(block.get("id")),
        name=text_in(block.get("name")),
        arguments=msgspec.json.encode(given).decode() if given else "",
    )


def _delta(value: object, *, place: int) -> EventReading:
    delta = mapping(value)
    text, arguments = delta.get("text"), delta.get("partial_json")
    is_thought = "thinking" in delta or "signature" in delta
    return EventReading(
        text=text if isinstance(text, str) else "",
        thought_size=size_of(delta.get("thinking") or ""),
        thoughts=(_thought({**delta, "type": None}, place),) if is_thought else (),
        calls=(CallPiece(place, arguments=text_in(arguments)),) if arguments else (),
        is_odd=not isinstance(value, dict) or not isinstance(text, str | None),
    )


def _message_delta(event: Mapping[str, object]) -> EventReading:
    delta = event.get("delta")
    stop = mapping(delta).get("stop_reason")
    return EventReading(
        finish=text_in(stop),
        figures=_figures(mapping(event.get("usage"))),
        is_odd=not isinstance(delta, dict | None) or not isinstance(stop, str | None),
    )


def _usual_figures(usage: _MessageUsage) -> Figures:
    details = usage.output_tokens_details
    return Figures(
        input=usage.input_tokens,
        output=usage.output_tokens,
        cached=usage.cache_read_input_tokens,
        cache_write=usage.cache_creation_input_tokens,
        reasoning=details.thinking_tokens if details else None,
        counts_cache_apart=True,
    )


def _figures(usage: Mapping[str, object]) -> Figures:
    """On the wire what came from the cache, and what went into it, is counted apart."""
    if not usage:
        return NOT_REPORTED
    return Figures(
        input=first_number(usage, "input_tokens"),
        output=first_number(usage, "output_tokens"),
        cached=first_number(usage, "cache_read_input_tokens"),
        cache_write=first_number(usage, "cache_creation_input_tokens"),
        reasoning=first_number(usage, "output_tokens_details.thinking_tokens"),
        counts_cache_apart=True,
    )
