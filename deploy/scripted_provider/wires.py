"""The wire formats: how a body is read, what is wrong with it, who writes its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from deploy.scripted_provider.anthropic_demands import anthropic_fault, breakpoints_in
from deploy.scripted_provider.anthropic_format import AnthropicFormat
from deploy.scripted_provider.call import ScriptedCall, Wire
from deploy.scripted_provider.embeddings import EmbeddingFormat, as_messages, embeddings_fault
from deploy.scripted_provider.openai_demands import openai_fault
from deploy.scripted_provider.openai_format import OpenAIFormat
from deploy.scripted_provider.request import (
    images_of,
    instructions_of,
    last_user_text,
    outputs_of,
    tools_of,
)
from deploy.scripted_provider.sampled_call import sampled_call

_KEY_HEADERS = frozenset({"authorization", "x-api-key", "api-key"})
FORMATS: dict[Wire, type[OpenAIFormat] | type[AnthropicFormat]] = {
    Wire.OPENAI: OpenAIFormat,
    Wire.ANTHROPIC: AnthropicFormat,
    Wire.EMBEDDINGS: EmbeddingFormat,
}
_DEMANDS: dict[Wire, Callable[[dict[str, Any]], str | None]] = {
    Wire.OPENAI: openai_fault,
    Wire.ANTHROPIC: anthropic_fault,
    Wire.EMBEDDINGS: embeddings_fault,
}


def decoded(content: bytes, wire: Wire) -> dict[str, Any] | str:
    """The request's body, or what is wrong with it."""
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "the body is not JSON"
    return decoded_object(body, wire)


def decoded_object(body: object, wire: Wire) -> dict[str, Any] | str:
    """A body that was JSON, or what is wrong with it."""
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        return "model: a string is required"
    if wire is Wire.EMBEDDINGS:
        body = as_messages(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(item, dict) for item in messages):
        field = "input" if wire is Wire.EMBEDDINGS else "messages"
        return f"{field}: a list of objects or texts is required"
    read: dict[str, Any] = body
    return read


def fault_in(body: dict[str, Any], wire: Wire) -> str | None:
    """What the API would refuse in it, were it the real one."""
    try:
        return _DEMANDS[wire](body)
    except (AttributeError, KeyError, TypeError, IndexError):
        return "the body has a field of a type that it must not have"


def call_of(body: dict[str, Any], wire: Wire, headers: Mapping[str, str]) -> ScriptedCall:
    """What the log keeps of it."""
    kept = {"traceparent": headers["traceparent"]} if "traceparent" in headers else {}
    if not _KEY_HEADERS.isdisjoint(map(str.lower, headers)):
        kept["key"] = "given"
    return ScriptedCall(
        wire=wire,
        model=body["model"],
        content=last_user_text(body),
        stream=body.get("stream") is True,
        at=time.time(),
        headers=kept,
        instructions=instructions_of(body),
        tools=tools_of(body),
        called=sampled_call(body),
        outputs=outputs_of(body),
        images=images_of(body),
        breakpoints=breakpoints_in(body),
        top_k=body.get("top_k"),
        service_tier=body.get("service_tier"),
    )
