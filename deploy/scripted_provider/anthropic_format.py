"""Anthropic's messages, as a server writes them."""

from __future__ import annotations

from typing import Any

import msgspec

from deploy.scripted_provider.answering import ScriptedReply
from deploy.scripted_provider.call import ScriptedCall

_encode = msgspec.json.encode


class AnthropicFormat:
    """Renders one call's reply; whole, or as the events of a stream."""

    def __init__(self, call: ScriptedCall, body: dict[str, Any], *, number: int) -> None:  # noqa: ARG002
        self._head = {
            "id": f"msg_scripted{number}",
            "type": "message",
            "role": "assistant",
            "model": call.model,
        }

    def whole(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        content: dict[str, object] = {
            **self._head,
            "content": [{"type": "text", "text": reply.text}] if reply.tokens else [],
            "stop_reason": _stop_reason(reply),
            "stop_sequence": None,
        }
        if with_usage:
            content["usage"] = _usage(reply, output_tokens=len(reply.tokens))
        return _encode(content)

    def opening(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        message: dict[str, object] = {
            **self._head,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }
        if with_usage:
            message["usage"] = _usage(reply, output_tokens=1)
        block = {"type": "text", "text": ""}
        return (
            _event("message_start", {"message": message})
            + _event("content_block_start", {"index": 0, "content_block": block})
            + _event("ping", {})
        )

    def token(self, text: str) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return _event("content_block_delta", {"index": 0, "delta": delta})

    def closing(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        delta = {"stop_reason": _stop_reason(reply), "stop_sequence": None}
        usage = {"usage": {"output_tokens": len(reply.tokens)}} if with_usage else {}
        return (
            _event("content_block_stop", {"index": 0})
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
    return "max_tokens" if reply.is_cut_by_limit else "end_turn"


def _usage(reply: ScriptedReply, *, output_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": reply.input_tokens,
        "output_tokens": output_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }
