"""Every provider that asks a model: where it is built from, and how its server speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from shared.messages.item import FunctionCall
from shared.settings.providers import ProviderKind
from tests.conformance.providers.official_types import CHAT, MESSAGES
from workers.providers.outcome import FinishReason, Usage
from workers.providers.provider import Provider

Build = Callable[..., Provider]
"""Of a base URL, of bounds in seconds by their names in `Timeouts`, and of further settings."""


class Words(Protocol):
    """What a server of one wire format says; an event is its JSON."""

    finishes: Mapping[str, FinishReason]
    """Its own words for why a model stopped."""

    def piece(self, text: str) -> str:
        """An event with text."""

    def tool_call(self) -> str:
        """An event that calls a tool."""

    def calls(self, *calls: FunctionCall) -> list[str]:
        """The events that call tools side by side, each in pieces, and end."""

    def calls_at_once(self, *calls: FunctionCall) -> str:
        """The same in one body."""

    def thought(self, *pieces: str) -> list[str]:
        """The events of what a model thinks aloud, in pieces, with the mark of its maker."""

    def thought_in(self, message: Mapping[str, Any]) -> str:
        """What a model is told that it thought before this message of its own."""

    def closing(self, finish: str, usage: Usage | None) -> list[str]:
        """The last events: why the model stopped, the figures, the end."""

    def whole(self, text: str, finish: str, usage: Usage | None) -> str:
        """An answer in one body."""

    def error(self, message: str, *, code: str) -> str:
        """The body of a refusal, and the event of one in a stream."""


class OpenAIWords:
    finishes: Mapping[str, FinishReason] = {
        "stop": FinishReason.STOP,
        "length": FinishReason.LENGTH,
        "content_filter": FinishReason.CONTENT_FILTER,
    }

    def piece(self, text: str) -> str:
        return _json({"choices": [{"delta": {"content": text}}]})

    def tool_call(self) -> str:
        call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}
        return _json({"choices": [{"delta": {"tool_calls": [call]}}]})

    def calls(self, *calls: FunctionCall) -> list[str]:
        deltas: list[dict[str, object]] = [
            {"index": nth, **self._call(call, "")} for nth, call in enumerate(calls)
        ]
        for at in range(max(len(call.arguments) for call in calls)):
            for nth, call in enumerate(calls):
                piece = {"arguments": call.arguments[at : at + 1]}
                deltas.append({"index": nth, "function": piece})
        said = [_json({"choices": [{"delta": {"tool_calls": [each]}}]}) for each in deltas]
        return [*said, *self.closing("tool_calls", None)]

    def calls_at_once(self, *calls: FunctionCall) -> str:
        message = {"content": None, "tool_calls": [self._call(c, c.arguments) for c in calls]}
        return _json({"choices": [{"message": message, "finish_reason": "tool_calls"}]})

    def _call(self, call: FunctionCall, arguments: str) -> dict[str, object]:
        function = {"name": call.name, "arguments": arguments}
        return {"id": call.call_id, "type": "function", "function": function}

    def thought(self, *pieces: str) -> list[str]:
        parts = [{"type": "reasoning.text", "index": 0, "text": piece} for piece in pieces]
        parts.append({"type": "reasoning.text", "index": 0, "signature": "sig"})
        return [_json({"choices": [{"delta": {"reasoning_details": [part]}}]}) for part in parts]

    def thought_in(self, message: Mapping[str, Any]) -> str:
        (part,) = message["reasoning_details"]
        assert part == {**part, "type": "reasoning.text", "signature": "sig", "index": 0}
        return str(part["text"])

    def closing(self, finish: str, usage: Usage | None) -> list[str]:
        said = [_json({"choices": [{"delta": {}, "finish_reason": finish}]})]
        if usage is not None:
            said.append(_json({"choices": [], "usage": self._usage(usage)}))
        return [*said, "[DONE]"]

    def whole(self, text: str, finish: str, usage: Usage | None) -> str:
        choice = {"message": {"content": text}, "finish_reason": finish}
        return _json({"choices": [choice], **({"usage": self._usage(usage)} if usage else {})})

    def error(self, message: str, *, code: str) -> str:
        return _json({"error": {"message": message, "code": code}})

    def _usage(self, usage: Usage) -> dict[str, object]:
        return {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        }


class AnthropicWords:
    finishes: Mapping[str, FinishReason] = {
        "end_turn": FinishReason.STOP,
        "max_tokens": FinishReason.LENGTH,
        "refusal": FinishReason.CONTENT_FILTER,
    }

    def piece(self, text: str) -> str:
        return self._delta({"type": "text_delta", "text": text})

    def tool_call(self) -> str:
        block = {"type": "tool_use", "id": "1", "name": "f", "input": {}}
        return _json({"type": "content_block_start", "index": 0, "content_block": block})

    def calls(self, *calls: FunctionCall) -> list[str]:
        said: list[dict[str, object]] = []
        for nth, call in enumerate(calls):
            block = {"type": "tool_use", "id": call.call_id, "name": call.name, "input": {}}
            said.append(
                _json({"type": "content_block_start", "index": nth, "content_block": block})
            )
            for piece in ("", *call.arguments):
                delta = {"type": "input_json_delta", "partial_json": piece}
                said.append(_json({"type": "content_block_delta", "index": nth, "delta": delta}))
        return [*said, *self.closing("tool_use", None)]

    def calls_at_once(self, *calls: FunctionCall) -> str:
        content = [
            {
                "type": "tool_use",
                "id": call.call_id,
                "name": call.name,
                "input": msgspec.Raw(call.arguments.encode()),
            }
            for call in calls
        ]
        return _json({"type": "message", "content": content, "stop_reason": "tool_use"})

    def thought(self, *pieces: str) -> list[str]:
        block = {"type": "thinking", "thinking": "", "signature": ""}
        said = [_json({"type": "content_block_start", "index": 0, "content_block": block})]
        said += [self._delta({"type": "thinking_delta", "thinking": piece}) for piece in pieces]
        said.append(self._delta({"type": "signature_delta", "signature": "sig"}))
        return [*said, _json({"type": "content_block_stop", "index": 0})]

    def thought_in(self, message: Mapping[str, Any]) -> str:
        block = message["content"][0]
        assert block == {**block, "type": "thinking", "signature": "sig"}
        return str(block["thinking"])

    def closing(self, finish: str, usage: Usage | None) -> list[str]:
        figures = {"usage": self._usage(usage)} if usage else {}
        last = {"type": "message_delta", "delta": {"stop_reason": finish}, **figures}
        return [_json(last), _json({"type": "message_stop"})]

    def whole(self, text: str, finish: str, usage: Usage | None) -> str:
        content = [{"type": "text", "text": text}]
        figures = {"usage": self._usage(usage)} if usage else {}
        return _json({"type": "message", "content": content, "stop_reason": finish, **figures})

    def error(self, message: str, *, code: str) -> str:
        return _json({"type": "error", "error": {"type": code, "message": message}})

    def _delta(self, delta: dict[str, str]) -> str:
        return _json({"type": "content_block_delta", "index": 0, "delta": delta})

    def _usage(self, usage: Usage) -> dict[str, int]:
        return {
            "input_tokens": usage.input_tokens - usage.cached_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_input_tokens": usage.cached_tokens,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    kind: ProviderKind
    words: Words
    base_path: str = ""
    """Behind the root of the server."""
    path: str
    """Where the model `small` is asked, its query too."""
    key: tuple[str, str]
    """The header that carries the key `sk-test`."""
    keeps_connection: bool = True
    official: Any = CHAT
    """The type of its own client for a request."""


_BEARER = ("Authorization", "Bearer sk-test")
ADAPTERS = {
    each.kind: each
    for each in (
        Adapter(
            kind=ProviderKind.OPENAI_COMPATIBLE,
            words=OpenAIWords(),
            base_path="/v1",
            path="/v1/chat/completions",
            key=_BEARER,
        ),
        Adapter(
            kind=ProviderKind.AZURE_OPENAI,
            words=OpenAIWords(),
            path="/openai/deployments/small/chat/completions?api-version=2024-10-21",
            key=("api-key", "sk-test"),
        ),
        Adapter(
            kind=ProviderKind.ANTHROPIC,
            words=AnthropicWords(),
            path="/v1/messages",
            key=("x-api-key", "sk-test"),
            official=MESSAGES,
        ),
        Adapter(
            kind=ProviderKind.LOCAL,
            words=OpenAIWords(),
            base_path="/v1",
            path="/v1/chat/completions",
            key=_BEARER,
            keeps_connection=False,
        ),
    )
}
"""A model's kind that is missing here is one that nobody tests."""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
