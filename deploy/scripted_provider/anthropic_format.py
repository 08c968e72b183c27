"""Anthropic's messages, as a server writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from deploy.scripted_provider.answering import ReplyCall, ScriptedReply, tokens_of
from deploy.scripted_provider.anthropic_demands import SIGNATURE
from deploy.scripted_provider.call import ScriptedCall

_SERVED = {"auto": "standard", "standard_only": "standard"}
_encode = msgspec.json.encode


class AnthropicFormat:
    """Renders one call's reply; whole, or as the events of a stream."""

    def __init__(self, call: ScriptedCall, body: dict[str, Any], *, number: int) -> None:  # noqa: ARG002
        self._place = 0
        """Of the block of text."""
        tier = call.service_tier
        self._tier = {} if tier is None else {"service_tier": _SERVED.get(tier, tier)}
        self._head = {
            "id": f"msg_scripted{number}",
            "type": "message",
            "role": "assistant",
            "model": call.model,
        }

    def whole(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        content: dict[str, object] = {
            **self._head,
            "content": [*_thought(reply), *_text(reply), *map(_use, reply.calls)],
            "stop_reason": _stop_reason(reply),
            "stop_sequence": None,
        }
        if with_usage:
            usage = _usage(reply, output_tokens=reply.output_tokens)
            content["usage"] = {**usage, **self._tier}
        return _encode(content)

    def opening(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        message: dict[str, object] = {
            **self._head,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }
        if with_usage:
            message["usage"] = {**_usage(reply, output_tokens=1), **self._tier}
        self._place = int(bool(reply.thought))
        block = {"type": "text", "text": ""}
        begins = _event("content_block_start", {"index": self._place, "content_block": block})
        return (
            _event("message_start", {"message": message})
            + b"".join(_streamed_thought(reply))
            + (begins if _has_text_block(reply) else b"")
            + _event("ping", {})
        )

    def token(self, text: str) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return _event("content_block_delta", {"index": self._place, "delta": delta})

    def closing(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        delta = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
        usage = {"usage": {"output_tokens": reply.output_tokens}} if with_usage else {}
        has_text = _has_text_block(reply)
        first = self._place + has_text
        uses = (_streamed(call, index) for index, call in enumerate(reply.calls, start=first))
        return (
            (_event("content_block_stop", {"index": self._place}) if has_text else b"")
            + b"".join(uses)
            + _event("message_delta", {"delta": delta, **usage})
            + _event("message_stop", {})
        )

    def error_event(self, message: str) -> bytes:
        return _event("error", {"error": {"type": "overloaded_error", "message": message}})

    @staticmethod
    def error(status: int, *, kind: str, message: str, code: str | None) -> bytes:  # noqa: ARG004
        kind = _KINDS.get(status, "api_error")
        return _encode({"type": "error", "error": {"type": kind, "message": message}})


_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def _event(name: str, content: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode({"type": name, **content}))


def _stop_reason(reply: ScriptedReply) -> str:
    return "max_tokens" if reply.is_cut_by_limit else "tool_use" if reply.calls else "end_turn"


def _text(reply: ScriptedReply) -> list[dict[str, object]]:
    return [{"type": "text", "text": reply.text}] if reply.tokens else []


def _thought(reply: ScriptedReply) -> list[dict[str, object]]:
    if not reply.thought:
        return []
    return [{"type": "thinking", "thinking": reply.thought, "signature": SIGNATURE}]


def _streamed_thought(reply: ScriptedReply) -> Iterator[bytes]:
    if not reply.thought:
        return
    block = {"type": "thinking", "thinking": "", "signature": ""}
    yield _event("content_block_start", {"index": 0, "content_block": block})
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in tokens_of(reply.thought)]
    for delta in [*deltas, {"type": "signature_delta", "signature": SIGNATURE}]:
        yield _event("content_block_delta", {"index": 0, "delta": delta})
    yield _event("content_block_stop", {"index": 0})


def _has_text_block(reply: ScriptedReply) -> bool:
    return bool(reply.tokens) or not reply.calls


def _use(call: ReplyCall) -> dict[str, object]:
    arguments = msgspec.Raw(call.arguments.encode())
    return {"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": arguments}


def _streamed(call: ReplyCall, index: int) -> bytes:
    """Its block, and its arguments in two halves."""
    middle = len(call.arguments) // 2
    halves = (call.arguments[:middle], call.arguments[middle:])
    begun = {"index": index, "content_block": {**_use(call), "input": {}}}
    deltas = ({"type": "input_json_delta", "partial_json": half} for half in halves)
    return (
        _event("content_block_start", begun)
        + b"".join(_event("content_block_delta", {"index": index, "delta": d}) for d in deltas)
        + _event("content_block_stop", {"index": index})
    )


def _usage(reply: ScriptedReply, *, output_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": reply.input_tokens,
        "output_tokens": output_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }
