"""Anthropic's messages, spoken over plain HTTP."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from workers.providers.outcome import Answer, Declined
from workers.providers.provider import Prompt, TextSink
from workers.providers.wire.anthropic_messages import AnthropicMessages
from workers.providers.wire.anthropic_request import cannot_promise, request_body
from workers.providers.wire.exchange import ProviderExchange
from workers.providers.wire.http_model import HttpModel
from workers.providers.wire.model_choice import ModelChoice
from workers.providers.wire.timeouts import Timeouts

API_VERSION = "2023-06-01"
DEFAULT_OUTPUT_TOKENS = 4096


class AnthropicProvider:
    """Calls `{base_url}/v1/messages` over a shared session; the session stays open.

    A `base_url` that ends in `/v1` already is taken as it is. The wire format demands a limit on
    the answer: `default_output_tokens` is sent when the prompt names none.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        name: str,
        base_url: str,
        models: ModelChoice,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
        default_output_tokens: int = DEFAULT_OUTPUT_TOKENS,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._models = models
        self._default_output_tokens = default_output_tokens
        key = {"x-api-key": api_key} if api_key else {}
        exchange = ProviderExchange(
            session,
            provider=name,
            url=f"{base_url.rstrip('/').removesuffix('/v1')}/v1/messages",
            headers={"anthropic-version": API_VERSION, **key, **(headers or {})},
            timeouts=timeouts or Timeouts(),
        )
        self._model = HttpModel(exchange, AnthropicMessages(), provider=name)

    def model_for(self, requested: str) -> str:
        return self._models.model_for(requested)

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: TextSink | None = None
    ) -> Answer | Declined:
        reason = cannot_promise(prompt)
        if reason is not None:
            return Declined(reason=reason)
        body = request_body(
            prompt,
            model=self.model_for(prompt.model),
            default_output_tokens=self._default_output_tokens,
        )
        return await self._model.answer(
            prompt,
            body,
            asked_model=self.model_for(prompt.model),
            time_left_seconds=time_left_seconds,
            on_delta=on_delta,
        )

    async def close(self) -> None:
        """Nothing to release: the session belongs to whoever opened it."""
