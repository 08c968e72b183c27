"""Requests held to the types of the providers' own clients, down to the last field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter

CHAT = CompletionCreateParamsStreaming
MESSAGES = MessageCreateParamsStreaming


def as_official(kind: Any, body: object) -> dict[str, Any]:
    """The body as it is sent; fails where the official client's type has no such field or value."""
    sent: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    assert _read(_adapter(kind).validate_python(sent)) == sent
    return sent


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _read(value: object) -> object:
    """Lists are checked while they are read; what a type does not know is left out."""
    if isinstance(value, Mapping):
        return {name: _read(field) for name, field in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_read(one) for one in value]
    return value
