"""Any server that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp and others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

import aiohttp
import msgspec

from shared.messages.input_item import Role
from workers.providers.error_class import ErrorClass
from workers.providers.failures import (
    ProviderError,
    TransientProviderError,
)
from workers.providers.outcome import Answer
from workers.providers.provider import Message, Prompt, TextSink
from workers.providers.wire.answer_text import AnswerText, cut_short, finished_answer, tool_called
from workers.providers.wire.chat_completions import (
    BROKEN_OFF,
    Chunk,
    Completion,
    StreamedCompletion,
    finish_reason,
)
from workers.providers.wire.exchange import Exchange
from workers.providers.wire.model_choice import ModelChoice
from workers.providers.wire.refusal import Refusal, failure_for
from workers.providers.wire.server_sent_events import ServerSentEvent
from workers.providers.wire.timeouts import CallClock, Timeouts

_END_OF_STREAM = "[DONE]"


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
        self._exchange = Exchange(
            session,
            provider=name,
            url=f"{base_url.rstrip('/')}/chat/completions",
            headers={**authorisation, **(headers or {})},
            timeouts=timeouts or Timeouts(),
        )
        # OpenAI's newer models refuse the old field; most other servers ignore the new one.
        is_openai = urlsplit(base_url).hostname == "api.openai.com"
        self._output_limit_field = "max_completion_tokens" if is_openai else "max_tokens"
        self._completion_decoder = msgspec.json.Decoder(Completion)
        self._chunk_decoder = msgspec.json.Decoder(Chunk)

    def model_for(self, requested: str) -> str:
        return self._models.model_for(requested)

    async def answer(
        self, prompt: Prompt, *, time_left_seconds: float, on_delta: TextSink | None = None
    ) -> Answer:
        body = self._request_body(prompt, streamed=on_delta is not None)
        if on_delta is None:
            content = await self._exchange.fetch(body, time_left_seconds=time_left_seconds)
            return self._whole_answer(prompt, content)
        async with self._exchange.stream(body, time_left_seconds=time_left_seconds) as opened:
            events, clock = opened
            return await self._streamed_answer(prompt, events, AnswerText(on_delta, clock), clock)

    async def close(self) -> None:
        """Nothing to release: the session belongs to whoever opened it."""

    def _request_body(self, prompt: Prompt, *, streamed: bool) -> bytes:
        optional: dict[str, object] = {
            self._output_limit_field: prompt.max_output_tokens,
            "temperature": prompt.temperature,
            "top_p": prompt.top_p,
            "stop": prompt.stop or None,
            "stream_options": {"include_usage": True} if streamed else None,
        }
        return msgspec.json.encode(
            {
                **prompt.extra,
                **{field: value for field, value in optional.items() if value is not None},
                "model": self.model_for(prompt.model),
                "messages": [
                    {"role": _role(message), "content": message.content}
                    for message in prompt.messages
                ],
                "stream": streamed,
            }
        )

    def _whole_answer(self, prompt: Prompt, content: bytes) -> Answer:
        try:
            completion = self._completion_decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._malformed(error, after_first_token=False) from error
        if not completion.choices:
            raise self._malformed("no choices", after_first_token=False)
        choice = completion.choices[0]
        self._check_end(choice.finish_reason, after_first_token=False)
        if choice.message.tool_calls and not choice.message.text:
            raise tool_called(self.name)
        return finished_answer(
            prompt,
            choice.message.text,
            provider=self.name,
            model=completion.model or self.model_for(prompt.model),
            finish=finish_reason(choice.finish_reason),
            usage=completion.usage.usage() if completion.usage else None,
        )

    async def _streamed_answer(
        self,
        prompt: Prompt,
        events: AsyncIterator[ServerSentEvent],
        text: AnswerText,
        clock: CallClock,
    ) -> Answer:
        so_far = StreamedCompletion()
        async for event in events:
            if event.data.strip() == _END_OF_STREAM:
                so_far.is_whole = True
                break
            delta = so_far.take(self._decode(event, clock))
            if delta is not None and delta.is_progress:
                await text.add(delta.text)
        if not so_far.is_whole:
            raise cut_short(
                self.name, "the stream ended early", after_first_token=clock.heard_token
            )
        self._check_end(so_far.finish_reason, after_first_token=clock.heard_token)
        if so_far.called_tool and not str(text):
            raise tool_called(self.name)
        return finished_answer(
            prompt,
            str(text),
            provider=self.name,
            model=so_far.model or self.model_for(prompt.model),
            finish=finish_reason(so_far.finish_reason),
            usage=so_far.usage,
        )

    def _decode(self, event: ServerSentEvent, clock: CallClock) -> Chunk:
        try:
            chunk = self._chunk_decoder.decode(event.data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._malformed(error, after_first_token=clock.heard_token) from error
        if chunk.reports_error:
            raise self._failed_in_stream(bytes(chunk.error), clock)
        return chunk

    def _failed_in_stream(self, content: bytes, clock: CallClock) -> ProviderError:
        refusal = Refusal.from_body(content)
        return failure_for(
            refusal,
            provider=self.name,
            status=refusal.status,
            after_first_token=clock.heard_token,
        )

    def _check_end(self, end: str | None, *, after_first_token: bool) -> None:
        if end in BROKEN_OFF:
            raise cut_short(
                self.name, f"finish reason {end!r}", after_first_token=after_first_token
            )

    def _malformed(self, what: object, *, after_first_token: bool) -> TransientProviderError:
        return TransientProviderError(
            f"{self.name} sent an answer that cannot be read: {what}",
            error_class=ErrorClass.MALFORMED_ANSWER,
            after_first_token=after_first_token,
        )


def _role(message: Message) -> Role:
    """Every server knows `system`, and OpenAI's own takes it for `developer`."""
    return Role.SYSTEM if message.role is Role.DEVELOPER else message.role
