"""OpenAI's chat completions, as far as we read them.

Servers differ. What we do not need may be missing, null or of any shape; what we do need and cannot
read is left out, and the answer says that it was odd.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from workers.providers.wire.incoming_logprobs import token_logprobs
from workers.providers.wire.loose_json import (
    LARGEST_NUMBER,
    elements,
    mapping,
    number_in,
    size_of,
    text_in,
)
from workers.providers.wire.reading import (
    NOT_REPORTED,
    CallPiece,
    EventReading,
    Figures,
    ThoughtPiece,
    WireFormat,
    cost_in,
    first_number,
)

_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
_THOUGHT_TEXTS = ("reasoning_content", "reasoning")
PARTS_OF_THOUGHT: Final = ("type", "id", "format", "index", "text", "summary", "data", "signature")
"""What a part of `reasoning_details` may hold."""
_KNOWN = frozenset({"choices", "usage", "id", "object", "model", "created"})


_Count = Annotated[int, msgspec.Meta(ge=0, lt=LARGEST_NUMBER)]


class _Delta(msgspec.Struct, forbid_unknown_fields=True):
    role: str | None = None
    content: str | None = None
    refusal: None = None
    reasoning_content: None = None
    tool_calls: None = None


class _Choice(msgspec.Struct):
    delta: _Delta
    finish_reason: str | None = None
    logprobs: None = None


class _InputDetails(msgspec.Struct, forbid_unknown_fields=True):
    cached_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None
    audio_tokens: object = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: _Count | None = None


class _Usage(msgspec.Struct, forbid_unknown_fields=True):
    prompt_tokens: _Count
    completion_tokens: _Count
    total_tokens: object = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None


class _UsualChunk(msgspec.Struct):
    """A chunk as nearly every server writes nearly all of them; one that tells a failure is none.

    Whatever is not named here is not read by `read_event` either, where there are choices.
    """

    choices: list[_Choice]
    model: str | None = None
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    usage: _Usage | None = None
    service_tier: str | None = None
    type: None = None
    error: None = None
    detail: None = None
    code: None = None
    errors: None = None
    message: None = None


_USUAL_CHUNK: Final = msgspec.json.Decoder(_UsualChunk)


class ChatCompletionsReader(WireFormat):
    """Reads `chat.completion` and `chat.completion.chunk` objects; only their first choice."""

    def read_usual(self, data: str) -> EventReading | None:
        try:
            chunk = _USUAL_CHUNK.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        text = finish = None
        if chunk.choices:
            choice = chunk.choices[0]
            text, finish = choice.delta.content, choice.finish_reason
        if chunk.usage is None:
            return EventReading(text=text or "", model=chunk.model or "", finish=finish or "")
        return EventReading(
            text=text or "",
            model=chunk.model or "",
            finish=finish or "",
            figures=_usual_figures(chunk.usage, tier=chunk.service_tier),
        )

    def read_event(self, event: Mapping[str, object]) -> EventReading | None:
        return None if _KNOWN.isdisjoint(event) else _reading(event, said_in="delta")

    def read_whole(self, body: Mapping[str, object]) -> EventReading | None:
        if not mapping(next(iter(elements(body.get("choices"))), None)).get("message"):
            return None
        return _reading(body, said_in="message")


def _reading(content: Mapping[str, object], *, said_in: str) -> EventReading:
    choices = content.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    choice = mapping(first)
    message, finish = choice.get(said_in), choice.get("finish_reason")
    said = mapping(message)
    written = said.get("content")
    text = text_in(written) or text_in(said.get("refusal"))
    return EventReading(
        text=text,
        thought_size=_thought_size(said, written),
        model=text_in(content.get("model")),
        finish=text_in(finish),
        figures=_figures(mapping(content.get("usage")), tier=content.get("service_tier")),
        calls=_calls(said),
        thoughts=_thoughts(said),
        logprobs=token_logprobs(told) if (told := choice.get("logprobs")) else (),
        is_odd=(
            not isinstance(choices, list | None)
            or not isinstance(first, dict)
            or not isinstance(message, dict | None)
            or not isinstance(finish, str | None)
            or not isinstance(written, str | list | None)
        ),
    )


def _calls(said: Mapping[str, object]) -> tuple[CallPiece, ...]:
    calls = elements(said.get("tool_calls"))
    if not calls and (old := said.get("function_call")):
        calls = [{"function": old}]
    return tuple(_call(mapping(call), nth) for nth, call in enumerate(calls))


def _call(call: Mapping[str, object], nth: int) -> CallPiece:
    """A whole answer does not number its calls: they are told apart by their order."""
    function, place = mapping(call.get("function")), number_in(call.get("index"))
    arguments = function.get("arguments")
    return CallPiece(
        place=nth if place is None else place,
        call_id=text_in(call.get("id")),
        name=text_in(function.get("name")),
        # Ollama's own spelling: the object itself.
        arguments=text_in(arguments) if not isinstance(arguments, dict) else _json(arguments),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _thoughts(said: Mapping[str, object]) -> tuple[ThoughtPiece, ...]:
    """Some servers say the same twice, as a text and in parts: the parts are given back."""
    named = next(((name, said[name]) for name in _THOUGHT_TEXTS if said.get(name)), None)
    name, text = named or ("", "")
    parts = [mapping(part) for part in elements(said.get("reasoning_details"))]
    if not parts:
        return (ThoughtPiece(0, {name: text_in(text)}, text_in(text)),) if text_in(text) else ()
    pieces = [_thought(part, nth) for nth, part in enumerate(parts)]
    if text_in(text):
        pieces = [msgspec.structs.replace(piece, text="") for piece in pieces]
        pieces[0] = msgspec.structs.replace(pieces[0], text=text_in(text))
    return tuple(pieces)


def _thought(part: Mapping[str, object], nth: int) -> ThoughtPiece:
    fields = {name: value for name in PARTS_OF_THOUGHT if _is_plain(value := part.get(name))}
    place = number_in(part.get("index"))
    told = text_in(part.get("text")) or text_in(part.get("summary"))
    return ThoughtPiece(nth if place is None else place, fields, told)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int)


def _thought_size(said: Mapping[str, object], written: object) -> int:
    for name in _THOUGHTS:
        if thought := said.get(name):
            return size_of(thought)
    if not isinstance(written, list):
        return 0
    # Some models put their thoughts among the parts of the content.
    return size_of([part for part in written if not text_in([part])])


def _usual_figures(usage: _Usage, *, tier: str | None) -> Figures:
    details, written = usage.prompt_tokens_details, usage.completion_tokens_details
    return Figures(
        input=usage.prompt_tokens,
        output=usage.completion_tokens,
        cached=details.cached_tokens if details else None,
        cache_write=details.cache_write_tokens if details else None,
        reasoning=written.reasoning_tokens if written else None,
        tier=tier or "",
    )


def _figures(usage: Mapping[str, object], *, tier: object) -> Figures:
    if not usage:
        return NOT_REPORTED
    return Figures(
        input=first_number(usage, "prompt_tokens", "input_tokens"),
        output=first_number(usage, "completion_tokens", "output_tokens"),
        cached=first_number(
            usage,
            "prompt_tokens_details.cached_tokens",
            "input_tokens_details.cached_tokens",
            "prompt_cache_hit_tokens",
            "cached_tokens",
        ),
        cache_write=first_number(usage, "prompt_tokens_details.cache_write_tokens"),
        reasoning=first_number(
            usage,
            "completion_tokens_details.reasoning_tokens",
            "output_tokens_details.reasoning_tokens",
        ),
        cost=cost_in(usage.get("cost")),
        tier=text_in(tier),
    )
