"""OpenAI's chat completions, as a server writes them."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from deploy.scripted_provider.answering import ScriptedReply
from deploy.scripted_provider.call import ScriptedCall

_encode = msgspec.json.encode
_END = b"data: [DONE]\n\n"


class OpenAIFormat:
    """Renders one call's reply; whole, or as the events of a stream."""

    def __init__(self, call: ScriptedCall, body: dict[str, Any], *, number: int) -> None:
        self._head = {
            "id": f"chatcmpl-scripted{number}",
            "created": int(time.time()),
            "model": call.model,
        }
        options = body.get("stream_options") or {}
        self._wants_usage = bool(options.get("include_usage"))

    def whole(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        content: dict[str, object] = {
            **self._head,
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": reply.text, "refusal": None},
                    "logprobs": None,
                    "finish_reason": _finish_reason(reply),
                }
            ],
        }
        if with_usage:
            content["usage"] = _usage(reply)
        return _encode(content)

    def opening(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:  # noqa: ARG002
        return self._chunk({"role": "assistant", "content": ""})

    def token(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def closing(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        last = self._chunk({}, finish_reason=_finish_reason(reply))
        if not (self._wants_usage and with_usage):
            return last + _END
        usage = {**self._chunk_head(), "choices": [], "usage": _usage(reply)}
        return last + _event(usage) + _END

    def error_event(self, message: str) -> bytes:
        return _event({"error": {"message": message, "type": "server_error", "code": 500}})

    @staticmethod
    def error(status: int, *, kind: str, message: str, code: str | None) -> bytes:  # noqa: ARG004
        return _encode({"error": {"message": message, "type": kind, "param": None, "code": code}})

    def _chunk_head(self) -> dict[str, object]:
        return {**self._head, "object": "chat.completion.chunk"}

    def _chunk(self, delta: dict[str, str], *, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _event({**self._chunk_head(), "choices": [choice]})


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + _encode(content) + b"\n\n"


def _finish_reason(reply: ScriptedReply) -> str:
    return "length" if reply.is_cut_by_limit else "stop"


def _usage(reply: ScriptedReply) -> dict[str, object]:
    output_tokens = len(reply.tokens)
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": reply.input_tokens + output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
