"""Any server that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp and others."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp
import msgspec

from shared.messages.input_item import Role
from workers.providers.failures import UnknownFieldError
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt, TextSink
from workers.providers.wire.additions import Additions
from workers.providers.wire.chat_completions import ChatCompletions
from workers.providers.wire.conversation import Conversation
from workers.providers.wire.exchange import ProviderExchange
from workers.providers.wire.http_model import HttpModel
from workers.providers.wire.model_choice import ModelChoice
from workers.providers.wire.timeouts import Timeouts


class OpenAICompatibleProvider:
    """Calls `{base_url}/chat/completions` over a shared session; the session stays open."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        name: str,
        base_url: str,
        models: ModelChoice,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        authorisation = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self.name = name
        self._models = models
        exchange = ProviderExchange(
            session,
            provider=name,
            url=f"{base_url.rstrip('/')}/chat/completions",
            headers={**authorisation, **(headers or {})},
            timeouts=timeouts or Timeouts(),
        )
        self._model = HttpModel(exchange, ChatCompletions(), provider=name)
        # OpenAI's newer models refuse the old field; most other servers ignore the new one.
        is_openai = urlsplit(base_url).hostname == "api.openai.com"
        self._additions = Additions(limit_is_new=is_openai)

    def model_for(self, requested: str) -> str:
        return self._models.model_for(requested)

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: TextSink | None = None
    ) -> Answer:
        model = self.model_for(prompt.model)
        content = self._request(prompt, model)
        try:
            return await self._model.answer(
                prompt,
                msgspec.json.encode(content),
                asked_model=model,
                time_left_seconds=time_left_seconds,
                on_delta=on_delta,
            )
        except UnknownFieldError as refusal:
            refusal.is_mended = self._additions.leave_out(model, refusal, sent=content.keys())
            raise

    async def close(self) -> None:
        """Nothing to release: the session belongs to whoever opened it."""

    def _request(self, prompt: Prompt, model: str) -> dict[str, object]:
        optional: dict[str, object] = {
            self._additions.limit(model): prompt.max_output_tokens,
            "temperature": prompt.temperature,
            "top_p": prompt.top_p,
            "stop": prompt.stop or None,
        }
        return {
            **prompt.extra,
            **{field: value for field, value in optional.items() if value is not None},
            **self._additions.fields(model),
            "model": model,
            "messages": _messages(prompt),
            "stream": True,
        }


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    """One system message at the most, and first: every server knows that form."""
    conversation = Conversation.of(prompt.messages)
    messages = [{"role": each.role.value, "content": each.content} for each in conversation.spoken]
    if conversation.instructions:
        messages.insert(0, {"role": Role.SYSTEM.value, "content": conversation.instructions})
    return messages
