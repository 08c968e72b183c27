"""A prompt in Anthropic's words: what it demands, what it lacks, what it would refuse."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from workers.providers.provider import Prompt
from workers.providers.wire.conversation import Conversation

_KNOWN_EXTRAS = frozenset({"top_k", "metadata", "thinking", "service_tier", "output_config"})
"""Other extras are OpenAI's (`seed`, penalties): Anthropic refuses a body that holds them."""
_HIGHEST_TEMPERATURE = 1.0


def cannot_promise(prompt: Prompt) -> str | None:
    """Why this prompt must go to another provider: it asks for JSON without saying which."""
    response_format = prompt.extra.get("response_format")
    if isinstance(response_format, Mapping) and response_format.get("type") == "json_object":
        return "it has no JSON mode without a schema"
    return None


def request_body(prompt: Prompt, *, model: str, default_output_tokens: int) -> bytes:
    """The body of the request; a temperature beyond what is allowed becomes the highest."""
    conversation = Conversation.of(prompt.messages)
    content: dict[str, object] = {
        name: value for name, value in prompt.extra.items() if name in _KNOWN_EXTRAS
    }
    content |= {
        "model": model,
        "max_tokens": prompt.max_output_tokens or default_output_tokens,
        "messages": [
            {"role": message.role, "content": message.content} for message in conversation.spoken
        ],
        "stream": True,
    }
    optional = _optional(prompt) | {"system": conversation.instructions or None}
    content |= {name: value for name, value in optional.items() if value is not None}
    return msgspec.json.encode(content)


def _optional(prompt: Prompt) -> dict[str, object]:
    optional: dict[str, object] = {
        "stop_sequences": prompt.stop or None,
        "output_config": _output_config(prompt.extra.get("response_format")),
    }
    if prompt.temperature is not None:
        optional["temperature"] = min(prompt.temperature, _HIGHEST_TEMPERATURE)
    else:
        # The two together are refused by newer models; the temperature says more.
        optional["top_p"] = prompt.top_p
    return optional


def _output_config(response_format: object) -> dict[str, object] | None:
    if not isinstance(response_format, Mapping):
        return None
    named = response_format.get("json_schema")
    schema = named.get("schema") if isinstance(named, Mapping) else None
    return {"format": {"type": "json_schema", "schema": schema}} if schema else None
