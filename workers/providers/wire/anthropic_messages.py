"""Anthropic's messages, as far as we read them; what we do not need may be of any shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

import msgspec

from workers.providers.wire.loose_json import elements, mapping, number_in, size_of, text_in
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

_THOUGHTS = frozenset({"thinking", "redacted_thinking"})
_FIELDS_OF_THOUGHTS = ("type", "thinking", "signature", "data")
_TOOLS = frozenset({"tool_use", "server_tool_use"})


class _TextDelta(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["text_delta"]
    text: str


class _TextEvent(msgspec.Struct):
    """A piece of text and nothing else; one that tells a failure is none."""

    type: Literal["content_block_delta"]
    delta: _TextDelta
    object: None = None
    error: None = None


_TEXT_EVENT: Final = msgspec.json.Decoder(_TextEvent)


class AnthropicMessagesReader(WireFormat):
    """Reads `message` objects and the events of their streams."""

    def read_usual(self, data: str) -> EventReading | None:
        try:
            return EventReading(text=_TEXT_EVENT.decode(data).delta.text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None

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
    """Its count of what is written is one of the beginning: 1, however much follows."""
    reading = _message(value)
    if reading.figures is NOT_REPORTED:
        return reading
    figures = replace(reading.figures, output=None)
    return msgspec.structs.replace(reading, figures=figures)


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
    kinds = [mapping(block).get("type") for block in blocks]
    thoughts = [block for block, kind in zip(blocks, kinds, strict=True) if _is_in(kind, _THOUGHTS)]
    return EventReading(
        text=text_in(blocks),
        thought_size=size_of(thoughts),
        thoughts=tuple(
            _thought(mapping(block), place)
            for place, block in enumerate(blocks, start=first)
            if _is_in(mapping(block).get("type"), _THOUGHTS)
        ),
        calls=tuple(
            _call(mapping(block), place)
            for place, block in enumerate(blocks, start=first)
            if _is_in(mapping(block).get("type"), _TOOLS)
        ),
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


def _is_in(kind: object, kinds: frozenset[str]) -> bool:
    return isinstance(kind, str) and kind in kinds
