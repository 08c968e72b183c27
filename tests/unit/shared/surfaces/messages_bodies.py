"""Bodies of POST /v1/messages, and what they mean."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
import pytest

from shared.errors import InvalidRequest
from shared.messages.body import Body
from shared.messages.item import Item
from shared.surfaces.messages.request import decode_messages_request

HI = {"role": "user", "content": "Hi"}
TOOL = {"name": "add", "description": "Adds.", "input_schema": {"type": "object"}}
GIF = b64encode(b"GIF89a\1\0\1\0\0\0").decode()


def body_of(**fields: Any) -> Body:
    raw = msgspec.json.encode({"model": "m", "max_tokens": 9, "messages": [HI], **fields})
    return decode_messages_request(raw)[1]


def items_of(*content: dict[str, Any], role: str = "user") -> list[Item]:
    return body_of(messages=[{"role": role, "content": list(content)}]).input


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **more}


def document(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "document", "source": source, **more}


def refusal(**fields: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as raised:
        body_of(**fields)
    return raised.value
