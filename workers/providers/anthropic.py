"""Anthropic's messages: what they demand, what they lack, what they would refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.failures import UnknownFieldError
from workers.providers.outcome import NO_LOGPROBS, Declined
from workers.providers.provider import Conversation, Prompt
from workers.providers.provider_type import ProviderType
from workers.providers.wire.anthropic_messages import AnthropicMessagesReader
from workers.providers.wire.asking.answered_calls import UncarriedError
from workers.providers.wire.asking.anthropic_tools import told_effort, told_tools
from workers.providers.wire.asking.cache_marks import (
    CACHED,
    KEEPS,
    bound_marks,
    has_marks,
    without_marks,
)
from workers.providers.wire.asking.message_blocks import in_blocks
from workers.providers.wire.asking.thoughts import (
    NAMES_A_SIGNATURE,
    Block,
    OwnThoughts,
    RefusedThoughts,
)
from workers.providers.wire.http_model import HttpApi
from workers.providers.wire.loose_json import elements, mapping

API_VERSION: Final = "2023-06-01"
_KNOWN_EXTRAS = frozenset({"top_k", "metadata", "thinking", "service_tier", "output_config"})
"""Other extras are OpenAI's (`seed`, penalties): Anthropic refuses a body that holds them."""
_TRANSLATED = frozenset({"response_format"})
_HIGHEST_TEMPERATURE = 1.0
_OLD_THINKING: Final = "thinking.type.enabled"
_STRICT: Final = re.compile(r"\bstrict\b")


class AnthropicMessages(AnthropicMessagesReader):
    """The wire format demands a limit on the answer: `default_output_tokens` is sent when the
    prompt names none. What the server of a model does not know is remembered for that model.
    """

    def __init__(self, *, default_output_tokens: int, host: str = "") -> None:
        self._default_output_tokens = default_output_tokens
        self._host = host
        self._adaptive: set[str] = set()
        self._not_strict: set[str] = set()
        self._uncached: set[str] = set()
        self._refused_thoughts = RefusedThoughts()

    @classmethod
    def of(cls, settings: ProviderSettings) -> AnthropicMessages:
        """With the limit that the provider's settings name."""
        host = urlsplit(settings.base_url or "").netloc
        return cls(default_output_tokens=settings.max_output_tokens, host=host)

    def request_body(self, prompt: Prompt, model: str) -> dict[str, object] | Declined:
        """A temperature beyond what is allowed becomes the highest."""
        response_format = prompt.extra.get("response_format")
        if isinstance(response_format, Mapping) and response_format.get("type") == "json_object":
            return Declined(reason="it has no JSON mode without a schema")
        if prompt.top_logprobs is not None:
            return Declined(reason=NO_LOGPROBS)
        try:
            instructions, messages = self._said(prompt, model)
        except UncarriedError as error:
            return Declined(reason=error.message)
        max_tokens = prompt.max_output_tokens or self._default_output_tokens
        optional = _optional(prompt) | {"system": instructions or None}
        if prompt.prompt_cache_key and model not in self._uncached:
            # Nothing is kept there that nobody asks for, and it costs to have it kept.
            optional[CACHED] = KEEPS
        content = {
            **{name: value for name, value in prompt.extra.items() if name in _KNOWN_EXTRAS},
            "model": model,
            "max_tokens": max_tokens,
            "messages": messages,
            "stream": True,
            **{name: value for name, value in optional.items() if value is not None},
        }
        if not prompt.is_text:
            content |= told_tools(prompt, knows_strict=model not in self._not_strict)
        if prompt.has_breakpoints:
            content.pop(CACHED, None)
            bound = without_marks if model in self._uncached else bound_marks
            bound(content)
        if prompt.reasoning is not None:
            adaptive = model in self._adaptive
            effort = told_effort(prompt, messages, max_tokens=max_tokens, is_adaptive=adaptive)
            content = _joined(effort, content)
        return content

    def leave_out(
        self, refusal: UnknownFieldError, model: str, *, sent: Mapping[str, object]
    ) -> bool:
        """Say how much to think in newer words, and do without a cache, and without what `strict`
        promises: calls are held to their schema here too."""
        said = f"{refusal.field} {refusal.provider_message}"
        is_old, is_strict = _has_budget(sent), _has_strict_tool(sent)
        if is_old and _OLD_THINKING in said:
            self._adaptive.add(model)
        elif is_strict and _STRICT.search(said):
            self._not_strict.add(model)
        elif NAMES_A_SIGNATURE.search(said):
            return self._refused_thoughts.note(sent)
        elif CACHED in said and (CACHED in sent or has_marks(dict(sent))):
            self._uncached.add(model)
        else:
            return False
        return True

    def dropped(self, prompt: Prompt, model: str) -> tuple[str, ...]:
        """What of OpenAI's is no word of Anthropic's, and marks that the server did not know."""
        unknown = [name for name in prompt.extra if name not in _KNOWN_EXTRAS | _TRANSLATED]
        is_uncached = model in self._uncached and prompt.has_breakpoints
        return (*unknown, CACHED) if is_uncached else tuple(unknown)

    def _said(self, prompt: Prompt, model: str) -> tuple[str | list[Block], list[Block]]:
        if not prompt.is_plain:
            keeps = prompt.has_breakpoints
            thoughts = OwnThoughts(by=self.maker(model), refused=self._refused_thoughts)
            return in_blocks(prompt.told, thoughts, keeps=keeps)
        conversation = Conversation.of(prompt.told)
        return conversation.instructions, [
            {"role": saying.role, "content": saying.text} for saying in conversation.spoken
        ]

    def maker(self, model: str) -> str:
        return f"anthropic {self._host} {model}"


def _has_budget(sent: Mapping[str, object]) -> bool:
    return "budget_tokens" in mapping(sent.get("thinking"))


def _has_strict_tool(sent: Mapping[str, object]) -> bool:
    return any("strict" in mapping(tool) for tool in elements(sent.get("tools")))


def _joined(more: Block, content: Block) -> Block:
    """What the caller said in Anthropic's own words counts; two objects are one."""
    joined = {**more, **content}
    for name in more.keys() & content.keys():
        one, other = more[name], content[name]
        if isinstance(one, dict) and isinstance(other, dict):
            joined[name] = {**one, **other}
    return joined


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
