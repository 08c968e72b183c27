"""Anthropic's messages: what they demand, what they lack, what they would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.outcome import Declined
from workers.providers.provider import Conversation, Prompt
from workers.providers.provider_type import ProviderType
from workers.providers.wire.anthropic_messages import AnthropicMessagesReader
from workers.providers.wire.http_model import HttpApi

API_VERSION: Final = "2023-06-01"
_KNOWN_EXTRAS = frozenset({"top_k", "metadata", "thinking", "service_tier", "output_config"})
"""Other extras are OpenAI's (`seed`, penalties): Anthropic refuses a body that holds them."""
_HIGHEST_TEMPERATURE = 1.0


class AnthropicMessages(AnthropicMessagesReader):
    """The wire format demands a limit on the answer: `default_output_tokens` is sent when the
    prompt names none."""

    def __init__(self, *, default_output_tokens: int) -> None:
        self._default_output_tokens = default_output_tokens

    @classmethod
    def of(cls, settings: ProviderSettings) -> AnthropicMessages:
        """With the limit that the provider's settings name."""
        return cls(default_output_tokens=settings.max_output_tokens)

    def request_body(self, prompt: Prompt, model: str) -> dict[str, object] | Declined:
        """A temperature beyond what is allowed becomes the highest."""
        response_format = prompt.extra.get("response_format")
        if isinstance(response_format, Mapping) and response_format.get("type") == "json_object":
            return Declined(reason="it has no JSON mode without a schema")
        if not prompt.is_text:
            return Declined(reason="it is given text alone")
        conversation = Conversation.of(prompt.items)
        content: dict[str, object] = {
            name: value for name, value in prompt.extra.items() if name in _KNOWN_EXTRAS
        }
        content |= {
            "model": model,
            "max_tokens": prompt.max_output_tokens or self._default_output_tokens,
            "messages": [
                {"role": saying.role, "content": saying.text} for saying in conversation.spoken
            ],
            "stream": True,
        }
        optional = _optional(prompt) | {"system": conversation.instructions or None}
        return content | {name: value for name, value in optional.items() if value is not None}


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


MESSAGES: Final = HttpApi(
    wire=AnthropicMessages.of,
    root="/v1",
    path="/messages",
    key_header="x-api-key",
    key_prefix="",
    headers={"anthropic-version": API_VERSION},
)

ANTHROPIC: Final = ProviderType(kind=ProviderKind.ANTHROPIC, build=MESSAGES.build)
