"""What OpenAI's two surfaces call a tool, what it gave, and a picture."""

from __future__ import annotations

from typing import Any

import talk
from talk import get_weather

FUNCTION = {
    "name": "get_weather",
    "description": talk.ABOUT_WEATHER,
    "parameters": talk.PARAMETERS,
}
TO_OSLO = '{"city":"Oslo"}'
"""The arguments that the model calls it with."""


def chat_tools(**more: Any) -> list[dict[str, Any]]:
    return [{"type": "function", "function": FUNCTION | more}]


def responses_tools(**more: Any) -> list[dict[str, Any]]:
    return [{"type": "function", **FUNCTION, **more}]


def chat_output(call: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call.id, "content": get_weather("Oslo")}


def responses_output(call: Any) -> dict[str, Any]:
    output = get_weather("Oslo")
    return {"type": "function_call_output", "call_id": call.call_id, "output": output}


def chat_picture(**more: Any) -> list[dict[str, Any]]:
    return [
        {"type": "text", "text": talk.PICTURE},
        {"type": "image_url", "image_url": {"url": talk.IMAGE_URL, **more}},
    ]


def responses_picture(detail: str) -> list[dict[str, Any]]:
    return [
        {"type": "input_text", "text": talk.PICTURE},
        {"type": "input_image", "image_url": talk.IMAGE_URL, "detail": detail},
    ]
