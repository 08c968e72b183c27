"""OpenAI's chat completions, as a server writes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from deploy.scripted_provider.answering import ReplyCall, ScriptedReply, tokens_of
from deploy.scripted_provider.call import ScriptedCall

_encode = msgspec.json.encode
_SERVED = {"auto": "default"}
_END = b"data: [DONE]\n\n"


class OpenAIFormat:
    """Renders one call's reply; whole, or as the events of a stream."""

    def __init__(self, call: ScriptedCall, body: dict[str, Any], *, number: int) -> None:
        self._head = {
            "id": f"chatcmpl-scripted{number}",
            "created": int(time.time()),
            "model": call.model,
        }
        if call.service_tier is not None:
            self._head["service_tier"] = _SERVED.get(call.service_tier, call.service_tier)
        options = body.get("stream_options") or {}
        self._wants_usage = bool(options.get("include_usage"))
        self._others = int(body.get("top_logprobs") or 0) if body.get("logprobs") else None

    def whole(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        content: dict[str, object] = {
            **self._head,
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "message": _message(reply),
                    "logprobs": self._logprobs(reply.tokens),
                    "finish_reason": _finish_reason(reply),
                }
            ],
        }
        if with_usage:
            content["usage"] = _usage(reply)
        return _encode(content)

    def opening(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:  # noqa: ARG002
        begun = self._chunk({"role": "assistant", "content": ""})
        thoughts = tokens_of(reply.thought)
        return begun + b"".join(self._chunk({"reasoning_content": each}) for each in thoughts)

    def token(self, text: str) -> bytes:
        return self._chunk({"content": text}, logprobs=self._logprobs([text]))

    def closing(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        calls = b"".join(self._chunk({"tool_calls": [each]}) for each in _pieces(reply))
        last = calls + self._chunk({}, finish_reason=_finish_reason(reply))
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

    def _chunk(
        self,
        delta: dict[str, object],
        *,
        finish_reason: str | None = None,
        logprobs: dict[str, object] | None = None,
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        return _event({**self._chunk_head(), "choices": [choice]})

    def _logprobs(self, tokens: list[str]) -> dict[str, object] | None:
        """Where they are asked for; beside each token stand itself and longer ones."""
        if self._others is None:
            return None
        return {"content": [_weighed(token, self._others) for token in tokens], "refusal": None}


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + _encode(content) + b"\n\n"


def _weighed(token: str, others: int) -> dict[str, object]:
    likely = [
        {"token": text, "logprob": -0.5 - nth, "bytes": list(text.encode())}
        for nth, text in enumerate(f"{token}{'x' * nth}" for nth in range(others))
    ]
    return {
        "token": token,
        "logprob": -0.5,
        "bytes": list(token.encode()),
        "top_logprobs": likely,
    }


def _finish_reason(reply: ScriptedReply) -> str:
    return "length" if reply.is_cut_by_limit else "tool_calls" if reply.calls else "stop"


def _message(reply: ScriptedReply) -> dict[str, object]:
    text = reply.text or (None if reply.calls else "")
    message: dict[str, object] = {"role": "assistant", "content": text, "refusal": None}
    if reply.thought:
        message["reasoning_content"] = reply.thought
    if reply.calls:
        message["tool_calls"] = [_head(call, call.arguments) for call in reply.calls]
    return message


def _pieces(reply: ScriptedReply) -> Iterator[dict[str, object]]:
    """Of each call its head, and then its arguments in two halves."""
    for index, call in enumerate(reply.calls):
        middle = len(call.arguments) // 2
        yield {"index": index, **_head(call, "")}
        for half in (call.arguments[:middle], call.arguments[middle:]):
            yield {"index": index, "function": {"arguments": half}}


def _head(call: ReplyCall, arguments: str) -> dict[str, object]:
    function = {"name": call.name, "arguments": arguments}
    return {"id": f"call_{call.id}", "type": "function", "function": function}


def _usage(reply: ScriptedReply) -> dict[str, object]:
    output_tokens, thought = reply.output_tokens, len(tokens_of(reply.thought))
    details = {"completion_tokens_details": {"reasoning_tokens": thought}} if thought else {}
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": reply.input_tokens + output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
        **details,
    }
